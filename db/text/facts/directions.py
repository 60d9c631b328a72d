"""Up or down: what the words around a percentage say."""

from __future__ import annotations

from db.text.facts.items import Item

_RISING_ENDS = ("zu", "aus", "an", "hoch", "aufwärts", "hinzu", "nach oben", "empor")
_FALLING_ENDS = ("zurück", "ab", "nach", "ein", "runter", "abwärts", "nach unten", "tiefer")
_NEAR = {
    "more than": 1,
    "more": 1,
    "less than": -1,
    "less": -1,
    "fewer than": -1,
    "fewer": -1,
    "higher than": 1,
    "lower than": -1,
    "higher": 1,
    "lower": -1,
    "mehr": 1,
    "höher": 1,
    "über": 1,
    "mehr als": 1,
    "weniger": -1,
    "niedriger": -1,
    "unter": -1,
    "weniger als": -1,
    "fester": 1,
    "leichter": -1,
    "im plus": 1,
    "tiefer": -1,
}


def direction(items: list[Item], at: int, begin: int, end: int, language: str) -> int:
    """1 up, -1 down, 0 not said, for the percentage at ``at`` of the piece ``begin`` to ``end``."""
    after = _sign(items, range(at + 1, min(end, at + 4)), end)
    if after and begin >= at - 1:
        return after
    nearby = items[at + 1] if at + 1 < end else None
    if nearby is not None and nearby.low in _NEAR:
        return _NEAR[nearby.low]
    if language == "de":
        near = _separable(items, at, begin, end)
        if near:
            return near
    before = _sign(items, range(at - 1, begin - 1, -1), end)
    return before or after or _sign(items, range(at + 1, end), end, verbs=True)


def _sign(items: list[Item], places: range, end: int, *, verbs: bool = False) -> int:
    for place in places:
        item = items[place]
        if item.measure is not None and item.measure.move:
            return item.measure.move
        if verbs and (item.amount is not None or "VERB" not in item.tags):
            continue
        if item.tags & {"BEAT", "MISS"}:
            following = items[place + 1 : min(end, place + 5)]
            if any("PREV" in one.tags for one in following):
                return 1 if "BEAT" in item.tags else -1
            continue
        if item.low in _PARTICLES and not _final(items, place, end):
            continue
        if item.tags & {"UP", "DOWN"}:
            return 1 if "UP" in item.tags else -1
    return 0


_PARTICLES = {"zu", "hoch", "nach", "ab", "ein"}


def _final(items: list[Item], at: int, end: int) -> bool:
    """Whether a particle ends its piece."""
    return at >= end - 1 or items[at + 1].kind == "sign"


def _separable(items: list[Item], at: int, begin: int, end: int) -> int:
    """``legte ... zu``, ``ging ... zurück``, and what stands right behind the percentage."""
    moves = any("VERB" in item.tags and item.tags & {"UP", "DOWN"} for item in items[begin:at])
    if not moves:
        return 0
    last = end - 1
    while last > at and items[last].kind == "sign":
        last -= 1
    if items[last].low in _RISING_ENDS:
        return 1
    return -1 if items[last].low in _FALLING_ENDS else 0
