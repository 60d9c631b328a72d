"""Rows of a JSON-lines file: one object a line."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.json

from db.batches import Reject
from db.errors import DataError
from db.sources.files.arrow import Cells
from db.sources.files.reader import RowChunk, no_rows
from db.sources.files.source import BLOCK, Source
from db.sources.files.texts import shown

_LONGEST_LINE = 8 * BLOCK
_CHUNK_ROWS = 20_000
"""Fewer than for the other formats: parsed objects take many times the room of an array."""

_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
"""Leaves numbers as they are written, so that no digit is lost."""

Parsed = dict[str, str | None] | Reject


class JsonRows:
    """One JSON-lines file; values become the text that stands in the file.

    Where only some columns are wanted, a stretch of flat, faultless lines is read by pyarrow, and
    numbers come as numbers.  Any other stretch is parsed line by line in Python, since pyarrow
    gives up a whole block for one bad line.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.expected: int | None = source.line_breaks
        texts: dict[str, bool] = {}
        with source.open() as stream:
            lines = next(self._lines(stream), [])
        for found in (self._object(line, 0) for line in lines):
            if isinstance(found, dict):
                for name, value in found.items():
                    texts[name] = texts.get(name, True) and not _is_number(value)
        self.names: Sequence[str] = list(texts)
        # Declared as text, or pyarrow would take some for times.
        self._texts = pa.schema([(name, pa.string()) for name, is_text in texts.items() if is_text])

    def chunks(self, wanted: Sequence[int] | None = None) -> Iterator[RowChunk]:
        """See `Rows.chunks`.  A key that the first 20,000 rows lack is a DataError."""
        chosen = range(len(self.names)) if wanted is None else sorted(set(wanted))
        done = 0
        with self.source.open() as stream:
            for lines in self._lines(stream):
                columns = None if wanted is None else self._quick(lines, chosen)
                if columns is not None:
                    rows = np.arange(done + 1, done + 1 + len(lines), dtype=np.int64)
                    yield RowChunk(columns, rows)
                else:
                    yield self._careful(lines, done, chosen)
                done += len(lines)
        if not done:
            raise no_rows(self.source, self.names)

    def _lines(self, stream: BinaryIO) -> Iterator[list[bytes]]:
        """Lines that are not blank, some thousands at a time."""
        done = 0
        lines = self._each_line(stream)
        while part := list(islice(lines, _CHUNK_ROWS)):
            if not done:
                part[0] = part[0].removeprefix(b"\xef\xbb\xbf")
            done += len(part)
            yield part

    def _each_line(self, stream: BinaryIO) -> Iterator[bytes]:
        row = 0
        while line := stream.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
                raise DataError(
                    f"the line after row {row} is longer than {_LONGEST_LINE // BLOCK} MB",
                    where=self.source.origin,
                )
            if not line.isspace():
                row += 1
                yield line

    def _quick(self, lines: list[bytes], chosen: Sequence[int]) -> tuple[Cells | None, ...] | None:
        """Columns as pyarrow reads them; None where Python has to look at each line."""
        block = b"".join(lines)
        # Nesting and escapes are where the two parsers might differ.
        if b"[" in block or b"\\" in block or block.count(b"{") != len(lines):
            return None
        try:
            table = pyarrow.json.read_json(
                io.BytesIO(block),
                read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
                parse_options=pyarrow.json.ParseOptions(explicit_schema=self._texts),
            ).combine_chunks()
        except pa.ArrowException:
            return None
        if table.num_rows != len(lines) or not set(table.column_names) <= set(self.names):
            return None
        columns: list[Cells | None] = [None] * len(self.names)
        for index in chosen:
            place = table.schema.get_field_index(self.names[index])
            cells = pa.nulls(len(lines)) if place < 0 else table.column(place).chunk(0)
            if not _is_plain(cells.type):
                return None
            columns[index] = cells
        return tuple(columns)

    def _careful(self, lines: list[bytes], done: int, chosen: Sequence[int]) -> RowChunk:
        """Each line by itself; what is no object is a reject."""
        parsed = [self._object(line, done + place) for place, line in enumerate(lines, start=1)]
        objects = {
            done + place: found
            for place, found in enumerate(parsed, start=1)
            if isinstance(found, dict)
        }
        known = set(self.names)
        for row, found in objects.items():
            if not known.issuperset(found):
                self._unknown_key(row, min(found.keys() - known))
        columns: list[Cells | None] = [None] * len(self.names)
        for index in chosen:
            name = self.names[index]
            columns[index] = pa.array([found.get(name) for found in objects.values()], pa.string())
        rejects = tuple(found for found in parsed if isinstance(found, Reject))
        return RowChunk(tuple(columns), np.array(list(objects), dtype=np.int64), rejects)

    def _unknown_key(self, row: int, key: str) -> None:
        raise DataError(
            f"row {row} has a key {shown(key)!r} that none of the first {_CHUNK_ROWS:,} rows has",
            where=self.source.origin,
            hint="give the key to the first row as well (null where there is no value)",
        )

    def _object(self, line: bytes, row: int) -> Parsed:
        text = line.decode().strip()
        try:
            found = _DECODER.decode(text)
        except ValueError as error:
            why = f"not JSON ({error})"
        except RecursionError:
            why = "nested too deeply"
        else:
            if isinstance(found, dict):
                cells = {
                    key: value if value is None or isinstance(value, str) else _text(value)
                    for key, value in found.items()
                }
                # Only an escape can name half a surrogate pair: the bytes are known to be UTF-8.
                if "\\u" not in text or all(map(_is_text, (*cells, *cells.values()))):
                    return cells
                why = "holds half a surrogate pair, which is no text"
            else:
                why = "not a JSON object"
        return Reject(self.source.origin, row, "", shown(text), why)


def _is_plain(kind: pa.DataType) -> bool:
    return (
        pa.types.is_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_null(kind)
    )


def _text(value: object) -> str:
    """True, a list or an object as JSON."""
    return json.dumps(value, ensure_ascii=False)


def _is_text(value: str | None) -> bool:
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(value: str | None) -> bool:
    """Whether a cell may have been a number in the file (or null, which tells nothing)."""
    if value is None:
        return False
    try:
        float(value)
    except ValueError:
        return False
    return True
