"""Imports of bars that fail, or only pretend, leave the store as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from db.batches import BarBatch, BarChunk, Reject
from db.errors import DataError, StoreError
from db.store import Store
from tests.db.build import bar_table, bars, ingest_in_files_of

JAN2, JAN3 = "2020-01-02", "2020-01-03"


def test_a_dry_run_reports_and_changes_nothing(store):
    store.ingest(bars("a.csv", [("AAA", JAN2, 10), ("AAA", JAN3, 11)]))
    before = (store.versions(), len(store.batches()), len(store.instruments()))
    files = sorted(path.name for path in store_files(store))

    report = store.ingest(
        bars("b.csv", [("AAA", JAN2, 10), ("AAA", JAN3, 12), ("BBB", JAN2, 20)]), dry_run=True
    )

    assert (report.batch_id, report.added, report.revised, report.unchanged) == (0, 1, 1, 1)
    assert (store.versions(), len(store.batches()), len(store.instruments())) == before
    assert sorted(path.name for path in store_files(store)) == files


def store_files(store: Store):

    return Path(store._database.location.bars).rglob("*.parquet")


def test_progress_adds_up_to_the_rows_read(store):
    seen = []
    refused = [Reject("a.csv", 4, "open", "x", "not a number")]
    rows = [("AAA", f"2020-01-{day:02}", 10) for day in range(1, 8)]

    store.ingest(bars("a.csv", rows, chunk_rows=3, rejects=refused), progress=seen.append)

    assert seen == [4, 3, 1]


def test_a_chunk_that_is_not_bars_is_refused_and_leaves_nothing(store):
    bad = bar_table([("AAA", JAN2, 10)]).drop_columns(["volume"])
    batch = replace(bars("a.csv", []), chunks=iter([BarChunk(bad)]))

    with pytest.raises(DataError, match=r"a\.csv: bars have volume as nothing, not as double"):
        store.ingest(batch)

    assert store.batches().empty
    assert store.instruments().empty


def test_an_importer_that_fails_half_way_leaves_nothing(store):
    def chunks():
        yield BarChunk(bar_table([("AAA", JAN2, 10), ("AAA", JAN3, 11)]))
        raise DataError("the file is cut short", where="a.csv")

    with pytest.raises(DataError, match="cut short"):
        ingest_in_files_of(1, store, replace(bars("a.csv", []), chunks=chunks()))

    assert store.batches().empty
    assert store.instruments().empty
    assert list(store_files(store)) == []


@pytest.mark.parametrize("price", [float("nan"), float("inf"), None])
def test_a_bar_without_a_price_is_refused(sqlite_place, price):
    table = bar_table([("AAA", JAN2, 10)])
    table = table.set_column(2, "open", [[price]]).cast(table.schema)
    batch: BarBatch = replace(bars("a.csv", []), chunks=iter([BarChunk(table)]))

    with sqlite_place.open() as store, pytest.raises(DataError, match=r"no (finite )?open"):
        store.ingest(batch)


def test_a_bar_without_a_symbol_is_refused(store):
    with pytest.raises(DataError, match="empty symbol"):
        store.ingest(bars("a.csv", [("AAA", JAN2, 10), ("", JAN2, 10)]))
    assert store.instruments().empty


def test_a_batch_is_whole_between_its_two_commits(store, place, monkeypatch):
    """Other readers see a batch from its Delta commit on, and how its bars are adjusted."""

    def fails(*_):
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr("db.delta.recovery.complete", fails)
        with pytest.raises(RuntimeError, match="killed here"):
            store.ingest(bars("a.csv", [("AAA", JAN2, 10)], adjusted="splits"))

    assert store.bars("1d").close.tolist() == [10]
    assert store.bars("1d").adjusted == "splits"
    assert store.batches().empty
    with place.open() as again:
        assert again.batches()["added"].tolist() == [1]
        assert again.instruments()["symbol"].tolist() == ["AAA"]
        assert again.bar_sources()["adjusted"].tolist() == ["splits"]


def test_a_place_that_cannot_be_written_is_said(sqlite_place):
    sqlite_place.bars.write_text("a file where the folder should be")
    with sqlite_place.open() as store:
        with pytest.raises(StoreError, match="cannot be read or written"):
            store.ingest(bars("a.csv", [("AAA", JAN2, 10)]))
        assert store.batches().empty


def test_a_lost_file_of_bars_is_said_whatever_is_asked(sqlite_place):
    with sqlite_place.open() as store:
        store.ingest(bars("a.csv", [("AAA", JAN2, 10), ("AAA", JAN3, 11)]))
        for file in store_files(store):
            file.unlink()
        for question in (lambda: store.bars("1d"), store.bar_sources):
            with pytest.raises(StoreError, match=r"cannot be read(.|\n)*copy of the store"):
                question()
