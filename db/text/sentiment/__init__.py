"""How a text sounds, from -1 to 1; off unless asked for.

``lexicon`` counts words: those of Loughran and McDonald in English, a small list of our own in
German.  ``package.module:function`` is a function of one's own, called with (text, language).
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable
from numbers import Real
from pathlib import Path

from db.errors import DataError, UsageError, did_you_mean

Sentiment = Callable[[str, str], float | None]
"""(text, language) -> a score from -1 to 1, or None for no opinion."""
WORDS = ("off", "lexicon")


def scorer(wanted: str) -> Sentiment | None:
    """The function for ``off`` (None), ``lexicon`` or ``package.module:function``.

    UsageError: none of these, or a function that is not there.  MissingExtraError: the English
    lexicon is not installed.
    """
    if wanted in ("", "off"):
        return None
    if wanted == "lexicon":
        from db.text.sentiment.english import load
        from db.text.sentiment.english import score as english
        from db.text.sentiment.german import score as german

        load()  # says what is missing before anything is read
        by_language: dict[str, Callable[[str], float | None]] = {"en": english, "de": german}
        return lambda text, language: by_language.get(language, _none)(text)
    if ":" not in wanted:
        raise UsageError(
            f"no such way to score: {wanted!r}",
            where="--sentiment",
            hint=did_you_mean(wanted, (*WORDS, "package.module:function"), kind="way"),
        )
    return _checked(_function(wanted), wanted)


def _none(_: str) -> None:
    return None


def _function(wanted: str) -> Sentiment:
    """A function by its name; modules in the current folder are found as well."""
    module, _, name = wanted.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{wanted!r} cannot be loaded: {error}",
            where="--sentiment",
            hint="package.module:function, importable from here",
        ) from error
    if not callable(function):
        raise UsageError(f"{wanted!r} is no function", where="--sentiment")
    made: Sentiment = function
    return made


def _checked(function: Sentiment, name: str) -> Sentiment:
    def score(text: str, language: str) -> float | None:
        value = function(text, language)
        if value is None:
            return None
        # A model's NaN or percentage would spoil every mean it gets into.
        if not isinstance(value, Real) or not math.isfinite(value) or not -1 <= value <= 1:
            raise DataError(
                f"it answered {value!r:.60}", where=name, hint="a number from -1 to 1, or None"
            )
        return float(value)

    return score
