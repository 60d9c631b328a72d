"""What the tests of file imports share: small inputs in, readable results out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from db.batches import BarBatch, Reject
from db.sources.files import prices
from db.sources.files.reader import open_rows

NEW_YORK = "America/New_York"


def at_noon() -> datetime:
    """The clock of these tests: 2024-01-02 12:00 UTC, before New York opens."""
    return datetime(2024, 1, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Imported:
    """All chunks of a batch in one."""

    batch: BarBatch
    bars: pa.Table
    rejects: list[Reject]

    @property
    def rows_read(self) -> int:
        return self.bars.num_rows + len(self.rejects)

    def starts(self) -> list[str]:
        """Starts of the bars, UTC, to the minute."""
        return [start.strftime("%Y-%m-%d %H:%M") for start in self.bars["start"].to_pylist()]

    def column(self, name: str) -> list[Any]:
        return list(self.bars[name].to_pylist())

    def refused(self) -> list[tuple[int, str, str]]:
        """Row, column and value of each reject."""
        return [(reject.row, reject.column, reject.value) for reject in self.rejects]

    def reasons(self) -> dict[int, str]:
        return {reject.row: reject.reason for reject in self.rejects}


def collected(batch: BarBatch) -> Imported:
    chunks = list(batch.chunks)
    bars = pa.concat_tables(chunk.bars for chunk in chunks)
    return Imported(batch, bars, [reject for chunk in chunks for reject in chunk.rejects])


def import_prices(file: Path | str, **options: Any) -> Imported:
    """One file of bars, all of it."""
    options.setdefault("now", at_noon)
    options.setdefault("interval", "1d")
    (batch,) = prices(file, **options)
    return collected(batch)


def import_text(text: str | bytes, **options: Any) -> Imported:
    """Bars of a text on standard input; of AMD, if it has no symbols."""
    options.setdefault("symbol", "AMD")
    return import_prices("-", stdin=stdin(text), **options)


def stdin(text: str | bytes) -> io.BytesIO:
    return io.BytesIO(text.encode() if isinstance(text, str) else text)


def rows_of(text: str | bytes) -> Iterator[tuple[int, list[Any] | str]]:
    """Number and cells of each row, or number and reason of each reject, in the file's order."""
    found: list[tuple[int, list[Any] | str]] = []
    for chunk in open_rows("-", stdin=stdin(text)).chunks():
        columns = [chunk.column(index).to_pylist() for index in range(len(chunk.columns))]
        for number, *cells in zip(chunk.rows.tolist(), *columns, strict=True):
            found.append((number, cells))
        found += [(reject.row, reject.reason) for reject in chunk.rejects]
    yield from sorted(found, key=lambda row: row[0])
