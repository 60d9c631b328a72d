"""One batch of bars: staged, compared with what is there, and committed all at once."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from db import batch_log
from db.batch_log import RejectSpool
from db.batches import BarBatch, IngestReport
from db.counters import bump
from db.database import Database
from db.delta import recovery
from db.delta.files import FILE_ROWS, BarFile, BoolArray, Folder
from db.delta.reconcile import Comparison, compare
from db.delta.settling import settle
from db.delta.staging import Staged, Stager, staged_path
from db.delta.table import ConflictError
from db.delta.writing import copy_without
from db.errors import StoreError, UsageError
from db.instruments import SymbolBook
from db.models import BarSource
from db.turns import writer_turn

KIND = "bars"
_TRIES = 6
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Progress = Callable[[int], None]


@dataclass(frozen=True)
class BarIngest:
    """Everything that importing bars of one interval needs of a store."""

    database: Database
    table_of: recovery.TableOf
    now: Callable[[], datetime]
    file_rows: int = FILE_ROWS

    def run(self, batch: BarBatch, *, progress: Progress | None, dry_run: bool) -> IngestReport:
        """Import a batch; see `Store.ingest`."""
        check_source(batch.provenance.source)
        with self.database.read() as connection:
            earlier = self._earlier(connection, batch)
            if earlier is not None:
                return earlier
            check_adjustment(connection, batch)
            book = SymbolBook.load(connection)
        with RejectSpool() as rejects:
            if dry_run:
                return self._rehearse(batch, book, rejects, progress)
            with self.database.write("a batch id") as connection:
                batch_id = bump(connection, "batch")
            table = self.table_of(batch.interval)
            stager = self._stager(table.folder, batch, batch_id, book, rejects)
            staged = stager.run(progress)
            with writer_turn(self.database, self.table_of), table.folder.guarded():
                return self._in_turn(batch, batch_id, stager, staged, rejects)

    def _earlier(self, connection: Connection, batch: BarBatch) -> IngestReport | None:
        return batch_log.find_done(connection, batch.provenance, KIND, batch.interval.value)

    def _rehearse(
        self, batch: BarBatch, book: SymbolBook, rejects: RejectSpool, progress: Progress | None
    ) -> IngestReport:
        """Stage somewhere else and compare, but commit nothing."""
        table = self.table_of(batch.interval)
        existing = table.snapshot().of_source(batch.provenance.source)
        with tempfile.TemporaryDirectory(prefix="aftershock-") as place:
            folder = Folder.at(place, "rehearsal")
            staged = self._stager(folder, batch, 0, book, rejects).run(progress)
            found = compare(folder, staged, table.folder, existing)
        return _report(batch, 0, staged, found, rejects.count + len(found.refused))

    def _stager(
        self,
        folder: Folder,
        batch: BarBatch,
        batch_id: int,
        book: SymbolBook,
        rejects: RejectSpool,
    ) -> Stager:
        return Stager(folder, batch, batch_id, book, rejects, file_rows=self.file_rows)

    def _in_turn(
        self, batch: BarBatch, batch_id: int, stager: Stager, staged: Staged, rejects: RejectSpool
    ) -> IngestReport:
        """Nobody else decides meanwhile what is new."""
        with self.database.read() as connection:
            earlier = self._earlier(connection, batch)
            check_adjustment(connection, batch)
            book = SymbolBook.load(connection)
        table = self.table_of(batch.interval)
        if earlier is not None:  # another process has imported the same meanwhile
            table.folder.delete([file.path for file in staged.files])
            return earlier
        staged = settle(table.folder, staged, stager.seen, stager.book, book)
        if not staged.files:
            return self._log_only(batch, batch_id, staged, Comparison(), rejects)
        table.create()
        for attempt in range(_TRIES):
            try:
                return self._attempt(batch, batch_id, staged, rejects, book, attempt)
            except ConflictError:
                time.sleep(0.05 * 2**attempt)
        raise StoreError(
            "other writers kept changing the table", hint="run the import again, alone"
        )

    def _attempt(
        self,
        batch: BarBatch,
        batch_id: int,
        staged: Staged,
        rejects: RejectSpool,
        book: SymbolBook,
        attempt: int,
    ) -> IngestReport:
        """Compare with the table as it is now and commit on top of exactly that."""
        table = self.table_of(batch.interval)
        base = table.snapshot()
        existing = base.of_source(batch.provenance.source)
        found = compare(table.folder, staged, table.folder, existing)
        if attempt == 0:  # the batch contradicts itself in the same places every time
            rejects.extend(found.rejects(batch.provenance.origin, book.names()))
        paths = _Paths(batch.provenance.source, batch_id, attempt)
        add = _without(table.folder, staged.files, found.staged, paths)
        remove = [file for file in existing if file.path in found.existing]
        kept = _without(table.folder, remove, found.existing, paths)
        if not add and not remove:
            return self._log_only(batch, batch_id, staged, found, rejects)
        plan = {"base": base.version, "created": book.created}
        facts = _facts(batch, batch_id, staged, found)
        with self.database.write("the pending batch") as connection:
            self._start(connection, batch, batch_id, rejects, pending=plan)
        version = table.commit(base, add=[*add, *kept], remove=remove, facts=facts, now=self.now())
        with self.database.write("the finished batch") as connection:
            recovery.complete(connection, batch_id, plan, facts, version)
        used = {file.path for file in add}
        table.folder.delete([file.path for file in staged.files if file.path not in used])
        return _report(batch, batch_id, staged, found, rejects.count)

    def _log_only(
        self,
        batch: BarBatch,
        batch_id: int,
        staged: Staged,
        found: Comparison,
        rejects: RejectSpool,
    ) -> IngestReport:
        """A batch without a new bar leaves the table as it is."""
        report = _report(batch, batch_id, staged, found, rejects.count)
        with self.database.write("a batch without new bars") as connection:
            self._start(connection, batch, batch_id, rejects)
            batch_log.finish(connection, batch_id, added=0, revised=0, unchanged=report.unchanged)
        self.table_of(batch.interval).folder.delete([file.path for file in staged.files])
        return report

    def _start(
        self,
        connection: Connection,
        batch: BarBatch,
        batch_id: int,
        rejects: RejectSpool,
        pending: dict[str, Any] | None = None,
    ) -> None:
        batch_log.start(
            connection,
            batch.provenance,
            kind=KIND,
            now=self.now(),
            batch_id=batch_id,
            rejects=rejects,
            interval=batch.interval.value,
            adjusted=batch.adjusted,
            status="done" if pending is None else "pending",
            pending=pending,
        )


class _Paths:
    """Names for the files that replace others; none is used twice, not even after a retry."""

    def __init__(self, source: str, batch_id: int, attempt: int) -> None:
        self._source, self._batch_id, self._next = source, batch_id, 1000 * (attempt + 1)

    def next(self) -> str:
        self._next += 1
        return staged_path(self._source, self._batch_id, self._next)


def _without(
    folder: Folder,
    files: list[BarFile] | tuple[BarFile, ...],
    drop: dict[str, BoolArray],
    paths: _Paths,
) -> list[BarFile]:
    """The files without the rows to drop; one from which nothing goes stays as it is."""
    kept = []
    for file in files:
        rows = drop.get(file.path)
        if rows is None:
            kept.append(file)
        elif not rows.all():
            copy = copy_without(folder, file, rows, paths.next())
            kept.extend([copy] if copy else [])
    return kept


def check_source(source: str) -> None:
    """UsageError for a name that cannot be a folder's."""
    if not _SOURCE.fullmatch(source):
        raise UsageError(
            f"{source!r} cannot name a source",
            hint="use letters, digits, '.', '_' and '-', at most 64, such as --source my-vendor",
        )


def check_adjustment(connection: Connection, batch: BarBatch) -> None:
    """UsageError where the source's bars of this interval are adjusted in another way."""
    source = batch.provenance.source
    known = connection.scalar(
        select(BarSource.adjusted).filter_by(bar_interval=batch.interval.value, source=source)
    )
    if known is not None and known != batch.adjusted:
        raise UsageError(
            f"the {batch.interval.value} bars of source {source!r} are adjusted {known!r}, "
            f"these are adjusted {batch.adjusted!r}",
            where=batch.provenance.origin,
            hint=f"import them under a name of their own: --source {source}-{batch.adjusted}",
        )


def _facts(batch: BarBatch, batch_id: int, staged: Staged, found: Comparison) -> dict[str, str]:
    """What the commit says of its batch: enough to complete SQL's row from the log alone."""
    report = _report(batch, batch_id, staged, found, 0)
    return {
        "batch": str(batch_id),
        "content_hash": batch.provenance.content_hash,
        "origin": batch.provenance.origin,
        "source": batch.provenance.source,
        "interval": batch.interval.value,
        "adjusted": batch.adjusted,
        "added": str(report.added),
        "revised": str(report.revised),
        "unchanged": str(report.unchanged),
    }


def _report(
    batch: BarBatch, batch_id: int, staged: Staged, found: Comparison, rejected: int
) -> IngestReport:
    return IngestReport(
        batch_id=batch_id,
        origin=batch.provenance.origin,
        added=staged.accepted - found.dropped - found.revised,
        revised=found.revised,
        unchanged=found.unchanged,
        rejected=rejected,
    )
