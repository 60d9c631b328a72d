"""The account's fills as the rows and columns of a ledger: one column a slot.

A row is an instant and a turn within it: dividends, exits, entries, then the mark at a regular
close.  A trade that enters and leaves at one instant takes its turns between the exits of older
positions and the entries of new ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from backtest.account.allocation import Allocation
from backtest.account.candidates import Candidates
from backtest.account.marks import Marks
from backtest.paths import FloatArray, IntArray
from backtest.settings import AccountSettings

SPECK = 1e-11
"""Part of a position that stands for one dividend in the ledger."""
_LEAST_SPECK = 2e-12
"""Shares.  vectorbt 1.2 takes an order of 1e-12 shares for none (`utils.math_.abs_tol`)."""


class _Turn(IntEnum):
    DIVIDEND = 0
    EXIT = 1
    BRIEF_ENTRY = 2
    BRIEF_EXIT = 3
    ENTRY = 4
    MARK = 5


@dataclass(frozen=True, eq=False)
class Ledger:
    """R rows by S slots; NaN in `size` and `price` where a slot has no order.

    **Dividends.**  Cash comes in (a short pays) on the ex-date, and the trade's own record must
    hold it.  vectorbt has no dividends, but an order's fixed fee may be negative: each dividend
    is an order that buys a speck of a share, with the dividend as its fee.  A long keeps the
    specks back from its entry and buys them at the entry price; a short covers them at its exit
    price, before the rest.  So cash, equity, the size and both average prices of the trade are
    what they would be without specks (until the last one, shares differ by one part in 1e11).
    A fee on the exit alone would credit the cash too late; a total-return price would not be
    the price that was traded; a column for dividends would leave them out of the trades.

    **Borrow fees** are a fixed fee of the exit.
    """

    at_ns: IntArray
    """Nanoseconds UTC, unique (R): the instant, plus its turn."""
    mark_row: IntArray
    """Row of each mark (M)."""
    size: FloatArray
    """Shares, negative to sell (R x S)."""
    price: FloatArray
    fees: FloatArray
    """Fraction of the notional."""
    fixed_fees: FloatArray
    """Cash; negative where cash comes in."""
    close: FloatArray
    """Last known price of what the slot holds or last held, 1 before that."""
    slack: float
    """Largest value that the specks can keep out of the account."""
    orders: int
    has_shorts: bool
    trade: IntArray
    """Candidate rows of the trades, by slot and time (T)."""
    entry_row: IntArray
    exit_row: IntArray


def build_ledger(
    candidates: Candidates, marks: Marks, allocation: Allocation, settings: AccountSettings
) -> Ledger:
    """Lay the accepted and filled orders out as ledger rows."""
    c, trade = candidates, allocation.traded
    trade = trade[np.lexsort((c.exit_at[trade], c.entry_at[trade], allocation.slot[trade]))]
    brief = c.entry_at[trade] == c.exit_at[trade]
    entry = _turn(c.entry_at[trade], np.where(brief, _Turn.BRIEF_ENTRY, _Turn.ENTRY))
    leave = _turn(c.exit_at[trade], np.where(brief, _Turn.BRIEF_EXIT, _Turn.EXIT))
    mark = _turn(marks.at, np.full(len(marks), _Turn.MARK))
    paid = _dividends(allocation, trade)
    ex = _turn(paid.at, np.full(len(paid.at), _Turn.DIVIDEND))
    turns = np.unique(np.concatenate([entry, leave, mark, ex]))
    entry_row, exit_row, ex_row, mark_row = (
        np.searchsorted(turns, wanted) for wanted in (entry, leave, ex, mark)
    )

    side = c.side[trade].astype(np.float64)
    shares, slot = allocation.shares[trade], allocation.slot[trade]
    speck = np.maximum(shares * SPECK, _LEAST_SPECK)
    specks = speck * np.bincount(paid.trade, minlength=len(trade))
    shape = len(turns), settings.slots
    size, price = np.full(shape, np.nan), np.full(shape, np.nan)
    fees, fixed = np.zeros(shape), np.zeros(shape)
    size[entry_row, slot] = side * (shares - np.where(side > 0, specks, 0.0))
    price[entry_row, slot] = c.entry_price[trade]
    fees[entry_row, slot] = c.entry_commission[trade]
    size[exit_row, slot] = -side * (shares - np.where(side > 0, 0.0, specks))
    price[exit_row, slot] = c.exit_price[trade]
    fees[exit_row, slot] = c.exit_commission[trade]
    fixed[exit_row, slot] = shares * c.entry_price[trade] * c.borrow_fee[trade]
    size[ex_row, slot[paid.trade]] = speck[paid.trade]
    # Specks pay the commission of the fill that they were kept back from.
    speck_price = np.where(side > 0, c.entry_price[trade], c.exit_price[trade])
    speck_fees = np.where(side > 0, c.entry_commission[trade], c.exit_commission[trade])
    price[ex_row, slot[paid.trade]] = speck_price[paid.trade]
    fees[ex_row, slot[paid.trade]] = speck_fees[paid.trade]
    fixed[ex_row, slot[paid.trade]] = -(side * shares)[paid.trade] * paid.cash

    return Ledger(
        at_ns=turns // len(_Turn) * 1000 + turns % len(_Turn),
        mark_row=mark_row,
        size=size,
        price=price,
        fees=fees,
        fixed_fees=fixed,
        close=_closes(price, ex_row, mark_row, paid, allocation, trade),
        # Twice: for the commission on them, and closes above both prices.
        slack=2 * float((specks * np.maximum(c.entry_price[trade], c.exit_price[trade])).sum()),
        orders=2 * len(trade) + len(paid.at),
        has_shorts=bool((side < 0).any()),
        trade=trade,
        entry_row=entry_row,
        exit_row=exit_row,
    )


def _turn(at: IntArray, turn: IntArray) -> IntArray:
    return at * len(_Turn) + turn


@dataclass(frozen=True, eq=False)
class _Dividends:
    """One entry for each trade and ex-instant: one cell of the ledger holds one order."""

    trade: IntArray
    at: IntArray
    cash: FloatArray


def _dividends(allocation: Allocation, trade: IntArray) -> _Dividends:
    position, at, cash = [], [], []
    for i, row in enumerate(trade.tolist()):
        by_instant: dict[int, float] = {}
        for ex, amount in allocation.prices.dividends.get(row, ()):
            by_instant[ex] = by_instant.get(ex, 0.0) + amount
        position += [i] * len(by_instant)
        at += list(by_instant)
        cash += list(by_instant.values())
    return _Dividends(
        np.array(position, dtype=np.int64),
        np.array(at, dtype=np.int64),
        np.array(cash, dtype=np.float64),
    )


def _closes(
    price: FloatArray,
    ex_row: IntArray,
    mark_row: IntArray,
    paid: _Dividends,
    allocation: Allocation,
    trade: IntArray,
) -> FloatArray:
    """Last known price of each slot (R x S): of its fills, marks and ex-dates."""
    prices, close = allocation.prices, price.copy()
    row, column = trade.tolist(), allocation.slot[trade].tolist()
    for i, at, ex in zip(paid.trade.tolist(), paid.at.tolist(), ex_row.tolist(), strict=True):
        close[ex, column[i]] = prices.at(row[i], at)
    for i, slot in zip(row, column, strict=True):
        close[mark_row[prices.lo[i] : prices.hi[i]], slot] = prices.path(i)
    return _carried(close)


def _carried(close: FloatArray) -> FloatArray:
    """Each column's last price carried forward, 1 before its first."""
    rows = np.arange(len(close))[:, None]
    last = np.maximum.accumulate(np.where(np.isnan(close), -1, rows), axis=0)
    carried = close[np.maximum(last, 0), np.arange(close.shape[1])]
    return np.where(last < 0, 1.0, carried)
