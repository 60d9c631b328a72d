"""Releases out of Yahoo's earnings calendar and out of a symbol's page of earnings dates.

The calendar says before the open, after the close or a time; the page an hour that is often
wrong, so that it counts as a session.  Both list quarters twice, meetings that are no earnings,
and rows without a date; those become rejects.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar, cast
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from db.batches import EventRecord, Precision, RecordBatch, Reject, SessionLabel
from db.calendar import Calendar
from db.sources.files.provenance import to_datetime, to_us
from db.sources.files.texts import shown
from db.sources.online.yahoo.answers import CalendarRow, PageRow
from db.sources.online.yahoo.batches import provenance

Row = TypeVar("Row", CalendarRow, PageRow)

CALENDAR = "yahoo-calendar"
PAGE = "yahoo-page"

SAME_QUARTER = timedelta(days=5)
"""Releases of one company that lie no further apart are of one quarter."""
_SESSIONS: dict[str, SessionLabel] = {"BMO": "pre", "AMC": "post"}
_LIKELY = (time(4), time(20))
"""Between these hours of the exchange a release may come out; others stand for "unknown"."""
_QUARTER = re.compile(r"\bQ([1-4])\W{0,2}(\d{4})\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:full[- ]year|FY)\W{0,2}(\d{4})\b", re.IGNORECASE)
_FIGURES = re.compile(r"\b(earnings|results)\b", re.IGNORECASE)
_RELEASE = re.compile(r"\b(announcement|release|report)\b", re.IGNORECASE)
_GATHERING = re.compile(
    r"\b(call|webcast|meeting|conference|presentation|forum|day)\b", re.IGNORECASE
)
_RANKS: dict[Precision, int] = {"exact": 0, "session": 1, "date": 2}


def of_calendar(
    rows: Sequence[CalendarRow], symbol: str, fetched_at: datetime, calendar: Calendar
) -> RecordBatch[EventRecord]:
    """What the calendar says of one symbol's releases."""

    def read(row: CalendarRow) -> EventRecord | str:
        if pd.isna(row.start):
            return "has no date"
        fault = _no_release(row.name)
        if fault:
            return fault
        record = _timed(row, symbol, calendar)
        return replace(record, fiscal_period=_period(row.name))

    return _batch(CALENDAR, rows, read, symbol, fetched_at)


def of_page(
    rows: Sequence[PageRow], symbol: str, fetched_at: datetime, calendar: Calendar
) -> RecordBatch[EventRecord]:
    """What the page says; nothing where one of its rows had no date.

    yfinance 1.7 then gives every later row the date of the one before it, and the last none.
    """
    shifted = any(pd.isna(row.hour) for row in rows)

    def read(row: PageRow) -> EventRecord | str:
        if shifted:
            return "the page's dates are shifted against their rows: one of them had none"
        return _in_session(row, symbol, calendar)

    return _batch(PAGE, rows, read, symbol, fetched_at)


def _batch(
    source: str,
    rows: Sequence[Row],
    read: Callable[[Row], EventRecord | str],
    symbol: str,
    fetched_at: datetime,
) -> RecordBatch[EventRecord]:
    origin = f"{source} {symbol}"
    rejects: list[Reject] = []
    found: list[EventRecord] = []
    texts: dict[int, str] = {}
    for number, row in enumerate(rows, start=1):
        texts[number] = json.dumps(asdict(row), default=str)
        record = read(row)
        if not isinstance(record, str):
            record = _checked(record, row, fetched_at)
        if isinstance(record, str):
            rejects.append(Reject(origin, number, "", shown(texts[number]), record))
        else:
            found.append(replace(record, raw=texts[number], row=number))
    records, twice = _once_a_quarter(found)
    rejects += [Reject(origin, one.row, "", shown(texts[one.row]), why) for one, why in twice]
    rejects.sort(key=lambda reject: reject.row)
    return RecordBatch(provenance(source, origin, fetched_at, records), records, rejects)


def _checked(
    record: EventRecord, row: CalendarRow | PageRow, fetched_at: datetime
) -> EventRecord | str:
    """The record with its figures, or why it cannot be."""
    estimate, actual = _figure(row.eps_estimate), _figure(row.eps_actual)
    ahead = record.announced_from > fetched_at
    if ahead and actual is not None:
        return "tells what was earned ahead of the release"
    # What is seen ahead of a release was known then; what is seen after it may be of any time.
    known = fetched_at if ahead else None
    return replace(record, eps_estimate=estimate, eps_actual=actual, first_known_at=known)


def _figure(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _no_release(name: str) -> str:
    """Why an event is no release of earnings; empty where it is one, or has no name."""
    if not name or (_FIGURES.search(name) and _RELEASE.search(name)):
        return ""
    if not _FIGURES.search(name):
        return "no release of earnings by its name"
    gathering = _GATHERING.search(name)
    return f"a {gathering[0].lower()}, not the release itself" if gathering else ""


def _period(name: str) -> str:
    quarter, year = _QUARTER.search(name), _YEAR.search(name)
    if quarter:
        return f"{quarter[2]}Q{quarter[1]}"
    return f"{year[1]}FY" if year else ""


def _timed(row: CalendarRow, symbol: str, calendar: Calendar) -> EventRecord:
    start = pd.Timestamp(row.start).to_pydatetime().astimezone(UTC)
    local = start.astimezone(ZoneInfo(calendar.tz))
    # Midnight is how a date without a time is written, in UTC as on the exchange.
    day = start.date() if start.time() == time(0) else local.date()
    if row.timing == "TAS" and _LIKELY[0] <= local.time() <= _LIKELY[1] and day == local.date():
        label = _label_at(calendar, day, to_us(start))
        return EventRecord(symbol, start, start, "exact", label)
    return _between(calendar, symbol, day, _SESSIONS.get(row.timing, ""))


def _in_session(row: PageRow, symbol: str, calendar: Calendar) -> EventRecord:
    hour = pd.Timestamp(row.hour).tz_convert(calendar.tz)
    begin = to_us(hour.tz_convert("UTC").to_pydatetime())
    day = hour.date()
    first, last = (_label_at(calendar, day, at) for at in (begin, begin + 3_599_999_999))
    told = first == last and hour.hour != 0
    return _between(calendar, symbol, day, first if told else "")


def _between(calendar: Calendar, symbol: str, day: date, label: SessionLabel) -> EventRecord:
    begin, end, precision = calendar.release_interval(day, label)
    session: SessionLabel = label if precision == "session" else ""
    return EventRecord(
        symbol, to_datetime(begin), to_datetime(end), cast(Precision, precision), session
    )


def _label_at(calendar: Calendar, day: date, instant: int) -> SessionLabel:
    """``pre`` from midnight to the open, ``post`` from the close on; empty on a day off."""
    session = int(calendar.index_of_dates(np.array([day], dtype="datetime64[D]"))[0])
    if session < 0:
        return ""
    if instant < calendar.opens[session]:
        return "pre"
    return "regular" if instant < calendar.closes[session] else "post"


def _once_a_quarter(
    found: Sequence[EventRecord],
) -> tuple[list[EventRecord], list[tuple[EventRecord, str]]]:
    """One record a quarter: the one that has figures, then the more precise, then the earlier."""
    kept: list[EventRecord] = []
    twice: list[tuple[EventRecord, str]] = []
    for record in sorted(found, key=_worth):
        other = next((one for one in kept if _same_quarter(one, record)), None)
        if other is None:
            kept.append(record)
        else:
            twice.append((record, f"its quarter is in row {other.row} as well, which was kept"))
    return sorted(kept, key=lambda record: record.row), twice


def _worth(record: EventRecord) -> tuple[object, ...]:
    silent = record.eps_actual is None
    return (silent, _RANKS[record.precision], record.announced_from, record.row)


def _same_quarter(one: EventRecord, other: EventRecord) -> bool:
    if one.fiscal_period and other.fiscal_period:
        return one.fiscal_period == other.fiscal_period
    return abs(one.announced_from - other.announced_from) <= SAME_QUARTER
