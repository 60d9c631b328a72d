"""Bars as a service gave them to a typed batch, through the same checks as those of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from db.batches import BAR_SCHEMA, Adjustment, BarBatch, BarChunk, Provenance
from db.calendar import Calendar, Phase
from db.intervals import DAY, MINUTE, Interval
from db.sources.fetching.source import ALL_PHASES, UnreadableAnswerError
from db.sources.files import bar_checks
from db.sources.files.arrow import BoolArray, Cells, FloatArray, IntArray
from db.sources.files.columns import ColumnMap
from db.sources.files.numeric import to_numbers
from db.sources.files.provenance import to_datetime, to_us
from db.sources.files.reader import RowChunk
from db.sources.files.screen import Screen
from db.sources.files.time_columns import Times
from db.sources.files.times import TimeParser

VALUES = (*bar_checks.PRICES, "volume")
FIELDS = ("time", *VALUES)


@dataclass(frozen=True)
class BarAsk:
    """Which bars are wanted: those of ``phases`` that start in ``since``..``until`` (half-open).

    A daily bar counts as starting at its day's midnight on the exchange.  ``made_of`` is the
    length of the bars that the service was asked for where they are put together here.
    """

    symbol: str
    interval: Interval
    since: datetime
    until: datetime
    calendar: Calendar
    phases: tuple[str, ...] = ALL_PHASES
    made_of: Interval | None = None


@dataclass(frozen=True)
class _Bars:
    """Accepted bars: starts in microseconds and values by field, (rows,) each."""

    starts: IntArray
    values: Mapping[str, FloatArray]

    def where(self, wanted: BoolArray) -> _Bars:
        return _Bars(
            self.starts[wanted], {field: cells[wanted] for field, cells in self.values.items()}
        )


def bar_batch(
    rows: Sequence[Any],
    names: Mapping[str, str],
    ask: BarAsk,
    *,
    source: str,
    origin: str,
    fetched_at: datetime,
    adjusted: Adjustment = "none",
    options: Mapping[str, str] | None = None,
) -> tuple[BarBatch | None, int]:
    """The batch of an answer (None: nothing came) and how many bars it holds, refused ones too.

    ``rows`` are JSON objects, ``names`` their keys by field (`FIELDS`).  Bars outside of what was
    asked are left out; one that cannot be used, or came twice, is a reject.

    UnreadableAnswerError: rows that are no objects, or that lack a key throughout.
    """
    screen = Screen(origin, _row_chunk(rows, names, origin), _columns(names))
    if not len(screen):
        return None, 0
    bars, asked = _checked(screen, ask, to_us(fetched_at))
    asked &= ~screen.passed
    rejects = [one for one in screen.rejects() if asked[one.row - 1]]
    if ask.made_of is not None:
        bars = _gathered(bars, ask.interval, ask.calendar)
    bars = bars.where(_in_range(bars.starts, ask) & _in_phases(bars.starts, ask))
    count = len(bars.starts) + len(rejects)
    if not count:
        return None, 0
    table = _table(bars, ask.symbol)
    said = {"kind": "prices", "interval": ask.interval.value, **(options or {})}
    digest = hashlib.sha256(json.dumps([source, ask.symbol, adjusted, said]).encode())
    for column in (bars.starts, *(bars.values[field] for field in VALUES)):
        digest.update(np.ascontiguousarray(column).tobytes())
    provenance = Provenance(source, origin, digest.hexdigest(), fetched_at, said)
    chunks: Iterator[BarChunk] = iter([BarChunk(table, rejects)])
    return BarBatch(provenance, ask.interval, adjusted, chunks, table.num_rows), count


def finished_until(instant: datetime, interval: Interval, calendar: Calendar) -> datetime:
    """Up to where all bars are over at an instant: the start of the one that runs, if one does."""
    at = np.array([to_us(instant)], dtype=np.int64)
    if interval.is_daily:
        day = calendar.local_dates(at)
        session = calendar.index_of_dates(day)
        running = session[0] >= 0 and at[0] < calendar.closes[session[0]]
        return to_datetime(int(calendar.local_midnights(day)[0])) if running else instant
    if calendar.phases_at(at)[0] == Phase.CLOSED:
        return instant
    return to_datetime(int(_slots(at, interval, calendar)[0]))


def _row_chunk(rows: Sequence[Any], names: Mapping[str, str], origin: str) -> RowChunk:
    if not all(isinstance(row, Mapping) for row in rows):
        raise UnreadableAnswerError("the bars are no longer objects", where=origin)
    for field, name in names.items():
        if rows and not any(name in row for row in rows):
            raise UnreadableAnswerError(
                f"the bars have no {name!r} any more, which held the {field}", where=origin
            )
    columns = tuple(cells([row.get(name) for row in rows]) for name in names.values())
    return RowChunk(columns, np.arange(1, len(rows) + 1, dtype=np.int64))


def _columns(names: Mapping[str, str]) -> ColumnMap:
    return ColumnMap(tuple(names.values()), {field: at for at, field in enumerate(names)})


def cells(values: Sequence[Any]) -> Cells:
    """JSON values as one Arrow column; as text where they are of several kinds."""
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        texts = [one if one is None or isinstance(one, str) else json.dumps(one) for one in values]
        return pa.array(texts, pa.string())


def _checked(screen: Screen, ask: BarAsk, now: int) -> tuple[_Bars, BoolArray]:
    """Bars without a fault, and which rows lie in the range that was asked for."""
    calendar, interval = ask.calendar, ask.made_of or ask.interval
    parser = TimeParser(None, where="")
    times = parser.parse(screen.cells("time"))
    screen.refuse(times.bad, "time", parser.fault)
    unzoned = ~times.zoned & ~times.bad & times.has_clock
    screen.refuse(unzoned, "time", "the time carries no zone")
    if interval.is_daily:
        slots = bar_checks.sessions_of_days(screen, times, "time", None, calendar)
        starts, ends = calendar.opens[slots], calendar.closes[slots]
    else:
        starts = times.utc
        bar_checks.check_hours(screen, starts, calendar, interval)
        ends = calendar.bar_ends(starts, interval)
        slots = np.asarray(starts // MINUTE)
    bar_checks.check_not_yet(screen, starts, ends, now, calendar.tz)
    numbers = {field: to_numbers(screen.cells(field)) for field in VALUES if field in screen}
    bar_checks.check_numbers(screen, numbers)
    values = {field: column.values for field, column in numbers.items()}
    bar_checks.check_order(screen, values)
    values.setdefault("volume", np.full(len(screen), np.nan))
    _check_repeats(screen, slots, values)
    return _Bars(starts, values).where(screen.passed), times.bad | _asked(times, ask)


def _asked(times: Times, ask: BarAsk) -> BoolArray:
    """Rows of the range that was asked for, whatever else is wrong with them."""
    calendar = ask.calendar
    if ask.interval.is_daily:
        local = calendar.local_dates(times.utc)
        days = np.where(times.has_clock, local, (times.wall // DAY).astype("datetime64[D]"))
        return _between(calendar.local_midnights(days), ask)
    closed = calendar.phases_at(times.utc) == Phase.CLOSED
    return np.asarray(_between(times.utc, ask) & (closed | _in_phases(times.utc, ask)))


def _check_repeats(screen: Screen, slots: IntArray, values: Mapping[str, FloatArray]) -> None:
    """Refuse all but the first bar of a start; rows refused already don't count."""
    passed = np.flatnonzero(screen.passed)
    _, first, which = np.unique(slots[passed], return_index=True, return_inverse=True)
    kept = passed[first[which]]
    repeated = np.zeros(len(screen), dtype=np.bool_)
    differing = repeated.copy()
    repeated[passed] = kept != passed
    for column in values.values():
        same = (column[kept] == column[passed]) | np.isnan(column[kept] + column[passed])
        differing[passed] |= ~same
    screen.refuse(differing, "time", "came twice, with other values: the first was kept")
    screen.refuse(repeated, "time", "came twice: the first was kept")


def _in_range(starts: IntArray, ask: BarAsk) -> BoolArray:
    if ask.interval.is_daily:
        starts = ask.calendar.local_midnights(ask.calendar.local_dates(starts))
    return _between(starts, ask)


def _between(instants: IntArray, ask: BarAsk) -> BoolArray:
    return np.asarray((instants >= to_us(ask.since)) & (instants < to_us(ask.until)))


def _in_phases(starts: IntArray, ask: BarAsk) -> BoolArray:
    phases = ask.calendar.phases(starts, ask.interval)
    names = {Phase.PRE: "pre", Phase.REGULAR: "regular", Phase.AUCTION: "post", Phase.POST: "post"}
    wanted = [phase for phase, name in names.items() if name in (ask.phases or ALL_PHASES)]
    return np.isin(phases, wanted)


def _slots(instants: IntArray, interval: Interval, calendar: Calendar) -> IntArray:
    """Start of the bar that each instant lies in, counted from the start of its phase."""
    session = np.maximum(calendar.session_of(instants), 0)
    phases = calendar.phases_at(instants)
    anchor = np.where(
        phases == Phase.PRE,
        calendar.pre_start[session],
        np.where(phases == Phase.REGULAR, calendar.opens[session], calendar.closes[session]),
    )
    length = interval.microseconds
    return np.asarray(anchor + (instants - anchor) // length * length)


def _gathered(bars: _Bars, interval: Interval, calendar: Calendar) -> _Bars:
    """Longer bars from shorter ones of the same phase."""
    if not len(bars.starts):
        return bars
    order = np.argsort(bars.starts, kind="stable")
    slots = _slots(bars.starts[order], interval, calendar)
    starts, first = np.unique(slots, return_index=True)
    last = np.append(first[1:], len(order)) - 1
    values = {field: column[order] for field, column in bars.values.items()}
    return _Bars(
        starts,
        {
            "open": values["open"][first],
            "high": np.maximum.reduceat(values["high"], first),
            "low": np.minimum.reduceat(values["low"], first),
            "close": values["close"][last],
            "volume": np.add.reduceat(values["volume"], first),
        },
    )


def _table(bars: _Bars, symbol: str) -> pa.Table:
    volume = bars.values["volume"]
    arrays: list[Cells] = [
        pa.array([symbol] * len(bars.starts), pa.string()),
        pa.array(bars.starts).cast(pa.timestamp("us", "UTC")),
        *(pa.array(bars.values[field]) for field in bar_checks.PRICES),
        pa.array(volume, mask=np.isnan(volume)),
    ]
    return pa.Table.from_arrays(arrays, schema=BAR_SCHEMA)
