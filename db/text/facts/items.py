"""The items a sentence is made of, and the scanner that finds words, numbers and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["word", "number", "sign", "amount", "measure", "period"]
AmountKind = Literal["money", "percent", "points", "plain", "things", "users"]

_TOKEN = re.compile(
    r"\d+(?:[.,']\d+)*|(?<![\w.])\.\d+"
    r"|(?:[^\W\d_]\.){2,6}"
    r"|[^\W\d_]+(?:&[^\W\d_]+)*"
    r"|[^\w\s]|_"
)
# One character for one character, so that places in the cleaned text are those of the original.
_BLANKS = (
    "\u00a0\u202f\u2009\u2007\t\n\r\u200b\ufeff\u200e\u200f\u00ad\u00b9\u00b2\u00b3\u2074\u2075\u2076"
    "\u2077\u2078\u2079\u2070*\u2020\u2021\u00ae\u2122\u2026"
)  # odd spaces, direction marks, footnote signs
_QUOTES = "\u2019\u2018`\u00b4"
_PLAIN = str.maketrans(
    {
        **dict.fromkeys(_BLANKS, " "),
        **dict.fromkeys(_QUOTES, "'"),
        **dict.fromkeys("\u2212\u2010\u2011", "-"),
        "\u2012": "\u2013",
    }
)
_FOOTNOTE = re.compile(r"\[\d{1,2}\]|(?<=[a-z] )\d\)|\(\d\)(?=\s?[,.;:]|\s[a-zäöü])")


@dataclass(slots=True)
class Amount:
    """A quantity: ``low`` and ``high`` are scaled, percents are fractions."""

    low: float
    high: float
    kind: AmountKind
    unit: str = ""
    scale: float = 0.0  # 0 where none is written
    per_share: bool = False
    qualifier: Literal["about", "over", "under", ""] = ""
    sign: int = 0  # written + or -
    fraction: bool = False  # a word such as "third"
    vague: bool = False  # two-digit, no figure
    small: bool = False  # cents, pence


@dataclass(slots=True)
class Measure:
    """A mention of a metric (or of another measure, which swallows its figures)."""

    metric: str
    loss: bool = False
    move: int = 0  # the mention itself says up or down: "revenue growth"
    guide: bool = False  # of an outlook: "revenue forecast"
    expected: bool = False  # "revenue estimate"
    part: bool = False  # of a segment, product or region
    verb: bool = False  # "verdiente", "setzte um"
    weak: bool = False  # "people", which are users only if something says so
    earnings: bool = False
    company: str = ""
    at: int = 0  # its place among the items
    head: int = 0  # first item of its noun phrase
    period_hint: str = ""  # "quarter" or "year": "Quartalsumsatz"


@dataclass(slots=True)
class PeriodMention:
    """A stretch of time as written: see `periods`."""

    unit: Literal["Q", "FY", "H", "M", "month"]
    number: int = 0  # which quarter or half, months passed, or the month
    year: int = 0  # fiscal year as written, 0 where none is
    relative: int | None = None  # 0 the current one, -1 the last, 1 the next
    calendar: bool = False  # by calendar months: "the September quarter"


@dataclass(slots=True)
class Item:
    """One item with its place in the sentence."""

    kind: Kind
    text: str
    low: str
    begin: int
    end: int
    glued: bool = False  # no blank before it
    tags: frozenset[str] = field(default_factory=frozenset)
    amount: Amount | None = None
    measure: Measure | None = None
    period: PeriodMention | None = None


def plain(text: str) -> str:
    """``text`` with odd blanks, dashes, quotes and footnote marks made plain, of equal length."""
    cleaned = text.translate(_PLAIN)
    return _FOOTNOTE.sub(lambda found: " " * len(found.group()), cleaned)


def scan(sentence: str) -> list[Item]:
    """The words, numbers and signs of a cleaned sentence."""
    items: list[Item] = []
    last = -1
    for found in _TOKEN.finditer(sentence):
        text = found.group()
        first = text[0]
        kind: Kind = "number" if text[-1].isdigit() else "word" if first.isalpha() else "sign"
        low = text.lower()
        if kind == "word" and low.endswith("."):
            low = low.rstrip(".")
        items.append(Item(kind, text, low, found.start(), found.end(), found.start() == last))
        last = found.end()
    return items
