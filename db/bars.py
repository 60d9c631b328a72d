"""Bars as they are read: plain arrays, sorted, with the version they came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from db.batches import Adjustment
from db.intervals import Interval

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of one interval and source, sorted by (instrument, start); every array has n entries.

    ``start`` is in microseconds since the epoch, UTC.  ``volume`` is NaN where unknown.
    ``source`` is empty and ``version`` -1 where there are no such bars at all.
    """

    instrument: IntArray
    start: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    interval: Interval
    source: str
    adjusted: Adjustment
    version: int

    def __len__(self) -> int:
        return len(self.start)

    def bounds(self, instrument_id: int) -> tuple[int, int]:
        """Where one instrument's bars lie: ``start[lo:hi]``; empty (lo == hi) where it has none."""
        low, high = np.searchsorted(self.instrument, [instrument_id, instrument_id + 1])
        return int(low), int(high)


def no_bars(interval: Interval) -> Bars:
    """Bars of an interval that the store has none of."""
    empty = np.empty(0, dtype=np.float64)
    return Bars(
        instrument=np.empty(0, dtype=np.int64),
        start=np.empty(0, dtype=np.int64),
        open=empty,
        high=empty,
        low=empty,
        close=empty,
        volume=empty,
        interval=interval,
        source="",
        adjusted="none",
        version=-1,
    )
