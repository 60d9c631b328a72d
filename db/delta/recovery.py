"""Finishing what a killed import left: SQL's row of a batch follows from the Delta log.

A batch's Delta commit is the truth.  Where the commit exists its batch is completed from the
counts the commit carries; where it does not, nothing of the batch exists and its row goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from db import batch_log
from db.counters import bump
from db.database import Database
from db.delta.table import BarTable
from db.instruments import insert_created
from db.intervals import Interval
from db.models import BarSource, Batch

TableOf = Callable[[Interval], BarTable]


def complete_pending(database: Database, table_of: TableOf) -> None:
    """Complete or remove every pending batch.  Call it with the writer lock held."""
    with database.read() as connection:
        pending = connection.execute(
            select(Batch.id, Batch.bar_interval, Batch.pending).where(Batch.status == "pending")
        ).all()
    for batch_id, interval, plan in pending:
        table = table_of(Interval.parse(interval))
        facts = next(
            (
                commit
                for commit in table.facts_since(plan["base"])
                if commit.get("batch") == str(batch_id)
            ),
            None,
        )
        with database.write("recovering a batch") as connection:
            if facts is None:
                connection.execute(delete(Batch).where(Batch.id == batch_id))
            else:
                complete(connection, batch_id, plan, facts, int(facts["version"]))


def complete(
    connection: Connection,
    batch_id: int,
    plan: Mapping[str, Any],
    facts: Mapping[str, Any],
    version: int | None,
) -> None:
    """Write everything that a committed batch means for SQL: instruments, source, counts."""
    options = connection.scalar(select(Batch.options).where(Batch.id == batch_id)) or {}
    insert_created(connection, plan["created"], options)
    key = {"bar_interval": facts["interval"], "source": facts["source"]}
    if connection.execute(select(BarSource).filter_by(**key)).first() is None:
        connection.execute(insert(BarSource).values(adjusted=facts["adjusted"], **key))
    batch_log.finish(
        connection,
        batch_id,
        added=int(facts["added"]),
        revised=int(facts["revised"]),
        unchanged=int(facts["unchanged"]),
        table_version=version,
    )
    bump(connection, "sql")
