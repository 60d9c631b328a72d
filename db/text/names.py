"""Which instruments a text names: how each was found, and how sure that is.

Precision comes first: a name that is also a word (Target, Gap, Apple) counts only where the
sentence speaks of business or the company is named beyond doubt elsewhere in the text.  What the
title names is what an item is about; companies mentioned further down are less sure.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from db.batches import FoundLink
from db.text import name_rules as rules

READ_UP_TO = 200_000
LEAD = 400
"""Characters at the beginning of a text in which its subject is named."""
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ„\"“])|\n")
_WORD = re.compile(r"[^\W_]+")
_WIDEST = 300

_LISTED, _ISIN, _TAGGED, _BESIDE, _BRACKETED, _TRADED = 0.99, 0.99, 0.95, 0.97, 0.85, 0.85
_FULL, _CLEAR, _PARENT, _COMMON, _UNKNOWN_TAG = 0.95, 0.9, 0.9, 0.85, 0.6
_PASSING, _OFTEN, _BESIDES = 0.7, 0.85, 0.75
_OFTEN_ENOUGH = 3


@dataclass(frozen=True)
class _Spelling:
    """One way to write a company; ``common`` ones are also ordinary words."""

    text: str
    symbol: str
    how: str
    common: bool = False


@dataclass(frozen=True)
class _Sighting:
    """One place where an instrument seems to be named; ``weak`` ones need support."""

    symbol: str
    how: str
    confidence: float
    begin: int
    weak: bool = False


@dataclass(frozen=True)
class _Packaged:
    spellings: tuple[_Spelling, ...]
    unless: Mapping[str, re.Pattern[str]]
    isins: Mapping[str, str]
    also: Mapping[str, tuple[str, ...]]
    year_ends: Mapping[str, int]


class NameTable:
    """The packaged names, and those of a store's instruments (symbol -> name).

    Where the store knows a company by another of its symbols (GOOG for GOOGL), links carry that.
    """

    def __init__(self, instruments: Mapping[str, str] | None = None) -> None:
        own = dict(instruments or {})
        table = _packaged()
        self._unless, self._isins = table.unless, table.isins
        self._alias = _same(table.also, own)
        self._symbols = {one.symbol for one in table.spellings} | set(own)
        packaged = {one.text.casefold() for one in table.spellings}
        spellings = list(table.spellings)
        for symbol, name in sorted(own.items()):
            text = rules.spoken(name or "")
            if len(text) >= 3 and text.casefold() not in packaged:
                packaged.add(text.casefold())
                spellings.append(_Spelling(text, symbol, "name", common=" " not in text))
        self._by_word: dict[str, list[_Spelling]] = defaultdict(list)
        for spelling in sorted(spellings, key=lambda one: -len(one.text)):
            first = _WORD.search(spelling.text)
            if first is not None:
                self._by_word[first[0].casefold()].append(spelling)

    def find(self, title: str, body: str = "") -> list[FoundLink]:
        """Instruments that an item names, the surest first; one link each.

        ``how`` is ``ticker``, ``isin``, ``name``, ``alias`` or ``parent``.  A title that is
        nothing but a name is that company.
        """
        alone = self._alone(title)
        if alone is not None and not body:
            return [alone]
        body = body[:READ_UP_TO]
        above, below = list(self._sightings(title)), list(self._sightings(body))
        sure = {one.symbol for one in (*above, *below) if not one.weak}
        best: dict[str, FoundLink] = {}
        named = {one.symbol for one in above if not one.weak or one.symbol in sure}
        mentions: dict[str, int] = defaultdict(int)
        for one in below:
            mentions[one.symbol] += 1
        for place, sightings in (("title", above), ("body", below)):
            for one in sightings:
                if one.weak and one.symbol not in sure:
                    continue
                confidence = one.confidence
                if place == "body":
                    confidence *= _weight(one, named, mentions[one.symbol])
                symbol = self._alias.get(one.symbol, one.symbol)
                if symbol not in best or best[symbol].confidence < round(confidence, 3):
                    best[symbol] = FoundLink(symbol, one.how, round(confidence, 3))
        return sorted(best.values(), key=lambda one: (-one.confidence, one.symbol))

    def _alone(self, title: str) -> FoundLink | None:
        words = _WORD.findall(title.casefold())
        for spelling in self._by_word.get(words[0], ()) if words else ():
            if rules.spoken(title.strip()).casefold() == spelling.text.casefold():
                symbol = self._alias.get(spelling.symbol, spelling.symbol)
                return FoundLink(symbol, spelling.how, _COMMON if spelling.common else _FULL)
        return None

    def _sightings(self, text: str) -> Iterator[_Sighting]:
        named = list(self._named(text))
        yield from named
        yield from self._tickers(text, named)

    def _named(self, text: str) -> Iterator[_Sighting]:
        end = 0
        for word in _WORD.finditer(text):
            if word.start() < end:
                continue
            for spelling in self._candidates(word[0].casefold()):
                stop = _stop(text, word.start(), spelling)
                if stop is None:
                    continue
                sighting = self._judged(text, word.start(), stop, spelling)
                if sighting is not None:
                    end = stop
                    yield sighting
                    break

    def _candidates(self, word: str) -> Iterator[_Spelling]:
        yield from self._by_word.get(word, ())
        if word.endswith("s"):  # the German genitive: Teslas Umsatz
            yield from self._by_word.get(word[:-1], ())

    def _judged(self, text: str, begin: int, stop: int, spelling: _Spelling) -> _Sighting | None:
        if spelling.how == "parent":
            said = rules.PARENT.match(text, stop)
            return _Sighting(spelling.symbol, "parent", _PARENT, begin) if said else None
        if rules.LIKE.match(text, stop) or rules.UNLIKE.search(text[max(0, begin - 8) : begin]):
            return None
        sentence = _sentence(text, begin, stop)
        unless = self._unless.get(spelling.symbol)
        if unless is not None and unless.search(sentence):
            return None
        if spelling.symbol in rules.BROKERS and rules.BROKING.search(sentence):
            return None
        if not spelling.common:
            confidence = _FULL if spelling.how == "name" else _CLEAR
            return _Sighting(spelling.symbol, spelling.how, confidence, begin)
        tied = rules.TIED.match(text, stop) is not None
        if text[stop : stop + 1] == "-" and not tied:
            return None
        speaks = tied or rules.BUSINESS.search(sentence) is not None
        return _Sighting(spelling.symbol, spelling.how, _COMMON, begin, weak=not speaks)

    def _tickers(self, text: str, named: list[_Sighting]) -> Iterator[_Sighting]:
        for match in rules.LISTED.finditer(text):
            for symbol in rules.TICKER.findall(match["symbols"]):
                yield _Sighting(symbol, "ticker", _LISTED, match.start())
        for match in rules.CASHTAG.finditer(text):
            symbol = match["symbol"]
            if symbol not in rules.MONEY:
                known = symbol in self._symbols
                yield _Sighting(symbol, "ticker", _TAGGED if known else _UNKNOWN_TAG, match.start())
        for match in rules.BRACKETED.finditer(text):
            symbol = match["symbol"]
            beside = any(
                one.symbol == symbol and 0 < match.start() - one.begin <= 60 for one in named
            )
            if beside:
                yield _Sighting(symbol, "ticker", _BESIDE, match.start())
            elif self._is_ticker(symbol) and _follows_a_name(text, match.start()):
                yield _Sighting(symbol, "ticker", _BRACKETED, match.start())
        for match in rules.TRADED.finditer(text) if not text.isupper() else ():
            if self._is_ticker(match["symbol"]):
                yield _Sighting(match["symbol"], "ticker", _TRADED, match.start())
        for match in rules.ISIN.finditer(text):
            if match["isin"] in self._isins:
                yield _Sighting(self._isins[match["isin"]], "isin", _ISIN, match.start())

    def _is_ticker(self, symbol: str) -> bool:
        return symbol in self._symbols and symbol not in rules.NOT_TICKERS and len(symbol) >= 3


def _weight(one: _Sighting, named: set[str], mentions: int) -> float:
    """How much a mention in the body counts: companies of the title are what it is about."""
    if one.symbol in named:
        return 1.0
    if named:
        return _BESIDES if mentions >= _OFTEN_ENOUGH else _PASSING
    if one.begin <= LEAD:
        return 0.95
    return _OFTEN if mentions >= _OFTEN_ENOUGH else _PASSING


def _stop(text: str, begin: int, spelling: _Spelling) -> int | None:
    """Where a spelling that begins here ends; None if it is not written here.

    Names are written as they are, or in capitals: "target" is no company.
    """
    # A spelling may begin with a sign, such as a quotation mark, before its first word.
    stop = begin + len(spelling.text)
    found = text[begin:stop]
    if found not in (spelling.text, spelling.text.upper()):
        return None
    if begin and (text[begin - 1].isalnum() or text[begin - 1] in "_@#$"):
        return None
    if begin > 1 and text[begin - 1] in ".,:" and text[begin - 2].isdigit():
        return None  # 1.3M shares are not 3M
    if text[stop : stop + 2] in ("'s", "\u2019s"):
        return stop if not text[stop + 2 : stop + 3].isalnum() else None
    following = text[stop : stop + 1]
    if following == "s" and not spelling.common and not text[stop + 1 : stop + 2].isalnum():
        return stop
    return None if following.isalnum() or following == "_" else stop


def _sentence(text: str, begin: int, stop: int) -> str:
    before = text[max(0, begin - _WIDEST) : begin]
    after = text[stop : stop + _WIDEST]
    breaks = [match.end() for match in _SENTENCE.finditer(before)]
    ending = _SENTENCE.search(after)
    head = before[breaks[-1] if breaks else 0 :]
    return head + text[begin:stop] + after[: ending.start() if ending else len(after)]


def _follows_a_name(text: str, begin: int) -> bool:
    """Whether the word before a bracket is written like a name."""
    words = _WORD.findall(text[max(0, begin - 40) : begin])
    return bool(words) and words[-1][0].isupper()


def _same(also: Mapping[str, tuple[str, ...]], own: Mapping[str, str]) -> dict[str, str]:
    """For symbols that the store lacks: the one of the same company that it has."""
    mapping = {}
    for symbol, others in also.items():
        family = (symbol, *others)
        kept = next((one for one in family if one in own), None)
        if kept is not None:
            mapping.update({one: kept for one in family if one not in own})
    return mapping


def fiscal_year_end(symbol: str) -> int:
    """The month in which a well-known company's fiscal year ends; December for all others."""
    return _packaged().year_ends.get(symbol, 12)


@cache
def _packaged() -> _Packaged:
    spellings: dict[tuple[str, str], _Spelling] = {}
    unless, isins, also, year_ends = {}, {}, {}, {}
    text = resources.files("db.text").joinpath("data/companies.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        symbol = row["symbol"]
        for how, field in (("name", "name"), ("alias", "aliases"), ("parent", "makes")):
            for said in filter(None, row[field].split("|")):
                common, words = said.endswith("?"), said.removesuffix("?")
                spellings[words, "parent" if how == "parent" else ""] = _Spelling(
                    words, symbol, how, common
                )
        if row["unless"]:
            phrases = "|".join(map(re.escape, row["unless"].split("|")))
            unless[symbol] = re.compile(rf"(?<!\w)(?:{phrases})(?!\w)", re.IGNORECASE)
        if row["isin"]:
            isins[row["isin"]] = symbol
        if row["also"]:
            also[symbol] = tuple(row["also"].split("|"))
        if row["year_end"]:
            year_ends.update(dict.fromkeys((symbol, *also.get(symbol, ())), int(row["year_end"])))
    # What a company makes goes first: "Google-Mutter" is not Google.
    ordered = sorted(spellings.values(), key=lambda one: one.how != "parent")
    return _Packaged(tuple(ordered), unless, isins, also, year_ends)
