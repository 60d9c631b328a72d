"""Reading bars: the files that can hold what is asked for, as sorted arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
from pyarrow.lib import ArrowException

from db.bars import Bars, FloatArray, no_bars
from db.batches import Adjustment
from db.delta.files import FILE_SCHEMA, KEY, VALUES, BarFile, Folder, IntArray
from db.delta.table import BarTable, Snapshot
from db.errors import StoreError, UsageError, did_you_mean

_READ = [*KEY, *VALUES]


@dataclass(frozen=True)
class Wanted:
    """Instruments (None: all) and starts, ``since`` inclusive and ``until`` exclusive, in us."""

    instruments: tuple[int, ...] | None
    since: int | None
    until: int | None

    @classmethod
    def of(cls, instruments: Iterable[int] | None, since: int | None, until: int | None) -> Wanted:
        ids = None if instruments is None else tuple(sorted({int(one) for one in instruments}))
        return cls(ids, since, until)

    def may_be_in(self, file: BarFile) -> bool:
        low, high = file.box.starts
        if (self.since is not None and high < self.since) or (
            self.until is not None and low >= self.until
        ):
            return False
        first, last = file.box.instruments
        return self.instruments is None or any(first <= i <= last for i in self.instruments)

    def filter(self) -> pads.Expression | None:
        """The same as an expression, with which row groups are skipped by their statistics."""
        parts: list[pads.Expression] = []
        if self.instruments is not None:
            parts.append(_any_of(self.instruments))
        if self.since is not None:
            parts.append(pc.field("start") >= _stamp(self.since))
        if self.until is not None:
            parts.append(pc.field("start") < _stamp(self.until))
        if not parts:
            return None
        whole = parts[0]
        for part in parts[1:]:
            whole = whole & part
        return whole


def _any_of(instruments: Sequence[int]) -> pads.Expression:
    if not instruments:
        return pc.scalar(False)
    field = pc.field("instrument")
    bounds = (field >= instruments[0]) & (field <= instruments[-1])
    return bounds & field.isin(pa.array(instruments, pa.int64()))


def _stamp(micros: int) -> pa.Scalar[Any]:
    return pa.scalar(micros, pa.timestamp("us", tz="UTC"))


def read(
    table: BarTable,
    adjustments: dict[str, Adjustment],
    wanted: Wanted,
    source: str | None,
    version: int | None,
) -> Bars:
    """The wanted bars of one source; see `Store.bars`."""
    snapshot = table.snapshot(version)
    chosen = _choose(table.folder, snapshot, wanted, source, table.interval.value)
    if chosen is None:
        return no_bars(table.interval)
    files = [file for file in snapshot.of_source(chosen) if wanted.may_be_in(file)]
    instrument, start, values = _sorted_arrays(_scan(table.folder, files, wanted))
    opens, highs, lows, closes, volumes = values
    return Bars(
        instrument=instrument,
        start=start,
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=volumes,
        interval=table.interval,
        source=chosen,
        adjusted=adjustments.get(chosen) or table.adjustment_of(chosen),
        version=snapshot.version,
    )


def _choose(
    folder: Folder, snapshot: Snapshot, wanted: Wanted, source: str | None, interval: str
) -> str | None:
    """The source to read; None where the interval has no bars at all."""
    sources = sorted({file.source for file in snapshot.files})
    if source is not None:
        if source not in sources:
            raise UsageError(
                f"there are no {interval} bars of source {source!r}",
                hint=did_you_mean(source, sources, kind="source"),
            )
        return source
    if len(sources) < 2:
        return sources[0] if sources else None
    covering = [name for name in sources if _covers(folder, snapshot.of_source(name), wanted)]
    if len(covering) > 1:
        raise UsageError(
            f"{len(covering)} sources have such {interval} bars: {', '.join(covering)}",
            hint=f"say which one: --source {covering[0]}",
        )
    return covering[0] if covering else sources[0]


def _covers(folder: Folder, files: Sequence[BarFile], wanted: Wanted) -> bool:
    """Whether a source has any wanted bar."""
    files = [file for file in files if wanted.may_be_in(file)]
    if not files:
        return False
    if wanted.filter() is None:
        return True
    with _said(folder):
        return bool(_dataset(folder, files).count_rows(filter=wanted.filter()))


def _dataset(folder: Folder, files: Sequence[BarFile]) -> pads.Dataset:
    paths = [file.path for file in _reading_order(files)]
    return pads.dataset(paths, filesystem=folder.filesystem, format="parquet")


def _scan(folder: Folder, files: Sequence[BarFile], wanted: Wanted) -> pa.Table:
    """Read through pyarrow alone: its own reader over Delta's can end a process badly at exit."""
    if not files:
        return FILE_SCHEMA.empty_table().select(_READ)
    with _said(folder):
        return _dataset(folder, files).to_table(columns=_READ, filter=wanted.filter())


@contextmanager
def _said(folder: Folder) -> Iterator[None]:
    """StoreError for a file that is gone or damaged."""
    try:
        yield
    except (ArrowException, OSError) as error:
        raise StoreError(
            f"a file of the bars cannot be read: {error}",
            where=folder.uri,
            hint="versions that no run names lose their files when the store is cleaned; a file "
            "that was lost comes back from a copy of the store, or by importing into a new one",
        ) from error


def _sorted_arrays(rows: pa.Table) -> tuple[IntArray, IntArray, list[FloatArray]]:
    """Instrument, start and values; files that follow each other need no sorting."""
    instrument = rows.column("instrument").to_numpy()
    start = rows.column("start").cast(pa.int64()).to_numpy()
    values = [rows.column(name).to_numpy() for name in VALUES]
    if _in_order(instrument, start):
        return instrument, start, values
    # Files that follow each other in time: a stable sort of few sorted runs is nearly free.
    order = np.argsort(instrument, kind="stable")
    if not _in_order(instrument[order], start[order]):
        order = np.lexsort((start, instrument))
    return instrument[order], start[order], [value[order] for value in values]


def _in_order(instrument: IntArray, start: IntArray) -> bool:
    steps = np.diff(instrument)
    return bool(((steps > 0) | ((steps == 0) & (np.diff(start) > 0))).all())


def _reading_order(files: Sequence[BarFile]) -> list[BarFile]:
    """By instrument where no file shares one with the next, else by time."""
    by_instrument = sorted(files, key=lambda file: file.box.instruments)
    if all(a.box.instruments[1] < b.box.instruments[0] for a, b in pairwise(by_instrument)):
        return by_instrument
    return sorted(files, key=lambda file: (file.box.starts, file.box.instruments))


def describe(table: BarTable) -> list[dict[str, object]]:
    """One row a source: how many instruments and rows, the first and last start, the version."""
    snapshot = table.snapshot()
    rows: list[dict[str, object]] = []
    for source in sorted({file.source for file in snapshot.files}):
        files = snapshot.of_source(source)
        with _said(table.folder):
            instruments = _dataset(table.folder, files).to_table(columns=["instrument"]).column(0)
        rows.append(
            {
                "interval": table.interval.value,
                "source": source,
                "instruments": len(pc.unique(instruments)),
                "rows": sum(file.rows for file in files),
                "first": min(file.box.starts[0] for file in files),
                "last": max(file.box.starts[1] for file in files),
                "version": snapshot.version,
            }
        )
    return rows
