"""Since when each condition is known, and the first price that could be had then, by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtest.studies import Study, study
from db.errors import UsageError
from tests.tiny_store import TinyStore, clock, flat_days, guidance, headline, release

EVENING = """
    2019-01-29 15:59  20.0                     # reference close
               16:00  20.0 30.0 10.0 20.0      # the closing auction
               16:05  19.8 19.8 19.0 19.6      # prints 5 % down, closes 2 % down
               16:10  19.2 19.2 18.8 19.0      # closes 5 % down
               16:12  18.9 19.1 18.9 19.0
               17:00  18.0 18.4 17.9 18.2      # 9 % down
    2019-01-30 08:00  18.6 18.8 18.5 18.7
               09:30  18.5 18.9 18.4 18.8      # opens 7.5 % down
               09:31  19.0 19.2 18.9 19.1
               15:59  21.8 22.4 20.8 22.0      # closes 10 % up
    2019-01-31 15:59  23.0
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyStore]:
    """One release after the close; for asking alone."""
    with TinyStore(tmp_path_factory.mktemp("evening")) as store:
        store.bars("AMD", EVENING)
        store.release("AMD", "2019-01-29", "post")
        yield store


def asked(tiny: TinyStore, *conditions: str, **options: Any) -> Study:
    options = {"interval": "1m", "placebo": False, "event_study": False} | options
    return study(tiny.store, conditions=conditions, **options)


def only(tiny: TinyStore, *conditions: str, **options: Any) -> pd.Series:
    frame = asked(tiny, *conditions, **options).events
    assert len(frame) == 1
    return frame.iloc[0]


@pytest.mark.parametrize(
    ("conditions", "known", "price"),
    [
        (["drop>=0.05"], "2019-01-29 16:11", 18.9),  # the end of the bar that closed there
        (["drop>0.05"], "2019-01-29 17:01", 18.6),
        (["low>=0.05"], "2019-01-29 16:06", 19.2),  # a print is enough
        (["drop>=0.09"], "2019-01-29 17:01", 18.6),
        (["drop<0.2"], "2019-01-30 09:30", 18.5),  # how deep is known when the night is over
        (["gap<=-0.05"], "2019-01-30 09:30", 18.5),  # an order for the open says it
        (["gap>=-0.2"], "2019-01-30 09:30", 19.0),  # a buyer has to read the print for this one
        (["session=post"], "2019-01-29 16:00", 19.8),
        (["session=post", "drop>=0.05"], "2019-01-29 16:11", 18.9),
        (["gap<=-0.05", "drop>=0.09"], "2019-01-30 09:30", 18.5),
    ],
)
def test_known_at_and_the_first_price(
    evening: TinyStore, conditions: list[str], known: str, price: float
) -> None:
    row = only(evening, *conditions)
    assert row["chosen"]
    assert clock(row["known_at"]) == known
    assert row["from_reference"] == pytest.approx(0.10)
    assert row["from_first"] == pytest.approx(22.0 / price - 1)


def test_ten_percent_exactly_is_a_gain(evening: TinyStore) -> None:
    rates = asked(evening, "session=post").rates
    assert rates["with_outcome"].tolist() == [1, 1, 1, 1]
    assert asked(evening, "session=post", gain=0.11).rates["with_outcome"].tolist() == [0, 0, 1, 1]


def test_content_is_known_when_its_column_first_shows_it(tiny: TinyStore) -> None:
    """A session label's figures may be used from midnight on: the first bar after it is 08:00."""
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29", "post", eps_estimate=1.0, eps_actual=0.8)
    row = only(tiny, "surprise<-0.1")
    assert clock(row["known_at"]) == "2019-01-30 08:01"
    assert row["from_first"] == pytest.approx(22.0 / 18.5 - 1)
    assert not only(tiny, "surprise>0")["chosen"]
    both = only(tiny, "surprise<0", "gap<=-0.05")
    assert both["from_first"] == pytest.approx(22.0 / 18.5 - 1)


def test_an_exact_release_shows_its_figures_the_same_evening(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29 16:09:30", eps_estimate=1.0, eps_actual=0.8)
    row = only(tiny, "surprise<0", "drop>=0.02")
    # The bar of 16:05 had ended before the release, so its fall is no reaction to it.
    assert clock(row["known_at"]) == "2019-01-29 16:11"


def test_guidance_and_news_by_their_columns(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29 16:03:00")
    tiny.take([guidance("AMD", "2019-01-29 16:11:30", middle=110, known="2019-01-29 16:11:30")])
    tiny.take([headline("AMD guides above", "2019-01-29 16:20", "AMD", sentiment=-0.5)])
    assert clock(only(tiny, "guidance.revenue>0")["known_at"]) == "2019-01-29 16:13"
    assert clock(only(tiny, "news>=1")["known_at"]) == "2019-01-29 17:01"
    assert clock(only(tiny, "sentiment<0")["known_at"]) == "2019-01-29 17:01"
    assert clock(only(tiny, "news<1")["known_at"]) == "2019-01-29 16:06"


def test_conditions_that_hold_at_different_times_are_not_all_met(tiny: TinyStore) -> None:
    """No news is true until 17:00, and 9 % down only from then on."""
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29 16:03:00")
    tiny.take([headline("AMD guides above", "2019-01-29 16:20", "AMD")])
    found = asked(tiny, "news<1", "drop>=0.09")
    assert not found.events["chosen"].any()
    assert "never all of it before the outcome was over" in found.funnel["reason"].tolist()
    assert found.conditions["holds"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("surprise>0", "not known in the window of the reaction"),
        ("news>=1", "no news of this company in the store"),
        ("volatility>=0.01", "not 20 daily returns before"),
    ],
)
def test_unknown_is_neither_true_nor_false(evening: TinyStore, condition: str, reason: str) -> None:
    found = asked(evening, condition)
    assert found.conditions[["holds", "fails", "unknown"]].to_numpy().tolist() == [[0, 0, 1]]
    assert f"{condition} unknown: {reason}" in found.funnel["reason"].tolist()
    assert found.events[condition].isna().all()


def test_a_release_in_the_session_has_no_evening_to_fall_in(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-30 12:00:00")
    found = asked(tiny, "drop>=0.01")
    assert "drop>=0.01 unknown: released in the session" in found.funnel["reason"].tolist()
    # The price is that of the first bar after it, which is the day's last.
    assert only(tiny, "session=regular")["from_first"] == pytest.approx(22.0 / 21.8 - 1)


def test_an_evening_without_a_bar_says_nothing(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-01-29 15:59 20\n2019-01-30 09:30 19\n15:59 22")
    tiny.release("AMD", "2019-01-29", "post")
    funnel = asked(tiny, "drop>=0.01").funnel
    assert "drop>=0.01 unknown: no bars in the evening or the morning" in funnel["reason"].tolist()


DAILY = """
    2019-01-28 20.0
    2019-01-29 20.0
    2019-01-30 19.0 22.5 18.5 22.0
    2019-01-31 21.0 24.0 20.0 23.1
"""


def test_daily_bars_know_the_gap_at_the_open(tiny: TinyStore) -> None:
    tiny.daily("AMD", DAILY)
    tiny.release("AMD", "2019-01-29", "post", eps_estimate=1.0, eps_actual=0.8)
    for condition in ("drop>=0.05", "low>=0.05", "gap<=-0.05"):
        row = only(tiny, condition, interval="1d")
        assert clock(row["known_at"]) == "2019-01-30 09:30"
        assert row["from_first"] == pytest.approx(22 / 19 - 1)  # a limit-on-open order
    # Midnight's figures are known when orders for the open are placed.
    row = only(tiny, "surprise<0", "drop>=0.05", interval="1d")
    assert row["from_first"] == pytest.approx(22 / 19 - 1)


def test_an_opening_print_that_had_to_be_read_is_bought_a_day_later(tiny: TinyStore) -> None:
    tiny.daily("AMD", DAILY)
    tiny.release("AMD", "2019-01-29", "post")
    found = asked(tiny, "gap>=-0.2", interval="1d")
    assert found.events["chosen"].all()
    assert found.events["from_first"].isna().all()
    assert found.rates["unmeasured"].tolist() == [0, 0, 0, 1]
    row = only(tiny, "gap>=-0.2", interval="1d", hold=1)
    assert row["from_first"] == pytest.approx(23.1 / 21.0 - 1)
    assert row["from_reference"] == pytest.approx(23.1 / 20.0 - 1)


def test_what_comes_out_with_the_open_cannot_buy_it(tiny: TinyStore) -> None:
    """A morning's label ends at the open: its figures are known too late for the auction."""
    tiny.daily("AMD", DAILY)
    tiny.release("AMD", "2019-01-30", "pre", eps_estimate=1.0, eps_actual=0.8)
    row = only(tiny, "surprise<0", interval="1d")
    assert row["chosen"]
    assert clock(row["known_at"]) == "2019-01-30 09:30"
    assert pd.isna(row["from_first"])
    assert only(tiny, "surprise<0", interval="1d", hold=1)["from_first"] == pytest.approx(0.10)


def test_content_fetched_long_after_is_unknown_when_nothing_is_assumed(tiny: TinyStore) -> None:
    tiny.daily("AMD", DAILY)
    tiny.release("AMD", "2019-01-29", "post", eps_estimate=1.0, eps_actual=0.8)
    found = asked(tiny, "surprise<0", interval="1d", strict_as_of=True)
    assert found.conditions["unknown"].tolist() == [1]
    late = asked(tiny, "session=post", interval="1d", strict_as_of=True)
    assert "session=post unknown: known only when the outcome was over" in (
        late.funnel["reason"].tolist()
    )


def test_the_gap_adds_a_dividend_back(tiny: TinyStore) -> None:
    tiny.daily("AMD", DAILY)
    tiny.release("AMD", "2019-01-29", "post")
    tiny.dividend("AMD", "2019-01-30", 1.0)
    row = only(tiny, "drop<0.01", interval="1d", hold=1)
    assert row["chosen"]
    assert row["from_reference"] == pytest.approx((23.1 + 1) / 20 - 1)
    assert row["from_first"] == pytest.approx(23.1 / 21 - 1)  # bought after the ex-date's open


def test_price_needs_prices_as_traded(tiny: TinyStore) -> None:
    tiny.daily("AMD", DAILY)
    tiny.release("AMD", "2019-01-29", "post")
    tiny.split("AMD", "2019-01-31", 2)
    assert only(tiny, "price>=20", interval="1d")["chosen"]
    tiny.daily("XYZ", DAILY, source="adjusted", adjusted="all")
    tiny.release("XYZ", "2019-01-29", "post")
    with pytest.raises(UsageError, match="fully adjusted"):
        asked(tiny, "price>=20", interval="1d", source="adjusted")


def test_a_hold_without_its_close_is_unmeasured_and_counted(tiny: TinyStore) -> None:
    tiny.daily("AMD", DAILY)
    tiny.release("AMD", "2019-01-29", "post")
    rates = asked(tiny, "session=post", interval="1d", hold=5).rates
    assert rates["events"].tolist() == [0, 0, 0, 0]
    assert rates["unmeasured"].tolist() == [1, 1, 1, 1]


def test_every_event_ends_in_one_place(tiny: TinyStore) -> None:
    tiny.daily("AMD", DAILY)
    tiny.daily("UBER", flat_days("2019-01-02", "2019-02-28", 40.0))
    tiny.take(
        [
            release("AMD", "2019-01-29", "post"),
            release("UBER", "2019-02-05", "post", eps_estimate=1.0, eps_actual=1.1),
            release("UBER", "2019-01-29", "pre", eps_estimate=1.0, eps_actual=0.9),
            release("NONE", "2019-02-05", "pre"),
        ]
    )
    found = asked(tiny, "session=post", "surprise>0", interval="1d")
    assert dict(zip(found.funnel["reason"], found.funnel["events"], strict=True)) == {
        "no bars": 1,
        "not session=post": 1,
        "surprise>0 unknown: not known in the window of the reaction": 1,
        "chosen": 1,
    }
    assert found.funnel["left"].tolist() == [3, 2, 1, 1]
