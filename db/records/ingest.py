"""One batch of records: one transaction, under the writer lock."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from db import batch_log
from db.batch_log import RejectSpool
from db.batches import (
    ActionRecord,
    EventRecord,
    GuidanceRecord,
    IngestReport,
    NewsRecord,
    RecordBatch,
)
from db.counters import bump
from db.database import Database
from db.errors import DataError, UsageError
from db.instruments import SymbolBook, insert_created
from db.models import NaiveDatetimeError
from db.records import actions, guidance
from db.records.common import Intake
from db.records.events import EventIntake
from db.records.news import NewsIntake

_KINDS = {
    EventRecord: "events",
    GuidanceRecord: "guidance",
    ActionRecord: "actions",
    NewsRecord: "news",
}
_INSTANTS = ("announced_from", "announced_to", "first_known_at", "published_at", "event_at")


class _RehearsedError(Exception):
    """Ends the transaction of a dry run."""


def ingest(
    database: Database,
    batch: RecordBatch[Any],
    *,
    now: Callable[[], datetime],
    progress: Callable[[int], None] | None,
    dry_run: bool,
) -> IngestReport:
    """Import a batch of records; see `Store.ingest`.  Call it in a writer's turn."""
    kind = _kind(batch)
    for record in batch.records:
        _check(record, batch.provenance.origin)
    reports: list[IngestReport] = []
    with RejectSpool() as rejects:
        rejects.extend(batch.rejects)
        try:
            with database.write(f"a batch of {kind}") as connection:
                reports.append(_run(connection, batch, kind, rejects, now()))
                if dry_run:
                    raise _RehearsedError
        except _RehearsedError:
            pass
    if progress is not None:
        progress(len(batch.records) + len(batch.rejects))
    return replace(reports[0], batch_id=0) if dry_run else reports[0]


def _run(
    connection: Connection,
    batch: RecordBatch[Any],
    kind: str,
    rejects: RejectSpool,
    now: datetime,
) -> IngestReport:
    earlier = batch_log.find_done(connection, batch.provenance, kind)
    if earlier is not None:
        return earlier
    batch_id = bump(connection, "batch")
    batch_log.start(
        connection, batch.provenance, kind=kind, now=now, batch_id=batch_id, rejects=rejects
    )
    book = SymbolBook.load(connection)
    for symbol in _symbols(batch.records):
        if symbol not in book.spans:
            book.create(symbol)
    insert_created(connection, book.created, batch.provenance.options)
    intake = Intake(connection, batch.provenance, batch_id, book, now)
    _take_in(intake, kind, batch.records)
    tally = intake.tally
    batch_log.finish(
        connection,
        batch_id,
        added=tally.added,
        revised=tally.revised,
        unchanged=tally.unchanged,
    )
    return IngestReport(
        batch_id=batch_id,
        origin=batch.provenance.origin,
        added=tally.added,
        revised=tally.revised,
        unchanged=tally.unchanged,
        rejected=rejects.count,
    )


def _take_in(intake: Intake, kind: str, records: Sequence[Any]) -> None:
    if kind == "events":
        EventIntake(intake).run(records)
    elif kind == "guidance":
        guidance.take_in(intake, records)
    elif kind == "actions":
        actions.take_in(intake, records)
    elif kind == "news":
        NewsIntake(intake).run(records)


def _kind(batch: RecordBatch[Any]) -> str:
    """What the records are; a batch without any is logged as such."""
    kinds = {type(record) for record in batch.records}
    unknown = [kind.__name__ for kind in kinds if kind not in _KINDS]
    if unknown or len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise UsageError(
            f"a batch holds records of one kind, not {names}", where=batch.provenance.origin
        )
    return _KINDS[kinds.pop()] if kinds else "records"


def _symbols(records: Sequence[Any]) -> Iterator[str]:
    for record in records:
        if isinstance(record, NewsRecord):
            yield from record.symbols
        else:
            yield record.symbol


def _check(record: Any, origin: str) -> None:
    """Refuse what no importer should let through, before anything is compared with it."""
    where = f"{origin}, row {record.row}"
    for name in _INSTANTS:
        instant = getattr(record, name, None)
        if instant is not None and instant.utcoffset() is None:
            raise NaiveDatetimeError(
                f"{name} {instant.isoformat()} has no time zone",
                where=where,
                hint="give an aware datetime, such as datetime(..., tzinfo=timezone.utc)",
            )
    if hasattr(record, "announced_to") and record.announced_to < record.announced_from:
        raise DataError("the release interval ends before it begins", where=where)
    if not all(_symbols([record])):
        raise DataError("an empty symbol", where=where)
    if isinstance(record, ActionRecord) and not 0 < record.value < math.inf:
        raise DataError(f"a {record.kind} of {record.value}", where=where)
