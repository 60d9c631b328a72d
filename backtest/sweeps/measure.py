"""What every combination of a grid earns: its entries, its tables, and their sums as columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from backtest.execution import Costs, Exits, FillRules
from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.sweeps import kernel
from backtest.sweeps.entries import Entered, Progress, evaluate_entries
from backtest.sweeps.fills import Shared, shared_fills
from backtest.sweeps.grid import Grid
from backtest.sweeps.tables import WORKERS, Levels, Tables, Touched
from db.calendar import calendar

_CANCELLED = 1e-3
"""A variance below this part of the mean square has lost digits in the subtraction."""


@dataclass(frozen=True, eq=False)
class Market:
    """What all combinations share: the join, what was known, and the rules."""

    panel: EventPanel
    known: IntArray
    """When each event's schedule was known (N, us UTC)."""
    filtered: BoolArray
    """Events that the price filters keep out (N)."""
    costs: Costs
    rules: FillRules


@dataclass(frozen=True, eq=False)
class Part:
    """The evaluations of one side, their tables, and the combinations that they serve."""

    evaluations: IntArray
    """Their numbers among all evaluations."""
    tables: Tables


@dataclass(frozen=True, eq=False)
class Combined:
    """A grid on one panel, combined."""

    grid: Grid
    market: Market
    entered: Entered
    parts: list[Part]
    levels: Levels
    awake: IntArray
    """Of each combination: the place of its `stops_in_extended_hours` in the levels."""
    cell: IntArray
    """Of each combination: the number of its exits among the cells."""
    first_month: int
    """Months since 1970-01 of the first month."""
    months: int
    _touched: dict[tuple[int, int], tuple[IntArray, Touched]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.cell)

    def part_of(self, evaluation: int) -> tuple[Part, int]:
        """The part that an evaluation is in, and its place there."""
        for part in self.parts:
            place = np.flatnonzero(part.evaluations == evaluation)
            if len(place):
                return part, int(place[0])
        raise KeyError(evaluation)

    def trades(self, combination: int) -> tuple[Part, IntArray, IntArray, FloatArray]:
        """(part, fill, key, net return) of each trade of one combination, by event.

        The tables of the last evaluation asked for are kept: ask for its combinations in a row.
        """
        evaluation, awake = int(self.entered.of_combination[combination]), self.awake[combination]
        part, place = self.part_of(evaluation)
        wanted = (evaluation, int(awake))
        if wanted not in self._touched:
            self._touched.clear()
            rows = part.tables.fills.rows_of(place)
            tables = part.tables.tables_of(rows, self.levels.awake[int(awake)])
            self._touched[wanted] = rows, tables
        rows, tables = self._touched[wanted]
        row, key, net = tables.trades(int(self.cell[combination]))
        return part, rows[row], key, net

    def in_turn(self, combinations: IntArray | None = None) -> Iterator[int]:
        """Combinations in the order in which `trades` is quick."""
        chosen = np.arange(len(self)) if combinations is None else combinations
        order = np.lexsort((self.awake[chosen], self.entered.of_combination[chosen]))
        yield from (int(one) for one in chosen[order])

    def sums(
        self,
        *,
        months: bool = True,
        chosen: tuple[int, int] | None = None,
        cutoff: int = kernel.NEVER,
    ) -> tuple[FloatArray, FloatArray]:
        """(combinations x statistics, months x combinations) of what was added up.

        ``chosen`` keeps trades entered in [from, to) (us UTC), ``cutoff`` those that were over
        by then.
        """
        count = self.months if months else 0
        totals = np.zeros((len(self), kernel.STATISTICS))
        monthly = np.zeros((count, len(self)))
        for part in self.parts:
            rows = None
            if chosen is not None:
                at = entered_at(part.tables)
                rows = (at >= chosen[0]) & (at < chosen[1])
            found = part.tables.sums(count, rows=rows, cutoff=cutoff)
            place = np.full(len(self.entered.evaluations), -1)
            place[part.evaluations] = np.arange(len(part.evaluations))
            evaluation = place[self.entered.of_combination]
            mine = np.flatnonzero(evaluation >= 0)
            inner = found.totals.shape[1:3]
            where = np.ravel_multi_index(
                (evaluation[mine], self.awake[mine], self.cell[mine]), (len(found.totals), *inner)
            )
            totals[mine] = found.totals.reshape(-1, kernel.STATISTICS)[where]
            flat = found.monthly.reshape(count, -1) if count else found.monthly
            if count and flat.shape[1] == len(self) == len(where) and _ascending(where):
                monthly = flat
            elif count:
                monthly[:, mine] = flat[:, where]
        return totals, monthly

    def month_counts(self) -> IntArray:
        """Trades by the month of their entry (months x combinations)."""
        out = np.zeros((self.months, len(self)), dtype=np.int64)
        sizes = self.levels.sizes
        for part in self.parts:
            tables = part.tables
            first_hold = tables.first_holds()
            for place, evaluation in enumerate(part.evaluations):
                rows = tables.fills.rows_of(place)
                by_hold = np.zeros((self.months, sizes[3] + 1), dtype=np.int64)
                np.add.at(by_hold, (tables.month[rows], first_hold[rows]), 1)
                upto = np.cumsum(by_hold, axis=1)
                mine = np.flatnonzero(self.entered.of_combination == evaluation)
                out[:, mine] = upto[:, self.cell[mine] % sizes[3]]
        return out


def _ascending(where: IntArray) -> bool:
    return bool((where == np.arange(len(where))).all())


def entered_at(tables: Tables) -> IntArray:
    """The instant of each fill (U, us UTC)."""
    fills, paths = tables.fills, tables.paths
    return np.where(fills.within, paths.end[fills.bar], paths.start[fills.bar])


def combine(
    grid: Grid,
    market: Market,
    progress: Progress = lambda _done, _all: None,
    *,
    limit: int | None = None,
) -> Combined:
    """Decide and fill; nothing is added up yet.

    Raises UsageError where the matrices would take more than ``limit`` bytes.
    """
    exits = grid.exits()
    entered = evaluate_entries(
        grid, market.panel, market.known, market.filtered, market.costs, market.rules, progress
    )
    levels, awake, cell = _cells(grid, exits)
    sides = np.array([one.side for one in entered.evaluations])
    found = []
    for side in sorted(set(sides.tolist()), reverse=True):
        numbers = np.flatnonzero(sides == side)
        shared = shared_fills([entered.evaluations[int(k)].fills for k in numbers])
        found.append((side, numbers, shared, entry_months(market.panel, shared)))
    first, last = _span(market.panel, [months for *_, months in found])
    cells = len(levels.awake) * levels.cells
    grid.require_memory(
        last - first + 1, sums=len(entered.evaluations) * cells, shards=WORKERS * cells, limit=limit
    )
    parts = [
        Part(
            numbers,
            Tables(
                market.panel.paths, shared, levels, market.costs, market.rules, side,
                months - first,
            ),
        )
        for side, numbers, shared, months in found
    ]  # fmt: skip
    return Combined(grid, market, entered, parts, levels, awake, cell, first, last - first + 1)


def _cells(grid: Grid, exits: list[Exits] | None) -> tuple[Levels, IntArray, IntArray]:
    """The levels that occur, and where each combination's exits are among their combinations."""
    if exits is not None:
        levels = Levels.of(exits)
        each = np.array([levels.cell_of(one) for one in exits], dtype=np.int64)
        return levels, each[:, 0], each[:, 1]
    names = ("stop", "trail", "target", "hold", "stops_in_extended_hours")
    base = grid.strategy.exits
    alone = {name: [base] for name in names}
    axis_of = {axis.name: index for index, axis in enumerate(grid.axes)}
    for name in names:
        if f"exits.{name}" in axis_of:
            values = grid.axes[axis_of[f"exits.{name}"]].values
            alone[name] = [dataclasses.replace(base, **{name: value}) for value in values]
    by_name = {name: Levels.of(made) for name, made in alone.items()}
    levels = Levels(
        stops=by_name["stop"].stops,
        trails=by_name["trail"].trails,
        targets=by_name["target"].targets,
        holds=by_name["hold"].holds,
        awake=by_name["stops_in_extended_hours"].awake,
    )
    awake, cell = np.zeros((2, len(grid)), dtype=np.int64)
    after = levels.cells
    for name, size in zip(names, (*levels.sizes, 0), strict=True):
        after = after // size if size else 0
        if len(alone[name]) == 1:
            continue
        # Of exits that differ in one value alone the cell's number says that value's place.
        places = [by_name[name].cell_of(one) for one in alone[name]]
        index = grid.places(axis_of[f"exits.{name}"])
        if size:
            cell += np.array([place for _, place in places])[index] * after
        else:
            awake = np.array([place for place, _ in places])[index]
    return levels, awake, cell


def entry_months(panel: EventPanel, fills: Shared) -> IntArray:
    """The month of each fill's session, as months since 1970-01 (U)."""
    return _months(panel, fills.event, panel.table.session[fills.bar])


def _months(panel: EventPanel, event: IntArray, session: IntArray) -> IntArray:
    names = np.array(panel.sessions.exchange, dtype=object)
    found = np.zeros(len(event), dtype=np.int64)
    for name in sorted(set(panel.sessions.exchange)):
        mine = (names == name)[event]
        dates = calendar(name).dates[session[mine]]
        found[mine] = dates.astype("datetime64[M]").astype(np.int64)
    return found


def _span(panel: EventPanel, found: list[IntArray]) -> tuple[int, int]:
    """First and last month in which the panel's events could be traded."""
    reaction = _months(panel, np.arange(len(panel)), panel.sessions.reaction)
    months = np.concatenate([reaction, *found])
    return (int(months.min()), int(months.max())) if len(months) else (0, 0)


def columns(
    combined: Combined, totals: FloatArray, *, exact: bool = True
) -> dict[str, FloatArray | IntArray]:
    """The table's columns from what was added up, one entry a combination; NaN where undefined.

    ``exact`` looks the trades up again where returns differ too little for a sum of squares.
    """
    n = totals[:, kernel.COUNT]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = totals[:, kernel.SUM] / n
        square = totals[:, kernel.SQUARES] / n
        variance = (square - mean * mean) * (n / (n - 1))
        std = np.where(n > 1, np.sqrt(np.maximum(variance, 0)), np.nan)
        doubtful = (n > 1) & ~(variance > _CANCELLED * square)
        losses = totals[:, kernel.LOSSES]
        found = {
            "trades": n.astype(np.int64),
            "mean": mean,
            "mean_gross": totals[:, kernel.GROSS] / n,
            "std": std,
            "win_rate": totals[:, kernel.WINS] / n,
            "profit_factor": np.where(losses > 0, totals[:, kernel.GAINS] / losses, np.nan),
            "expectancy": mean * combined.market.rules.notional,
            "big_gains": totals[:, kernel.BIG] / n,
            "total": totals[:, kernel.SUM],
            "ambiguous": totals[:, kernel.AMBIGUOUS].astype(np.int64),
            "data_ended": totals[:, kernel.ENDED].astype(np.int64),
        }
    missed = np.array([one.missed for one in combined.entered.evaluations], dtype=np.int64)
    found["missed"] = missed[combined.entered.of_combination]
    if exact:
        for combination in combined.in_turn(np.flatnonzero(doubtful)):
            std[combination] = combined.trades(combination)[3].std(ddof=1)
    return found


def medians(combined: Combined, progress: Progress = lambda _done, _all: None) -> FloatArray:
    """Median net return of each combination; its trades are gathered one combination at a time."""
    out = np.full(len(combined), np.nan)
    for done, combination in enumerate(combined.in_turn()):
        net = combined.trades(combination)[3]
        if len(net):
            half = len(net) // 2
            middle = np.partition(net, (half - 1, half) if len(net) > 1 else half)
            upper = float(middle[half])
            out[combination] = upper if len(net) % 2 else (float(middle[half - 1]) + upper) / 2
        if done % 1000 == 0:
            progress(done, len(out))
    progress(len(out), len(out))
    return out
