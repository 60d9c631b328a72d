"""Known answers to what a trade earns, worked out by hand: costs, dividends and the borrow fee.

Every test runs through both implementations and is named after the rule it protects.
"""

from __future__ import annotations

import pytest

from backtest.execution import Costs, ExitReason, Exits
from tests.agreement import Run, both_paths
from tests.candles import FREE, Deal, limit_after, limit_on_open, market_after, same_print

pytestmark = both_paths

COSTS = Costs(
    commission=0.001, half_spread=0.01, slippage=0.02, extended_spread_factor=4, borrow_rate=0
)
TWO_DAYS = """
0 pre     09:00-09:05  20.0 20.0 20.0 20.0  1e6
0 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
1 regular 09:30-16:00  {}  1e6
"""


def bought(second: str, *, side: int = 1, costs: Costs = COSTS, **exits: float) -> Deal:
    """Entered at 20.0 at the open of a flat day, with an order that pays the commission alone."""
    bracket = Exits(hold=1, **exits)  # type: ignore[arg-type]
    table = TWO_DAYS.format(second)
    return Deal(table, limit_on_open(1, 20.0), exits=bracket, costs=costs, side=side)


def test_target_pays_commission_alone(run: Run) -> None:
    trade = run(bought("20 23 20 21", target=0.1))
    assert trade.exit_price == trade.exit_mid == pytest.approx(22.0)
    assert trade.gross == pytest.approx(0.10)
    assert trade.net == pytest.approx((22.0 - 20.0 - 0.001 * 42.0) / 20.0)


def test_stop_pays_half_spread_slippage_and_commission(run: Run) -> None:
    trade = run(bought("20 20 18 19", stop=0.05))
    assert trade.exit_mid == pytest.approx(19.0)
    assert trade.exit_price == pytest.approx(18.43)  # 19.0 less 3 %
    assert trade.gross == pytest.approx(-0.05)
    assert trade.net == pytest.approx((18.43 - 20.0 - 0.001 * 38.43) / 20.0)


def test_stop_at_the_open_pays_the_same_costs(run: Run) -> None:
    trade = run(bought("18 18 17 17", stop=0.05))
    assert (trade.exit_mid, trade.exit_price) == (18.0, pytest.approx(18.0 * 0.97))


def test_hold_pays_all_costs(run: Run) -> None:
    trade = run(bought("20 21 20 21"))
    assert trade.reason == ExitReason.HOLD
    assert (trade.exit_mid, trade.exit_price) == (21.0, pytest.approx(20.37))
    assert trade.gross == pytest.approx(0.05)
    assert trade.net == pytest.approx((20.37 - 20.0 - 0.001 * 40.37) / 20.0)


def test_market_entry_pays_all_costs_and_the_return_is_on_what_was_paid(run: Run) -> None:
    trade = run(bought("20 21 20 21").but(plan=market_after(0)))
    assert (trade.entry_mid, trade.entry_price) == (20.0, pytest.approx(20.6))
    assert trade.gross == pytest.approx(0.05)
    assert trade.net == pytest.approx((20.37 - 20.6 - 0.001 * 40.97) / 20.6)


def test_levels_are_relative_to_what_was_paid(run: Run) -> None:
    # Paid 20.6: the target of 10 % is 22.66, not 22.0.
    deal = bought("20 22.5 20 21", target=0.1).but(plan=market_after(0))
    assert run(deal).reason == ExitReason.HOLD
    assert run(deal.but(table=TWO_DAYS.format("20 22.7 20 21"))).exit_price == pytest.approx(22.66)


def test_limit_entry_in_extended_hours_pays_commission_and_half_spread(run: Run) -> None:
    # At 20.0 * 1.04 the limit is far; the open of 20.0 costs 20.8 with the wide half-spread.
    deal = bought("20 21 20 21")
    rules = deal.rules.__class__(notional=1_000, limit_offset=0.05)
    table = "0 pre 08:55-09:00 20 20 20 20 1e6" + TWO_DAYS.format("20 21 20 21")
    trade = run(deal.but(table=table, plan=limit_after(0), rules=rules))
    assert (trade.entry_bar, trade.entry_price) == (1, pytest.approx(20.8))
    assert trade.entry_mid == pytest.approx(20.0)
    assert trade.net == pytest.approx((20.37 - 20.8 - 0.001 * 41.17) / 20.8)


def test_short_pays_the_same_costs_mirrored(run: Run) -> None:
    trade = run(bought("20 21 20 19", side=-1).but(plan=market_after(0)))
    assert trade.entry_price == pytest.approx(19.4)
    assert trade.exit_price == pytest.approx(19.57)  # bought back at 19.0 and 3 %
    assert trade.gross == pytest.approx(0.05)
    assert trade.net == pytest.approx((19.4 - 19.57 - 0.001 * 38.97) / 19.4)


def test_stop_in_extended_hours_pays_the_wide_half_spread(run: Run) -> None:
    table = """
    0 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
    0 post    16:05-16:10  20.0 20.0 18.0 20.0  1e6
    1 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
    """
    exits = Exits(stop=0.05, hold=1, stops_in_extended_hours=True)
    trade = run(Deal(table, limit_on_open(0, 20.0), exits=exits, costs=COSTS))
    assert trade.exit_price == pytest.approx(19.0 * (1 - 0.04 - 0.02))


def test_ambiguous_trade_states_the_other_result_without_the_costs_of_a_stop(run: Run) -> None:
    trade = run(bought("20 23 18 20", target=0.1, stop=0.05))
    assert trade.net == pytest.approx((18.43 - 20.0 - 0.001 * 38.43) / 20.0)
    assert trade.net_other == pytest.approx((22.0 - 20.0 - 0.001 * 42.0) / 20.0)


def test_unambiguous_trade_has_one_result(run: Run) -> None:
    trade = run(bought("20 21 20 21"))
    assert (trade.other_price, trade.net_other) == (trade.exit_price, trade.net)


def test_short_pays_a_borrow_fee_by_calendar_days(run: Run) -> None:
    # From 09:30 to 16:00 of the next day are 30.5 hours.
    costs = Costs(0, 0, 0, 1, borrow_rate=0.365)
    trade = run(bought("20 20 20 20", side=-1, costs=costs))
    assert trade.gross == 0
    assert trade.net == pytest.approx(-0.001 * 30.5 / 24)
    assert trade.net_other == trade.net
    assert run(bought("20 20 20 20", costs=costs)).net == 0


def ex_dividend(second: str, **changes: object) -> Deal:
    """Bought at 20.0 before a dividend of 1.0 on the second day."""
    table = TWO_DAYS.replace("{}  1e6", "{}  1e6 1.0").format(second)
    return bought("20 20 20 20", costs=FREE).but(table=table, **changes)


@pytest.mark.parametrize(
    ("second", "reason", "price"),
    [
        ("19 20.9 18.1 19", ExitReason.HOLD, 19.0),
        ("19 19.5 18.0 18.5", ExitReason.STOP, 18.0),
        ("19 21.0 18.5 20", ExitReason.TARGET, 21.0),
    ],
)
def test_dividend_is_credited_and_lowers_the_levels(
    run: Run, second: str, reason: ExitReason, price: float
) -> None:
    # A dividend of 1.0 takes the stop from 19.0 to 18.0 and the target from 22.0 to 21.0.
    trade = run(ex_dividend(second, exits=Exits(target=0.1, stop=0.05, hold=1)))
    assert (trade.reason, trade.exit_price, trade.dividends) == (reason, pytest.approx(price), 1.0)
    assert trade.gross == trade.net == pytest.approx((price + 1.0 - 20.0) / 20.0)


def test_short_is_charged_the_dividend_and_its_levels_fall_too(run: Run) -> None:
    # Sold at 20.0: the stop falls from 21.0 to 20.0, the target from 18.0 to 17.0.
    exits = Exits(target=0.1, stop=0.05, hold=1)
    stopped = run(ex_dividend("19 20 17.5 19", exits=exits, side=-1))
    assert (stopped.reason, stopped.exit_price) == (ExitReason.STOP, pytest.approx(20.0))
    assert stopped.gross == stopped.net == pytest.approx((20.0 - 20.0 - 1.0) / 20.0)
    hit = run(ex_dividend("19 19.5 17 19", exits=exits, side=-1))
    assert (hit.reason, hit.exit_price) == (ExitReason.TARGET, pytest.approx(17.0))
    assert (hit.dividends, hit.net) == (1.0, pytest.approx((20.0 - 17.0 - 1.0) / 20.0))


def test_dividend_lowers_what_the_trailing_stop_trails(run: Run) -> None:
    # Best 20.0 less 1.0 is 19.0; a tenth below that is 17.1.
    exits = Exits(trail=0.1, hold=1)
    assert run(ex_dividend("19 19 17.2 19", exits=exits)).reason == ExitReason.HOLD
    trailed = run(ex_dividend("19 19 17.1 19", exits=exits))
    assert (trailed.reason, trailed.exit_price) == (ExitReason.TRAIL, pytest.approx(17.1))


def test_who_buys_on_the_ex_date_gets_no_dividend(run: Run) -> None:
    trade = run(ex_dividend("19 19 19 19", plan=same_print(2)))
    assert (trade.dividends, trade.net) == (0.0, 0.0)


def test_dividend_is_credited_before_an_exit_at_that_bars_open(run: Run) -> None:
    late = """
    0 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
    2 regular 09:30-16:00  19.0 19.0 19.0 19.0  1e6 1.0
    """
    trade = run(Deal(late, limit_on_open(0, 20.0), exits=Exits(hold=1)))
    assert (trade.reason, trade.dividends, trade.net) == (ExitReason.HOLD_LATE, 1.0, 0.0)
    gap = run(ex_dividend("17.5 18 17 18", exits=Exits(stop=0.05, hold=1)))
    assert (gap.exit_price, gap.dividends) == (17.5, 1.0)


@pytest.mark.parametrize("side", [1, -1])
def test_default_costs_of_a_round_trip(run: Run, side: int) -> None:
    # 7 bp of spread and slippage and 1 bp of commission a side: some 16 bp in all.
    trade = run(bought("20 20 20 20", side=side, costs=Costs(borrow_rate=0)).but(
        plan=market_after(0)))  # fmt: skip
    assert trade.gross == 0
    assert trade.net == pytest.approx(-0.0016, rel=0.01)
