"""Where in exchange time each event lies: its reference close and its reaction session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.paths import BoolArray, IntArray
from db.calendar import Calendar, Phase, calendar


@dataclass(frozen=True, eq=False)
class EventSessions:
    """Sessions of N events, by index into their exchange's calendar; instants in us UTC."""

    exchange: list[str]
    announced_from: IntArray
    announced_to: IntArray
    reference: IntArray
    """The last session that had closed at the interval's start (-1: before the calendar)."""
    reference_close: IntArray
    reaction: IntArray
    """The first session that closes after the interval's end."""
    reaction_open: IntArray
    reaction_close: IntArray
    day0: IntArray
    """Day 0 of an event study: the reaction session, but for a bare date the first session on
    or after it."""
    in_session: BoolArray
    """The release began in regular hours."""


def to_us(column: pd.Series) -> IntArray:
    """A frame's UTC instants as int64 microseconds."""
    naive = pd.DatetimeIndex(column).tz_convert("UTC").tz_localize(None)
    return naive.to_numpy().astype("datetime64[us]").astype(np.int64)


def from_us(instants: IntArray) -> pd.Series:
    """int64 microseconds as a frame's UTC instants; negative (nothing happened) is NaT."""
    stamps = np.asarray(instants, dtype=np.int64).astype("datetime64[us]")
    stamps[np.asarray(instants) < 0] = np.datetime64("NaT")
    return pd.Series(pd.DatetimeIndex(stamps).tz_localize("UTC"))


def event_sessions(events: pd.DataFrame) -> EventSessions:
    """Reference close and reaction session of each row of ``events`` (DESIGN, "An event").

    Needs the columns ``exchange``, ``announced_from``, ``announced_to`` and ``precision``.
    """
    n = len(events)
    exchange = [str(name) for name in events["exchange"]]
    since, until = to_us(events["announced_from"]), to_us(events["announced_to"])
    by_date = (events["precision"] == "date").to_numpy()
    columns = {
        name: np.full(n, -1, dtype=np.int64)
        for name in (
            "reference",
            "reference_close",
            "reaction",
            "reaction_open",
            "reaction_close",
            "day0",
        )
    }
    in_session = np.zeros(n, dtype=np.bool_)
    names = np.array(exchange, dtype=object)
    for name in sorted(set(exchange)):
        cal = calendar(name)
        mine = np.flatnonzero(names == name)
        reference = cal.last_close_at_or_before(since[mine])
        reaction = np.minimum(cal.first_close_after(until[mine]), len(cal) - 1)
        columns["reference"][mine] = reference
        columns["reference_close"][mine] = np.where(
            reference >= 0, cal.closes[np.maximum(reference, 0)], -1
        )
        columns["reaction"][mine] = reaction
        columns["reaction_open"][mine] = cal.opens[reaction]
        columns["reaction_close"][mine] = cal.closes[reaction]
        columns["day0"][mine] = _day0(cal, since[mine], reaction, by_date[mine])
        in_session[mine] = cal.phases_at(since[mine]) == Phase.REGULAR
    return EventSessions(
        exchange=exchange,
        announced_from=since,
        announced_to=until,
        in_session=in_session & ~by_date,
        **columns,
    )


def _day0(cal: Calendar, since: IntArray, reaction: IntArray, by_date: BoolArray) -> IntArray:
    on_or_after = cal.first_session_on_or_after(cal.local_dates(since))
    return np.where(by_date, np.minimum(on_or_after, len(cal) - 1), reaction)
