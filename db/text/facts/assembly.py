"""From linked slots to facts: units and scales left out are filled in, periods resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Literal

from db.batches import TextFact
from db.text.facts.companies import company_of, written
from db.text.facts.context import Context
from db.text.facts.items import Amount, Item
from db.text.facts.linking import Linker
from db.text.facts.ownership import states
from db.text.facts.slots import Slot
from db.text.facts.timing import not_over, period, revises


def facts_of(context: Context) -> Iterator[TextFact]:
    """The facts of one sentence in the order in which they stand."""
    if context.silent or not context.clauses:
        return
    if not any(item.measure is not None for item in context.items):
        return
    slots = Linker(context.items, context.clauses, context.language).link()
    _merge_explained(slots)
    _compare_with_past(slots)
    written_slots = [slot for slot in slots if states(context, slot)]
    if not written_slots:
        return
    carried = ""
    for slot in written_slots:
        fact = _fact(context, slot, carried)
        if fact is not None:
            carried = fact.company or carried
            yield fact


def _merge_explained(slots: list[Slot]) -> None:
    """``Half as much was earned: net profit fell to ...`` says one thing, not two."""
    for first, second in pairwise(slots):
        explained = second.clause.hard and first.clause is not second.clause
        if not explained or first.metric != second.metric or first.mode != second.mode:
            continue
        if first.value is None and second.value is not None and second.change is None:
            first.change, second.change = None, first.change


def _compare_with_past(slots: list[Slot]) -> None:
    """``..., which had earned $2 billion a year ago, now lost ...``: a figure to compare with."""
    for first, second in pairwise(slots):
        if not first.clause.past or second.clause.past or first.metric != second.metric:
            continue
        value = first.value
        if value is not None and first.role == "value" and second.previous is None:
            second.previous = first.signed((value.low + value.high) / 2)


def _fact(context: Context, slot: Slot, carried: str) -> TextFact | None:
    low: float | None = None
    high: float | None = None
    unit = "ratio"
    qualifier = slot.change_word
    if slot.value is not None:
        found = _filled(context, slot, slot.value)
        if found is None:
            return None
        low, high, unit = found
        qualifier = slot.value.qualifier
    change = slot.change
    if slot.metric in ("revenue", "capex", "users") and low is not None and low < 0:
        return None
    if revises(context, slot):
        slot.mode = "guidance"
    named = period(context, slot)
    if slot.mode == "reported" and not_over(context, slot):
        return None
    company = _company(context, slot) or carried
    consensus = _scaled_like(slot, slot.consensus, low)
    direction = _direction(context, slot, consensus, low, high)
    return TextFact(
        metric=slot.metric,  # type: ignore[arg-type]
        kind=slot.mode,  # type: ignore[arg-type]
        low=low,
        high=high,
        unit=unit,
        change=change,
        basis="" if change is None else "qoq" if _sequential(context, slot) else "yoy",
        period=named,
        consensus=consensus,
        direction=direction,
        previous=_scaled_like(slot, slot.previous, low),
        qualifier=qualifier,  # type: ignore[arg-type]
        company=company,
        sentence=context.text,
        begin=context.begin,
        end=context.end,
    )


def _sequential(context: Context, slot: Slot) -> bool:
    return any("QOQ" in item.tags for item in context.items[slot.clause.begin : slot.clause.end])


def _scaled_like(slot: Slot, number: float | None, low: float | None) -> float | None:
    """A bare comparative number has the scale of the value it stands beside."""
    if number is None:
        return None
    value = slot.value
    if value is not None and low and value.low and slot.metric not in ("eps", "margin"):
        scale = value.scale or abs(low / value.low)
        if abs(number) < SMALLEST_TOTAL <= abs(low):
            number *= scale
    if value is not None and value.small and abs(number) >= 10 * abs(low or number):
        number /= 100
    return float(f"{number:.12g}")


def _filled(context: Context, slot: Slot, amount: Amount) -> tuple[float, float, str] | None:
    """Low, high and unit with what an ellipsis leaves out taken from its neighbours."""
    low, high = amount.low, amount.high
    metric = slot.metric
    if metric == "margin":
        return low, high, "ratio"
    if metric == "users":
        return (low, high, "users") if high >= SMALLEST_COUNT else None
    if not amount.scale and metric != "eps" and abs(high) < SMALLEST_TOTAL:
        if amount.kind == "plain":
            low, high = _with_scale(context, slot, low, high)
        if abs(high) < SMALLEST_TOTAL:
            return None
    if metric == "eps" and amount.kind == "plain":
        neighbour = _neighbour(context, slot, lambda one: bool(one.unit))
        if neighbour is not None and neighbour.small:
            low, high = low / 100, high / 100
    if slot.measure.loss:
        low, high = -abs(high), -abs(low)
    return low, high, _unit_of(context, slot, amount)


SMALLEST_COUNT = 1_000
SMALLEST_TOTAL = 100_000
"""Less than this is no company's revenue, profit or investment, but a number misread."""


def _unit_of(context: Context, slot: Slot, amount: Amount) -> str:
    """The currency; bare cents are of the currency that the sentence uses."""
    unit = amount.unit
    if not unit:
        neighbour = _neighbour(context, slot, lambda one: bool(one.unit), forward=False)
        return neighbour.unit if neighbour is not None else context.currency
    if amount.small and unit in ("USD", "EUR"):
        others = {
            item.amount.unit
            for item in context.items
            if item.amount is not None and item.amount.unit and not item.amount.small
        }
        if len(others) == 1:
            unit = others.pop()
    return unit


def _with_scale(context: Context, slot: Slot, low: float, high: float) -> tuple[float, float]:
    neighbour = _neighbour(context, slot, lambda one: bool(one.scale))
    if neighbour is None:
        return low, high
    scale = neighbour.scale
    return float(f"{low * scale:.12g}"), float(f"{high * scale:.12g}")


def _neighbour(
    context: Context, slot: Slot, fits: Callable[[Amount], bool], *, forward: bool = True
) -> Amount | None:
    """The nearest amount behind (or, failing that, before) a slot's value that ``fits``."""
    after = [item.amount for item in context.items[slot.value_at + 1 :] if item.amount is not None]
    before = [item.amount for item in context.items[: slot.value_at] if item.amount is not None]
    first, second = (after, before[::-1]) if forward else (before[::-1], after)
    for one in (*first, *second):
        if one.kind in ("money", "plain") and fits(one):
            return one
    return None


def _direction(
    context: Context, slot: Slot, consensus: float | None, low: float | None, high: float | None
) -> Literal["above", "below", "in line", ""]:
    """Against the consensus: by the figures, else in words."""
    if consensus is not None and low is not None and high is not None:
        middle = (low + high) / 2
        if low == high or consensus < low or consensus > high:
            if abs(middle - consensus) < 1e-9 * max(1.0, abs(middle)):
                return "in line"
            return "above" if middle > consensus else "below"
    words = _words_after(context, slot)
    for at, item in enumerate(words):
        for tag, name in (("BEAT", "above"), ("MISS", "below"), ("INLINE", "in line")):
            if tag in item.tags and _about_consensus(words, at):
                return name  # type: ignore[return-value]
    return ""


def _words_after(context: Context, slot: Slot) -> list[Item]:
    """The clause behind the value, up to the next metric."""
    begin = max(slot.value_at, slot.at) + 1
    words: list[Item] = []
    for item in context.items[begin : slot.clause.end]:
        if item.measure is not None and item.measure.metric != "other":
            break
        words.append(item)
    return words


def _about_consensus(words: list[Item], at: int) -> bool:
    if words[at].tags & {"CONS"} or words[at].low in ("beats", "misses", "inline", "wie erwartet"):
        return True
    return any(item.tags & {"CONS", "OTHERS"} for item in words[at : at + 6])


def _company(context: Context, slot: Slot) -> str:
    own = [name for name in context.names if slot.clause.begin <= name[0] < slot.clause.end]
    if slot.company == "?" and own and own[0][0] >= slot.at:
        return written(context.text, context.items, own[0])  # "..., American Express $4.02"
    found = company_of(context.items, context.clauses, slot.clause, slot.at, context.names)
    return "" if found is None else written(context.text, context.items, found)
