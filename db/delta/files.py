"""The Parquet files of a bar table: their layout, their place, reading and writing pieces.

Every file holds one source's bars, sorted by (instrument, start) and unique in that key, in row
groups small enough that one instrument's bars are found by the groups' statistics.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs
from pyarrow.lib import ArrowException

from db.crashpoints import crashpoint
from db.errors import StoreError, UsageError

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

PRICES = ("open", "high", "low", "close")
VALUES = (*PRICES, "volume")
KEY = ("instrument", "start")
ROW_GROUP = 131_072
FILE_ROWS = 1_000_000

_FIELDS: list[pa.Field[Any]] = [
    pa.field("instrument", pa.int64(), nullable=False),
    pa.field("start", pa.timestamp("us", tz="UTC"), nullable=False),
    *(pa.field(name, pa.float64(), nullable=False) for name in PRICES),
    pa.field("volume", pa.float64()),
    pa.field("batch", pa.int64(), nullable=False),
]
FILE_SCHEMA = pa.schema(_FIELDS)


@dataclass(frozen=True)
class Box:
    """The least and greatest instrument and start of some bars, all inclusive."""

    instruments: tuple[int, int]
    starts: tuple[int, int]

    def meets(self, other: Box) -> bool:
        return _meet(self.instruments, other.instruments) and _meet(self.starts, other.starts)


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


@dataclass(frozen=True)
class BarFile:
    """One file of a table: ``path`` is relative to the table's folder."""

    path: str
    source: str
    rows: int
    bytes: int
    box: Box


@dataclass(frozen=True)
class Folder:
    """A table's folder on a disk or in an object store."""

    filesystem: fs.FileSystem
    uri: str
    storage_options: dict[str, str] | None

    @classmethod
    def at(cls, bars: str, name: str) -> Folder:
        """The folder ``name`` below the store's place for bars."""
        if "://" in bars:
            base, path = _object_store(bars)
            return cls(fs.SubTreeFileSystem(f"{path}/{name}", base), f"{bars}/{name}", _options())
        place = Path(bars) / name
        return cls(fs.SubTreeFileSystem(str(place), fs.LocalFileSystem()), str(place), None)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn failures of the disk or the object store into a `StoreError`."""
        try:
            yield
        except (OSError, ArrowException) as error:
            raise StoreError(
                f"the bars cannot be read or written: {error}",
                where=self.uri,
                hint="check that the place exists, has room and may be written to",
            ) from error

    def open_parquet(self, path: str) -> pq.ParquetFile:
        return pq.ParquetFile(path, filesystem=self.filesystem, pre_buffer=True)

    def parquet_paths(self) -> list[fs.FileInfo]:
        """All files of bars in the folder, whether the table refers to them or not.

        Checkpoints of the log are Parquet files too and must not be taken for bars.
        """
        selector = fs.FileSelector("", recursive=True, allow_not_found=True)
        found = self.filesystem.get_file_info(selector)
        return [
            info
            for info in found
            if info.is_file and info.path.startswith("source=") and info.path.endswith(".parquet")
        ]

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            crashpoint(f"before deleting {path}")
            self.filesystem.delete_file(path)
            crashpoint(f"after deleting {path}")


def _object_store(url: str) -> tuple[fs.FileSystem, str]:
    """The file system behind a URL and the path in it."""
    if not url.startswith("s3://"):
        try:
            return fs.FileSystem.from_uri(url)
        except (ArrowException, OSError) as error:
            raise UsageError(
                f"bars cannot be kept at {url!r}: {error}", hint="a folder, or s3://bucket/prefix"
            ) from error
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    scheme, _, host = endpoint.rpartition("://")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    # Keys come from the environment, as with every client of S3.
    store = fs.S3FileSystem(
        endpoint_override=host or None,
        scheme="http" if scheme == "http" else "https",
        region=region,
    )
    return store, url.removeprefix("s3://")


def _options() -> dict[str, str]:
    """Storage options for deltalake from the environment that every S3 client reads."""
    options = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    if options.get("AWS_ENDPOINT_URL", "").startswith("http://"):
        options.setdefault("AWS_ALLOW_HTTP", "true")
    # Conditional writes make commits safe without a lock table.
    options.setdefault("aws_conditional_put", "etag")
    return options
