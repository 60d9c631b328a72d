"""Whether a range of instants can hold a bar that is over: nights are not asked for."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from db.calendar import calendar
from db.intervals import SECOND, Interval
from db.sources.fetching.ranges import Range


def holds_a_bar(
    span: Range, interval: str, phases: tuple[str, ...], exchange: str = "XNYS"
) -> bool:
    """Whether a bar of this length begins and ends in ``span`` in one of these phases."""
    cal, length = calendar(exchange), Interval.parse(interval)
    since, until = _us(span.since), _us(span.until)
    if length.is_daily:
        days = cal.local_midnights(cal.dates)
        return bool(((days >= since) & (cal.closes <= until)).any())
    bounds = {
        "pre": (cal.pre_start, cal.opens),
        "regular": (cal.opens, cal.closes),
        "post": (cal.closes, cal.post_end),
    }
    for phase in phases or ("regular",):
        begins, ends = bounds[phase]
        step = length.microseconds
        # Bars are counted from where the phase begins; its last one may be cut short.
        first = begins + -(np.minimum(begins - since, 0) // step) * step
        if ((first < ends) & (np.minimum(first + step, ends) <= until)).any():
            return True
    return False


def _us(instant: datetime) -> int:
    return int(instant.timestamp() * SECOND)
