"""A sweep of a strategy that cannot earn, and the returns that the tests of a search are given."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.evidence.inference import overlapping_test
from backtest.evidence.overfitting import (
    Deflation,
    Overfitting,
    Superiority,
    deflate,
    overfitting_probability,
    superior_settings,
)
from backtest.execution import Exits
from backtest.panel.panel import EventPanel
from backtest.paths import FloatArray
from backtest.sweeps.grid import parse_grid
from backtest.sweeps.measure import Combined, Market, combine
from calibration.panels import FREE, RULES
from strategies.gap_reversal import GapReversal

GRID = {
    "drop": [0.03, 0.04, 0.05, 0.06, 0.07],
    "exits.target": [0.05, 0.10, 0.15, None],
    "exits.hold": [0, 1, 2, 5, 10],
}
"""100 settings.  No stops: where a bar touches both the stop counts first, which costs."""


@dataclass(frozen=True, eq=False)
class Search:
    """100 settings of the gap reversal on ``panel``, in the order of `GRID`, and their judges."""

    panel: EventPanel
    seed: int
    reps: int

    @cached_property
    def combined(self) -> Combined:
        """The sweep's own tables."""
        n = len(self.panel)
        market = Market(
            panel=self.panel,
            known=self.panel.sessions.reference_close,
            filtered=np.zeros(n, dtype=np.bool_),
            costs=FREE,
            rules=RULES,
        )
        return combine(parse_grid(GapReversal(exits=Exits(hold=0)), GRID), market)

    @cached_property
    def monthly(self) -> FloatArray:
        """Months x settings: sums of returns by month of entry, as `Sweep.monthly` has them."""
        return self.combined.sums()[1]

    @cached_property
    def p_values(self) -> FloatArray:
        """Of each setting's mean trade (`overlapping_test`: holds share sessions)."""
        found = np.full(len(self.combined), np.nan)
        hold = self.combined.levels.holds[self.combined.cell % len(self.combined.levels.holds)]
        for setting in self.combined.in_turn():
            part, rows, _, net = self.combined.trades(setting)
            first = self.panel.sessions.reaction[part.tables.fills.event[rows]]
            found[setting] = overlapping_test(net, first, first + hold[setting]).p_value
        return found

    @cached_property
    def superiority(self) -> Superiority:
        """Reality check, SPA and Romano-Wolf of the months."""
        return superior_settings(self.monthly, reps=self.reps, seed=self.seed)

    @cached_property
    def deflation(self) -> Deflation:
        """PSR and DSR of the setting with the highest Sharpe ratio."""
        return deflate(self.monthly, periods_a_year=12)

    @cached_property
    def overfitting(self) -> Overfitting:
        """PBO of the months in 16 blocks."""
        return overfitting_probability(self.monthly)
