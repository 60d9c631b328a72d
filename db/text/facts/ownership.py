"""Whether a slot is a fact of the company at all: not of a part, not before tax, not others'."""

from __future__ import annotations

from db.text.facts.context import Context
from db.text.facts.items import Item
from db.text.facts.scope import describes, is_part
from db.text.facts.slots import Slot


def states(context: Context, slot: Slot) -> bool:
    """Whether a slot is a fact of the company at all."""
    measure = slot.measure
    if slot.role != "value" or measure.metric == "other" or measure.part:
        return False
    if slot.mode not in ("reported", "guidance"):
        return False
    if slot.clause.past or slot.clause.old_outlook:
        return False
    if slot.value is None and slot.change is None:
        return False
    if _part_of_company(context, slot) or _before_tax(context, slot):
        return False
    if measure.guide and _target_met(context, slot):
        return False
    if not _told(context, slot):
        return False
    return measure.metric != "users" or _counts_users(context, slot)


def _part_of_company(context: Context, slot: Slot) -> bool:
    """The clause is about a segment, product or region."""
    items, clause = context.items, slot.clause
    if slot.metric == "users":
        return _region(items, clause.begin, clause.end)
    if clause.opener in ("where", "wo", "wovon", "davon", "of which", "including", "darunter"):
        return True
    last = max(slot.value_at, slot.change_at, slot.at)
    first = clause.begin
    if _after_part(context, slot) or (
        (clause.relative or clause.opener == "with") and _antecedent_is_part(items, first)
    ):
        return True
    for at in range(first, last):
        item = items[at]
        if _whole(items, slot) or (at and items[at - 1].low.startswith("fortgef")):
            continue
        if item.tags & {"SEG", "PRODUCT"} and is_part(items, at) and not describes(items, at):
            cause = any("CAUSE" in one.tags for one in items[max(first, at - 6) : at])
            if not cause and not (at < slot.at and _other_measure(items, at, slot.at)):
                return True
    if _followed_by_part(items, last, clause.end):
        return True
    reach = min(clause.end, last + 6)
    return _region(items, first, reach) or _invested_in(context, slot)


_WHOLE = ("konzern", "gesamt", "total", "group", "overall", "consolidated", "companywide")


def _whole(items: list[Item], slot: Slot) -> bool:
    """``total revenue``, ``Konzernumsatz``: the whole company's, whatever stands around."""
    head = items[slot.measure.head : slot.at + 1]
    return any(item.low.startswith(_WHOLE) for item in head)


def _followed_by_part(items: list[Item], last: int, end: int) -> bool:
    """``of 3 to 5 percent in its car business``."""
    if last + 1 >= end or items[last + 1].low not in ("in", "im", "at", "bei", "der", "des"):
        return False
    if any(item.low in ("negativen", "positiven") for item in items[last + 2 : last + 4]):
        return False  # "in den negativen Bereich"
    near = range(last + 2, min(end, last + 5))
    return any(items[at].tags & {"SEG", "PRODUCT"} and is_part(items, at) for at in near)


def _told(context: Context, slot: Slot) -> bool:
    """The clause tells the figure: it has a verb known to do so, or none at all (a headline).

    ``accounts for $900 million of sales`` and ``a target that looks out of reach`` do not.
    """
    clause = slot.clause
    words = context.items[clause.begin : clause.end]
    if clause.has_verb or slot.measure.verb:
        return True
    if any(item.tags & _TELLING for item in words):
        return True
    return not any(_unknown_verb(item, context.language) for item in words)


_TELLING = {"BEAT", "MISS", "INLINE", "UP", "DOWN", "SAY", "FLAT", "MAYBE_GUIDE", "DIRECT"}


def _unknown_verb(item: Item, language: str) -> bool:
    if item.kind != "word" or item.tags or not item.text.islower() or len(item.low) < 4:
        return False
    if language == "en":
        return item.low.endswith(("s", "ed", "es")) and not item.low.endswith(("ss", "'s"))
    return item.low.endswith(("t", "te", "ten", "lt", "tet"))


def _before_tax(context: Context, slot: Slot) -> bool:
    """``verdiente vor Steuern``, ``earned $3 billion before tax``: not the net result."""
    if slot.metric not in ("net_income", "eps"):
        return False
    items, clause = context.items, slot.clause
    first, last = min(slot.at, max(slot.value_at, 0)), max(slot.at, slot.value_at)
    near = items[max(clause.begin, first - 4) : min(clause.end, last + 5)]
    for at, item in enumerate(near):
        following = near[at + 1].low if at + 1 < len(near) else ""
        if item.low in ("vor", "before") and following in _TAXES:
            return True
        if item.low in ("operativ", "pretax") and slot.measure.verb:
            return True
    return False


_TAXES = {"steuern", "zinsen", "tax", "taxes", "interest", "abschreibungen"}


_MET = {
    "verfehlt",
    "verfehlte",
    "verfehlten",
    "erreicht",
    "erreichte",
    "übertroffen",
    "gescheitert",
    "missed",
    "met",
    "reached",
    "achieved",
    "exceeded",
    "hit",
    "beat",
}


def _target_met(context: Context, slot: Slot) -> bool:
    """An outlook of before that was met or missed is none any more."""
    words = context.items[slot.at : slot.clause.end]
    if any(item.tags & {"CONS", "OTHERS"} for item in words):
        return False
    return any(item.low in _MET for item in words) and not any(
        "GUIDE" in item.tags for item in words
    )


def _after_part(context: Context, slot: Slot) -> bool:
    """``X, the smaller of its two divisions, grew sales``."""
    place = context.clauses.index(slot.clause)
    if not place or "VERB" not in context.items[slot.clause.begin].tags:
        return False
    before = context.clauses[place - 1]
    words = range(before.begin, before.end)
    if before.has_verb or any(context.items[at].measure is not None for at in words):
        return False
    return any(
        context.items[at].tags & {"SEG", "PRODUCT"} and is_part(context.items, at) for at in words
    )


def _antecedent_is_part(items: list[Item], first: int) -> bool:
    """The word before a relative clause names a part: "its cloud unit, whose sales"."""
    place = first - 1
    while place > 0 and (items[place].kind == "sign" or items[place].tags & {"REL", "CONJ"}):
        place -= 1
    return bool(items[place].tags & {"SEG", "PRODUCT"}) and not describes(items, place)


def _other_measure(items: list[Item], begin: int, end: int) -> bool:
    """Another metric stands between: the segment is that one's."""
    return any(item.measure is not None for item in items[begin:end])


def _region(items: list[Item], begin: int, end: int) -> bool:
    """``in China``, ``in den USA``."""
    for at in range(begin + 1, end):
        if "REGION" in items[at].tags:
            before = items[at - 1]
            if before.low in ("in", "across", "outside", "within", "im", "außerhalb"):
                return True
            if at > 1 and "DET" in before.tags and items[at - 2].low in ("in", "across"):
                return True
    return False


def _invested_in(context: Context, slot: Slot) -> bool:
    """Money put into one project is not the company's capital expenditure."""
    if not (slot.metric == "capex" and slot.measure.verb):
        return False
    items = context.items
    for at in range(slot.clause.begin, slot.clause.end):
        if items[at].low in ("in", "ins", "für", "im", "into") and at + 1 < len(items):
            near = items[at + 1 : at + 3]
            if not any(item.kind == "period" for item in near):
                return True
    return not any(item.kind == "period" for item in items) and slot.mode == "guidance"


def _counts_users(context: Context, slot: Slot) -> bool:
    """Users that a service has, not those it won or lost; people only if they use something."""
    items, clause = context.items, slot.clause
    at = slot.value_at if slot.value_at >= 0 else slot.at
    near = items[max(clause.begin, min(at, slot.at) - 4) : min(clause.end, max(at, slot.at) + 3)]
    if slot.value is not None and any("LOSTVERB" in item.tags for item in near):
        return False
    if not slot.measure.weak:
        return True
    if items[slot.at].low in ("customers", "kunden", "clients"):
        return True
    return any("USECUE" in item.tags for item in items)
