"""Arrays of events x bars with the few operations that a rule over time needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from backtest.paths import BoolArray
from db.errors import UsageError


class PanelArray(np.ndarray[Any, np.dtype[np.float64]]):
    """A float array, events down and bars across, whose column t is known at the end of bar t.

    It is a NumPy array with methods that look back and none that looks ahead.  Where an event
    has fewer bars than the widest, the rest of its row is NaN, and a comparison with NaN is
    false: padding never triggers anything.
    """

    def running_min(self) -> PanelArray:
        """Lowest value so far in each row (shape kept); NaN is passed over."""
        return as_panel_array(np.fmin.accumulate(np.asarray(self), axis=1))

    def running_max(self) -> PanelArray:
        """Highest value so far in each row (shape kept); NaN is passed over."""
        return as_panel_array(np.fmax.accumulate(np.asarray(self), axis=1))

    def running_sum(self) -> PanelArray:
        """Sum so far in each row (shape kept); NaN counts as nothing."""
        return as_panel_array(np.nancumsum(np.asarray(self), axis=1))

    def lag(self, bars: int = 1) -> PanelArray:
        """The value ``bars`` traded bars earlier; NaN at the start of a row.

        Raises UsageError for a negative lag, which would look ahead.
        """
        if bars < 0:
            raise UsageError(f"lag({bars}) would look ahead", hint="use a lag of 0 or more bars")
        values = np.asarray(self)
        shifted = np.full_like(values, np.nan)
        kept = max(values.shape[1] - bars, 0)
        shifted[:, bars:] = values[:, :kept]
        return as_panel_array(shifted)


def as_panel_array(values: npt.ArrayLike) -> PanelArray:
    """View ``values`` as a read-only `PanelArray`."""
    array = np.asarray(values, dtype=np.float64).view(PanelArray)
    array.flags.writeable = False
    return array


def first(mask: npt.NDArray[np.bool_]) -> BoolArray:
    """Keep the first True of each row: an event is decided once.

    ``mask`` is events x bars; so is the result.
    """
    mask = np.asarray(mask, dtype=np.bool_)
    only: BoolArray = mask & (np.cumsum(mask, axis=1) == 1)
    return only


def ever(mask: npt.NDArray[np.bool_]) -> BoolArray:
    """Whether any bar of each event is marked: events x bars in, one value an event out."""
    found: BoolArray = np.logical_or.reduce(np.asarray(mask, dtype=np.bool_), axis=1)
    return found
