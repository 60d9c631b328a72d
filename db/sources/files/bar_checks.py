"""What makes a bar one that can be used: each check a mask over a whole chunk."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from db.calendar import Calendar, Phase
from db.errors import UsageError
from db.intervals import DAY, Interval
from db.sources.files.arrow import FloatArray, IntArray
from db.sources.files.numeric import Numbers, number_fault
from db.sources.files.screen import Screen
from db.sources.files.time_columns import Times
from db.sources.files.zones import local_text, to_utc, to_wall

PRICES = ("open", "high", "low", "close")
TOLERANCE = 1e-6
"""Relative: prices of single precision are off by up to 6e-8, adjusted ones by their rounding."""


def wall_to_instants(screen: Screen, times: Times, field: str, tz: str | None) -> IntArray:
    """Instants of clock times, (rows,); refuses those that do not exist or exist twice.

    UsageError where a time carries no zone and ``tz`` is not given.
    """
    naive = ~times.zoned & ~times.bad & screen.passed
    if not naive.any():
        return times.utc
    if tz is None:
        raise UsageError(
            f"the times in column {screen.columns.name(field)!r} carry no zone",
            where="--tz",
            hint="--tz America/New_York, or the zone that the file was written in",
        )
    local = to_utc(np.where(naive, times.wall, 0), tz)
    screen.refuse(
        naive & local.skipped,
        field,
        f"does not exist in {tz}: the clock was put forward over it",
    )
    screen.refuse(
        naive & local.repeated,
        field,
        f"is ambiguous in {tz}: the clock was put back and ran through it twice",
    )
    return np.where(naive, np.where(local.skipped | local.repeated, 0, local.utc), times.utc)


def sessions_of_days(
    screen: Screen, times: Times, field: str, tz: str | None, calendar: Calendar
) -> IntArray:
    """Session of each daily bar, (rows,), -1 where refused.

    A day is given as a date, as a midnight (of its own zone or of the exchange's), or as the
    session's open.
    """
    days = times.wall // DAY
    timed = (times.wall % DAY != 0) & ~times.bad & screen.passed
    misplaced = np.zeros(len(days), dtype=np.bool_)
    if timed.any():
        utc = wall_to_instants(screen, times, field, tz or calendar.tz)
        wall = to_wall(np.where(timed, utc, 0), calendar.tz)
        days = np.where(timed, wall // DAY, days)
        session = calendar.index_of_dates(days.astype("datetime64[D]"))
        at_open = (session >= 0) & (calendar.opens[session] == utc)
        misplaced = timed & (wall % DAY != 0) & ~at_open
    screen.refuse(misplaced, field, "a daily bar needs a date, a midnight or the session's open")
    session = calendar.index_of_dates(days.astype("datetime64[D]"))
    screen.refuse(
        session < 0,
        field,
        lambda i, _: _no_session(calendar, np.datetime64(int(days[i]), "D")),
    )
    return np.where(screen.passed, session, -1)


def _no_session(calendar: Calendar, day: np.datetime64) -> str:
    if calendar.dates[0] <= day <= calendar.dates[-1]:
        return f"{calendar.name} had no session on {day}"
    return (
        f"{day} is outside the calendar of {calendar.name} "
        f"({calendar.dates[0]} to {calendar.dates[-1]})"
    )


def check_hours(screen: Screen, starts: IntArray, calendar: Calendar, interval: Interval) -> None:
    """Refuse bars that start outside all phases, or off the grid of their phase.

    The grid begins at the start of each phase: bars of an hour start at :30 in New York's regular
    hours.  One that straddles the open would tell the open's prices before it.
    """
    phases = calendar.phases_at(starts)
    closed = phases == Phase.CLOSED
    screen.refuse(closed, "time", lambda i, _: _closed(calendar, int(starts[i])))
    session = np.maximum(calendar.session_of(starts), 0)
    anchor = np.where(
        phases == Phase.PRE,
        calendar.pre_start[session],
        np.where(phases == Phase.REGULAR, calendar.opens[session], calendar.closes[session]),
    )
    off_grid = ~closed & ((starts - anchor) % interval.microseconds != 0)
    screen.refuse(
        off_grid,
        "time",
        lambda i, _: (
            f"no {interval.value} bar starts at {local_text(int(starts[i]), calendar.tz)} "
            f"(they are counted from {local_text(int(anchor[i]), calendar.tz)[11:16]})"
        ),
    )


def _closed(calendar: Calendar, start: int) -> str:
    local = local_text(start, calendar.tz)
    hours = _hours(calendar, local[:10])
    if not hours:
        return _no_session(calendar, np.datetime64(local[:10], "D"))
    return f"{local} is outside the hours of {hours}"


@lru_cache(maxsize=4096)
def _hours(calendar: Calendar, day: str) -> str:
    """The exchange and its hours on a date; empty without a session.  Rejects come in crowds."""
    index = int(calendar.index_of_dates(np.array([day], dtype="datetime64[D]"))[0])
    if index < 0:
        return ""
    first = local_text(int(calendar.pre_start[index]), calendar.tz)[11:16]
    last = local_text(int(calendar.post_end[index]), calendar.tz)[11:16]
    return f"{calendar.name} ({first} to {last} on that day)"


def check_numbers(
    screen: Screen,
    numbers: Mapping[str, Numbers],
) -> None:
    """Refuse what is no number, missing prices, and values that no price or volume can have."""
    for field in PRICES:
        column = numbers[field]
        values = column.values
        screen.refuse(column.bad, field, lambda _, text: number_fault(text))
        screen.refuse(column.missing, field, "a price is missing")
        screen.refuse(np.isinf(values), field, "a price is not finite")
        screen.refuse(values <= 0, field, "a price is zero or negative")
    if "volume" in numbers:
        column = numbers["volume"]
        screen.refuse(column.bad, "volume", lambda _, text: number_fault(text))
        screen.refuse(np.isinf(column.values), "volume", "the volume is not finite")
        screen.refuse(column.values < 0, "volume", "the volume is negative")


def check_order(
    screen: Screen,
    prices: Mapping[str, FloatArray],
) -> None:
    """Refuse bars whose low or high is not the lowest or highest of the four prices."""
    opened, high, low, close = (prices[field] for field in PRICES)

    def told(index: int, _: str) -> str:
        parts = ", ".join(f"{field} {prices[field][index]:.10g}" for field in PRICES)
        return f"out of order: {parts}"

    with np.errstate(invalid="ignore", over="ignore"):  # NaN in rows that are refused already
        ceiling, floor = high * (1 + TOLERANCE), low * (1 - TOLERANCE)
        opened_above, closed_above = opened > ceiling, close > ceiling
        opened_below, closed_below = opened < floor, close < floor
    # Where both prices are beyond a bound it is the bound that looks wrong.
    for faulty, field in (
        (opened_above & closed_above, "high"),
        (opened_below & closed_below, "low"),
        (opened_above | opened_below, "open"),
        (closed_above | closed_below, "close"),
    ):
        screen.refuse(faulty, field, told)


def check_not_yet(screen: Screen, starts: IntArray, ends: IntArray, now: int, tz: str) -> None:
    """Refuse bars of the future, and one that was still running when it was read."""
    screen.refuse(starts > now, "time", "lies in the future")
    screen.refuse(
        ends > now,
        "time",
        lambda i, _: f"unfinished: the bar ends at {local_text(int(ends[i]), tz)}",
    )
