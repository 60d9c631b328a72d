"""Rows of a CSV file: comma, semicolon, tab or bar between cells, quoted cells may hold breaks."""

from __future__ import annotations

import csv
import io
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import BinaryIO, Literal, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from db.batches import Reject
from db.errors import DataError
from db.sources.files.arrow import Cells
from db.sources.files.reader import RowChunk, no_rows
from db.sources.files.source import BLOCK, Source
from db.sources.files.texts import shown

_PARSED_AT_ONCE = 8 * BLOCK
"""Bytes of one chunk; a row of several times as many cannot be read."""
_MISFITS = 10_000
"""Rows of the wrong width after which, with no right one among them, the file is given up."""


class CsvRows:
    """One CSV file; every cell is text, the first row that is not empty holds the names."""

    def __init__(self, source: Source) -> None:
        self.source = source
        with source.open() as stream:
            head = stream.read(BLOCK).decode("utf-8-sig", errors="ignore").lstrip("\r\n")
        first_line = head.split("\n", 1)[0]
        self.delimiter = max(",;\t|", key=first_line.count) if first_line else ","
        try:
            self.names: Sequence[str] = next(
                csv.reader(io.StringIO(head, newline=""), delimiter=self.delimiter), []
            )
        except csv.Error as error:
            raise DataError(f"the header cannot be read ({error})", where=source.origin) from error
        # An estimate: quoted cells may hold line breaks, and the last line may lack one.
        self.expected: int | None = max(source.line_breaks - 1, 1)

    def chunks(self, wanted: Sequence[int] | None = None) -> Iterator[RowChunk]:
        """See `Rows.chunks`.  A row with too few or too many cells is a reject."""
        reading = _Reading(self.source, len(self.names))
        any_rows = False
        with closing(_Marked(self.source.open(), reading.end_mark)) as stream:
            try:
                batches = self._opened(stream, reading, wanted)
                for batch in batches:
                    chunk = reading.chunk(batch)
                    if len(chunk.rows) or chunk.rejects:
                        any_rows = True
                        yield chunk
            except pa.ArrowException as error:
                if reading.error is not None:
                    raise reading.error from error
                raise DataError(
                    f"cannot be read as CSV after row {reading.last_row} "
                    f"({str(error).splitlines()[0]})",
                    where=self.source.origin,
                    hint=f"is there a row longer than {_PARSED_AT_ONCE // BLOCK} MB?",
                ) from error
        rest = reading.rest()
        if rest.rejects:
            yield rest
        elif not any_rows:
            raise no_rows(self.source, self.names)

    def _opened(
        self, stream: _Marked, reading: _Reading, wanted: Sequence[int] | None
    ) -> pa_csv.CSVStreamingReader:
        # Numbered names, so that a header with two equal names can be read as well.
        names = [str(i) for i in range(len(self.names))]
        last = len(names) - 1
        chosen = names if wanted is None else [names[i] for i in sorted({*wanted, last})]
        return pa_csv.open_csv(
            cast(BinaryIO, stream),
            # One thread: only then does pyarrow know the numbers of the rows it refuses.
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=_PARSED_AT_ONCE, column_names=names
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=True,
                invalid_row_handler=reading.refuse,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=chosen,
                strings_can_be_null=False,
            ),
        )


class _Reading:
    """Numbers rows, and notices a quoted cell that the end of the file cuts off.

    pyarrow takes such a cell for complete.  A mark appended to the bytes tells: it comes back as
    a row of its own where all quotes were closed, and inside the last cell where one was not.
    """

    def __init__(self, source: Source, width: int) -> None:
        self.end_mark = f"end-of-input-{secrets.token_hex(8)}"
        self.last_row = 0
        self._origin = source.origin
        self._width = width
        self._header_due = True
        self._refused: deque[Reject] = deque()
        self.error: DataError | None = None

    def refuse(self, row: pa_csv.InvalidRow) -> Literal["skip", "error"]:
        """Called by pyarrow for each row of the wrong width, ahead of the chunk around it.

        pyarrow swallows exceptions here, so an error is kept for the next chunk.
        """
        number = (row.number or 1) - 1  # the header is pyarrow's row 1
        text = row.text
        if text == self.end_mark:
            return "skip"
        reason = f"has {row.actual_columns} cells, the header {row.expected_columns}"
        try:
            if number == 0:
                raise DataError("the header cannot be read", where=self._origin)
            if self.end_mark in text:
                text, reason = self._cut_off(text, number)
        except DataError as error:
            self.error = error
        self._refused.append(Reject(self._origin, number, "", shown(text), reason))
        if number == len(self._refused) == _MISFITS:
            self.error = DataError(
                f"none of the first {_MISFITS:,} rows fits the header: row {number} {reason}",
                where=self._origin,
                hint="is the first line the header, and the separator the same throughout?",
            )
            return "error"
        return "skip"

    def _cut_off(self, text: str, row: int) -> tuple[str, str]:
        text = text.replace("\n" + self.end_mark, "")
        if text.rstrip("\r\n").count("\n"):
            raise DataError(
                f"a quote opened in row {row} is never closed: all after it is one cell",
                where=self._origin,
                hint="close the quote, or double it if it belongs to the text",
            )
        return text, "the file ends inside a quoted cell"

    def chunk(self, batch: pa.RecordBatch) -> RowChunk:
        """Number the rows of a batch, leaving out the header, the mark and refused rows."""
        if self.error is not None:
            raise self.error
        if self._header_due and batch.num_rows:
            self._header_due = False
            batch = batch.slice(1)
        count = batch.num_rows
        if count and self.end_mark in str(batch.column(batch.num_columns - 1)[count - 1]):
            batch = self._without_mark(batch)
            count = batch.num_rows
        taken = np.array([reject.row for reject in self._refused], dtype=np.int64)
        numbers = np.arange(self.last_row + 1, self.last_row + 1 + count + len(taken))
        numbers = numbers[~np.isin(numbers, taken)][:count]
        if count:
            self.last_row = int(numbers[-1])
        ready = []
        while self._refused and self._refused[0].row <= self.last_row + 1:
            self.last_row = max(self.last_row, self._refused[0].row)
            ready.append(self._refused.popleft())
        columns: list[Cells | None] = [None] * self._width
        for index, name in enumerate(batch.schema.names):
            columns[int(name)] = batch.column(index)
        return RowChunk(tuple(columns), numbers, tuple(ready))

    def _without_mark(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The mark as a row (a file of one column), or in the cell of a quote never closed."""
        last = batch.num_rows - 1
        text = batch.column(batch.num_columns - 1)[last].as_py()
        if text != self.end_mark:
            before = len(self._refused)
            row = self.last_row + last + 1 + before
            text, reason = self._cut_off(text, row)
            self._refused.append(Reject(self._origin, row, "", shown(text), reason))
        return batch.slice(0, last)

    def rest(self) -> RowChunk:
        """Refused rows after the last batch."""
        if self.error is not None:
            raise self.error
        nothing = np.zeros(0, dtype=np.int64)
        empty = tuple(pa.array([], pa.string()) for _ in range(self._width))
        return RowChunk(empty, nothing, tuple(self._refused))


class _Marked(io.RawIOBase):
    """A stream with a line of its own appended."""

    def __init__(self, stream: BinaryIO, mark: str) -> None:
        self._stream = stream
        self._tail = f"\n{mark}".encode()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(size)
        if not block:
            block, self._tail = self._tail, b""
        return block

    def close(self) -> None:
        self._stream.close()
        super().close()
