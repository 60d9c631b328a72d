"""What the generator of the simulated market meant each release to do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from backtest.demo.bars import SimulatedBars
from backtest.demo.facts import fiscal_periods
from backtest.demo.releases import Kind
from backtest.demo.skeleton import REGULAR, Skeleton
from backtest.paths import FloatArray
from db.calendar import Phase
from db.intervals import MINUTE


def truth_frame(sk: Skeleton, windows: SimulatedBars) -> pd.DataFrame:
    """One row a release, in the order of `Simulation.events`; moves are simple returns.

    ``symbol``, ``fiscal_period``, ``announced_at`` (UTC), ``session`` (pre, post),
    ``reference_date``, ``reaction_date``, ``kind`` (flat, continues, reverses), ``jump`` (the
    move at the release), ``turn_at`` (UTC; NaT unless it reverses), ``evening_low`` (lowest
    print after an evening release against the reference close; NaN for others and without bars),
    ``intended_reaction`` (what noise and shared shocks surround) and ``reaction`` (the mid-price
    at the reaction close, both against the reference close).
    """
    releases, symbols = sk.releases, sk.market.symbols
    periods = fiscal_periods(sk)
    stock = releases.instrument
    dates = sk.cal.dates[sk.sessions]
    before = sk.ends[stock, releases.reference, REGULAR]
    phase_start = releases.at - releases.minute * MINUTE
    turned = ~np.isnan(releases.turn)
    turn = phase_start + np.where(turned, releases.turn, 0.0) * MINUTE
    turn_at = np.where(turned, turn.astype("datetime64[us]"), np.datetime64("NaT"))
    return pd.DataFrame(
        {
            "symbol": [symbols[i] for i in stock],
            "fiscal_period": [periods[q] for q in releases.quarter],
            "announced_at": pd.DatetimeIndex(releases.at.astype("datetime64[us]"), tz="UTC"),
            "session": np.where(releases.premarket, "pre", "post"),
            "reference_date": dates[releases.reference].astype("datetime64[us]"),
            "reaction_date": dates[releases.reaction].astype("datetime64[us]"),
            "kind": [Kind(kind).label for kind in releases.kind],
            "jump": releases.jump,
            "turn_at": pd.DatetimeIndex(turn_at, tz="UTC"),
            "evening_low": _evening_low(sk, windows),
            "intended_reaction": releases.intended,
            "reaction": np.expm1(sk.ends[stock, releases.reaction, REGULAR] - before),
        }
    )


def _evening_low(sk: Skeleton, windows: SimulatedBars) -> FloatArray:
    """Lowest print from each evening release on, against the reference close (N)."""
    releases, t = sk.releases, sk.market.n_sessions
    low = np.full(len(releases), np.nan)
    day = releases.instrument * t + releases.reference
    bar_day = windows.instrument * t + windows.session
    first, stop = np.searchsorted(bar_day, day), np.searchsorted(bar_day, day, side="right")
    for event in np.flatnonzero(~releases.premarket & (stop > first)):
        evening = windows.take(slice(first[event], stop[event]))
        reference = evening.close[evening.phase == Phase.REGULAR][-1]
        later = (evening.phase == Phase.POST) & (evening.start >= releases.at[event])
        if later.any():
            low[event] = evening.low[later].min() / reference - 1
    return low
