"""The evening reversal: what arms it, what triggers it, and what only looks like it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import Result, run
from db.errors import UsageError
from tests.backtest.test_reaction_table import minutes_of
from tests.tiny_store import TinyStore, clock, flat_days, release

DAY = "2019-01-29"
HEAD = f"{DAY} 15:59 20.00\n"
TAIL = """
    2019-01-30 09:30 19.00
               15:59 22.00
    2019-01-31 15:59 22.00
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def reversal(tiny: TinyStore, evening: str, **params: Any) -> Result:
    tiny.bars("AMD", HEAD + evening + TAIL)
    tiny.release("AMD", DAY, "post")
    return run("after_hours_reversal", tiny.store, params=params, record=False)


def status(result: Result) -> str:
    return str(result.events["status"].iloc[0])


TURN = """
    16:05 19.50
    16:10 19.00            # -5 %: armed
    16:15 18.50            # the low
    16:20 18.80            # +1.6 %: not yet
    16:25 18.87            # +2 %: decided at 16:26
    16:27 18.88 18.90 18.85 18.90
"""


def test_it_buys_once_the_price_turns_up_from_its_low(tiny: TinyStore) -> None:
    result = reversal(tiny, TURN)
    trade = result.trades.iloc[0]
    assert clock(trade["decided_at"]) == f"{DAY} 16:26"
    assert clock(trade["entry_at"]) == f"{DAY} 16:27"
    assert trade["order"] == "limit"
    assert trade["entry_mid"] == pytest.approx(18.88)
    assert trade["entry_price"] == pytest.approx(18.88 * 1.002)  # four times 5 bp
    # The target, 10 % above the fill, lies below the day's last bar.
    assert trade["reason"] == "target"
    assert trade["exit_price"] == pytest.approx(22.0)  # it opens beyond the target
    assert trade["rank"] == pytest.approx(1 - 18.5 / 20)


@pytest.mark.parametrize(
    ("evening", "params", "reason"),
    [
        (TURN, {"drop": 0.08}, "not triggered: did not fall this far"),
        (TURN, {"rebound": 0.3}, "not triggered: fell, did not turn below the ceiling"),
        (TURN, {"ceiling": -0.06}, "not triggered: fell, did not turn below the ceiling"),
        (
            "16:05 19.9 19.9 18.0 19.8\n16:10 19.9",
            {},
            "not triggered: fell this far in single prints, no bar closed there",
        ),
        (TURN.replace("16:27", "16:32"), {}, "missed fill: no bar"),
        (TURN.replace("18.88 18.90 18.85 18.90", "19.50"), {}, "missed fill: price"),
        (
            TURN.replace("18.88 18.90 18.85 18.90", "18.88 18.90 18.85 18.90 100"),
            {},
            "missed fill: volume",
        ),
    ],
)
def test_the_funnel_says_why_not(
    tiny: TinyStore, evening: str, params: dict[str, float], reason: str
) -> None:
    result = reversal(tiny, evening, **params)
    assert status(result) == reason
    assert result.funnel["events"].sum() == 1


def test_an_evening_and_a_morning_without_a_bar_are_said(tiny: TinyStore) -> None:
    """There are such bars, but not after this release."""
    tiny.bars("AMD", f"{DAY} 08:00 20\n" + HEAD + TAIL)
    tiny.release("AMD", DAY, "post")
    result = run("after_hours_reversal", tiny.store, record=False)
    assert status(result) == "no bars in phase"


def test_single_prints_count_when_asked_for(tiny: TinyStore) -> None:
    result = reversal(tiny, "16:05 19.0 19.0 18.0 18.5\n16:10 18.5", lows=True)
    assert clock(result.trades["decided_at"][0]) == f"{DAY} 16:06"


def test_it_may_turn_in_the_morning(tiny: TinyStore) -> None:
    result = reversal(tiny, "16:05 18.50\n2019-01-30 07:00 18.90\n07:01 18.90")
    assert clock(result.trades["entry_at"][0]) == "2019-01-30 07:01"


def test_a_turn_in_regular_hours_is_too_late(tiny: TinyStore) -> None:
    assert status(reversal(tiny, "16:05 18.50")) == "too late"


def test_a_fall_of_exactly_the_threshold_counts(tiny: TinyStore) -> None:
    """19.00 is 5 % below 20.00, and 19.38 is 2 % above 19.00: in doubles, only just."""
    result = reversal(tiny, "16:05 19.00\n16:06 19.38\n16:07 19.38")
    assert status(result) == "trade"


def test_only_releases_after_the_close_are_its_business(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-01-28 15:59 20\n" + HEAD + TURN + TAIL)
    tiny.take(
        [
            release("AMD", DAY, "post", fiscal_period="a"),
            release("AMD", DAY, "pre", fiscal_period="b"),
            release("AMD", DAY, "", fiscal_period="c"),
            release("AMD", f"{DAY} 16:05:00", fiscal_period="d"),
        ]
    )
    result = run("after_hours_reversal", tiny.store, record=False)
    by_period = dict(zip(result.events["fiscal_period"], result.events["status"], strict=True))
    assert by_period["b"] == by_period["c"] == "other kind of event"
    # One position an instrument: the two releases of that evening are one trade.
    assert sorted([by_period["a"], by_period["d"]]) == ["already held", "trade"]


def test_daily_bars_are_refused_with_a_sentence(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days("2019-01-28", "2019-01-31", 20.0))
    tiny.release("AMD", DAY, "post")
    with pytest.raises(
        UsageError, match="AfterHoursReversal needs extended-hours bars, and daily bars have none"
    ):
        run("after_hours_reversal", tiny.store)


def test_minutes_without_extended_hours_are_refused_with_a_sentence(tiny: TinyStore) -> None:
    tiny.bars("AMD", HEAD + TAIL)
    tiny.release("AMD", DAY, "post")
    with pytest.raises(
        UsageError, match=r"extended-hours bars \(post, pre\), and 'file' holds regular hours"
    ):
        run("after_hours_reversal", tiny.store)


def test_the_base_rate_is_of_all_and_of_those_that_fell(tiny: TinyStore) -> None:
    tiny.bars("AMD", HEAD + TURN + TAIL)
    tiny.bars("INTC", HEAD + "16:05 20.1\n" + TAIL.replace("22", "20"))
    tiny.take([release("AMD", DAY, "post"), release("INTC", DAY, "post")])
    rates = run("after_hours_reversal", tiny.store, record=False).base_rates
    against_close = rates[rates["outcome"].str.contains("reference")].set_index("group")
    assert against_close["events"].to_dict() == {
        "all measurable events": 2,
        "with the setup": 1,
        "filled": 1,
    }
    assert against_close["share"].to_dict() == {
        "all measurable events": 0.5,
        "with the setup": 1.0,
        "filled": 1.0,
    }


# Real bars: the two cases of the data's own description


def test_uber_of_november_2020(tiny: TinyStore, real_data: Path) -> None:
    tiny.bars("UBER", minutes_of(real_data, "UBER", "2020-11-04", "2020-11-16"))
    tiny.release("UBER", "2020-11-05", "post")
    params = {"drop": 0.03, "rebound": 0.02}
    result = run("after_hours_reversal", tiny.store, params=params, interval="1m", record=False)
    trade = result.trades.iloc[0]
    assert trade["reference_close"] == 41.82
    assert clock(trade["decided_at"]) == "2020-11-05 16:12"  # the end of the 16:11 bar
    assert clock(trade["entry_at"]) == "2020-11-05 16:12"
    assert trade["entry_mid"] == pytest.approx(40.64)
    assert trade["entry_price"] == pytest.approx(40.64 * 1.002)
    assert trade["reaction_close"] / 40.64 > 1.10
    panel = tiny.panel()
    before = panel.end[0] <= int(trade["decided_at"].value // 1000)
    assert np.asarray(panel.close)[0][before].min() == 39.90
    assert np.asarray(panel.close)[0][before][-1] == 40.75


def test_amd_of_january_2019(tiny: TinyStore, real_data: Path) -> None:
    tiny.bars("AMD", minutes_of(real_data, "AMD", "2019-01-28", "2019-02-08"))
    tiny.release("AMD", "2019-01-29", "post")
    usual = run("after_hours_reversal", tiny.store, interval="1m", record=False)
    assert status(usual) == "not triggered: fell this far in single prints, no bar closed there"
    params = {"lows": "true", "ceiling": "0.1"}
    lows = run("after_hours_reversal", tiny.store, params=params, interval="1m", record=False)
    assert status(lows) == "trade"
    assert clock(lows.trades["decided_at"][0]) >= "2019-01-29 16:16"
    assert clock(lows.trades["entry_at"][0]) >= "2019-01-29 16:16"
