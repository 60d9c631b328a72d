"""Small stores with lively prices, and strategies that are told apart by what they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from backtest import (
    BoolArray,
    EventPanel,
    Exits,
    Strategy,
    earnings,
    first,
    limit_on_open,
    param,
)
from db.calendar import calendar
from tests.tiny_store import TinyStore

MINUTE = 60_000_000
DAYS = ("2019-01-02", "2019-12-20")
RELEASES = ("2019-02-05", "2019-05-07", "2019-08-06", "2019-11-05")


def walk(seed: int, steps: int, wild: float) -> np.ndarray:
    """Log prices around 20, rounded to cents, with gaps now and then."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.01, steps) + np.where(rng.random(steps) < 0.1, 1, 0) * rng.normal(
        0, wild, steps
    )
    return np.round(20 * np.exp(np.cumsum(moves)), 2)


def candles(start: np.ndarray, seed: int, wild: float) -> pd.DataFrame:
    """Bars that open where a walk is and close where it is next."""
    prices = walk(seed, 2 * len(start), wild)
    opened, close = prices[::2], prices[1::2]
    rng = np.random.default_rng(seed + 1)
    reach = np.abs(rng.normal(0, 0.4 * wild, (2, len(start))))
    return pd.DataFrame(
        {
            "start": start,
            "open": opened,
            "high": np.round(np.maximum(opened, close) * (1 + reach[0]), 2),
            "low": np.round(np.minimum(opened, close) * (1 - reach[1]), 2),
            "close": close,
            "volume": rng.choice([1e6, 3_000.0, np.nan], len(start)),
        }
    )


def daily_market(tiny: TinyStore, symbols: int = 6, wild: float = 0.08) -> None:
    """A year of daily bars; every company reports four times after the close."""
    cal = calendar("XNYS")
    days = cal.index_of_dates(np.array(DAYS, "datetime64[D]"))
    starts = cal.opens[days[0] : days[1] + 1]
    for number in range(symbols):
        tiny.daily(f"S{number}", candles(starts, 100 + number, wild))
        for when in RELEASES:
            tiny.release(f"S{number}", when, "post")
    tiny.dividend("S1", "2019-05-09", 0.40)
    tiny.split("S2", "2019-08-08", 2)


def minute_market(tiny: TinyStore, symbols: int = 4, wild: float = 0.02) -> None:
    """A few days around each release: sparse bars before, in and after regular hours."""
    cal = calendar("XNYS")
    rng = np.random.default_rng(7)
    for number in range(symbols):
        starts: list[int] = []
        for when in RELEASES:
            day = int(cal.index_of_dates(np.array([when], "datetime64[D]"))[0])
            for session in range(day - 1, day + 6):
                close, opened = int(cal.closes[session]), int(cal.opens[session])
                evening = close + MINUTE * np.sort(rng.choice(np.arange(1, 50), 25, False))
                regular = opened + MINUTE * np.sort(rng.choice(np.arange(389), 8, False))
                morning = opened - MINUTE * np.sort(rng.choice(np.arange(1, 300), 5, False))[::-1]
                starts += [*morning, *regular, close - MINUTE, *evening]
        tiny.bars(f"M{number}", candles(np.array(starts), 500 + number, wild))
        for when in RELEASES:
            tiny.release(f"M{number}", when, "post")


@dataclass(frozen=True)
class Gap(Strategy):
    """Buys opens that are low enough."""

    events: ClassVar = earnings()
    interval: ClassVar = "1d"

    drop: float = param(0.0, ge=-1, le=0.5)
    exits: Exits = Exits(target=0.05, stop=0.05, hold=2)

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * (1 - self.drop))


@dataclass(frozen=True)
class GapShort(Gap):
    """Sells opens that are high enough."""

    side: ClassVar = "short"

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * (1 + self.drop))


@dataclass(frozen=True)
class Turn(Strategy):
    """Buys at any hour once the price has moved by some part of the reference close."""

    events: ClassVar = earnings(session="post")
    phases: ClassVar = ("post", "pre", "regular")
    interval: ClassVar = "1m"

    move: float = param(0.01, ge=0, le=1)
    exits: Exits = Exits(target=0.05, stop=0.05, hold=1)

    def entries(self, p: EventPanel) -> BoolArray:
        return first(abs(p.close / p.reference - 1) >= self.move)


@dataclass(frozen=True)
class TurnShort(Turn):
    """Sells instead."""

    side: ClassVar = "short"
