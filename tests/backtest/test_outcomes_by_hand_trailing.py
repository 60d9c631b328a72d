"""Known answers to trailing stops, worked out by hand.

Every test runs through both implementations and is named after the rule it protects.
"""

from __future__ import annotations

import pytest

from backtest.execution import ExitReason, Exits, Fill
from tests.agreement import Run, both_paths
from tests.candles import Deal, limit_on_open
from tests.simulator_words import Trade

pytestmark = both_paths

STOP, TRAIL, HOLD = ExitReason.STOP, ExitReason.TRAIL, ExitReason.HOLD


def closed(trade: Trade) -> tuple[int, ExitReason, float]:
    assert trade.fill == Fill.FILLED
    return trade.exit_bar, trade.reason, pytest.approx(trade.exit_price, rel=1e-12)


TRAILING = """
0 regular 09:30-16:00  20.0 {high} 19.9 20.0  1e6
1 regular 09:30-16:00  20.0 {next_high} {low} 20.0  1e6
2 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
"""


def trailing(high: float, next_high: float, low: float, **exits: float) -> Deal:
    table = TRAILING.format(high=high, next_high=next_high, low=low)
    return Deal(table, limit_on_open(0, 20.0), exits=Exits(trail=0.10, hold=1, **exits))  # type: ignore[arg-type]


def test_trailing_stop_trails_the_highs_of_completed_bars_only(run: Run) -> None:
    # Best after day 0 is 21.0, so the stop is at 18.9; day 1's own high of 24.0 comes too late.
    assert closed(run(trailing(21.0, 24.0, 19.5))) == (1, HOLD, 20.0)
    assert closed(run(trailing(21.0, 24.0, 18.9))) == (1, TRAIL, 18.9)


def test_trailing_stop_trails_the_fill_at_first(run: Run) -> None:
    table = "0 regular 09:30-16:00  20.0 25.0 18.0 19.0  1e6"
    deal = Deal(table, limit_on_open(0, 20.0), exits=Exits(trail=0.10, hold=0))
    assert closed(run(deal)) == (0, TRAIL, 18.0)


def test_tighter_of_stop_and_trailing_stop_counts_and_gives_the_reason(run: Run) -> None:
    assert closed(run(trailing(21.0, 20.0, 18.0, stop=0.02))) == (1, STOP, 19.6)
    assert closed(run(trailing(21.0, 20.0, 18.0, stop=0.08))) == (1, TRAIL, 18.9)
    level = run(trailing(20.0, 20.0, 17.0, stop=0.10))
    assert closed(level) == (1, STOP, 18.0)


def test_short_trailing_stop_trails_the_lows(run: Run) -> None:
    table = """
    0 regular 09:30-16:00  20.0 20.0 18.0 19.0  1e6
    1 regular 09:30-16:00  19.0 19.9 15.0 19.0  1e6
    """
    deal = Deal(table, limit_on_open(0, 20.0), exits=Exits(trail=0.10, hold=1), side=-1)
    assert closed(run(deal)) == (1, TRAIL, 19.8)


def test_trailing_stop_and_target_in_one_bar_are_ambiguous(run: Run) -> None:
    trade = run(trailing(21.0, 22.5, 18.5, target=0.10))
    assert closed(trade) == (1, TRAIL, 18.9)
    assert (trade.ambiguous, trade.other_price) == (True, pytest.approx(22.0))
