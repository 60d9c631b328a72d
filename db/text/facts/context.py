"""One sentence with what is known of its article."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date

from db.text.facts.clauses import Clause
from db.text.facts.companies import Name, names
from db.text.facts.items import Item
from db.text.facts.resolving import resolve
from db.text.facts.scope import settle
from db.text.facts.splitting import Splitter

_WORD = re.compile(r"[^\W\d_]{3}")
_GATE = re.compile(
    r"\d|doubl|tripl|quadrupl|halv|verdopp|verdreif|halbier|vervier|million|milliard|billion|"
    r"third|half|quarter|drittel|viertel|percent|prozent|aktie|papier|titel|shares|stock",
    re.IGNORECASE,
)


def worth_reading(sentence: str) -> bool:
    """Whether a sentence can hold a figure or a reaction at all."""
    return _WORD.search(sentence) is not None and _GATE.search(sentence) is not None


@dataclass
class Context:
    """One sentence and what is known of its article."""

    items: list[Item]
    language: str
    published: date
    fiscal_year_end: int
    currency: str
    text: str
    begin: int
    end: int
    clauses: list[Clause] = field(init=False)
    names: list[Name] = field(init=False)
    silent: bool = field(init=False)

    def __post_init__(self) -> None:
        settle(self.items, self.language)
        self.clauses = Splitter(self.items, self.language).split()
        resolve(self.clauses, self.items, self.language)
        self.names = names(self.items, self.language)
        self.silent = bool(self.items) and (
            self.items[-1].low == "?"
            or any(item.tags & {"RUMOR", "SENTVOID"} for item in self.items)
            or _hearsay(self.items)
        )


def _hearsay(items: list[Item]) -> bool:
    """German ``soll ... erzielt haben``: said by others of the past."""
    low = [item.low for item in items]
    return ("soll" in low or "sollen" in low) and any(
        one in ("haben", "sein") and at and items[at - 1].kind in ("word", "measure")
        and (low[at - 1].startswith("ge") or low[at - 1].endswith(("t", "en")))
        for at, one in enumerate(low)
    )  # fmt: skip
