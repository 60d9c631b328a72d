"""The fast path against vectorbt, where vectorbt can express the rule.

One column an event.  vectorbt never checks a stop in the bar that enters, so the entry gets a
pseudo-bar of its own in front of the window, all four prices at the open that is bought: from the
true entry bar on both see the same bars.  Prices are drawn from a continuum, since vectorbt has
no tolerance for levels that are touched exactly.  In one case the two differ by intent: a bar that
opens beyond the target and later falls to the stop leaves at its open here, and by the stop there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from backtest import outcomes
from backtest.execution import Costs, ExitReason, Exits, Fill, FillRules, OrderKind
from backtest.paths import Orders, Outcomes, Paths
from db.calendar import Phase
from db.intervals import DAY, MINUTE

EVENTS, BARS = 4_000, 24
OPEN, CLOSE = (9 * 60 + 30) * MINUTE, 16 * 60 * MINUTE


class Candles(NamedTuple):
    """Events x bars."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray


def random_candles(seed: int) -> Candles:
    """Walks with overnight gaps, some of them through every level."""
    rng = np.random.default_rng(seed)
    shape = (EVENTS, BARS)
    gaps = np.where(rng.random(shape) < 0.1, rng.normal(0, 0.06, shape), rng.normal(0, 0.01, shape))
    moves = rng.normal(0, 0.02, shape)
    close = 20 * np.exp(np.cumsum(gaps + moves, axis=1))
    opened = close / np.exp(moves)
    high = np.maximum(opened, close) * np.exp(np.abs(rng.normal(0, 0.02, shape)))
    low = np.minimum(opened, close) * np.exp(-np.abs(rng.normal(0, 0.02, shape)))
    return Candles(opened, high, low, close)


def ours(candles: Candles, exits: Exits, costs: Costs, side: int) -> Outcomes:
    """Every event buys (sells) at the open of its first daily bar, its reaction session."""
    bars, events = EVENTS * BARS, np.arange(EVENTS)
    session = np.tile(np.arange(BARS), EVENTS)
    first = events * BARS
    paths = Paths(
        start=session * DAY + OPEN,
        end=session * DAY + CLOSE,
        **{name: getattr(candles, name).reshape(-1) for name in Candles._fields},
        volume=np.full(bars, 1e6),
        phase=np.full(bars, Phase.REGULAR, dtype=np.int8),
        session=session,
        dividend=np.zeros(bars),
        lead=first,
        first=first,
        stop=first + BARS,
        reaction_session=np.zeros(EVENTS, dtype=np.int64),
        reference=np.full(EVENTS, 20.0),
        scale=np.ones(EVENTS),
    )
    orders = Orders(
        kind=np.full(EVENTS, OrderKind.MARKET, dtype=np.int8),
        decided_at=np.zeros(EVENTS, dtype=np.int64),
        expires_at=np.full(EVENTS, CLOSE),
        from_bar=first,
        limit=np.full(EVENTS, np.nan),
    )
    return outcomes.simulate(paths, orders, exits, costs, FillRules(), side)


def theirs(
    candles: Candles, exits: Exits, *, fee: float, slippage: float, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Exit bar and return of each event by `Portfolio.from_signals`."""
    import vectorbt as vbt

    def with_entry_bar(prices: np.ndarray) -> np.ndarray:
        return np.vstack([candles.open[:, 0], prices.T])

    shape = (BARS + 1, EVENTS)
    entries, leaves = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    entries[0] = True
    leaves[1 + exits.hold] = True
    trailing = exits.trail is not None
    portfolio = vbt.Portfolio.from_signals(
        with_entry_bar(candles.close),
        entries,
        leaves,
        open=with_entry_bar(candles.open),
        high=with_entry_bar(candles.high),
        low=with_entry_bar(candles.low),
        direction="longonly" if side > 0 else "shortonly",
        size=1.0,
        init_cash=1e9,
        fees=fee,
        slippage=slippage,
        sl_stop=exits.trail if trailing else exits.stop,
        sl_trail=trailing,
        tp_stop=exits.target,
        stop_entry_price="fillprice",
        stop_exit_price="stopmarket",
        max_orders=2 * EVENTS,
        engine="rust",
    )
    records = portfolio.trades.values
    assert (records["col"] == np.arange(EVENTS)).all()
    return records["exit_idx"] - 1, records["return"]


FEE, SLIPPAGE = 0.001, 0.002
NO_SPREAD = Costs(commission=FEE, half_spread=0.0, slippage=0.0, borrow_rate=0.0)
SPREAD = Costs(commission=FEE, half_spread=0.5 * SLIPPAGE, slippage=0.5 * SLIPPAGE, borrow_rate=0.0)
"""vectorbt charges a target the slippage too: with slippage, no target is compared."""


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
@pytest.mark.parametrize(
    ("exits", "costs", "reasons"),
    [
        (Exits(target=0.10, stop=0.05, hold=10), NO_SPREAD, {"TARGET", "STOP", "HOLD"}),
        (Exits(target=0.03, stop=0.03, hold=20), NO_SPREAD, {"TARGET", "STOP"}),
        (Exits(target=0.02, stop=0.02, hold=0), NO_SPREAD, {"TARGET", "STOP", "HOLD"}),
        (Exits(target=0.05, hold=5), NO_SPREAD, {"TARGET", "HOLD"}),
        (Exits(stop=0.04, hold=8), SPREAD, {"STOP", "HOLD"}),
        (Exits(trail=0.06, hold=10), SPREAD, {"TRAIL", "HOLD"}),
        (Exits(hold=3), SPREAD, {"HOLD"}),
    ],
    ids=["wide", "tight", "one day", "target", "stop", "trail", "hold"],
)
def test_exit_bar_and_return_equal_from_signals(
    exits: Exits, costs: Costs, reasons: set[str], side: int
) -> None:
    candles = random_candles(seed=exits.hold)
    mine = ours(candles, exits, costs, side)
    slippage = costs.half_spread + costs.slippage
    exit_bar, returns = theirs(candles, exits, fee=FEE, slippage=slippage, side=side)
    assert (mine.fill == Fill.FILLED).all()
    assert {ExitReason(reason).name for reason in np.unique(mine.reason)} == reasons
    np.testing.assert_array_equal(mine.exit_bar - np.arange(EVENTS) * BARS, exit_bar)
    alike = ~opened_beyond_the_target(mine, candles, exits, side)
    assert alike.sum() > 0.99 * EVENTS
    np.testing.assert_allclose(mine.net[alike], returns[alike], rtol=1e-10, atol=1e-12)
    assert (returns[~alike] < 0).all()
    assert (mine.net[~alike] > 0).all()


def opened_beyond_the_target(
    mine: Outcomes, candles: Candles, exits: Exits, side: int
) -> np.ndarray:
    """Events that left at an open beyond the target, in a bar that touched the stop as well."""
    at_open = (mine.reason == ExitReason.TARGET) & (mine.exit_at % DAY == OPEN)
    worst = (candles.low if side > 0 else candles.high).reshape(-1)[mine.exit_bar]
    stop = mine.entry_price * (1 - side * (exits.stop or np.inf))
    return at_open & (side * worst <= side * stop)


def test_random_candles_reach_the_hard_cases() -> None:
    exits = Exits(target=0.03, stop=0.03, hold=20)
    mine = ours(random_candles(seed=exits.hold), exits, NO_SPREAD, 1)
    level = mine.entry_price * np.where(mine.reason == ExitReason.STOP, 0.97, 1.03)
    gapped = ~np.isclose(mine.exit_price, level)
    entry_day = mine.exit_bar == mine.entry_bar
    for name, cases in (("ambiguous", mine.ambiguous), ("gap", gapped), ("entry day", entry_day)):
        assert cases.sum() > 100, name
