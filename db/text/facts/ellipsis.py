"""How a clause looks that leaves its metric out, since the one before it has named it."""

from __future__ import annotations

from itertools import pairwise

from db.text.facts.items import Item

HEARSAY = {
    "meldung",
    "meldungen",
    "bericht",
    "berichte",
    "behauptung",
    "vorwurf",
    "gerücht",
    "report",
    "reports",
    "claim",
    "claims",
    "allegation",
    "darstellung",
}
"""Nouns whose "that" clause is told by somebody else."""


def name_and_amount(words: list[Item]) -> bool:
    """``..., Henkel auf 20,5 Milliarden``: another company, the rest left out."""
    at = 0
    while at < len(words) and at < 4 and not words[at].tags and words[at].text[:1].isupper():
        at += 1
    if not at or at + 1 >= len(words):
        return False
    return bool(words[at].tags & {"TO", "AT"}) and words[at + 1].amount is not None


def name_then_amount(words: list[Item]) -> bool:
    """``..., American Express $4.02``: the verb is left out as well."""
    rest = [item for item in words if item.kind != "sign"]
    if len(rest) < 2 or rest[-1].amount is None or rest[-1].amount.kind != "money":
        return False
    return all(
        item.kind == "word" and not item.tags and item.text[:1].isupper() for item in rest[:-1]
    )


def comes_to(words: list[Item]) -> bool:
    """``Konkurrent Boeing kam auf ...``."""
    if any(item.low == "came in" and one.low in ("at", "mit") for item, one in pairwise(words)):
        return True
    return any(
        item.low in ("kam", "kommt", "kamen")
        and any("TO" in one.tags for one in words[at + 1 : at + 3])
        for at, item in enumerate(words)
    )


def possessive(words: list[Item]) -> bool:
    """``Meta's climbed 26%``."""
    for at, item in enumerate(words[:-1]):
        if item.low == "'s" and at:
            moves = words[at + 1].tags & {"VERB", "BE"} or words[at + 1].amount is not None
            return bool(moves) and words[at - 1].text[0].isupper()
    return False


def pronoun(words: list[Item]) -> bool:
    for at, item in enumerate(words):
        if "PRONOUN" in item.tags:
            near = words[max(0, at - 2) : at] + words[at + 1 : at + 3]
            if any(one.tags & {"BE", "UP", "DOWN"} and "VERB" in one.tags for one in near):
                return True
    return False


def explains(items: list[Item], at: int) -> bool:
    """``what it earns on loans`` explains something, it tells no result."""
    if at < 2 or items[at - 2].low not in ("what", "how"):
        return False
    return "PRONOUN" in items[at - 1].tags
