"""Instruments and the symbols that name them over time.

A symbol names an instrument from ``valid_from`` to ``valid_to``, both days included, a null bound
being open.  A rename closes one span and opens another on the same instrument; a symbol that
another company takes over has two spans on two instruments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, insert, select, update

from db.counters import bump, take
from db.errors import UsageError, did_you_mean
from db.models import Instrument, SymbolSpan

IntArray = npt.NDArray[np.int64]
DateArray = npt.NDArray[np.datetime64]
NO_INSTRUMENT = -1
DEFAULT_EXCHANGE = "XNYS"


@dataclass(frozen=True)
class Span:
    """The dates on which a symbol names an instrument, both included."""

    instrument_id: int
    valid_from: date | None
    valid_to: date | None

    @property
    def is_open(self) -> bool:
        return self.valid_from is None and self.valid_to is None

    def holds(self, on: date) -> bool:
        after = self.valid_from is None or self.valid_from <= on
        return after and (self.valid_to is None or on <= self.valid_to)

    def overlaps(self, other: Span) -> bool:
        return _starts_by(self, other.valid_to) and _starts_by(other, self.valid_to)

    def __str__(self) -> str:
        return f"{self.valid_from or 'the beginning'} to {self.valid_to or 'now'}"


def _starts_by(span: Span, limit: date | None) -> bool:
    return span.valid_from is None or limit is None or span.valid_from <= limit


@dataclass
class SymbolBook:
    """All symbols of a store in memory, with ids handed out to those not seen before.

    ``created`` are the new ones: they exist in this book alone until `insert_created` writes them,
    in the same transaction as the batch they came with.
    """

    spans: dict[str, list[Span]]
    next_id: int
    created: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: Connection) -> SymbolBook:
        spans: dict[str, list[Span]] = {}
        columns = (SymbolSpan.symbol, SymbolSpan.instrument_id)
        rows = connection.execute(
            select(*columns, SymbolSpan.valid_from, SymbolSpan.valid_to).order_by(
                SymbolSpan.valid_from.nulls_first(), SymbolSpan.id
            )
        )
        for symbol, instrument_id, valid_from, valid_to in rows:
            spans.setdefault(symbol, []).append(Span(instrument_id, valid_from, valid_to))
        return cls(spans=spans, next_id=take(connection, "instrument") + 1)

    def resolve(self, symbol: str, on: date | None) -> int | None:
        """The instrument a symbol names on a date; without one, the latest it named."""
        spans = self.spans.get(symbol, ())
        if on is None:
            return max(spans, key=_latest).instrument_id if spans else None
        return next((span.instrument_id for span in spans if span.holds(on)), None)

    def resolve_or_create(self, symbol: str, on: date) -> int | None:
        """Like `resolve`, but a symbol never seen becomes a new instrument, valid throughout."""
        if symbol not in self.spans:
            return self.create(symbol)
        return self.resolve(symbol, on)

    def create(self, symbol: str) -> int:
        instrument_id = self.next_id
        self.next_id += 1
        self.created[symbol] = instrument_id
        self.spans[symbol] = [Span(instrument_id, None, None)]
        return instrument_id

    def resolve_many(self, symbols: Sequence[str], codes: IntArray, days: DateArray) -> IntArray:
        """Instruments of rows given as codes into ``symbols`` with a date each; -1 for none."""
        ids = np.full(len(symbols), NO_INSTRUMENT, dtype=np.int64)
        dated = []
        for code, symbol in enumerate(symbols):
            spans = self.spans.get(symbol, [])
            if len(spans) == 1 and spans[0].is_open:
                ids[code] = spans[0].instrument_id
            elif spans:
                dated.append(code)
        found = ids[codes]
        for code in dated:
            rows = np.flatnonzero(codes == code)
            for span in self.spans[symbols[code]]:
                low = np.datetime64(span.valid_from or date.min, "D")
                high = np.datetime64(span.valid_to or date.max, "D")
                found[rows[(days[rows] >= low) & (days[rows] <= high)]] = span.instrument_id
        return found

    def names(self) -> dict[int, str]:
        """A symbol for each instrument, the latest one."""
        latest: dict[int, tuple[date, str]] = {}
        for symbol, spans in self.spans.items():
            for span in spans:
                found = (_latest(span), symbol)
                latest[span.instrument_id] = max(latest.get(span.instrument_id, found), found)
        return {number: symbol for number, (_, symbol) in latest.items()}

    def spans_of(self, symbol: str) -> list[tuple[str, str | None, str | None]]:
        """Symbols of the instrument that a symbol names last, and their dates, oldest first."""
        instrument = self.resolve(symbol, None)
        found = [
            (span.valid_from or date.min, name, span)
            for name, spans in self.spans.items()
            for span in spans
            if span.instrument_id == instrument
        ]
        return [
            (
                name,
                span.valid_from.isoformat() if span.valid_from else None,
                span.valid_to.isoformat() if span.valid_to else None,
            )
            for _, name, span in sorted(found, key=lambda one: one[:2])
        ]

    def needs_dates(self, symbols: Iterable[str]) -> bool:
        """Whether any of these symbols names an instrument on some dates only."""
        return any(
            not (len(spans) == 1 and spans[0].is_open)
            for spans in (self.spans.get(symbol, []) for symbol in symbols)
            if spans
        )

    def ever(self, symbols: Iterable[str]) -> set[int]:
        """Every instrument that any of these symbols ever named; UsageError for unknown ones."""
        wanted: set[int] = set()
        for symbol in symbols:
            if symbol not in self.spans:
                raise UsageError(
                    f"no instrument is or was called {symbol!r}",
                    hint=did_you_mean(symbol, self.spans, kind="symbol"),
                )
            wanted.update(span.instrument_id for span in self.spans[symbol])
        return wanted


def _latest(span: Span) -> date:
    return span.valid_to or date.max


def insert_created(
    connection: Connection, created: dict[str, int], options: Mapping[str, Any]
) -> None:
    """Write the instruments a batch brought, each under one symbol without bounds.

    They follow the calendar of the ``exchange`` that the batch was read with.
    """
    if not created:
        return
    exchange = str(options.get("exchange") or DEFAULT_EXCHANGE)
    connection.execute(
        insert(Instrument), [{"id": number, "exchange": exchange} for number in created.values()]
    )
    connection.execute(
        insert(SymbolSpan),
        [{"instrument_id": number, "symbol": symbol} for symbol, number in created.items()],
    )
    bump(connection, "instrument", to=max(created.values()))


def fiscal_year_ends(connection: Connection) -> dict[int, int]:
    """Month in which the fiscal year of each instrument ends, where it is known."""
    query = select(Instrument.id, Instrument.fiscal_year_end)
    rows = connection.execute(query.where(Instrument.fiscal_year_end.is_not(None)))
    return {row.id: row.fiscal_year_end for row in rows}


def describe(
    connection: Connection, symbol: str, *, name: str | None, fiscal_year_end: int | None
) -> int:
    """Set what is known of the instrument that a symbol names last; returns its id."""
    book = SymbolBook.load(connection)
    instrument_id = book.resolve(symbol, None)
    if instrument_id is None:
        raise UsageError(
            f"no instrument is called {symbol!r}",
            hint=did_you_mean(symbol, book.spans, kind="symbol"),
        )
    _check_year_end(fiscal_year_end)
    values = {"name": name, "fiscal_year_end": fiscal_year_end}
    given = {key: value for key, value in values.items() if value is not None}
    if given:
        connection.execute(update(Instrument).where(Instrument.id == instrument_id).values(**given))
        bump(connection, "sql")
    return instrument_id


def _check_year_end(month: int | None) -> None:
    if month is not None and not 1 <= month <= 12:
        raise UsageError(f"a fiscal year ends in a month from 1 to 12, not {month}")


def add_instrument(
    connection: Connection,
    symbol: str,
    *,
    exchange: str,
    currency: str,
    name: str,
    valid_from: date | None,
    valid_to: date | None,
    listed: date | None,
    delisted: date | None,
    fiscal_year_end: int | None = None,
) -> int:
    """A new instrument under a symbol; UsageError where the symbol is taken on those dates."""
    if not symbol:
        raise UsageError("an instrument needs a symbol")
    if valid_from and valid_to and valid_to < valid_from:
        raise UsageError(f"{symbol!r} would end on {valid_to}, before it begins on {valid_from}")
    _check_year_end(fiscal_year_end)
    book = SymbolBook.load(connection)
    span = Span(book.next_id, valid_from, valid_to)
    _refuse_overlap(book, symbol, span)
    values = {
        "name": name,
        "exchange": exchange,
        "currency": currency,
        "fiscal_year_end": fiscal_year_end,
    }
    connection.execute(
        insert(Instrument).values(id=book.next_id, listed=listed, delisted=delisted, **values)
    )
    _insert_span(connection, symbol, span)
    bump(connection, "instrument", to=book.next_id)
    bump(connection, "sql")
    return book.next_id


def rename(connection: Connection, old: str, new: str, on: date) -> int:
    """From ``on`` the instrument called ``old`` is called ``new``; returns its id.

    UsageError: ``old`` names nothing on the day before or ``new`` is taken.
    """
    book = SymbolBook.load(connection)
    eve = on - timedelta(days=1)
    current = next((span for span in book.spans.get(old, ()) if span.holds(eve)), None)
    if current is None or old == new:
        raise UsageError(
            f"{old!r} names no instrument on {eve}, so it cannot become {new!r} on {on}",
            hint=did_you_mean(old, (s for s in book.spans if s != old), kind="symbol"),
        )
    if current.valid_to == eve:
        raise UsageError(
            f"{old!r} ends on {eve} already: it was renamed, or its instrument was delisted",
            hint=f"rename what the instrument is called on {on}",
        )
    span = Span(current.instrument_id, on, current.valid_to)
    _refuse_overlap(book, new, span)
    ends = SymbolSpan.valid_to
    connection.execute(
        update(SymbolSpan)
        .where(
            SymbolSpan.symbol == old,
            SymbolSpan.instrument_id == current.instrument_id,
            ends.is_(None) if current.valid_to is None else ends == current.valid_to,
        )
        .values(valid_to=eve)
    )
    _insert_span(connection, new, span)
    bump(connection, "sql")
    return current.instrument_id


def _refuse_overlap(book: SymbolBook, symbol: str, span: Span) -> None:
    for taken in book.spans.get(symbol, ()):
        if taken.overlaps(span):
            raise UsageError(
                f"{symbol!r} already names instrument {taken.instrument_id} from {taken}",
                hint="give dates (valid_from, valid_to) that do not overlap those",
            )


def _insert_span(connection: Connection, symbol: str, span: Span) -> None:
    connection.execute(
        insert(SymbolSpan).values(
            instrument_id=span.instrument_id,
            symbol=symbol,
            valid_from=span.valid_from,
            valid_to=span.valid_to,
        )
    )
