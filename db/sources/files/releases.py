"""When a company released its figures: an instant, a session, or a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import cast

import numpy as np

from db.batches import Precision, SessionLabel
from db.calendar import Calendar
from db.intervals import DAY
from db.sources.files.arrow import IntArray
from db.sources.files.bar_checks import wall_to_instants
from db.sources.files.provenance import to_datetime
from db.sources.files.record_rows import RecordTable
from db.sources.files.sessions import Moments, read_moments, session_fault
from db.sources.files.time_columns import Times
from db.sources.files.times import TimeParser

_YES = {"true", "t", "yes", "y", "1"}


@dataclass(frozen=True)
class Release:
    """The interval in which a release came out, both ends UTC."""

    begin: datetime
    end: datetime
    precision: Precision
    session: SessionLabel


def read_releases(
    table: RecordTable, parser: TimeParser, tz: str | None, calendar: Calendar
) -> list[Release]:
    """The release of each row; refuses rows whose day, session or clock time cannot be read."""
    screen = table.screen
    times = parser.parse(screen.cells("announced"))
    screen.refuse(times.bad, "announced", parser.fault)
    stamped = ~times.dates_alone() & ~times.bad
    moments = _moments(table)
    days = times.wall // DAY
    screen.refuse(
        stamped & (moments.clock >= 0) & (times.wall % DAY != moments.clock),
        "announced",
        "two times of day in one row that differ",
    )
    beside = ~stamped & ~times.bad & (moments.clock >= 0)
    timed = stamped | beside
    instants = wall_to_instants(
        screen,
        Times(
            wall=np.where(beside, days * DAY + moments.clock, times.wall),
            utc=times.utc,
            zoned=times.zoned & stamped,
            has_clock=timed,
            bad=~timed,
        ),
        "announced",
        tz,
    )
    sessions = _sessions_at(calendar, instants)
    differing = [
        bool(label) and label != session
        for label, session in zip(moments.labels, sessions, strict=True)
    ]
    screen.refuse(
        timed & np.array(differing, dtype=np.bool_),
        "session" if "session" in screen else "announced",
        lambda i, _: f"contradicts the time of day, which is {sessions[i] or 'closed'}",
    )
    return [
        _exact(instant, session) if exact else _interval(calendar, day, label)
        for exact, instant, session, day, label in zip(
            timed.tolist(), instants.tolist(), sessions, days.tolist(), moments.labels, strict=True
        )
    ]


def _moments(table: RecordTable) -> Moments:
    """Label and clock time of each row; what the file calls inferred counts as not said."""
    count = len(table.screen)
    labels: list[SessionLabel] = [""] * count
    clock = np.full(count, -1, dtype=np.int64)
    for field in ("session", "clock"):
        if field not in table.screen:
            continue
        found = read_moments(table.texts(field))
        table.screen.refuse(~found.known, field, session_fault)
        labels = [new or old for new, old in zip(found.labels, labels, strict=True)]
        clock = np.where(found.clock >= 0, found.clock, clock)
    inferred = np.array(
        [text.lower() in _YES for text in table.texts("session_inferred")], dtype=np.bool_
    )
    kept: list[SessionLabel] = [
        "" if guess else label for guess, label in zip(inferred.tolist(), labels, strict=True)
    ]
    return Moments(kept, np.where(inferred, -1, clock), np.ones(count, dtype=np.bool_))


def _sessions_at(calendar: Calendar, instants: IntArray) -> list[SessionLabel]:
    """The label of the part of the day in which each instant lies; empty on a day off.

    As for labels: ``pre`` from midnight to the open, ``post`` from the close to midnight.
    """
    session = calendar.index_of_dates(calendar.local_dates(instants))
    part = np.where(
        session < 0,
        3,
        (instants >= calendar.opens[session]).astype(np.int64)
        + (instants >= calendar.closes[session]),
    )
    names: tuple[SessionLabel, ...] = ("pre", "regular", "post", "")
    return [names[index] for index in part.tolist()]


def _exact(instant: int, session: SessionLabel) -> Release:
    at = to_datetime(instant)
    return Release(at, at, "exact", session)


@lru_cache(maxsize=32_768)
def _interval(calendar: Calendar, day: int, label: SessionLabel) -> Release:
    """The calendar's answer, asked once for each date and label: rows share few of them."""
    begin, end, precision = calendar.release_interval(date(1970, 1, 1) + timedelta(days=day), label)
    session: SessionLabel = label if precision == "session" else ""
    return Release(to_datetime(begin), to_datetime(end), cast(Precision, precision), session)
