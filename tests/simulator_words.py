"""Words of the slow simulator: bars, orders, fills, and what a side means.

*Ahead* is the side on which a position earns (above for a long, below for a short), *behind* the
side on which it loses; with these two, every rule reads the same for both directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from backtest.execution import Costs, ExitReason, Exits, Fill, FillRules
from db.calendar import EXTENDED_PHASES, Phase

TOLERANCE = 1e-9
NAN = math.nan


@dataclass(frozen=True)
class Bar:
    index: int
    start: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    phase: int
    session: int
    dividend: float

    @property
    def highest(self) -> float:
        """A bar that contradicts itself is judged by its open too."""
        return max(self.high, self.open)

    @property
    def lowest(self) -> float:
        return min(self.low, self.open)

    @property
    def extended(self) -> bool:
        return self.phase in EXTENDED_PHASES

    @property
    def regular(self) -> bool:
        return self.phase == Phase.REGULAR

    @property
    def volume_unknown(self) -> bool:
        return math.isnan(self.volume) or self.volume == 0


class Order(NamedTuple):
    kind: int
    decided_at: int
    expires_at: int
    from_bar: int
    limit: float


@dataclass(frozen=True)
class Trade:
    """What became of one order; the fields of `backtest.paths.Outcomes`."""

    fill: Fill
    entry_bar: int = -1
    entry_at: int = -1
    entry_price: float = NAN
    entry_mid: float = NAN
    exit_bar: int = -1
    exit_at: int = -1
    exit_price: float = NAN
    exit_mid: float = NAN
    reason: ExitReason = ExitReason.NONE
    dividends: float = NAN
    ambiguous: bool = False
    other_price: float = NAN
    unknown_volume: bool = False
    gross: float = NAN
    net: float = NAN
    net_other: float = NAN


class Entry(NamedTuple):
    bar: Bar
    price: float
    mid: float
    within: bool
    """Filled inside the bar, not at its open."""


class Exit(NamedTuple):
    bar: Bar
    at: int
    price: float
    mid: float
    reason: ExitReason
    dividends: float
    other_price: float
    """What the target would have paid where the stop was taken first; else NaN."""


@dataclass(frozen=True)
class Setting:
    """What is the same for every event, and the vocabulary of the side."""

    exits: Exits
    costs: Costs
    rules: FillRules
    side: int

    def ahead(self, price: float, level: float) -> bool:
        """Is the price at the level or on its earning side?"""
        if self.side > 0:
            return price >= level * (1 - TOLERANCE)
        return price <= level * (1 + TOLERANCE)

    def behind(self, price: float, level: float) -> bool:
        """Is the price at the level or on its losing side?"""
        if self.side > 0:
            return price <= level * (1 + TOLERANCE)
        return price >= level * (1 - TOLERANCE)

    def foremost(self, a: float, b: float) -> float:
        return max(a, b) if self.side > 0 else min(a, b)

    def hindmost(self, a: float, b: float) -> float:
        return min(a, b) if self.side > 0 else max(a, b)

    def best_of(self, bar: Bar) -> float:
        return bar.highest if self.side > 0 else bar.lowest

    def worst_of(self, bar: Bar) -> float:
        return bar.lowest if self.side > 0 else bar.highest

    def moved(self, price: float, gain: float) -> float:
        """The price after a move by which the position gains (loses, if negative)."""
        return price * (1 + gain) if self.side > 0 else price * (1 - gain)

    def entered(self, price: float, cost: float) -> float:
        """A buyer pays more, a short seller receives less."""
        return self.moved(price, cost)

    def left(self, price: float, cost: float) -> float:
        return self.moved(price, -cost)

    def half_spread(self, bar: Bar) -> float:
        return self.costs.extended_half_spread if bar.extended else self.costs.half_spread

    def market_cost(self, bar: Bar) -> float:
        return self.half_spread(bar) + self.costs.slippage

    def fits(self, bar: Bar, price: float) -> bool:
        """May an order of our size trade in this bar at this price?"""
        if bar.regular or bar.volume_unknown:
            return True
        most = self.rules.participation * bar.volume * price
        return self.rules.notional <= most * (1 + TOLERANCE)
