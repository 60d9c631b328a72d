"""Which orders get a slot of the account, and how much of its cash.

Decisions are taken in the order of their instants.  One made at t sees what is known at t:

- a slot whose order expired, or whose trade's last bar ended, at or before t is free; its money
  comes back with it, not at the print that closed it;
- closes up to t; a position without one yet is worth its entry price;
- not the fills at t: a bar that opens at t prints after the decision.

Its size is min(equity at those prices / slots, free cash / free slots), fixed and set aside at
the decision; at the fill it buys size / (price x (1 + commission)) shares.  Equity is all cash
and every position, so orders that merely work count in full.

A short position sets aside the same size as a long one (its collateral), and what the sale
brought in is not free either until it is closed: shorts never pay for other positions.  A short
can still lose more than its collateral and its proceeds; cash then goes below zero, and an order
for which less than a millionth of a starting slot is free ends as `NO_CASH`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from backtest.account.book import Book, OrderRows
from backtest.account.candidates import Candidates
from backtest.account.marks import LastPrices, Marks
from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray
from backtest.settings import AccountSettings

_LEAST = 1e-6
"""Smallest order, as a part of a starting slot; far below, a ledger in doubles loses it."""


class SlotStatus(IntEnum):
    """Where a candidate ended."""

    ACCEPTED = 0
    ALREADY_HELD = 1
    """An order for the instrument works, or a position in it is open."""
    NO_SLOT = 2
    NO_CASH = 3
    """Short positions have lost what was free."""

    @property
    def label(self) -> str:
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True, eq=False)
class Allocation:
    """What became of N candidates in the account, and the account at its M marks.

    Money is in the currency of the prices.
    """

    status: ByteArray
    """`SlotStatus` (N)."""
    slot: IntArray
    """0 to slots - 1, -1 where not accepted (N)."""
    size: FloatArray
    """Cash set aside at the decision, costs included; 0 where not accepted (N)."""
    shares: FloatArray
    """0 where nothing was traded (N)."""
    pnl: FloatArray
    """Profit after all costs, dividends included; 0 where nothing was traded (N)."""
    lost_draw: BoolArray
    """Refused only because the seed put an equally ranked candidate first (N)."""
    equity: FloatArray
    """Cash and positions at each mark (M)."""
    cash: FloatArray
    """Proceeds of open shorts included (M)."""
    invested: FloatArray
    """Value of the positions, shorts counted as positive (M)."""
    in_market: BoolArray
    """A position was open at some time after the mark before, up to this one (M)."""
    final_equity: float
    prices: LastPrices

    @property
    def traded(self) -> IntArray:
        """Rows that were accepted and filled, ascending."""
        return np.flatnonzero(self.shares > 0)


def seeded_draw(seed: int, key: IntArray) -> npt.NDArray[np.uint64]:
    """A number for each key that depends on (seed, key) alone: splitmix64 of key and seed.

    G. L. Steele, D. Lea and C. H. Flood, "Fast splittable pseudorandom number generators",
    OOPSLA 2014.
    """
    start = _splitmix64(np.array([seed & (2**64 - 1)], dtype=np.uint64))
    return _splitmix64(key.astype(np.int64).view(np.uint64) ^ start)


def _splitmix64(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def allocate(candidates: Candidates, marks: Marks, settings: AccountSettings) -> Allocation:
    """Walk through the decisions, give out slots and cash, and value the account at each mark.

    The order of the candidates' rows changes nothing.  Raises UsageError where the marks end
    before the last exit.
    """
    prices = LastPrices(candidates, marks)
    walk = _walk(candidates, OrderRows(candidates), prices, settings)
    pnl = _pnl(candidates, walk.shares)
    return _value(candidates, marks, settings, prices, walk, pnl)


def other_seeds(
    candidates: Candidates, marks: Marks, settings: AccountSettings, n: int = 20
) -> FloatArray:
    """Final equity with each of the n seeds after the account's own, in their order (n).

    Empty where the seed decided nothing: then every seed gives the same account.  (The first
    instant at which a draw decides is the same for all seeds, since up to it all agree.)
    """
    prices, orders = LastPrices(candidates, marks), OrderRows(candidates)
    if not _walk(candidates, orders, prices, settings).lost_draw.any():
        return np.empty(0)
    final = []
    for seed in range(settings.seed + 1, settings.seed + 1 + n):
        walk = _walk(candidates, orders, prices, replace(settings, seed=seed))
        final.append(settings.cash + math.fsum(_pnl(candidates, walk.shares)))
    return np.array(final)


@dataclass(eq=False)
class _Walk:
    """What the walk through the decisions writes down, in the candidates' own rows."""

    order: IntArray
    status: ByteArray
    slot: IntArray
    size: FloatArray
    shares: FloatArray
    lost_draw: BoolArray


def _walk(c: Candidates, orders: OrderRows, prices: LastPrices, settings: AccountSettings) -> _Walk:
    unranked = np.isnan(c.rank)
    rank = np.where(unranked, 0.0, c.rank)
    draw = seeded_draw(settings.seed, c.key)
    order = np.lexsort((c.key, draw, -rank, unranked, c.decided_at))
    walk = _Walk(
        order=order,
        status=np.full(len(c), SlotStatus.ACCEPTED, dtype=np.int8),
        slot=np.full(len(c), -1),
        size=np.zeros(len(c)),
        shares=np.zeros(len(c)),
        lost_draw=np.zeros(len(c), dtype=np.bool_),
    )
    book = Book(orders, prices, settings)
    decided, instrument = orders.decided_at, orders.instrument
    ranks = list(zip(unranked.tolist(), rank.tolist(), strict=True))
    least = _LEAST * settings.cash / settings.slots
    now, share, last = None, 0.0, -1

    def tied(row: int, other: int) -> bool:
        return decided[row] == decided[other] and ranks[row] == ranks[other]

    for row in order.tolist():
        if decided[row] != now:
            # Once an instant: decisions of one instant do not see each other expire.
            now = decided[row]
            book.settle(now)
            share = book.equity() / settings.slots
        holder = book.holder.get(instrument[row])
        if holder is not None:
            walk.status[row] = SlotStatus.ALREADY_HELD
            walk.lost_draw[row] = tied(row, holder)
        elif not book.free_slots:
            walk.status[row] = SlotStatus.NO_SLOT
            walk.lost_draw[row] = last >= 0 and tied(row, last)
        elif (size := min(share, book.free_cash / len(book.free_slots))) < least:
            walk.status[row] = SlotStatus.NO_CASH
        else:
            walk.size[row] = size
            walk.slot[row], walk.shares[row] = book.accept(row, size)
            last = row
    return walk


def _pnl(c: Candidates, shares: FloatArray) -> FloatArray:
    """Profit of each row after all costs (N)."""
    entry, out = c.entry_price, c.exit_price
    a_share = c.side * (out - entry + c.dividends_a_share)
    costs = entry * (c.entry_commission + c.borrow_fee) + out * c.exit_commission
    return np.where(shares > 0, shares * (a_share - costs), 0.0)


def _value(
    c: Candidates,
    marks: Marks,
    settings: AccountSettings,
    prices: LastPrices,
    walk: _Walk,
    pnl: FloatArray,
) -> Allocation:
    rows = walk.order[walk.shares[walk.order] > 0]
    shares, side = walk.shares[rows], c.side[rows].astype(np.float64)
    bought = shares * c.entry_price[rows]
    sold = shares * c.exit_price[rows]
    entry = -side * bought - bought * c.entry_commission[rows]
    leave = side * sold - sold * c.exit_commission[rows] - bought * c.borrow_fee[rows]
    ex = [
        (at, s * cash)
        for row, s in zip(rows.tolist(), (shares * side).tolist(), strict=True)
        for at, cash in prices.dividends.get(row, ())
    ]
    at = np.concatenate([c.entry_at[rows], c.exit_at[rows], np.array([e[0] for e in ex], np.int64)])
    flow = np.concatenate([entry, leave, np.array([e[1] for e in ex], np.float64)])
    in_time = np.argsort(at, kind="stable")
    balance = settings.cash + np.concatenate([[0.0], np.cumsum(flow[in_time])])
    cash = balance[np.searchsorted(at[in_time], marks.at, side="right")]

    net, invested = np.zeros(len(marks)), np.zeros(len(marks))
    for row, n, sign in zip(rows.tolist(), shares.tolist(), side.tolist(), strict=True):
        value = n * prices.path(row)
        span = slice(prices.lo[row], prices.hi[row])
        invested[span] += value
        net[span] += sign * value
    open_now = np.zeros(len(marks) + 1, dtype=np.int64)
    np.add.at(open_now, np.searchsorted(marks.at, c.entry_at[rows], side="left"), 1)
    np.add.at(open_now, np.searchsorted(marks.at, c.exit_at[rows], side="left") + 1, -1)
    return Allocation(
        status=walk.status,
        slot=walk.slot,
        size=walk.size,
        shares=walk.shares,
        pnl=pnl,
        lost_draw=walk.lost_draw,
        equity=cash + net,
        cash=cash,
        invested=invested,
        in_market=np.cumsum(open_now)[:-1] > 0,
        final_equity=settings.cash + math.fsum(pnl),
        prices=prices,
    )
