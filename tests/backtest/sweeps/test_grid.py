"""Lists of values: what they mean, and what is refused."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

import numpy as np
import pytest

from backtest import EventPanel, Exits, Strategy, earnings, limit_on_open, param
from backtest.sweeps.fills import find_fills, shared_fills
from backtest.sweeps.grid import Grid, parse_grid
from backtest.sweeps.tables import WORKERS, Levels, Tables
from db.errors import UsageError
from tests.strategies_for_arrays import random_case


@dataclass(frozen=True)
class Typed(Strategy):
    """A parameter of every type."""

    events: ClassVar = earnings()
    drop: float = param(0.05, ge=0, le=0.5)
    bars: int = param(3, ge=1)
    kind: str = param("a", choices=("a", "b:c"))
    lows: bool = param(False)
    cap: float | None = param(None)

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * (1 - self.drop))


def values_of(name: str, given: Any) -> tuple[Any, ...]:
    grid = parse_grid(Typed(), {name: given})
    return grid.axes[0].values if grid.axes else (grid.strategy.params[name],)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.02:0.12:0.01", (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.10, 0.11, 0.12)),
        ("0.1:0.3:0.1", (0.1, 0.2, 0.3)),
        ("0.02:0.11:0.05", (0.02, 0.07)),
        ("0.05:0.05:0.01", (0.05,)),
        ("0.05,0.01", (0.05, 0.01)),
        ("0.3, 0.1:0.2:0.1", (0.3, 0.1, 0.2)),
        ([0.3, "0.1"], (0.3, 0.1)),
        (np.array([0.25, 0.5]), (0.25, 0.5)),
        (0.07, (0.07,)),
    ],
)
def test_a_range_has_both_ends_and_a_list_its_order(text: Any, values: tuple[Any, ...]) -> None:
    assert values_of("drop", text) == values


def test_values_have_the_type_of_their_field() -> None:
    assert values_of("bars", "1:4:1") == (1, 2, 3, 4)
    assert all(type(one) is int for one in values_of("bars", [2.0, "3.0", np.int64(4)]))
    assert values_of("lows", "true,no") == (True, False)
    assert values_of("kind", "a,b:c") == ("a", "b:c")
    assert values_of("cap", "none,0.5") == (None, 0.5)
    assert values_of("exits.target", "none,0.1:0.2:0.1") == (None, 0.1, 0.2)
    assert values_of("exits.hold", "0,1,5") == (0, 1, 5)
    assert values_of("exits.stops_in_extended_hours", "on,off") == (True, False)


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("drp", "0.1", "did you mean 'drop'"),
        ("exits.stpo", "0.1", "did you mean 'exits.stop'"),
        ("drop", "0.1:0.2", "from:to:step"),
        ("drop", "0.1:0.2:x", "from:to:step"),
        ("drop", "0.1:0.2:inf", "from:to:step"),
        ("drop", "0.1:0.2:0", "goes nowhere"),
        ("drop", "0.2:0.1:0.1", "goes nowhere"),
        ("drop", "0:0.5:0.00001", "50,001 values"),
        ("drop", "0.1,0.6", "from 0 to 0.5"),
        ("drop", "", "float"),
        ("drop", [], "no value"),
        ("drop", "0.1,0.10", "twice"),
        ("bars", "1.5", "int"),
        ("bars", "0:3:1", "from 1"),
        ("kind", "a,c", "did you mean"),
        ("exits.hold", "-1,2", "whole number"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(name: str, given: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_grid(Typed(), {name: given})


def test_combinations_run_through_the_last_axis_first() -> None:
    grid = parse_grid(Typed(bars=9), {"drop": "0.1,0.2", "exits.hold": "1,2,3", "exits.stop": 0.3})
    assert len(grid) == 6
    assert [grid.params(k) for k in (0, 1, 3)] == [
        {"drop": 0.1, "exits.hold": 1},
        {"drop": 0.1, "exits.hold": 2},
        {"drop": 0.2, "exits.hold": 1},
    ]
    assert grid.setting(5) == Typed(drop=0.2, bars=9, exits=Exits(stop=0.3, hold=3))
    for axis in range(2):
        places = grid.places(axis)
        values = [grid.axes[axis].values[k] for k in places]
        assert values == [grid.params(k)[grid.axes[axis].name] for k in range(6)]


def test_a_grid_without_axes_is_the_strategy_itself() -> None:
    grid = parse_grid(Typed(), {"drop": 0.2})
    assert (len(grid), grid.axes, grid.setting(0)) == (1, (), Typed(drop=0.2))


def test_a_grid_that_does_not_fit_is_refused_with_its_numbers() -> None:
    grid = parse_grid(Typed(), {"drop": "0.01:0.10:0.01", "exits.hold": "0:9:1"})
    needed = grid.bytes_needed(months=50)
    grid.require_memory(50, limit=needed)
    with pytest.raises(UsageError, match=r"10 drop x 10 exits.hold = 100 combinations over 50"):
        grid.require_memory(50, limit=needed - 1)
    many = {"drop": "0:0.5:0.001", "exits.stop": "0.001:1:0.001", "exits.hold": "0:1999:1"}
    with pytest.raises(UsageError, match=r"= 1,002,000,000 combinations need 400\.8 GB"):
        parse_grid(Typed(), many)


def test_what_a_grid_needs_is_not_less_than_what_it_takes() -> None:
    """The sums of one shared evaluation, over many exits and many months."""
    case = random_case(Random(20_260_114))
    fills = find_fills(case.paths, case.orders, case.costs, case.rules, case.side)
    shared = shared_fills([fills])
    assert len(shared) > 0
    steps = np.arange(1, 41) / 100
    levels = Levels(steps, np.array([np.inf]), steps, np.arange(10), (False,))
    spec = {"exits.stop": steps, "exits.target": steps, "exits.hold": range(10)}
    grid = parse_grid(Typed(), spec)
    months = np.zeros(len(shared), dtype=np.int64)
    tables = Tables(case.paths, shared, levels, case.costs, case.rules, case.side, months)
    tables.sums(1)
    tracemalloc.start()
    tables.sums(60)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    needed = grid.bytes_needed(60, sums=levels.cells, shards=WORKERS * levels.cells)
    assert 0.2 * needed < taken < needed


@dataclass(frozen=True)
class Ordered(Typed):
    """Refuses a target below its drop, and sets its stop by another field."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exits.target is not None and self.exits.target < self.drop:
            raise UsageError("a target below the drop")
        exits = Exits(target=self.exits.target, stop=self.bars / 100, hold=self.exits.hold)
        object.__setattr__(self, "exits", exits)


def test_a_strategy_that_looks_at_its_fields_together_is_made_once_for_each_combination() -> None:
    assert parse_grid(Typed(), {"bars": "1,2"}).exits() is None
    exits = parse_grid(Ordered(), {"bars": "1,2", "exits.hold": "3,4"}).exits()
    assert exits is not None
    assert [(one.stop, one.hold) for one in exits] == [(0.01, 3), (0.01, 4), (0.02, 3), (0.02, 4)]
    grid = parse_grid(Ordered(), {"drop": "0.1,0.2", "exits.target": "0.15,0.3"})
    with pytest.raises(UsageError, match=r"drop=0.2, exits.target=0.15: .*a target below the drop"):
        grid.exits()


def test_a_grid_is_not_an_axis_too_many() -> None:
    grid = Grid(Typed(), ())
    assert grid.params(0) == {}
