"""What the importers of events, actions and news share: a whole file as one screened table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from db.intervals import DAY
from db.sources.files.arrow import BoolArray, Cells, FloatArray, IntArray, mask, pc
from db.sources.files.bar_checks import wall_to_instants
from db.sources.files.columns import Field, find_columns
from db.sources.files.numeric import number_fault, to_numbers
from db.sources.files.reader import RowChunk, open_rows
from db.sources.files.screen import Screen
from db.sources.files.source import Source
from db.sources.files.symbols import clean_symbol, symbol_fault
from db.sources.files.texts import to_texts
from db.sources.files.time_columns import Times
from db.sources.files.times import TimeParser

SCHEDULED_DAYS = 400
"""How far ahead a company may announce a date; farther is taken for a misread year."""


@dataclass(frozen=True)
class RecordTable:
    """All rows of a file beside the screen that judges them."""

    source: Source
    screen: Screen
    chunk: RowChunk

    def texts(self, field: str) -> list[str]:
        """A column as text without blanks around it; empty where it or a cell is missing."""
        if field not in self.screen:
            return [""] * len(self.screen)
        return [(text or "").strip() for text in to_texts(self.screen.cells(field))]

    def numbers(self, field: str) -> FloatArray:
        """A column as numbers, NaN where there is none; refuses what is no finite number."""
        if field not in self.screen:
            return np.full(len(self.screen), np.nan)
        column = to_numbers(self.screen.cells(field))
        self.screen.refuse(column.bad, field, lambda _, text: number_fault(text))
        self.screen.refuse(np.isinf(column.values), field, "the number is not finite")
        return column.values

    def symbols(self, fixed: str | None = None) -> list[str]:
        """The symbol of each row; refuses cells that are none."""
        if fixed is not None:
            return [fixed] * len(self.screen)
        known: dict[str, str | None] = {}
        texts = self.texts("symbol")
        for text in set(texts):
            known[text] = clean_symbol(text)
        self.screen.refuse(
            np.array([known[text] is None for text in texts], dtype=np.bool_),
            "symbol",
            symbol_fault,
        )
        return [known[text] or "" for text in texts]

    def rows(self) -> list[int]:
        """Row numbers, as in the file."""
        numbers: list[int] = self.chunk.rows.tolist()
        return numbers

    def raw(self, without: Sequence[str] = ()) -> Iterator[str]:
        """Each row as a JSON object of the file's own names and texts.

        ``without`` are fields whose text is kept elsewhere as it came.
        """
        names = _distinct(self.screen.columns.names)
        left_out = {self.screen.columns.index(field) for field in without if field in self.screen}
        kept = [index for index in range(len(names)) if index not in left_out]
        columns = [to_texts(self.chunk.column(index)) for index in kept]
        keys = [names[index] for index in kept]
        for cells in zip(*columns, strict=True):
            yield json.dumps(dict(zip(keys, cells, strict=True)), ensure_ascii=False)

    def passed(self) -> list[bool]:
        """Which rows have no fault so far."""
        flags: list[bool] = self.screen.passed.tolist()
        return flags


def read_table(
    file: str | Path,
    fields: Sequence[Field],
    mapping: Mapping[str, str] | None,
    stdin: BinaryIO | None,
) -> RecordTable:
    """Open a file, find its columns and read it whole."""
    rows = open_rows(str(file), stdin=stdin)
    columns = find_columns(rows.names, fields, mapping, where=rows.source.origin)
    chunk = _joined(list(rows.chunks()))
    screen = Screen(rows.source.origin, chunk, columns)
    for field in columns.fields:
        screen.refuse(_holds_nul(screen.cells(field)), field, "holds a NUL character")
    return RecordTable(rows.source, screen, chunk)


def _joined(chunks: list[RowChunk]) -> RowChunk:
    if len(chunks) == 1:
        return chunks[0]
    width = len(chunks[0].columns)
    return RowChunk(
        tuple(pa.concat_arrays([chunk.column(i) for chunk in chunks]) for i in range(width)),
        np.concatenate([chunk.rows for chunk in chunks]),
        tuple(reject for chunk in chunks for reject in chunk.rejects),
    )


def _holds_nul(cells: Cells) -> BoolArray:
    """Text with a NUL, which no database keeps as text."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return np.zeros(len(cells), dtype=np.bool_)
    return mask(pc.match_substring(cells, "\0"))


def _distinct(names: Sequence[str]) -> list[str]:
    """Names, with a number behind those that came before."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return distinct


def too_far_ahead(instants: IntArray, now: int) -> BoolArray:
    """Times that nobody can have scheduled yet."""
    return np.asarray(instants > now + SCHEDULED_DAYS * DAY)


@dataclass(frozen=True)
class Known:
    """From when something was known, (rows,) each.

    ``instants`` is the time said, or the end of the day where a date alone is said (``dated``):
    never earlier than it can have been.  ``begin`` is that day's beginning.  ``said`` is False
    where the file says nothing.
    """

    instants: IntArray
    begin: IntArray
    dated: BoolArray
    said: BoolArray


def known_from(
    table: RecordTable,
    field: str,
    parser: TimeParser,
    tz: str | None,
    *,
    day_tz: str | None = None,
    clock_field: str = "",
) -> Known:
    """Read a column of times; refuses what is no time.

    Days are those of ``tz``, else of ``day_tz``; UsageError where neither is given and a time
    carries no zone.
    """
    screen = table.screen
    clocks = screen.cells(clock_field) if clock_field in screen else None
    times = parser.parse(screen.cells(field), clocks)
    said = np.array([bool(text) for text in table.texts(field)], dtype=np.bool_)
    screen.refuse(said & times.bad, field, parser.fault)
    said &= ~times.bad
    dated = times.dates_alone() & said
    clocked = said & ~dated
    instants = wall_to_instants(
        screen, Times(times.wall, times.utc, times.zoned, clocked, ~clocked), field, tz
    )
    midnight = times.wall // DAY * DAY
    begin, end = (
        wall_to_instants(screen, Times(at, at, ~dated, dated, ~dated), field, tz or day_tz)
        for at in (midnight, midnight + DAY)
    )
    return Known(np.where(dated, end, instants), np.where(dated, begin, instants), dated, said)


def or_none(values: FloatArray) -> list[float | None]:
    """Numbers as Python has them, None for NaN."""
    return [None if isnan(value) else value for value in values.tolist()]
