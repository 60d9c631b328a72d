"""Small batches, readable by eye, for the tests of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa

from db.batches import (
    BAR_SCHEMA,
    ActionRecord,
    Adjustment,
    BarBatch,
    BarChunk,
    EventRecord,
    IngestReport,
    NewsRecord,
    Provenance,
    RecordBatch,
    Reject,
)
from db.delta.ingest import BarIngest
from db.intervals import Interval
from db.store import Store

FETCHED = datetime(2024, 1, 2, 12, 0, tzinfo=UTC)


def at(text: str) -> datetime:
    """``2019-01-29 21:05`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def micros(text: str) -> int:
    return int(np.datetime64(text, "us").astype(np.int64))


def provenance(name: str, *, source: str = "test", fetched_at: datetime = FETCHED) -> Provenance:
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Provenance(source=source, origin=name, content_hash=digest, fetched_at=fetched_at)


Row = tuple[str, str, float] | tuple[str, str, float, float | None]


def bar_table(rows: Iterable[Row]) -> pa.Table:
    """Rows of (symbol, start, close[, volume]); a bar spans one either side of its close."""
    rows = [(*row, 100.0)[:4] if len(row) == 3 else row for row in rows]
    closes = [float(row[2]) for row in rows]
    return pa.table(
        {
            "symbol": pa.array([row[0] for row in rows], pa.string()),
            "start": pa.array([micros(row[1]) for row in rows], pa.timestamp("us", tz="UTC")),
            "open": closes,
            "high": [close + 1 for close in closes],
            "low": [close - 1 for close in closes],
            "close": closes,
            "volume": pa.array([row[3] for row in rows], pa.float64()),
        },
        schema=BAR_SCHEMA,
    )


def bars(
    name: str,
    rows: Sequence[Row],
    *,
    interval: Interval = Interval.D1,
    adjusted: Adjustment = "none",
    source: str = "test",
    chunk_rows: int = 1000,
    rejects: Sequence[Reject] = (),
) -> BarBatch:
    """A batch of bars from one file called ``name``."""

    def chunks() -> Iterator[BarChunk]:
        refused = list(rejects)
        for first in range(0, len(rows), chunk_rows):
            yield BarChunk(bar_table(rows[first : first + chunk_rows]), refused)
            refused = []
        if refused:
            yield BarChunk(bar_table([]), refused)

    return BarBatch(provenance(name, source=source), interval, adjusted, chunks())


def event(symbol: str, when: str, until: str | None = None, **fields: Any) -> EventRecord:
    """An event announced at ``when`` (exact), or between ``when`` and ``until`` (session)."""
    precision = fields.pop("precision", "exact" if until is None else "session")
    return EventRecord(
        symbol=symbol,
        announced_from=at(when),
        announced_to=at(until or when),
        precision=precision,
        session=fields.pop("session", "post"),
        **fields,
    )


def records(
    name: str,
    rows: Sequence[Any],
    *,
    source: str = "test",
    fetched_at: datetime = FETCHED,
    rejects: Sequence[Reject] = (),
) -> RecordBatch[Any]:
    return RecordBatch(provenance(name, source=source, fetched_at=fetched_at), rows, rejects)


def action(symbol: str, day: str, value: float, kind: Any = "dividend") -> ActionRecord:
    return ActionRecord(symbol, kind, at(f"{day} 00:00").date(), value)


def news(title: str, when: str, *symbols: str, **fields: Any) -> NewsRecord:
    return NewsRecord(title=title, published_at=at(when), symbols=symbols, **fields)


def ingest_in_files_of(rows: int, store: Store, batch: BarBatch) -> IngestReport:
    """Import with so few rows a file that a small batch makes several."""
    ingest = BarIngest(store._database, store._table, store._now, file_rows=rows)
    return ingest.run(batch, progress=None, dry_run=False)
