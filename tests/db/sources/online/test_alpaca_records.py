"""Splits, dividends and news from Alpaca, and what is refused of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db.sources.fetching.run import Outcome
from db.sources.fetching.source import Ask
from db.sources.online.alpaca.records import LONGEST, action_batch, news_batch, plain_text
from db.store import Store
from tests.db.sources.online.alpaca_run import NOW, AlpacaRun, day, utc
from tests.fakes.alpaca import FakeAlpaca, news_item
from tests.fakes.market import Stock

META = Stock(
    "META",
    splits=[(date(2025, 7, 1), 4, 1), (date(2025, 9, 1), 1, 8)],
    dividends=[(date(2025, 6, 13), 0.525), (date(2026, 2, 20), 0.525)],
)
RELEASE = utc("2026-01-28 21:05")


@pytest.fixture
def fake() -> Iterator[FakeAlpaca]:
    with FakeAlpaca([META], now=lambda: NOW) as server:
        yield server


@pytest.fixture
def run(fake: FakeAlpaca, tmp_path: Path) -> Iterator[AlpacaRun]:
    clock = [NOW]  # the store's is the source's: what was asked lately is not asked again
    with Store.open(tmp_path / "store", create=True, now=lambda: clock[0]) as store:
        yield AlpacaRun(fake, store, now=lambda: clock[0], clock=clock)


def bring(run: AlpacaRun, kind: str, since: str = "2025-06-01", until: str = "2026-03-12"):
    return run.bring(Ask(kind, "META", day(since), day(until)))


def news_of(run: AlpacaRun, outcome: Outcome) -> list[tuple[datetime, str]]:
    assert outcome.complete
    news = run.store.news(symbols=["META"])
    return [(row.published_at.to_pydatetime(), row.title) for row in news.itertuples()]


def test_splits_are_new_shares_for_one_old_and_dividends_cash_a_share(run: AlpacaRun) -> None:
    bring(run, "actions")
    actions = run.store.actions(symbols=["META"])
    rows = [(row.kind, str(row.ex_date), row.value, row.source) for row in actions.itertuples()]
    assert rows == [
        ("dividend", "2025-06-13", 0.525, "alpaca"),
        ("split", "2025-07-01", 4.0, "alpaca"),
        ("split", "2025-09-01", 0.125, "alpaca"),
        ("dividend", "2026-02-20", 0.525, "alpaca"),
    ]


def test_a_dividend_is_found_though_it_is_paid_later(run: AlpacaRun) -> None:
    bring(run, "actions", since="2026-02-19", until="2026-02-21")
    assert run.store.actions(symbols=["META"])["ex_date"].astype(str).tolist() == ["2026-02-20"]
    assert run.asked("end") == ["2026-06-21"]


def test_actions_are_asked_anew_and_found_unchanged(run: AlpacaRun) -> None:
    bring(run, "actions")
    run.clock[:] = [NOW + timedelta(days=1)]
    again = bring(run, "actions").of("actions")
    assert (again.added, again.unchanged) == (0, 4)


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"ex_date": "soon", "rate": 1.0}, "ex_date"),
        ({"ex_date": None, "rate": 1.0}, "ex_date"),
        ({"ex_date": "2026-01-05", "rate": 0}, "rate"),
        ({"ex_date": "2026-01-05", "rate": -0.5}, "rate"),
        ({"ex_date": "2026-01-05", "rate": None}, "rate"),
        ({"ex_date": "2026-01-05", "rate": float("inf")}, "rate"),
        ({"ex_date": "2026-01-05", "rate": "much"}, "rate"),
    ],
)
def test_a_dividend_that_cannot_be_is_a_reject(row: dict[str, Any], column: str) -> None:
    batch = action_batch({"cash_dividends": [row]}, "META", "here", NOW, date(2025, 1, 1))
    assert batch.records == []
    assert [reject.column for reject in batch.rejects] == [column]


def test_a_stock_dividend_is_a_split() -> None:
    rows = {"stock_dividends": [{"id": "a", "ex_date": "2026-01-05", "rate": 0.05}]}
    (record,) = action_batch(rows, "META", "here", NOW, date(2025, 1, 1)).records
    assert (record.kind, record.value) == ("split", 1.05)


def test_news_comes_with_its_number_its_instant_and_its_words(run: AlpacaRun) -> None:
    text = "<p>Revenue of <b>$59.9bn</b> &amp; more.</p><script>x()</script><p>Shares fell.</p>"
    run.fake.news = [news_item(41, ["META", "AMD"], "Meta&#39;s Q4", RELEASE, content=text)]
    outcome = bring(run, "news")
    assert news_of(run, outcome) == [(RELEASE, "Meta's Q4")]
    (row,) = run.store.news(symbols=["META"]).itertuples()
    assert row.body == "Revenue of $59.9bn & more.\nShares fell."
    assert (row.provider, row.url) == ("benzinga", "https://www.benzinga.com/news/41")
    assert len(run.store.news(symbols=["AMD"])) == 1


def test_a_text_that_was_changed_is_known_from_its_change(run: AlpacaRun) -> None:
    morning = RELEASE + timedelta(hours=16)
    run.fake.news = [news_item(41, ["META"], "Meta rebounds", RELEASE, updated=morning)]
    assert news_of(run, bring(run, "news")) == [(morning, "Meta rebounds")]


def test_the_first_text_stays_when_it_is_changed_later(run: AlpacaRun) -> None:
    run.fake.news = [news_item(41, ["META"], "Meta falls", RELEASE)]
    bring(run, "news", until="2026-01-31")
    later = RELEASE + timedelta(days=20)
    run.fake.news = [news_item(41, ["META"], "Meta rebounds", RELEASE, updated=later)]
    assert news_of(run, bring(run, "news")) == [(RELEASE, "Meta falls")]


def test_pages_of_news_are_put_together_and_nothing_comes_twice(run: AlpacaRun) -> None:
    run.fake.news = [
        news_item(number, ["META"], f"Item {number}", RELEASE + timedelta(days=number))
        for number in range(40)
    ]
    run.fake.page = 10
    outcome = bring(run, "news")
    assert len(news_of(run, outcome)) == outcome.of("news").added == 40
    run.clock[:] = [NOW + timedelta(days=1)]
    run.fake.requests.clear()
    bring(run, "news", until="2026-03-13")
    assert run.asked("start") == ["2026-03-12T04:00:00+00:00"]


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"headline": ""}, "headline", "the title is missing"),
        ({"headline": None}, "headline", "the title is missing"),
        ({"headline": 5}, "headline", "is no text"),
        ({"content": "a\0b"}, "content", "holds a NUL character"),
        ({"content": "\ud800"}, "content", "holds half a surrogate pair"),
        ({"content": "x" * (LONGEST + 1)}, "content", "has more than"),
        ({"created_at": "now", "updated_at": "2026-01-28T21:05:00"}, "updated_at", "no time with"),
        ({"updated_at": "2036-01-01T00:00:00Z"}, "updated_at", "lies in the future"),
        ({"id": ""}, "id", "no number"),
        ({"id": "\0"}, "id", "no number"),
        ({"id": None}, "id", "no number"),
        ({"source": "\udfff"}, "source", "holds half a surrogate pair"),
    ],
)
def test_an_item_that_cannot_be_used_is_a_reject(
    change: dict[str, Any], column: str, reason: str
) -> None:
    good = news_item(1, ["META"], "Good", RELEASE)
    batch = news_batch([{**good, "id": 2}, {**good, **change}], "META", "here", NOW)
    assert [record.title for record in batch.records] == ["Good"]
    (reject,) = batch.rejects
    assert (reject.row, reject.column) == (2, column)
    assert reason in reject.reason
    assert len(reject.value) < 1000


def test_hostile_items_are_stored_as_words(run: AlpacaRun) -> None:
    run.fake.news = [
        news_item(1, ["META"], "'; DROP TABLE news; --", RELEASE),
        news_item(2, ["META", "no symbol \x07"], "Right \u202eto left\x1b[31m", RELEASE),
        news_item(3, ["META"], "Deep", RELEASE, content="<div>" * 100_000 + "down"),
        news_item(4, ["META"], "Broken", RELEASE, content="<a" * 200_000 + "<!--" * 100_000),
    ]
    run.fake.news[1]["url"] = "javascript:alert(1)"
    outcome = bring(run, "news")
    assert len(news_of(run, outcome)) == 4
    assert run.store.news().query("title == 'Deep'")["body"].tolist() == ["down"]
    assert run.store.news(symbols=["META"])["url"].tolist().count("") == 1


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("plain", "plain"),
        ("a < b & c", "a < b & c"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br/>two <b>bold</b>", "one\ntwo bold"),
        ("<style>p {}</style>seen<!-- <p>not --> too", "seen too"),
        ("<script>if (a < b) </b> x()</script>seen", "seen"),
        ("<script>never closed", ""),
        ("text<!-- never closed", "text"),
        ("&lt;b&gt; stays", "<b> stays"),
    ],
)
def test_markup_becomes_words(markup: str, words: str) -> None:
    assert plain_text(markup) == words
