"""What a strategy makes of the events: its situation, since when it was there, and its fills."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from backtest.execution import Fill, OrderKind
from backtest.orders import ask, decide
from backtest.outcomes import simulate
from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, IntArray
from backtest.settings import RunSettings
from backtest.strategy import Strategy
from db.errors import UsageError


@dataclass(frozen=True, eq=False)
class Situation:
    """N events: whether the strategy's `setup` holds, and the bar's end from which it did."""

    mask: BoolArray
    known_at: IntArray
    """us UTC; 0 where it held before the first bar, or does not hold."""


@dataclass(frozen=True, eq=False)
class Fills:
    """N events: which the strategy filled, when that was decided, and the first bar it could
    fill on.
    """

    mask: BoolArray
    decided_at: IntArray
    from_bar: IntArray


def situation(strategy: Strategy, panel: EventPanel) -> Situation | None:
    """The strategy's setup, asked again with each window cut after fewer and fewer bars.

    ``setup`` says whether, not since when.  Windows cut after t bars know what was known at the
    end of bar t, so the earliest t at which it holds is looked for by halving.  A setup that
    comes and goes is dated by one of the bars at which it came.
    """
    whole = _setup(strategy, panel)
    if whole is None:
        return None
    lo = np.full(len(panel), -1, dtype=np.int64)
    hi = np.where(whole, panel.hi - panel.lo, 0)
    while True:
        open_ = np.flatnonzero(hi - lo > 1)
        if not len(open_):
            break
        middle = (lo + hi) // 2
        cut = dataclasses.replace(panel, hi=panel.lo + np.maximum(middle, 0))
        held = _setup(strategy, cut)
        assert held is not None
        hi[open_] = np.where(held[open_], middle[open_], hi[open_])
        lo[open_] = np.where(held[open_], lo[open_], middle[open_])
    last = np.minimum(panel.lo + np.maximum(hi, 1) - 1, max(len(panel.table) - 1, 0))
    known = np.where(whole & (hi > 0), panel.table.end[last], 0)
    return Situation(whole, known)


def _setup(strategy: Strategy, panel: EventPanel) -> BoolArray | None:
    found = ask(strategy, "setup", panel)
    if found is None:
        return None
    mask = np.asarray(found)
    if mask.dtype != np.bool_ or mask.size != len(panel):
        raise UsageError(
            f"{type(strategy).__name__}.setup returned {mask.dtype} of the shape {mask.shape}",
            hint="one bool an event, such as ever(p.close <= p.reference * 0.95)",
        )
    return mask.reshape(-1)


def fills(strategy: Strategy, panel: EventPanel, known: IntArray, settings: RunSettings) -> Fills:
    """Decide and fill as a run does (every fill counts, with or without a slot)."""
    side = 1 if strategy.side == "long" else -1
    orders = decide(strategy, panel, known, settings.rules).orders
    outcomes = simulate(panel.paths, orders, strategy.exits, settings.costs, settings.rules, side)
    filled = np.asarray(outcomes.fill == Fill.FILLED)
    decided = np.where(orders.kind == OrderKind.NONE, 0, orders.decided_at)
    return Fills(filled, decided, orders.from_bar)
