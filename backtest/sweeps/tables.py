"""From fills and lists of exits to the sums of every combination, without simulating one.

Outcomes are never held all at once: the first-touch tables are made for a block of fills, added
to the corners of the grid that they win, and forgotten.  What grows with the number of
combinations is their sums and months alone.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from backtest.execution import Costs, Exits, FillRules
from backtest.kernel_types import plain
from backtest.paths import BoolArray, FloatArray, IntArray, Paths
from backtest.sweeps import kernel
from backtest.sweeps.fills import Shared
from db.calendar import Phase

_BLOCK = 1024
"""Fills whose tables are held at one time: they stay in the processor's second cache."""
_SHARD = 8192
"""Fills that are added up by one thread."""
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
        return int(np.prod(self.sizes))

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

    daily: bool = False
    """Whether the bars are daily ones: at most one a session."""

    def __post_init__(self) -> None:
        # Looked at here, not by several threads at once.
        _ = self._alone, self._paying

    @cached_property
    def _alone(self) -> bool:
        """Whether every bar is a regular one, and alone in its session."""
        return self.daily and bool((self.paths.phase == Phase.REGULAR).all())

    @cached_property
    def _paying(self) -> bool:
        """Whether there is any dividend to look for."""
        return bool(self.paths.dividend.any())

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
        shards = self._shards()
        ahead = 2 * WORKERS

        def made(shard: tuple[int, slice]) -> Sums:
            return self._of_shard(shard[1], months, rows, cutoff)

        # The compiled code runs beside other threads.  Shards depend on the data alone and are
        # added in their order, so that the sums do not depend on how many there were.
        with ThreadPoolExecutor(WORKERS) as pool:
            for lo in range(0, len(shards), ahead):
                batch = shards[lo : lo + ahead]
                for (index, _), one in zip(batch, pool.map(made, batch), strict=True):
                    # An evaluation's sums are those of the classes whose fills it has.
                    for evaluation in np.flatnonzero(members[:, index]):
                        totals[evaluation] += one.totals
                        monthly[:, evaluation] += one.monthly
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
        for index, awake in enumerate(self.levels.awake):
            corner = np.zeros((4, self.levels.cells, kernel.STATISTICS))
            by_month = np.zeros((4, months, self.levels.cells))
            start, end = plain(self.paths.start), plain(self.paths.end)
            sizes = np.array(self.levels.sizes)
            for lo in range(0, len(chosen), _BLOCK):
                block = chosen[lo : lo + _BLOCK]
                made = self.touched(block, awake)
                kernel.corners(
                    *made, self.month[block], sizes, start, end, cutoff, corner, by_month
                )
            totals[index] = _spread(corner, self.levels.sizes, outer=1, inner=kernel.STATISTICS)
            if months:
                monthly[:, index] = _spread(by_month, self.levels.sizes, outer=months, inner=1)
        return Sums(totals, monthly)

    def tables_of(self, rows: IntArray, awake: bool) -> Touched:
        """The tables of some fills, held at once."""
        return Touched(self.touched(rows, awake), self.levels.sizes)

    def first_holds(self) -> IntArray:
        """For each fill the first of the holds that was not over before it (U)."""
        p, f = self.paths, self.fills
        late = p.session[f.bar] + (p.phase[f.bar] == Phase.POST)
        first: IntArray = np.searchsorted(self.levels.holds, late - p.reaction_session[f.event])
        return first

    def touched(
        self, rows: IntArray, awake: bool
    ) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
        """Keys, net and gross returns (rows x levels) and first holds of some fills."""
        p, f, levels = self.paths, self.fills, self.levels
        sizes = np.array(levels.sizes)
        width = int(sizes.sum())
        keys = np.empty((len(rows), width), dtype=np.int64)
        nets, grosses = np.empty(keys.shape), np.empty(keys.shape)
        first_hold = np.empty(len(rows), dtype=np.int64)
        room = np.empty((3, width))
        event = f.event[rows]
        kernel.touches(
            plain(p.start), plain(p.end), plain(p.open), plain(p.high), plain(p.low),
            plain(p.close), plain(p.volume), plain(p.dividend), plain(p.phase), plain(p.session),
            f.bar[rows], p.stop[event], p.reaction_session[event],
            f.price[rows], f.mid[rows], f.within[rows],
            np.concatenate([levels.stops, levels.trails, levels.targets]), levels.holds,
            np.cumsum(sizes)[:3], self._rules(awake), self._paying,
            self._alone, room[0], room[1], room[2],
            keys, nets, grosses, first_hold,
        )  # fmt: skip
        return keys, nets, grosses, first_hold

    def _rules(self, awake: bool) -> FloatArray:
        c, r = self.costs, self.rules
        return np.array(
            [
                *(self.side, c.commission, c.half_spread, c.extended_half_spread, c.slippage),
                *(c.borrow_rate, r.notional, r.participation, awake),
            ],
            dtype=np.float64,
        )


def _spread(
    corner: FloatArray, sizes: tuple[int, int, int, int], *, outer: int, inner: int
) -> FloatArray:
    """Sums of the four winners' corners, spread beyond them: (outer x) cells (x inner)."""
    for winner in range(4):
        if not corner[winner].any():
            continue
        for axis in range(4):
            if axis != winner and sizes[axis] > 1:
                before = outer * int(np.prod(sizes[:axis]))
                after = int(np.prod(sizes[axis + 1 :])) * inner
                kernel.spread(corner[winner].reshape(before, sizes[axis], after))
    total: FloatArray = corner.sum(axis=0)
    return total


@dataclass(frozen=True, eq=False)
class Touched:
    """The first-touch tables of some fills, from which single combinations are read."""

    made: tuple[IntArray, FloatArray, FloatArray, IntArray]
    sizes: tuple[int, int, int, int]

    def trades(self, cell: int) -> tuple[IntArray, IntArray, FloatArray]:
        """(row, key, net return) of each trade of a combination, in the order of the fills.

        A key holds the exit's bar and whether it was at the bar's open, see the kernel.
        """
        keys, nets, _, first_hold = self.made
        places = np.array(np.unravel_index(cell, self.sizes), dtype=np.int64)
        columns = places + np.concatenate([[0], np.cumsum(self.sizes[:-1])])
        row, key = np.empty((2, len(first_hold)), dtype=np.int64)
        net = np.empty(len(first_hold))
        n = kernel.gather(keys, nets, first_hold, columns, int(places[3]), row, key, net)
        return row[:n], key[:n], net[:n]


def left_at(paths: Paths, key: IntArray) -> IntArray:
    """The instants of exits (us UTC), from their keys."""
    bar = key >> 3
    left: IntArray = np.where(key & 7 <= kernel.AT_OPEN, paths.start[bar], paths.end[bar])
    return left
