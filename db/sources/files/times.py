"""Cells to dates and clock times: ISO 8601 and a few unambiguous other forms, or one that is said.

Text is read strictly: what could be two dates is an error that asks for a format, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from db.errors import UsageError
from db.intervals import DAY, MICROSECOND, SECOND
from db.sources.files.arrow import BoolArray, Cells, IntArray, pc
from db.sources.files.stamps import CLOCK, clock_us, column_clock_us, day_number, mail_date, zone_us
from db.sources.files.time_columns import (
    FIRST_US,
    LAST_US,
    NOTHING,
    Times,
    complete,
    none,
    plain_iso,
    since_epoch,
    typed,
    zoned_iso,
)

EPOCHS = {"epoch_s": SECOND, "epoch_ms": 1000, "epoch_us": MICROSECOND}
"""Values of ``date_format`` for numbers that count since 1970."""

_ZONE = r"Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?"
_STAMP = (
    r"^\s*(?P<day>\d{4}-\d{2}-\d{2}|\d{8}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})"
    r"|\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2}))"
    rf"(?:(?:T|\s+)(?P<clock>{CLOCK})\s?(?P<zone>{_ZONE})?)?\s*$"
)


class TimeParser:
    """Reads the time column of one file, chunk after chunk.

    ``date_format`` is a strptime format or one of `EPOCHS`; without it the day is read as ISO
    8601, ``19/01/2019`` by what the first chunk shows its order to be, ``19.1.2019`` as day first.
    UsageError: a format that does not exist, or dates whose order cannot be told.
    """

    def __init__(self, date_format: str | None, *, where: str) -> None:
        self._format = date_format
        self._where = where
        self._month_first: bool | None = None
        if date_format is not None and date_format not in EPOCHS:
            _check_format(date_format)

    def parse(self, cells: Cells, clocks: Cells | None = None) -> Times:
        """``clocks`` is a column with the time of day where ``cells`` hold the date alone."""
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        kind = cells.type
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            times = typed(cells)
        elif self._format in EPOCHS:
            times = since_epoch(cells, EPOCHS[self._format])
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            times = self._from_text(cells.cast(pa.string()))
        elif pa.types.is_integer(kind):
            times = self._from_text(pc.cast(cells, pa.string()))
        else:
            times = none(len(cells))
        return times if clocks is None else _with_clocks(times, clocks)

    def fault(self, _: int, text: str) -> str:
        """Why a cell is no time, for its reject."""
        if not text.strip():
            return "the time is missing"
        if self._format is not None:
            return f"not a time in the format {self._format}"
        if re.fullmatch(r"\s*\d{10,16}\s*", text):
            return "not a date; if it counts since 1970: --date-format epoch_s, epoch_ms, epoch_us"
        return "not a date or time that is known: write 2019-01-31 16:05:00, or give --date-format"

    def _from_text(self, cells: Cells) -> Times:
        if self._format is None:
            quick = plain_iso(cells) or zoned_iso(cells)
            if quick is not None:
                return quick
        # Dates repeat: each distinct text is read once.
        encoded = cells.dictionary_encode()
        texts = encoded.dictionary
        read = self._by_format(texts) if self._format is not None else self._by_parts(texts)
        codes = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
        ends = none(1)
        return Times(
            *(
                np.concatenate([getattr(read, name), getattr(ends, name)])[codes]
                for name in ("wall", "utc", "zoned", "has_clock", "bad")
            )
        )

    def _by_format(self, texts: Cells) -> Times:
        wanted = str(self._format)
        zoned = "%z" in wanted
        series = pd.Series(texts.to_pylist(), dtype="str").str.strip()
        stamps = pd.to_datetime(series, format=wanted, errors="coerce", utc=zoned)
        naive = pd.DatetimeIndex(stamps).tz_localize(None)
        wall = np.asarray(naive.to_numpy().astype("datetime64[us]").view(np.int64))
        has_clock = bool(re.search("%[HI]", wanted))
        return complete(
            wall, wall, np.full(len(wall), zoned), np.full(len(wall), has_clock), wall == NOTHING
        )

    def _by_parts(self, texts: Cells) -> Times:
        parts = pc.extract_regex(texts, _STAMP)
        if not len(texts):
            return none(0)
        days = self._days(parts.field("day"), np.asarray(parts.is_valid()))
        clocks = _each(parts.field("clock"), clock_us)
        zones = _each(parts.field("zone"), zone_us)
        has_clock = np.asarray(pc.greater(pc.utf8_length(parts.field("clock")), 0).fill_null(False))
        zoned = np.asarray(pc.greater(pc.utf8_length(parts.field("zone")), 0).fill_null(False))
        bad = (days == NOTHING) | (has_clock & (clocks == NOTHING))
        bad |= zoned & (zones == NOTHING)
        wall = np.where(bad, 0, days * (~bad)) * DAY + np.where(has_clock & ~bad, clocks, 0)
        utc = wall - np.where(zoned & ~bad, zones, 0)
        times = complete(wall, utc, zoned, has_clock, bad)
        return _with_mail_dates(times, texts)

    def _days(self, texts: Cells, matched: BoolArray) -> IntArray:
        """Days since 1970 of each date text."""
        if self._month_first is None:
            slashed = pc.filter(texts, pc.match_substring_regex(texts, r"^\d{1,2}/"))
            if len(slashed):
                self._month_first = self._order_of(pc.unique(slashed).to_pylist())
        month_first = bool(self._month_first)
        days = _each(texts, lambda text: day_number(text, month_first=month_first))
        return np.where(matched, days, NOTHING)

    def _order_of(self, texts: list[str]) -> bool | None:
        """Whether the month comes first; told by the dates that exist in one order alone.

        None where it makes no difference.
        """
        readings = {text: (day_number(text, month_first=True), _day_first(text)) for text in texts}
        month_first = {text for text, (day, _) in readings.items() if day is not None}
        day_first = {text for text, (_, day) in readings.items() if day is not None}
        if month_first > day_first:
            return True
        if day_first > month_first:
            return False
        unclear = [text for text, (one, other) in readings.items() if one != other]
        if not unclear:
            return None
        raise UsageError(
            f"{min(unclear)!r} could be month first or day first, and the column does not tell",
            where=self._where,
            hint="--date-format %m/%d/%Y or %d/%m/%Y (%y for two-digit years)",
        )


def _day_first(text: str) -> int | None:
    return day_number(text, month_first=False)


def parse_clocks(cells: Cells) -> IntArray:
    """Microseconds since midnight of each ``16:05``, ``4:05 PM`` or ``160500``; -1 for others."""
    texts = pc.utf8_trim_whitespace(pc.cast(cells, pa.string()))
    found = _each(texts, column_clock_us)
    return np.where(found == NOTHING, -1, found)


def _check_format(date_format: str) -> None:
    where = "--date-format"
    try:
        pd.to_datetime(pd.Series(["-"]), format=date_format, errors="coerce", utc=True)
    except ValueError as error:
        raise UsageError(str(error), where=where, hint="for example %m/%d/%Y") from error
    if not re.search("%[Yy]", date_format) or not re.search("%[dj]", date_format):
        raise UsageError(
            f"the format {date_format!r} does not tell year and day",
            where=where,
            hint=f"for example %m/%d/%y, or one of {', '.join(EPOCHS)}",
        )


def _each(cells: Cells, read: Callable[[str], int | None]) -> IntArray:
    """``read`` once for each distinct text; the smallest integer where there is none or None."""
    encoded = cells.dictionary_encode()
    values = [read(text) if text else None for text in encoded.dictionary.to_pylist()]
    table = np.array([NOTHING if v is None else v for v in [*values, None]], dtype=np.int64)
    codes = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    return np.asarray(table[codes])


def _with_mail_dates(times: Times, texts: Cells) -> Times:
    """Fill in what mail and RSS write: ``Mon, 07 Oct 2024 16:30:33 +0200``."""
    for index in np.flatnonzero(times.bad).tolist():
        stamp = mail_date(texts[index].as_py())
        if stamp is None or not FIRST_US <= stamp[0] <= LAST_US:
            continue
        times.wall[index], times.utc[index] = stamp
        times.zoned[index] = times.has_clock[index] = True
        times.bad[index] = False
    return times


def _with_clocks(times: Times, clocks: Cells) -> Times:
    """A date column and a clock column as one; an empty clock leaves the date alone."""
    texts = pc.utf8_trim_whitespace(pc.cast(clocks, pa.string()))
    empty = np.asarray(pc.equal(texts, "").fill_null(True))
    us = parse_clocks(clocks)
    bad = times.bad | (times.wall % DAY != 0) | (~empty & (us < 0))
    offset = np.where(empty | bad, 0, us)
    return Times(times.wall + offset, times.utc + offset, times.zoned, ~empty & ~bad, bad)
