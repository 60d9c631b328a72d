"""The slots of a session in which bars may stand, and how variance spreads over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.demo.skeleton import POST, PRE, REGULAR
from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray
from db.calendar import Calendar, Phase
from db.intervals import MINUTE, Interval

_PRE_MINUTES, _REGULAR_MINUTES, _HALF_MINUTES, _POST_MINUTES = 330, 390, 210, 240


@dataclass(frozen=True)
class Grid:
    """K slots a session: the pre-market's, the full regular session's, the evening's.

    A half day leaves the last regular slots empty: no variance, no bars.
    """

    interval: Interval

    @property
    def step(self) -> int:
        """Minutes a slot."""
        return self.interval.microseconds // MINUTE

    @property
    def width(self) -> int:
        """K."""
        return (_PRE_MINUTES + _REGULAR_MINUTES + _POST_MINUTES) // self.step

    @property
    def open(self) -> int:
        """First regular slot."""
        return _PRE_MINUTES // self.step

    @property
    def auction(self) -> int:
        """The slot that starts at the close."""
        return (_PRE_MINUTES + _REGULAR_MINUTES) // self.step

    def part(self, part: int) -> slice:
        """Columns of a part of the session (`skeleton.PRE`, `REGULAR`, `POST`)."""
        bounds = {PRE: (0, self.open), REGULAR: (self.open, self.auction)}
        return slice(*bounds.get(part, (self.auction, self.width)))

    def closing_slots(self, half_days: BoolArray) -> IntArray:
        """The last regular slot of each session."""
        minutes = np.where(half_days, _HALF_MINUTES, _REGULAR_MINUTES)
        return self.open + minutes // self.step - 1

    def minutes(self, part: int) -> FloatArray:
        """End of each slot of a part, minutes after the part's start."""
        columns = self.part(part)
        return self.step * np.arange(1, columns.stop - columns.start + 1, dtype=np.float64)

    def weights(self, part: int, half_days: BoolArray) -> FloatArray:
        """Sessions x slots of a part: share of the part's variance in each slot."""
        if part == REGULAR:
            return self._regular[half_days.astype(np.int64)]
        count = len(self.minutes(part))
        return np.broadcast_to(1.0 / count, (len(half_days), count))

    @cached_property
    def _regular(self) -> FloatArray:
        """Row 0 for a full day, row 1 for a half day: a U, busiest after the open."""
        rows = np.zeros((2, _REGULAR_MINUTES // self.step))
        for row, minutes in enumerate((_REGULAR_MINUTES, _HALF_MINUTES)):
            count = minutes // self.step
            place = (np.arange(count) + 0.5) / count
            shape = 0.6 + 2.4 * np.exp(-place / 0.08) + 1.0 * np.exp(-(1 - place) / 0.10)
            rows[row, :count] = shape / shape.sum()
        return rows

    def decay(self, part: int, minute: IntArray, half_life: float) -> FloatArray:
        """Releases x slots of a part: 0 before each release's minute, then halving from 1."""
        since = self.minutes(part)[None, :] - self.step - minute[:, None]
        return np.where(since >= 0, 0.5 ** (np.maximum(since, 0) / half_life), 0.0)

    def starts(self, cal: Calendar, sessions: IntArray) -> IntArray:
        """Sessions x K: start of each slot, us UTC."""
        micros = self.step * MINUTE
        out = np.empty((len(sessions), self.width), dtype=np.int64)
        first = {PRE: cal.pre_start, REGULAR: cal.opens, POST: cal.closes}
        for part, instants in first.items():
            columns = self.part(part)
            steps = np.arange(columns.stop - columns.start, dtype=np.int64) * micros
            out[:, columns] = instants[sessions][:, None] + steps
        return out

    @cached_property
    def phases(self) -> ByteArray:
        """K: phase of each slot; only minute bars have one for the closing auction."""
        out = np.full(self.width, Phase.POST, dtype=np.int8)
        out[: self.auction] = Phase.REGULAR
        out[: self.open] = Phase.PRE
        if self.interval is Interval.M1:
            out[self.auction] = Phase.AUCTION
        return out
