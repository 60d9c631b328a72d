"""Rows of a file, in chunks: every row keeps its number, and the text it was read from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from db.batches import Reject
from db.errors import DataError
from db.sources.files.arrow import Cells, IntArray
from db.sources.files.source import Source, open_source

CHUNK_ROWS = 1 << 17
"""Rows in memory at a time: a few MB, and enough for vectorised work to outweigh its overhead."""


@dataclass(frozen=True)
class RowChunk:
    """Some rows of a file.

    ``columns`` has one array for each column of the file (None: not asked for).  CSV and JSON
    lines give text; Parquet gives what the file holds.  ``rows`` are the row numbers, 1 for the
    first row of data.  ``rejects`` are rows in this stretch that could not be split into cells;
    they are not among ``rows``.
    """

    columns: tuple[Cells | None, ...]
    rows: IntArray
    rejects: Sequence[Reject] = field(default=())

    def column(self, index: int) -> Cells:
        found = self.columns[index]
        if found is None:
            raise IndexError(f"column {index} was not read")
        return found


class Rows(Protocol):
    """A file that is open for reading."""

    source: Source
    names: Sequence[str]
    expected: int | None

    def chunks(self, wanted: Sequence[int] | None = None) -> Iterator[RowChunk]:
        """All rows, once; ``wanted`` limits the work to these columns.

        DataError when there is not a single row, or when the file turns out damaged.
        """
        ...


def open_rows(file: str, *, stdin: BinaryIO | None = None) -> Rows:
    """Open CSV, Parquet or JSON lines (gzipped text too); ``-`` is standard input, sniffed."""
    from db.sources.files.csv_rows import CsvRows
    from db.sources.files.json_rows import JsonRows
    from db.sources.files.parquet_rows import ParquetRows

    source = open_source(file, stdin=stdin)
    if source.format == "parquet":
        return ParquetRows(source)
    if source.format == "jsonl":
        return JsonRows(source)
    return CsvRows(source)


def no_rows(source: Source, names: Sequence[str]) -> DataError:
    """The error for a file that has columns and nothing in them."""
    listed = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return DataError(f"there are columns ({listed}) but not one row of data", where=source.origin)
