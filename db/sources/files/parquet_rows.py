"""Rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from db.errors import DataError
from db.sources.files.arrow import Cells
from db.sources.files.reader import CHUNK_ROWS, RowChunk, no_rows
from db.sources.files.source import Source


class ParquetRows:
    """One Parquet file; columns keep their types."""

    def __init__(self, source: Source) -> None:
        self.source = source
        with source.open() as stream:
            try:
                file = pq.ParquetFile(stream)
                self.names: Sequence[str] = list(file.schema_arrow.names)
                self.expected: int | None = file.metadata.num_rows
            except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
                raise self._damaged(error, 0) from error
        if len(set(self.names)) < len(self.names):
            raise DataError("two columns have the same name", where=source.origin)

    def chunks(self, wanted: Sequence[int] | None = None) -> Iterator[RowChunk]:
        """See `Rows.chunks`."""
        chosen = range(len(self.names)) if wanted is None else sorted(set(wanted))
        names = [self.names[i] for i in chosen]
        # A dot in a name means "field of a struct" to the reader: then everything is read.
        by_name = None if any("." in name for name in names) else names
        done = 0
        with self.source.open() as stream:
            try:
                file = pq.ParquetFile(stream)
                for batch in file.iter_batches(CHUNK_ROWS, columns=by_name, use_threads=False):
                    if batch.num_rows:
                        yield self._chunk(batch, names, done)
                    done += batch.num_rows
            except (pa.ArrowException, OSError) as error:
                raise self._damaged(error, done) from error
        if not done:
            raise no_rows(self.source, self.names)

    def _chunk(self, batch: pa.RecordBatch, names: list[str], done: int) -> RowChunk:
        columns: list[Cells | None] = [None] * len(self.names)
        for name in names:
            cells = batch.column(batch.schema.get_field_index(name))
            if not pa.types.is_primitive(cells.type):
                cells.validate(full=True)  # Parquet does not promise that text is UTF-8
            columns[self.names.index(name)] = cells
        rows = np.arange(done + 1, done + batch.num_rows + 1, dtype=np.int64)
        return RowChunk(tuple(columns), rows)

    def _damaged(self, error: Exception, done: int) -> DataError:
        after = f" after row {done}" if done else ""
        return DataError(
            f"the Parquet file is damaged or cut short{after} ({str(error).splitlines()[0]})",
            where=self.source.origin,
            hint="fetch or write it again",
        )
