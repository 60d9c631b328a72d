"""Sessions and phases of an exchange's day, from its calendar and never from the data.

Times are int64 microseconds since the epoch, UTC.  A day on an exchange with extended hours is
`PRE` until the open, `REGULAR` until the close and `POST` until the evening's end; everything
else is `CLOSED`.  The one-minute bar that starts at the close holds the closing auction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from db.errors import UsageError
from db.intervals import DAY, Interval

if TYPE_CHECKING:
    import pandas as pd

IntArray = npt.NDArray[np.int64]
DateArray = npt.NDArray[np.datetime64]

_FIRST, _LAST = "1990-01-01", "2035-12-31"
_EXTENDED = {"NYSE": "America/New_York", "NASDAQ": "America/New_York"}
_ALIASES = {"XNYS": "NYSE", "XNAS": "NASDAQ", "ARCX": "NYSE", "BATS": "NYSE", "XASE": "NYSE"}


class Phase(IntEnum):
    """Part of the exchange's day a bar starts in."""

    CLOSED = 0
    PRE = 1
    REGULAR = 2
    AUCTION = 3
    POST = 4

    @property
    def label(self) -> str:
        return self.name.lower()


EXTENDED_PHASES = (Phase.PRE, Phase.POST)


@dataclass(frozen=True, eq=False)
class Calendar:
    """Sessions of one exchange, sorted; every array has one entry a session."""

    name: str
    tz: str
    dates: DateArray
    pre_start: IntArray
    opens: IntArray
    closes: IntArray
    post_end: IntArray

    def __len__(self) -> int:
        return len(self.dates)

    @property
    def has_extended_hours(self) -> bool:
        return bool((self.pre_start < self.opens).any())

    def phases(self, starts: IntArray, interval: Interval) -> npt.NDArray[np.int8]:
        """Phase of each bar by its start (any shape).  Daily bars are `REGULAR`."""
        if interval.is_daily:
            return np.full(np.shape(starts), Phase.REGULAR, dtype=np.int8)
        return self._phases(starts, auction=interval is Interval.M1)

    def phases_at(self, instants: IntArray) -> npt.NDArray[np.int8]:
        """Phase in which each instant lies; a boundary belongs to what begins there."""
        return self._phases(instants, auction=False)

    def _phases(self, instants: IntArray, *, auction: bool) -> npt.NDArray[np.int8]:
        instants = np.asarray(instants, dtype=np.int64)
        session = self.session_of(instants)
        opens, closes = self.opens[session], self.closes[session]
        # PRE, REGULAR and POST are 1, 2 and 4: each boundary passed steps to the next.
        phases = np.full(instants.shape, Phase.PRE, dtype=np.int8)
        phases += instants >= opens
        phases += (Phase.POST - Phase.REGULAR) * (instants >= closes).astype(np.int8)
        if auction:
            phases[instants == closes] = Phase.AUCTION
        phases[session < 0] = Phase.CLOSED
        return phases

    def session_of(self, instants: IntArray) -> IntArray:
        """Index of the session whose hours (extended ones included) hold each instant, or -1."""
        index = self._last_started(instants)
        inside = (index >= 0) & (instants < self.post_end[np.maximum(index, 0)])
        return np.where(inside, index, -1)

    def _last_started(self, instants: IntArray) -> IntArray:
        """Index of the last session whose day had begun at each instant (-1: none).

        By a table over UTC days, several times as fast as a binary search a stamp: at most one
        session begins on a day, so the table's entry is right or one too low.
        """
        instants = np.asarray(instants, dtype=np.int64)
        day = np.clip(instants // DAY - self._first_day, -1, len(self._by_day) - 2)
        index = self._by_day[day + 1]
        following = np.minimum(index + 1, len(self) - 1)
        begun = (self.pre_start[following] <= instants) & (following > index)
        return index + begun

    @cached_property
    def _first_day(self) -> int:
        return int(self.pre_start[0] // DAY)

    @cached_property
    def _by_day(self) -> IntArray:
        """Last session begun before each UTC day; the first entry is for all earlier days."""
        days = np.arange(self._first_day, self.pre_start[-1] // DAY + 2) * DAY
        table = np.searchsorted(self.pre_start, days, side="left") - 1
        return np.concatenate([[-1], table]).astype(np.int64)

    def bar_ends(self, starts: IntArray, interval: Interval) -> IntArray:
        """End of each bar: its nominal length, cut where its phase ends (half-hour stubs)."""
        index = np.maximum(self._last_started(starts), 0)
        if interval.is_daily:
            return self.closes[index]
        limit = np.where(
            starts < self.opens[index],
            self.opens[index],
            np.where(starts < self.closes[index], self.closes[index], self.post_end[index]),
        )
        nominal = starts + interval.microseconds
        # A stray bar outside every phase keeps its nominal length.
        return np.where(limit > starts, np.minimum(nominal, limit), nominal)

    def index_of_dates(self, dates: DateArray) -> IntArray:
        """Index of the session on each date, or -1 where there was none."""
        dates = np.asarray(dates, dtype="datetime64[D]")
        index = np.searchsorted(self.dates, dates)
        inside = index < len(self.dates)
        found = inside & (self.dates[np.minimum(index, len(self.dates) - 1)] == dates)
        return np.where(found, index, -1)

    def last_close_at_or_before(self, instants: IntArray) -> IntArray:
        """Index of the last session that had closed at each instant (-1: none)."""
        return np.searchsorted(self.closes, instants, side="right") - 1

    def first_close_after(self, instants: IntArray) -> IntArray:
        """Index of the first session that closes after each instant (``len(self)``: none)."""
        return np.searchsorted(self.closes, instants, side="right")

    def first_session_on_or_after(self, dates: DateArray) -> IntArray:
        """Index of the first session on or after each date (``len(self)``: none)."""
        return np.searchsorted(self.dates, np.asarray(dates, "datetime64[D]"))

    def local_midnights(self, dates: DateArray) -> IntArray:
        """The instant at which each date begins on the exchange."""
        import pandas as pd

        stamps = pd.DatetimeIndex(np.asarray(dates, "datetime64[us]")).tz_localize(self.tz)
        return _to_us(stamps)

    def local_dates(self, instants: IntArray) -> DateArray:
        """The exchange's date at each instant."""
        import pandas as pd

        stamps = pd.DatetimeIndex(np.asarray(instants, "datetime64[us]"), tz="UTC")
        naive = stamps.tz_convert(self.tz).tz_localize(None)
        return cast(DateArray, naive.to_numpy().astype("datetime64[D]"))

    def release_interval(self, day: date, label: str) -> tuple[int, int, str]:
        """(from, to, precision) of a release known by date and session label.

        ``pre`` runs from the date's midnight to its open, ``post`` from its close to midnight,
        ``regular`` from its open to just before its close.  No label, or a label on a day
        without a session, is the whole day.
        """
        days = np.array([day, day], dtype="datetime64[D]") + np.array([0, 1])
        midnight, next_midnight = (int(x) for x in self.local_midnights(days))
        session = int(self.index_of_dates(days[:1])[0])
        if session < 0 or not label:
            return midnight, next_midnight, "date"
        if label == "pre":
            return midnight, int(self.opens[session]), "session"
        if label == "post":
            return int(self.closes[session]), next_midnight, "session"
        if label == "regular":
            return int(self.opens[session]), int(self.closes[session]) - 1, "session"
        raise UsageError(
            f"unknown session label {label!r}", hint="one of pre, regular, post, or none"
        )


def _to_us(stamps: pd.DatetimeIndex | pd.Series) -> IntArray:
    import pandas as pd

    index = pd.DatetimeIndex(stamps).tz_convert("UTC").tz_localize(None)
    return index.to_numpy().astype("datetime64[us]").astype(np.int64)


@lru_cache(maxsize=16)
def calendar(exchange: str = "XNYS") -> Calendar:
    """The calendar of an exchange, by MIC (``XNYS``) or common name (``NYSE``)."""
    import pandas_market_calendars as mcal

    name = _ALIASES.get(exchange.upper(), exchange)
    try:
        source = mcal.get_calendar(name)
    except RuntimeError as error:
        raise UsageError(
            f"no calendar for exchange {exchange!r}",
            hint="use a market identifier code such as XNYS, XNAS, XETR or XLON",
        ) from error
    extended = name in _EXTENDED
    times = ["market_open", "market_close", *(["pre", "post"] if extended else [])]
    schedule = source.schedule(_FIRST, _LAST, market_times=times)
    opens, closes = _to_us(schedule["market_open"]), _to_us(schedule["market_close"])
    return Calendar(
        name=exchange,
        tz=str(source.tz),
        dates=schedule.index.to_numpy().astype("datetime64[D]"),
        pre_start=_to_us(schedule["pre"]) if extended else opens,
        opens=opens,
        closes=closes,
        post_end=_to_us(schedule["post"]) if extended else closes,
    )


def days_between(first: int, last: int) -> float:
    """Calendar days between two instants."""
    return (last - first) / DAY
