"""Corporate actions as last stated; news as it could be known, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from db.errors import DataError, UsageError
from db.models import Action
from db.records.news import url_key
from db.records.news_clusters import title_key
from tests.db.build import action, at, event, news, records

NIGHT = "2020-01-29 21:05"


def test_actions_are_read_back_by_date(store):
    report = store.ingest(
        records(
            "a.csv", [action("AAPL", "2020-08-31", 4, "split"), action("AAPL", "2020-08-07", 0.82)]
        )
    )

    found = store.actions()

    assert report.added == 2
    assert found[["symbol", "kind", "ex_date", "value"]].values.tolist() == [
        ["AAPL", "dividend", date(2020, 8, 7), 0.82],
        ["AAPL", "split", date(2020, 8, 31), 4.0],
    ]
    assert str(found["instrument_id"].dtype) == "Int64"
    assert store.actions(symbols=["AAPL"]).equals(found)
    with pytest.raises(UsageError, match="AAPL"):
        store.actions(symbols=["APL"])


def test_a_corrected_action_replaces_the_old_one_of_its_source(store):
    store.ingest(records("a.csv", [action("AAPL", "2020-08-07", 0.28)]))
    same = store.ingest(records("b.csv", [action("AAPL", "2020-08-07", 0.28)]))
    corrected = store.ingest(records("c.csv", [action("AAPL", "2020-08-07", 0.82)]))
    other = store.ingest(records("d.csv", [action("AAPL", "2020-08-07", 0.8)], source="two"))

    assert (same.unchanged, corrected.revised, other.added) == (1, 1, 1)
    assert store.actions()[["source", "value"]].values.tolist() == [["test", 0.82], ["two", 0.8]]


def test_two_dividends_on_one_day_are_two(store):
    rows = [action("M", "2020-08-07", 0.5), action("M", "2020-08-07", 2.0)]
    store.ingest(records("a.csv", [*rows, rows[0]]))
    again = store.ingest(records("b.csv", rows))

    assert store.actions()["value"].tolist() == [0.5, 2.0]
    assert again.unchanged == 2


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_an_action_that_cannot_be_is_refused(store, value):
    with pytest.raises(DataError, match="row 0: a split of"):
        store.ingest(records("a.csv", [action("M", "2020-08-07", value, "split")]))
    assert store.actions().empty


def test_numbers_of_other_libraries_are_kept_as_numbers(store):
    given = replace(action("M", "2020-08-07", np.float32(0.5)), row=np.int64(7))
    store.ingest(records("a.csv", [given]))
    store.ingest(records("n.csv", [news("Up", NIGHT, "M", sentiment=np.float64("nan"))]))
    again = store.ingest(records("b.csv", [action("M", "2020-08-07", 0.5)]))

    assert again.unchanged == 1
    assert store.actions()["value"].tolist() == [0.5]
    with store._database.read() as connection:
        assert connection.scalars(select(Action.row)).all() == [7]
    assert store.news()["sentiment"].isna().all()


def test_an_item_is_read_back_with_each_instrument(store):
    store.ingest(
        records(
            "n.csv",
            [
                news(
                    "AMD reports", NIGHT, "AMD", "INTC", url="https://x.org/a", body="Text.",
                    provider="wire", language="en", sentiment=0.5, event_at=at("2020-01-28 00:00"),
                )
            ],
        )
    )  # fmt: skip

    found = store.news()

    assert found["symbol"].tolist() == ["AMD", "INTC"]
    row = found.iloc[0]
    assert (row.title, row.body, row.url) == ("AMD reports", "Text.", "https://x.org/a")
    assert (row.provider, row.language, row.sentiment, row.link_how) == ("wire", "en", 0.5, "given")
    assert (row.published_at, row.event_at) == (at(NIGHT), at("2020-01-28 00:00"))
    assert (row.cluster_id, row.published_precision) == (row.news_id, "exact")
    assert store.news(symbols=["INTC"])["symbol"].tolist() == ["INTC"]


def test_an_item_near_a_release_of_its_instrument_is_about_that_event(store):
    store.ingest(
        records("n.csv", [
            news("Before", "2020-01-28 21:05", "AMD"),  # exactly a day before the release
            news("After", "2020-01-29 21:06", "AMD", "INTC"),
            news("Long after", "2020-01-30 21:06", "AMD"),
        ])
    )  # fmt: skip
    store.ingest(records("e.csv", [event("AMD", NIGHT), event("INTC", "2020-01-23 21:00")]))
    amd = store.events(symbols=["AMD"])["event_id"].item()

    found = store.news().fillna({"event_id": 0})

    assert found[["title", "symbol", "event_id"]].values.tolist() == [
        ["Before", "AMD", amd],
        ["After", "AMD", amd],
        ["After", "INTC", 0],
        ["Long after", "AMD", 0],
    ]
    assert store.news(as_of=at("2020-02-01 00:00"))["event_id"].isna().all()


def test_the_same_item_is_kept_once(store):
    store.ingest(records("n.csv", [news("AMD reports", NIGHT, "AMD", url="https://x.org/a")]))

    by_url = store.ingest(
        records(
            "o.csv",
            [
                news(
                    "AMD reports!",
                    "2020-01-29 21:09",
                    "AMD",
                    url="http://www.x.org/a/?utm_source=y",
                )
            ],
        )
    )
    by_content = store.ingest(records("p.csv", [news("amd  reports", NIGHT, "AMD")]))
    linked = store.ingest(records("q.csv", [news("AMD reports", NIGHT, "INTC", "AMD")]))
    a_year_later = store.ingest(records("r.csv", [news("AMD reports", "2021-01-29 21:05", "AMD")]))

    assert (by_url.unchanged, by_content.unchanged) == (1, 1)
    assert (linked.revised, a_year_later.added) == (1, 1)
    assert store.news()[["title", "symbol"]].values.tolist() == [
        ["AMD reports", "AMD"], ["AMD reports", "INTC"], ["AMD reports", "AMD"]
    ]  # fmt: skip


def test_one_file_that_lists_an_item_for_each_symbol_makes_one_item(store):
    report = store.ingest(
        records("n.csv", [news("Chips fall", NIGHT, "AMD"), news("Chips fall", NIGHT, "NVDA")])
    )

    assert (report.added, report.revised) == (1, 1)
    assert store.news()["news_id"].nunique() == 1


def test_news_is_known_from_its_publication(store):
    store.ingest(
        records(
            "n.csv",
            [
                news("First", "2020-01-29 21:05", "AMD"),
                news("Only a date", "2020-01-30 05:00", "AMD", published_precision="date"),
            ],
        )
    )

    def titles(**asked):
        return store.news(**asked)["title"].tolist()

    assert titles() == ["First", "Only a date"]
    assert titles(as_of=at("2020-01-29 21:04")) == []
    assert titles(as_of=at("2020-01-29 21:05")) == ["First"]
    assert titles(as_of=at("2020-01-30 04:59")) == ["First"]
    assert titles(since=at("2020-01-29 21:06")) == ["Only a date"]
    assert titles(until=date(2020, 1, 29)) == ["First"]
    assert store.news().iloc[1].published_at == at("2020-01-30 05:00")


def clusters(store) -> dict[str, str]:
    """Title of the first item for each title."""
    found = store.news().drop_duplicates("news_id").set_index("news_id")
    return {row.title: found.loc[row.cluster_id, "title"] for row in found.itertuples()}


NEAR = [
    ("AMD beats Q4 estimates, raises outlook", "2020-01-29 21:05", "AMD"),
    ("AMD Beats Q4 Estimates; Raises Outlook!", "2020-01-29 22:00", "AMD"),
    ("AMD beats Q4 estimates, raises its outlook", "2020-01-30 21:05", "AMD"),
    ("AMD beats Q4 estimates, raises the outlook", "2020-01-30 21:06", "AMD"),
    ("AMD beats Q3 estimates, raises outlook", "2020-01-29 22:05", "AMD"),
    ("INTC beats Q4 estimates, raises outlook", "2020-01-29 22:06", "INTC"),
    ("AMD: beats Q4 estimates, raises outlook", "2020-01-29 22:07", "INTC"),
]
FIRST = NEAR[0][0]
EXPECTED = {
    FIRST: FIRST,
    NEAR[1][0]: FIRST,
    NEAR[2][0]: FIRST,  # exactly 24 hours after the first
    NEAR[3][0]: NEAR[3][0],  # a minute later it is a new first
    NEAR[4][0]: NEAR[4][0],  # another number
    NEAR[5][0]: NEAR[5][0],  # another company
    NEAR[6][0]: NEAR[6][0],
}


@pytest.mark.parametrize(
    "order", [(0, 1, 2, 3, 4, 5, 6), (6, 5, 4, 3, 2, 1, 0), (3, 0, 6, 2, 5, 1, 4)]
)
def test_near_duplicates_count_once_whatever_order_they_come_in(store, order):
    for number in order:
        title, when, symbol = NEAR[number]
        store.ingest(records(f"{number}.csv", [news(title, when, symbol)]))

    assert clusters(store) == EXPECTED


def test_an_earlier_item_takes_over_and_later_clusters_are_made_anew(store):
    for hour in (30, 40, 60):  # 40 belongs to 30, 60 is too late for it
        when = str(pd.Timestamp("2020-01-01") + pd.Timedelta(hours=hour))[:16]
        store.ingest(records(f"{hour}.csv", [news(f"Same words{'.' * (hour // 10)}", when, "A")]))
    assert list(clusters(store).values()) == ["Same words...", "Same words...", "Same words......"]

    store.ingest(records("first.csv", [news("Same words", "2020-01-01 10:00", "A")]))

    # 30 now belongs to the new first, so that 40 begins a cluster, which 60 joins.
    assert list(clusters(store).values()) == [
        "Same words", "Same words", "Same words....", "Same words...."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://www.Example.com/a/b/", "http://example.com/a/b"),
        ("https://x.org/a?b=1&utm_campaign=z&a=2#top", "https://x.org/a?a=2&b=1"),
        ("https://x.org/a?fbclid=1", "https://x.org/a"),
    ],
)
def test_urls_of_one_page_are_one(one, other):
    assert url_key(one) == url_key(other)


def test_urls_of_different_pages_stay_apart():
    keys = {url_key(f"https://x.org{path}") for path in ("/a", "/b", "/a?id=1", "/a?id=2", "/A")}
    assert len(keys) == 5
    assert url_key("not a url") == "not a url"
    assert url_key("http://[broken") == "http://[broken"
    assert url_key("") == ""


def test_a_title_is_known_by_its_words():
    assert title_key("AMD's Q4: +12.5% – “beats”!") == "amd s q 4 12.5 beats"
    assert title_key("Ärger bei Müller & Söhne") == "ärger bei müller söhne"


def test_no_news_has_the_same_columns(store):
    empty = store.news()
    store.ingest(records("n.csv", [news("AMD reports", NIGHT, "AMD")]))

    pd.testing.assert_series_equal(empty.dtypes, store.news().dtypes)
    assert store.actions().columns.tolist() == [
        "action_id", "instrument_id", "symbol", "kind", "ex_date", "value", "source", "ingested_at"
    ]  # fmt: skip
