"""`data check`: what looks wrong is found, named, and not found where nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backtest.data_check import COLUMNS, check
from backtest.data_check.prices import split_like
from db.errors import UsageError
from tests.tiny_store import TinyStore, flat_days, ny, release

SPLIT = """
    2020-08-27  500
    2020-08-28  500
    2020-08-31  102
    2020-09-01  101
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def found(tiny: TinyStore, kind: str | None = None) -> list[tuple[str, str, str]]:
    """(check, symbol, date) of each finding."""
    frame = check(tiny.store)
    assert list(frame.columns) == COLUMNS
    rows = frame if kind is None else frame[frame["check"] == kind]
    return [tuple(row) for row in rows[["check", "symbol", "date"]].to_numpy()]


def test_an_empty_store_has_no_finding(tiny: TinyStore) -> None:
    assert found(tiny) == []


def test_sound_data_have_no_finding(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days("2019-01-02", "2019-02-28", 20.0))
    tiny.release("AMD", "2019-01-29", "post")
    assert found(tiny) == []


def test_a_missing_split_is_found_and_once_imported_is_not(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT)
    assert found(tiny) == [("split", "TSLA", "2020-08-31")]
    text = check(tiny.store)["finding"][0]
    assert "close 500, next open 102" in text
    assert "5:1" in text
    tiny.split("TSLA", "2020-08-31", 5)
    assert found(tiny) == []


def test_a_missing_reverse_split_is_found(tiny: TinyStore) -> None:
    tiny.daily("GE", "2021-07-30 13\n2021-08-02 104\n2021-08-03 104")
    assert found(tiny) == [("split", "GE", "2021-08-02")]
    assert "1:8" in check(tiny.store)["finding"][0]


def test_a_split_of_another_ratio_is_found(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT)
    tiny.split("TSLA", "2020-08-31", 3)
    assert found(tiny) == [("split", "TSLA", "2020-08-31")]
    assert "a split of 3 is recorded" in check(tiny.store)["finding"][0]


def test_a_split_on_another_day_is_found_on_both(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT)
    tiny.split("TSLA", "2020-08-28", 5)
    assert sorted(day for _, _, day in found(tiny)) == ["2020-08-28", "2020-08-31"]


def test_split_adjusted_bars_must_not_jump(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT.replace("500", "100"), adjusted="splits")
    tiny.split("TSLA", "2020-08-31", 5)
    assert found(tiny) == []
    tiny.daily("TSLA", SPLIT, adjusted="splits", source="wrong")
    assert found(tiny) == [("split", "TSLA", "2020-08-31")]


def test_a_fall_of_a_fifth_is_no_split(tiny: TinyStore) -> None:
    tiny.daily("AMD", "2019-01-29 20\n2019-01-30 16\n2019-01-31 16")
    assert found(tiny) == []


def test_a_jump_over_a_gap_is_a_gap(tiny: TinyStore) -> None:
    """What happened while there were no bars cannot be told."""
    tiny.daily("AMD", "2019-01-28 20\n2019-01-31 10\n2019-02-01 10")
    assert found(tiny) == [("gap", "AMD", "2019-01-29")]
    assert check(tiny.store)["finding"][0] == "2 sessions without a 1d file bar"


MINUTES = """
    2019-01-29 09:30  19
               15:59  20.00
               16:00  20.02 20.10 19.95 20.05    # the auction
    2019-01-30 09:30  19
               15:59  21.00
"""


@pytest.mark.parametrize(
    ("close", "fits"),
    [
        (20.00, True),
        (20.05, True),
        (20.10, True),  # the auction's highest print
        (20.115, True),  # within a thousandth of it
        (20.15, False),
        (19.90, False),
    ],
)
def test_a_daily_close_beyond_the_auction_is_found(
    tiny: TinyStore, close: float, fits: bool
) -> None:
    tiny.bars("AMD", MINUTES)
    tiny.daily("AMD", f"2019-01-29 {close}\n2019-01-30 21")
    expected = [] if fits else [("close", "AMD", "2019-01-29")]
    assert found(tiny) == expected


def test_without_an_auction_the_last_minute_counts(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    tiny.daily("AMD", "2019-01-29 20\n2019-01-30 21.10", source="daily")
    frame = check(tiny.store)
    assert found(tiny) == [("close", "AMD", "2019-01-30")]
    assert "daily close 21.1 (daily), last regular minute 21 (file): +0.48%" in list(
        frame["finding"]
    )


def test_closes_are_compared_in_one_frame(tiny: TinyStore) -> None:
    """Split-adjusted daily bars beside minutes as traded: not a finding a day for years."""
    tiny.bars("TSLA", "2020-08-28 15:59 500\n2020-08-31 09:30 100\n15:59 102")
    tiny.daily("TSLA", "2020-08-28 100\n2020-08-31 102", adjusted="splits")
    tiny.split("TSLA", "2020-08-31", 5)
    assert found(tiny, "close") == []


def test_closes_with_and_without_dividends_are_not_compared(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    tiny.daily("AMD", "2019-01-29 18\n2019-01-30 19", adjusted="all")
    assert found(tiny, "close") == []


def test_events_that_cannot_be_measured_are_counted_by_reason(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    tiny.take(
        [
            release("AMD", "2019-01-29", "post"),
            release("INTC", "2019-01-29", "post"),
            release("NVDA", "2019-01-29", "post"),
            release("AMD", "2020-06-01", "post"),
        ]
    )
    frame = check(tiny.store)
    events = frame[frame["check"] == "events"]
    assert events[["symbol", "finding"]].to_numpy().tolist() == [
        [
            "2 symbols",
            "2 of 4 events cannot be measured with 1m file bars: no bars (INTC, NVDA)",
        ],
        [
            "AMD",
            "1 of 4 events cannot be measured with 1m file bars: outside the price history (AMD)",
        ],
    ]


def test_only_the_chosen_symbols_are_looked_at(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT)
    tiny.daily("AMD", "2019-01-28 20\n2019-01-31 20")
    assert set(check(tiny.store, symbols=["AMD"])["symbol"]) == {"AMD"}
    with pytest.raises(UsageError, match="TSAL"):
        check(tiny.store, symbols=["TSAL"])


def test_bars_of_extended_hours_alone_do_not_stop_the_check(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-01-29 16:30 20\n2019-01-30 08:00 20")
    tiny.split("AMD", "2019-01-30", 2)
    assert found(tiny) == []


def test_a_single_bar_does_not_stop_the_check(tiny: TinyStore) -> None:
    tiny.daily("AMD", "2019-01-29 20")
    tiny.release("AMD", "2019-01-29", "post")
    assert [kind for kind, _, _ in found(tiny)] == ["events"]


def test_usual_ratios_are_recognised() -> None:
    looks, ratio = split_like(np.array([5.05, 0.5, 1.0, 1.2, 2.3, 0.101, 20.5]))
    assert looks.tolist() == [True, True, False, False, False, True, True]
    assert ratio[looks].tolist() == [5, 0.5, 0.1, 20]


def test_apple_and_tesla_of_august_2020(tiny: TinyStore, real_data: Path) -> None:
    from tests.backtest.test_reaction_table import minutes_of

    for symbol in ("AAPL", "TSLA"):
        tiny.bars(symbol, minutes_of(real_data, symbol, "2020-08-26", "2020-09-03"))
    assert found(tiny) == [("split", "AAPL", "2020-08-31"), ("split", "TSLA", "2020-08-31")]
    tiny.split("AAPL", "2020-08-31", 4)
    tiny.split("TSLA", "2020-08-31", 5)
    assert found(tiny) == []
    assert ny("2020-08-31 09:30")
