"""What Yahoo does wrong: what is in the store after it, and that a second run completes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from db.sources.fetching.line import Line
from db.sources.fetching.source import (
    RefusedError,
    Setup,
    UnavailableError,
    UnreadableAnswerError,
)
from db.sources.online.yahoo import SOURCE
from db.store import Store
from tests.db.sources.online.yahoo_case import (
    EVERY,
    KINDS,
    TODAY,
    Clock,
    ask,
    at,
    brought,
    charts,
    table,
    world,
    yahoo,
)
from tests.fakes.faults import FOR_GOOD, Fault
from tests.fakes.market import Stock
from tests.fakes.yahoo import FakeYahoo
from tests.fakes.yahoo_records import news_item, quarterly

PLACES = {
    "chart": "period1",
    "calendar": "visualization",
    "page": "/calendar/earnings",
    "news": "/xhr/ncp",
}
PASSING = ("429", "500", "503", "down", "timeout", "cut", "reset", "malformed", "nothing")
FOREVER = (*PASSING, "columns")
EVERYTHING = tuple(ask(kind, since="2026-01-05 00:00") for kind in KINDS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fresh_store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with Store.open(tmp_path / "store", create=True, now=clock) as store:
        yield store


@pytest.fixture
def fake(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeYahoo]:
    meta = Stock("META", splits=[(date(2026, 2, 2), 2, 1)], dividends=[(date(2026, 3, 2), 0.5)])
    with world(clock, meta, Stock("AMD")) as server:
        first, last = date(2025, 1, 1), date(2026, 6, 1)
        server.releases = quarterly("META", first, last, today=TODAY)
        server.news = [news_item("META", n, f"News {n}", at("2026-03-20 20:05")) for n in (1, 2)]
        monkeypatch.setenv("BACKTEST_YAHOO_URL", server.url)
        yield server


def all_of(store: Store) -> tuple[int, int, int, int]:
    """Bars, actions, statements about releases, and news."""
    bars = 0 if store.bar_sources().empty else len(table(store))
    return bars, len(store.actions()), len(store.revisions()), len(store.news())


def _patience(kind: str) -> float:
    """Seconds that the client waits: few where the fault is that nothing comes."""
    return 0.6 if kind == "timeout" else 10.0


WHOLE = (53, 2, 7, 2)
BY_CALENDAR, BY_PAGE = 2, 5


def test_the_world_without_a_fault(fresh_store: Store, fake: FakeYahoo, clock: Clock) -> None:
    outcome = brought(fresh_store, yahoo(clock), *EVERYTHING)

    assert outcome.complete
    assert all_of(fresh_store) == WHOLE


@pytest.mark.parametrize("kind", PASSING)
def test_a_fault_that_passes_costs_nothing_but_time(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, kind: str
) -> None:
    # yfinance asks again by itself once where the status is an error.
    times = 4 if kind.isdigit() or kind == "down" else 2
    for path in PLACES.values():
        fake.faults.append(Fault(kind, times=times, path=path, delay=1.5))

    outcome = brought(fresh_store, yahoo(clock, timeout=_patience(kind)), *EVERYTHING)

    assert outcome.complete
    assert len(fake.faults) == 0
    assert all_of(fresh_store) == WHOLE
    assert fresh_store.rejects().empty


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", FOREVER)
def test_a_fault_for_good_keeps_the_rest_and_a_second_run_completes_it(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, place: str, kind: str
) -> None:
    fake.faults.append(Fault(kind, times=FOR_GOOD, path=PLACES[place], delay=1.5))

    outcome = brought(fresh_store, yahoo(clock, attempts=2, timeout=_patience(kind)), *EVERYTHING)

    bars, actions, statements, news = WHOLE
    assert list(outcome.failed) == ["META"]
    assert (
        all_of(fresh_store)
        == {
            "chart": (0, 0, statements, news),
            "calendar": (bars, actions, BY_PAGE if kind == "columns" else 0, news),
            "page": (bars, actions, BY_CALENDAR, news),
            "news": (bars, actions, statements, 0),
        }[place]
    )

    fake.faults.clear()
    asked = len(fake.requests)
    again = brought(fresh_store, yahoo(clock), *EVERYTHING)

    assert again.complete
    assert all_of(fresh_store) == WHOLE
    places = {
        one for one, path in PLACES.items() for r in fake.requests[asked:] if path in r.target
    }
    lacking = {"calendar", "page"} if place in ("calendar", "page") else {place}
    assert places == lacking


@pytest.mark.parametrize("kind", ["429", "cut", "malformed", "columns"])
def test_weeks_that_came_before_the_fault_are_kept_and_not_asked_for_again(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, kind: str
) -> None:
    wanted = ask(since="2026-03-01 05:00", interval="1m", phases=EVERY)
    fault = Fault(kind, times=FOR_GOOD, path="interval=1m", after=1, delay=1.5)
    fake.faults.append(fault)

    outcome = brought(fresh_store, yahoo(clock, attempts=2, timeout=_patience(kind)), wanted)

    assert not outcome.complete
    kept = table(fresh_store, "1m")
    assert kept.index[-1] < at("2026-03-08 05:00")
    assert len(kept) == 5 * 675
    assert len(fresh_store.actions()) == 2  # what the week was made raw with

    fake.faults.clear()
    asked = len(charts(fake, "1m"))
    again = brought(fresh_store, yahoo(clock), wanted)

    assert again.complete
    assert again.kinds["prices"].unchanged <= 2  # the actions
    assert len(charts(fake, "1m")) == asked + 2
    whole = table(fresh_store, "1m")
    assert whole.index.is_unique
    assert len(whole) == 14 * 675 + 590


def test_too_many_requests_for_good_stops_the_run_for_all_symbols(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    for symbol in ("A", "B", "C", "D", "E"):
        fake.stocks[symbol] = Stock(symbol)
    fake.faults.append(Fault("429", times=FOR_GOOD, path="chart/", after=2))
    asks = [ask(symbol=symbol) for symbol in ("A", "B", "C", "D", "E")]

    outcome = brought(fresh_store, yahoo(clock, attempts=2), *asks)

    assert isinstance(outcome.stopped, UnavailableError)
    assert "too many requests" in outcome.stopped.what
    assert list(fresh_store.instruments()["symbol"]) == ["A"]

    fake.faults.clear()
    assert brought(fresh_store, yahoo(clock), *asks).complete
    assert len(table(fresh_store)) == 5 * 15


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_refusal_stops_the_run_at_once(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, status: str
) -> None:
    fake.faults.append(Fault(status, times=FOR_GOOD, path="period1"))

    outcome = brought(fresh_store, yahoo(clock), ask(), ask(symbol="AMD"))

    assert isinstance(outcome.stopped, RefusedError)
    assert len(charts(fake, "1d")) == 2  # yfinance's own second attempt, and nothing further
    fake.faults.clear()
    assert brought(fresh_store, yahoo(clock), ask(), ask(symbol="AMD")).complete


def test_the_wait_that_a_server_asks_for_is_kept(fake: FakeYahoo, clock: Clock) -> None:
    waits: list[float] = []
    source = SOURCE(Setup(Line(pace=1e6, sleep=waits.append), now=clock))
    fake.faults.append(Fault("429", times=2, path="period1", retry_after=37))

    list(source.fetch(ask()))

    assert [wait for wait in waits if wait > 0.5] == [37.0]


def test_failed_answers_are_not_remembered(fake: FakeYahoo, clock: Clock) -> None:
    """yfinance keeps the last 64 answers, errors among them."""
    fake.faults.append(Fault("malformed", times=FOR_GOOD, path="period1"))
    past = replace(ask(), until=at("2026-03-10 00:00"))
    with pytest.raises(UnavailableError):
        list(yahoo(clock, attempts=1).fetch(past))

    fake.faults.clear()
    [part] = yahoo(clock, attempts=1).fetch(past)

    assert part.rows == 6


def test_changed_columns_are_named(fake: FakeYahoo, clock: Clock) -> None:
    fake.faults.append(Fault("columns", times=FOR_GOOD, path="period1"))

    with pytest.raises(UnreadableAnswerError, match="close") as caught:
        list(yahoo(clock).fetch(ask()))

    assert caught.value.where == "META"
    assert "yfinance" in caught.value.hint
    assert len(charts(fake, "1d")) == 1  # asking again would change nothing


@pytest.mark.parametrize(
    ("kind", "place"), [("prices", "chart"), ("earnings", "calendar"), ("news", "news")]
)
def test_an_answer_that_came_whole_and_says_something_else_is_not_taken_for_nothing(
    fake: FakeYahoo, clock: Clock, kind: str, place: str
) -> None:
    fake.faults.append(Fault("strange", times=FOR_GOOD, path=PLACES[place]))

    with pytest.raises(UnreadableAnswerError, match="another form"):
        list(yahoo(clock).fetch(ask(kind)))


def test_empty_answers_are_answers(fresh_store: Store, fake: FakeYahoo, clock: Clock) -> None:
    fake.faults.append(Fault("empty", times=FOR_GOOD))

    outcome = brought(fresh_store, yahoo(clock), *EVERYTHING)

    assert outcome.complete
    assert all_of(fresh_store) == (0, 0, 0, 0)
    assert set(fresh_store.fetches()["rows"]) == {0}


def test_yfinance_asks_yahoo_and_nobody_else(clock: Clock, fake: FakeYahoo) -> None:
    from db.sources.online.yahoo.session import YahooSession

    session = YahooSession(gateway=fake.url, timeout=1.0)

    with pytest.raises(RefusedError, match=r"markets\.businessinsider\.com"):
        session.get("https://markets.businessinsider.com/ajax")
    with pytest.raises(RefusedError, match=r"notyahoo\.com"):
        session.get("https://notyahoo.com/")
    assert not fake.requests


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "nan"])
def test_a_timeout_is_a_number_of_seconds(clock: Clock, seconds: str) -> None:
    from db.errors import UsageError

    source = SOURCE(Setup(Line(pace=1e6), now=clock, options={"timeout": seconds}))

    with pytest.raises(UsageError, match="--timeout"):
        list(source.fetch(ask()))
