"""One simulated market as the tests see it: trades, an event study, base rates, an account.

Everything is made when first asked for, by the code that a run uses, but from arrays instead of
a store.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.account.assembly import account_candidates, main_calendar, session_marks
from backtest.account.statistics import daily_returns
from backtest.demo.market import SimulatedMarket
from backtest.demo.simulated import Simulation, simulated
from backtest.evidence.event_study import AbnormalReturns, event_study, session_returns
from backtest.evidence.event_study.battery import Settings
from backtest.execution import Exits
from backtest.panel.panel import EventPanel
from backtest.paths import FloatArray
from backtest.settings import AccountSettings
from calibration.panels import EXCHANGE, FREE, Trades, bars_table, join, release_frame, trade
from db.calendar import calendar
from db.errors import DataError
from strategies.after_hours_reversal import AfterHoursReversal
from strategies.gap_reversal import GapReversal

if TYPE_CHECKING:
    from calibration.search import Search

REPS = 399
"""Draws of each bootstrap: with (1 + k) / (reps + 1) five percent is exactly 20 of 400."""
HOLDS = (0, 5)


@dataclass(frozen=True, eq=False)
class Studies:
    """Abnormal returns of an event study, and the settings of its tests."""

    values: AbnormalReturns
    settings: Settings


@dataclass(frozen=True, eq=False)
class Sample:
    """A market and what was made of it."""

    market: SimulatedMarket

    @property
    def seed(self) -> int:
        """Of the bootstraps: another in each market, or all would share one draw's error."""
        return self.market.seed % 2**32

    @cached_property
    def simulation(self) -> Simulation:
        """The market's prices and releases."""
        return simulated(self.market)

    @cached_property
    def events(self) -> pd.DataFrame:
        """All releases, by time."""
        return release_frame(self.simulation.skeleton.releases, self.market.symbols)

    @cached_property
    def daily(self) -> EventPanel:
        """All releases on daily bars."""
        return join(bars_table(self.simulation.as_read("1d"), self.market.symbols), self.events)

    @cached_property
    def evening(self) -> EventPanel:
        """Releases after the close on the market's own bars."""
        bars = self.simulation.as_read(self.market.interval)
        releases = self.simulation.skeleton.releases
        after = self.events["event_id"].isin(np.flatnonzero(~releases.premarket))
        return join(
            bars_table(bars, self.market.symbols), self.events[after].reset_index(drop=True)
        )

    @cached_property
    def evening_0(self) -> Trades:
        """After-hours reversal, out at the reaction session's close, no target and no stop."""
        return trade(_evening_rule(HOLDS[0]), self.evening)

    @cached_property
    def evening_5(self) -> Trades:
        """The same held for five sessions more."""
        return trade(_evening_rule(HOLDS[1]), self.evening)

    @cached_property
    def gap_0(self) -> Trades:
        """Gap reversal on daily bars, out at the reaction session's close."""
        return trade(GapReversal(exits=Exits(hold=HOLDS[0])), self.daily)

    @cached_property
    def gap_5(self) -> Trades:
        """The same held for five sessions more."""
        return trade(GapReversal(exits=Exits(hold=HOLDS[1])), self.daily)

    @cached_property
    def study(self) -> Studies:
        """Event study of all releases: market model with the market's own factor, the program's
        default windows.  DataError where a release cannot be studied.
        """
        returns = session_returns(self.daily.table)
        days = calendar(EXCHANGE).dates[self.daily.sessions.day0]
        study = event_study(
            returns,
            pd.DataFrame(
                {
                    "symbol": self.daily.events["instrument_id"].astype(object),
                    "day0": days.astype("datetime64[us]"),
                }
            ),
            market=pd.Series(self.simulation.arrays().market_return, index=returns.index),
            pairs="event",
            reps=REPS,
            seed=self.seed,
        )
        if len(study.dropped):
            raise DataError(f"{study.dropped_counts}", where="event study of a simulated market")
        return Studies(study.values, study.settings)

    @cached_property
    def account_returns(self) -> FloatArray:
        """Daily returns of the default account that takes the trades of `evening_5`."""
        from backtest.account.portfolio import keep_account

        panel, trades, settings = self.evening, self.evening_5, AccountSettings()
        rank = np.full(len(panel), np.nan)
        candidates, rows = account_candidates(panel, trades.orders, trades.outcomes, rank, FREE, 1)
        marks = session_marks(main_calendar(panel), panel, candidates, rows, 0)
        account = keep_account(candidates, marks, settings)
        return daily_returns(np.asarray(account.equity, dtype=np.float64), settings.cash)

    @cached_property
    def search(self) -> Search:
        """A sweep of `search.GRID` over daily bars."""
        from calibration.search import Search

        return Search(self.daily, seed=self.seed, reps=REPS)


def _evening_rule(hold: int) -> AfterHoursReversal:
    """Down 3 %, which is the market's smallest drop, and up 1 % from the low: some 70 trades."""
    return AfterHoursReversal(drop=0.03, rebound=0.01, exits=Exits(hold=hold))
