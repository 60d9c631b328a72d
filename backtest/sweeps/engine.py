"""`sweep`: from a strategy, a store and a grid to what every combination earned."""

from __future__ import annotations

import dataclasses
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.evidence.look_ahead import Memory
from backtest.execution import Costs
from backtest.filters import filter_reasons
from backtest.panel.build import build_panel, require_interval, schedule_known
from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.registry import find_strategy
from backtest.runner import require_phases
from backtest.runs import command_line, run_record
from backtest.selection import chosen_events
from backtest.settings import AccountSettings, RunSettings
from backtest.strategy import Strategy
from backtest.sweeps.account import account_row
from backtest.sweeps.grid import Grid, parse_grid
from backtest.sweeps.horizon import holds_cut_short
from backtest.sweeps.ledger import save_sweep
from backtest.sweeps.luck import independent
from backtest.sweeps.measure import Combined, Market, columns, combine, medians
from backtest.sweeps.ranking import FEW_TRADES, ranked
from backtest.sweeps.result import Sweep, monthly_sharpe, parameter_columns, value_text
from backtest.sweeps.walk_forward import Windows, walk_forward
from backtest.trials import tried_before
from db.errors import UsageError
from db.intervals import Interval

if TYPE_CHECKING:
    from db.store import Store

Step = Callable[[str], None]
NOT_SWEPT = ("events", "interval")
"""What decides which events and bars there are; a field of that name cannot be an axis."""
ORDER = (
    *("trades", "missed", "ambiguous", "data_ended", "mean", "median", "std", "win_rate"),
    *("profit_factor", "expectancy", "big_gains", "mean_gross", "total", "sharpe"),
)


def sweep(
    strategy: str | Strategy | type[Strategy],
    store: Store,
    grid: Mapping[str, Any],
    *,
    interval: str | Interval | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    symbols: Sequence[str] | None = None,
    source: str | None = None,
    cash: float = 100_000.0,
    slots: int = 20,
    seed: int = 0,
    costs: Costs | None = None,
    min_price: float | None = None,
    min_dollar_volume: float | None = None,
    strict_as_of: bool = False,
    rank: str = "sharpe",
    min_trades: int = FEW_TRADES,
    accounts: int = 3,
    walk: str | None = None,
    max_memory: int | None = None,
    record: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_step: Step = lambda _: None,
    **rules: float,
) -> Sweep:
    """Backtest every combination of a grid over the events of a store.

    ``grid`` names parameters and their values: ``{"drop": "0.02:0.12:0.01", "exits.hold":
    [1, 5]}``; see `backtest.sweeps.grid.parse_grid`.  The ``accounts`` best by ``rank`` are run
    through the ordinary account as well.  ``walk`` (``"train=3y,test=1y,purge=hold"``) chooses on
    the past and judges on the future.  ``max_memory`` (bytes) bounds the matrices; half of the
    machine's where it is None.  ``record`` counts every combination as a trial in the store's
    ledger.  The other settings are those of `backtest.run`; finer bars (``resolve``) are left to
    a run of the chosen combination.

    Raises UsageError for settings or a grid that cannot be.
    """
    chosen = find_strategy(strategy)
    parsed = parse_grid(chosen, grid)
    _require_axes(parsed)
    windows = Windows.parse(walk) if walk is not None else None
    ranked(pd.DataFrame(columns=["trades", rank]), rank, min_trades)
    if accounts < 0:
        raise UsageError(f"accounts must not be negative, not {accounts}")
    settings = RunSettings(
        interval=require_interval(store, interval, chosen.interval),
        since=since,
        until=until,
        symbols=tuple(symbols) if symbols is not None else None,
        source=source,
        account=AccountSettings(cash=cash, slots=slots, seed=seed),
        costs=costs or Costs(),
        min_price=min_price,
        min_dollar_volume=min_dollar_volume,
        strict_as_of=strict_as_of,
        resolve=None,
        benchmark=None,
        **rules,
    )
    started = time.perf_counter()
    on_step("reading events and bars")
    work = _Work(store, settings, max_memory, on_step)
    groups = work.groups(parsed)
    table = tabulate(groups, parsed, on_step=on_step)
    best = ranked(table.frame, rank, min_trades)[:accounts]
    made = [work.account(groups, parsed, int(k), table.frame) for k in best]
    forward = None
    if windows is not None:
        on_step("walking forward")
        forward = walk_forward(groups, parsed, windows, rank=rank, min_trades=min_trades)
    market = groups[0].combined.market
    found = Sweep(
        record=_record(
            parsed, settings, market, work.versions, now(), rank, min_trades, walk, table
        ),
        axes=tuple(axis.name for axis in parsed.axes),
        frame=table.frame,
        monthly=table.monthly,
        monthly_trades=table.counts,
        accounts=pd.DataFrame(made),
        evaluations=sum(len(one.combined.entered.evaluations) for one in groups),
        walk_forward=forward,
    )
    before = tried_before(store, found.record)
    found.record["earlier_trials"] = before.settings
    found.record["earlier_independent_trials"] = before.independent
    found.record["independent_trials"] = independent(found)
    found.record["seconds"] = time.perf_counter() - started
    if record:
        on_step("writing the sweep to the ledger")
        save_sweep(store, found)
    return found


def _require_axes(grid: Grid) -> None:
    for axis in grid.axes:
        if axis.name in NOT_SWEPT:
            raise UsageError(
                f"{axis.name} decides which events and bars there are, so it cannot be swept",
                hint="one sweep for each value",
            )


@dataclass(frozen=True, eq=False)
class Group:
    """Combinations that share a panel: nearly always all of them."""

    combined: Combined
    where: IntArray
    """Their numbers among all combinations, in the order of the group's own grid."""
    events: pd.DataFrame
    """Every event of the selection, those without a panel row included."""


@dataclass(frozen=True, eq=False)
class _Work:
    store: Store
    settings: RunSettings
    max_memory: int | None
    on_step: Step

    @property
    def versions(self) -> dict[str, int]:
        return self.store.versions()

    def groups(self, grid: Grid) -> list[Group]:
        """The grid on one panel, and apart from it the holds that need bars of their own."""
        combined, events = self._combined(grid, _longest_hold(grid))
        everything = np.arange(len(grid))
        apart = holds_cut_short(combined)
        if not len(apart):
            return [Group(combined, everything, events)]
        hold = combined.levels.holds[combined.cell % len(combined.levels.holds)]
        rest = ~np.isin(hold, apart)
        groups = []
        if rest.any():
            groups.append(Group(_only(combined, rest), everything[rest], events))
        for one in apart:
            for part, where in _with_hold(grid, hold == one, int(one)):
                own, own_events = self._combined(part, int(one))
                groups.append(Group(own, where, own_events))
        return groups

    def _combined(self, grid: Grid, hold: int) -> tuple[Combined, pd.DataFrame]:
        store, settings, strategy = self.store, self.settings, grid.strategy
        versions = self.versions
        selection = chosen_events(store, strategy, settings)
        panel = build_panel(
            store,
            selection.events,
            settings.interval,
            source=settings.source,
            version=versions.get(f"bars_{settings.interval.value}"),
            hold=hold,
            strict=settings.strict_as_of,
        ).panel
        require_phases(strategy, panel)
        market = Market(
            panel=panel,
            known=schedule_known(store, panel.events, panel.sessions, settings.strict_as_of),
            filtered=filter_reasons(panel, settings) != "",
            costs=settings.costs,
            rules=settings.rules,
        )
        self.on_step("deciding and filling")
        # A later check looks behind what these many evaluations leave in a cache.
        memory = Memory.before_asking(strategy, panel.events)
        combined = combine(grid, market, limit=self.max_memory)
        memory.remember()
        return combined, selection.events

    def account(
        self, groups: list[Group], grid: Grid, combination: int, frame: pd.DataFrame
    ) -> dict[str, Any]:
        """A combination in the account, with its number and its parameters."""
        self.on_step("keeping the accounts of the best")
        group = next(one for one in groups if combination in one.where)
        market = group.combined.market
        found = account_row(grid.setting(combination), market, self.settings, group.events)
        swept = {axis.name: frame[axis.name].loc[combination] for axis in grid.axes}
        return {"combination": combination, **swept, **found}


def _longest_hold(grid: Grid) -> int:
    exits = grid.exits()
    if exits is not None:
        return max(int(one.hold) for one in exits)
    holds = [axis.values for axis in grid.axes if axis.name == "exits.hold"]
    return max(int(one) for one in (holds[0] if holds else (grid.strategy.exits.hold,)))


def _only(combined: Combined, kept: BoolArray) -> Combined:
    """The same with some combinations alone."""
    entered = dataclasses.replace(
        combined.entered, of_combination=combined.entered.of_combination[kept]
    )
    return dataclasses.replace(
        combined, entered=entered, awake=combined.awake[kept], cell=combined.cell[kept]
    )


def _with_hold(grid: Grid, mine: BoolArray, hold: int) -> list[tuple[Grid, IntArray]]:
    """Grids of the combinations with one hold, and their numbers."""
    where = np.flatnonzero(mine)
    others = tuple(axis for axis in grid.axes if axis.name != "exits.hold")
    if grid.separable:
        return [(Grid(grid.strategy.with_params({"exits.hold": hold}), others), where)]
    return [(Grid(grid.setting(int(one)), ()), np.array([one])) for one in where]


@dataclass(frozen=True, eq=False)
class Table:
    """All combinations, in the order of the grid."""

    frame: pd.DataFrame
    monthly: pd.DataFrame
    counts: pd.DataFrame


def tabulate(
    groups: Sequence[Group],
    grid: Grid,
    *,
    with_medians: bool = True,
    on_step: Step = lambda _: None,
) -> Table:
    """Add up every combination of every group, into one frame and its months."""
    first = min(one.combined.first_month for one in groups)
    last = max(one.combined.first_month + one.combined.months for one in groups)
    monthly: FloatArray = np.zeros((last - first, len(grid)))
    counts = np.zeros((last - first, len(grid)), dtype=np.int64)
    made: dict[str, Any] = {}
    for group in groups:
        combined, where = group.combined, group.where
        on_step("combining")
        totals, months = combined.sums()
        found = columns(combined, totals)
        found["sharpe"] = monthly_sharpe(months)
        if with_medians:
            on_step("looking for the medians")
            found["median"] = medians(combined)
        begin = combined.first_month - first
        if len(groups) == 1:
            monthly, counts, made = months, combined.month_counts(), dict(found)
            continue
        span = slice(begin, begin + combined.months)
        monthly[span, where], counts[span, where] = months, combined.month_counts()
        found["sharpe"] = monthly_sharpe(monthly[:, where])
        for name, values in found.items():
            whole = made.setdefault(name, np.zeros(len(grid), dtype=values.dtype))
            whole[where] = values
    frame = parameter_columns(
        [axis.name for axis in grid.axes],
        [[axis.values[k] for k in grid.places(i)] for i, axis in enumerate(grid.axes)],
    )
    if not len(grid.axes):
        frame = pd.DataFrame(index=pd.RangeIndex(1))
    for name in ORDER:
        if name in made:
            frame[name] = made[name]
    index = pd.DatetimeIndex(
        np.arange(first, last).astype("datetime64[M]").astype("datetime64[us]"), name="month"
    )
    return Table(frame, pd.DataFrame(monthly, index=index), pd.DataFrame(counts, index=index))


def _record(
    grid: Grid,
    settings: RunSettings,
    market: Market,
    versions: dict[str, int],
    now: datetime,
    rank: str,
    min_trades: int,
    walk: str | None,
    table: Table,
) -> dict[str, Any]:
    """What would repeat the sweep, as plain values."""
    lists = {axis.name: ",".join(map(value_text, axis.values)) for axis in grid.axes}
    said = shlex.split(command_line(grid.strategy, settings))
    words, skipped = ["backtest", "sweep"], False
    for word, following in zip(said[2:], [*said[3:], ""], strict=True):
        # The value that an axis has in the strategy itself is no part of the sweep.
        if skipped or (word == "-p" and following.partition("=")[0] in lists):
            skipped = not skipped
            continue
        words.append(word)
    for name, text in lists.items():
        words += ["-p", f"{name}={text}"]
    words += ["--rank", rank] if rank != "sharpe" else []
    words += ["--min-trades", str(min_trades)] if min_trades != FEW_TRADES else []
    words += ["--walk-forward", walk] if walk is not None else []
    record = run_record(grid.strategy, settings, market.panel, versions, now)
    return record | {
        "kind": "sweep",
        "axes": list(lists),
        "params": record["params"] | lists,
        "base": record["params"],
        "command": shlex.join(words),
        "rank": rank,
        "min_trades": min_trades,
        "walk_forward": walk,
        "reads": sorted(market.panel.reads),
        "combinations": len(table.frame),
    }
