"""Events: which record is about which event, and what was known of it when."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pytest

from db.batches import Reject
from db.errors import DataError, UsageError
from db.models import NaiveDatetimeError
from db.records.common import IN_CLAUSE
from tests.db.build import FETCHED, at, event, records

RELEASE = "2020-01-29 21:05"
FIELDS = ["eps_estimate", "eps_actual", "revenue_estimate", "revenue_actual"]


def test_an_event_is_read_back_as_it_was_given(store):
    record = event(
        "AMD", "2019-01-29 21:00", "2019-01-30 05:00", fiscal_period="2018Q4", eps_estimate=0.08,
        eps_actual=0.07, revenue_actual=1.42e9, raw="AMD,2019-01-29,post", row=3,
    )  # fmt: skip
    report = store.ingest(records("e.csv", [record]))

    row = store.events().iloc[0]

    assert (report.added, report.revised, report.unchanged, report.rejected) == (1, 0, 0, 0)
    assert (row.symbol, row.instrument_id, row.exchange) == ("AMD", 1, "XNYS")
    assert (row.fiscal_period, row.precision, row.session) == ("2018Q4", "session", "post")
    assert (row.announced_from, row.announced_to) == (record.announced_from, record.announced_to)
    assert row[FIELDS[:2]].tolist() == [0.08, 0.07]
    assert np.isnan(row.revenue_estimate)
    assert row.revenue_actual == 1.42e9
    assert (row.currency, row.source, row.revisions) == ("USD", "test", 1)
    assert (row.first_known_at, row.first_known_proven) == (FETCHED, False)
    said = store.revisions().iloc[0]
    assert (said.raw, said.row, said.batch_id) == ("AMD,2019-01-29,post", 3, report.batch_id)


def test_column_types_do_not_depend_on_the_rows(store):
    empty = store.events()
    store.ingest(records("e.csv", [event("AMD", RELEASE)]))
    one = store.events()

    assert empty.dtypes.to_dict() == one.dtypes.to_dict()
    assert str(one["announced_from"].dtype) == "datetime64[us, UTC]"
    assert str(one["instrument_id"].dtype) == "Int64"
    assert {str(one[name].dtype) for name in FIELDS} == {"float64"}
    assert store.revisions([]).dtypes.to_dict() == store.revisions().dtypes.to_dict()


def test_the_same_file_and_the_same_rows_add_nothing(store):
    rows = [event("AMD", RELEASE, eps_actual=1.0), event("UBER", RELEASE)]
    store.ingest(records("e.csv", rows))
    version = store.versions()["sql"]

    again = store.ingest(records("e.csv", rows))
    elsewhere = store.ingest(records("other.csv", rows, fetched_at=FETCHED + timedelta(days=30)))

    assert again.already_imported
    assert (again.added, again.unchanged) == (0, 2)
    assert (elsewhere.added, elsewhere.revised, elsewhere.unchanged) == (0, 0, 2)
    assert len(store.revisions()) == 2
    assert store.events()["first_known_at"].tolist() == [FETCHED, FETCHED]
    assert store.versions()["sql"] == version + 1


def test_more_symbols_than_fit_one_statement_are_compared_too(store):
    rows = [event(f"S{n}", RELEASE, eps_actual=1.0) for n in range(IN_CLAUSE + 1)]
    store.ingest(records("e.csv", rows))
    again = store.ingest(records("f.csv", rows))
    few = store.ingest(records("g.csv", rows[:3]))

    assert (again.unchanged, few.unchanged) == (len(rows), 3)
    ids = store.events()["event_id"].tolist()
    assert len(store.revisions(ids[1:])) == len(rows) - 1
    assert len(store.revisions(ids[:2])) == 2


def test_a_corrected_file_adds_a_revision_and_keeps_the_old_one(store):
    later = FETCHED + timedelta(days=30)
    store.ingest(records("e.csv", [event("AMD", RELEASE, eps_estimate=0.9, eps_actual=1.0)]))

    report = store.ingest(
        records("f.csv", [event("AMD", RELEASE, eps_actual=1.1)], fetched_at=later)
    )

    assert (report.added, report.revised) == (0, 1)
    assert store.revisions()["eps_actual"].tolist() == [1.0, 1.1]
    row = store.events().iloc[0]
    # The estimate is filled by the older revision alone.
    assert (row.eps_estimate, row.eps_actual, row.revisions) == (0.9, 1.1, 2)
    assert row.first_known_at == later
    before = store.events(as_of=later - timedelta(seconds=1)).iloc[0]
    assert (before.eps_actual, before.revisions, before.first_known_at) == (1.0, 1, FETCHED)


def test_a_value_that_returns_after_a_correction_is_a_revision(store):
    for day, eps in ((0, 1.0), (1, 1.1), (2, 1.0), (3, 1.0)):
        store.ingest(
            records(
                f"{day}.csv",
                [event("AMD", RELEASE, eps_actual=eps)],
                fetched_at=FETCHED + timedelta(days=day),
            )
        )

    assert store.revisions()["eps_actual"].tolist() == [1.0, 1.1, 1.0]
    row = store.events().iloc[0]
    assert (row.eps_actual, row.first_known_at) == (1.0, FETCHED + timedelta(days=2))


def test_a_history_of_estimates_is_known_again_row_by_row(store):
    rows = [
        event("AMD", RELEASE, eps_estimate=eps, first_known_at=at(f"2020-01-{day:02} 12:00"))
        for day, eps in ((1, 1.0), (10, 1.1), (20, 1.0))
    ]
    store.ingest(records("e.csv", rows))
    again = store.ingest(records("f.csv", rows[::-1]))

    assert (again.added, again.revised, again.unchanged) == (0, 0, 3)
    assert store.events(as_of=at("2020-01-15 12:00"))["eps_estimate"].tolist() == [1.1]
    # An earlier proof of what is known already is worth recording.
    earlier = event("AMD", RELEASE, eps_estimate=1.0, first_known_at=at("2019-12-01 12:00"))
    assert store.ingest(records("g.csv", [earlier])).revised == 1
    assert len(store.events(as_of=at("2019-12-01 12:00"))) == 1


def test_rows_that_contradict_each_other_in_one_file_are_not_added_again_by_another(store):
    rows = [event("AMD", RELEASE, eps_actual=1.0), event("AMD", RELEASE, eps_actual=1.1)]
    store.ingest(records("e.csv", rows))

    report = store.ingest(records("f.csv", rows, fetched_at=FETCHED + timedelta(days=1)))

    assert (report.added, report.revised, report.unchanged) == (0, 0, 2)
    assert store.events().iloc[0].eps_actual == 1.1


def test_a_value_another_source_repeats_is_known_since_the_first_of_them(store):
    proven = event("AMD", RELEASE, eps_actual=1.0, first_known_at=at("2020-01-29 21:06"))
    store.ingest(records("wire.csv", [proven], source="wire"))
    store.ingest(records("e.csv", [event("AMD", RELEASE, eps_actual=1.0)], source="vendor"))

    row = store.events().iloc[0]

    assert row.revisions == 2
    assert (row.first_known_at, row.first_known_proven) == (at("2020-01-29 21:06"), True)


def test_dates_symbols_and_kind_narrow_a_reading(store):
    store.ingest(
        records(
            "a.csv",
            [
                event("AMD", "2020-01-10 22:00"),
                # 2020-01-29 in New York although the 30th in UTC
                event("AMD", "2020-01-30 04:59", fiscal_period="X"),
                event("UBER", "2020-02-06 22:00"),
            ],
        )
    )

    def dates(**asked):
        return [str(day) for day in store.events(**asked)["announced_from"].dt.date]

    assert dates(since=date(2020, 1, 29)) == ["2020-01-30", "2020-02-06"]
    assert dates(until=date(2020, 1, 29)) == ["2020-01-10", "2020-01-30"]
    assert dates(since=date(2020, 1, 29), until=date(2020, 1, 29)) == ["2020-01-30"]
    assert dates(since=at("2020-02-06 22:00")) == ["2020-02-06"]
    assert dates(until=at("2020-01-10 22:00")) == ["2020-01-10"]
    assert dates(symbols=["UBER"]) == ["2020-02-06"]
    assert dates(kind="dividend") == []
    with pytest.raises(UsageError, match="did you mean 'UBER'"):
        store.events(symbols=["UBERR"])


def test_naive_times_are_refused_where_they_are_asked_for_and_where_they_are_given(store):
    naive = datetime(2020, 1, 29, 21, 5)
    with pytest.raises(UsageError, match="no time zone"):
        store.events(as_of=naive)
    with pytest.raises(UsageError, match="needs an instant"):
        store.events(as_of=date(2020, 1, 29))
    record = event("AMD", RELEASE)
    object.__setattr__(record, "first_known_at", naive)
    with pytest.raises(NaiveDatetimeError, match=r"e\.csv, row 0: first_known_at .* no time zone"):
        store.ingest(records("e.csv", [record]))
    with pytest.raises(NaiveDatetimeError, match="no time zone"):
        store.ingest(records("e.csv", [event("AMD", RELEASE)], fetched_at=naive))
    assert store.batches().empty


def test_instants_in_other_zones_are_the_same_instants(store):
    tokyo = timezone(timedelta(hours=9))
    record = event("AMD", RELEASE)
    object.__setattr__(record, "announced_from", record.announced_from.astimezone(tokyo))
    store.ingest(records("e.csv", [record]))
    again = store.ingest(records("f.csv", [event("AMD", RELEASE)]))

    assert again.unchanged == 1
    assert store.events()["announced_from"].tolist() == [at(RELEASE)]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (event("AMD", RELEASE, "2020-01-29 21:04"), "ends before it begins"),
        (event("", RELEASE), "empty symbol"),
    ],
)
def test_records_that_cannot_be_are_refused_whole(store, record, message):
    with pytest.raises(DataError, match=message):
        store.ingest(records("e.csv", [event("UBER", RELEASE), record]))

    assert store.events().empty


def test_numbers_that_are_none_stay_unknown(store):
    store.ingest(records("a.csv", [event("AMD", RELEASE, eps_actual=float("nan"))]))
    report = store.ingest(records("b.csv", [event("AMD", RELEASE)]))

    assert report.unchanged == 1
    assert store.events()["eps_actual"].isna().all()


@pytest.mark.parametrize("text", ["nul \x00 byte", "lone \ud800 surrogate", "日本 🚀", "'; --"])
def test_any_text_is_kept_as_text(store, text):
    store.ingest(records(f"a{text!r}.csv", [event("AMD", RELEASE, raw=text)]))

    kept = store.revisions()["raw"].iloc[0]
    assert kept == text.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")


def test_rejects_come_with_their_batch(store):
    refused = [Reject("e.csv", 2, "date", "31/31/2020", "not a date")]
    report = store.ingest(records("e.csv", [event("AMD", RELEASE)], rejects=refused))
    alone = store.ingest(records("f.csv", [], rejects=refused))

    assert (report.added, report.rejected) == (1, 1)
    assert (alone.added, alone.rejected) == (0, 1)
    assert store.rejects(alone.batch_id)["value"].tolist() == ["31/31/2020"]
    assert store.reject_counts()["rows"].tolist() == [1, 1]


def test_a_dry_run_reports_and_changes_nothing(store):
    store.ingest(records("a.csv", [event("AMD", RELEASE)]))
    before = store.versions()

    report = store.ingest(
        records("b.csv", [event("AMD", RELEASE, eps_actual=1.0), event("UBER", RELEASE)]),
        dry_run=True,
    )

    assert (report.batch_id, report.added, report.revised) == (0, 1, 1)
    assert store.versions() == before
    assert store.instruments()["symbol"].tolist() == ["AMD"]
    assert len(store.revisions()) == 1
