"""Which words and phrases a language knows, and what they do (their tags).

The tags name roles, not parts of speech: ``TO`` and ``AT`` lead to a value, ``FROM`` and ``VS`` to
what it is compared with, ``BY`` to a difference, ``BEAT``/``MISS``/``INLINE`` to an expectation,
``CONS`` and ``OTHERS`` are expectations and those who hold them, ``GUIDE`` and ``GUIDENOUN`` a
company's own outlook, ``CONT`` begins a piece after a comma that belongs to the clause before it,
``SEG``/``PRODUCT``/``REGION`` are parts of a company.  The lists are in ``data``, one file a
language: sections ``[tags]`` or ``[= metric flags]`` with phrases parted by ``|``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Entry:
    """One phrase: its tags and, if it names a measure, the metric with its flags."""

    words: tuple[str, ...]
    tags: frozenset[str]
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All phrases of a language, by their first word, longest first."""

    language: str
    phrases: dict[str, tuple[Entry, ...]]

    def longest(self, words: list[str], at: int) -> Entry | None:
        """The longest phrase that begins with ``words[at]``."""
        for entry in self.phrases.get(words[at], ()):
            size = len(entry.words)
            if size == 1 or tuple(words[at : at + size]) == entry.words:
                return entry
        return None


@lru_cache(maxsize=4)
def lexicon(language: str) -> Lexicon:
    """The lexicon of ``en`` or ``de``."""
    tags: dict[tuple[str, ...], set[str]] = {}
    metrics: dict[tuple[str, ...], str] = {}
    for section, words in _phrases(language):
        if section.startswith("= "):
            tags.setdefault(words, set())
            metrics.setdefault(words, section[2:])
        else:
            tags.setdefault(words, set()).update(section.split())
    grouped: dict[str, list[Entry]] = {}
    for words, found in tags.items():
        entry = Entry(words, frozenset(found), metrics.get(words, ""))
        grouped.setdefault(words[0], []).append(entry)
    ordered = {
        first: tuple(sorted(entries, key=lambda one: -len(one.words)))
        for first, entries in grouped.items()
    }
    return Lexicon(language, ordered)


def _phrases(language: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Section and words of every phrase in a language's file."""
    text = files(__package__).joinpath("data", f"{language}.txt").read_text(encoding="utf-8")
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line[1:-1]
        elif line and not line.startswith("#"):
            for phrase in line.split("|"):
                # signs stand as words of their own among the items
                words = tuple(phrase.replace("/", " / ").split())
                if words:
                    yield section, words
