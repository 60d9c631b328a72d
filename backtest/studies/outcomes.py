"""The two outcomes of a window: its close against the reference close, and against a price paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.studies.conditions import TOLERANCE
from backtest.studies.tape import Nights
from db.intervals import DAY

NO_CLOSE = "no close at the end of the hold"
NO_PRICE = "no price between the knowledge and the close"


@dataclass(frozen=True, eq=False)
class Ends:
    """Where the outcome of N windows lies."""

    bar: IntArray
    """The bar that closes it."""
    there: BoolArray
    """Whether the session in which it ends has a regular close."""
    over: IntArray
    """Instant of that close, by the calendar."""
    day: IntArray
    """Number of the reaction session's day; companies of several exchanges share days."""
    last_day: IntArray
    """Number of the day on which the outcome ends."""


def outcome_ends(nights: Nights, hold: int) -> Ends:
    """``hold`` sessions after the reaction session (0: its own close)."""
    measures = nights.measures
    over, _ = measures.closes(hold)
    return Ends(
        bar=measures.end_of_session(hold) - 1,
        there=~np.isnan(measures.close_after(hold)),
        over=over,
        day=nights.panel.sessions.reaction_close // DAY,
        last_day=over // DAY,
    )


def from_reference(nights: Nights, ends: Ends) -> FloatArray:
    """Close against the reference close (N), dividends added; NaN without that close."""
    return _move(nights, ends, nights.panel.reference_bar, nights.measures.reference)


def from_entry(nights: Nights, ends: Ends, entry: IntArray) -> FloatArray:
    """Close against the open of the bar ``entry`` (N); NaN where that bar comes too late."""
    inside = np.clip(entry, 0, max(len(nights.table) - 1, 0))
    moves = _move(nights, ends, inside, nights.table.open[inside])
    return np.where((entry >= 0) & (entry <= ends.bar), moves, np.nan)


def _move(nights: Nights, ends: Ends, bar: IntArray, price: FloatArray) -> FloatArray:
    t, last = nights.table, np.maximum(ends.bar, 0)
    cash = t.paid[last] - t.paid[bar]
    return np.where(ends.there, (t.close[last] + cash) / price - 1, np.nan)


def gained(moves: FloatArray, gain: float, side: int = 1) -> BoolArray:
    """Where a move in our favour is at least ``gain`` (equal counts); NaN is not."""
    return np.asarray(side * moves >= gain - TOLERANCE)
