"""What is compiled to take addresses: refused arguments, and the same answers as plain Python."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from backtest.paths import FloatArray, IntArray
from backtest.sweeps import kernel, tables
from backtest.sweeps.compiled import Compiled
from backtest.sweeps.fills import find_fills
from backtest.sweeps.tables import Levels, Tables
from tests.backtest.sweeps.test_tables_agree import FIRST_SEED, random_exits, tables_of
from tests.strategies_for_arrays import random_case


@Compiled
def dot(weights: IntArray, values: FloatArray, n: int) -> int:
    """The whole part of the sum of products of the first ``n``."""
    total = 0.0
    for i in range(n):
        total += weights[i] * values[i]
    return int(total)


def test_arguments_are_bound_once_and_integers_given_to_each_call() -> None:
    call = dot.bind(np.arange(4), np.full(4, 1.5))
    assert [call(n) for n in range(5)] == [0, 0, 1, 4, 9]


@pytest.mark.parametrize(
    "weights",
    [
        np.arange(4, dtype=np.int32),
        np.arange(4.0),
        np.arange(8)[::2],
        np.zeros((2, 2), dtype=np.int64),
        [0, 1, 2, 3],
    ],
    ids=["narrower", "floats", "strided", "two axes", "list"],
)
def test_an_array_of_another_layout_is_refused_before_its_address_is_taken(weights: Any) -> None:
    with pytest.raises(TypeError, match="weights must be a contiguous IntArray of one axis"):
        dot.bind(weights, np.zeros(4))


def test_arrays_live_as_long_as_what_they_are_bound_to() -> None:
    call = dot.bind(np.full(100_000, 2), np.full(100_000, 0.5))
    # Memory that was given back would be used for these.
    others = [np.zeros(100_000) for _ in range(20)]
    assert call(100_000) == 100_000
    assert len(others) == 20


def some_tables(seed: int) -> Tables:
    r = Random(seed)
    case, exits = random_case(r, instruments=3, sessions=6, events=10), random_exits(r)[:60]
    fills = find_fills(case.paths, case.orders, case.costs, case.rules, case.side)
    return tables_of(case, [fills, fills.take(np.arange(len(fills)) % 2 == 0)], Levels.of(exits), 3)


def test_compiled_answers_are_those_of_plain_python(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [some_tables(seed) for seed in range(FIRST_SEED, FIRST_SEED + 25)]
    compiled = [one.sums(3) for one in many]

    def plain(self: Compiled, *given: Any) -> Any:
        return lambda *rest: self.function(*given, *rest)

    monkeypatch.setattr(Compiled, "bind", plain)
    for one, wanted in zip(many, compiled, strict=True):
        found = one.sums(3)
        np.testing.assert_array_equal(found.totals, wanted.totals)
        np.testing.assert_array_equal(found.monthly, wanted.monthly)
    assert sum(wanted.totals[..., kernel.COUNT].sum() for wanted in compiled) > 1000


def test_sums_depend_on_neither_blocks_nor_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(FIRST_SEED, FIRST_SEED + 40):
        one = some_tables(seed)
        wanted = one.sums(3)
        monkeypatch.setattr(tables, "_BLOCK", 2)
        monkeypatch.setattr(tables, "_AHEAD", 1)
        monkeypatch.setattr(tables, "WORKERS", 1)
        found = one.sums(3)
        monkeypatch.undo()
        np.testing.assert_array_equal(found.totals, wanted.totals)
        np.testing.assert_array_equal(found.monthly, wanted.monthly)
