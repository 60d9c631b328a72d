"""Known answers, worked out by hand: when a hold ends, and when a short sale is restricted.

Every test runs through both implementations and is named after the rule it protects.
"""

from __future__ import annotations

import pytest

from backtest.execution import Costs, ExitReason, Exits, Fill, FillRules
from tests.agreement import Run, both_paths
from tests.candles import Deal, clock, limit_after, limit_on_open, same_print
from tests.simulator_words import Trade

pytestmark = both_paths

HOLD, HOLD_LATE, DATA_ENDED = ExitReason.HOLD, ExitReason.HOLD_LATE, ExitReason.DATA_ENDED

WEEK = """
0 regular 09:30-09:31  20.0 20.0 20.0 20.0  1e6
0 regular 15:58-15:59  20.1 20.1 20.1 20.1  1e6
0 post    16:01-16:02  30.0 30.0 30.0 30.0  1e6
1 pre     09:00-09:05  21.0 21.0 21.0 21.0  1e6
1 regular 09:30-09:31  21.1 21.1 21.1 21.1  1e6
1 regular 12:58-12:59  21.2 21.2 21.2 21.3  1e6
1 post    13:01-13:02  22.0 22.0 22.0 22.0  1e6
2 pre     09:00-09:05  23.0 23.0 23.0 23.0  1e6
2 post    16:01-16:02  24.0 24.0 24.0 24.0  1e6
3 pre     09:00-09:05  25.0 25.0 25.0 25.0  1e6
3 regular 09:30-09:31  26.0 26.1 25.9 26.0  1e6
3 regular 15:59-16:00  26.4 26.4 26.4 26.5  1e6
"""
"""Session 1 is a half day, session 2 has no regular bar."""


def held(hold: int, **changes: object) -> Deal:
    deal = Deal(WEEK, limit_on_open(0, 20.0), exits=Exits(hold=hold))
    return deal.but(**changes)


def closed(trade: Trade) -> tuple[int, ExitReason, float]:
    assert trade.fill == Fill.FILLED
    return trade.exit_bar, trade.reason, pytest.approx(trade.exit_price, rel=1e-12)


def test_hold_ends_at_the_regular_close_of_its_session(run: Run) -> None:
    # The minute of the auction at 16:00 is absent: the close is that of the last bar before it.
    trade = run(held(0))
    assert closed(trade) == (1, HOLD, 20.1)
    assert trade.exit_at == clock(0, "15:59")


def test_hold_counts_sessions_after_the_reaction_session_and_not_after_the_entry(run: Run) -> None:
    assert closed(run(held(1))) == (5, HOLD, 21.3)
    assert closed(run(held(0, reaction=1))) == (5, HOLD, 21.3)


def test_hold_ends_at_the_close_of_a_half_day(run: Run) -> None:
    assert run(held(1)).exit_at == clock(1, "12:59")


def test_halt_on_the_day_the_hold_ends_waits_for_the_next_regular_open(run: Run) -> None:
    trade = run(held(2))
    assert closed(trade) == (10, HOLD_LATE, 26.0)
    assert trade.exit_at == clock(3, "09:30")


def test_bracket_stays_live_while_a_halted_hold_waits(run: Run) -> None:
    # The target of 22 % is 24.4: reached on the morning after the halted day.
    deal = held(2, exits=Exits(target=0.22, hold=2), plan=same_print(3), reaction=0)
    assert run(deal).exit_bar == 10
    evening = held(2, exits=Exits(target=0.14, hold=2), plan=same_print(3))
    assert closed(run(evening)) == (8, ExitReason.TARGET, 24.0)
    morning = held(2, exits=Exits(target=0.18, hold=2), plan=same_print(3))
    assert closed(run(morning)) == (9, ExitReason.TARGET, 25.0)


def test_late_hold_comes_before_a_stop_at_the_same_open(run: Run) -> None:
    table = WEEK.replace("26.0 26.1 25.9 26.0", "15.0 15.1 14.9 15.0")
    trade = run(held(2, table=table, exits=Exits(stop=0.05, hold=2)))
    assert closed(trade) == (10, HOLD_LATE, 15.0)


def test_stop_in_the_last_bar_comes_before_the_hold(run: Run) -> None:
    table = WEEK.replace("20.1 20.1 20.1 20.1", "20.1 20.1 18.0 20.1")
    trade = run(held(0, table=table, exits=Exits(stop=0.05, hold=0)))
    assert closed(trade) == (1, ExitReason.STOP, 19.0)


def test_delisted_while_held_is_closed_at_the_last_price(run: Run) -> None:
    regular = run(held(3, stop=5))
    assert closed(regular) == (4, DATA_ENDED, 21.1)
    assert regular.exit_at == clock(1, "09:31")


def test_data_that_ends_in_extended_hours_pays_the_wide_spread(run: Run) -> None:
    costs = Costs(commission=0, half_spread=0.001, slippage=0.002, extended_spread_factor=5)
    evening = run(held(3, stop=7, costs=costs))
    assert closed(evening) == (6, DATA_ENDED, 22.0 * (1 - 0.005 - 0.002))
    day = run(held(3, stop=5, costs=costs))
    assert closed(day) == (4, DATA_ENDED, 21.1 * (1 - 0.001 - 0.002))


def test_data_that_ends_in_the_entry_bar_closes_there(run: Run) -> None:
    assert closed(run(held(3, stop=1))) == (0, DATA_ENDED, 20.0)


def test_last_regular_bar_before_the_data_end_is_the_close_of_its_session(run: Run) -> None:
    assert closed(run(held(1, stop=5))) == (4, HOLD, 21.1)


STRAY = """
0 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
0 closed  20:30-20:31  {}  1e6
1 regular 09:30-16:00  20.0 20.0 19.5 20.0  1e6
"""


def test_bar_outside_every_phase_fills_nothing_and_exits_nothing(run: Run) -> None:
    exits = Exits(target=0.10, stop=0.05, hold=1, stops_in_extended_hours=True)
    for prices in ("25.0 25.0 25.0 25.0", "10.0 10.0 10.0 10.0"):
        held_over = Deal(STRAY.format(prices), limit_on_open(0, 20.0), exits=exits)
        assert closed(run(held_over)) == (2, HOLD, 20.0)
        assert run(held_over.but(plan=limit_after(0))).fill == Fill.NO_BAR


def test_bar_outside_every_phase_moves_no_trailing_stop(run: Run) -> None:
    exits = Exits(trail=0.10, hold=1)
    deal = Deal(STRAY.format("25.0 25.0 25.0 25.0"), limit_on_open(0, 20.0), exits=exits)
    assert closed(run(deal)) == (2, HOLD, 20.0)


def test_dividend_on_a_bar_outside_every_phase_is_not_lost(run: Run) -> None:
    table = STRAY.format("20.0 20.0 20.0 20.0").replace("20.0  1e6\n1 reg", "20.0  1e6 1.0\n1 reg")
    deal = Deal(table, limit_on_open(0, 20.0), exits=Exits(stop=0.05, hold=1))
    trade = run(deal)
    # The stop of 19.0 has fallen to 18.0.
    assert closed(trade) == (2, HOLD, 20.0)
    assert trade.dividends == 1.0


FALLEN = """
0 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
0 post    16:05-16:10  {evening}  1e6
1 pre     09:00-09:05  19.0 19.0 {low} 19.0  1e6
1 regular 09:30-16:00  {opened} 19.5 {later} 19.0  1e6
"""


def fallen(
    evening: str = "20 20 20 20", low: float = 19.0, opened: float = 19.0, later: float = 19.0
) -> Deal:
    """A short sale at the second day's open."""
    table = FALLEN.format(evening=evening, low=low, opened=opened, later=later)
    return Deal(table, same_print(3), exits=Exits(hold=1), side=-1)


@pytest.mark.parametrize(
    ("deal", "fill"),
    [
        (fallen(), Fill.FILLED),
        (fallen(low=18.0), Fill.SHORT_RESTRICTED),  # a tenth, exactly, before the open
        (fallen(low=18.01), Fill.FILLED),
        (fallen(opened=18.0), Fill.SHORT_RESTRICTED),  # the entry's own open counts
        (fallen(later=17.0), Fill.FILLED),  # what comes after the entry does not
        (fallen(evening="20 20 17 20"), Fill.FILLED),  # nor another day's fall
        (fallen(low=17.0).but(lead=1), Fill.FILLED),  # no earlier close to be looked back to
        (fallen(low=17.0).but(lead=0, side=1), Fill.FILLED),  # a purchase is free
    ],
)
def test_short_sale_is_restricted_after_a_fall_of_a_tenth_that_day(
    run: Run, deal: Deal, fill: Fill
) -> None:
    assert run(deal).fill == fill


def test_fall_of_a_tenth_that_doubles_miss_restricts(run: Run) -> None:
    # In doubles 3.3 * 0.9 is 2.9699999999999998.
    table = """
    0 regular 09:30-16:00  3.3 3.3 3.3 3.3  1e6
    1 regular 09:30-16:00  2.97 3 2.97 3  1e6
    """
    assert run(fallen().but(table=table, plan=same_print(1))).fill == Fill.SHORT_RESTRICTED


def test_evening_sale_is_restricted_by_a_fall_of_the_same_session(run: Run) -> None:
    table = """
    0 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
    1 regular 09:30-16:00  19.0 19.0 17.5 19.0  1e6
    1 post    16:05-16:10  19.0 19.0 19.0 19.0  1e6
    2 regular 09:30-16:00  19.0 19.0 19.0 19.0  1e6
    """
    rules = FillRules(notional=1_000, limit_offset=0)
    deal = Deal(table, limit_after(1), exits=Exits(hold=2), side=-1, rules=rules)
    assert run(deal).fill == Fill.SHORT_RESTRICTED
    assert run(deal.but(table=table.replace("17.5", "18.5"))).fill == Fill.FILLED


def test_order_that_is_both_too_late_and_restricted_is_too_late(run: Run) -> None:
    assert run(fallen(low=17.0).but(exits=Exits(hold=0))).fill == Fill.AFTER_HOLD
