"""Known answers to limit-on-open orders, worked out by hand.

Every test runs through both implementations and is named after the rule it protects.
"""

from __future__ import annotations

import pytest

from backtest.execution import Costs, Exits, Fill
from tests.agreement import Run, both_paths
from tests.candles import Deal, clock, limit_on_open

pytestmark = both_paths

OPENING = """
0 regular 09:30-16:00  20.0 20.0 20.0 20.0  1e6
1 regular 09:30-16:00  19.0 20.0 18.0 19.5  1e6
"""
GAP = Deal(OPENING, limit_on_open(1, 19.0), reaction=1, exits=Exits(hold=0))


@pytest.mark.parametrize(
    ("limit", "fill"),
    [
        (19.5, Fill.FILLED),
        (19.0, Fill.FILLED),
        (20.0 * (1 - 0.05), Fill.FILLED),
        (19.0 * (1 - 5e-10), Fill.FILLED),
        (19.0 * (1 - 2e-9), Fill.PRICE),
        (18.99, Fill.PRICE),
    ],
)
def test_limit_on_open_fills_at_the_open_if_it_is_at_the_limit_or_better(
    run: Run, limit: float, fill: Fill
) -> None:
    trade = run(GAP.but(plan=limit_on_open(1, limit)))
    assert trade.fill == fill
    if fill == Fill.FILLED:
        assert (trade.entry_bar, trade.entry_at) == (1, clock(1, "09:30"))
        assert trade.entry_price == trade.entry_mid == 19.0


@pytest.mark.parametrize(
    ("close", "opened", "drop"), [(20.0, 19.0, 0.05), (6.0, 5.7, 0.05), (3.3, 2.97, 0.1)]
)
def test_fall_from_20_to_19_is_five_percent(
    run: Run, close: float, opened: float, drop: float
) -> None:
    # In doubles 6.0 * 0.95 is 5.699999999999999: less than the open that it must count.
    table = f"1 regular 09:30-16:00  {opened} {opened} {opened} {opened}  1e6"
    trade = run(GAP.but(table=table, plan=limit_on_open(0, close * (1 - drop))))
    assert trade.fill == Fill.FILLED


def test_limit_on_open_pays_neither_spread_nor_slippage(run: Run) -> None:
    trade = run(GAP.but(costs=Costs(0.001, 0.01, 0.02)))
    assert trade.entry_price == 19.0


def test_short_limit_on_open_fills_at_the_limit_or_higher(run: Run) -> None:
    fills = [run(GAP.but(plan=limit_on_open(1, x), side=-1)).fill for x in (18.5, 19.0, 19.01)]
    assert fills == [Fill.FILLED, Fill.FILLED, Fill.PRICE]
