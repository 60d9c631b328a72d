"""Bars as plain arrays, and the printing of prices: spread, noise and ticks."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from backtest.demo.market import SimulatedMarket
from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class SimulatedBars:
    """M bars sorted by instrument and start; prices as traded, volumes in shares."""

    instrument: IntArray
    """0 for the first symbol, and so on."""
    start: IntArray
    """us UTC."""
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    session: IntArray
    """Counted from the market's first session."""
    phase: ByteArray
    """`db.calendar.Phase`."""

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: IntArray | BoolArray | slice) -> SimulatedBars:
        """Some of the bars."""
        return SimulatedBars(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @staticmethod
    def join(parts: list[SimulatedBars]) -> SimulatedBars:
        """One after the other; at least one part."""
        return SimulatedBars(
            **{
                f.name: np.concatenate([getattr(part, f.name) for part in parts])
                for f in fields(SimulatedBars)
            }
        )


@dataclass(frozen=True, eq=False)
class Prints:
    """Open, high, low and close of M bars."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray


def bridge_extremes(
    first: FloatArray, last: FloatArray, variance: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Highest and lowest log mid-price between two known ones.

    The maximum of a Brownian bridge from a to b with variance v is
    (a + b + sqrt((b - a)^2 + 2 v E)) / 2 with E standard exponential (from the reflection
    principle; Karatzas and Shreve 1991, section 2.8).  Drawing the minimum the same way and
    independently keeps either one exact; only how they go together is not.
    """
    middle = first + last
    gap = (last - first) ** 2
    rise = np.sqrt(gap + 2 * variance * rng.standard_exponential(len(first)))
    fall = np.sqrt(gap + 2 * variance * rng.standard_exponential(len(first)))
    return (middle + rise) / 2, (middle - fall) / 2


def printed(
    market: SimulatedMarket,
    logs: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    sides: tuple[ByteArray, ByteArray],
    half_spread: FloatArray | float,
) -> Prints:
    """Prices as printed, from the log mid-prices (open, high, low, close) of M bars.

    Opens and closes are trades at the bid or the ask (``sides`` -1 or 1); the extremes are of
    the mid-price, widened to hold them; everything is rounded to ticks.
    """
    first, top, bottom, last = (np.exp(values) for values in logs)
    first *= 1 + half_spread * sides[0]
    last *= 1 + half_spread * sides[1]
    np.maximum(top, np.maximum(first, last), out=top)
    np.minimum(bottom, np.minimum(first, last), out=bottom)
    return Prints(*(round_to_tick(market.tick, values) for values in (first, top, bottom, last)))


def round_to_tick(tick: float, prices: FloatArray) -> FloatArray:
    """The nearest tick, at least one; monotone, so the order of prices in a bar survives."""
    if not tick:
        return prices
    per_unit = round(1 / tick)
    # Dividing by a whole number gives the very double that "12.34" parses to.
    return np.maximum(np.rint(prices * per_unit), 1.0) / per_unit
