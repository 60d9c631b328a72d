"""What a filing proves of a release: by when it was out, and since when it was not yet.

A report says "on this day we announced", so the announcement lies before the report could be
read.  That is the interval's end, and a proof: the SEC's own clock.  The interval's start is the
beginning of the day that the company gives as the date of its report, the earliest event in it.
That the release came after the last close is likely for a report of 16:05, and nothing here says
so; another source that does makes an evening of a few minutes out of the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from db.batches import Precision, SessionLabel
from db.calendar import Calendar
from db.intervals import SECOND
from db.sources.online.edgar.answers import Header

NEW_YORK = ZoneInfo("America/New_York")
OPENS_AT = time(6)
"""When the SEC's site shows what was accepted after 17:30 on the day before."""
DEADLINE = 4
"""Business days in which such a report is due; a date of report before that is a mistake."""


@dataclass(frozen=True)
class Bound:
    """The interval (UTC) in which a release lies, as far as its filing proves it."""

    begin: datetime
    end: datetime
    precision: Precision
    session: SessionLabel


def accepted_at(header: Header) -> datetime:
    """When the SEC took the filing in (UTC); its headers tell New York's clock."""
    return _utc(header.accepted)


def public_at(header: Header) -> datetime:
    """When a filing could first be read (UTC).

    At once when accepted until 17:30; later ones get the next business day as their filing date
    and are shown from 6:00 of that day on.
    """
    accepted = accepted_at(header)
    if header.filed <= header.accepted.date():
        return accepted
    return max(accepted, _utc(datetime.combine(header.filed, OPENS_AT)))


def bound_of(header: Header, calendar: Calendar) -> Bound:
    """The release that a filing reports: from the date of its report up to when it was public.

    A day before the deadline for such reports (a quarter's last day, given by mistake) counts as
    the deadline, and so does one after the acceptance.  ``session`` is ``pre`` where the whole
    interval lies between a session's midnight and its open; anything else proves no session.
    """
    end = public_at(header)
    day = end.astimezone(NEW_YORK).date()
    earliest = _sessions_before(calendar, day, DEADLINE)
    first = header.period if header.period and header.period <= day else earliest
    first = max(first, earliest)
    begin = _utc(datetime.combine(first, time.min))
    early = first == day and _before_open(calendar, day, end)
    return Bound(begin, end, "session" if early else "date", "pre" if early else "")


def _sessions_before(calendar: Calendar, day: date, count: int) -> date:
    """The date of the ``count``-th session before a day."""
    index = int(calendar.first_session_on_or_after(np.array([day], "datetime64[D]"))[0]) - count
    found: date = calendar.dates[max(index, 0)].astype(object)
    return found


def _before_open(calendar: Calendar, day: date, instant: datetime) -> bool:
    session = int(calendar.index_of_dates(np.array([day], "datetime64[D]"))[0])
    opens = calendar.opens[session] if session >= 0 else -1
    return bool(session >= 0 and instant.timestamp() * SECOND <= opens)


def _utc(clock: datetime) -> datetime:
    """New York clock time as an instant; of the two in the hour that comes twice, the later."""
    return clock.replace(tzinfo=NEW_YORK, fold=1).astimezone(UTC)
