"""Closing marks of the account, and the last price known of a position at any instant.

Times are int64 microseconds since the epoch, UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backtest.account.candidates import Candidates
from backtest.paths import FloatArray, IntArray
from db.errors import DataError, UsageError

MarkPrice = Callable[[int, int, int], FloatArray]
"""``(candidate row, lo, hi)`` -> its regular closes at the marks lo <= m < hi, in the frame of its
entry price; NaN where the instrument did not trade."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Regular closes at which the account is valued.

    Raises DataError where the instants do not ascend.
    """

    at: IntArray
    """Instants of the regular closes (M), from the start of the account to its last exit."""
    price: MarkPrice

    def __post_init__(self) -> None:
        if self.at.ndim != 1 or not len(self.at) or (np.diff(self.at) <= 0).any():
            raise DataError("the closes must be a list of ascending instants", where="marks")

    def __len__(self) -> int:
        return len(self.at)


class LastPrices:
    """Prices of positions as known: the last close, else the entry price.

    From its ex-instant on a dividend is off the last known price until the next close, as it is
    off the price at the open: the cash is credited by then, and would be counted twice.
    An instrument that does not trade at a close keeps its last price.
    """

    def __init__(self, candidates: Candidates, marks: Marks) -> None:
        filled = candidates.filled
        last = int(candidates.exit_at[filled].max(initial=marks.at[0]))
        if last > marks.at[-1]:
            raise UsageError(
                "the closes end before the last trade does",
                where=f"last close {_utc(int(marks.at[-1]))}, last exit {_utc(last)}",
                hint="extend the closes to the first one after the last exit",
            )
        self._marks = marks
        self.marks_at: list[int] = marks.at.tolist()
        self._entry_at: list[int] = candidates.entry_at.tolist()
        self._entry_price: list[float] = candidates.entry_price.tolist()
        # At one instant exits and entries come before the mark: what enters at a close is
        # valued at it, what leaves at a close is cash.
        self.lo = np.searchsorted(marks.at, candidates.entry_at, side="left")
        self.hi = np.maximum(np.searchsorted(marks.at, candidates.exit_at, side="left"), self.lo)
        self._lo: list[int] = self.lo.tolist()
        self._hi: list[int] = self.hi.tolist()
        self._paths: dict[int, FloatArray] = {}
        self.dividends: dict[int, list[tuple[int, float]]] = {}
        """Row -> its (ex-instant, cash a share), ascending."""
        for index in np.lexsort((candidates.dividend_cash, candidates.dividend_at)).tolist():
            ex = int(candidates.dividend_at[index]), float(candidates.dividend_cash[index])
            self.dividends.setdefault(int(candidates.dividend_row[index]), []).append(ex)

    def path(self, row: int) -> FloatArray:
        """Prices at the marks ``lo[row]`` to ``hi[row]``, without gaps.

        Raises DataError for a price that is not positive, or the wrong number of them.
        """
        path = self._paths.get(row)
        if path is None:
            path = self._paths[row] = self._read(row)
        return path

    def at(self, row: int, instant: int) -> float:
        """The price of a position (already entered) as known at ``instant``."""
        lo = self._lo[row]
        known = min(bisect_right(self.marks_at, instant), self._hi[row]) - lo
        if known > 0:
            price, since = float(self.path(row)[known - 1]), self.marks_at[lo + known - 1]
        else:
            price, since = self._entry_price[row], self._entry_at[row]
        return self._ex(row, price, since, instant)

    def _ex(self, row: int, price: float, since: int, until: int) -> float:
        """``price`` less the dividends that went ex after ``since``, up to ``until``."""
        for ex, cash in self.dividends.get(row, ()):
            if since < ex <= until:
                price = max(price - cash, 0.0)
        return price

    def _read(self, row: int) -> FloatArray:
        lo, hi = self._lo[row], self._hi[row]
        if lo == hi:
            return np.empty(0)
        path = np.array(self._marks.price(row, lo, hi), dtype=np.float64)
        if path.shape != (hi - lo,):
            raise DataError(f"{hi - lo} closes were asked for, {path.shape} came", where="marks")
        missing = np.isnan(path)
        if not (path[~missing] > 0).all() or np.isinf(path).any():
            raise DataError("a close is not a positive number", where="marks")
        if missing.any():
            price, since = self._entry_price[row], self._entry_at[row]
            for offset, at in enumerate(self.marks_at[lo:hi]):
                price = self._ex(row, price, since, at) if missing[offset] else float(path[offset])
                path[offset], since = price, at
        return path


def _utc(instant: int) -> str:
    return str(np.datetime64(instant, "us")) + "Z"
