"""Upkeep changes no answer, and keeps what stored runs would need to be repeated."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from db.errors import StoreError
from db.intervals import Interval
from db.store import Store
from tests.db.build import bars
from tests.db.conftest import Place

DAYS = [f"2020-01-{day:02}" for day in range(2, 8)]


def answers(store: Store, **asked) -> list[list[float]]:
    found = store.bars("1d", **asked)
    return [
        getattr(found, name).tolist()
        for name in ("instrument", "start", "open", "high", "low", "close", "volume")
    ]


def files(place: Place) -> set[str]:
    return {path.name for path in Path(place.bars).rglob("*.parquet")}


def fill(store: Store) -> None:
    """Three versions: two days each, with the second correcting the first."""
    for number in range(3):
        rows = [(s, DAYS[number + n], 10.0 + number) for s in "AB" for n in range(2)]
        store.ingest(bars(f"{number}.csv", rows))


def test_compaction_changes_no_answer(store, place):
    fill(store)
    before, version = answers(store), store.versions()["bars_1d"]

    report = store.compact()

    assert report.values.tolist() == [["bars_1d", 3, 1]]
    assert answers(store) == before
    assert answers(store, version=version) == before
    assert store.versions()["bars_1d"] == version + 1
    # What is tidy already is left alone.
    assert store.compact().values.tolist() == [["bars_1d", 1, 1]]
    assert store.versions()["bars_1d"] == version + 1


def test_compaction_keeps_sources_and_intervals_apart(store):
    for source in ("one", "two"):
        for number in range(2):
            rows = [("A", DAYS[number], 10), ("B", DAYS[number], 20)]
            store.ingest(bars(f"{number}.csv", rows, source=source))
    store.ingest(bars("m.csv", [("A", "2020-01-02T14:30", 1)], interval=Interval.M1))
    before = {source: answers(store, source=source) for source in ("one", "two")}

    store.compact()

    assert {source: answers(store, source=source) for source in ("one", "two")} == before
    assert len(store.bars("1m")) == 1
    assert store.bar_sources()["rows"].tolist() == [1, 4, 4]


def test_bars_can_be_added_and_revised_after_compaction(store):
    fill(store)
    store.compact()

    report = store.ingest(
        bars("x.csv", [("A", DAYS[0], 99), ("C", DAYS[0], 1), ("B", DAYS[0], 10)])
    )

    assert (report.added, report.revised, report.unchanged) == (1, 1, 1)
    assert store.bars("1d").close.tolist() == [99, 11, 12, 12, 10, 11, 12, 12, 1]


def test_cleaning_keeps_the_versions_that_runs_name(store, place):
    fill(store)
    kept = answers(store, version=1)
    store.save_run({"strategy": "a", "store_versions": {"bars_1d": 1}})
    current = answers(store)
    before = files(place)

    planned = store.clean(dry_run=True)
    assert files(place) == before
    report = store.clean()

    assert planned == report
    assert report.files == len(before) - len(files(place)) > 0
    assert report.bytes > 0
    assert report.unrepeatable_runs == ()
    assert answers(store) == current
    assert answers(store, version=1) == kept
    with pytest.raises(StoreError, match="cannot be read"):
        store.bars("1d", version=2)
    assert store.clean().files == 0


def test_dropping_versions_marks_the_runs_that_named_them(store, place):
    fill(store)
    old = store.save_run({"strategy": "a", "store_versions": {"bars_1d": 1}})
    new = store.save_run({"strategy": "a", "store_versions": store.versions()})
    current = answers(store)

    planned = store.clean(drop_versions=True, dry_run=True)
    assert store.run(old)["repeatable"]
    report = store.clean(drop_versions=True)

    assert planned == report
    assert report.unrepeatable_runs == (old,)
    assert not store.run(old)["repeatable"]
    assert store.run(new)["repeatable"]
    assert answers(store) == current
    with pytest.raises(StoreError, match="cannot be read"):
        store.bars("1d", version=1)


def test_files_of_an_import_that_may_be_running_are_left_alone_for_a_day(sqlite_place):
    with sqlite_place.open() as store:
        store.ingest(bars("a.csv", [("A", DAYS[0], 10)]))
        # Staged like an import that was killed, or has not got to its commit yet.
        path = Path(sqlite_place.bars, "bars_1d", "source=test", "batch-000009-0000.parquet")
        path.write_bytes(b"staged")
        written = path.stat().st_mtime

    def hours_later(hours: float):
        return lambda: datetime.fromtimestamp(written, UTC) + timedelta(hours=hours)

    with sqlite_place.open(now=hours_later(23.9)) as store:
        assert store.clean().files == 0
    with sqlite_place.open(now=hours_later(24.1)) as store:
        assert store.clean().files == 1
    assert not path.exists()


def test_the_checkpoints_of_the_log_are_no_rubbish(store, place):
    fill(store)
    before, version = answers(store), store.versions()["bars_1d"]
    DeltaTable(f"{place.bars}/bars_1d").create_checkpoint()
    store.save_run({"strategy": "a", "store_versions": {"bars_1d": 1}})

    store.clean()
    store.compact()
    store.clean()

    assert answers(store) == before
    assert store.versions()["bars_1d"] == version + 1
    assert len(store.bars("1d", version=1)) == 4


def test_a_run_that_names_a_version_that_never_was_does_not_stop_cleaning(store):
    fill(store)
    store.save_run({"strategy": "a", "store_versions": {"bars_1d": 99}})

    assert store.clean().files > 0
    assert store.clean(drop_versions=True).files == 0


def test_an_empty_store_needs_no_upkeep(store):
    assert store.compact().empty
    assert store.clean().files == 0
    assert store.bar_sources().empty
    assert store.versions() == {"sql": 0}
    assert len(store.bars("1d")) == 0


def test_many_small_imports_stay_quick_to_read_after_compaction(sqlite_place):
    with sqlite_place.open() as store:
        for number in range(12):
            store.ingest(bars(f"{number}.csv", [(f"S{number}", DAYS[0], 1.0)]))
        before = answers(store)
        assert store.compact().values.tolist() == [["bars_1d", 12, 1]]
        assert answers(store) == before
