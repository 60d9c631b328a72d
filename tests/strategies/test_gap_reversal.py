"""The daily form: an order that stands before the open, decided by the opening print."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest import Result, run
from tests.tiny_store import TinyStore, clock, flat_days, release

DAY = "2019-01-29"


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def gap(tiny: TinyStore, reaction: str, session: str = "post", **params: object) -> Result:
    tiny.daily("AMD", f"{flat_days('2019-01-02', DAY, 20.0)}\n2019-01-30 {reaction}\n2019-01-31 20")
    tiny.release("AMD", DAY if session == "post" else "2019-01-30", session)
    return run("gap_reversal", tiny.store, params=params, record=False)


@pytest.mark.parametrize("session", ["post", "pre"])
def test_it_buys_the_open_at_the_open(tiny: TinyStore, session: str) -> None:
    trade = gap(tiny, "18 18.9 17.5 18.5", session).trades.iloc[0]
    assert (trade["order"], trade["reason"]) == ("limit_on_open", "hold")
    assert trade["entry_price"] == trade["entry_mid"] == 18.0
    assert clock(trade["decided_at"]) == "2019-01-30 09:28"
    assert clock(trade["entry_at"]) == "2019-01-30 09:30"
    assert clock(trade["exit_at"]) == "2019-01-30 16:00"
    assert trade["exit_mid"] == 18.5
    assert trade["return_gross"] == pytest.approx(18.5 / 18 - 1)
    assert trade["sessions_held"] == 0


def test_the_day_s_whole_range_counts_from_the_open_on(tiny: TinyStore) -> None:
    stopped = gap(tiny, "18 18.5 16 18.4").trades.iloc[0]
    assert stopped["reason"] == "stop"
    assert stopped["exit_mid"] == pytest.approx(18 * 0.94)


def test_a_smaller_gap_is_not_triggered(tiny: TinyStore) -> None:
    result = gap(tiny, "19.01 19.5 18 19")
    assert result.funnel.to_dict("records")[0]["reason"] == "not triggered"
    assert result.orders == 1


def test_a_gap_of_exactly_the_threshold_is_bought(tiny: TinyStore) -> None:
    assert gap(tiny, "19 19.5 18.9 19").trades["entry_price"].tolist() == [19.0]


def test_the_threshold_can_be_varied(tiny: TinyStore) -> None:
    assert len(gap(tiny, "19.4 19.5 19 19.4", drop="0.03").trades) == 1


def test_a_held_position_is_left_at_a_later_close(tiny: TinyStore) -> None:
    params = {"exits.hold": "1", "exits.target": "none", "exits.stop": "none"}
    trade = gap(tiny, "18 18.5 16 18.4", **params).trades.iloc[0]
    assert clock(trade["exit_at"]) == "2019-01-31 16:00"
    assert trade["exit_mid"] == 20


def test_finer_bars_buy_the_first_regular_print(tiny: TinyStore) -> None:
    tiny.bars(
        "AMD",
        """
        2019-01-29 15:59 20
        2019-01-30 08:00 15
                   09:31 18
                   15:59 18.5
        """,
    )
    tiny.release("AMD", DAY, "post")
    trade = run("gap_reversal", tiny.store, record=False).trades.iloc[0]
    assert trade["entry_price"] == 18
    assert clock(trade["entry_at"]) == "2019-01-30 09:31"


def test_meta_of_january_2013_in_small(tiny: TinyStore) -> None:
    """Next open -6.7 %, low -8.0 %, close -0.8 %: bought at the open, out near the close."""
    tiny.daily("FB", "2013-01-30 31.24\n2013-01-31 29.15 31.47 28.74 30.98\n2013-02-01 31")
    tiny.take([release("FB", "2013-01-30", "post")])
    trade = run("gap_reversal", tiny.store, record=False).trades.iloc[0]
    assert trade["return_gross"] == pytest.approx(30.98 / 29.15 - 1)
