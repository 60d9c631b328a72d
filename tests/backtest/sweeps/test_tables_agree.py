"""The combined tables against the ordinary kernel, run once for each combination alone."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest import outcomes
from backtest.execution import ExitReason, Exits, Fill, OrderKind
from backtest.paths import Outcomes
from backtest.sweeps import kernel
from backtest.sweeps.fills import Fills, find_fills, shared_fills
from backtest.sweeps.tables import Levels, Tables, left_at
from db.calendar import Phase
from tests.strategies_for_arrays import Case, random_case

FIRST_SEED = 20_260_101
EXACT = (kernel.COUNT, kernel.WINS, kernel.BIG, kernel.ENDED, kernel.AMBIGUOUS)
# Beside a stop, trailing stops both on and off its grid: equal levels are a tie to be settled.
KINDS: dict[str, tuple[Any, ...]] = {
    "target": (None, 0.02, 0.05, 0.1, 0.01),
    "stop": (0.01, 0.05, None, 0.1, 0.02),
    "trail": (None, 0.05, 0.0211, 0.0987, 0.1, 0.02),
    "hold": (0, 1, 2, 3),
    "stops_in_extended_hours": (True, False),
}


def random_exits(r: Random) -> list[Exits]:
    """All combinations of some values of every kind."""
    chosen = {
        name: r.sample(values, 1 + r.randrange(len(values))) for name, values in KINDS.items()
    }
    return [
        Exits(**dict(zip(chosen, one, strict=True))) for one in itertools.product(*chosen.values())
    ]


def added_up(found: Outcomes, mine: np.ndarray) -> np.ndarray:
    """The kernel's statistics, from outcomes that were simulated."""
    filled = (found.fill == Fill.FILLED) & mine
    net, gross = found.net[filled], found.gross[filled]
    out = np.zeros(kernel.STATISTICS)
    out[kernel.COUNT], out[kernel.SUM] = filled.sum(), net.sum()
    out[kernel.SQUARES], out[kernel.GROSS] = (net**2).sum(), gross.sum()
    out[kernel.WINS] = (net > 0).sum()
    out[kernel.GAINS], out[kernel.LOSSES] = net[net > 0].sum(), -net[net < 0].sum()
    out[kernel.BIG] = (gross >= 0.10 - 1e-9).sum()
    out[kernel.ENDED] = (found.reason[filled] == ExitReason.DATA_ENDED).sum()
    out[kernel.AMBIGUOUS] = found.ambiguous[filled].sum()
    return out


def tables_of(case: Case, fills: list[Fills], levels: Levels, months: int) -> Tables:
    shared = shared_fills(fills)
    month = shared.bar % months
    return Tables(case.paths, shared, levels, case.costs, case.rules, case.side, month)


def is_daily(case: Case) -> bool:
    """Every bar regular, and alone in its session."""
    p = case.paths
    new = (np.diff(p.session) != 0) | (np.diff(p.start) < 0)
    return bool((p.phase == Phase.REGULAR).all() and new.all())


def assert_combined_is_simulated(case: Case, exits: list[Exits], months: int = 3) -> int:
    """Each combination's sums, months and trades are those of the ordinary kernel."""
    every = find_fills(case.paths, case.orders, case.costs, case.rules, case.side)
    some = every.take(np.arange(len(every)) % 2 == 0)
    masks = [np.isin(np.arange(len(case.orders.kind)), one.event) for one in (every, some)]
    levels = Levels.of(exits)
    tables = tables_of(case, [every, some], levels, months)
    sums = tables.sums(months)
    trades = 0
    for one in exits:
        found = outcomes.simulate(case.paths, case.orders, one, case.costs, case.rules, case.side)
        awake, cell = levels.cell_of(one)
        for evaluation, mine in enumerate(masks):
            wanted = added_up(found, mine)
            got = sums.totals[evaluation, awake, cell]
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12, err_msg=repr(one))
            np.testing.assert_array_equal(got[list(EXACT)], wanted[list(EXACT)], err_msg=repr(one))
            filled = (found.fill == Fill.FILLED) & mine
            by_month = np.zeros(months)
            np.add.at(by_month, found.entry_bar[filled] % months, found.net[filled])
            monthly = sums.monthly[:, evaluation, awake, cell]
            np.testing.assert_allclose(monthly, by_month, rtol=1e-12, atol=1e-12)
            trades += int(filled.sum())
        rows = tables.fills.rows_of(0)
        row, key, net = tables.tables_of(rows, levels.awake[awake]).trades(cell)
        filled = found.fill == Fill.FILLED
        np.testing.assert_array_equal(tables.fills.event[rows[row]], np.flatnonzero(filled))
        np.testing.assert_array_equal(net, found.net[filled], err_msg="to the last bit")
        np.testing.assert_array_equal(key >> 3, found.exit_bar[filled])
        np.testing.assert_array_equal(left_at(case.paths, key), found.exit_at[filled])
    return trades


@given(seed=st.integers(0, 2**48))
def test_every_combination_equals_its_own_simulation(seed: int) -> None:
    r = Random(seed)
    assert_combined_is_simulated(random_case(r), random_exits(r)[:60])


def test_many_markets_reach_every_kind_of_exit() -> None:
    met: set[Any] = set()
    for seed in range(FIRST_SEED, FIRST_SEED + 250):
        r = Random(seed)
        case, exits = random_case(r), random_exits(r)[:40]
        assert_combined_is_simulated(case, exits)
        met |= {"daily"} if is_daily(case) and len(case.paths.start) > 5 else set()
        for one in exits[:8]:
            found = outcomes.simulate(
                case.paths, case.orders, one, case.costs, case.rules, case.side
            )
            met |= {(ExitReason(reason), case.side) for reason in found.reason}
            met |= {("ambiguous", case.side)} if found.ambiguous.any() else set()
    assert "daily" in met
    for side in (1, -1):
        assert {(reason, side) for reason in ExitReason} | {("ambiguous", side)} <= met


@pytest.mark.long
@pytest.mark.timeout(1200)
@settings(max_examples=1500)
@given(seed=st.integers(0, 2**48))
def test_every_combination_equals_its_own_simulation_on_larger_markets(seed: int) -> None:
    r = Random(seed)
    case = random_case(r, instruments=4, sessions=8, events=14, detail=4)
    assert_combined_is_simulated(case, random_exits(r))


TIGHT = Exits(target=1e-6, stop=1e-6, hold=2520, stops_in_extended_hours=True)
"""Leaves at once, whatever happens: what is left to compare is the fill."""


def test_fills_equal_those_of_the_ordinary_kernel() -> None:
    met: set[Any] = set()
    for seed in range(FIRST_SEED, FIRST_SEED + 1500):
        case = random_case(Random(seed))
        mine = find_fills(case.paths, case.orders, case.costs, case.rules, case.side)
        found = outcomes.simulate(case.paths, case.orders, TIGHT, case.costs, case.rules, case.side)
        np.testing.assert_array_equal(mine.event, np.flatnonzero(case.orders.kind != 0))
        np.testing.assert_array_equal(mine.code, found.fill[mine.event])
        filled = mine.code == Fill.FILLED
        event = mine.event[filled]
        for name, theirs in (
            ("bar", found.entry_bar),
            ("price", found.entry_price),
            ("mid", found.entry_mid),
        ):
            np.testing.assert_array_equal(getattr(mine, name)[filled], theirs[event])
        ended = case.paths.end[found.entry_bar[event]] == found.entry_at[event]
        np.testing.assert_array_equal(mine.within[filled], ended)
        met |= {
            (OrderKind(k), Fill(c)) for k, c in zip(case.orders.kind[mine.event], mine.code,
                                                    strict=True)
        }  # fmt: skip
    for kind in (OrderKind.MARKET, OrderKind.LIMIT, OrderKind.LIMIT_ON_OPEN, OrderKind.SAME_PRINT):
        assert (kind, Fill.FILLED) in met
        assert (kind, Fill.NO_BAR) in met
    assert (OrderKind.LIMIT, Fill.VOLUME) in met
    assert (OrderKind.MARKET, Fill.SHORT_RESTRICTED) in met


def test_trades_entered_elsewhere_or_left_later_count_for_nothing() -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + 120):
        r = Random(seed)
        case, exits = random_case(r), random_exits(r)[:25]
        levels = Levels.of(exits)
        fills = find_fills(case.paths, case.orders, case.costs, case.rules, case.side)
        tables = tables_of(case, [fills], levels, 1)
        if not len(tables.fills):
            continue
        cutoff = int(np.median(case.paths.end))
        kept = tables.fills.event % 2 == 0
        sums = tables.sums(1, rows=kept, cutoff=cutoff)
        for one in exits:
            found = outcomes.simulate(
                case.paths, case.orders, one, case.costs, case.rules, case.side
            )
            event = np.arange(len(found.fill))
            wanted = added_up(found, (event % 2 == 0) & (found.exit_at <= cutoff))
            awake, cell = levels.cell_of(one)
            np.testing.assert_allclose(sums.totals[0, awake, cell], wanted, rtol=1e-12, atol=1e-12)
            assert sums.monthly[0, 0, awake, cell] == pytest.approx(wanted[kernel.SUM], abs=1e-12)


def test_shared_fills_are_followed_once_and_belong_to_whom_they_belonged() -> None:
    """Three evaluations: the second has half of the first's fills, the third others as well."""
    for seed in range(FIRST_SEED, FIRST_SEED + 200):
        case = random_case(Random(seed))
        every = find_fills(case.paths, case.orders, case.costs, case.rules, case.side)
        half = every.take(np.arange(len(every)) % 2 == 0)
        dearer = every.take(np.arange(len(every)) % 3 != 0)
        dearer.price[dearer.code == Fill.FILLED] *= 1.5
        shared = shared_fills([every, half, dearer])
        for place, one in enumerate((every, half, dearer)):
            rows = shared.rows_of(place)
            filled = one.code == Fill.FILLED
            np.testing.assert_array_equal(shared.event[rows], one.event[filled])
            for name in ("bar", "price", "mid", "within"):
                np.testing.assert_array_equal(
                    getattr(shared, name)[rows], getattr(one, name)[filled]
                )
        distinct = (every.code == Fill.FILLED).sum() + (dearer.code == Fill.FILLED).sum()
        assert len(shared) == distinct
        assert (np.diff(shared.owner) >= 0).all()
