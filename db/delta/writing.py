"""Writing bar files: sorted rows in, one file with its statistics out."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from db.crashpoints import crashpoint
from db.delta.files import FILE_SCHEMA, ROW_GROUP, VALUES, BarFile, BoolArray, Box, Folder

# Prices differ in their low bytes and share their high ones: splitting the bytes into streams
# makes files a tenth smaller and both writing and reading faster.
_ENCODING = dict.fromkeys(VALUES, "BYTE_STREAM_SPLIT") | {"start": "DELTA_BINARY_PACKED"}


class FileWriter:
    """Writes rows that come sorted by (instrument, start) into one file of a table."""

    def __init__(self, folder: Folder, path: str, source: str) -> None:
        self._folder, self._path, self._source = folder, path, source
        self._rows = 0
        self._box: Box | None = None
        parent = path.rpartition("/")[0]
        crashpoint(f"before file {path}")
        with folder.guarded():
            folder.filesystem.create_dir(parent, recursive=True)
            self._writer = pq.ParquetWriter(
                path,
                FILE_SCHEMA,
                filesystem=folder.filesystem,
                compression="zstd",
                compression_level=1,
                use_dictionary=["instrument", "batch"],  # type: ignore[arg-type]  # stubs: bool
                column_encoding=_ENCODING,
            )

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._folder.guarded():
            self._writer.close()
        crashpoint(f"after file {self._path}")

    def write(self, rows: pa.Table) -> None:
        if rows.num_rows == 0:
            return
        with self._folder.guarded():
            self._writer.write_table(rows, row_group_size=ROW_GROUP)
        self._rows += rows.num_rows
        box = box_of(rows)
        self._box = box if self._box is None else _around(self._box, box)

    def finished(self) -> BarFile | None:
        """The written file, after the ``with`` block; None where no row came."""
        if self._box is None:
            self._folder.filesystem.delete_file(self._path)
            return None
        size = self._folder.filesystem.get_file_info(self._path).size
        return BarFile(self._path, self._source, self._rows, size, self._box)


def box_of(rows: pa.Table) -> Box:
    """The bounds of some rows (at least one) that are sorted by instrument."""
    instruments = rows.column("instrument")
    starts = rows.column("start").cast(pa.int64()).to_numpy()
    ends = (instruments[0].as_py(), instruments[-1].as_py())
    return Box(ends, (int(starts.min()), int(starts.max())))


def _around(one: Box, other: Box) -> Box:
    pairs = zip((one.instruments, one.starts), (other.instruments, other.starts), strict=True)
    instruments, starts = ((min(a[0], b[0]), max(a[1], b[1])) for a, b in pairs)
    return Box(instruments, starts)


def copy_without(folder: Folder, file: BarFile, drop: BoolArray, path: str) -> BarFile | None:
    """Write ``file`` anew at ``path`` without the rows marked in ``drop`` (one entry a row).

    Goes through the file a row group at a time.  None where nothing is left.
    """
    with FileWriter(folder, path, file.source) as writer:
        first = 0
        for rows in row_groups(folder, file):
            keep = ~drop[first : first + rows.num_rows]
            writer.write(rows if keep.all() else rows.filter(pa.array(keep)))
            first += rows.num_rows
    return writer.finished()


def row_groups(folder: Folder, file: BarFile) -> Iterator[pa.Table]:
    """The rows of a file, in order, one row group at a time."""
    with folder.open_parquet(file.path) as parquet:
        for number in range(parquet.num_row_groups):
            yield parquet.read_row_group(number, columns=FILE_SCHEMA.names)


def is_sorted(rows: pa.Table) -> bool:
    """Whether rows are sorted by (instrument, start), equal keys allowed."""
    instruments = rows.column("instrument").to_numpy()
    starts = rows.column("start").cast(pa.int64()).to_numpy()
    steps = np.diff(instruments)
    return bool(((steps > 0) | ((steps == 0) & (np.diff(starts) >= 0))).all())
