"""Bars: what goes in comes out, once, and older versions stay readable."""

from __future__ import annotations

import numpy as np
import pytest

from db.batches import Reject
from db.errors import StoreError, UsageError
from db.intervals import Interval
from db.store import Store
from tests.db.build import bars, ingest_in_files_of, micros

JAN2, JAN3, JAN6 = "2020-01-02", "2020-01-03", "2020-01-06"


def content(store: Store, interval: str = "1d", **asked) -> list[tuple[str, str, float]]:
    """(symbol, start, close) of all bars."""
    names = store.instruments().set_index("instrument_id")["symbol"]
    found = store.bars(interval, **asked)
    starts = np.datetime_as_string(found.start.astype("datetime64[us]"), unit="D")
    return [
        (names[who], str(at), float(close))
        for who, at, close in zip(found.instrument, starts, found.close, strict=True)
    ]


def test_what_was_imported_is_read_back_sorted(store):
    report = store.ingest(
        bars("a.csv", [("BBB", JAN3, 21), ("AAA", JAN3, 11), ("AAA", JAN2, 10, None)])
    )

    found = store.bars("1d")

    assert (report.added, report.revised, report.unchanged, report.rejected) == (3, 0, 0, 0)
    assert found.start.tolist() == [micros(JAN3), micros(JAN2), micros(JAN3)]
    assert found.instrument.tolist() == [1, 2, 2]
    assert found.close.tolist() == [21, 10, 11]
    assert found.high.tolist() == [22, 11, 12]
    assert np.isnan(found.volume).tolist() == [False, True, False]
    assert (found.interval, found.source, found.adjusted, found.version) == (
        Interval.D1, "test", "none", 1
    )  # fmt: skip
    assert found.bounds(2) == (1, 3)
    assert found.bounds(7) == (3, 3)


def test_the_same_file_twice_adds_nothing(store):
    rows = [("AAA", JAN2, 10), ("AAA", JAN3, 11)]
    first = store.ingest(bars("a.csv", rows))
    before = store.versions()

    again = store.ingest(bars("a.csv", rows))

    assert again.already_imported
    assert (again.batch_id, again.added, again.unchanged) == (first.batch_id, 0, 2)
    assert store.versions() == before
    assert len(store.batches()) == 1


def test_the_same_rows_in_another_file_are_unchanged(store):
    rows = [("AAA", JAN2, 10), ("AAA", JAN3, 11, None)]
    store.ingest(bars("a.csv", rows))
    version = store.versions()["bars_1d"]

    report = store.ingest(bars("b.csv", rows))

    assert (report.added, report.revised, report.unchanged) == (0, 0, 2)
    assert not report.already_imported
    assert store.versions()["bars_1d"] == version


def test_a_corrected_file_revises_in_one_version_and_the_old_one_stays_readable(store):
    store.ingest(bars("a.csv", [("AAA", JAN2, 10), ("AAA", JAN3, 11), ("BBB", JAN2, 20)]))
    before = store.versions()["bars_1d"]

    report = store.ingest(bars("b.csv", [("AAA", JAN2, 10), ("AAA", JAN3, 99), ("AAA", JAN6, 12)]))

    assert (report.added, report.revised, report.unchanged) == (1, 1, 1)
    assert store.versions()["bars_1d"] == before + 1
    assert content(store) == [
        ("AAA", JAN2, 10), ("AAA", JAN3, 99), ("AAA", JAN6, 12), ("BBB", JAN2, 20)
    ]  # fmt: skip
    assert content(store, version=before) == [
        ("AAA", JAN2, 10), ("AAA", JAN3, 11), ("BBB", JAN2, 20)
    ]  # fmt: skip


def test_a_start_given_twice_in_one_file_is_kept_once_and_a_contradiction_is_rejected(store):
    report = store.ingest(
        bars("a.csv", [("AAA", JAN2, 10), ("AAA", JAN3, 11), ("AAA", JAN2, 10), ("AAA", JAN3, 9)])
    )

    assert (report.added, report.unchanged, report.rejected) == (2, 1, 1)
    assert content(store) == [("AAA", JAN2, 10), ("AAA", JAN3, 11)]
    reject = store.rejects().iloc[0]
    assert "same start and other values" in reject.reason
    assert reject["value"] == "AAA 2020-01-03T00:00:00Z"


def test_a_start_given_twice_in_two_files_of_one_batch_is_kept_once(store):
    report = ingest_in_files_of(
        2,
        store,
        bars("a.csv", [("AAA", JAN2, 10), ("AAA", JAN3, 11), ("AAA", JAN2, 10), ("AAA", JAN3, 9)]),
    )

    assert (report.added, report.unchanged, report.rejected) == (2, 1, 1)
    assert content(store) == [("AAA", JAN2, 10), ("AAA", JAN3, 11)]


def test_rejects_of_the_importer_are_kept_and_counted(store):
    refused = [Reject("a.csv", 7, "open", "-1", "a price is not positive")]

    report = store.ingest(bars("a.csv", [("AAA", JAN2, 10)], rejects=refused))

    assert (report.added, report.rejected) == (1, 1)
    assert store.rejects(report.batch_id).to_dict("records") == [
        {
            "batch_id": report.batch_id,
            "origin": "a.csv",
            "row": 7,
            "column": "open",
            "value": "-1",
            "reason": "a price is not positive",
        }
    ]
    assert store.reject_counts()["rows"].tolist() == [1]
    assert store.rejects(limit=0).empty


def test_a_batch_of_rejects_alone_is_logged(store):
    refused = [Reject("a.csv", 1, "open", "x", "not a number")]

    report = store.ingest(bars("a.csv", [], rejects=refused))

    assert (report.added, report.rejected) == (0, 1)
    assert len(store.bars("1d")) == 0
    assert store.ingest(bars("a.csv", [], rejects=refused)).already_imported


def test_each_interval_has_its_own_table(store):
    store.ingest(bars("a.csv", [("AAA", "2020-01-02T14:30", 10)], interval=Interval.M1))
    store.ingest(bars("b.csv", [("AAA", JAN2, 10)]))

    assert len(store.bars("1m")) == 1
    assert len(store.bars(Interval.D1)) == 1
    assert len(store.bars("5m")) == 0
    assert set(store.versions()) == {"bars_1m", "bars_1d", "sql"}


def test_instruments_and_times_narrow_a_reading(store):
    store.ingest(
        bars("a.csv", [(s, d, 10) for s in ("AAA", "BBB", "CCC") for d in (JAN2, JAN3, JAN6)])
    )

    assert content(store, instruments=[1, 3], since_us=micros(JAN3), until_us=micros(JAN6)) == [
        ("AAA", JAN3, 10), ("CCC", JAN3, 10)
    ]  # fmt: skip
    assert content(store, instruments=[]) == []
    assert content(store, instruments=[77]) == []


def test_several_sources_have_to_be_told_apart(store):
    store.ingest(bars("a.csv", [("AAA", JAN2, 10)], source="one"))
    store.ingest(bars("b.csv", [("AAA", JAN2, 10.5), ("BBB", JAN2, 20)], source="two"))

    with pytest.raises(UsageError, match="one, two"):
        store.bars("1d")
    with pytest.raises(UsageError, match="did you mean 'two'"):
        store.bars("1d", source="twoo")
    assert content(store, source="one") == [("AAA", JAN2, 10)]
    # Only one of them covers what is asked for.
    bbb = store.resolve("BBB")
    assert content(store, instruments=[bbb]) == [("BBB", JAN2, 20)]
    assert store.bars("1d", instruments=[bbb]).source == "two"


def test_another_adjustment_under_the_same_source_is_refused(store):
    store.ingest(bars("a.csv", [("AAA", JAN2, 10)]))

    with pytest.raises(UsageError, match="--source test-all"):
        store.ingest(bars("b.csv", [("AAA", JAN3, 10)], adjusted="all"))

    store.ingest(bars("b.csv", [("AAA", JAN3, 10)], adjusted="all", source="test-all"))
    sources = store.bar_sources()
    assert sources[["source", "adjusted", "instruments", "rows"]].to_dict("records") == [
        {"source": "test", "adjusted": "none", "instruments": 1, "rows": 1},
        {"source": "test-all", "adjusted": "all", "instruments": 1, "rows": 1},
    ]
    assert str(sources["first"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize("source", ["", "a b", "../up", "a/b", "x" * 65])
def test_a_source_that_cannot_name_a_folder_is_refused(sqlite_place, source):
    with sqlite_place.open() as store, pytest.raises(UsageError, match="cannot name a source"):
        store.ingest(bars("a.csv", [("AAA", JAN2, 10)], source=source))


def test_a_version_that_never_was_is_named(store):
    with pytest.raises(StoreError, match="version 3 of the 1d bars does not exist"):
        store.bars("1d", version=3)
    store.ingest(bars("a.csv", [("AAA", JAN2, 10)]))
    with pytest.raises(StoreError, match="version 3 of the 1d bars does not exist"):
        store.bars("1d", version=3)


def test_bars_of_another_store_are_refused(sqlite_place, tmp_path):
    with sqlite_place.open() as store:
        store.ingest(bars("a.csv", [("AAA", JAN2, 10)]))
    other = Store.open(tmp_path / "other", bars=str(sqlite_place.bars), create=True)
    with other, pytest.raises(StoreError, match="belong to another store"):
        other.bars("1d")
