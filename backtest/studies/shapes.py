"""The night of an event, moved to other sessions: the same release, had it come then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from backtest.panel.sessions import EventSessions, event_sessions, from_us
from backtest.paths import IntArray
from backtest.selection import session_labels
from db.calendar import Calendar, calendar

Kind = Literal["post", "pre", "regular", "date"]


@dataclass(frozen=True, order=True)
class Shape:
    """When in the exchange's day a release comes.

    ``offset`` (us): after the close (``post``), before the open (``pre``) or after it
    (``regular``); -1 is the whole of that part of the day, as a source's label says it.
    """

    kind: Kind
    offset: int = -1

    def sessions(self, exchange: str, reference: IntArray) -> EventSessions:
        """Releases of this shape whose reference sessions are ``reference`` (n), by the rules of
        every event.
        """
        cal = calendar(exchange)
        since, until, precision = self._interval(cal, reference)
        frame = pd.DataFrame(
            {
                "exchange": exchange,
                "announced_from": from_us(since),
                "announced_to": from_us(until),
                "precision": precision,
            }
        )
        return event_sessions(frame)

    def _interval(self, cal: Calendar, reference: IntArray) -> tuple[IntArray, IntArray, str]:
        following = np.minimum(reference + 1, len(cal) - 1)
        opens, closes = cal.opens[following], cal.closes
        day = np.timedelta64(1, "D")
        if self.kind == "date":
            dates = cal.dates[following]
            return cal.local_midnights(dates), cal.local_midnights(dates + day), "date"
        if self.offset >= 0:
            at = {
                "post": closes[reference] + self.offset,
                "pre": opens - self.offset,
                "regular": np.minimum(opens + self.offset, closes[following] - 1),
            }[self.kind]
            return at, at, "exact"
        if self.kind == "post":
            end = cal.local_midnights(cal.dates[reference] + day)
            return closes[reference], end, "session"
        if self.kind == "pre":
            return cal.local_midnights(cal.dates[following]), opens, "session"
        return opens, closes[following] - 1, "session"


def shapes_of(events: pd.DataFrame, sessions: EventSessions, *, daily: bool) -> list[Shape]:
    """The shape of each event.  Daily bars cannot tell an evening from a morning.

    A release on a day without a session is taken as one of the whole evening before.
    """
    labels = session_labels(events)
    exact = (events["precision"] == "exact").to_numpy()
    two_sessions = sessions.reaction - sessions.reference > 1
    found = []
    for i, label in enumerate(labels):
        if label not in ("pre", "regular", "post"):
            found.append(Shape("date") if two_sessions[i] else Shape("post"))
        elif daily:
            found.append(Shape("regular" if label == "regular" else "post"))
        else:
            found.append(Shape(label, _offset(sessions, i, label) if exact[i] else -1))
    return found


def _offset(s: EventSessions, i: int, label: str) -> int:
    if label == "post":
        return int(s.announced_from[i] - s.reference_close[i])
    distance = int(s.announced_from[i] - s.reaction_open[i])
    return distance if label == "regular" else -distance
