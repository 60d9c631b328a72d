"""Going through sorted files side by side, a block of instruments at a time.

That is how files that overlap are compared and merged without holding any of them whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from db.delta.files import FILE_SCHEMA, BarFile, Box, Folder, IntArray

BLOCK_ROWS = 1_000_000

Counts = Mapping[int, int]
"""How many rows each instrument has in a file."""

_INSTANT = pa.timestamp("us", tz="UTC")
_NONE: IntArray = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Rows:
    """Some rows of several files, with the file and the position each came from."""

    table: pa.Table
    file: IntArray
    position: IntArray


def instrument_counts(folder: Folder, file: BarFile) -> Counts:
    """Rows by instrument; reads that one column alone."""
    with folder.open_parquet(file.path) as parquet:
        column = parquet.read(columns=["instrument"]).column(0).to_numpy()
    ids, counts = np.unique(column, return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def blocks(instruments: Sequence[int], files: Sequence[Counts]) -> Iterator[IntArray]:
    """Runs of the instruments, in order, with about `BLOCK_ROWS` rows each in all files."""
    block: list[int] = []
    rows = 0
    for instrument in instruments:
        more = sum(file.get(instrument, 0) for file in files)
        if block and rows + more > BLOCK_ROWS:
            yield np.array(block, dtype=np.int64)
            block, rows = [], 0
        block.append(instrument)
        rows += more
    if block:
        yield np.array(block, dtype=np.int64)


def read_block(
    folder: Folder,
    files: Sequence[BarFile],
    block: IntArray,
    starts: tuple[int, int] | None = None,
) -> Rows:
    """Rows of a block's instruments (and of a range of starts), in the order of the files."""
    tables, numbers, positions = [FILE_SCHEMA.empty_table()], [_NONE], [_NONE]
    for number, file in enumerate(files):
        box = Box((int(block[0]), int(block[-1])), starts or file.box.starts)
        if not file.box.meets(box):
            continue
        for first, rows in _groups(folder, file, box):
            mask = np.isin(rows.column("instrument").to_numpy(), block)
            if starts is not None:
                at = rows.column("start").cast(pa.int64()).to_numpy()
                mask &= (at >= starts[0]) & (at <= starts[1])
            tables.append(rows.filter(pa.array(mask)))
            positions.append(first + np.flatnonzero(mask))
            numbers.append(np.full(int(mask.sum()), number, dtype=np.int64))
    return Rows(
        pa.concat_tables(tables).combine_chunks(),
        np.concatenate(numbers),
        np.concatenate(positions),
    )


def _groups(folder: Folder, file: BarFile, box: Box) -> Iterator[tuple[int, pa.Table]]:
    """Row groups whose statistics meet ``box``, each with the position of its first row."""
    with folder.open_parquet(file.path) as parquet:
        first = 0
        for number in range(parquet.num_row_groups):
            group = parquet.metadata.row_group(number)
            instruments = group.column(0).statistics
            starts = group.column(1).statistics
            if instruments is None or starts is None or _bounds(instruments, starts).meets(box):
                yield first, parquet.read_row_group(number, columns=FILE_SCHEMA.names)
            first += group.num_rows


def _bounds(instruments: Any, starts: Any) -> Box:
    """Statistics give instants as aware datetimes."""
    ends = pa.array([starts.min, starts.max], _INSTANT).cast(pa.int64()).to_numpy()
    return Box((instruments.min, instruments.max), (int(ends[0]), int(ends[1])))
