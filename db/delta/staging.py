"""Staging: a stream of chunks becomes sorted files in the table's folder, not yet referred to.

Holds at most one file's rows in memory, however long the stream is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from db.batch_log import RejectSpool
from db.batches import BAR_SCHEMA, BarBatch, BarChunk, Reject
from db.delta.files import FILE_SCHEMA, PRICES, BarFile, Folder, IntArray
from db.delta.writing import FileWriter, is_sorted
from db.errors import DataError
from db.instruments import NO_INSTRUMENT, DateArray, SymbolBook

_INVALID_DATE = "the symbol names no instrument on that date"


@dataclass(frozen=True)
class Staged:
    """What staging a batch left behind."""

    files: tuple[BarFile, ...]
    accepted: int
    repeating: frozenset[str]
    """Paths of the files that hold a key more than once; `reconcile` sees to those."""


class Stager:
    """Collects chunks into files; `finish` returns what there is to commit."""

    def __init__(
        self,
        folder: Folder,
        batch: BarBatch,
        batch_id: int,
        book: SymbolBook,
        rejects: RejectSpool,
        *,
        file_rows: int,
    ) -> None:
        self._folder, self._batch, self._batch_id = folder, batch, batch_id
        self._rejects, self._file_rows = rejects, file_rows
        self.book = book
        self._waiting: list[pa.Table] = []
        self._rows_waiting = 0
        self._files: list[BarFile] = []
        self._repeating: set[str] = set()
        self.seen: set[str] = set()

    def run(self, progress: Callable[[int], None] | None = None) -> Staged:
        """Consume the batch's chunks.  ``progress`` gets the rows of each as they are done.

        Files already written go when reading fails; a killed process leaves them to `clean`.
        """
        try:
            return self._run(progress)
        except BaseException:
            self._folder.delete([file.path for file in self._files])
            raise

    def _run(self, progress: Callable[[int], None] | None) -> Staged:
        for chunk in self._batch.chunks:
            self._rejects.extend(chunk.rejects)
            if chunk.bars.num_rows:
                self._take(chunk)
            if progress is not None:
                progress(chunk.bars.num_rows + len(chunk.rejects))
        self._flush()
        accepted = sum(file.rows for file in self._files)
        return Staged(tuple(self._files), accepted, frozenset(self._repeating))

    def _take(self, chunk: BarChunk) -> None:
        bars = chunk.bars
        self._check(bars)
        codes, symbols = _encoded(bars.column("symbol"))
        if "" in symbols:
            raise DataError("a bar has an empty symbol", where=self._origin)
        self.seen.update(symbols)
        for symbol in symbols:
            if symbol not in self.book.spans:
                self.book.create(symbol)
        instruments = self._resolve(bars, codes, symbols)
        volume = bars.column("volume")
        columns: list[Any] = [
            pa.array(instruments),
            *(bars.column(name) for name in ("start", *PRICES)),
            pc.if_else(pc.is_nan(volume), pa.scalar(None, pa.float64()), volume),
            pa.repeat(pa.scalar(self._batch_id, pa.int64()), bars.num_rows),
        ]
        rows = pa.table(columns, schema=FILE_SCHEMA)
        unknown = instruments == NO_INSTRUMENT
        if unknown.any():
            self._rejects.extend(_refused(self._origin, bars.filter(pa.array(unknown))))
            rows = rows.filter(pa.array(~unknown))
        self._add(rows)

    @property
    def _origin(self) -> str:
        return self._batch.provenance.origin

    def _check(self, bars: pa.Table) -> None:
        """Importers check rows; a chunk that is not one at all is their mistake."""
        given = {field.name: field.type for field in bars.schema}
        for field in BAR_SCHEMA:
            if given.get(field.name) != field.type:
                raise DataError(
                    f"bars have {field.name} as {given.get(field.name, 'nothing')}, not as "
                    f"{field.type}",
                    where=self._origin,
                )
        for name in BAR_SCHEMA.names:
            if name != "volume" and bars.column(name).null_count:
                raise DataError(f"a bar has no {name}", where=self._origin)
        for name in PRICES:
            if not pc.all(pc.is_finite(bars.column(name))).as_py():
                raise DataError(f"a bar has no finite {name}", where=self._origin)

    def _resolve(self, bars: pa.Table, codes: IntArray, symbols: Sequence[str]) -> IntArray:
        dated = self.book.needs_dates(symbols)
        return self.book.resolve_many(symbols, codes, _days(bars) if dated else _NO_DAYS)

    def _add(self, rows: pa.Table) -> None:
        """Queue rows and write every full file."""
        while rows.num_rows:
            room = self._file_rows - self._rows_waiting
            part, rows = rows.slice(0, room), rows.slice(room)
            self._waiting.append(part)
            self._rows_waiting += part.num_rows
            if self._rows_waiting == self._file_rows:
                self._flush()

    def _flush(self) -> None:
        if not self._rows_waiting:
            return
        rows = pa.concat_tables(self._waiting).combine_chunks()
        self._waiting, self._rows_waiting = [], 0
        rows = in_key_order(rows)
        path = staged_path(self._batch.provenance.source, self._batch_id, len(self._files))
        with FileWriter(self._folder, path, self._batch.provenance.source) as writer:
            writer.write(rows)
        file = writer.finished()
        if file is not None:
            self._files.append(file)
            if _has_repeats(rows):
                self._repeating.add(path)


_NO_DAYS: DateArray = np.empty(0, dtype="datetime64[D]")


def staged_path(source: str, batch_id: int, number: int) -> str:
    """Where a batch's n-th file goes; the name tells whose it is when nothing refers to it."""
    return f"source={source}/batch-{batch_id:06d}-{number:04d}.parquet"


def in_key_order(rows: pa.Table) -> pa.Table:
    """Rows sorted by (instrument, start); rows with the same key keep their order."""
    if is_sorted(rows):
        return rows
    instruments, starts = _key(rows)
    return rows.take(np.lexsort((starts, instruments)))


def _has_repeats(rows: pa.Table) -> bool:
    """Whether sorted rows hold a key more than once."""
    instruments, starts = _key(rows)
    return bool(((np.diff(instruments) == 0) & (np.diff(starts) == 0)).any())


def _key(rows: pa.Table) -> tuple[IntArray, IntArray]:
    starts = rows.column("start").cast(pa.int64())
    return rows.column("instrument").to_numpy(), starts.to_numpy()


def _encoded(column: pa.ChunkedArray[Any]) -> tuple[IntArray, list[str]]:
    """A column of texts as codes into its distinct values."""
    encoded: Any = column.combine_chunks()  # an array, though typed as possibly chunked
    encoded = encoded.dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary.to_pylist()


def _days(bars: pa.Table) -> DateArray:
    """The New York date of each bar: dates of symbols are an exchange's, not UTC's."""
    from db.calendar import calendar

    starts = bars.column("start").cast(pa.int64()).to_numpy()
    return calendar().local_dates(starts)


def _refused(origin: str, bars: pa.Table) -> list[Reject]:
    """A reject for each bar; with its row's number where the importer sends a column of them."""
    return [
        Reject(
            origin,
            bar.get("row", 0),
            "symbol",
            f"{bar['symbol']} {bar['start']:%Y-%m-%dT%H:%M:%SZ}",
            _INVALID_DATE,
        )
        for bar in bars.to_pylist()
    ]
