"""From fills and lists of exits to the sums of every combination, without simulating one.

Outcomes are never held all at once: the first-touch tables are made for a block of fills, added
to the corners of the grid that they win, and forgotten.  What grows with the number of
combinations is their sums and months alone.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from backtest.execution import Costs, Exits, FillRules
from backtest.paths import BoolArray, FloatArray, IntArray, Paths
from backtest.sweeps import kernel
from backtest.sweeps.fills import Shared
from db.calendar import Phase

_BLOCK = 512
"""Fills whose tables are held at one time: they stay in the processor's second cache."""
_SHARD = 8192
"""Fills that are added up by one thread."""
_AHEAD = 64
"""Bars of a fill that are asked of the memory early: a hold of three months in daily bars."""
WORKERS = min(os.cpu_count() or 1, 8)
"""Threads; each holds the corners of one shard."""


@dataclass(frozen=True, eq=False)
class Levels:
    """The distinct values of each kind of exit, ascending; "none" is infinite and comes last."""

    stops: FloatArray
    trails: FloatArray
    targets: FloatArray
    holds: IntArray
    awake: tuple[bool, ...]
    """Whether stops are live in extended hours."""

    @classmethod
    def of(cls, exits: Sequence[Exits]) -> Levels:
        """Those that occur in any of ``exits``."""

        def distinct(values: set[float | None]) -> FloatArray:
            return np.array(sorted(np.inf if one is None else float(one) for one in values))

        return cls(
            stops=distinct({one.stop for one in exits}),
            trails=distinct({one.trail for one in exits}),
            targets=distinct({one.target for one in exits}),
            holds=np.array(sorted({int(one.hold) for one in exits}), dtype=np.int64),
            awake=tuple(sorted({bool(one.stops_in_extended_hours) for one in exits})),
        )

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Stops, trailing stops, targets, holds: the axes of a cell's number, holds fastest."""
        return len(self.stops), len(self.trails), len(self.targets), len(self.holds)

    @property
    def cells(self) -> int:
        """Combinations of levels, for stops awake or asleep."""
        return math.prod(self.sizes)

    def cell_of(self, exits: Exits) -> tuple[int, int]:
        """(place in `awake`, number of the cell) of some exits."""
        places = [
            int(np.searchsorted(values, np.inf if one is None else one))
            for values, one in (
                (self.stops, exits.stop),
                (self.trails, exits.trail),
                (self.targets, exits.target),
                (self.holds, exits.hold),
            )
        ]
        cell = int(np.ravel_multi_index(places, self.sizes))
        return self.awake.index(bool(exits.stops_in_extended_hours)), cell


@dataclass(frozen=True, eq=False)
class Sums:
    """What was added up: evaluations x (stops awake or not) x cells x ..."""

    totals: FloatArray
    """... statistics (`kernel.COUNT`, ...)."""
    monthly: FloatArray
    """Months x the same: sums of net returns."""


@dataclass(frozen=True, eq=False)
class Tables:
    """The market, the fills of one side, and the exits to be combined."""

    paths: Paths
    fills: Shared
    levels: Levels
    costs: Costs
    rules: FillRules
    side: int
    month: IntArray
    """Place of each fill's month, from 0 (U)."""

    @cached_property
    def _bars(self) -> Paths:
        """The bars in one piece each, as the kernel reads them: nearly always the same arrays."""
        arrays = {name: np.ascontiguousarray(values) for name, values in vars(self.paths).items()}
        return replace(self.paths, **arrays)

    @cached_property
    def _paying(self) -> bool:
        """Whether there is any dividend to look for."""
        return bool(self.paths.dividend.any())

    @cached_property
    def _plan(self) -> tuple[IntArray, IntArray, IntArray]:
        """As the kernel takes them: ``begin``, ``finite``, ``strides``."""
        levels = self.levels
        begin = np.concatenate([[0], np.cumsum(levels.sizes)])
        kinds = (levels.stops, levels.trails, levels.targets)
        finite = begin[:3] + np.array([np.isfinite(values).sum() for values in kinds])
        strides = np.array([np.prod(levels.sizes[kind + 1 :], dtype=np.int64) for kind in range(4)])
        return begin, finite, strides

    def sums(
        self, months: int, *, rows: BoolArray | None = None, cutoff: int = kernel.NEVER
    ) -> Sums:
        """Sums over all fills, or those marked in ``rows`` (U) and left by ``cutoff`` (us UTC).

        With ``months`` of 0 the monthly sums are left out.
        """
        shape = (len(self.levels.awake), self.levels.cells)
        members = self.fills.members
        totals = np.zeros((len(members), *shape, kernel.STATISTICS))
        monthly = np.zeros((months, len(members), *shape))
        pending: deque[tuple[int, Future[Sums]]] = deque()

        def add_first() -> None:
            index, future = pending.popleft()
            one = future.result()
            # An evaluation's sums are those of the classes whose fills it has.
            for evaluation in np.flatnonzero(members[:, index]):
                totals[evaluation] += one.totals
                monthly[:, evaluation] += one.monthly

        # Compiled and looked up here, not by several threads at once.
        _ = kernel.touches.native, kernel.corners.native
        _ = self._bars, self._paying, self._plan, self._bounds
        # The compiled code runs beside other threads.  Shards depend on the data alone and are
        # added in their order, so that the sums do not depend on how many there were.
        with ThreadPoolExecutor(WORKERS) as pool:
            for index, fills in self._shards():
                pending.append((index, pool.submit(self._of_shard, fills, months, rows, cutoff)))
                if len(pending) > 2 * WORKERS:
                    add_first()
            while pending:
                add_first()
        return Sums(totals, monthly)

    def _shards(self) -> list[tuple[int, slice]]:
        """(class, its fills), large classes in parts."""
        bounds = np.searchsorted(self.fills.owner, np.arange(self.fills.members.shape[1] + 1))
        return [
            (index, slice(at, min(at + _SHARD, int(hi))))
            for index, (lo, hi) in enumerate(pairwise(bounds))
            for at in range(int(lo), int(hi), _SHARD)
        ]

    def _of_shard(self, which: slice, months: int, rows: BoolArray | None, cutoff: int) -> Sums:
        chosen = np.arange(which.start, which.stop)
        if rows is not None:
            chosen = chosen[rows[which]]
        shape = (len(self.levels.awake), self.levels.cells)
        totals = np.empty((*shape, kernel.STATISTICS))
        monthly = np.empty((months, *shape))
        bars, (begin, _, strides) = self._bars, self._plan
        table = _Table.empty(min(_BLOCK, len(chosen)), int(begin[4]))
        for index, awake in enumerate(self.levels.awake):
            corner = np.zeros((4, self.levels.cells, kernel.STATISTICS))
            by_month = np.zeros((4, months, self.levels.cells))
            touch = self._toucher(chosen, awake, table)
            add = kernel.corners.bind(
                table.keys, table.nets, table.grosses, table.first_hold, chosen, self.month, begin,
                strides, bars.start, bars.end, np.empty(4, dtype=np.int64), corner.reshape(-1),
                by_month.reshape(-1), self.levels.cells, months, cutoff,
            )  # fmt: skip
            for lo in range(0, len(chosen), _BLOCK):
                hi = min(lo + _BLOCK, len(chosen))
                touch(lo, hi)
                add(lo, hi)
            totals[index] = _spread(corner, self.levels.sizes, outer=1)
            if months:
                monthly[:, index] = _spread(by_month, self.levels.sizes, outer=months)
        return Sums(totals, monthly)

    def tables_of(self, rows: IntArray, awake: bool) -> Touched:
        """The tables of some fills, held at once."""
        table = _Table.empty(len(rows), int(self._plan[0][4]))
        self._toucher(rows, awake, table)(0, len(rows))
        return Touched(table, self.levels.sizes)

    def first_holds(self) -> IntArray:
        """For each fill the first of the holds that was not over before it (U)."""
        p, f = self.paths, self.fills
        late = p.session[f.bar] + (p.phase[f.bar] == Phase.POST)
        first: IntArray = np.searchsorted(self.levels.holds, late - p.reaction_session[f.event])
        return first

    def _toucher(self, rows: IntArray, awake: bool, table: _Table) -> Callable[[int, int], None]:
        """What fills ``table`` with the touches of ``rows[lo:hi]``."""
        p, f, levels, (begin, finite, _) = self._bars, self.fills, self.levels, self._plan
        c, r = self.costs, self.rules
        return kernel.touches.bind(
            p.start, p.end, p.open, p.high, p.low, p.close, p.volume, p.dividend, p.phase,
            p.session, rows, f.bar, *self._bounds, f.price, f.mid, f.within,
            np.concatenate([-levels.stops, -levels.trails, levels.targets]),
            levels.holds, begin, finite,
            np.array([self.side, c.commission, c.borrow_rate, r.notional, r.participation]),
            self._by_phase(awake), np.empty(int(begin[4])), np.empty(4, dtype=np.int64),
            table.keys, table.nets, table.grosses, table.first_hold,
            self._paying, min(int(levels.holds[-1]) + 2, _AHEAD),
        )  # fmt: skip

    @cached_property
    def _bounds(self) -> tuple[IntArray, IntArray]:
        """One past the last bar of each fill, and its reaction session (U)."""
        return self.paths.stop[self.fills.event], self.paths.reaction_session[self.fills.event]

    def _by_phase(self, awake: bool) -> FloatArray:
        """What each phase multiplies prices by, and which levels it lets be touched."""
        out = np.zeros((max(Phase) + 1, kernel.PHASE_COLUMNS))
        for phase in Phase:
            extended = phase in {Phase.PRE, Phase.POST}
            half = self.costs.extended_half_spread if extended else self.costs.half_spread
            row = out[phase]
            row[: kernel.LIVE] = 1 - self.side * (half + self.costs.slippage)
            row[kernel.TARGET_AT_OPEN] = 1 - self.side * half if extended else 1
            row[kernel.TARGET] = 1
            row[kernel.LIVE] = awake if extended else 1 if phase == Phase.REGULAR else -1
        return out.reshape(-1)


def _spread(corner: FloatArray, sizes: tuple[int, int, int, int], *, outer: int) -> FloatArray:
    """Sums of the four winners' corners, spread beyond them: (outer x) cells (x inner)."""
    present = [winner for winner in range(4) if corner[winner].any()]
    spread = corner[present]
    for axis in range(4):
        # All winners at once, but for the one that wins at a single level of this axis.
        own = present.index(axis) if axis in present else len(present)
        before = outer * math.prod(sizes[:axis])
        for some in (spread[:own], spread[own + 1 :]):
            after = some.size // max(len(some) * before * sizes[axis], 1)
            values = some.reshape(len(some) * before, sizes[axis], after)
            for k in range(1, sizes[axis]):
                values[:, k] += values[:, k - 1]
    total: FloatArray = spread.sum(axis=0)
    return total


@dataclass(frozen=True, eq=False)
class _Table:
    """Room for the touches of a block of fills: flat, a row a fill and a column a level."""

    keys: IntArray
    nets: FloatArray
    grosses: FloatArray
    first_hold: IntArray

    @classmethod
    def empty(cls, rows: int, columns: int) -> _Table:
        n = rows * columns
        keys, first_hold = np.empty(n, dtype=np.int64), np.empty(rows, dtype=np.int64)
        return cls(keys, np.empty(n), np.empty(n), first_hold)


@dataclass(frozen=True, eq=False)
class Touched:
    """The first-touch tables of some fills, from which single combinations are read."""

    made: _Table
    sizes: tuple[int, int, int, int]

    @property
    def hold_keys(self) -> IntArray:
        """Keys of the exits that the holds alone would make (rows x holds)."""
        table = self.made.keys.reshape(len(self.made.first_hold), sum(self.sizes))
        return table[:, -self.sizes[3] :]

    def trades(self, cell: int) -> tuple[IntArray, IntArray, FloatArray]:
        """(row, key, net return) of each trade of a combination, in the order of the fills.

        A key holds the exit's bar and whether it was at the bar's open, see the kernel.
        """
        made, rows = self.made, len(self.made.first_hold)
        place = np.array(np.unravel_index(cell, self.sizes), dtype=np.int64)
        begin = np.concatenate([[0], np.cumsum(self.sizes)])
        row, key = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
        net = np.empty(rows)
        n = kernel.gather.bind(
            made.keys, made.nets, made.first_hold, place + begin[:4], row, key, net, begin[4],
            place[3],
        )(rows)  # fmt: skip
        return row[:n], key[:n], net[:n]


def left_at(paths: Paths, key: IntArray) -> IntArray:
    """The instants of exits (us UTC), from their keys."""
    bar = key >> 3
    left: IntArray = np.where(key & 7 <= kernel.AT_OPEN, paths.start[bar], paths.end[bar])
    return left
