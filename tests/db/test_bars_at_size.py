"""What must stay true of bars when there are many: memory, and how little is read."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from multiprocessing.connection import Connection

import numpy as np
import pyarrow as pa
import pytest

from db.batches import BAR_SCHEMA, BarBatch, BarChunk
from db.delta import files, reading
from db.delta.ingest import BarIngest
from db.intervals import DAY, Interval
from db.store import Store
from tests.db import processes
from tests.db.build import provenance

BARS_EACH = 1_000


def many(rows: int, *, shuffled: bool = False) -> BarBatch:
    """Bars of as many instruments as it takes, in chunks of 20,000."""

    def chunks() -> Iterator[BarChunk]:
        order = np.arange(rows)
        if shuffled:
            np.random.default_rng(1).shuffle(order)
        for first in range(0, rows, 20_000):
            number = order[first : first + 20_000]
            symbols = np.char.add("S", (number // BARS_EACH).astype(str))
            starts = pa.array((number % BARS_EACH) * DAY, pa.timestamp("us", tz="UTC"))
            prices = [number.astype(float)] * 5
            columns = [pa.array(symbols, pa.string()), starts, *prices]
            yield BarChunk(pa.table(columns, schema=BAR_SCHEMA))

    return BarBatch(provenance("many"), Interval.D1, "none", chunks(), rows)


def import_and_tell(target: str, rows: int, file_rows: int, tell: Connection) -> None:
    with Store.open(target) as store:
        ingest = BarIngest(store._database, store._table, store._now, file_rows=file_rows)
        before = pa.default_memory_pool().max_memory()
        report = ingest.run(many(rows), progress=None, dry_run=False)
        tell.send((report.added, before, pa.default_memory_pool().max_memory()))


def test_an_import_of_four_times_the_rows_takes_no_more_memory(fresh_folder):
    peaks = []
    for rows in (100_000, 400_000):
        here, there = processes.context().Pipe()
        child = processes.start(import_and_tell, fresh_folder(), rows, 40_000, there)
        added, before, peak = here.recv()
        child.join()
        assert added == rows
        peaks.append(peak - before)

    assert 0 < peaks[1] < 1.25 * peaks[0]


@pytest.fixture
def fresh_folder(empty_folder, tmp_path):
    numbers = itertools.count()

    def make() -> str:
        folder = tmp_path / f"folder-{next(numbers)}"
        shutil.copytree(empty_folder, folder)
        return str(folder)

    return make


def test_one_instrument_reads_one_row_group_of_many(sqlite_place):
    rows = 3 * files.ROW_GROUP
    with sqlite_place.open() as store:
        store.ingest(many(rows))
        table = store._table(Interval.D1)
        (file,) = table.snapshot().files
        (fragment,) = reading._dataset(table.folder, [file]).get_fragments()
        instrument = store.resolve("S200")
        found = store.bars("1d", instruments=[instrument])
        groups = [
            len(fragment.subset(reading.Wanted.of(ids, None, None).filter()).row_groups)
            for ids in ([instrument], [1, 393], [])
        ]

    assert fragment.metadata.num_row_groups == 3
    assert groups == [1, 2, 0]
    assert found.close.tolist() == list(range(200_000, 201_000))


def test_rows_in_any_order_become_sorted_files(sqlite_place):
    with sqlite_place.open() as store:
        store.ingest(many(100_000, shuffled=True))
        (file,) = store._table(Interval.D1).snapshot().files
        found = store.bars("1d")

    assert file.rows == len(found) == 100_000
    assert (np.diff(found.instrument) >= 0).all()
    for symbol in ("S0", "S42", "S99"):
        low, high = found.bounds(store.resolve(symbol))
        assert found.close[low:high].tolist() == [
            float(int(symbol[1:]) * BARS_EACH + n) for n in range(BARS_EACH)
        ]
