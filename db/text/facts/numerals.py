"""Numbers as English and German sentences write them.

Number libraries were tried and fail on such text ("$115-135 billion" is read as 250 billion,
"59,9" as 59 and 9, "knapp" as a currency), hence a small grammar of our own, on `re` alone.
"""

from __future__ import annotations

import re

from db.text.facts.wordlists import listed

_EN = re.compile(r"\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,9})?|\d{1,15}(?:\.\d{1,9})?|\.\d{1,9}")
_DE = re.compile(r"\d{1,3}(?:[.']\d{3}){1,6}(?:,\d{1,9})?|\d{1,15}(?:,\d{1,9})?")
_DE_POINT = re.compile(r"\d{1,6}\.(?:\d{1,2}|\d{4,6})")

_EN_SCALES = {
    1e3: "thousand k",
    1e6: "million millions mln mn m mm mil mio",
    1e9: "billion billions bln bn b bil bio",
    1e12: "trillion trillions trn tn t tln",
    1e7: "crore crores",
    1e5: "lakh lakhs",
}
_DE_SCALES = {
    1e3: "tausend tsd t k",
    1e6: "million millionen mio mill mln mn m",
    1e9: "milliarde milliarden mrd md mia bn b",
    1e12: "billion billionen bio",
}
SCALES: dict[str, dict[str, float]] = {
    "en": {word: scale for scale, words in _EN_SCALES.items() for word in words.split()},
    "de": {word: scale for scale, words in _DE_SCALES.items() for word in words.split()},
}
SHORT_SCALES = frozenset("k m b t mm")
"""Scales that count only where they touch the number or follow a currency sign."""

_EN_WORDS = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen twenty"
)
_DE_WORDS = listed(
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn "
    "vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig"
)
_EN_TENS = {
    word: 30.0 + 10 * at
    for at, word in enumerate(listed("thirty forty fifty sixty seventy eighty ninety"))
}
_DE_TENS = {
    word: 30.0 + 10 * at
    for at, word in enumerate(
        listed("dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert")
    )
}
_DE_ONE = dict.fromkeys(listed("ein eine einer einen einem"), 1.0)
_DE_HALVES = {
    "anderthalb": 1.5, "eineinhalb": 1.5, "zweieinhalb": 2.5, "dreieinhalb": 3.5,
    "viereinhalb": 4.5, "fünfeinhalb": 5.5, "sechseinhalb": 6.5, "siebeneinhalb": 7.5,
    "achteinhalb": 8.5, "neuneinhalb": 9.5, "zehneinhalb": 10.5, "halbe": 0.5, "halben": 0.5,
    "dreiviertel": 0.75, "halber": 0.5,
}  # fmt: skip


def _german_compounds() -> dict[str, float]:
    """``einundzwanzig`` .. ``neunundneunzig``."""
    ones = ["ein", *_DE_WORDS[2:10]]
    tens = {"zwanzig": 20.0, **{word: value for word, value in _DE_TENS.items() if value < 100}}
    return {
        f"{one}und{ten}": value + at
        for ten, value in tens.items()
        for at, one in enumerate(ones, start=1)
    }


WORDS: dict[str, dict[str, float]] = {
    "en": {**{word: float(at) for at, word in enumerate(_EN_WORDS)}, **_EN_TENS},
    "de": {
        **{word: float(at) for at, word in enumerate(_DE_WORDS)},
        **_DE_TENS, **_DE_ONE, **_DE_HALVES, **_german_compounds(),
    },
}  # fmt: skip

FRACTIONS: dict[str, dict[str, float]] = {
    "en": {"third": 1 / 3, "thirds": 1 / 3, "quarter": 1 / 4, "quarters": 1 / 4, "fifth": 1 / 5,
           "fifths": 1 / 5, "sixth": 1 / 6, "tenth": 1 / 10, "eighth": 1 / 8, "half": 1 / 2},
    "de": {"drittel": 1 / 3, "viertel": 1 / 4, "fünftel": 1 / 5, "sechstel": 1 / 6,
           "zehntel": 1 / 10, "achtel": 1 / 8, "hälfte": 1 / 2, "siebtel": 1 / 7},
}  # fmt: skip


def value_of(digits: str, language: str) -> float | None:
    """The value of a written number, None if it is not one in that language."""
    pattern = _DE if language == "de" else _EN
    if pattern.fullmatch(digits):
        if language == "de":
            return float(digits.replace(".", "").replace("'", "").replace(",", "."))
        return float(digits.replace(",", ""))
    if language == "de" and _DE_POINT.fullmatch(digits):
        return float(digits)
    return None


def scaled(value: float, scale: float) -> float:
    """``value * scale`` rounded to what was written (59.9 x 1e9 is 59900000000)."""
    return float(f"{value * scale:.12g}")
