"""Stored runs, and how often somebody looked."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from db.errors import UsageError, did_you_mean
from db.models import Run, RunFrame, Trial

_FIELDS = {
    "strategy": "strategy",
    "source_hash": "source_hash",
    "params": "params",
    "interval": "bar_interval",
    "store_versions": "store_versions",
    "program_version": "program_version",
    "seed": "seed",
    "hypothesis": "hypothesis",
    "trials": "trials",
    "settings": "settings",
    "stats": "stats",
    "funnel": "funnel",
    "seconds": "seconds",
}
_JSON = ("params", "store_versions", "settings", "stats", "funnel")


def save(connection: Connection, record: Mapping[str, Any], now: datetime) -> int:
    """Store a run; see `Store.save_run`."""
    for name in record:
        if name not in _FIELDS and name != "frames":
            raise UsageError(
                f"a run has no field {name!r}",
                hint=did_you_mean(name, [*_FIELDS, "frames"], kind="field"),
            )
    if not record.get("strategy"):
        raise UsageError("a run needs the name of its strategy")
    values = {
        _FIELDS[name]: plain(value)
        for name, value in record.items()
        if name in _FIELDS and value is not None
    }
    run_id = connection.scalars(
        insert(Run).values(created_at=now, **values).returning(Run.id)
    ).one()
    for name, table in record.get("frames", {}).items():
        connection.execute(insert(RunFrame).values(run_id=run_id, name=name, data=_packed(table)))
    trials = values.get("trials", 1)
    if trials:
        count_trials_of(connection, values.get("hypothesis") or "", trials, now, run_id)
    return run_id


def count_trials_of(
    connection: Connection, hypothesis: str, trials: int, now: datetime, run_id: int | None
) -> None:
    """Add to how often a hypothesis was looked at."""
    if trials < 0:
        raise UsageError(f"{trials} trials cannot be")
    connection.execute(
        insert(Trial).values(run_id=run_id, hypothesis=hypothesis, n_trials=trials, created_at=now)
    )


def count_trials(connection: Connection, hypothesis: str) -> int:
    """How many variants were looked at under a hypothesis."""
    total = select(func.sum(Trial.n_trials)).where(Trial.hypothesis == hypothesis)
    return int(connection.scalar(total) or 0)


def runs(connection: Connection) -> pd.DataFrame:
    """All runs, the newest last, without their frames."""
    rows = connection.execute(select(Run).order_by(Run.id)).mappings()
    names = ["id", "created_at", *_FIELDS, "repeatable"]
    table = pd.DataFrame([_public(dict(row)) for row in rows], columns=names)
    table["created_at"] = pd.to_datetime(table["created_at"], utc=True).astype(
        "datetime64[us, UTC]"
    )
    return table.astype({"id": "int64", "trials": "int64", "repeatable": "bool"})


def run(connection: Connection, run_id: int) -> dict[str, Any]:
    """One run with its frames; UsageError where there is none of that number."""
    row = connection.execute(select(Run).where(Run.id == int(run_id))).mappings().one_or_none()
    if row is None:
        known = [str(number) for number in connection.scalars(select(Run.id).order_by(Run.id))]
        raise UsageError(
            f"there is no run {run_id}", hint=did_you_mean(str(run_id), known, kind="run")
        )
    frames = connection.execute(
        select(RunFrame.name, RunFrame.data).where(RunFrame.run_id == int(run_id))
    )
    record = _public(dict(row))
    record["frames"] = {name: pd.read_parquet(io.BytesIO(data)) for name, data in frames}
    return record


def named_versions(connection: Connection) -> dict[str, set[int]]:
    """The table versions that repeatable runs read, by table."""
    named: dict[str, set[int]] = {}
    for versions in connection.scalars(select(Run.store_versions).where(Run.repeatable)):
        for table, version in versions.items():
            if isinstance(version, int):
                named.setdefault(table, set()).add(version)
    return named


def runs_naming(connection: Connection, versions: Mapping[str, set[int]]) -> list[int]:
    """Ids of the repeatable runs that read any of these table versions."""
    rows = connection.execute(
        select(Run.id, Run.store_versions).where(Run.repeatable).order_by(Run.id)
    )
    return [
        run_id
        for run_id, read in rows
        if any(read.get(table) in some for table, some in versions.items())
    ]


def mark_unrepeatable(connection: Connection, run_ids: Sequence[int]) -> None:
    """Say of runs that what they read is gone."""
    for run_id in run_ids:
        connection.execute(update(Run).where(Run.id == run_id).values(repeatable=False))


def plain(value: Any) -> Any:
    """A value as JSON has it: what is not a finite number becomes null, instants become text."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str) or value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Sequence | set | frozenset):
        return [plain(one) for one in value]
    return json.loads(json.dumps(value, default=str))


def _packed(table: pd.DataFrame | bytes) -> bytes:
    if isinstance(table, bytes):
        return table
    buffer = io.BytesIO()
    table.to_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _public(row: dict[str, Any]) -> dict[str, Any]:
    """A row under the names callers know."""
    shown = {"id": row["id"], "created_at": row["created_at"]}
    shown.update({name: row[column] for name, column in _FIELDS.items()})
    return {**shown, "repeatable": row["repeatable"]}
