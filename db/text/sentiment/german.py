"""German by a small list of stems of our own: a few hundred beginnings of words of business news.

Its limits: it knows negations and that falling costs are good, and no more of a sentence; no irony;
and it was checked on a handful of headlines alone.  Use it to sort, not to measure.
"""

from __future__ import annotations

import csv
import re
from functools import cache, lru_cache
from importlib import resources

READ_UP_TO = 100_000
_REACH = 4
"""Words after a negation that it turns."""
_BACK = 2
"""Words before "nicht" that it turns: der Umsatz stieg nicht."""
_WORD = re.compile(r"[a-zäöüß]+")
_TURNING = "nicht nie niemals kein keine keinen keinem keiner keines ohne kaum weder"
_NEGATIONS = frozenset(_TURNING.split())
_FOLLOWING = ("nicht", "kaum")
_BAD = re.compile(r"verlust|kosten|schuld|inflation|defizit|fehlbetr|arbeitslos|ausfäll|insolvenz")
_MOVING = re.compile(
    r"(?:an|ge|ab|zu)*(?:stieg|steig|sink|sank|sunken|fiel|fäll|fallen|kletter|wuchs|wächst|wachs|"
    r"nommen|nahm|leg|schrumpf|verringer|reduzier|senk|halbier|verdoppel|verdreifach)"
)
_NEAR = 2
"""Words between something bad and the move that it makes: Verluste sind gestiegen."""
_CLAUSES = re.compile(r"[.!?;:,]\s")
_SHORTEST_HEAD = 3
_LONGEST_STEM, _LONGEST_WORD = 24, 40


def score(text: str) -> float | None:
    """(positive - negative) / (positive + negative) words; None where there is neither.

    A word counts by the longest stem that it begins with, or, for stems that end compounds
    (Umsatz-einbruch), contains.  A negation turns what stands near it in the same clause.
    """
    moods = [
        mood
        for clause in _CLAUSES.split(text[:READ_UP_TO].lower())
        for mood in _moods(_WORD.findall(clause))
    ]
    good, bad = moods.count(1), moods.count(-1)
    return (good - bad) / (good + bad) if good + bad else None


def _moods(words: list[str]) -> list[int]:
    moods = [0 if word in _NEGATIONS else _mood(word) for word in words]
    for at in [at for at, word in enumerate(words) if _BAD.search(word)]:
        # What is bad is worse when it grows, and good when it shrinks.
        near = range(max(0, at - _NEAR), min(len(words), at + _NEAR + 1))
        moves = [i for i in near if i != at and moods[i] and _MOVING.match(words[i])]
        if moves:
            moods[at] = 0
            for i in moves:
                moods[i] = -moods[i]
    turned: set[int] = set()
    for at, word in enumerate(words):
        if word in _NEGATIONS:
            before = [i for i in range(max(0, at - _BACK), at) if moods[i]]
            if before and word in _FOLLOWING:
                turned.update(before)
            else:
                turned.update(range(at + 1, at + 1 + _REACH))
    return [-mood if at in turned else mood for at, mood in enumerate(moods)]


def size() -> int:
    """How many stems the list has."""
    begins, heads = _stems()
    return len(begins) + len(heads)


@lru_cache(maxsize=50_000)
def _mood(word: str) -> int:
    begins, heads = _stems()
    for length in range(min(len(word), _LONGEST_STEM), 2, -1):
        mood = begins.get(word[:length])
        if mood is not None and _is_inflected(word, length):
            return mood
    for head in _heads_in(word):
        return heads[head]
    return 0


def _is_inflected(word: str, length: int) -> bool:
    """Whether what follows a stem is an ending; short stems would begin half of the dictionary."""
    return length >= 6 or len(word) - length <= 4


def _heads_in(word: str) -> list[str]:
    """Stems of compounds in a word, the last first: an Umsatzeinbruch is an Einbruch."""
    _, heads = _stems()
    places = range(len(word) if len(word) <= _LONGEST_WORD else 0)
    found = [
        (begin, word[begin:end])
        for begin in places
        if begin == 0 or begin >= _SHORTEST_HEAD
        for end in range(begin + 4, min(len(word), begin + _LONGEST_STEM) + 1)
        if word[begin:end] in heads
    ]
    return [head for _, head in sorted(found, reverse=True)]


@cache
def _stems() -> tuple[dict[str, int], dict[str, int]]:
    """Stems that begin a word, and those that may also end a compound, with 1 or -1."""
    begins: dict[str, int] = {}
    heads: dict[str, int] = {}
    text = resources.files("db.text").joinpath("data/finance_de.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        for stem in row["stems"].split():
            target = heads if stem.startswith("*") else begins
            for spelled in _spelled(stem.removeprefix("*")):
                target[spelled] = int(row["mood"])
    return begins, heads


def _spelled(stem: str) -> tuple[str, ...]:
    """``übertr?ff`` stands for the two vowels of a verb that changes them."""
    return (stem.replace("?", "e"), stem.replace("?", "i")) if "?" in stem else (stem,)
