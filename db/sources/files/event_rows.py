"""Earnings announcements from files: ``backtest ingest events``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from db.batches import EventRecord, RecordBatch
from db.calendar import Calendar
from db.calendar import calendar as calendar_of
from db.sources.files.arrow import BoolArray, FloatArray, IntArray
from db.sources.files.columns import EVENT_FIELDS
from db.sources.files.provenance import Clock, provenance_of, to_datetime, to_us, utc_now
from db.sources.files.record_rows import (
    RecordTable,
    known_from,
    or_none,
    read_table,
    too_far_ahead,
)
from db.sources.files.releases import Release, read_releases
from db.sources.files.times import TimeParser
from db.sources.files.zones import checked_zone

_FIGURES = ("eps_estimate", "eps_actual", "revenue_estimate", "revenue_actual")
_ACTUALS = ("eps_actual", "revenue_actual")
_PERIODS = (
    re.compile(r"(?:FY)?\s*(?P<year>\d{4})\s*[-/ ]?\s*Q(?P<quarter>[1-4])", re.IGNORECASE),
    re.compile(r"Q(?P<quarter>[1-4])\s*[-/ ]?\s*(?:FY)?\s*(?P<year>\d{4})", re.IGNORECASE),
    re.compile(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])(?:-\d{2}(?:[T ]00:00.*)?)?"),
)


def events(
    file: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    date_format: str | None = None,
    tz: str | None = None,
    exchange: str = "XNYS",
    source: str | None = None,
    now: Clock = utc_now,
    stdin: BinaryIO | None = None,
) -> RecordBatch[EventRecord]:
    """Earnings announcements of one CSV, Parquet or JSON-lines file.

    A clock time, beside the date or in a column of its own, gives ``exact`` (``tz`` is its zone
    where it carries none); a label (``pre``/``bmo``, ``post``/``amc``, ``regular``/``dmh``) gives
    ``session``; neither, a label that the file calls inferred, or a label on a day without a
    session gives ``date``.  A release may lie up to 400 days ahead, but not with actual figures.

    Only ``2012Q4``, ``FY2012Q4``, ``Q4 2012``, ``2012-10`` and a period's last day become a fiscal
    period, which is part of an event's identity.  Labels that a spreadsheet has been at (``12-Oct``
    for Oct-12) and quarters without a year stay in ``raw`` alone: real files repeat such a label
    for two releases six weeks apart.

    UsageError: unknown options or columns, clock times without a zone, dates whose order cannot
    be told.  DataError: a file that cannot be read.
    """
    calendar = calendar_of(exchange)
    zone = None if tz is None else checked_zone(tz)
    fetched_at = now()
    table = read_table(file, EVENT_FIELDS, mapping, stdin)
    symbols = table.symbols()
    releases = read_releases(table, TimeParser(date_format, where=str(file)), zone, calendar)
    figures = {field: table.numbers(field) for field in _FIGURES}
    known_at = _known_at(table, zone, calendar, to_us(fetched_at))
    _check_not_ahead(table, releases, figures, to_us(fetched_at))
    currencies = _currencies(table)
    said = {
        "kind": "events",
        "columns": table.screen.columns.described(),
        "tz": tz,
        "exchange": exchange,
        "date_format": date_format,
    }
    return RecordBatch(
        provenance_of(table.source, source, fetched_at, said),
        _records(table, symbols, releases, figures, currencies, known_at),
        table.screen.rejects(),
    )


def _records(
    table: RecordTable,
    symbols: list[str],
    releases: list[Release],
    figures: Mapping[str, FloatArray],
    currencies: list[str],
    known_at: IntArray,
) -> list[EventRecord]:
    columns = zip(
        table.passed(),
        table.rows(),
        symbols,
        releases,
        table.texts("fiscal_period"),
        zip(*(or_none(figures[field]) for field in _FIGURES), strict=True),
        currencies,
        known_at.tolist(),
        table.raw(),
        strict=True,
    )
    return [
        EventRecord(
            symbol=symbol,
            announced_from=release.begin,
            announced_to=release.end,
            precision=release.precision,
            session=release.session,
            fiscal_period=fiscal_period(period),
            eps_estimate=figure[0],
            eps_actual=figure[1],
            revenue_estimate=figure[2],
            revenue_actual=figure[3],
            currency=currency,
            first_known_at=None if known < 0 else to_datetime(known),
            raw=raw,
            row=row,
        )
        for passed, row, symbol, release, period, figure, currency, known, raw in columns
        if passed
    ]


@lru_cache(maxsize=4096)
def fiscal_period(text: str) -> str:
    """``2012Q4`` or ``2012-10`` in one spelling; empty for a label without year and quarter."""
    for pattern in _PERIODS:
        found = pattern.fullmatch(text)
        if found:
            parts = found.groupdict()
            if "quarter" in parts:
                return f"{parts['year']}Q{parts['quarter']}"
            return f"{parts['year']}-{parts['month']}"
    return ""


def _known_at(table: RecordTable, tz: str | None, calendar: Calendar, now: int) -> IntArray:
    """When each row could first be known, microseconds, -1 where the file does not say."""
    if "first_known_at" not in table.screen:
        return np.full(len(table.screen), -1, dtype=np.int64)
    parser = TimeParser(None, where=table.source.origin)
    known = known_from(table, "first_known_at", parser, tz, day_tz=calendar.tz)
    table.screen.refuse(known.said & (known.begin > now), "first_known_at", "lies in the future")
    return np.where(known.said, known.instants, -1)


def _check_not_ahead(
    table: RecordTable, releases: list[Release], figures: Mapping[str, FloatArray], now: int
) -> None:
    """A schedule lies ahead by its nature; results cannot."""
    begins = np.array([to_us(release.begin) for release in releases], dtype=np.int64)
    table.screen.refuse(
        too_far_ahead(begins, now), "announced", "lies in the future, beyond any schedule"
    )
    for field in _ACTUALS:
        reported: BoolArray = ~np.isnan(figures[field])
        table.screen.refuse(
            reported & (begins > now), field, "an actual figure for a release in the future"
        )


def _currencies(table: RecordTable) -> list[str]:
    texts = [text.upper() or "USD" for text in table.texts("currency")]
    unknown = [re.fullmatch("[A-Z]{3}", text) is None for text in texts]
    table.screen.refuse(np.array(unknown, dtype=np.bool_), "currency", "no currency code")
    return texts
