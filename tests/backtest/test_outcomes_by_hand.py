"""Known answers to exits, worked out by hand: how the bracket, the hold and the data's end close.

Every test runs through both implementations and is named after the rule it protects.  Positions
start at 20.0, so that a target of 10 % is 22.0 and a stop of 5 % is 19.0.
"""

from __future__ import annotations

import pytest

from backtest.execution import Costs, ExitReason, Exits, Fill
from tests.agreement import Run, both_paths
from tests.candles import Deal, clock, limit_after, limit_on_open, market_after
from tests.simulator_words import Trade

pytestmark = both_paths

TARGET, STOP, TRAIL = ExitReason.TARGET, ExitReason.STOP, ExitReason.TRAIL
HOLD, HOLD_LATE, DATA_ENDED = ExitReason.HOLD, ExitReason.HOLD_LATE, ExitReason.DATA_ENDED
BRACKET = Exits(target=0.10, stop=0.05, hold=1)

DAYS = """
0 regular 09:30-16:00  20.0 20.5 19.5 20.2  1e6
1 regular 09:30-16:00  {}  1e6
2 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
"""


def days(second: str, exits: Exits = BRACKET, side: int = 1) -> Deal:
    """Bought (or sold short) at 20.0 at the open of a harmless day; the second is to be told."""
    return Deal(DAYS.format(second), limit_on_open(0, 20.0), exits=exits, side=side)


def closed(trade: Trade) -> tuple[int, ExitReason, float]:
    assert trade.fill == Fill.FILLED
    return trade.exit_bar, trade.reason, pytest.approx(trade.exit_price, rel=1e-12)


def test_target_fills_at_its_level(run: Run) -> None:
    trade = run(days("20.2 22.5 20.0 22.4"))
    assert closed(trade) == (1, TARGET, 22.0)
    assert trade.exit_at == clock(1, "16:00")
    assert trade.net == pytest.approx(0.10)
    assert not trade.ambiguous


def test_stop_fills_at_its_level(run: Run) -> None:
    trade = run(days("20.2 20.4 18.5 18.6"))
    assert closed(trade) == (1, STOP, 19.0)
    assert trade.exit_at == clock(1, "16:00")
    assert trade.net == pytest.approx(-0.05)


def test_stop_and_target_in_one_bar_takes_the_stop_and_is_marked_ambiguous(run: Run) -> None:
    trade = run(days("20.2 22.5 18.5 20.0"))
    assert closed(trade) == (1, STOP, 19.0)
    assert trade.ambiguous
    assert trade.other_price == pytest.approx(22.0)
    assert (trade.net, trade.net_other) == (pytest.approx(-0.05), pytest.approx(0.10))


def test_short_is_the_mirror_image(run: Run) -> None:
    assert closed(run(days("19.8 20.4 17.5 18.6", side=-1))) == (1, TARGET, 18.0)
    assert closed(run(days("19.8 21.4 18.5 20.6", side=-1))) == (1, STOP, 21.0)
    both = run(days("19.8 21.4 17.5 18.6", side=-1))
    assert closed(both) == (1, STOP, 21.0)
    assert (both.ambiguous, both.other_price) == (True, pytest.approx(18.0))
    assert (both.net, both.net_other) == (pytest.approx(-0.05), pytest.approx(0.10))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("20.2 22.0 20.0 21.0", TARGET),
        ("20.2 20.4 19.0 20.0", STOP),
        ("20.2 21.99999999 20.0 21.0", TARGET),  # 5e-10 short of the level
        ("20.2 20.4 19.00000001 20.0", STOP),
        ("20.2 21.9999999 20.0 21.0", HOLD),  # 5e-9 short of it
        ("20.2 20.4 19.0000001 20.0", HOLD),
    ],
)
def test_exactly_touched_level_counts(run: Run, row: str, reason: ExitReason) -> None:
    assert run(days(row)).reason == reason


def test_level_that_doubles_miss_by_a_rounding_counts(run: Run) -> None:
    # In doubles 6.0 * 0.95 is below 5.7 and 1.5 * 1.1 is above 1.65.
    row = "0 regular 09:30-16:00  {0} {1} {2} {0}  1e6"
    stop = Deal(row.format(6.0, 6.1, 5.7), limit_on_open(0, 6.0), exits=BRACKET)
    target = Deal(row.format(1.5, 1.65, 1.45), limit_on_open(0, 1.5), exits=BRACKET)
    assert run(stop).reason == STOP
    assert run(target).reason == TARGET


def test_gap_through_the_stop_fills_at_the_open(run: Run) -> None:
    trade = run(days("17.0 23.0 16.0 18.0"))
    assert closed(trade) == (1, STOP, 17.0)
    assert trade.exit_at == clock(1, "09:30")
    assert not trade.ambiguous


def test_gap_through_the_target_fills_at_the_open(run: Run) -> None:
    trade = run(days("23.0 23.5 16.0 18.0"))
    assert closed(trade) == (1, TARGET, 23.0)
    assert trade.exit_at == clock(1, "09:30")
    assert not trade.ambiguous


def test_short_gap_through_a_level_fills_at_the_open(run: Run) -> None:
    assert closed(run(days("17.0 23.0 16.0 18.0", side=-1))) == (1, TARGET, 17.0)
    assert closed(run(days("23.0 23.5 16.0 18.0", side=-1))) == (1, STOP, 23.0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [("20.0 22.5 19.5 20.0", TARGET), ("20.0 20.5 18.5 20.0", STOP)],
)
def test_whole_range_of_the_entry_bar_counts_after_a_fill_at_its_open(
    run: Run, row: str, reason: ExitReason
) -> None:
    table = f"0 regular 09:30-16:00  {row}  1e6"
    trade = run(Deal(table, limit_on_open(0, 20.0), exits=BRACKET))
    assert (trade.entry_bar, trade.exit_bar, trade.reason) == (0, 0, reason)
    assert (trade.entry_at, trade.exit_at) == (clock(0, "09:30"), clock(0, "16:00"))


DIP = """
0 post 16:05-16:10  20.0 20.0 20.0 20.0  1e6
0 post 16:10-16:15  {}  1e6
1 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
"""


def dip(second: str, exits: Exits = BRACKET) -> Deal:
    """A limit of 20.0 after the first bar; the second opens above it and comes down."""
    return Deal(DIP.format(second), limit_after(0), exits=exits)


def test_limit_fill_within_a_bar_may_not_take_the_target_unless_the_close_is_beyond(
    run: Run,
) -> None:
    rose_before = run(dip("22.5 23.0 19.9 20.5"))
    assert closed(rose_before) == (2, HOLD, 20.0)
    rose_after = run(dip("22.5 23.0 19.9 22.1"))
    assert closed(rose_after) == (1, TARGET, 22.0)
    assert rose_after.entry_at == rose_after.exit_at == clock(0, "16:15")


def test_limit_fill_within_a_bar_may_touch_the_stop(run: Run) -> None:
    awake = Exits(target=0.10, stop=0.05, hold=1, stops_in_extended_hours=True)
    assert closed(run(dip("20.5 20.6 18.9 20.5", awake))) == (1, STOP, 19.0)
    both = run(dip("20.5 22.6 18.9 22.5", awake))
    assert (both.reason, both.ambiguous, both.other_price) == (STOP, True, pytest.approx(22.0))
    assert not run(dip("20.5 22.6 18.9 21.0", awake)).ambiguous


def test_after_a_limit_fill_at_the_open_the_whole_bar_counts(run: Run) -> None:
    assert closed(run(dip("20.0 22.5 19.9 20.5"))) == (1, TARGET, 22.0)


def test_target_in_extended_hours_needs_half_the_wide_spread(run: Run) -> None:
    costs = Costs(0, 0.005, 0, extended_spread_factor=2, borrow_rate=0)
    # Filled at 20.0; 22.2 * 0.99 is 21.978, 22.3 * 0.99 is 22.077.
    low = Deal(DIP.format("19.5 22.2 19.4 20.0"), limit_after(0), exits=BRACKET, costs=costs)
    entry = run(low).entry_price
    assert entry == pytest.approx(19.5 * 1.01)
    high = entry * 1.1 / 0.99
    assert run(low.but(table=DIP.format(f"19.5 {high - 0.01} 19.4 20"))).reason == HOLD
    reached = run(low.but(table=DIP.format(f"19.5 {high + 0.01} 19.4 20")))
    assert closed(reached) == (1, TARGET, entry * 1.1)


NIGHT = """
0 regular 15:59-16:00  20.0 20.0 20.0 20.0  1e6
0 post    16:05-16:10  {evening}
1 pre     09:00-09:05  20.0 20.0 20.0 20.0  1e6
1 regular 09:30-09:31  {morning}  1e6
1 regular 15:59-16:00  20.1 20.1 20.1 20.1  1e6
"""
CALM = "20.0 20.0 20.0 20.0"


def night(evening: str = CALM + " 1e6", morning: str = CALM, exits: Exits = BRACKET) -> Deal:
    """Bought at 20.0 in the last minute of a day and held over its evening."""
    table = NIGHT.format(evening=evening, morning=morning)
    return Deal(table, limit_on_open(0, 20.0), exits=exits)


AWAKE = Exits(target=0.10, stop=0.05, hold=1, stops_in_extended_hours=True)


def test_stop_asleep_in_the_evening_wakes_at_the_first_regular_bar(run: Run) -> None:
    trade = run(night("18.0 18.0 17.0 17.5 1e6", "18.5 18.6 18.4 18.5"))
    assert closed(trade) == (3, STOP, 18.5)
    assert trade.exit_at == clock(1, "09:30")


def test_stop_that_slept_through_a_fall_does_not_remember_it(run: Run) -> None:
    assert closed(run(night("18.0 18.0 17.0 17.5 1e6"))) == (4, HOLD, 20.1)


def test_stop_that_is_told_to_works_in_the_evening(run: Run) -> None:
    assert closed(run(night("20.0 20.0 18.5 19.5 1e6", exits=AWAKE))) == (1, STOP, 19.0)
    assert closed(run(night("18.0 18.0 17.0 17.5 1e6", exits=AWAKE))) == (1, STOP, 18.0)


def test_target_does_not_sleep_in_the_evening(run: Run) -> None:
    assert closed(run(night("20.0 22.5 20.0 20.0 1e6"))) == (1, TARGET, 22.0)
    gap = night("22.5 22.6 20.0 20.0 1e6")
    assert closed(run(gap)) == (1, TARGET, 22.5)
    spread = Costs(0, 0.005, 0, extended_spread_factor=2, borrow_rate=0)
    assert closed(run(gap.but(costs=spread))) == (1, TARGET, 22.5 * 0.99)


def test_exit_in_the_evening_takes_at_most_a_tenth_of_the_volume(run: Run) -> None:
    # 1,000 of cash bought 50 shares at 20.0: a tenth of 500.
    for exits, prices in ((BRACKET, "20.0 22.5 20.0 20.0"), (AWAKE, "20.0 20.0 18.5 19.5")):
        assert run(night(f"{prices} 500", exits=exits)).exit_bar == 1
        assert run(night(f"{prices} 499", exits=exits)).reason == HOLD
    assert run(night("23.0 23.0 23.0 23.0 499")).reason == HOLD
    assert run(night("18.0 18.0 18.0 18.0 499", exits=AWAKE)).reason == HOLD


@pytest.mark.parametrize("volume", ["0", "nan"])
def test_exit_in_the_evening_at_unknown_volume_is_marked(run: Run, volume: str) -> None:
    trade = run(night(f"20.0 22.5 20.0 20.0 {volume}"))
    assert (trade.exit_bar, trade.unknown_volume) == (1, True)
    held = run(night(f"20.0 20.5 20.0 20.0 {volume}"))
    assert (held.reason, held.unknown_volume) == (HOLD, False)


def test_exit_in_regular_hours_at_unknown_volume_is_not_marked(run: Run) -> None:
    for row in ("20.0 22.5 20.0 20.0", "20.0 20.0 18.5 19.5", "23.0 23.0 23.0 23.0"):
        deal = days(row)
        unknown = deal.but(table=deal.table.replace(f"{row}  1e6", f"{row}  nan"))
        assert (run(unknown).exit_bar, run(unknown).unknown_volume) == (1, False)


def test_evening_moves_the_trailing_stop_though_it_sleeps(run: Run) -> None:
    exits = Exits(trail=0.05, hold=1)
    trade = run(night("22.0 22.0 20.0 20.0 1", "21.0 21.0 20.5 20.6", exits=exits))
    # 22.0 * 0.95 = 20.9 is below the open of 21.0 and above the low.
    assert closed(trade) == (3, TRAIL, 20.9)


def test_bar_that_opens_above_its_high_is_judged_by_its_open(run: Run) -> None:
    exits = Exits(trail=0.10, hold=1)
    table = """
    0 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
    0 post    16:05-16:10  22.0 20.5 20.0 20.2  1e6
    1 regular 09:30-16:00  20.2 20.3 19.5 20.0  1e6
    """
    deal = Deal(table, limit_on_open(0, 20.0), exits=exits)
    assert closed(run(deal)) == (2, TRAIL, 19.8)
    assert closed(run(deal.but(exits=BRACKET))) == (1, TARGET, 22.0)


def test_limit_is_reached_by_an_open_below_the_low(run: Run) -> None:
    deal = dip("19.9 20.4 20.2 20.3")
    trade = run(deal)
    assert (trade.entry_bar, trade.entry_price) == (1, 19.9)


def test_open_below_the_low_is_the_low_of_the_bar(run: Run) -> None:
    # Sold short: the open of 18.5 is day 0's low, and 18.5 * 1.05 is 19.425.
    table = """
    0 regular 15:59-16:00  20.0 20.0 20.0 20.0  1e6
    0 post    16:05-16:10  18.5 19.4 19.2 19.3  1e6
    1 regular 09:30-16:00  19.3 19.45 19.3 19.4  1e6
    """
    exits = Exits(trail=0.05, hold=1)
    deal = Deal(table, limit_on_open(0, 20.0), exits=exits, side=-1)
    assert closed(run(deal)) == (2, TRAIL, 19.425)


def test_market_entry_stopped_at_once_where_costs_exceed_the_stop(run: Run) -> None:
    # Paid 20.6; a stop of 1 % is 20.394, above the very open: it fills there.
    costs = Costs(0, 0.03, 0, borrow_rate=0)
    table = "0 pre 09:00-09:05 20 20 20 20 1e6\n" + DAYS.format("20 20 20 20").strip()
    trade = run(Deal(table, market_after(0), exits=Exits(stop=0.01), costs=costs))
    assert (trade.exit_bar, trade.reason, trade.exit_mid) == (1, STOP, 20.0)
    assert trade.exit_at == trade.entry_at == clock(0, "09:30")
