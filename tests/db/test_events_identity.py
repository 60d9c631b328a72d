"""Which record is about which event."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.db.build import FETCHED, at, event, records

RELEASE = "2020-01-29 21:05"


def test_a_fiscal_period_identifies_an_event_however_its_date_moves(store):
    store.ingest(records("a.csv", [event("AMD", "2020-01-20 21:00", fiscal_period="2019Q4")]))
    report = store.ingest(
        records(
            "b.csv",
            [event("AMD", RELEASE, fiscal_period="2019Q4")],
            fetched_at=FETCHED + timedelta(days=1),
        )
    )

    assert report.revised == 1
    assert store.events()["announced_from"].tolist() == [at(RELEASE)]


def test_a_label_without_a_year_is_another_event_the_year_after(store):
    report = store.ingest(
        records(
            "a.csv",
            [event("AMD", f"{year}-01-29 21:05", fiscal_period="Q4") for year in (2019, 2020)],
        )
    )

    assert report.added == 2


@pytest.mark.parametrize(
    ("second", "events"),
    [
        ("2020-02-03 21:05", 1),  # exactly five days
        ("2020-02-03 21:06", 2),
        ("2020-01-24 21:05", 1),
        ("2020-01-24 21:04", 2),
    ],
)
def test_without_a_period_five_days_decide(store, second, events):
    store.ingest(records("a.csv", [event("AMD", RELEASE), event("AMD", second)]))

    assert len(store.events()) == events


def test_a_record_without_a_period_joins_the_nearest_event_and_a_later_one_names_it(store):
    store.ingest(records("a.csv", [event("AMD", RELEASE, eps_estimate=1.0)]))
    report = store.ingest(
        records("b.csv", [event("AMD", RELEASE, fiscal_period="2019Q4")], source="two")
    )
    third = store.ingest(
        records("c.csv", [event("AMD", RELEASE, fiscal_period="2020Q1")], source="two")
    )

    assert (report.revised, third.added) == (1, 1)  # another period is another event
    assert store.events()["fiscal_period"].tolist() == ["2019Q4", "2020Q1"]


@pytest.mark.parametrize("label", ["Q4 2019", "4Q19", "2019-Q4", "FY2019Q4", "2020Q4", "2020Q1"])
def test_two_sources_that_name_one_releases_period_differently_mean_one_event(store, label):
    store.ingest(records("a.csv", [event("NVDA", RELEASE, fiscal_period="2019Q4")], source="one"))
    report = store.ingest(
        records("b.csv", [event("NVDA", RELEASE, fiscal_period=label)], source="two")
    )

    assert (report.added, report.revised) == (0, 1)


def test_a_month_is_the_quarter_that_ends_in_it_where_the_fiscal_year_is_known(store):
    store.add_instrument("AAPL", fiscal_year_end=9)
    first = event("AAPL", RELEASE, fiscal_period="2020Q1")
    later = event("AAPL", "2020-03-20 21:05", fiscal_period="2019-12")
    store.ingest(records("a.csv", [first], source="one"))
    report = store.ingest(records("b.csv", [later], source="two"))

    assert (report.added, report.revised) == (0, 1)
