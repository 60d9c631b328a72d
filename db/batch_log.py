"""The log of imports: one row a batch, its rejects, and whether the same was imported before."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from sqlalchemy import Connection, delete, insert, select, update

from db.batches import IngestReport, Provenance, Reject
from db.counters import bump
from db.models import Batch, RejectedRow

_ROWS_AT_ONCE = 5_000
_SPOOL_BYTES = 4 << 20


class RejectSpool:
    """Rejects of a batch while it is read: in memory at first, then in an unnamed file.

    A file of which every row is refused must not need more memory than one of which none is.
    """

    def __init__(self) -> None:
        self._file: IO[str] = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - closed by __exit__
            max_size=_SPOOL_BYTES, mode="w+", encoding="utf-8", errors="surrogatepass"
        )
        self.count = 0

    def __enter__(self) -> RejectSpool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def extend(self, rejects: Iterable[Reject]) -> None:
        for reject in rejects:
            line = (reject.origin, int(reject.row), reject.column, reject.value, reject.reason)
            self._file.write(json.dumps(line) + "\n")
            self.count += 1

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """The rejects as rows to insert, some thousand at a time."""
        self._file.seek(0)
        page: list[dict[str, Any]] = []
        for line in self._file:
            origin, row, column, value, reason = json.loads(line)
            page.append(
                {"origin": origin, "row": row, "column": column, "value": value, "reason": reason}
            )
            if len(page) >= _ROWS_AT_ONCE:
                yield page
                page = []
        if page:
            yield page
        self._file.seek(0, 2)


def has_pending(connection: Connection) -> bool:
    """Whether some import of bars began to commit and has not said how it ended."""
    return connection.scalar(select(Batch.id).where(Batch.status == "pending").limit(1)) is not None


def find_done(
    connection: Connection, provenance: Provenance, kind: str, interval: str = ""
) -> IngestReport | None:
    """The report of an earlier import of the same content, or None.

    All rows that import accepted count as unchanged now.
    """
    row = connection.execute(
        select(Batch).where(*_same(provenance, kind, interval), Batch.status == "done")
    ).one_or_none()
    if row is None:
        return None
    return IngestReport(
        batch_id=row.id,
        origin=provenance.origin,
        added=0,
        revised=0,
        unchanged=row.added + row.revised + row.unchanged,
        rejected=row.rejected,
        already_imported=True,
    )


def start(
    connection: Connection,
    provenance: Provenance,
    *,
    kind: str,
    now: datetime,
    batch_id: int,
    rejects: RejectSpool,
    interval: str = "",
    adjusted: str = "",
    status: str = "done",
    pending: dict[str, Any] | None = None,
) -> None:
    """Insert a batch's row and its rejects; an abandoned attempt at the same is replaced."""
    connection.execute(
        delete(Batch).where(*_same(provenance, kind, interval), Batch.status == "pending")
    )
    connection.execute(
        insert(Batch).values(
            id=batch_id,
            kind=kind,
            source=provenance.source,
            origin=provenance.origin,
            content_hash=provenance.content_hash,
            bar_interval=interval,
            adjusted=adjusted,
            options={str(key): str(value) for key, value in provenance.options.items()},
            fetched_at=provenance.fetched_at,
            ingested_at=now,
            status=status,
            rejected=rejects.count,
            pending=pending,
        )
    )
    for page in rejects.pages():
        connection.execute(insert(RejectedRow), [{**row, "batch_id": batch_id} for row in page])
    if status == "done":
        bump(connection, "sql")


def finish(
    connection: Connection,
    batch_id: int,
    *,
    added: int,
    revised: int,
    unchanged: int,
    table_version: int | None = None,
) -> None:
    """Copy a batch's counts into its row and mark it done."""
    connection.execute(
        update(Batch)
        .where(Batch.id == batch_id)
        .values(
            status="done",
            pending=None,
            added=added,
            revised=revised,
            unchanged=unchanged,
            table_version=table_version,
        )
    )


def _same(provenance: Provenance, kind: str, interval: str) -> tuple[Any, ...]:
    return (
        Batch.content_hash == provenance.content_hash,
        Batch.source == provenance.source,
        Batch.kind == kind,
        Batch.bar_interval == interval,
    )
