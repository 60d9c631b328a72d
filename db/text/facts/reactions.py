"""How a text says that the stock moved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from db.batches import SessionLabel, TextReaction
from db.text.facts.clauses import Clause
from db.text.facts.directions import direction
from db.text.facts.items import Item

if TYPE_CHECKING:
    from db.text.facts.context import Context

Move = Literal["rose", "fell", "flat"]
_LONG_AGO = {"this year", "dieses jahr", "diesem jahr", "seit jahresbeginn", "last year"}


def reactions_of(context: Context) -> Iterator[TextReaction]:
    """The reactions that one sentence describes; moves since some day long past are none."""
    if context.silent:
        return
    session: SessionLabel = ""
    for clause in context.clauses:
        words = context.items[clause.begin : clause.end]
        session = _session(words) or (session if not any("STOCK" in i.tags for i in words) else "")
        if not _has_stock(words) or clause.mode == "void":
            continue
        found = _move(context.items, clause, context.language)
        if found is None:
            continue
        move, size = found
        yield TextReaction(
            move, size, _session(words) or session, context.text, context.begin, context.end
        )


def _has_stock(words: list[Item]) -> bool:
    return any("STOCK" in item.tags for item in words)


def _session(words: list[Item]) -> SessionLabel:
    for tag, label in (("PRE", "pre"), ("POST", "post"), ("REG", "regular")):
        if any(tag in item.tags for item in words):
            return label  # type: ignore[return-value]
    return ""


def _move(items: list[Item], clause: Clause, language: str) -> tuple[Move, float | None] | None:
    """Direction and size of the move that a clause with a stock in it tells of."""
    begin, end = clause.begin, clause.end
    words = items[begin:end]
    if any(item.kind == "period" and item.period is not None and item.period.unit != "Q"
           and not item.period.year for item in words) and not any(
               item.measure is not None for item in words):  # fmt: skip
        return None
    stock = next(at for at in range(begin, end) if "STOCK" in items[at].tags)
    if any(item.low in ("stake", "beteiligung", "anteil") for item in words) or any(
        "INDEX" in item.tags for item in items[stock + 1 : stock + 2]
    ):
        return None
    for at in range(begin, end):
        amount = items[at].amount
        if amount is None or amount.kind != "percent" or amount.fraction:
            continue
        if any(items[place].measure is not None for place in range(min(stock, at), max(stock, at))):
            continue
        sign = amount.sign or direction(items, at, begin, end, language)
        if sign:
            size = (abs(amount.low) + abs(amount.high)) / 2
            return ("rose" if sign > 0 else "fell"), float(f"{size:.12g}")
    return _without_figure(items, begin, end, stock, language)


def _without_figure(
    items: list[Item], begin: int, end: int, stock: int, language: str
) -> tuple[Move, None] | None:
    words = [item for item in items[begin:end] if item.amount is None]
    if any(item.amount is not None for item in items[begin:end]):
        return None
    if any("FLAT" in item.tags for item in words):
        return "flat", None
    if any(item.measure is not None for item in words):
        return None
    moving = [item for item in words if "VERB" in item.tags and item.tags & {"UP", "DOWN"}]
    if not moving:
        return None
    sign = direction(items, end, begin, end, language)
    if sign:
        return ("rose" if sign > 0 else "fell"), None
    return None
