"""A bar table in Delta Lake: its files at a version, and commits that are all or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import (
    AddAction,
    CommitProperties,
    RemoveAction,
    Transaction,
)

from db.batches import Adjustment
from db.crashpoints import crashpoint
from db.delta.files import FILE_SCHEMA, BarFile, Box, Folder
from db.errors import StoreError
from db.intervals import Interval

_TABLE_SCHEMA = FILE_SCHEMA.append(pa.field("source", pa.string(), nullable=False))
_WRITER = "aftershock-writer"
# Old versions stay readable until `clean` says otherwise: Delta must not tidy its log by itself.
_CONFIGURATION = {
    "delta.logRetentionDuration": "interval 5200 weeks",
    "delta.deletedFileRetentionDuration": "interval 5200 weeks",
    "delta.enableExpiredLogCleanup": "false",
}


class ConflictError(Exception):
    """Somebody else committed in between: look again and retry."""


def table_name(interval: Interval) -> str:
    return f"bars_{interval.value}"


@dataclass(frozen=True)
class Snapshot:
    """The files of a table at one version; -1 before the table exists."""

    version: int
    files: tuple[BarFile, ...]

    def of_source(self, source: str) -> tuple[BarFile, ...]:
        return tuple(file for file in self.files if file.source == source)


class BarTable:
    """One interval's table.  ``store_id`` guards against a folder that belongs elsewhere."""

    def __init__(self, bars: str, interval: Interval, store_id: str) -> None:
        self.interval = interval
        self.folder = Folder.at(bars, table_name(interval))
        self._store_id = store_id

    def snapshot(self, version: int | None = None) -> Snapshot:
        """The table now, or at a version; StoreError where that version cannot be had."""
        table = self._open(version)
        if table is None:
            if version is not None and version >= 0:
                raise self._no_version(version)
            return Snapshot(-1, ())
        return Snapshot(table.version(), tuple(_files(table)))

    def create(self) -> None:
        """Create the table unless it exists."""
        if self._open(None) is not None:
            return
        crashpoint(f"before creating {self.folder.uri}")
        self._guarded(
            lambda: DeltaTable.create(
                self.folder.uri,
                _TABLE_SCHEMA,
                mode="ignore",
                partition_by=["source"],
                description=self._store_id,
                configuration=_CONFIGURATION,
                storage_options=self.folder.storage_options,
            )
        )
        crashpoint(f"after creating {self.folder.uri}")

    def commit(
        self,
        base: Snapshot,
        *,
        add: Sequence[BarFile],
        remove: Sequence[BarFile],
        facts: Mapping[str, str],
        now: datetime,
        changes_data: bool = True,
    ) -> int:
        """Add and remove files in one commit on top of ``base``; returns the new version.

        ``facts`` go into the commit's metadata.  `ConflictError` when the table has moved on
        since ``base``: the writer lock prevents that, this check does not depend on it.
        """
        table = self._open(None)
        if table is None or table.version() != base.version:
            raise ConflictError
        millis = int(now.timestamp() * 1000)
        actions: list[AddAction | RemoveAction] = [
            *(_add_action(file, millis, changes_data) for file in add),
            *(
                RemoveAction(file.path, changes_data, millis, file.bytes, {"source": file.source})
                for file in remove
            ),
        ]
        # Two commits with the same application transaction conflict, unlike two plain appends.
        properties = CommitProperties(
            custom_metadata=dict(facts),
            max_commit_retries=0,
            app_transactions=[Transaction(_WRITER, base.version + 1)],
        )
        crashpoint("before the Delta commit")
        try:
            table.create_write_transaction(
                actions,
                mode="append",
                schema=table.schema(),
                partition_by=["source"],
                commit_properties=properties,
            )
        except CommitFailedError as error:
            raise ConflictError from error
        except DeltaError as error:
            raise StoreError(str(error), where=self.folder.uri) from error
        crashpoint("after the Delta commit")
        return base.version + 1

    def facts_since(self, version: int) -> list[dict[str, Any]]:
        """Metadata of the commits after ``version``, each with its own version number."""
        table = self._open(None)
        if table is None or table.version() <= version:
            return []
        return table.history(limit=table.version() - version)

    def adjustment_of(self, source: str) -> Adjustment:
        """How a source's bars are adjusted, by the commits that brought them."""
        found = (one["adjusted"] for one in self.facts_since(-1) if one.get("source") == source)
        return cast(Adjustment, next(found, "none"))

    def _open(self, version: int | None) -> DeltaTable | None:
        try:
            table = DeltaTable(
                self.folder.uri, version=version, storage_options=self.folder.storage_options
            )
        except TableNotFoundError:
            return None
        except (DeltaError, OSError) as error:
            if version is not None:
                raise self._no_version(version) from error
            raise StoreError(
                f"the table of {self.interval.value} bars cannot be read: {error}",
                where=self.folder.uri,
            ) from error
        if table.metadata().description != self._store_id:
            raise StoreError(
                "these bars belong to another store",
                where=self.folder.uri,
                hint="name the folder that was given with --bars when the store was created",
            )
        return table

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (DeltaError, OSError) as error:
            raise StoreError(str(error), where=self.folder.uri) from error

    def _no_version(self, version: int) -> StoreError:
        return StoreError(
            f"version {version} of the {self.interval.value} bars does not exist (any more)",
            where=self.folder.uri,
        )


def _add_action(file: BarFile, millis: int, changes_data: bool) -> AddAction:
    low, high = file.box.starts
    stats = {
        "numRecords": file.rows,
        "minValues": {"instrument": file.box.instruments[0], "start": _iso(low)},
        "maxValues": {"instrument": file.box.instruments[1], "start": _iso(high)},
        "nullCount": {"instrument": 0, "start": 0},
    }
    return AddAction(
        file.path, file.bytes, {"source": file.source}, millis, changes_data, json.dumps(stats)
    )


def _iso(start: int) -> str:
    seconds, micros = divmod(start, 1_000_000)
    stamp = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _files(table: DeltaTable) -> list[BarFile]:
    rows = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    files = [
        BarFile(
            path=row["path"],
            source=row["partition.source"],
            rows=row["num_records"],
            bytes=row["size_bytes"],
            box=Box(
                (row["min.instrument"], row["max.instrument"]),
                (_micros(row["min.start"]), _micros(row["max.start"])),
            ),
        )
        for row in rows
    ]
    return sorted(files, key=lambda file: (file.source, file.box.instruments, file.box.starts))


def _micros(stamp: datetime) -> int:
    whole = stamp.replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + stamp.microsecond
