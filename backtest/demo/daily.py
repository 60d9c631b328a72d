"""Daily bars: what the minutes of a session add up to, or the same drawn at once."""

from __future__ import annotations

import numpy as np

from backtest.demo.bars import SimulatedBars, bridge_extremes, printed
from backtest.demo.releases import generator
from backtest.demo.skeleton import PRE, REGULAR, Skeleton
from backtest.paths import FloatArray
from db.calendar import Phase

_VOLUME_NOISE = 0.25


def daily_bars(sk: Skeleton, windows: SimulatedBars | None) -> SimulatedBars:
    """One bar a stock and session; those inside ``windows`` are summed up from its bars.

    Open, high, low and close are the regular session's; the volume is the whole day's.  Without
    windows the opens and closes are the same, highs and lows another draw.
    """
    n, t = sk.log_scale.shape
    rng = generator(sk.market.seed, 7)
    first, last = sk.traded[:, :, PRE].ravel(), sk.traded[:, :, REGULAR].ravel()
    top, bottom = bridge_extremes(first, last, _regular_variance(sk).ravel(), rng)
    opening, closing = sk.daily_sides
    prints = printed(
        sk.market,
        (first, top, bottom, last),
        (opening.ravel(), closing.ravel()),
        sk.market.half_spread,
    )
    noise = np.exp(_VOLUME_NOISE * rng.standard_normal(n * t) - _VOLUME_NOISE**2 / 2)
    bars = SimulatedBars(
        instrument=np.repeat(np.arange(n, dtype=np.int64), t),
        start=np.tile(sk.cal.opens[sk.sessions], n),
        open=prints.open,
        high=prints.high,
        low=prints.low,
        close=prints.close,
        volume=np.maximum(np.rint(sk.usual_volume.ravel() * noise), 1.0),
        session=np.tile(np.arange(t, dtype=np.int64), n),
        phase=np.full(n * t, Phase.REGULAR, dtype=np.int8),
    )
    if windows is not None:
        _sum_up(bars, windows, t)
    return bars


def _regular_variance(sk: Skeleton) -> FloatArray:
    variance = sk.shocks.own_variance[:, :, REGULAR] + (
        sk.beta[:, None] ** 2 * sk.shocks.market_variance[:, REGULAR]
    )
    variance[sk.releases.instrument, sk.releases.reaction] += sk.market.reaction_shock**2
    return variance


def _sum_up(daily: SimulatedBars, windows: SimulatedBars, t: int) -> None:
    """Replace the daily bars of the windows' sessions by what their bars add up to."""
    day = windows.instrument * t + windows.session
    first_of_day = np.flatnonzero(np.diff(day, prepend=-1))
    daily.volume[day[first_of_day]] = np.add.reduceat(windows.volume, first_of_day)
    regular = windows.take(windows.phase == Phase.REGULAR)
    day = regular.instrument * t + regular.session
    first = np.flatnonzero(np.diff(day, prepend=-1))
    last = np.append(first[1:], len(day)) - 1
    daily.open[day[first]] = regular.open[first]
    daily.high[day[first]] = np.maximum.reduceat(regular.high, first)
    daily.low[day[first]] = np.minimum.reduceat(regular.low, first)
    daily.close[day[first]] = regular.close[last]
