"""The fast path against the slow simulator, trade by trade, and against what it must not read."""

from __future__ import annotations

import dataclasses
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings

from backtest import outcomes
from backtest.execution import ExitReason, Fill, OrderKind
from backtest.paths import Paths
from tests import simulator
from tests.agreement import as_trades, differences
from tests.simulator_words import Trade
from tests.strategies_for_arrays import Case, cases, random_case

FIRST_SEED = 20_240_101


def assert_agreement(case: Case) -> list[Trade]:
    """Both implementations give the same trades; returns them."""
    fast = as_trades(outcomes.simulate(*case.arguments()))
    slow = simulator.simulate(*case.arguments())
    assert len(fast) == len(slow)
    for event, (mine, theirs) in enumerate(zip(fast, slow, strict=True)):
        found = differences(mine, theirs)
        assert not found, "\n".join([f"event {event}", *found, case.describe(event)])
    return slow


@settings(max_examples=10 * settings().max_examples)  # of the profile: an example takes 4 ms
@given(case=cases())
def test_fast_path_equals_the_slow_simulator(case: Case) -> None:
    assert_agreement(case)


def test_fast_path_equals_the_slow_simulator_on_many_markets_and_they_reach_every_end() -> None:
    met: Counter[object] = Counter()
    for seed in range(FIRST_SEED, FIRST_SEED + 4_000):
        case = random_case(Random(seed))
        for kind, trade in zip(case.orders.kind, assert_agreement(case), strict=True):
            met[OrderKind(kind), trade.fill, case.side] += 1
            met[trade.reason, case.side] += 1
            met["ambiguous", trade.ambiguous] += 1
            met["unknown volume", trade.unknown_volume] += 1
            met["dividends", trade.dividends > 0] += 1
    for side in (1, -1):
        for kind in set(OrderKind) - {OrderKind.NONE}:
            assert met[kind, Fill.FILLED, side] > 100, (kind, side)
        assert met[OrderKind.LIMIT, Fill.VOLUME, side] > 50
        assert met[OrderKind.LIMIT, Fill.PRICE, side] > 50
        for reason in ExitReason:
            assert met[reason, side] > 10, (reason, side)
    assert met[OrderKind.MARKET, Fill.SHORT_RESTRICTED, -1] > 50
    for flag in ("ambiguous", "unknown volume", "dividends"):
        assert met[flag, True] > 100


@pytest.mark.long
@pytest.mark.timeout(900)
@settings(max_examples=2_000)
@given(case=cases(instruments=3, sessions=5, events=6, detail=3))
def test_fast_path_equals_the_slow_simulator_on_larger_cases(case: Case) -> None:
    assert_agreement(case)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fast_path_equals_the_slow_simulator_on_fifty_thousand_markets() -> None:
    for seed in range(50_000):
        assert_agreement(random_case(Random(seed)))


def changed(case: Case, **changes: object) -> list[Trade]:
    paths = dataclasses.replace(case.paths, **changes)  # type: ignore[arg-type]
    return as_trades(outcomes.simulate(paths, *case.arguments()[1:]))


PRICES = ("open", "high", "low", "close", "volume", "dividend")


def poisoned(paths: Paths, where: np.ndarray) -> dict[str, np.ndarray]:
    """Prices and volumes that would change any answer that reads them."""
    return {name: np.where(where, np.nan, getattr(paths, name)) for name in PRICES}


def markets(count: int) -> list[Case]:
    return [random_case(Random(FIRST_SEED + k)) for k in range(count)]


def test_no_price_outside_the_events_own_slice_is_read() -> None:
    for case in markets(150):
        whole = as_trades(outcomes.simulate(*case.arguments()))
        bars = np.arange(len(case.paths.start))
        for event, trade in enumerate(whole):
            outside = (bars < case.paths.lead[event]) | (bars >= case.paths.stop[event])
            alone = changed(case, **poisoned(case.paths, outside))[event]
            assert repr(alone) == repr(trade), case.describe(event)


def test_no_price_after_the_exit_is_read() -> None:
    for case in markets(150):
        whole = as_trades(outcomes.simulate(*case.arguments()))
        bars = np.arange(len(case.paths.start))
        for event, trade in enumerate(whole):
            if trade.fill != Fill.FILLED:
                continue
            cut = changed(case, **poisoned(case.paths, bars > trade.exit_bar))[event]
            assert repr(cut) == repr(trade), case.describe(event)


def test_events_do_not_influence_each_other() -> None:
    per_event = [f.name for f in dataclasses.fields(Paths)][10:]
    assert per_event[0] == "lead"
    for case in markets(150):
        whole = as_trades(outcomes.simulate(*case.arguments()))
        order = np.array(Random(len(whole)).sample(range(len(whole)), len(whole)))
        paths = dataclasses.replace(
            case.paths, **{name: getattr(case.paths, name)[order] for name in per_event}
        )
        orders = dataclasses.replace(
            case.orders,
            **{f.name: getattr(case.orders, f.name)[order]
               for f in dataclasses.fields(case.orders)},
        )  # fmt: skip
        mixed = as_trades(outcomes.simulate(paths, orders, *case.arguments()[2:]))
        assert [repr(trade) for trade in mixed] == [repr(whole[k]) for k in order]


def test_reference_and_scale_play_no_part_in_fills() -> None:
    for case in markets(50):
        whole = as_trades(outcomes.simulate(*case.arguments()))
        junk = np.full(len(whole), 123.0)
        assert repr(changed(case, reference=junk, scale=junk)) == repr(whole)


def test_nothing_in_nothing_out() -> None:
    case = random_case(Random(1))
    none = {
        name: getattr(case.paths, name)[:0]
        for name in ("lead", "first", "stop", "reaction_session", "reference", "scale")
    }
    orders = dataclasses.replace(
        case.orders,
        **{f.name: getattr(case.orders, f.name)[:0] for f in dataclasses.fields(case.orders)},
    )
    paths = dataclasses.replace(case.paths, **none)
    assert as_trades(outcomes.simulate(paths, orders, *case.arguments()[2:])) == []


def test_arguments_are_left_as_they_were() -> None:
    case = random_case(Random(FIRST_SEED))
    arrays = [*vars(case.paths).values(), *vars(case.orders).values()]
    before = [array.copy() for array in arrays]
    outcomes.simulate(*case.arguments())
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
