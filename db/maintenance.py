"""What concerns a store's bar tables as a whole: sources, versions, recovery, upkeep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import pandas as pd
from sqlalchemy import select

from db import run_ledger
from db.batches import Adjustment
from db.counters import take
from db.database import Database
from db.delta import reading, upkeep
from db.delta.recovery import TableOf
from db.delta.table import BarTable, table_name
from db.intervals import Interval
from db.models import BarSource, Batch
from db.turns import complete_pending, writer_turn

_SOURCE_COLUMNS = [
    "interval",
    "source",
    "adjusted",
    "instruments",
    "rows",
    "first",
    "last",
    "version",
]


@dataclass(frozen=True)
class CleanReport:
    """What `clean` deleted, or would: files, their bytes, and the runs it makes unrepeatable."""

    files: int
    bytes: int
    unrepeatable_runs: tuple[int, ...]


def recover(database: Database, table_of: TableOf) -> None:
    """Complete pending batches, unless a running import holds the lock: then it does so."""
    with database.lock.try_hold(0) as held:
        if held:
            complete_pending(database, table_of)


def intervals(database: Database) -> list[Interval]:
    """The intervals that the store has had bars of, the finest first."""
    with database.read() as connection:
        found = set(connection.scalars(select(BarSource.bar_interval).distinct()))
    return [interval for interval in Interval if interval.value in found]


def adjustments(database: Database, interval: Interval) -> dict[str, Adjustment]:
    """How each source's bars of an interval are adjusted."""
    with database.read() as connection:
        rows = connection.execute(
            select(BarSource.source, BarSource.adjusted).filter_by(bar_interval=interval.value)
        )
        return {source: cast(Adjustment, adjusted) for source, adjusted in rows}


def bar_sources(database: Database, table_of: TableOf) -> pd.DataFrame:
    """See `Store.bar_sources`; ``first`` and ``last`` are starts of bars, in UTC."""
    rows = []
    for interval in intervals(database):
        adjusted = adjustments(database, interval)
        for row in reading.describe(table_of(interval)):
            rows.append({**row, "adjusted": adjusted.get(str(row["source"]), "none")})
    table = pd.DataFrame(rows, columns=_SOURCE_COLUMNS)
    for name in ("first", "last"):
        stamps = table[name].astype("int64").astype("datetime64[us]")
        table[name] = stamps.dt.tz_localize("UTC")
    whole = dict.fromkeys(("instruments", "rows", "version"), "int64")
    text = dict.fromkeys(("interval", "source", "adjusted"), "str")
    return table.astype({**whole, **text})


def versions(database: Database, table_of: TableOf) -> dict[str, int]:
    """See `Store.versions`."""
    found = {
        table_name(interval): table_of(interval).snapshot().version
        for interval in intervals(database)
    }
    with database.read() as connection:
        return {**found, "sql": take(connection, "sql")}


def compact(database: Database, table_of: TableOf, now: Callable[[], datetime]) -> pd.DataFrame:
    """See `Store.compact`."""
    rows = []
    with writer_turn(database, table_of):
        for interval in intervals(database):
            before, after = upkeep.compact(table_of(interval), now())
            rows.append((table_name(interval), before, after))
    return pd.DataFrame(rows, columns=["table", "files_before", "files_after"])


def clean(
    database: Database,
    table_of: TableOf,
    now: Callable[[], datetime],
    *,
    drop_versions: bool,
    dry_run: bool,
) -> CleanReport:
    """See `Store.clean`.  Runs are marked before the first file goes, should it be interrupted."""
    with writer_turn(database, table_of):
        with database.read() as connection:
            named = run_ledger.named_versions(connection)
            done = set(connection.scalars(select(Batch.id).where(Batch.status == "done")))
        plans = []
        lost: dict[str, set[int]] = {}
        for interval in intervals(database):
            table = table_of(interval)
            wanted = named.get(table_name(interval), set())
            gone = upkeep.unused(table, set() if drop_versions else wanted, done, now())
            plans.append((table, gone))
            if drop_versions:
                lost[table_name(interval)] = _unreadable(table, wanted, {one.path for one in gone})
        with database.read() as connection:
            runs = run_ledger.runs_naming(connection, lost)
        if not dry_run:
            if runs:
                with database.write("unrepeatable runs") as connection:
                    run_ledger.mark_unrepeatable(connection, runs)
            for table, gone in plans:
                table.folder.delete([info.path for info in gone])
    deleted = [info for _, gone in plans for info in gone]
    return CleanReport(len(deleted), sum(info.size for info in deleted), tuple(runs))


def _unreadable(table: BarTable, wanted: set[int], gone: set[str]) -> set[int]:
    return {version for version in wanted if not upkeep.readable_without(table, version, gone)}
