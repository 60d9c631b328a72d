"""What all kinds of records share: batches, times, and the tables they are returned in."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from numbers import Real
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Executable, true

from db.batches import Provenance
from db.errors import UsageError
from db.instruments import SymbolBook
from db.models import Action, Event, Guidance, NewsLink

NEW_YORK = ZoneInfo("America/New_York")
SAME_EVENT = timedelta(days=5)
"""Releases of one instrument that lie no further apart than this are one event."""

IN_CLAUSE = 500
"""Ids put into one statement; beyond that everything is read and filtered in memory."""


@dataclass
class Tally:
    """Counts of a batch while it is worked through."""

    added: int = 0
    revised: int = 0
    unchanged: int = 0


@dataclass
class Intake:
    """What taking in a batch of records needs: an open transaction and who is who."""

    connection: Connection
    provenance: Provenance
    batch_id: int
    book: SymbolBook
    now: datetime
    tally: Tally = field(default_factory=Tally)

    def known(self, first_known_at: datetime | None) -> tuple[datetime, bool]:
        """When a record could first be known, and whether its source proves it."""
        if first_known_at is None:
            return self.provenance.fetched_at, False
        return first_known_at, True

    def stamp(self, row: int, raw: str) -> dict[str, Any]:
        """The columns that say where a row came from."""
        return {
            "source": self.provenance.source,
            "batch_id": self.batch_id,
            "ingested_at": self.now,
            "row": int(row),
            "raw": raw,
        }


@dataclass(frozen=True)
class Statement:
    """What a source said and since when, as far as it matters for telling what is new."""

    first_known_at: datetime
    content: tuple[Hashable, ...]

    def repeats(self, earlier: Sequence[Statement]) -> bool:
        """Whether the source had said this when it could be known.

        What it last said by then counts: a value that returns after a correction is news.
        """
        by_then = [one for one in earlier if one.first_known_at <= self.first_known_at]
        last = max((one.first_known_at for one in by_then), default=None)
        return any(one.content == self.content for one in by_then if one.first_known_at == last)


def content_of(record: object, names: Iterable[str]) -> dict[str, Any]:
    """Fields of a record by name, numbers as plain ones."""
    values = {name: getattr(record, name) for name in names}
    return {
        name: number(value) if isinstance(value, Real) else value for name, value in values.items()
    }


def number(value: Real | float | None) -> float | None:
    """A number as drivers know it, whatever library it comes from; NaN is an unknown one."""
    plain = None if value is None else float(value)
    return None if plain is None or math.isnan(plain) else plain


def about_symbols(
    model: type[Action] | type[Event] | type[Guidance] | type[NewsLink],
    book: SymbolBook,
    symbols: Iterable[str],
) -> ColumnElement[bool]:
    """Rows of the instruments that any of these symbols ever named, or of the symbol itself."""
    given = list(symbols)
    orphan = model.instrument_id.is_(None) & model.symbol.in_(given)
    return model.instrument_id.in_(sorted(book.ever(given))) | orphan


def about_batch(
    model: type[Action] | type[Event] | type[Guidance], book: SymbolBook, symbols: Iterable[str]
) -> ColumnElement[bool]:
    """Rows that a batch with these symbols may have to be compared with.

    Few symbols are looked up; for many it is quicker to read everything.
    """
    distinct = set(symbols)
    return about_symbols(model, book, distinct) if len(distinct) <= IN_CLAUSE else true()


def day_of_release(announced_from: datetime, announced_to: datetime) -> date:
    """The New York date in the middle of a release interval.

    The middle, since a date in another time zone begins on the day before in New York.
    """
    return (announced_from + (announced_to - announced_from) / 2).astimezone(NEW_YORK).date()


def since_bound(since: date | datetime | None) -> datetime | None:
    """The first instant of a date in New York, or the instant itself."""
    if since is None or isinstance(since, datetime):
        return _aware(since)
    return datetime.combine(since, time.min, NEW_YORK)


def until_bound(until: date | datetime | None) -> datetime | None:
    """The last instant of a date in New York, or the instant itself: both are included."""
    if until is None or isinstance(until, datetime):
        return _aware(until)
    return datetime.combine(until + timedelta(days=1), time.min, NEW_YORK) - timedelta(
        microseconds=1
    )


def as_of_bound(as_of: datetime | None) -> datetime | None:
    """The instant itself; a date or a naive datetime is refused: what it includes is unclear."""
    if as_of is not None and not isinstance(as_of, datetime):
        raise UsageError(f"as_of needs an instant, not {as_of!r}")
    return _aware(as_of)


def _aware(instant: datetime | None) -> datetime | None:
    if instant is not None and instant.utcoffset() is None:
        raise UsageError(
            f"{instant.isoformat()} has no time zone",
            hint="give an aware datetime, such as datetime(..., tzinfo=timezone.utc)",
        )
    return instant


def frame(
    connection: Connection,
    query: Executable,
    *,
    instants: Iterable[str] = (),
    ids: Iterable[str] = (),
    numbers: Iterable[str] = (),
    texts: Iterable[str] = (),
    flags: Iterable[str] = (),
) -> pd.DataFrame:
    """Rows of a query with a declared type for each column, empty results included."""
    result = connection.execute(query)
    columns = list(result.keys())
    table = pd.DataFrame.from_records(list(map(tuple, result.all())), columns=columns)
    types: dict[str, str] = {
        **dict.fromkeys(instants, "datetime64[us, UTC]"),
        **dict.fromkeys(ids, "Int64"),
        **dict.fromkeys(numbers, "float64"),
        **dict.fromkeys(texts, "str"),
        **dict.fromkeys(flags, "bool"),
    }
    return typed(table, types)


def named_since(
    connection: Connection, table: pd.DataFrame, rows: pd.Series[bool], day: str
) -> None:
    """Fill in instruments that were not there yet when these rows were stored.

    A name read out of a text makes no instrument; the one that came later is meant all the same,
    if the symbol (``symbol``) names it on the New York date of the column ``day``.
    """
    lacking = table.index[rows & table["instrument_id"].isna()]
    if lacking.empty:
        return
    book = SymbolBook.load(connection)
    days = table.loc[lacking, day].dt.tz_convert(NEW_YORK).dt.date
    found = [book.resolve(*named) for named in zip(table.loc[lacking, "symbol"], days, strict=True)]
    table.loc[lacking, "instrument_id"] = pd.array(found, dtype="Int64")


def typed(table: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """The frame with the given column types; instants as microseconds in UTC."""
    for name, kind in types.items():
        column = table[name]
        instants = kind.startswith("datetime64")
        table[name] = pd.to_datetime(column, utc=True) if instants else column
    return table.astype(types)


def pages(rows: Sequence[dict[str, Any]], size: int = 5_000) -> Iterable[Sequence[dict[str, Any]]]:
    """Rows to insert, some thousand at a time."""
    return (rows[first : first + size] for first in range(0, len(rows), size))
