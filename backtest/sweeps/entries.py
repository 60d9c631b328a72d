"""Entries of all combinations: decided once for each setting of the parameters that they read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from backtest.execution import Costs, Fill, FillRules, OrderKind
from backtest.orders import ask, decide
from backtest.panel.panel import EventPanel
from backtest.panel.prices import PriceTable
from backtest.paths import BoolArray, IntArray, Orders
from backtest.strategy import Strategy
from backtest.sweeps.fills import Fills, find_fills
from backtest.sweeps.grid import Grid
from backtest.sweeps.reading import watched

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One call of ``entries``, and what became of its orders."""

    reads: dict[str, Any]
    """Parameters that the decision looked at, with the values they had."""
    content: frozenset[str]
    """Content columns that it looked at."""
    side: int
    orders: Orders
    fills: Fills
    missed: int
    """Orders that were sent and met no bar, no price or too little volume."""


@dataclass(frozen=True, eq=False)
class Entered:
    """The evaluations of a grid, and which of them each combination has."""

    evaluations: list[Evaluation]
    of_combination: IntArray


def evaluate_entries(
    grid: Grid,
    panel: EventPanel,
    known: IntArray,
    filtered: BoolArray,
    costs: Costs,
    rules: FillRules,
    progress: Progress = lambda _done, _all: None,
) -> Entered:
    """Decide the entries of every combination, none twice.

    ``known`` (N, us UTC) is when each event's schedule was known, ``filtered`` (N) says which
    events the price filters keep out.  ``progress`` is told how many combinations are served.
    """
    panel = dataclasses.replace(panel, table=_Remembering.of(panel.table))
    of_combination = np.full(len(grid), -1, dtype=np.int64)
    evaluations: list[Evaluation] = []
    place = 0
    while place < len(grid):
        if of_combination[place] >= 0:
            ahead = np.flatnonzero(of_combination[place:] < 0)
            if not len(ahead):
                break
            place += int(ahead[0])
        done = _evaluate(grid.setting(place), panel, known, filtered, costs, rules)
        alike = _alike(grid, done.reads) & (of_combination < 0)
        alike[place] = True
        of_combination[alike] = len(evaluations)
        evaluations.append(done)
        progress(int((of_combination >= 0).sum()), len(grid))
    return Entered(evaluations, of_combination)


def _alike(grid: Grid, reads: dict[str, Any]) -> BoolArray:
    """Combinations in which every parameter that was read has the value that was read."""
    alike = np.ones(len(grid), dtype=np.bool_)
    for index, axis in enumerate(grid.axes):
        if axis.name not in reads:
            continue
        same = [_same(value, reads[axis.name]) for value in axis.values]
        alike &= np.array(same)[grid.places(index)]
    return alike


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)


def _evaluate(
    strategy: Strategy,
    panel: EventPanel,
    known: IntArray,
    filtered: BoolArray,
    costs: Costs,
    rules: FillRules,
) -> Evaluation:
    copy, reads = watched(strategy)
    before = set(panel.reads)
    panel.reads.clear()
    side = 1 if copy.side == "long" else -1
    orders = decide(_decided(copy, panel), panel, known, rules).orders
    orders.kind[filtered] = OrderKind.NONE
    content = frozenset(panel.reads)
    panel.reads.update(before)
    fills = find_fills(panel.paths, orders, costs, rules, side)
    # An opening print beyond the limit is no missed fill: the threshold was not met.
    unmet = (fills.code == Fill.PRICE) & (orders.kind[fills.event] == OrderKind.LIMIT_ON_OPEN)
    sent = (fills.code >= Fill.NO_BAR) & (fills.code <= Fill.VOLUME)
    missed = int((sent & ~unmet).sum())
    return Evaluation(dict(reads), content, side, orders, fills, missed)


def _decided(strategy: Strategy, panel: EventPanel) -> Strategy:
    """A stand-in that returns the entries already made, and has no reasons to give.

    The reasons of a funnel read parameters that the entries may not: they would cost a sweep its
    reuse and tell it nothing.
    """
    entries = ask(strategy, "entries", panel)
    body = {
        "entries": lambda _self, _panel: entries,
        "why_not": lambda _self, _panel: {},
        "phases": strategy.phases,
        "same_print": strategy.same_print,
    }
    return cast(Strategy, type(type(strategy).__name__, (), body)())


class _Remembering(PriceTable):
    """A table that looks an array of instants up once: most settings ask for the same bars."""

    @classmethod
    def of(cls, table: PriceTable) -> _Remembering:
        made = cls(**{spec.name: getattr(table, spec.name) for spec in dataclasses.fields(table)})
        object.__setattr__(made, "_found", [])
        return made

    def at_or_after(self, ranks: IntArray, instants: IntArray) -> IntArray:
        """As `PriceTable.at_or_after`; the answer must not be written to."""
        found: list[tuple[IntArray, IntArray, IntArray]] = vars(self)["_found"]
        for known_ranks, known_instants, bars in found:
            if known_ranks is ranks and known_instants is instants:
                return bars
        bars = super().at_or_after(ranks, instants)
        found.append((ranks, instants, bars))
        return bars
