"""Sweeps in the store's ledger: every combination is a trial of its hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from backtest.sweeps.result import Sweep
from db.errors import UsageError

if TYPE_CHECKING:
    from db.store import Store

_LEDGER = (
    *("strategy", "source_hash", "params", "interval", "store_versions", "program_version"),
    *("seed", "settings", "seconds"),
)


def save_sweep(store: Store, found: Sweep) -> int:
    """Write a sweep to the ledger; its id is put into ``found.record["id"]``.

    As many trials are counted as there are combinations: later statistics of the same strategy
    have to know how often somebody looked.
    """
    record = found.record
    about = {name: value for name, value in record.items() if name not in _LEDGER}
    forward = found.walk_forward
    frames = {
        "sweep": found.frame,
        "monthly": _storable(found.monthly),
        "monthly_trades": _storable(found.monthly_trades),
        "accounts": found.accounts,
    }
    if forward is not None:
        frames |= {"folds": forward.folds, "walk_forward": forward.trades}
    run_id = store.save_run(
        {
            **{name: record[name] for name in _LEDGER if name in record},
            "stats": {
                "kind": "sweep",
                "axes": list(found.axes),
                "evaluations": found.evaluations,
                "about": about,
            },
            "funnel": {},
            "trials": len(found),
            "hypothesis": record["strategy"],
            "frames": {name: frame for name, frame in frames.items() if len(frame.columns)},
        }
    )
    record["id"] = run_id
    return run_id


def load_sweep(store: Store, run_id: int) -> Sweep:
    """A stored sweep.  UsageError where the run of that number is none."""
    from backtest.sweeps.walk_forward import WalkForward

    stored: dict[str, Any] = store.run(run_id)
    about, frames = stored["stats"], stored["frames"]
    if about.get("kind") != "sweep":
        raise UsageError(
            f"run {run_id} is a single run, not a sweep", hint=f"backtest runs show {run_id}"
        )
    known = {name: stored[name] for name in _LEDGER}
    record = {**known, **about["about"], "id": run_id, "created_at": stored["created_at"]}
    nothing = pd.DataFrame()
    forward = None
    if "folds" in frames:
        forward = WalkForward(frames["folds"], frames.get("walk_forward", nothing))
    return Sweep(
        record=record,
        axes=tuple(about["axes"]),
        frame=frames["sweep"],
        monthly=_as_it_was(frames["monthly"]),
        monthly_trades=_as_it_was(frames["monthly_trades"]),
        accounts=frames.get("accounts", nothing),
        evaluations=int(about["evaluations"]),
        walk_forward=forward,
    )


def _storable(months: pd.DataFrame) -> pd.DataFrame:
    """A row a combination: Parquet is made for many rows, not for ten thousand columns."""
    flat = months.T
    flat.columns = [f"{month:%Y-%m}" for month in months.index]
    return flat


def _as_it_was(flat: pd.DataFrame) -> pd.DataFrame:
    months = flat.T
    index = pd.DatetimeIndex([f"{month}-01" for month in flat.columns], name="month")
    months.index = index.as_unit("us")
    months.columns = pd.RangeIndex(len(flat))
    return months
