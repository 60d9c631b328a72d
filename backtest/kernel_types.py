"""What the compiled fills and exits pass between them: named tuples of arrays and of numbers.

Numba notices a change of a compiled function's own file alone, so everything that is compiled
stays in `backtest.outcomes`; a change of these types changes the signatures and recompiles.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np

from backtest.execution import Costs, Exits, FillRules
from backtest.paths import ByteArray, FloatArray, IntArray

AnyArray = TypeVar("AnyArray", IntArray, FloatArray, ByteArray)


class Bars(NamedTuple):
    start: IntArray
    end: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    phase: ByteArray
    session: IntArray
    dividend: FloatArray


class Rules(NamedTuple):
    """Settings as numbers; a missing level is NaN, which no price ever touches."""

    side: float
    target: float
    stop: float
    trail: float
    hold: int
    stops_in_extended: bool
    commission: float
    half_spread: float
    extended_half_spread: float
    slippage: float
    borrow_rate: float
    notional: float
    limit_offset: float
    participation: float


class Entry(NamedTuple):
    fill: int
    bar: int
    price: float
    mid: float
    within: bool  # filled inside the bar, not at its open
    unknown_volume: bool


class Exit(NamedTuple):
    bar: int
    price: float
    mid: float
    reason: int
    within: bool
    dividends: float
    ambiguous: bool
    other_price: float
    unknown_volume: bool


def plain(values: AnyArray) -> AnyArray:
    """Contiguous and writeable: Numba compiles anew for every other layout."""
    return np.require(values, requirements=["C", "W", "A"])


def as_numbers(exits: Exits, costs: Costs, rules: FillRules, side: int) -> Rules:
    """Settings as the compiled code takes them: floats throughout, NaN for a level not set."""

    def level(value: float | None) -> float:
        return float("nan") if value is None else float(value)

    return Rules(
        side=float(side),
        target=level(exits.target),
        stop=level(exits.stop),
        trail=level(exits.trail),
        hold=int(exits.hold),
        stops_in_extended=bool(exits.stops_in_extended_hours),
        commission=float(costs.commission),
        half_spread=float(costs.half_spread),
        extended_half_spread=float(costs.extended_half_spread),
        slippage=float(costs.slippage),
        borrow_rate=float(costs.borrow_rate),
        notional=float(rules.notional),
        limit_offset=float(rules.limit_offset),
        participation=float(rules.participation),
    )
