"""Daily prices of a company over two years, with a known fall on chosen days."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.demo.market import SimulatedMarket
from backtest.demo.simulated import simulated
from db.calendar import calendar
from db.intervals import Interval
from tests.tiny_store import TinyStore, parse_bars, sessions_between

FIRST, LAST = "2018-01-02", "2019-12-20"
DAYS = sessions_between(FIRST, LAST)


def prices(moves: Mapping[str, tuple[float, float]], *, seed: int = 1) -> pd.DataFrame:
    """Daily bars: a quiet zigzag of 1 % a day, but on some days (gap, open to close)."""
    rng = np.random.default_rng(seed)
    quiet = rng.normal(0, 0.001, len(DAYS))
    rows, close = [], 100.0
    for number, day in enumerate(DAYS):
        usual = (0.0, (0.01 if number % 2 else -0.01) + quiet[number])
        gap, move = moves.get(day, usual)
        opened = close * (1 + gap)
        close = opened * (1 + move)
        rows.append(
            f"{day} {opened:.17g} {max(opened, close):.17g} {min(opened, close):.17g} {close:.17g}"
        )
    return parse_bars("\n".join(rows), Interval.D1)


def phases(seed: int) -> pd.DataFrame:
    """Minute bars of three months: one in the morning, two in the day, one in the evening."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in sessions_between("2019-01-02", "2019-03-29"):
        for clock in ("08:00", "09:30", "15:59", "16:10"):
            rows.append(f"{day} {clock} {20 * np.exp(rng.normal(0, 0.01)):.4f}")
    return parse_bars("\n".join(rows), Interval.M1)


def session(day: str, ahead: int = 0) -> str:
    """The session ``ahead`` sessions after a day's."""
    cal = calendar("XNYS")
    index = int(cal.index_of_dates(np.array([day], "datetime64[D]"))[0])
    return str(cal.dates[index + ahead])


def reversing(tiny: TinyStore, share: float, seed: int = 7) -> None:
    """A SIMULATED market of daily bars in which a share of the falls on releases turns.

    Its other nights fall as far now and then, and with a share of 0 no price can be predicted.
    """
    simulation = simulated(
        SimulatedMarket(
            seed=seed,
            interval=Interval.D1,
            daily_vol=0.045,
            event_vol=0.0,
            drop_rate=0.5,
            drop_floor=0.01,
            drop_mean=0.03,
            reversal_share=share,
            reversal_gain=0.10,
            reversal_gain_sd=0.01,
            recovery_evening=0.0,
            premarket_share=0.0,
            reaction_vol=1.0,
            evening_shock=0.002,
            reaction_shock=0.004,
        )
    )
    for batch in (simulation.actions, simulation.bars("1d"), simulation.events):
        tiny.store.ingest(batch)
