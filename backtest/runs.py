"""Runs in the store's ledger: what would repeat them, and what they found."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest import __version__
from backtest.account.assembly import main_calendar
from backtest.evidence.overfitting.verdict import Deflation
from backtest.execution import Exits
from backtest.panel.panel import EventPanel
from backtest.registry import snake_case, source_hash, spoken_name
from backtest.result import FRAMES, Result
from backtest.settings import RunSettings
from backtest.strategy import Strategy
from db.errors import UsageError

if TYPE_CHECKING:
    from db.store import Store

_LEDGER = (
    "strategy",
    "source_hash",
    "params",
    "interval",
    "store_versions",
    "program_version",
    "seed",
    "settings",
    "seconds",
)
"""What the ledger keeps in columns of its own; the rest of a record goes beside the findings."""
_OPTIONS = {
    "since": "--since",
    "until": "--until",
    "source": "--source",
    "account.cash": "--cash",
    "account.slots": "--slots",
    "account.seed": "--seed",
    "costs.commission": "--commission",
    "costs.half_spread": "--half-spread",
    "costs.slippage": "--slippage",
    "min_price": "--min-price",
    "min_dollar_volume": "--min-dollar-volume",
    "resolve": "--resolve",
    "benchmark": "--benchmark",
}


def run_record(
    strategy: Strategy,
    settings: RunSettings,
    panel: EventPanel,
    versions: dict[str, int],
    now: datetime,
) -> dict[str, Any]:
    """What would repeat the run, as plain values."""
    return {
        "strategy": snake_case(type(strategy).__name__),
        "docstring": type(strategy).__doc__ or "",
        "source_hash": source_hash(type(strategy)),
        "params": strategy.params,
        "side": strategy.side,
        "phases": list(strategy.phases),
        "events": str(strategy.events),
        "interval": settings.interval.value,
        "source": panel.table.source,
        "adjusted": panel.table.adjusted,
        "settings": settings.to_record(),
        "store_versions": dict(versions),
        "program_version": __version__,
        "seed": settings.account.seed,
        "created_at": now,
        "exchange_tz": main_calendar(panel).tz,
        "command": command_line(strategy, settings),
    }


def command_line(strategy: Strategy, settings: RunSettings) -> str:
    """The command that repeats the run, with what differs from the defaults."""
    words = ["backtest", "run", spoken_name(type(strategy))]
    words += ["--interval", settings.interval.value]
    usual = _default_params(strategy)
    for name, value in strategy.params.items():
        if name not in usual or value != usual[name]:
            words += ["-p", f"{name}={'none' if value is None else value}"]
    default = RunSettings(interval=settings.interval).to_record()
    for name, value in settings.to_record().items():
        if value == default[name]:
            continue
        if name == "symbols":
            words += ["--symbols", ",".join(value)]
        elif name == "strict_as_of":
            words.append("--strict-as-of")
        elif name in _OPTIONS:
            words += [_OPTIONS[name], str(value)]
    return shlex.join(words)


def _default_params(strategy: Strategy) -> dict[str, Any]:
    """Parameters as the class has them; those that it leaves to its user are not in it."""
    usual: dict[str, Any] = {}
    for spec in dataclasses.fields(strategy):
        value = spec.default
        if spec.default_factory is not dataclasses.MISSING:
            value = spec.default_factory()
        if isinstance(value, Exits):
            inner = dataclasses.fields(value)
            usual |= {f"{spec.name}.{one.name}": getattr(value, one.name) for one in inner}
        elif value is not dataclasses.MISSING:
            usual[spec.name] = value
    return usual


def save_result(store: Store, result: Result) -> int:
    """Write a run to the ledger; its id is put into ``result.record["id"]``."""
    known = {name: value for name, value in result.record.items() if name in _LEDGER}
    about = {name: value for name, value in result.record.items() if name not in _LEDGER}
    found = {
        "summary": result.summary,
        "reads": result.reads,
        "orders": result.orders,
        "luck": None if result.luck is None else dataclasses.asdict(result.luck),
        "other_seeds": result.other_seeds,
        "look_ahead": result.look_ahead,
        "about": about,
    }
    record = {
        **known,
        "stats": found,
        "funnel": dict(
            zip(result.funnel["reason"], map(int, result.funnel["events"]), strict=True)
        ),
        "trials": 1,
        "hypothesis": result.record["strategy"],
        "frames": {name: _storable(name, getattr(result, name)) for name in FRAMES},
    }
    run_id = store.save_run(record)
    result.record["id"] = run_id
    return run_id


def is_sweep(store: Store, run_id: int) -> bool:
    """Whether a number of the ledger is that of a sweep, not of a single run."""
    return run_id in _sweeps(store.runs())


def _sweeps(runs: pd.DataFrame) -> set[int]:
    return {
        int(number)
        for number, found in zip(runs["id"], runs["stats"], strict=True)
        if (found or {}).get("kind") == "sweep"
    }


def load_result(store: Store, run_id: int | None = None) -> Result:
    """A stored run, by id; the newest where none is given.

    Raises UsageError naming the runs there are.
    """
    runs = store.runs()
    sweeps = _sweeps(runs)
    if run_id in sweeps:
        raise UsageError(
            f"run {run_id} is a sweep", hint=f"backtest runs show {run_id} lists its combinations"
        )
    if runs.empty or (run_id is None and set(runs["id"]) == sweeps):
        what = "only sweeps" if sweeps else "no run yet"
        raise UsageError(f"the store holds {what}", hint="backtest run gap_reversal")
    if run_id is None:
        runs = runs[~runs["id"].isin(sweeps)]
    wanted = int(runs["id"].max()) if run_id is None else int(run_id)
    if wanted not in set(runs["id"]):
        newest = ", ".join(str(i) for i in sorted(runs["id"], reverse=True)[:5])
        raise UsageError(
            f"there is no run {wanted}", hint=f"the newest are {newest}: backtest runs"
        )
    stored = store.run(wanted)
    frames, found = stored["frames"], stored["stats"]
    ledger = {name: stored[name] for name in _LEDGER}
    about = {**found["about"], "id": wanted, "created_at": stored["created_at"]}
    return Result(
        record={**ledger, **about, "repeatable": stored["repeatable"]},
        summary={k: float("nan") if v is None else v for k, v in found["summary"].items()},
        reads=tuple(found["reads"]),
        other_seeds=np.array(found["other_seeds"], dtype=np.float64),
        orders=int(found["orders"]),
        luck=_luck(found.get("luck")),
        # Runs of earlier versions have none.
        look_ahead=found.get("look_ahead") or {},
        equity=frames["equity"].set_index("close"),
        **{name: frames[name] for name in FRAMES if name != "equity"},
    )


def _luck(stored: Mapping[str, Any] | None) -> Deflation | None:
    """As it was written; what had no finite value is not known any more."""
    if stored is None:
        return None
    known: dict[str, Any] = {k: float("nan") if v is None else v for k, v in stored.items()}
    return Deflation(**known)


def diff_runs(first: Result, second: Result) -> pd.DataFrame:
    """What differs between two runs: ``what, first, second``, settings before findings."""
    rows = []
    for label, a, b in (
        ("record", _flat(first.record), _flat(second.record)),
        ("summary", first.summary, second.summary),
        (
            "stats",
            dict(zip(first.stats["label"], first.stats["strategy"], strict=True)),
            dict(zip(second.stats["label"], second.stats["strategy"], strict=True)),
        ),
        (
            "funnel",
            dict(zip(first.funnel["reason"], first.funnel["events"], strict=True)),
            dict(zip(second.funnel["reason"], second.funnel["events"], strict=True)),
        ),
    ):
        for name in dict.fromkeys([*a, *b]):
            left, right = a.get(name), b.get(name)
            if name in ("id", "created_at", "seconds", "repeatable") or _same(left, right):
                continue
            rows.append({"part": label, "what": name, "first": left, "second": right})
    return pd.DataFrame(rows, columns=["part", "what", "first", "second"])


def _storable(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    if name == "equity":
        return frame.rename_axis("close").reset_index()
    return frame


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b):
        return True
    return bool(a == b)
