"""What the words before and after an amount make of it: its role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from db.text.facts.items import Item

Role = Literal["value", "previous", "consensus", "difference", "level", "none"]

_SKIPPED = {"DET", "ADV", "MOD", "TRANS", "ABOUT", "OVER", "UNDER"}
_COMPARING = {"BEAT", "MISS", "INLINE"}


@dataclass(slots=True)
class Cue:
    """The nearest governing word on the left: what it is, where, and what was passed over."""

    name: str
    at: int
    consensus: bool = False
    previous: bool = False
    own: bool = False  # the company's own outlook is named


def left_cue(items: list[Item], at: int, begin: int) -> Cue:
    """The governing word of the amount at ``at``, looking back to ``begin``."""
    cue = Cue("start", begin)
    place = at - 1
    while place >= begin:
        item = items[place]
        tags = item.tags
        name = _name(item)
        if name == "" and item.kind == "period":
            place -= 1
            continue
        if "CONS" in tags or "OTHERS" in tags:
            cue.consensus = True
            place -= 1
            continue
        if "GUIDENOUN" in tags and name == "":
            cue.own = True
            place -= 1
            continue
        if "PREV" in tags and name == "":
            cue.previous = True
            place -= 1
            continue
        if name in _BEFORE_PERIODS and _leads_to_period(items, place):
            place -= 1
            continue
        if name == "" and (tags & _SKIPPED or item.low in ("'s", "zwischen", "between", ":")):
            place -= 1
            continue
        cue.name, cue.at = name or "unknown", place
        return cue
    return cue


_BEFORE_PERIODS = {"in", "von", "vs", "from", "at", "for"}


def _leads_to_period(items: list[Item], at: int) -> bool:
    for item in items[at + 1 : at + 4]:
        if item.kind == "period" or "PREV" in item.tags:
            return True
        if not item.tags & {"DET", "MOD", "IN", "PREV"}:
            return False
    return False


_NAMES = (
    ("BY", "by"), ("FROM", "from"), ("OF", "of"), ("VON", "von"), ("THAN", "than"), ("VS", "vs"),
)  # fmt: skip
_LATER = (
    ("TOPPED", "topped"),
    ("TO", "to"),
    ("AT", "at"),
    ("WITH", "with"),
    ("OR", "or"),
    ("IN", "in"),
)


_BARE = {"for": "for", ":": "", "'s": ""}


_KINDS = {"measure": "measure", "amount": "amount", "period": ""}


def _name(item: Item) -> str:
    """The cue that an item is, empty where it only stands between."""
    if item.kind in _KINDS:
        return _KINDS[item.kind]
    if item.low in (",", "(", "="):
        return "start"
    tags = item.tags
    if not tags:
        return _BARE.get(item.low, "unknown")
    for tag, name in _NAMES:
        if tag in tags:
            return name
    if tags & _COMPARING:
        return "compared"
    for tag, name in _LATER:
        if tag in tags:
            return name
    return _loose_name(tags)


def _loose_name(tags: frozenset[str]) -> str:
    """Verbs and words of change lead to a value as well, if nothing better does."""
    if tags & {"BE", "VERB", "FLAT"}:
        return "changed" if tags & {"UP", "DOWN"} else "verb"
    if tags & {"UP", "DOWN"}:
        return "changenoun"
    if "MAYBE_GUIDE" in tags and "CONS" not in tags:
        return "verb"
    if "CONJ" in tags or "REL" in tags:
        return "start" if "DET" not in tags else ""
    if tags & {"CONS", "OTHERS", "PREV", "GUIDENOUN"} or tags & _SKIPPED:
        return ""
    return "unknown"


def expected_after(items: list[Item], at: int, end: int, *, guidance: bool = False) -> bool:
    """``$5.25 expected``, ``EUR 6.2 billion analysts had forecast``, ``in a consensus``."""
    place = at + 1
    determined = False
    while place < min(end, at + 4):
        item = items[place]
        if item.measure is not None and not item.measure.expected:
            place += 1
            continue
        if item.measure is not None:
            return True
        if "GUIDE" in item.tags and guidance:
            return False
        if item.tags & {"CONS", "OTHERS"} or item.low == "forecast":
            return not determined or "OTHERS" in item.tags
        determined = determined or "DET" in item.tags
        if item.low in ("that", "which", "laut") or "IN" in item.tags:
            determined = determined and "IN" not in item.tags
            place += 1
            continue
        if not item.tags & {"DET", "ADV"} and item.low not in ("company", "compiled"):
            return False
        place += 1
    return False


def previous_after(items: list[Item], at: int, end: int) -> bool:
    """``66 cents a year ago``, ``3,1 Milliarden im Vorjahr``."""
    for item in items[at + 1 : min(end, at + 5)]:
        if "PREV" in item.tags:
            return True
        if not item.tags & {"IN", "DET", "ADV", "MOD"} and item.low not in ("for", "the"):
            return False
    return False


def own_after(items: list[Item], at: int, end: int) -> bool:
    """``the $2 billion management had promised``."""
    words = [item.low for item in items[at + 1 : min(end, at + 5)]]
    return words[:1] == ["management"] or bool(_OWN & set(words))


_OWN = {"promised", "targeted", "guided", "versprochenen", "versprochen"}
