"""Entries are asked once for each setting of what they read, and for no other."""

from __future__ import annotations

import copy
import dataclasses
import functools
import operator
import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from backtest import EventPanel, Exits, Strategy, earnings, first, limit_on_open, param
from backtest.sweeps import sweep
from backtest.sweeps.reading import watched
from db.store import Store
from tests.backtest.sweeps.markets import daily_market
from tests.backtest.sweeps.test_sweep_equals_runs import assert_rows_are_runs
from tests.tiny_store import TinyStore

CALLS: Counter[Any] = Counter()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with TinyStore(tmp_path_factory.mktemp("entries")) as tiny:
        daily_market(tiny, symbols=3)
        yield tiny.store


@pytest.fixture(autouse=True)
def _forget_calls() -> None:
    CALLS.clear()


@dataclass(frozen=True)
class Branching(Strategy):
    """Reads its drop in one mode, its rise in another, and neither in the third."""

    events: ClassVar = earnings()
    interval: ClassVar = "1d"

    mode: str = param("drop", choices=("drop", "rise", "all"))
    drop: float = param(0.01)
    rise: float = param(0.01)
    exits: Exits = Exits(hold=1)

    def entries(self, p: EventPanel) -> Any:
        CALLS["entries"] += 1
        if self.mode == "all":
            return limit_on_open(p.reference * 2)
        if self.mode == "drop":
            return limit_on_open(p.reference * (1 - self.drop))
        return limit_on_open(p.reference * (1 + self.rise))

    def rank(self, p: EventPanel) -> Any:
        return p.reference * self.rise * self.drop

    def why_not(self, p: EventPanel) -> Any:
        return {"rise": np.full(len(p), self.rise > 0)}


GRID = {"mode": "drop,rise,all", "drop": "0,0.02,0.04", "rise": "-0.01,0.03", "exits.hold": "0,2"}


def test_a_strategy_that_branches_is_asked_once_for_what_each_branch_reads(store: Store) -> None:
    found = sweep(Branching(), store, GRID, accounts=0, record=False)
    assert len(found) == 36
    assert CALLS["entries"] == found.evaluations == 3 + 2 + 1
    assert_rows_are_runs(found, Branching(), store)


@dataclass(frozen=True)
class Nested(Branching):
    """Reads an exit while it decides."""

    def entries(self, p: EventPanel) -> Any:
        CALLS["entries"] += 1
        return limit_on_open(p.reference * (1 - (self.exits.hold - 1) / 50))


def test_an_exit_that_the_entries_read_is_told_from_the_others(store: Store) -> None:
    grid = {"exits.hold": "0,1,2", "exits.stop": "none,0.03", "drop": "0.01,0.02"}
    found = sweep(Nested(), store, grid, accounts=0, record=False)
    assert CALLS["entries"] == 3
    assert_rows_are_runs(found, Nested(), store)


@dataclass(frozen=True)
class Whole(Branching):
    """Looks at all of itself, in one of the many ways there are."""

    way: ClassVar[Callable[[Any], Any]]

    def entries(self, p: EventPanel) -> Any:
        CALLS["entries"] += 1
        type(self).way(self)
        return limit_on_open(p.reference * (1 - self.drop))


@functools.lru_cache
def cached(strategy: Strategy) -> int:
    return 1


WAYS: dict[str, Callable[[Any], Any]] = {
    "vars": vars,
    "hash": hash,
    "repr": repr,
    "params": operator.attrgetter("params"),
    "equal": lambda s: s == Whole(),
    "asdict": dataclasses.asdict,
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
    "pickle": pickle.dumps,
    "cache": cached,
}


@pytest.mark.parametrize("way", list(WAYS))
def test_whatever_looks_at_all_parameters_is_asked_for_each(
    way: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Whole, "way", staticmethod(WAYS[way]), raising=False)
    grid = {"drop": "0,0.02", "rise": "0.01,0.02", "exits.hold": "0,1"}
    found = sweep(Whole(), store, grid, accounts=0, record=False)
    assert found.evaluations == 8


def test_a_strategy_made_from_it_goes_on_being_watched(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All fields are read to make it, but for those of the exits, which it merely carries on."""
    monkeypatch.setattr(Whole, "way", staticmethod(dataclasses.replace), raising=False)
    grid = {"drop": "0,0.02", "rise": "0.01,0.02", "exits.hold": "0,1"}
    assert sweep(Whole(), store, grid, accounts=0, record=False).evaluations == 4
    twin, seen = watched(Whole(exits=Exits(hold=7)))
    made = dataclasses.replace(twin, drop=0.3)
    assert "exits.hold" not in seen
    assert made.exits.hold == 7
    assert seen["exits.hold"] == 7


def test_a_watched_copy_behaves_as_its_original() -> None:
    original = Branching(mode="rise", exits=Exits(target=0.3, hold=4))
    twin, seen = watched(original)
    assert seen == {}
    assert isinstance(twin, Branching)
    assert twin.exits.target == 0.3
    assert seen == {"exits.target": 0.3}
    assert twin.__class__ is Branching
    assert seen == {"exits.target": 0.3}
    assert twin == original
    assert original == twin
    assert hash(twin) == hash(original)
    assert repr(twin) == repr(original)
    assert seen == original.params
    with pytest.raises(dataclasses.FrozenInstanceError):
        twin.drop = 0.3  # type: ignore[misc]
    assert dataclasses.replace(twin, drop=0.2) == dataclasses.replace(original, drop=0.2)


def test_a_method_of_a_parent_class_is_watched_too() -> None:
    class Child(Branching):
        def entries(self, p: EventPanel) -> Any:
            return super().entries(p)

        def helper(self) -> float:
            return self.rise

    twin, seen = watched(Child(mode="all"))
    twin.helper()  # type: ignore[attr-defined]
    assert seen == {"rise": 0.01}


@dataclass(frozen=True)
class Guided(Strategy):
    """Reads one content column or the other."""

    events: ClassVar = earnings()
    interval: ClassVar = "1d"

    by: str = param("surprise", choices=("surprise", "revenue", "nothing"))
    exits: Exits = Exits(hold=1)

    def entries(self, p: EventPanel) -> Any:
        if self.by == "surprise":
            return first(p.surprise > 0)
        if self.by == "revenue":
            return first(p.guidance(self.by) > 0)
        return first(p.close > 0)


def test_content_columns_that_were_read_are_in_the_record(store: Store) -> None:
    one = sweep(Guided(), store, {"by": "surprise,nothing"}, accounts=0, record=False)
    assert one.record["reads"] == ["surprise"]
    both = sweep(Guided(), store, {"by": "surprise,revenue,nothing"}, accounts=0, record=False)
    assert both.record["reads"] == ["guidance:revenue", "surprise"]
    assert both.frame["trades"].tolist()[:2] == [0, 0]


@dataclass(frozen=True)
class Sided(Strategy):
    """Its side is a parameter."""

    events: ClassVar = earnings()
    interval: ClassVar = "1d"

    side: str = param("long", choices=("long", "short"))  # type: ignore[assignment]
    exits: Exits = Exits(target=0.02, stop=0.05, hold=2)

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * (3 if self.side == "long" else 0))


def test_a_side_that_is_a_parameter_is_swept_like_any_other(store: Store) -> None:
    grid = {"side": "long,short", "exits.hold": "0,3"}
    found = sweep(Sided(), store, grid, accounts=0, record=False)
    assert (found.frame["trades"] > 0).all()
    assert_rows_are_runs(found, Sided(), store)


@dataclass(frozen=True)
class Derived(Branching):
    """Its stop is half its target, whatever the grid says."""

    def __post_init__(self) -> None:
        super().__post_init__()
        stop = None if self.exits.target is None else self.exits.target / 2
        object.__setattr__(self, "exits", dataclasses.replace(self.exits, stop=stop))


def test_exits_that_depend_on_each_other_are_those_of_each_combination(store: Store) -> None:
    grid = {"exits.target": "0.02,0.06,none", "exits.hold": "0,2", "drop": "-0.5,0"}
    found = sweep(Derived(), store, grid, accounts=0, record=False)
    assert_rows_are_runs(found, Derived(), store)
