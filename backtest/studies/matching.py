"""Matching events with nights of the same company: a pure function of arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.studies.conditions import TOLERANCE
from db.errors import UsageError

NO_NIGHT = "no night without news that can be measured"
NO_SIZE = "no night that moved as far"
NO_VOLATILITY = "no night as volatile"
NOT_BOTH = "no night that moved as far and was as volatile"


@dataclass(frozen=True)
class Calipers:
    """How far a night may be from the event that it stands for."""

    nights: int = 5
    """At most so many, the nearest."""
    size: float = 0.25
    """Difference of the moves, as a fraction of the event's."""
    volatility: float = 0.25
    """Difference of the logs of the volatilities."""

    def __post_init__(self) -> None:
        if self.nights < 1:
            raise UsageError(f"nights must be at least 1, not {self.nights}")
        for name in ("size", "volatility"):
            if not 0 < getattr(self, name) < 1:
                raise UsageError(
                    f"the {name} caliper must lie between 0 and 1, not {getattr(self, name)!r}"
                )


@dataclass(frozen=True, eq=False)
class Traits:
    """What n windows are matched by."""

    group: IntArray
    """The same number for windows that may be matched: one company and one kind of night."""
    size: FloatArray
    """Signed: a fall never stands for a rise."""
    volatility: FloatArray

    def __len__(self) -> int:
        return len(self.group)


@dataclass(frozen=True, eq=False)
class Matches:
    """P pairs of an event and a night, and the events without one."""

    event: IntArray
    night: IntArray
    distance: FloatArray
    """In calipers: the root of the sum of both squared differences."""
    reason: np.ndarray
    """Why an event has no night (one an event); empty where it has."""


def match(events: Traits, nights: Traits, calipers: Calipers) -> Matches:
    """Up to ``calipers.nights`` nearest nights of the same group for each event.

    Both calipers must hold (equal counts).  Of equally near nights the earlier in ``nights`` is
    taken; one night may stand for several events.
    """
    order = np.argsort(nights.group, kind="stable")
    begins = np.searchsorted(nights.group[order], events.group, side="left")
    ends = np.searchsorted(nights.group[order], events.group, side="right")
    reason = np.full(len(events), "", dtype=object)
    pairs: list[tuple[IntArray, IntArray, FloatArray]] = []
    log_event, log_night = np.log(events.volatility), np.log(nights.volatility)
    for i, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        rows = order[begin:end]
        if not len(rows):
            reason[i] = NO_NIGHT
            continue
        by_size = _ratio(np.abs(nights.size[rows] - events.size[i]), abs(events.size[i]))
        by_size /= calipers.size
        by_volatility = np.abs(log_night[rows] - log_event[i]) / calipers.volatility
        near, calm = by_size <= 1 + TOLERANCE, by_volatility <= 1 + TOLERANCE
        inside = np.flatnonzero(near & calm)
        if not len(inside):
            reason[i] = _why_none(near, calm)
            continue
        distance = np.hypot(by_size[inside], by_volatility[inside])
        chosen = np.argsort(distance, kind="stable")[: calipers.nights]
        pairs.append((np.full(len(chosen), i), rows[inside[chosen]], distance[chosen]))
    if not pairs:
        empty = np.empty(0, dtype=np.int64)
        return Matches(empty, empty, np.empty(0), reason)
    event, night, distance = (np.concatenate(part) for part in zip(*pairs, strict=True))
    return Matches(event, night, distance, reason)


def _ratio(difference: FloatArray, size: float) -> FloatArray:
    """Nothing is near a move of nothing but another one."""
    if size > 0:
        return np.asarray(difference / size)
    return np.where(difference == 0, 0.0, np.inf)


def _why_none(near: BoolArray, calm: BoolArray) -> str:
    if not near.any():
        return NO_SIZE
    return NOT_BOTH if calm.any() else NO_VOLATILITY
