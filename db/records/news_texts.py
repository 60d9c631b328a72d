"""Whether two texts are one: headlines by their words, bodies by their runs of three words.

Comparing every item with every other would take minutes for a day of news, so both are found
through keys that alike texts share: the rarer words of a headline (prefix filtering, Bayardo, Ma
and Srikant 2007), bands of a MinHash of a body (Broder 1997).  What shares a key is then compared
exactly, so that chance decides nothing but, once in 50,000, a reprint that is not found.
"""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

ALIKE = 0.8
"""Share of words that two headlines have in common at the least."""
REPRINTED = 0.75
"""Share of runs of words that two bodies have in common at the least."""
FEWEST_TITLE_WORDS = 5
FEWEST_BODY_WORDS = 40
"""Below this a body is a teaser, and teasers are alike."""
READ_UP_TO = 20_000
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_RUN = 3
_BANDS, _ROWS = 20, 3
_ADDED_NUMBERS = 2

Hashes = npt.NDArray[np.uint64]

_dice = np.random.default_rng(20_240_601)
_FACTORS = _dice.integers(0, 2**63, size=_BANDS * _ROWS, dtype=np.uint64) * 2 + 1
_SHIFTS = _dice.integers(0, 2**63, size=_BANDS * _ROWS, dtype=np.uint64)


def words_of(text: str) -> list[str]:
    """Words and numbers in lower case, without punctuation."""
    return _WORD.findall(text.casefold())


@dataclass(frozen=True)
class Title:
    """A headline by its key (`words_of`, joined by blanks)."""

    key: str

    @cached_property
    def words(self) -> frozenset[str]:
        return frozenset(self.key.split())

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(word for word in self.words if word[0].isdigit())

    def keys(self, frequency: Mapping[str, int]) -> Iterator[Hashable]:
        """What every headline that is alike shares at least one of, given the same frequencies.

        Of two that share four fifths of their words, the rarest fifth and one more meet.
        """
        size = len(self.words)
        if size < FEWEST_TITLE_WORDS:
            return
        rarest = sorted(self.words, key=lambda word: (frequency.get(word, 0), word))
        for word in rarest[: size - math.ceil(ALIKE * size) + 1]:
            yield self.numbers, word

    def is_like(self, other: Title) -> bool:
        """Four fifths of the words, and all of the numbers: Q3 is not Q4."""
        a, b = self.words, other.words
        if min(len(a), len(b)) < FEWEST_TITLE_WORDS or self.numbers != other.numbers:
            return False
        return len(a & b) >= ALIKE * len(a | b)


@dataclass(frozen=True)
class Body:
    """A text by its runs of words, sorted hashes, and its numbers."""

    runs: Hashes
    numbers: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Body | None:
        """None for a text too short to be told from another."""
        words = words_of(text[:READ_UP_TO])
        if len(words) < FEWEST_BODY_WORDS:
            return None
        codes = np.array([zlib.crc32(word.encode()) for word in words], dtype=np.uint64)
        hashes = codes[: len(codes) - _RUN + 1].copy()
        for step in range(1, _RUN):
            following = codes[step : len(codes) - _RUN + 1 + step]
            hashes = _mixed(hashes) + following
        return cls(np.unique(_mixed(hashes)), frozenset(w for w in words if w[0].isdigit()))

    def keys(self) -> Iterator[Hashable]:
        """Bands of the MinHash; texts that are one share at least one, but for 1 in 50,000."""
        drawn = (self.runs[:, None] * _FACTORS[None, :] + _SHIFTS[None, :]) >> np.uint64(20)
        least = drawn.min(axis=0).reshape(_BANDS, _ROWS)
        for band, row in enumerate(least):
            yield band, row.tobytes()

    def is_like(self, other: Body) -> bool:
        """The same text, perhaps with a note of the paper that reprints it.

        Figures may be added, two or a fifth of them, but not exchanged: reports by template differ
        in nothing else.
        """
        mine, theirs = self.numbers - other.numbers, other.numbers - self.numbers
        fewer, more = sorted((len(mine), len(theirs)))
        every = len(self.numbers | other.numbers)
        if fewer > every // 20 or more > max(_ADDED_NUMBERS, every // 5):
            return False
        common = np.intersect1d(self.runs, other.runs, assume_unique=True).size
        return bool(common >= REPRINTED * (len(self.runs) + len(other.runs) - common))


def _mixed(values: Hashes) -> Hashes:
    """Hashes spread over all 64 bits (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
