"""Arrays that cross from the join to the fills: sorted bars, and one order an event.

Nothing here computes.  Times are int64 microseconds since the epoch, UTC; prices of an
instrument are in one frame (splits removed), so only ratios and `Paths.scale` carry meaning
beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Paths:
    """Bars after the reference close, as slices into one set of sorted bars.

    The first group has one entry a bar (M bars, all instruments, sorted by instrument and start,
    auction bars left out); the second one entry an event (N).
    """

    start: IntArray
    end: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    """Shares; NaN or 0 means unknown."""
    phase: ByteArray
    session: IntArray
    """Index of the exchange session whose hours hold the bar."""
    dividend: FloatArray
    """Cash a share that went ex since the instrument's bar before (0 on most bars)."""

    lead: IntArray
    """Index of the earliest bar that may be looked back to (same instrument, before `first`)."""
    first: IntArray
    """Index of the first bar that starts at or after the event's reference close."""
    stop: IntArray
    """One past the last bar that the event may use (all the instrument's later bars may be in)."""
    reaction_session: IntArray
    reference: FloatArray
    """Reference close, in the frame of the bars."""
    scale: FloatArray
    """Multiplies a price of the frame to give the price as traded at the reference close."""


@dataclass(frozen=True, eq=False)
class Orders:
    """One order an event (N), before it is known whether it fills."""

    kind: ByteArray
    """`execution.OrderKind`."""
    decided_at: IntArray
    """Instant of the decision: no bar that starts before it may fill."""
    expires_at: IntArray
    """The order is dead at this instant: a bar must start before it.  MARKET: the session's
    close; LIMIT: `decided_at` plus its life, cut at the end of the phase."""
    from_bar: IntArray
    """Index of the first bar that may fill it (MARKET, LIMIT: the bar after the deciding one;
    LIMIT_ON_OPEN, SAME_PRINT: the very bar whose open fills it); -1 where there is none."""
    limit: FloatArray
    """LIMIT: the deciding bar's close (the offset is applied by the fill rules);
    LIMIT_ON_OPEN: the limit itself; in the frame of the bars, NaN for the other kinds."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What became of each order (N); bar indexes are -1 and prices NaN where nothing happened."""

    fill: ByteArray
    """`execution.Fill`."""
    entry_bar: IntArray
    entry_at: IntArray
    """The bar's start for a fill at its open, its end for a fill within it."""
    entry_price: FloatArray
    """Paid, half-spread and slippage included, commission not."""
    entry_mid: FloatArray
    """The same before half-spread and slippage."""
    exit_bar: IntArray
    exit_at: IntArray
    exit_price: FloatArray
    exit_mid: FloatArray
    reason: ByteArray
    """`execution.ExitReason`."""
    dividends: FloatArray
    """Cash a share credited while held (charged, for a short)."""
    ambiguous: BoolArray
    """Stop and target both touched in the exit bar."""
    other_price: FloatArray
    """Exit price under the other order of touching (equal to `exit_price` if not ambiguous)."""
    unknown_volume: BoolArray
    """Filled in extended hours, entry or exit, in a bar whose volume is unknown."""
    gross: FloatArray
    """Return before costs, dividends included."""
    net: FloatArray
    """Return after half-spread, slippage, commission and borrow fee."""
    net_other: FloatArray
    """`net` under the other order of touching."""
