"""Comparison of the fast path with the slow one, trade by trade."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest

from backtest import outcomes
from backtest.execution import ExitReason, Fill
from backtest.paths import Outcomes
from tests import simulator
from tests.candles import Deal
from tests.simulator_words import Trade

TO = 1e-12

_EXACT = ("fill", "entry_bar", "exit_bar", "reason", "ambiguous", "unknown_volume")
_INSTANTS = ("entry_at", "exit_at")
_NUMBERS = (
    "entry_price",
    "entry_mid",
    "exit_price",
    "exit_mid",
    "other_price",
    "gross",
    "net",
    "net_other",
)


def as_trades(found: Outcomes) -> list[Trade]:
    """The rows of the fast path's arrays as the slow path's records."""
    names = [field.name for field in dataclasses.fields(Trade)]
    columns = {name: getattr(found, name).tolist() for name in names}
    columns["fill"] = [Fill(value) for value in columns["fill"]]
    columns["reason"] = [ExitReason(value) for value in columns["reason"]]
    rows = zip(*(columns[name] for name in names), strict=True)
    return [Trade(**dict(zip(names, row, strict=True))) for row in rows]


def differences(fast: Trade, slow: Trade) -> list[str]:
    """Fields in which the two differ; numbers count as equal to 1e-12 of a price or a return."""
    names = [name for name in _EXACT if getattr(fast, name) != getattr(slow, name)]
    if slow.fill == Fill.FILLED:
        names += [name for name in _INSTANTS if getattr(fast, name) != getattr(slow, name)]
    numbers = (*_NUMBERS, "dividends") if slow.fill == Fill.FILLED else _NUMBERS
    names += [name for name in numbers if not _same(getattr(fast, name), getattr(slow, name))]
    return [f"{name}: fast {getattr(fast, name)!r}, slow {getattr(slow, name)!r}" for name in names]


def _same(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=TO, abs_tol=TO)


def run_slow(deal: Deal) -> Trade:
    """What the slow simulator makes of one deal."""
    return simulator.simulate(*deal.arguments())[0]


def run_fast(deal: Deal) -> Trade:
    """What the program makes of one deal."""
    return as_trades(outcomes.simulate(*deal.arguments()))[0]


both_paths = pytest.mark.parametrize("run", [run_slow, run_fast], ids=["slow", "fast"])
"""Runs a test once with each implementation."""

Run = Callable[[Deal], Trade]
