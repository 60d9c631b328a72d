"""Imports and runs: what was read from where, what was computed, how often somebody looked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from db import horizon
from db.access.door import Door

if TYPE_CHECKING:
    import pandas as pd


class Ledger(Door):
    """What was done with the store."""

    def batches(self) -> pd.DataFrame:
        """Finished imports, in the order of their ids."""
        from db.records import listing

        with self._database.read() as connection:
            return listing.batches(connection)

    def rejects(self, batch_id: int | None = None, limit: int | None = None) -> pd.DataFrame:
        """Refused rows: batch_id, origin, row, column, value, reason."""
        from db.records import listing

        with self._database.read() as connection:
            return listing.rejects(connection, batch_id, limit)

    def reject_counts(self) -> pd.DataFrame:
        """How many rows were refused: batch_id, origin, column, reason, rows."""
        from db.records import listing

        with self._database.read() as connection:
            return listing.reject_counts(connection)

    def save_run(self, record: Mapping[str, Any]) -> int:
        """Store a run; returns its id.

        Fields: strategy (required), source_hash, params, interval, store_versions,
        program_version, seed, hypothesis, trials, settings, stats, funnel, seconds, and frames, a
        mapping of names to data frames (or to the bytes of Parquet files).
        """
        from db import run_ledger

        with self._database.write("a run") as connection:
            return run_ledger.save(connection, record, self._now())

    def runs(self) -> pd.DataFrame:
        """All runs without their frames, the newest last."""
        from db import run_ledger

        with self._database.read() as connection:
            table = run_ledger.runs(connection)
        return horizon.known(table, "created_at")

    def run(self, run_id: int) -> dict[str, Any]:
        """One run, its frames included; UsageError where there is none of that number."""
        from db import run_ledger

        horizon.refuse("a stored run")
        with self._database.read() as connection:
            return run_ledger.run(connection, run_id)

    def count_trials(self, hypothesis: str) -> int:
        """How many variants were looked at under a hypothesis."""
        from db import run_ledger

        with self._database.read() as connection:
            return run_ledger.count_trials(connection, hypothesis)
