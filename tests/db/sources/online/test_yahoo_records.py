"""Earnings and news of Yahoo: which rows are releases, when they were, what was known of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from db.store import Store
from tests.db.sources.online.yahoo_case import (
    NOW,
    Clock,
    ask,
    at,
    brought,
    world,
    yahoo,
)
from tests.fakes.faults import FOR_GOOD, Fault
from tests.fakes.yahoo import FakeYahoo
from tests.fakes.yahoo_records import Release, news_item

SINCE = "2024-01-01 00:00"
JANUARY = Release("META", "Q4 2025 Earnings Announcement", at("2026-01-28 21:00"), "AMC", 8.2, 8.88)
APRIL = Release("META", "Q1 2026 Earnings Announcement", at("2026-04-29 20:00"), "AMC", 6.66)
EARNINGS = ask("earnings", since=SINCE)
NEWS = ask("news", since=SINCE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeYahoo]:
    with world(clock) as server:
        monkeypatch.setenv("BACKTEST_YAHOO_URL", server.url)
        yield server


@pytest.fixture
def fresh_store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """A new store that goes by the clock of the test."""
    with Store.open(tmp_path / "store", create=True, now=clock) as store:
        yield store


def reasons(store: Store) -> list[str]:
    rejects = store.rejects()
    rows = zip(rejects["origin"], rejects["row"], rejects["reason"], strict=True)
    return [f"{origin} {row}: {reason}" for origin, row, reason in rows]


def calendar_alone(fake: FakeYahoo) -> None:
    fake.faults.append(Fault("empty", times=FOR_GOOD, path="/calendar/earnings"))


def page_alone(fake: FakeYahoo) -> None:
    fake.faults.append(Fault("empty", times=FOR_GOOD, path="visualization"))


def test_calendar_and_page_are_two_sources_of_one_event(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    fake.releases = [JANUARY]

    brought(fresh_store, yahoo(clock), EARNINGS)

    [event] = fresh_store.events().to_dict("records")
    assert event["fiscal_period"] == "2025Q4"
    assert (event["eps_estimate"], event["eps_actual"]) == (8.2, 8.88)
    assert (event["announced_from"], event["announced_to"]) == (
        at("2026-01-28 21:00"),
        at("2026-01-29 05:00"),
    )
    said = fresh_store.revisions().sort_values("source")
    assert list(said["source"]) == ["yahoo-calendar", "yahoo-page"]
    assert list(said["precision"]) == ["session", "session"]
    assert list(said["session"]) == ["post", "post"]


def test_estimates_fetched_after_a_release_prove_nothing(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    fake.releases = [JANUARY, APRIL]

    brought(fresh_store, yahoo(clock), EARNINGS)

    said = fresh_store.revisions()
    proven = dict(zip(said["announced_from"], said["first_known_proven"], strict=True))
    assert proven == {at("2026-01-28 21:00"): False, at("2026-04-29 20:00"): True}
    assert set(said["first_known_at"]) == {NOW}


def test_an_estimate_that_changes_before_the_release_is_a_revision_with_its_own_time(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    calendar_alone(fake)
    for estimate in (6.66, 6.66, 7.0, 6.66):
        fake.releases = [replace(APRIL, estimate=estimate)]
        brought(fresh_store, yahoo(clock), replace(EARNINGS, until=clock.now))
        clock.now += timedelta(days=1)

    said = fresh_store.revisions()
    assert list(said["eps_estimate"]) == [6.66, 7.0, 6.66]
    assert list(said["first_known_at"]) == [NOW, NOW + timedelta(days=2), NOW + timedelta(days=3)]
    as_of = fresh_store.events(as_of=NOW + timedelta(days=2, hours=1))
    assert list(as_of["eps_estimate"]) == [7.0]


@pytest.mark.parametrize(
    ("timing", "start", "precision", "session", "begins"),
    [
        ("AMC", "2026-01-28 21:00", "session", "post", "2026-01-28 21:00"),
        ("BMO", "2026-01-28 12:00", "session", "pre", "2026-01-28 05:00"),
        ("TAS", "2026-01-28 21:05", "exact", "post", "2026-01-28 21:05"),
        ("TAS", "2026-01-28 12:30", "exact", "pre", "2026-01-28 12:30"),
        ("TAS", "2026-01-28 07:00", "date", "", "2026-01-28 05:00"),  # two at night
        ("TAS", "2026-01-28 00:00", "date", "", "2026-01-28 05:00"),
        ("TNS", "2026-01-28 15:00", "date", "", "2026-01-28 05:00"),
        ("TNS", "2026-01-28 05:00", "date", "", "2026-01-28 05:00"),
        ("", "2026-01-28 15:00", "date", "", "2026-01-28 05:00"),
        ("AMC", "2026-01-31 21:00", "date", "", "2026-01-31 05:00"),  # a Saturday
        ("AMC", "2025-11-28 18:30", "session", "post", "2025-11-28 18:00"),  # a half day
    ],
)
def test_the_timing_of_the_calendar_says_how_precise_a_release_is_known(
    fresh_store: Store,
    fake: FakeYahoo,
    clock: Clock,
    timing: str,
    start: str,
    precision: str,
    session: str,
    begins: str,
) -> None:
    calendar_alone(fake)
    fake.releases = [replace(JANUARY, start=at(start), timing=timing)]

    brought(fresh_store, yahoo(clock), EARNINGS)

    [event] = fresh_store.events().to_dict("records")
    assert (event["precision"], event["session"]) == (precision, session)
    assert event["announced_from"] == at(begins)


@pytest.mark.parametrize(
    ("hour", "session"),
    [
        ("January 28, 2026 at 8 AM EST", "pre"),
        ("January 28, 2026 at 9 AM EST", ""),  # the open lies inside this hour
        ("January 28, 2026 at 10 AM EST", "regular"),
        ("January 28, 2026 at 4 PM EST", "post"),
        ("January 28, 2026 at 12 AM EST", ""),
        ("July 29, 2025 at 4 PM EDT", "post"),
        ("November 28, 2025 at 1 PM EST", "post"),  # a half day
        ("January 31, 2026 at 4 PM EST", ""),  # a Saturday
    ],
)
def test_an_hour_of_the_page_is_a_session_at_best(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, hour: str, session: str
) -> None:
    page_alone(fake)
    fake.releases = [replace(JANUARY, paged=hour)]

    brought(fresh_store, yahoo(clock), EARNINGS)

    [event] = fresh_store.events().to_dict("records")
    assert event["session"] == session
    assert event["precision"] == ("session" if session else "date")


def test_a_page_whose_rows_are_shifted_is_rejected_whole_and_asked_again(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    page_alone(fake)
    dateless = replace(APRIL, paged="-")
    older = replace(JANUARY, start=at("2025-10-29 20:00"), estimate=1.0, actual=7.25)
    fake.releases = [dateless, JANUARY, older]

    outcome = brought(fresh_store, yahoo(clock), EARNINGS)

    assert fresh_store.events().empty
    assert outcome.kinds["earnings"].rejected == 2
    assert all("shifted against their rows" in reason for reason in reasons(fresh_store))

    fake.releases = [APRIL, JANUARY, older]
    clock.now += timedelta(hours=13)
    brought(fresh_store, yahoo(clock), replace(EARNINGS, until=clock.now))
    assert list(fresh_store.events()["eps_actual"].dropna()) == [7.25, 8.88]


def test_missing_estimates_are_unknown_and_not_zero(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    fake.releases = [replace(JANUARY, estimate=None)]

    brought(fresh_store, yahoo(clock), EARNINGS)

    [event] = fresh_store.events().to_dict("records")
    assert pd.isna(event["eps_estimate"])
    assert event["eps_actual"] == 8.88


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Annual General Meeting", "no release of earnings"),
        ("Q4 2025 Earnings Call", "a call, not the release"),
        ("Meta at the Morgan Stanley TMT Conference", "no release of earnings"),
        ("Ex-Dividend Date", "no release of earnings"),
    ],
)
def test_events_that_are_no_earnings_are_rejected_by_their_name(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, name: str, why: str
) -> None:
    calendar_alone(fake)
    fake.releases = [JANUARY, replace(JANUARY, name=name, start=at("2026-02-24 15:00"))]

    brought(fresh_store, yahoo(clock), EARNINGS)

    assert len(fresh_store.events()) == 1
    [reason] = reasons(fresh_store)
    assert why in reason


@pytest.mark.parametrize(
    ("name", "period"),
    [
        ("Q4 2025 Earnings Announcement", "2025Q4"),
        ("Q4 2025 Earnings Release and Annual Meeting", "2025Q4"),
        ("Full Year 2025 Results", "2025FY"),
        ("Meta Platforms Earnings Release", ""),
        ("", ""),
    ],
)
def test_the_fiscal_period_is_read_from_the_name_or_left_open(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, name: str, period: str
) -> None:
    calendar_alone(fake)
    fake.releases = [replace(JANUARY, name=name)]

    brought(fresh_store, yahoo(clock), EARNINGS)

    assert list(fresh_store.events()["fiscal_period"]) == [period]


def test_a_quarter_listed_twice_keeps_the_row_with_figures(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    empty = replace(JANUARY, start=at("2026-02-02 21:00"), estimate=8.0, actual=None)
    fake.releases = [empty, JANUARY]

    brought(fresh_store, yahoo(clock), EARNINGS)

    [event] = fresh_store.events().to_dict("records")
    assert event["eps_actual"] == 8.88
    assert event["announced_from"] == at("2026-01-28 21:00")
    assert reasons(fresh_store) == [
        "yahoo-calendar META 1: its quarter is in row 2 as well, which was kept",
        "yahoo-page META 1: its quarter is in row 2 as well, which was kept",
    ]


def test_figures_ahead_of_their_release_are_rejected(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    calendar_alone(fake)
    fake.releases = [replace(APRIL, actual=6.5)]

    brought(fresh_store, yahoo(clock), EARNINGS)

    assert fresh_store.events().empty
    assert "ahead of the release" in reasons(fresh_store)[0]


def test_duplicate_pages_leave_one_event_a_quarter(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    fake.releases = [JANUARY, replace(APRIL, timing="BMO")]
    fake.faults.append(Fault("duplicates", times=FOR_GOOD))

    brought(fresh_store, yahoo(clock), EARNINGS)

    assert list(fresh_store.events()["fiscal_period"]) == ["2025Q4", "2026Q1"]


def test_a_calendar_of_more_than_a_page_is_asked_for_in_halves(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    calendar_alone(fake)
    fake.releases = [
        replace(JANUARY, name=f"Q{1 + n % 4} {1990 + n // 4} Earnings", start=day)
        for n, day in enumerate(pd.date_range("1990-01-15", periods=140, freq="91D", tz="UTC"))
    ]

    brought(fresh_store, yahoo(clock), ask("earnings", since="1990-01-01 00:00"))

    assert len(fresh_store.events()) == 140
    assert sum("visualization" in request.path for request in fake.requests) > 2
    assert not reasons(fresh_store)


def test_the_calendar_is_asked_for_the_symbol_alone(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    """Without it all companies of all years would be read for one: see the client."""
    fake.releases = [JANUARY, replace(JANUARY, symbol="AMD", actual=1.0)]

    brought(fresh_store, yahoo(clock), EARNINGS)

    [body] = [request.body for request in fake.requests if "visualization" in request.path]
    assert b'["ticker", "META"]' in body or b'["ticker","META"]' in body
    assert list(fresh_store.events()["eps_actual"]) == [8.88]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
def test_dates_do_not_depend_on_the_machines_clock(
    fresh_store: Store,
    fake: FakeYahoo,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    zone: str,
) -> None:
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        fake.releases = [JANUARY]
        brought(fresh_store, yahoo(clock), EARNINGS, ask(since="2026-03-16 00:00"))
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()

    assert list(fresh_store.revisions()["announced_from"]) == [at("2026-01-28 21:00")] * 2
    assert len(fresh_store.bars("1d").start) == 5


def test_half_of_the_earnings_is_kept_where_the_other_half_cannot_be_read(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    fake.releases = [JANUARY]
    fake.faults.append(Fault("columns", path="/calendar/earnings"))

    outcome = brought(fresh_store, yahoo(clock), EARNINGS)

    assert list(fresh_store.revisions()["source"]) == ["yahoo-calendar"]
    assert "Earnings Date" in outcome.failed["META"]
    again = brought(fresh_store, yahoo(clock), EARNINGS)
    assert again.complete
    assert set(fresh_store.revisions()["source"]) == {"yahoo-calendar", "yahoo-page"}


def test_news_has_its_instant_provider_link_and_number(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    fake.news = [news_item("META", 7, "Meta  raises\noutlook", at("2026-03-20 20:05"))]

    brought(fresh_store, yahoo(clock), NEWS)

    [item] = fresh_store.news().to_dict("records")
    assert item["title"] == "Meta raises outlook"
    assert item["published_at"] == at("2026-03-20 20:05")
    assert item["published_precision"] == "exact"
    assert item["provider"] == "Newswire"
    assert item["url"] == "https://finance.yahoo.com/news/meta-7.html"
    assert item["item_id"] == "META-7"
    assert item["language"] == "en"
    assert item["symbol"] == "META"


def test_press_releases_are_asked_for_as_well_and_nothing_is_stored_twice(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    both = news_item("META", 1, "Meta reports", at("2026-03-20 20:05"))
    release = news_item("META", 2, "Meta announces", at("2026-03-20 20:06"))
    fake.news = [both, {**both, "tab": "pressRelease"}, {**release, "tab": "pressRelease"}]
    fake.faults.append(Fault("duplicates", times=FOR_GOOD, path="ncp"))

    brought(fresh_store, yahoo(clock), NEWS)
    clock.now += timedelta(hours=13)
    again = brought(fresh_store, yahoo(clock), replace(NEWS, until=clock.now))

    assert sorted(fresh_store.news()["title"]) == ["Meta announces", "Meta reports"]
    assert again.kinds["news"].unchanged == 2


def test_an_item_about_two_symbols_is_one_item_with_two_links(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    item = news_item("META", 1, "Chips for Meta", at("2026-03-20 20:05"))
    fake.news = [item, {**item, "symbol": "AMD"}]

    brought(fresh_store, yahoo(clock), NEWS, replace(NEWS, subject="AMD"))

    assert fresh_store.news()["news_id"].nunique() == 1
    assert sorted(fresh_store.news()["symbol"]) == ["AMD", "META"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({"title": ""}, "has no title"),
        ({"pubDate": "yesterday"}, "no instant of publication"),
        ({"pubDate": "2026-03-20T20:05:00"}, "no instant of publication"),
        ({"pubDate": "2027-01-01T00:00:00Z"}, "dated after it was fetched"),
    ],
)
def test_items_without_what_news_needs_are_rejected(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, content: dict[str, Any], why: str
) -> None:
    good = news_item("META", 1, "Good", at("2026-03-20 20:05"))
    fake.news = [good, news_item("META", 2, "Bad", at("2026-03-20 20:05"), **content)]

    brought(fresh_store, yahoo(clock), NEWS)

    assert list(fresh_store.news()["title"]) == ["Good"]
    assert why in reasons(fresh_store)[0]


def test_hostile_text_is_stored_as_text(fresh_store: Store, fake: FakeYahoo, clock: Clock) -> None:
    fake.news = [
        news_item(
            "META",
            1,
            "<script>alert(1)</script>'; DROP TABLE news; --\u202e\0",
            at("2026-03-20 20:05"),
            summary="x" * 1_000_000,
            canonicalUrl={"url": "javascript:alert(1)", "lang": "en-US"},
        )
    ]

    brought(fresh_store, yahoo(clock), NEWS)

    [item] = fresh_store.news().to_dict("records")
    assert item["title"].startswith("<script>alert(1)</script>'; DROP TABLE news; --")
    assert "\0" not in item["title"]
    assert item["url"] == ""
