"""One backtest, from the store to a `Result`: join, decide, fill, account, tell."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.account.allocation import SlotStatus, other_seeds
from backtest.account.assembly import account_candidates, main_calendar, session_marks
from backtest.account.benchmark import buy_and_hold
from backtest.account.candidates import Candidates
from backtest.account.closes import session_closes
from backtest.account.marks import Marks
from backtest.account.portfolio import Account, keep_account
from backtest.account.statistics import account_statistics, statistics, statistics_table
from backtest.evidence.average_path import average_path
from backtest.evidence.look_ahead import Memory, quick_check
from backtest.evidence.outcomes import base_rates
from backtest.execution import Costs, Fill
from backtest.filters import filter_reasons
from backtest.funnel import TRADE, funnel_frame
from backtest.orders import Decisions, ask, content_at_decision, decide, rank_values
from backtest.outcomes import simulate
from backtest.panel.build import Join, build_panel, load_prices, require_interval, schedule_known
from backtest.panel.content import estimates_in_time
from backtest.panel.panel import EventPanel
from backtest.panel.sessions import to_us
from backtest.paths import BoolArray, IntArray, Outcomes
from backtest.registry import find_strategy
from backtest.resolve import resolve_ambiguous
from backtest.result import Result
from backtest.runs import run_record, save_result
from backtest.selection import chosen_events
from backtest.settings import AccountSettings, RunSettings
from backtest.strategy import Strategy
from backtest.trades import signal_frame, trade_summary
from backtest.trials import judge, tried_before
from db.calendar import Phase
from db.errors import UsageError
from db.intervals import Interval

if TYPE_CHECKING:
    from db.store import Store


_FILL_REASONS = {
    Fill.NO_BAR: "missed fill: no bar",
    Fill.PRICE: "missed fill: price",
    Fill.VOLUME: "missed fill: volume",
    Fill.SHORT_RESTRICTED: "short sale restricted",
    Fill.AFTER_HOLD: "hold over before entry",
}
_SLOT_REASONS = {
    SlotStatus.ALREADY_HELD: "already held",
    SlotStatus.NO_SLOT: "no slot",
    SlotStatus.NO_CASH: "no cash",
}
Step = Callable[[str], None]


def run(
    strategy: str | Strategy | type[Strategy],
    store: Store,
    *,
    params: Mapping[str, Any] | None = None,
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
    resolve: str | Interval | None = None,
    benchmark: str | None = None,
    look_ahead: bool = True,
    record: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_step: Step = lambda _: None,
    **rules: float,
) -> Result:
    """Backtest a strategy over the events of a store.

    ``strategy`` is a name, a ``FILE.py:Class``, a class or an object; ``params`` changes its
    fields (``{"drop": 0.03, "exits.target": 0.2}``).  ``rules`` are ``limit_offset``,
    ``limit_life`` and ``participation``.  ``since`` and ``until`` must carry a time zone.
    ``look_ahead`` replays some of its decisions without the future (see `backtest.check`).
    ``record`` writes the run to the store's ledger.  ``on_step`` is told what is being done.

    Raises UsageError for settings that cannot be, and for bars that cannot serve the strategy.
    """
    chosen = find_strategy(strategy).with_params(params or {})
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
        resolve=Interval.parse(resolve) if resolve is not None else None,
        benchmark=benchmark,
        **rules,
    )
    started = time.perf_counter()
    result = _Run(chosen, store, settings, on_step, look_ahead).result(now())
    result = dataclasses.replace(result, luck=judge(result, tried_before(store, result.record)))
    result.record["seconds"] = time.perf_counter() - started
    if record:
        on_step("writing the run to the ledger")
        save_result(store, result)
    return result


@dataclass(frozen=True)
class _Run:
    """The steps of one run, in the order of `result`."""

    strategy: Strategy
    store: Store
    settings: RunSettings
    on_step: Step
    look_ahead: bool

    @property
    def side(self) -> int:
        return 1 if self.strategy.side == "long" else -1

    def result(self, now: datetime) -> Result:
        self.on_step("reading events and bars")
        versions = self.store.versions()
        selection = chosen_events(self.store, self.strategy, self.settings)
        join = self._join(selection.events, versions)
        panel = join.panel
        require_phases(self.strategy, panel)
        self.on_step("deciding")
        memory = Memory.before_asking(self.strategy, panel.events)
        strict = self.settings.strict_as_of
        known = schedule_known(self.store, panel.events, panel.sessions, strict)
        decisions = self._filtered(panel, decide(self.strategy, panel, known, self.settings.rules))
        self.on_step("filling orders")
        outcomes, settled = self._fill(panel, decisions, versions)
        self.on_step("keeping the account")
        ranks = rank_values(self.strategy, panel, decisions)
        candidates, rows = account_candidates(
            panel, decisions.orders, outcomes, ranks, self.settings.costs, self.side
        )
        idle_at = int(to_us(selection.events["announced_from"]).min(initial=0))
        marks = session_marks(main_calendar(panel), panel, candidates, rows, idle_at)
        account = keep_account(candidates, marks, self.settings.account)
        signals = signal_frame(
            panel,
            decisions.orders,
            outcomes,
            self.side,
            limit_offset=self.settings.limit_offset,
            rank=ranks,
            same_print=decisions.same_print,
            assumed=self._assumed(panel, decisions),
            late_estimate=self._late_estimate(panel, decisions),
            content=content_at_decision(panel, decisions),
        )
        self.on_step("measuring")
        status = _statuses(panel, decisions, outcomes, account, rows)
        signals = _with_account(signals, account, candidates)
        trades = signals[signals["slot"] >= 0].reset_index(drop=True)
        trades.insert(0, "trade_id", np.arange(1, len(trades) + 1))
        events = pd.concat(
            [
                selection.left_out,
                join.left_out.rename(columns={"reason": "status"}),
                panel.events.assign(status=status),
            ],
            ignore_index=True,
        ).astype({"status": "str"})
        equity, stats = self._performance(panel, account, marks, versions)
        triggered = ~np.isin(decisions.orders.kind, [0])
        setup = ask(self.strategy, "setup", panel)
        groups = {"all measurable events": np.ones(len(panel), dtype=np.bool_)}
        if setup is not None:
            groups["with the setup"] = np.asarray(setup, dtype=np.bool_).reshape(-1)
        filled = outcomes.fill == Fill.FILLED
        groups["filled"] = filled
        seeds = other_seeds(candidates, marks, self.settings.account)
        checked: dict[str, Any] = {}
        if not self.look_ahead:
            memory.remember()
        else:
            self.on_step("replaying without the future")
            asked = (self.strategy, self.store, panel, known, decisions, memory, self.settings)
            checked = quick_check(*asked)
        return Result(
            record=run_record(self.strategy, self.settings, panel, versions, now),
            events=events,
            funnel=funnel_frame(events["status"].value_counts(), outcome=TRADE),
            trades=trades,
            signals=signals,
            summary=trade_summary(trades) | {"Resolved by finer bars": float(settled)},
            stats=stats,
            equity=equity,
            base_rates=base_rates(panel, groups, self.side),
            average_path=average_path(panel, groups),
            other_seeds=seeds / self.settings.account.cash - 1,
            reads=tuple(sorted(panel.reads)),
            orders=int(triggered.sum()),
            look_ahead=checked,
            portfolio=account.portfolio,
        )

    def _join(self, events: pd.DataFrame, versions: dict[str, int]) -> Join:
        return build_panel(
            self.store,
            events,
            self.settings.interval,
            source=self.settings.source,
            version=versions.get(f"bars_{self.settings.interval.value}"),
            hold=self.strategy.exits.hold,
            strict=self.settings.strict_as_of,
        )

    def _filtered(self, panel: EventPanel, decisions: Decisions) -> Decisions:
        """Take back the orders of events that the price filters keep out."""
        reason = filter_reasons(panel, self.settings)
        out = reason != ""
        decisions.reason[out] = reason[out]
        decisions.orders.kind[out] = 0
        decisions.column[out] = -1
        return decisions

    def _assumed(self, panel: EventPanel, decisions: Decisions) -> BoolArray:
        """Whether each decision rests on knowledge for whose time there is no evidence (N).

        What was fetched before the decision was known then, whether or not a source proves it.
        """
        if self.settings.strict_as_of:
            return np.zeros(len(panel), dtype=np.bool_)
        at, events = decisions.orders.decided_at, panel.events
        schedule = schedule_known(self.store, events, panel.sessions, strict=True) > at
        if not panel.reads - {"news"}:
            return schedule
        proven = events["first_known_proven"].to_numpy(dtype=np.bool_)
        return schedule | (~proven & (to_us(events["first_known_at"]) > at))

    def _late_estimate(self, panel: EventPanel, decisions: Decisions) -> BoolArray:
        """Whether each decision read an estimate that nothing proves to be of its time (N)."""
        if "surprise" not in panel.reads:
            return np.zeros(len(panel), dtype=np.bool_)
        ids = [int(one) for one in panel.events["event_id"]]
        at = decisions.orders.decided_at
        return ~estimates_in_time(self.store.revisions(ids), panel.events, at)

    def _fill(
        self, panel: EventPanel, decisions: Decisions, versions: dict[str, int]
    ) -> tuple[Outcomes, int]:
        outcomes = simulate(
            panel.paths,
            decisions.orders,
            self.strategy.exits,
            self.settings.costs,
            self.settings.rules,
            self.side,
        )
        finer = self.settings.resolve
        if finer is None or not outcomes.ambiguous.any():
            return outcomes, 0
        require_interval(self.store, finer)
        table = load_prices(
            self.store,
            panel.events,
            panel.sessions,
            finer,
            source=panel.table.source,
            version=versions.get(f"bars_{finer.value}"),
            hold=self.strategy.exits.hold,
        )
        ids = panel.events["instrument_id"].to_numpy(dtype=np.int64)
        if (table.adjusted == "all") != (panel.table.adjusted == "all"):
            raise UsageError(
                f"--resolve {finer.value}: of the source {table.source!r} one interval is fully "
                "adjusted and the other is not, so their prices do not compare",
                hint="import both raw, with the corporate actions",
            )
        return resolve_ambiguous(
            outcomes,
            panel.paths,
            table,
            table.ranks(ids),
            self.side,
            self.settings.costs.extended_half_spread,
        )

    def _performance(
        self, panel: EventPanel, account: Account, marks: Marks, versions: dict[str, int]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Equity beside the benchmark's, and the statistics of both."""
        closes, dividends = self._benchmark_closes(panel, marks.at, versions)
        held = buy_and_hold(closes, dividends=dividends, cash=self.settings.account.cash)
        equity = pd.DataFrame({"equity": account.equity, "benchmark": held})
        table = statistics_table(
            account_statistics(account), statistics(held, self.settings.account.cash)
        )
        return equity, table

    def _benchmark_closes(
        self, panel: EventPanel, at: IntArray, versions: dict[str, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        name = self.settings.benchmark
        interval = self.settings.interval
        if name is None:
            ids = np.unique(panel.events["instrument_id"].to_numpy(dtype=np.int64))
        else:
            found = self.store.resolve(name, None)
            if found is None:
                raise UsageError(
                    f"the benchmark {name!r} is not in the store",
                    hint="import its prices, or leave --benchmark out",
                )
            ids = np.array([found], dtype=np.int64)
        closes, dividends = session_closes(
            self.store,
            interval,
            ids,
            at,
            source=self.settings.source or panel.table.source,
            version=versions.get(f"bars_{interval.value}"),
        )
        if name is not None and np.isnan(closes).all():
            raise UsageError(
                f"the store holds no {interval.value} bars of the benchmark {name!r}",
                hint="import them, or leave --benchmark out",
            )
        return closes, dividends


def require_phases(strategy: Strategy, panel: EventPanel) -> None:
    """Refuse bars that hold none of the phases a strategy lives in."""
    wanted = [name for name in strategy.phases if name != "regular"]
    if not wanted or len(wanted) < len(strategy.phases) or not len(panel):
        return
    name = type(strategy).__name__
    if panel.interval.is_daily:
        raise UsageError(
            f"{name} needs extended-hours bars, and daily bars have none",
            hint="--interval 1m with bars before the open and after the close",
        )
    if not np.isin(panel.table.phase, [int(Phase[n.upper()]) for n in wanted]).any():
        raise UsageError(
            f"{name} needs extended-hours bars ({', '.join(wanted)}), and "
            f"{panel.table.source!r} holds regular hours alone",
            hint="import bars with extended hours, or use the daily form, gap_reversal",
        )


def _statuses(
    panel: EventPanel, decisions: Decisions, outcomes: Outcomes, account: Account, rows: IntArray
) -> np.ndarray:
    """Where each event of the panel ended."""
    status = decisions.reason.copy()
    on_open = decisions.orders.limit
    ordered = status == ""
    for code, text in _FILL_REASONS.items():
        status[ordered & (outcomes.fill == code)] = text
    # An opening print beyond the limit is no missed fill: the threshold was not met.
    at_open = ordered & (decisions.column < 0) & ~np.isnan(on_open)
    status[at_open & (outcomes.fill == Fill.PRICE)] = "not triggered"
    status[ordered & (outcomes.fill == Fill.FILLED)] = TRADE
    for slot_code, text in _SLOT_REASONS.items():
        refused = rows[account.allocation.status == slot_code]
        status[refused[outcomes.fill[refused] == Fill.FILLED]] = text
    return status


def _with_account(signals: pd.DataFrame, account: Account, candidates: Candidates) -> pd.DataFrame:
    """Slot, shares and profit in the account (slot -1: it had no place in it)."""
    allocation = account.allocation
    filled = candidates.filled
    # Both are the fills in the panel's order.
    return signals.assign(
        slot=allocation.slot[filled],
        shares=allocation.shares[filled],
        pnl=allocation.pnl[filled],
    )
