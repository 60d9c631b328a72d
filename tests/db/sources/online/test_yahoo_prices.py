"""Prices of Yahoo: what comes into the store, raw, in which hours, and only once it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from db.intervals import Interval
from db.sources.fetching.source import Ask, UnknownSubjectError, UnreadableAnswerError
from db.sources.online.yahoo.raw import as_traded, split_factors
from db.store import Store
from tests.db.sources.online.yahoo_case import (
    EVERY,
    NOW,
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
from tests.fakes.market import Bar, Stock
from tests.fakes.yahoo import FakeYahoo

SPLIT = Stock(
    "META",
    splits=[(date(2026, 3, 10), 4, 1)],
    dividends=[(date(2026, 2, 2), 0.51), (date(2026, 3, 16), 0.1275)],
)


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


def traded(stock: Stock, interval: str, since: str, until: datetime = NOW) -> pd.DataFrame:
    """What was really traded, in regular hours."""
    bars = list(stock.bars(Interval.parse(interval), at(since), until, ("regular",)))
    return pd.DataFrame(
        {name: [float(getattr(bar, name)) for bar in bars] for name in table_columns()},
        index=pd.DatetimeIndex([bar.start for bar in bars]),
    )


def table_columns() -> tuple[str, ...]:
    return ("open", "high", "low", "close", "volume")


def same(stored: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert list(stored.index) == list(expected.index)
    assert stored.reset_index(drop=True).equals(expected.reset_index(drop=True))


def test_daily_bars_are_what_was_traded_at_their_sessions_open(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    outcome = brought(fresh_store, yahoo(clock), ask(since="2026-03-02 00:00"))

    assert outcome.complete
    stored = table(fresh_store)
    same(stored, traded(fake.stocks["META"], "1d", "2026-03-02"))
    # The clocks went forward on 8 March: the open moves in UTC.
    assert [start.hour for start in stored.index] == [14] * 5 + [13] * 10


def test_prices_before_a_split_are_stored_as_they_were_paid(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    fake.stocks["META"] = SPLIT

    brought(fresh_store, yahoo(clock), ask(since="2026-02-20 00:00"))

    same(table(fresh_store), traded(SPLIT, "1d", "2026-02-20"))
    actions = fresh_store.actions()[["kind", "ex_date", "value"]]
    assert [tuple(row) for row in actions.itertuples(index=False)] == [
        ("dividend", date(2026, 2, 2), 0.51),
        ("split", date(2026, 3, 10), 4.0),
        ("dividend", date(2026, 3, 16), 0.1275),
    ]


@pytest.mark.parametrize("interval", ["1d", "1h", "1m"])
def test_fetching_again_after_a_split_changes_no_bar(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, interval: str
) -> None:
    fake.stocks["META"] = SPLIT
    clock.now = at("2026-03-09 21:30")
    until = at("2026-03-09 20:00")
    wanted = ask(since="2026-03-02 00:00", until=until, interval=interval, phases=EVERY)
    brought(fresh_store, yahoo(clock), wanted)
    before = table(fresh_store, interval)
    versions = fresh_store.versions()

    clock.now = NOW
    outcome = brought(fresh_store, yahoo(clock), wanted, refresh=True)

    assert outcome.kinds["prices"].revised == 0
    assert outcome.kinds["prices"].unchanged >= len(before) > 0
    assert fresh_store.versions()[f"bars_{interval}"] == versions[f"bars_{interval}"]
    same(table(fresh_store, interval), before)
    assert list(fresh_store.actions()["kind"]).count("split") == 1


def test_the_day_that_runs_is_neither_stored_nor_covered(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    clock.now = at("2026-03-19 19:00")  # three in the afternoon
    brought(fresh_store, yahoo(clock), ask(until=clock.now))
    assert table(fresh_store).index[-1] == at("2026-03-18 13:30")

    clock.now = at("2026-03-19 20:10")  # closed, but Yahoo may still show it delayed
    brought(fresh_store, yahoo(clock), ask(until=clock.now))
    assert table(fresh_store).index[-1] == at("2026-03-18 13:30")

    clock.now = at("2026-03-19 20:21")
    brought(fresh_store, yahoo(clock), ask(until=clock.now))
    assert table(fresh_store).index[-1] == at("2026-03-19 13:30")
    same(table(fresh_store), traded(fake.stocks["META"], "1d", "2026-03-02", clock.now))


def test_the_minute_that_runs_comes_with_the_next_run(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    clock.now = at("2026-03-19 19:00:30")
    wanted = ask(since="2026-03-19 13:30", until=clock.now, interval="1m")
    brought(fresh_store, yahoo(clock), wanted)
    assert table(fresh_store, "1m").index[-1] == at("2026-03-19 18:39")

    clock.now = at("2026-03-19 19:05:10")
    brought(fresh_store, yahoo(clock), ask(since="2026-03-19 13:30", interval="1m"))
    stored = table(fresh_store, "1m")
    assert stored.index[-1] == at("2026-03-19 18:44")
    same(stored, traded(fake.stocks["META"], "1m", "2026-03-19 13:30", at("2026-03-19 18:45")))


def test_hours_are_cut_into_stubs_at_the_open_and_the_close(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    wanted = ask(
        since="2026-03-19 00:00", until=at("2026-03-20 04:00"), interval="1h", phases=EVERY
    )
    brought(fresh_store, yahoo(clock), wanted)

    starts = pd.DatetimeIndex(table(fresh_store, "1h").index).tz_convert("America/New_York")
    assert [f"{start:%H:%M}" for start in starts] == [
        *("04:00", "05:00", "06:00", "07:00", "08:00", "09:00"),
        *("09:30", "10:30", "11:30", "12:30", "13:30", "14:30", "15:30"),
        *("16:00", "17:00", "18:00", "19:00"),
    ]
    assert not fresh_store.rejects().shape[0]


def test_regular_hours_alone_unless_the_others_are_asked_for(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    brought(fresh_store, yahoo(clock), ask(since="2026-03-16 00:00", interval="5m"))

    minutes = pd.DatetimeIndex(table(fresh_store, "5m").index).tz_convert("America/New_York")
    assert {f"{start:%H:%M}" for start in minutes} >= {"09:30", "15:55"}
    assert not [start for start in minutes if not "09:30" <= f"{start:%H:%M}" < "16:00"]
    assert all("includePrePost=false" in target for target in charts(fake, "5m"))


def test_extended_hours_have_zero_volume_and_are_kept(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    wanted = ask(since="2026-03-19 20:00", until=at("2026-03-20 04:00"), interval="1m")
    brought(fresh_store, yahoo(clock), Ask(**{**vars(wanted), "phases": EVERY}))

    evening = table(fresh_store, "1m")
    assert len(evening) == 120
    assert evening.index[0] == at("2026-03-19 20:00")  # the minute of the closing auction
    assert (evening["volume"] == 0).all()


def test_a_half_day_ends_at_one_and_its_evening_at_five(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    clock.now = at("2025-12-27 12:00")
    christmas_eve = ask(
        since="2025-12-24 05:00", until=clock.now, interval="5m", phases=("regular", "post")
    )
    brought(fresh_store, yahoo(clock), christmas_eve)

    stored = table(fresh_store, "5m")
    local = pd.DatetimeIndex(stored.index).tz_convert("America/New_York")
    eve = [f"{start:%H:%M}" for start in local if start.date() == date(2025, 12, 24)]
    assert eve[0] == "09:30"
    assert eve[-1] == "16:55"
    assert stored["volume"][local < pd.Timestamp("2025-12-24 13:00", tz=local.tz)].gt(0).all()
    assert not fresh_store.rejects().shape[0]


def test_minutes_over_a_clock_change_are_whole_and_asked_for_in_weeks(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    wanted = ask(since="2026-03-01 05:00", interval="1m", phases=EVERY)
    outcome = brought(fresh_store, yahoo(clock), wanted)

    stored = table(fresh_store, "1m")
    expected = fake.stocks["META"].bars(
        Interval.M1, at("2026-03-01 05:00"), at("2026-03-20 21:10"), EVERY
    )
    assert list(stored.index) == [bar.start for bar in expected]
    assert outcome.kinds["prices"].rejected == 0
    asked = fresh_store.fetches()
    weeks = [
        (until - since).days for since, until in zip(asked["since"], asked["until"], strict=True)
    ]
    assert len(charts(fake, "1m")) == 3
    assert max(weeks) <= 7
    assert list(asked["since"].iloc[1:]) == list(asked["until"].iloc[:-1])


@pytest.mark.parametrize(
    ("interval", "days"),
    [("1m", 30), ("2m", 60), ("5m", 60), ("15m", 60), ("30m", 60), ("1h", 730)],
)
def test_the_reach_of_an_interval_is_known_before_yahoo_refuses(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, interval: str, days: int
) -> None:
    said: list[str] = []
    wanted = ask(since="2023-01-01 00:00", interval=interval)

    outcome = brought(fresh_store, yahoo(clock), wanted, say=said.append)

    first = (NOW - timedelta(days=days)).astimezone(ZoneInfo("America/New_York"))
    assert outcome.complete
    assert f"{days} days" in said[0]
    oldest = table(fresh_store, interval).index[0]
    assert first < oldest <= first + timedelta(days=4)


def test_a_refusal_of_what_is_too_far_back_is_an_empty_answer_with_its_reason(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    wanted = ask(since="2026-01-05 00:00", until=at("2026-01-09 00:00"), interval="1m")

    [part] = yahoo(clock).fetch(wanted)

    assert part.rows == 0
    assert "30 days" in part.notes[0]


def test_bars_outside_all_phases_are_rejected_with_the_hours(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    night = at("2026-03-19 02:30")
    crossed = at("2026-03-19 15:02")
    fake.stray = [Bar(night, 10.0, 11.0, 9.0, 10.0, 5), Bar(crossed, 10.0, 11.0, 9.0, 10.0, 5)]
    brought(
        fresh_store,
        yahoo(clock),
        ask(since="2026-03-19 00:00", until=at("2026-03-20 00:00"), interval="5m", phases=EVERY),
    )

    reasons = list(fresh_store.rejects()["reason"])
    assert len(reasons) == 2
    assert "outside the hours" in reasons[0]
    assert "no 5m bar starts at" in reasons[1]
    assert night not in table(fresh_store, "5m").index


def test_a_second_run_asks_for_nothing_and_a_later_one_for_what_is_new(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    clock.now = at("2026-03-18 21:30")
    brought(fresh_store, yahoo(clock), ask(interval="1h", until=clock.now))
    asked = len(fake.requests)
    again = brought(fresh_store, yahoo(clock), ask(interval="1h", until=clock.now))
    assert len(fake.requests) == asked
    assert again.kinds["prices"].fresh == 1

    clock.now = NOW
    brought(fresh_store, yahoo(clock), ask(interval="1h"))
    assert len(charts(fake, "1h")) == 2
    assert "period1=1773867600" in charts(fake, "1h")[-1]  # 21:00 on the 18th
    same(table(fresh_store, "1h"), traded(fake.stocks["META"], "1h", "2026-03-02", NOW))


def test_no_trading_is_an_answer_too(fresh_store: Store, fake: FakeYahoo, clock: Clock) -> None:
    fake.faults.append(Fault("empty", times=FOR_GOOD, path="period1"))

    outcome = brought(fresh_store, yahoo(clock), ask())

    assert outcome.complete
    assert outcome.kinds["prices"].empty == 1
    assert fresh_store.fetches()["rows"].tolist() == [0]


def test_an_action_on_a_day_without_trading_makes_no_bar(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    day = date(2026, 3, 20)
    fake.stocks["META"] = Stock("META", dividends=[(day, 0.5)], halted=[day])

    brought(fresh_store, yahoo(clock), ask(since="2026-03-02 00:00"))

    assert table(fresh_store).index[-1] == at("2026-03-19 13:30")
    assert fresh_store.rejects().empty
    assert list(fresh_store.actions()["ex_date"]) == [day]


def test_rows_that_come_twice_are_stored_once(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    fake.faults.append(Fault("duplicates", times=FOR_GOOD, path="chart"))

    brought(fresh_store, yahoo(clock), ask(since="2026-03-02 00:00", interval="5m"))

    same(
        table(fresh_store, "5m"),
        traded(fake.stocks["META"], "5m", "2026-03-02", at("2026-03-20 21:10")),
    )


@pytest.mark.parametrize("symbol", ["NOPE", "A/../B", "US0378331005", "META?x=1"])
def test_an_unknown_symbol_is_said_and_the_others_are_asked(
    fresh_store: Store, fake: FakeYahoo, clock: Clock, symbol: str
) -> None:
    outcome = brought(fresh_store, yahoo(clock), ask(symbol=symbol), ask(symbol="AMD"))

    assert list(outcome.unknown) == [symbol]
    assert len(table(fresh_store)) == 15
    assert list(fresh_store.instruments()["symbol"]) == ["AMD"]


def test_a_renamed_symbol_names_the_command_that_renames_it(fake: FakeYahoo, clock: Clock) -> None:
    fake.faults.append(Fault("renamed", times=FOR_GOOD, path="chart"))

    with pytest.raises(UnknownSubjectError) as caught:
        list(yahoo(clock).fetch(ask()))

    assert "METAX" in caught.value.what
    assert caught.value.hint == "backtest data rename META METAX --on DATE"


def test_a_stock_of_another_exchange_is_not_read_by_new_yorks_clock(
    fake: FakeYahoo, clock: Clock
) -> None:
    with pytest.raises(UnreadableAnswerError, match="America/New_York"):
        list(yahoo(clock, exchange="XETR").fetch(ask()))


def test_actions_alone_need_no_prices(fresh_store: Store, fake: FakeYahoo, clock: Clock) -> None:
    fake.stocks["META"] = SPLIT

    brought(fresh_store, yahoo(clock), ask("actions", since="2026-01-01 00:00"))

    assert len(fresh_store.actions()) == 3
    assert fresh_store.bar_sources().empty
    assert fresh_store.fetches()["until"].tolist() == [at("2026-03-20 04:00")]


def test_prices_and_actions_of_a_symbol_are_one_question(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    brought(fresh_store, yahoo(clock), ask(), ask("actions"))

    assert len(charts(fake, "1d")) == 1


def test_split_factors_count_what_comes_after_a_day() -> None:
    days = np.array(["2020-01-01", "2020-06-01", "2021-01-01"], dtype="datetime64[D]")
    splits = {date(2020, 6, 1): 4.0, date(2020, 12, 31): 0.5, date(2020, 12, 30): float("nan")}

    assert split_factors(days, splits).tolist() == [2.0, 0.5, 1.0]


@pytest.mark.parametrize("ratio", [1.0, 2.0, 1.5, 7.0, 20.0, 224.0, 0.1, 1 / 30, 1.046])
def test_prices_in_cents_survive_any_split_and_single_precision(ratio: float) -> None:
    cents = np.array([28.75, 0.5, 123.45, 1208.88, 8.0625, 799.99, 3.1415])
    cents = cents if ratio < 100 else cents[:4]
    adjusted = np.round(cents / ratio, 6).astype(np.float32).astype(np.float64)

    assert as_traded(adjusted, np.full(len(cents), ratio)).tolist() == cents.tolist()


def test_a_piece_of_a_range_without_a_session_is_not_asked_for(
    fresh_store: Store, fake: FakeYahoo, clock: Clock
) -> None:
    clock.now = at("2026-03-22 18:00")  # a Sunday
    wanted = ask(since="2026-03-15 04:00", until=clock.now, interval="1m")

    outcome = brought(fresh_store, yahoo(clock), wanted)

    assert outcome.complete
    assert len(charts(fake, "1m")) == 1
    same(table(fresh_store, "1m"), traded(fake.stocks["META"], "1m", "2026-03-15", clock.now))
    brought(fresh_store, yahoo(clock), wanted)
    assert len(charts(fake, "1m")) == 1
