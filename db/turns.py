"""A writer's turn: the lock held, and nothing left half done by the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from db import batch_log
from db.database import Database
from db.intervals import Interval

if TYPE_CHECKING:
    from db.delta.table import BarTable


@contextmanager
def writer_turn(database: Database, table_of: Callable[[Interval], BarTable]) -> Iterator[None]:
    """Hold the writer lock for the block, after completing what a killed import left.

    Completing comes first for every writer: an import that died between its two commits has given
    out instrument ids that the database has not heard of.
    """
    with database.lock.hold():
        complete_pending(database, table_of)
        yield


def complete_pending(database: Database, table_of: Callable[[Interval], BarTable]) -> None:
    """Complete or remove pending batches, if there are any; call it with the lock held."""
    with database.read() as connection:
        interrupted = batch_log.has_pending(connection)
    if interrupted:
        from db.delta import recovery

        recovery.complete_pending(database, table_of)
