"""Known answers to entries, worked out by hand: which bar fills an order, and at what price.

Every test runs through both implementations and is named after the rule it protects.
"""

from __future__ import annotations

import math

import pytest

from backtest.execution import Costs, ExitReason, Exits, Fill, FillRules
from db.intervals import MINUTE
from tests.agreement import Run, both_paths
from tests.candles import (
    NO_ORDER,
    Deal,
    Plan,
    clock,
    limit_after,
    limit_on_open,
    market_after,
    same_print,
)

pytestmark = both_paths

SPREAD = Costs(commission=0, half_spread=0.01, slippage=0, extended_spread_factor=1)
RULES = FillRules(notional=1_000, limit_offset=0, participation=0.1)

EVENING = """
0 regular 15:55-16:00  20.0 20.0 20.0 20.0  1e6
0 post    16:05-16:10  19.0 19.2 18.8 19.0  1e6
0 post    16:15-16:20  19.4 19.6 19.2 19.5  1e6
0 post    16:20-16:25  19.3 19.4 19.0 19.1  1e6
1 pre     09:00-09:05  19.2 19.3 18.5 19.0  1e6
1 regular 09:30-16:00  19.1 19.8 18.9 19.5  1e6
1 post    16:05-16:10  19.5 19.5 18.0 18.0  1e6
2 pre     09:00-09:05  18.0 18.0 18.0 18.0  1e6
2 regular 09:30-16:00  18.0 18.4 17.0 17.5  1e6
"""
HOLD_ONE = Deal(EVENING, market_after(1), exits=Exits(hold=1))


def test_market_order_fills_at_the_next_regular_open(run: Run) -> None:
    trade = run(HOLD_ONE)
    assert trade.fill == Fill.FILLED
    assert (trade.entry_bar, trade.entry_at) == (5, clock(1, "09:30"))
    assert trade.entry_price == trade.entry_mid == 19.1


def test_market_order_never_fills_in_the_bar_that_made_the_decision(run: Run) -> None:
    trade = run(HOLD_ONE.but(plan=market_after(5), exits=Exits(hold=2)))
    assert trade.entry_bar == 8


def test_market_order_pays_half_spread_and_slippage(run: Run) -> None:
    costs = Costs(commission=0, half_spread=0.01, slippage=0.02, borrow_rate=0)
    long, short = (run(HOLD_ONE.but(costs=costs, side=side)) for side in (1, -1))
    assert long.entry_price == pytest.approx(19.1 * 1.03)
    assert short.entry_price == pytest.approx(19.1 * 0.97)
    assert long.entry_mid == short.entry_mid == 19.1


def test_market_order_dies_at_the_very_instant_it_expires(run: Run) -> None:
    until_open = clock(1, "09:30") - clock(0, "16:10")
    dead = run(HOLD_ONE.but(plan=market_after(1, life=until_open)))
    alive = run(HOLD_ONE.but(plan=market_after(1, life=until_open + 1)))
    assert (dead.fill, alive.fill) == (Fill.NO_BAR, Fill.FILLED)
    assert (dead.entry_bar, dead.exit_bar, dead.reason) == (-1, -1, ExitReason.NONE)
    assert math.isnan(dead.entry_price)
    assert math.isnan(dead.exit_price)


def test_bar_that_starts_before_the_decision_does_not_fill(run: Run) -> None:
    late = clock(1, "09:30") + 1
    trade = run(HOLD_ONE.but(plan=market_after(1, decided_at=late), exits=Exits(hold=2)))
    assert trade.entry_bar == 8
    punctual = market_after(1, decided_at=clock(1, "09:30"))
    assert run(HOLD_ONE.but(plan=punctual)).entry_bar == 5


def test_order_that_is_older_than_the_data_fills_on_its_first_bar(run: Run) -> None:
    regular = market_after(-1, decided_at=0)
    assert run(HOLD_ONE.but(plan=regular)).entry_bar == 0
    evening = limit_after(-1, decided_at=0)  # at 17.5, the close of the last row
    table = "\n".join(EVENING.strip().splitlines()[1:]).replace("19.2 18.8", "19.2 17.5")
    trade = run(HOLD_ONE.but(table=table, plan=evening))
    assert (trade.entry_bar, trade.entry_price) == (0, 17.5)


def test_no_bar_beyond_the_end_of_the_events_own_data_fills(run: Run) -> None:
    assert run(HOLD_ONE.but(stop=5)).fill == Fill.NO_BAR


TWO_INSTRUMENTS = """
1 pre     09:00-09:05  10.0 10.0 10.0 10.0  1e6
1 regular 09:30-16:00  10.0 10.0 10.0 10.0  1e6
0 post    16:05-16:10  19.0 19.0 19.0 19.0  1e6
"""


@pytest.mark.parametrize(
    "plan", [market_after(2), limit_after(2), same_print(-1), limit_on_open(-1, 99.0)]
)
def test_order_without_a_bar_is_not_filled_by_another_instrument(run: Run, plan: Plan) -> None:
    # The order is placed on the last row, which is the only one of its instrument.
    trade = run(Deal(TWO_INSTRUMENTS, plan, exits=Exits(hold=1), lead=2))
    assert (trade.fill, trade.entry_bar) == (Fill.NO_BAR, -1)


def test_no_order_no_trade(run: Run) -> None:
    trade = run(HOLD_ONE.but(plan=NO_ORDER))
    assert (trade.fill, trade.entry_bar) == (Fill.NO_ORDER, -1)


BOUNCE = HOLD_ONE.but(plan=limit_after(1))
"""Decided at 19.0 in row 1; row 2 stays above, row 3 comes down to it."""


def test_limit_fills_on_the_first_bar_that_comes_down_to_it(run: Run) -> None:
    trade = run(BOUNCE)
    assert (trade.entry_bar, trade.entry_at) == (3, clock(0, "16:25"))
    assert trade.entry_price == 19.0


def test_limit_is_the_decision_close_moved_against_us(run: Run) -> None:
    offset = FillRules(notional=1_000, limit_offset=0.02)
    trade = run(BOUNCE.but(rules=offset))
    # 19.0 * 1.02 = 19.38 is reached by row 2 (low 19.2, open 19.4).
    assert (trade.entry_bar, trade.entry_at) == (2, clock(0, "16:20"))
    assert trade.entry_price == pytest.approx(19.38)


def test_limit_that_the_open_is_better_than_fills_at_the_open(run: Run) -> None:
    offset = FillRules(notional=1_000, limit_offset=0.04)
    trade = run(BOUNCE.but(rules=offset))
    # 19.0 * 1.04 = 19.76 is above the open of row 2.
    assert (trade.entry_bar, trade.entry_at) == (2, clock(0, "16:15"))
    assert trade.entry_price == 19.4


def test_limit_must_be_reached_by_the_price_with_the_wide_half_spread(run: Run) -> None:
    # Row 3's low of 19.0 costs 19.19; row 4's 18.5 costs 18.685 and fills at the limit.
    trade = run(BOUNCE.but(costs=SPREAD))
    assert trade.entry_bar == 4
    assert trade.entry_price == 19.0
    assert trade.entry_mid == pytest.approx(19.0 / 1.01)


def test_limit_at_the_open_pays_the_open_and_the_wide_half_spread(run: Run) -> None:
    wide = Costs(commission=0, half_spread=0.001, slippage=0.5, extended_spread_factor=4)
    trade = run(BOUNCE.but(costs=wide, rules=FillRules(notional=1_000, limit_offset=0.04)))
    assert trade.entry_price == pytest.approx(19.4 * 1.004)
    assert trade.entry_mid == pytest.approx(19.4)


def test_short_limit_fills_on_the_first_bar_that_comes_up_to_it(run: Run) -> None:
    trade = run(BOUNCE.but(plan=limit_after(2), side=-1, exits=Exits(hold=2)))
    # A sale at 19.5 or better: row 3's high is 19.4, row 4's 19.3, and row 6 opens there.
    assert (trade.entry_bar, trade.entry_at) == (6, clock(1, "16:05"))
    assert trade.entry_price == 19.5


def test_short_limit_must_be_reached_after_half_the_spread(run: Run) -> None:
    costs = Costs(0, 0.01, 0, 1, 0)
    offset = FillRules(notional=1_000, limit_offset=0.04)
    trade = run(BOUNCE.but(side=-1, costs=costs, rules=offset))
    # 19.0 * 0.96 = 18.24; row 2 opens at 19.4, of which 19.4 * 0.99 is left.
    assert trade.entry_bar == 2
    assert trade.entry_price == pytest.approx(19.4 * 0.99)
    assert trade.entry_mid == pytest.approx(19.4)


def test_limit_that_no_bar_reaches_is_missed_by_price(run: Run) -> None:
    trade = run(BOUNCE.but(plan=limit_after(1, life=10 * MINUTE)))
    assert trade.fill == Fill.PRICE


def test_limit_in_whose_life_no_bar_trades_is_missed_for_want_of_a_bar(run: Run) -> None:
    trade = run(BOUNCE.but(plan=limit_after(1, life=5 * MINUTE)))
    assert trade.fill == Fill.NO_BAR


def test_limit_order_of_the_evening_does_not_fill_in_regular_hours(run: Run) -> None:
    trade = run(BOUNCE.but(plan=limit_after(4, life=400 * MINUTE)))
    assert trade.fill == Fill.NO_BAR


THIN = """
0 post 16:00-16:05  20.0 20.0 20.0 20.0  1e6
0 post 16:05-16:10  20.0 20.0 20.0 20.0  {first}
0 post 16:10-16:15  19.0 19.0 19.0 19.0  {second}
1 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
"""


def thin(first: object, second: object) -> Deal:
    return Deal(THIN.format(first=first, second=second), limit_after(0), exits=Exits(hold=1))


def test_limit_takes_at_most_a_tenth_of_the_bars_volume(run: Run) -> None:
    # 1,000 of cash is 50 shares at 20: a tenth of 500, and more than a tenth of 499.
    assert run(thin(500, 500)).entry_bar == 1
    assert run(thin(499, 1e6)).entry_bar == 2
    assert run(thin(499, 1e6)).entry_price == 19.0
    # At 19 a tenth of 526 shares is worth 999.4, of 527 shares 1,001.3.
    assert run(thin(499, 526)).fill == Fill.VOLUME
    assert run(thin(499, 527)).entry_bar == 2
    assert run(thin(1, 1)).fill == Fill.VOLUME


@pytest.mark.parametrize("volume", ["0", "nan"])
def test_unknown_volume_does_not_cap_and_is_marked(run: Run, volume: str) -> None:
    trade = run(thin(volume, 1))
    assert (trade.entry_bar, trade.unknown_volume) == (1, True)
    assert not run(thin(500, 1)).unknown_volume


def test_volume_caps_nothing_in_regular_hours(run: Run) -> None:
    deal = thin(1, 1)
    trade = run(deal.but(plan=market_after(0), table=deal.table.replace("20.0  1e6", "20.0  1")))
    assert (trade.entry_bar, trade.unknown_volume) == (3, False)


def test_same_print_fills_at_the_open_that_was_read(run: Run) -> None:
    costs = Costs(0, 0.01, 0.02, 2.0, 0)
    regular = run(HOLD_ONE.but(plan=same_print(5), costs=costs))
    assert (regular.entry_bar, regular.entry_at) == (5, clock(1, "09:30"))
    assert regular.entry_price == pytest.approx(19.1 * 1.03)
    evening = run(HOLD_ONE.but(plan=same_print(2), costs=costs))
    assert evening.entry_price == pytest.approx(19.4 * 1.04)
    assert evening.entry_mid == 19.4


def test_same_print_of_unknown_volume_in_the_evening_is_marked(run: Run) -> None:
    table = EVENING.replace("19.4 19.6 19.2 19.5  1e6", "19.4 19.6 19.2 19.5  0")
    assert run(HOLD_ONE.but(table=table, plan=same_print(2))).unknown_volume


def test_entry_after_the_session_in_which_the_hold_ends_is_refused(run: Run) -> None:
    plan = market_after(5)
    assert run(HOLD_ONE.but(plan=plan, exits=Exits(hold=1))).fill == Fill.AFTER_HOLD
    assert run(HOLD_ONE.but(plan=plan, exits=Exits(hold=2))).fill == Fill.FILLED


def test_entry_in_the_evening_of_the_day_the_hold_ends_is_refused(run: Run) -> None:
    trade = run(BOUNCE.but(plan=limit_after(5, life=60 * MINUTE)))
    assert trade.fill == Fill.AFTER_HOLD
    trade = run(BOUNCE.but(plan=limit_after(5, life=60 * MINUTE), exits=Exits(hold=2)))
    assert trade.entry_bar == 6


def test_missed_order_is_missed_before_it_is_too_late(run: Run) -> None:
    high = BOUNCE.but(plan=limit_after(8), stop=9)
    assert run(high).fill == Fill.NO_BAR
    rows = EVENING + "2 post 16:05-16:10 18.0 18.0 18.0 18.0 1e6"
    assert run(BOUNCE.but(table=rows, plan=limit_after(8))).fill == Fill.PRICE
