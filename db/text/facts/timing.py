"""Which period a figure is of."""

from __future__ import annotations

from db.text.facts import periods
from db.text.facts.context import Context
from db.text.facts.cues import left_cue
from db.text.facts.items import PeriodMention
from db.text.facts.slots import Slot
from db.text.facts.wordlists import listed

_REVISING = frozenset(
    listed(
        "raises raised lowers lowered cuts cut narrows narrowed hikes hiked lifts lifted "
        "trims trimmed boosts boosted ups upped slashed slashes hebt hob hoben erhöht erhöhte "
        "erhöhten senkt senkte senkten kürzt kürzte stockt stockte schraubt schraubte "
        "reduziert angehoben gesenkt"
    )
)


def revises(context: Context, slot: Slot) -> bool:
    """``raises FY17 EPS from A to B``: a year that is not over can only be an outlook."""
    if slot.mode != "reported" or slot.value is None:
        return False
    clause = slot.clause
    if not any(item.low in _REVISING for item in context.items[clause.begin : slot.value_at]):
        return False
    current = periods.resolve(
        PeriodMention("FY", 0, 0, 0),
        published=context.published,
        fiscal_year_end=context.fiscal_year_end,
        guidance=True,
    )
    for item in context.items[clause.begin : clause.end]:
        mention = item.period
        if mention is None or mention.unit != "FY":
            continue
        if mention.relative in (0, 1) or (mention.year and f"{mention.year}FY" >= current):
            return True
    return False


def not_over(context: Context, slot: Slot) -> bool:
    """A year that has hardly begun has no figures yet: something was misread."""
    clause = slot.clause
    return any(
        item.period is not None and _unfinished(context, item.period)
        for item in context.items[clause.begin : clause.end]
    )


def _unfinished(context: Context, mention: PeriodMention) -> bool:
    published = context.published
    if mention.unit != "FY" or not mention.year:
        return False
    return mention.year > published.year + 1 or (
        mention.year >= published.year + (published.month > 6) and context.fiscal_year_end == 12
    )


def period(context: Context, slot: Slot) -> str:
    """The fiscal period of a slot: of its own clause first, then of what stands before it."""
    guidance = slot.mode == "guidance"
    hint = slot.measure.period_hint
    mention = _hinted(hint) if hint else None
    if mention is None or slot.clause is not None:
        own = _mention(context, slot, guidance)
        mention = own if own is not None and (mention is None or own.unit != "FY") else mention
    if mention is None:
        return ""
    return periods.resolve(
        mention,
        published=context.published,
        fiscal_year_end=context.fiscal_year_end,
        guidance=guidance,
    )


def _hinted(hint: str) -> PeriodMention:
    if hint == "quarter":
        return PeriodMention("Q")
    if hint == "half":
        return PeriodMention("H", 0, 0, -1)
    return PeriodMention("M", 9) if hint == "nine" else PeriodMention("FY")


def _mention(context: Context, slot: Slot, guidance: bool) -> PeriodMention | None:
    items, clause = context.items, slot.clause
    usable = [
        at
        for at, item in enumerate(items)
        if item.period is not None
        and (slot.clause.past or not _of_past(context, at))
        and _usable(context, slot, at, guidance)
    ]
    if not usable:
        return None
    place = slot.value_at if slot.value_at >= 0 else max(slot.change_at, slot.at)
    clause = next((one for one in context.clauses if one.begin <= place < one.end), clause)
    piece = next(one for one in clause.pieces if one.begin <= place < one.end)
    own = [at for at in usable if piece.begin <= at < piece.end]
    inside = [at for at in usable if clause.begin <= at < clause.end]
    if own and piece.joined:
        return items[min(own, key=lambda at: abs(at - place))].period
    if inside:
        return items[min(inside, key=lambda at: _distance(at, slot, place))].period
    before = [at for at in usable if at < clause.begin]
    if before:
        return items[before[-1]].period
    later = [at for at in usable if not _of_another(context, at)]
    return items[later[0]].period if later else None


def _of_another(context: Context, at: int) -> bool:
    """The period stands in a later clause that has a metric of its own."""
    clause = next((one for one in context.clauses if one.begin <= at < one.end), None)
    if clause is None:
        return False
    return any(item.measure is not None for item in context.items[clause.begin : clause.end])


def _of_past(context: Context, at: int) -> bool:
    """The clause that tells what was before, to compare with."""
    return any(one.past and one.begin <= at < one.end for one in context.clauses)


def _distance(at: int, slot: Slot, place: int) -> tuple[int, int]:
    inside = 0 if min(slot.measure.head, slot.at) <= at <= max(place, slot.at) else 1
    return inside, abs(at - place)


def _usable(context: Context, slot: Slot, at: int, guidance: bool) -> bool:
    """Whether a period can be that of the figure, not one it is compared with."""
    items = context.items
    mention = items[at].period
    assert mention is not None
    year = context.published.year
    if guidance and ((mention.relative or 0) < 0 or (mention.year and mention.year < year - 1)):
        return False
    if not guidance and (
        mention.year > year + 1 or (mention.unit != "month" and (mention.relative or -1) > 0)
    ):
        return False
    if not guidance and mention.relative == 0 and mention.unit == "FY":
        return False
    if not guidance and _unfinished(context, mention):
        return False
    if at and items[at - 1].low == "(" and at + 1 < len(items) and items[at + 1].low == ":":
        return False  # "(2024: 388 million)"
    if items[at].low.startswith(
        ("end", "the end", "at the end", "ende", "per ende", "zum ende", "late", "as of", "by end")
    ):
        return slot.metric == "users"
    for place in range(at - 1, max(-1, at - 7), -1):
        item = items[place]
        if item.low in (",", ";", ":") or item.measure is not None:
            break
        if item.tags & {"VS", "THAN", "FROM", "QOQ"} or item.low in (
            "more than",
            "weniger als",
            "since",
            "seit",
            "than",
            "nach",
            "gegenüber",
            "less than",
            "mehr als",
            "höher als",
            "higher than",
            "lower than",
            "als",
            "mehr",
            "above",
            "below",
        ):
            return item.low in ("after",) and False
        if item.amount is not None:
            return left_cue(items, place, 0).name not in ("vs", "from", "than")
        if "VERB" in item.tags:
            break
    return True
