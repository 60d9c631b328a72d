"""What every part of the store needs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING

from db.database import Database
from db.intervals import Interval
from db.turns import writer_turn

if TYPE_CHECKING:
    from db.delta.table import BarTable


class Door:
    """An open database, the store's identity and its clock."""

    def __init__(self, database: Database, store_id: str, now: Callable[[], datetime]) -> None:
        self._database = database
        self._store_id = store_id
        self._now = now

    def _turn(self) -> AbstractContextManager[None]:
        """The block is this process's turn to write."""
        return writer_turn(self._database, self._table)

    def _table(self, interval: Interval) -> BarTable:
        from db.delta.table import BarTable

        return BarTable(self._database.location.bars, interval, self._store_id)
