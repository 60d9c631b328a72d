"""`check`: does a strategy look ahead?  Replays of its decisions, and what hangs on speed."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from backtest.evidence.look_ahead import (
    COLUMNS,
    Memory,
    Replays,
    replay,
    sample_of,
    speed_frame,
)
from backtest.evidence.look_ahead import findings as kinds
from backtest.execution import Costs, OrderKind
from backtest.filters import filter_reasons
from backtest.orders import decide
from backtest.panel.build import build_panel, require_interval, schedule_known
from backtest.panel.panel import EventPanel
from backtest.registry import find_strategy, snake_case, source_hash
from backtest.runner import require_phases
from backtest.selection import chosen_events
from backtest.settings import AccountSettings, RunSettings
from backtest.strategy import Strategy
from db.errors import UsageError
from db.intervals import Interval

if TYPE_CHECKING:
    from db.store import Store

EVENTS = 400
"""Events of a check, where it is not told otherwise."""
INSTANTS = 100
WHAT = {
    kinds.REPEATED: "asked twice; nothing may be written into",
    kinds.TRUNCATED: "all that comes after an instant is missing",
    kinds.POISONED: "all that comes after an instant is wild",
    kinds.DELAYED: "releases tell at the end of their interval",
    kinds.STATE: "asked again after it saw everything",
}

_COUNTED_WITH = {kinds.REPEATED: (kinds.TAMPERED, kinds.SAME_PRINT)}


@dataclass(frozen=True, eq=False)
class Check:
    """What the replays of one strategy found."""

    record: dict[str, Any]
    """Strategy, parameters, interval, source, seed, and how much was replayed."""
    replays: pd.DataFrame
    """One row a kind of replay: ``replay, what, replays, differ``."""
    findings: pd.DataFrame
    """The first finding of each kind: event, bar, what was decided with and without the future."""
    speed: pd.DataFrame
    """``when, orders, fills, mean_net``: as decided, and one traded bar later."""

    @property
    def found(self) -> bool:
        """Whether anything gave the strategy away."""
        return bool(len(self.findings))

    @property
    def sentences(self) -> list[str]:
        """The findings in words, then what was replayed."""
        told = list(self.findings["says"]) if self.found else ["Nothing found."]
        if not self.record["decisions"]:
            told.append("No event was decided: there is little that could give it away.")
        return [*told, _extent(self.record)]

    def __repr__(self) -> str:
        lines = [f"Check of {self.record['strategy']}"]
        return "\n".join([*lines, *(f"  {text}" for text in self.sentences)])

    def _repr_html_(self) -> str:
        """Notebook view; every text that came from outside is escaped."""
        says = "".join(f"<li>{html.escape(text)}</li>" for text in self.sentences)
        tables = [
            self.replays.to_html(index=False, escape=True),
            self.speed.to_html(index=False, float_format="{:.4f}".format, escape=True),
        ]
        title = html.escape(str(self.record["strategy"]))
        return f"<h3>{title}</h3><ul>{says}</ul>{''.join(tables)}"


def check(
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
    events: int | None = EVENTS,
    instants: int | None = INSTANTS,
    on_step: Callable[[str], None] = lambda _: None,
    **rules: float,
) -> Check:
    """Replay a strategy where it could not have known the future; see `Check`.

    At most ``events`` events are replayed, at ``instants`` instants (None: all), both chosen by
    ``seed``; the other settings are those of `backtest.run`.

    Raises UsageError for settings that cannot be, and whatever the strategy itself raises on the
    whole panel.
    """
    for name, number in (("events", events), ("instants", instants)):
        if number is not None and number < 1:
            raise UsageError(f"{name} must be 1 or more, not {number}", hint="or all of them")
    started = time.perf_counter()
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
        resolve=None,
        benchmark=None,
        **rules,
    )
    on_step("reading events and bars")
    panel = _panel(chosen, store, settings)
    known = schedule_known(store, panel.events, panel.sessions, strict_as_of)
    memory = Memory.before_asking(chosen, panel.events)
    on_step("deciding")
    decisions = decide(chosen, panel, known, settings.rules)
    decisions.orders.kind[filter_reasons(panel, settings) != ""] = OrderKind.NONE
    decided = decisions.orders.kind != OrderKind.NONE
    sample = sample_of(
        panel,
        known,
        store,
        strict=strict_as_of,
        events=events,
        seed=seed,
        decided=decided,
        unseen=memory.events,
    )
    told = replay(chosen, sample, memory, instants=instants, seed=seed, on_step=on_step)
    on_step("one bar later")
    found = Check(
        record=_record(chosen, settings, panel, told) | {"decisions": int(decided.sum())},
        replays=_replay_frame(told),
        findings=pd.DataFrame([one.to_record() for one in told.findings], columns=list(COLUMNS)),
        speed=speed_frame(chosen, panel, decisions, settings.costs, settings.rules),
    )
    found.record["seconds"] = time.perf_counter() - started
    return found


def _panel(strategy: Strategy, store: Store, settings: RunSettings) -> EventPanel:
    selection = chosen_events(store, strategy, settings)
    panel = build_panel(
        store,
        selection.events,
        settings.interval,
        source=settings.source,
        version=store.versions().get(f"bars_{settings.interval.value}"),
        hold=strategy.exits.hold,
        strict=settings.strict_as_of,
    ).panel
    require_phases(strategy, panel)
    return panel


def _record(
    strategy: Strategy, settings: RunSettings, panel: EventPanel, told: Replays
) -> dict[str, Any]:
    return {
        "strategy": snake_case(type(strategy).__name__),
        "source_hash": source_hash(type(strategy)),
        "params": strategy.params,
        "interval": settings.interval.value,
        "source": panel.table.source,
        "seed": settings.account.seed,
        "events": told.events,
        "events_total": told.total,
        "instants": told.instants,
        "instants_total": told.possible,
    }


def _replay_frame(told: Replays) -> pd.DataFrame:
    rows = [
        {
            "replay": kind,
            "what": what,
            "replays": told.counts.get(kind, 0),
            "differ": sum(told.found.get(one, 0) for one in (kind, *_COUNTED_WITH.get(kind, ()))),
        }
        for kind, what in WHAT.items()
    ]
    return pd.DataFrame(rows)


def _extent(record: Mapping[str, Any]) -> str:
    def of(some: int, total: int, noun: str) -> str:
        if some == total:
            return f"all {total:,} {noun}"
        return f"{some:,} of {total:,} {noun}"

    events = of(record["events"], record["events_total"], "events")
    instants = of(record["instants"], record["instants_total"], "instants")
    chosen = record["events"] < record["events_total"] or (
        record["instants"] < record["instants_total"]
    )
    return f"Replayed: {events}, {instants}" + (
        f", chosen by seed {record['seed']}." if chosen else "."
    )
