"""A made-up market for the fakes: prices that anybody can work out again, as they were traded.

No randomness and no files: a price is a function of the symbol and the minute, so that two
questions about the same minute agree, whenever and however they are asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

import numpy as np

from db.calendar import calendar
from db.intervals import MINUTE, SECOND, Interval

EXCHANGE = calendar("XNYS")
PHASES = ("pre", "regular", "post")


@dataclass(frozen=True)
class Bar:
    """What was traded from ``start`` (UTC) on; nothing of it is adjusted."""

    start: datetime
    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True)
class Stock:
    """One share with its history: splits as (ex-date, new shares, old shares), cash dividends.

    On the days of ``halted`` it is not traded.
    """

    symbol: str
    splits: Sequence[tuple[date, int, int]] = ()
    dividends: Sequence[tuple[date, float]] = ()
    listed: date = date(1995, 1, 3)
    halted: Sequence[date] = ()

    @cached_property
    def _level(self) -> float:
        return 40.0 + sum(map(ord, self.symbol)) % 200

    def shares_since_listing(self, day: date) -> float:
        """What one first share had become by that day."""
        return math.prod(new / old for ex, new, old in self.splits if ex <= day)

    def bars(
        self, interval: Interval, since: datetime, until: datetime, phases: Sequence[str] = PHASES
    ) -> Iterator[Bar]:
        """Bars that start in the range, oldest first; daily ones start at their session's open."""
        first, last = _us(since), _us(until)
        for index in np.flatnonzero((EXCHANGE.post_end > first) & (EXCHANGE.pre_start < last)):
            day = EXCHANGE.dates[index].astype(date)
            if day < self.listed or day in self.halted:
                continue
            if interval.is_daily:
                found = iter([self._day(int(index))])
            else:
                found = self._within(int(index), interval, phases)
            yield from (bar for bar in found if since <= bar.start < until)

    def _day(self, index: int) -> Bar:
        starts, prices = self._minutes(index, "regular")
        return _bar(int(starts[0]), prices, volume=len(prices) * 100 + 7)

    def _within(self, index: int, interval: Interval, phases: Sequence[str]) -> Iterator[Bar]:
        for phase in phases:
            starts, prices = self._minutes(index, phase)
            slots = (starts - starts[0]) // interval.microseconds
            for slot in np.unique(slots):
                at = slots == slot
                begin = int(starts[0] + slot * interval.microseconds)
                volume = int(at.sum()) * 100 if phase == "regular" else 0
                yield _bar(begin, prices[at], volume)

    def _minutes(self, index: int, phase: str) -> tuple[np.ndarray, np.ndarray]:
        """Start and price of each traded minute; outside regular hours every second one is."""
        bounds = {
            "pre": (EXCHANGE.pre_start, EXCHANGE.opens, 2),
            "regular": (EXCHANGE.opens, EXCHANGE.closes, 1),
            "post": (EXCHANGE.closes, EXCHANGE.post_end, 2),
        }
        begins, ends, step = bounds[phase]
        starts = np.arange(begins[index], ends[index], step * MINUTE)
        day = EXCHANGE.dates[index].astype(date)
        hours = (starts - EXCHANGE.opens[index]) / (60 * MINUTE)
        value = self._level * (1 + 0.05 * np.sin(index / 11 + hours / 24) + 0.002 * np.sin(hours))
        return starts, np.round(value / self.shares_since_listing(day), 2)


def _bar(start: int, prices: np.ndarray, volume: int) -> Bar:
    ends = float(prices[0]), float(prices[-1])
    extremes = float(prices.max()), float(prices.min())
    return Bar(_instant(start), ends[0], *extremes, ends[1], volume)


def _us(instant: datetime) -> int:
    return int(instant.timestamp() * SECOND)


def _instant(us: int) -> datetime:
    return datetime.fromtimestamp(us / SECOND, tz=UTC)
