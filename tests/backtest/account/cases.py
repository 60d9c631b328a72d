"""Small accounts written as tables: one `Order` a row, times in minutes, marks as a price table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backtest.account.candidates import Candidates
from backtest.account.marks import MarkPrice, Marks
from backtest.paths import FloatArray

MINUTE = 60_000_000
START = 1_546_300_800_000_000
"""2019-01-01T00:00Z; an order's minutes count from here."""
NAN = float("nan")


def at(minute: float) -> int:
    return START + round(minute * MINUTE)


@dataclass(frozen=True)
class Order:
    """An order; with an entry it filled.  `exit` closes it at the end of the bar `released`."""

    key: int
    instrument: int
    decided: float
    released: float
    entry: tuple[float, float] | None = None
    """(minute, price)."""
    exit: tuple[float, float] | None = None
    side: int = 1
    commission: float = 0.0
    borrow: float = 0.0
    rank: float = NAN
    dividends: tuple[tuple[float, float], ...] = ()
    """(minute, cash a share)."""
    closes: tuple[float, ...] = ()
    """At the marks from the entry to the exit; NaN for none, padded with the entry price."""


def candidates(orders: Sequence[Order]) -> Candidates:
    entries = [o.entry or (0.0, NAN) for o in orders]
    exits = [o.exit or (0.0, NAN) for o in orders]
    paid = [(i, at(when), cash) for i, o in enumerate(orders) for when, cash in o.dividends]
    commission = np.array([o.commission for o in orders], dtype=np.float64)
    return Candidates(
        key=np.array([o.key for o in orders], dtype=np.int64),
        instrument=np.array([o.instrument for o in orders], dtype=np.int64),
        side=np.array([o.side for o in orders], dtype=np.int8),
        decided_at=np.array([at(o.decided) for o in orders], dtype=np.int64),
        released_at=np.array([at(o.released) for o in orders], dtype=np.int64),
        filled=np.array([o.entry is not None for o in orders], dtype=np.bool_),
        entry_at=np.array([at(when) for when, _ in entries], dtype=np.int64),
        entry_price=np.array([price for _, price in entries], dtype=np.float64),
        entry_commission=commission,
        exit_at=np.array([at(when) for when, _ in exits], dtype=np.int64),
        exit_price=np.array([price for _, price in exits], dtype=np.float64),
        exit_commission=commission,
        borrow_fee=np.array([o.borrow for o in orders], dtype=np.float64),
        rank=np.array([o.rank for o in orders], dtype=np.float64),
        dividend_row=np.array([p[0] for p in paid], dtype=np.int64),
        dividend_at=np.array([p[1] for p in paid], dtype=np.int64),
        dividend_cash=np.array([p[2] for p in paid], dtype=np.float64),
    )


def marks(orders: Sequence[Order], minutes: Sequence[float]) -> Marks:
    instants = np.array([at(minute) for minute in minutes], dtype=np.int64)
    return Marks(instants, _prices(orders, instants))


def _prices(orders: Sequence[Order], instants: np.ndarray) -> MarkPrice:
    def price(row: int, lo: int, hi: int) -> FloatArray:
        order = orders[row]
        assert order.entry is not None
        first = int(np.searchsorted(instants, at(order.entry[0]), side="left"))
        table = np.full(len(instants), order.entry[1])
        table[first : first + len(order.closes)] = order.closes[: len(table) - first]
        return table[lo:hi]

    return price
