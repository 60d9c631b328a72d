"""Slots and cash by hand: small accounts whose every number is in the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from backtest.account.allocation import (
    Allocation,
    SlotStatus,
    _splitmix64,
    allocate,
    other_seeds,
    seeded_draw,
)
from backtest.account.marks import LastPrices, Marks
from backtest.settings import AccountSettings
from db.errors import DataError, UsageError
from tests.backtest.account.cases import MINUTE, NAN, Order, at, candidates, marks

CLOSES = (100.0, 200.0, 300.0)
"""Minutes of the regular closes."""


def run(
    orders: Sequence[Order], *, cash: float = 1000.0, slots: int = 2, seed: int = 0
) -> Allocation:
    settings = AccountSettings(cash=cash, slots=slots, seed=seed)
    return allocate(candidates(orders), marks(orders, CLOSES), settings)


def labels(allocation: Allocation) -> list[str]:
    return [SlotStatus(status).label for status in allocation.status]


def trade(key: int, instrument: int, decided: float, leave: float, **more: object) -> Order:
    """Bought at 10 one minute after the decision, sold at 11 at the end of the last bar."""
    order = Order(key, instrument, decided, leave, (decided + 1, 10.0), (leave, 11.0))
    return replace(order, **more)  # type: ignore[arg-type]


def test_higher_rank_gets_the_slots_and_the_rest_have_none() -> None:
    orders = [
        trade(1, 1, 10, 50, rank=1.0),
        trade(2, 2, 10, 50, rank=3.0),
        trade(3, 3, 10, 50, rank=2.0),
    ]
    result = run(orders)
    assert labels(result) == ["no slot", "accepted", "accepted"]
    assert result.slot.tolist() == [-1, 0, 1]
    assert result.size.tolist() == [0.0, 500.0, 500.0]
    assert result.shares.tolist() == [0.0, 50.0, 50.0]
    assert result.pnl.tolist() == [0.0, 50.0, 50.0]
    assert result.final_equity == 1100.0
    assert result.equity.tolist() == [1100.0, 1100.0, 1100.0]
    assert not result.lost_draw.any()


def test_a_candidate_without_a_rank_goes_after_every_ranked_one() -> None:
    orders = [trade(1, 1, 10, 50), trade(2, 2, 10, 50, rank=-1e9)]
    assert labels(run(orders, slots=1)) == ["no slot", "accepted"]


def test_an_earlier_decision_beats_a_higher_rank() -> None:
    orders = [trade(1, 1, 11, 50, rank=9.0), trade(2, 2, 10, 50, rank=0.0)]
    assert labels(run(orders, slots=1)) == ["no slot", "accepted"]


def test_a_slot_is_free_for_decisions_at_the_end_of_the_bar_that_closed_it() -> None:
    # The first trade's exit prints at the close, 100; the decision at 100 knows it and enters
    # in the same slot at the same instant: exits come before entries.
    orders = [trade(1, 1, 10, 100), replace(trade(2, 2, 100, 150), entry=(100, 20.0))]
    result = run(orders, slots=1)
    assert labels(result) == ["accepted", "accepted"]
    assert result.slot.tolist() == [0, 0]
    assert result.size.tolist() == [1000.0, 1100.0]
    # At the close of 100 the first trade is cash, the second is held at its entry price.
    assert result.cash.tolist() == [0.0, 605.0, 605.0]
    assert result.equity.tolist() == [1100.0, 605.0, 605.0]
    assert result.invested.tolist() == [1100.0, 0.0, 0.0]


def test_an_exit_inside_a_bar_is_not_known_before_the_bar_ends() -> None:
    # Sold at the open of the bar 40 to 45: neither the slot nor the money is free at 44.
    left = Order(1, 1, 10, 45, (11, 10.0), (40, 12.0))
    early, late = trade(2, 2, 44, 90), trade(3, 3, 45, 90)
    assert labels(run([left, early, late], slots=1)) == ["accepted", "no slot", "accepted"]
    sizes = run([left, early, late], slots=2).size
    # At 44: equity 500 + 50 shares at the entry price of 10, the last price known; free 500.
    # At 45: 600 came back, 100 of it profit; equity 1100, of which 600 is free for one slot.
    assert sizes.tolist() == [500.0, 500.0, 550.0]


def test_a_working_order_holds_its_slot_and_money_until_it_expires() -> None:
    missed = Order(1, 1, 10, 20)
    result = run([missed, trade(2, 2, 19, 50), trade(3, 3, 20, 50)], slots=1)
    assert labels(result) == ["accepted", "no slot", "accepted"]
    assert result.size.tolist() == [1000.0, 0.0, 1000.0]
    assert result.shares.tolist() == [0.0, 0.0, 100.0]
    assert result.pnl.tolist() == [0.0, 0.0, 100.0]
    assert result.traded.tolist() == [2]


def test_decisions_of_one_instant_do_not_see_each_other_expire() -> None:
    # Order 1 is dead at the instant of its decision; whether order 2 gets the slot must not
    # depend on which of the two is looked at first.
    for first, second in ((1.0, 2.0), (2.0, 1.0)):
        orders = [Order(1, 1, 10, 10, rank=first), Order(2, 2, 10, 10, rank=second)]
        assert sorted(labels(run(orders, slots=1))) == ["accepted", "no slot"]


@pytest.mark.parametrize("slots", [1, 2])
def test_a_second_order_in_an_instrument_is_already_held(slots: int) -> None:
    orders = [
        Order(1, 7, 10, 20),  # works until 20
        trade(2, 7, 15, 50),
        trade(3, 7, 20, 60),
        trade(4, 7, 59, 90),
        trade(5, 7, 60, 90),
    ]
    expected = ["accepted", "already held", "accepted", "already held", "accepted"]
    assert labels(run(orders, slots=slots)) == expected


def test_size_is_the_lesser_of_equity_and_free_cash_and_includes_costs() -> None:
    orders = [
        trade(1, 1, 10, 250, commission=0.25, closes=(16.0, 20.0)),
        trade(2, 2, 120, 250, commission=0.25),
    ]
    result = run(orders, cash=1000.0, slots=2)
    # 500 buys 500 / (10 * 1.25) = 40 shares, 100 of it commission.
    assert result.shares[0] == 40.0
    # At 120 the close of 100 is known: equity 500 + 40 * 16 = 1140, half is 570; free are 500.
    assert result.size[1] == 500.0
    assert result.equity.tolist()[:2] == [1140.0, 500.0 + 800.0 - 500.0 + 40.0 * 10.0]


def test_a_fill_at_the_instant_of_a_decision_is_not_known_to_it() -> None:
    # Bought at 11 with 100 of commission, which a decision at 11 cannot know: bar opens print
    # after decisions at the bar's start.
    def second(decided: float) -> float:
        return float(run([trade(1, 1, 10, 90, commission=0.25), trade(2, 2, decided, 90)]).size[1])

    assert (second(11), second(11.5)) == (500.0, 450.0)


def test_equity_uses_the_close_of_the_very_instant_and_not_the_next() -> None:
    def second(decided: float, closes: tuple[float, ...]) -> float:
        held = trade(1, 1, 10, 290, closes=closes)
        return float(run([held, trade(2, 2, decided, 290)], slots=2).size[1])

    # Falls to 5 at the close of 100, to 2 at that of 200: equity 750, then 600.
    assert second(99, (5.0, 2.0)) == 500.0
    assert second(100, (5.0, 2.0)) == 375.0
    assert second(199, (5.0, 2.0)) == 375.0
    assert second(200, (5.0, 2.0)) == 300.0
    # An instrument without a close keeps the last price: 10 was the entry's, 5 a close.
    assert second(150, (NAN, 2.0)) == 500.0
    assert second(250, (5.0, NAN)) == 375.0


def test_a_dividend_is_cash_on_the_ex_date_and_never_counted_twice() -> None:
    held = trade(1, 1, 10, 290, dividends=((130.0, 2.0),), closes=(10.0, 9.0))
    # 50 shares; ex at 130, between the closes of 100 (10.00) and 200 (9.00).
    result = run([held, trade(2, 2, 140, 141)], slots=2)
    # At 140: free 500 + 100, shares at 10 - 2 = 8: equity 600 + 400 = 1000.
    assert result.size[1] == 500.0
    assert result.cash.tolist()[0] == 500.0
    assert result.equity.tolist()[0] == 1000.0
    # At 200 the second trade has earned 50 (bought at 10, sold at 11): 650 + 50 shares at 9.
    assert result.cash.tolist()[1] == 650.0
    assert result.equity.tolist()[1] == 1100.0
    assert result.pnl.tolist()[0] == 50.0 * (11 - 10 + 2)
    # What went ex stays credited when the instrument has no close on that day.
    gap = replace(held, closes=(10.0, NAN))
    assert run([gap]).equity.tolist() == [1000.0, 1000.0, 1150.0]


def test_a_dividend_can_be_spent_from_its_instant_on() -> None:
    def second(decided: float) -> float:
        held = trade(1, 1, 10, 290, dividends=((130.0, 2.0),), closes=(12.0, 9.0))
        # Something is decided between the close and the ex-instant, at 12 with the dividend.
        between = Order(3, 3, 120, 125)
        return float(run([held, between, trade(2, 2, decided, 290)]).size[2])

    # Equity is 500 + 50 * 12 before and 600 + 50 * (12 - 2) after; free are 500, then 600.
    assert (second(129), second(130), second(140)) == (500.0, 550.0, 550.0)


def test_proceeds_and_collateral_of_a_short_pay_for_nothing_else() -> None:
    short = Order(
        key=1,
        instrument=1,
        decided=10,
        released=250,
        entry=(11, 10.0),
        exit=(250, 9.0),
        side=-1,
        borrow=0.02,
        closes=(8.0, 12.0),
        dividends=((130.0, 1.0),),
    )
    result = run([short, trade(2, 2, 20, 290), trade(3, 3, 270, 280)], slots=2)
    # 500 of collateral, 50 shares sold for 500 of proceeds: cash is 1500, free are 500.
    assert result.size.tolist()[:2] == [500.0, 500.0]
    assert result.shares.tolist()[:2] == [50.0, 50.0]
    # Cash: 1000 + 500 - 500 for the long; at 100 the short is worth -50 * 8, the long 500.
    assert result.cash.tolist()[0] == 1000.0
    assert result.equity.tolist()[0] == 1000.0 - 400.0 + 500.0
    assert result.invested.tolist()[0] == 400.0 + 500.0
    # The dividend is charged: 950 in cash; -50 * 12 and 500.
    assert result.cash.tolist()[1] == 950.0
    assert result.equity.tolist()[1] == 950.0 - 600.0 + 500.0
    # Covered at 9 with 2 % of 500 in borrow fees: 50 - 50 (dividend) - 10.
    assert result.pnl[0] == pytest.approx(-10.0, abs=1e-12)
    # 500 - 10 came back: equity 490 + 500 (the long at its last close), half of it 495.
    assert result.size[2] == pytest.approx(490.0, abs=1e-12)


def test_a_short_that_loses_all_leaves_no_cash_for_others() -> None:
    short = Order(1, 1, 10, 50, (11, 10.0), (50, 100.0), side=-1)
    result = run([short, trade(2, 2, 60, 90)], slots=2)
    # 50 shares sold at 10 and covered at 100: 4,500 lost of 1,000.
    assert labels(result) == ["accepted", "no cash"]
    assert result.final_equity == -3500.0
    assert result.cash.tolist() == [-3500.0] * 3


def test_in_market_counts_trades_that_never_see_a_close() -> None:
    result = run([trade(1, 1, 110, 150)])
    assert result.in_market.tolist() == [False, True, False]
    assert result.invested.tolist() == [0.0, 0.0, 0.0]


def test_splitmix64_gives_the_published_first_outputs() -> None:
    zero = np.zeros(1, dtype=np.uint64)
    assert int(_splitmix64(zero)[0]) == 0xE220A8397B1DCDAF
    one = np.array([0x9E3779B97F4A7C15], dtype=np.uint64)
    assert int(_splitmix64(one)[0]) == 0x6E789E6AA1B965F4


def test_the_draw_depends_on_seed_and_key_alone() -> None:
    keys = np.arange(1000)
    draw = seeded_draw(3, keys)
    assert np.array_equal(seeded_draw(3, keys[::-1]), draw[::-1])
    assert len(np.unique(draw)) == 1000
    assert not np.array_equal(seeded_draw(4, keys), draw)
    assert not np.array_equal(seeded_draw(-3, keys), draw)
    # Fair enough to be called neutral: each seed puts the smaller key first half of the time.
    first = [seeded_draw(seed, np.array([1, 2])) for seed in range(2000)]
    assert 900 < sum(a < b for a, b in first) < 1100


def test_seeds_choose_among_equals_and_other_seeds_says_what_they_would_have_given() -> None:
    good, bad = trade(1, 1, 10, 50), trade(2, 2, 10, 50, exit=(50.0, 8.0))
    finals = {}
    for seed in range(8):
        result = run([good, bad], slots=1, seed=seed)
        assert sorted(labels(result)) == ["accepted", "no slot"]
        assert result.lost_draw.tolist() == [s == "no slot" for s in labels(result)]
        finals[seed] = result.final_equity
    assert set(finals.values()) == {1100.0, 800.0}
    settings = AccountSettings(cash=1000.0, slots=1, seed=2)
    others = other_seeds(candidates([good, bad]), marks([good, bad], CLOSES), settings, n=5)
    assert others.tolist() == [finals[seed] for seed in (3, 4, 5, 6, 7)]


@pytest.mark.parametrize(
    ("orders", "drawn"),
    [
        pytest.param([trade(1, 1, 10, 50), trade(2, 2, 10, 50)], False, id="room for both"),
        pytest.param([trade(1, 1, 10, 50), trade(2, 1, 10, 50)], True, id="one instrument twice"),
        pytest.param(
            [trade(1, 1, 10, 50, rank=1.0), trade(2, 1, 10, 50)], False, id="ranked, one instrument"
        ),
        pytest.param([trade(1, 1, 10, 50), trade(2, 1, 11, 50)], False, id="held before"),
        pytest.param(
            [trade(i, i, 10, 50, rank=float(i)) for i in range(3)], False, id="all ranked apart"
        ),
        pytest.param(
            [trade(1, 1, 10, 50), trade(2, 2, 10, 50), trade(3, 3, 20, 50)],
            False,
            id="full before the third",
        ),
    ],
)
def test_other_seeds_are_run_only_where_the_seed_decided(orders: list[Order], drawn: bool) -> None:
    settings = AccountSettings(cash=1000.0, slots=2)
    others = other_seeds(candidates(orders), marks(orders, CLOSES), settings, n=3)
    assert len(others) == (3 if drawn else 0)
    assert run(orders).lost_draw.any() == drawn


def test_no_candidates_leave_the_cash_as_it_is() -> None:
    result = run([])
    assert result.equity.tolist() == [1000.0] * 3
    assert result.final_equity == 1000.0
    assert not len(result.traded)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (Order(1, 1, 10, 9), "released before the decision"),
        (trade(1, 1, 10, 50, entry=(9.0, 10.0)), "fills before the decision"),
        (trade(1, 1, 10, 50, exit=(10.5, 11.0)), "leaves before it enters"),
        (trade(1, 1, 10, 50, entry=(10.0, 9.0), exit=(10.0, 9.0)), "instant of its decision"),
        (trade(1, 1, 10, 50, exit=(51.0, 11.0)), "released before the exit"),
        (trade(1, 1, 10, 50, entry=(11.0, 0.0)), "entry price"),
        (trade(1, 1, 10, 50, exit=(50.0, NAN)), "exit price"),
        (trade(1, 1, 10, 50, side=2), "side"),
        (trade(1, 1, 10, 50, commission=NAN), "commission"),
        (trade(1, 1, 10, 50, borrow=-0.1), "borrow fee"),
        (trade(1, 1, 10, 50, dividends=((11.0, 1.0),)), "not held"),
        (trade(1, 1, 10, 50, dividends=((50.5, 1.0),)), "not held"),
        (trade(1, 1, 10, 50, dividends=((20.0, -1.0),)), "negative"),
        (Order(1, 1, 10, 50, dividends=((20.0, 1.0),)), "never filled"),
    ],
)
def test_orders_that_contradict_themselves_are_refused(order: Order, said: str) -> None:
    with pytest.raises(DataError, match=said) as error:
        candidates([trade(9, 9, 10, 50), order])
    assert error.value.where == "order of event 1"


def test_dividends_add_up_the_same_in_any_layout() -> None:
    paid = ((20.0, 0.1), (21.0, 0.2), (22.0, 0.3))
    tables = [candidates([trade(1, 1, 10, 50, dividends=d)]) for d in (paid, paid[::-1])]
    first, second = (table.dividends_a_share.tolist() for table in tables)
    assert first == second == [0.1 + 0.2 + 0.3]


def test_an_event_with_two_orders_is_refused() -> None:
    with pytest.raises(DataError, match="more than one order"):
        candidates([trade(5, 1, 10, 50), trade(5, 2, 10, 50)])


def test_arrays_of_different_lengths_are_refused() -> None:
    table = candidates([trade(5, 1, 10, 50)])
    with pytest.raises(DataError, match="rank has the shape"):
        replace(table, rank=np.zeros(2))
    with pytest.raises(DataError, match="a dividend belongs to row 1 of 1"):
        replace(
            table,
            dividend_row=np.array([1]),
            dividend_at=np.array([at(20)]),
            dividend_cash=np.array([1.0]),
        )


@pytest.mark.parametrize(
    "wrong",
    [{"cash": 0.5}, {"cash": NAN}, {"slots": 0}, {"slots": 2.5}, {"slots": True}, {"seed": 0.5}],
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        AccountSettings(**wrong)  # type: ignore[arg-type]


def test_closes_that_end_before_the_last_exit_are_refused() -> None:
    orders = [trade(1, 1, 10, 301)]
    with pytest.raises(UsageError, match="closes end before the last trade") as error:
        run(orders)
    assert "2019-01-01T05:00" in error.value.where


@pytest.mark.parametrize("instants", [[], [5, 5], [6, 5]])
def test_closes_must_ascend(instants: list[int]) -> None:
    with pytest.raises(DataError, match="ascending"):
        Marks(np.array(instants, dtype=np.int64), lambda row, lo, hi: np.ones(hi - lo))


@pytest.mark.parametrize(
    "path", [np.array([10.0, 0.0]), np.array([10.0, np.inf]), np.array([10.0])]
)
def test_closes_that_are_no_prices_are_refused(path: np.ndarray) -> None:
    table = candidates([trade(1, 1, 10, 250)])
    instants = np.array([at(minute) for minute in CLOSES])
    with pytest.raises(DataError, match="close"):
        LastPrices(table, Marks(instants, lambda row, lo, hi: path)).path(0)


def test_marks_are_asked_for_the_time_held_alone() -> None:
    asked = []

    def price(row: int, lo: int, hi: int) -> np.ndarray:
        asked.append((row, lo, hi))
        return np.full(hi - lo, 10.0)

    orders = [
        Order(1, 1, 10, 20),  # missed: never priced
        trade(2, 2, 110, 150),  # between two closes: never priced
        Order(3, 3, 95, 200, (100, 10.0), (200, 11.0)),  # enters and leaves at closes
    ]
    instants = np.array([at(minute) for minute in CLOSES])
    allocate(candidates(orders), Marks(instants, price), AccountSettings())
    assert asked == [(2, 0, 1)]
    assert instants[1] - instants[0] == 100 * MINUTE
