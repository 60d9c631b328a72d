"""The account while its decisions go by: free slots, free cash, and what the taken slots are worth.

Nothing here decides; `backtest.account.allocation` states the rules and asks.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from dataclasses import dataclass

from backtest.account.candidates import Candidates
from backtest.account.marks import LastPrices
from backtest.settings import AccountSettings


class OrderRows:
    """Columns of the candidates as lists: a loop in Python reads them five times as fast."""

    def __init__(self, c: Candidates) -> None:
        self.instrument: list[int] = c.instrument.tolist()
        self.decided_at: list[int] = c.decided_at.tolist()
        self.released_at: list[int] = c.released_at.tolist()
        self.filled: list[bool] = c.filled.tolist()
        self.side: list[int] = c.side.tolist()
        self.entry_at: list[int] = c.entry_at.tolist()
        self.entry_price: list[float] = c.entry_price.tolist()
        self.entry_commission: list[float] = c.entry_commission.tolist()
        self.exit_price: list[float] = c.exit_price.tolist()
        self.exit_commission: list[float] = c.exit_commission.tolist()
        self.borrow_fee: list[float] = c.borrow_fee.tolist()


@dataclass(frozen=True)
class _Taken:
    """A slot in use."""

    slot: int
    size: float
    signed: float
    """Shares, negative for a short; 0 for an order that will be missed."""
    beside: float
    """Cash it holds beside the shares once they are bought: nothing for a long; its collateral
    and its proceeds for a short."""


class Book:
    """Slots and cash as known at the instant last settled.

    Ties between instants are broken by turns, never by rows, so that the layout of the rows
    cannot change the order in which sums are added.
    """

    def __init__(self, orders: OrderRows, prices: LastPrices, settings: AccountSettings) -> None:
        self.free_slots = list(range(settings.slots))
        self.free_cash = settings.cash
        self.holder: dict[int, int] = {}
        """Instrument -> row of the order that works or the position that is open."""
        self._orders = orders
        self._prices = prices
        self._taken: dict[int, _Taken] = {}
        self._worth: dict[int, float] = {}
        """Row of a taken slot -> its part of the equity."""
        self._entered: set[int] = set()
        self._entries: list[tuple[int, int, int]] = []
        self._credits: list[tuple[int, int, float, int]] = []
        self._releases: list[tuple[int, int, int]] = []
        self._turn = 0
        self._marks_known = -1

    def settle(self, now: int) -> None:
        """Take note of all that is known to a decision at ``now``."""
        # A fill at this instant prints after the decision; an expiry, the end of a trade's last
        # bar and a dividend at this instant are known to it.
        while self._entries and self._entries[0][0] < now:
            row = heapq.heappop(self._entries)[2]
            # A trade that entered and left at the instant settled before is gone already.
            if row in self._taken:
                self._entered.add(row)
                self._revalue(row, now)
        while self._credits and self._credits[0][0] <= now:
            _, _, cash, row = heapq.heappop(self._credits)
            self.free_cash += cash
            self._revalue(row, now)
        while self._releases and self._releases[0][0] <= now:
            self._release(heapq.heappop(self._releases)[2])
        known = bisect_right(self._prices.marks_at, now)
        if known != self._marks_known:
            self._marks_known = known
            for row in self._taken:
                if row in self._entered:
                    self._revalue(row, now)

    def equity(self) -> float:
        """All cash and every position, at the prices known at the instant last settled."""
        return self.free_cash + sum(self._worth.values())

    def accept(self, row: int, size: float) -> tuple[int, float]:
        """Set ``size`` aside in the lowest free slot: the slot, and the shares it will buy."""
        orders = self._orders
        slot = heapq.heappop(self.free_slots)
        self.free_cash -= size
        self.holder[orders.instrument[row]] = row
        shares = signed = beside = 0.0
        if orders.filled[row]:
            price, commission = orders.entry_price[row], orders.entry_commission[row]
            shares = size / (price * (1 + commission))
            signed = shares * orders.side[row]
            beside = size - signed * price - shares * price * commission
            heapq.heappush(self._entries, (orders.entry_at[row], self._turn, row))
            for ex, cash in self._prices.dividends.get(row, ()):
                heapq.heappush(self._credits, (ex, self._turn, signed * cash, row))
        heapq.heappush(self._releases, (orders.released_at[row], self._turn, row))
        self._taken[row] = _Taken(slot, size, signed, beside)
        self._worth[row] = size
        self._turn += 1
        return slot, shares

    def _revalue(self, row: int, now: int) -> None:
        taken = self._taken[row]
        self._worth[row] = taken.beside + taken.signed * self._prices.at(row, now)

    def _release(self, row: int) -> None:
        orders, taken = self._orders, self._taken.pop(row)
        back = taken.size
        if taken.signed:
            # The shares became what they left for, less the costs of leaving.
            sold = taken.signed * orders.exit_price[row]
            fees = abs(sold) * orders.exit_commission[row]
            fees += abs(taken.signed) * orders.entry_price[row] * orders.borrow_fee[row]
            back = taken.beside + sold - fees
        self.free_cash += back
        del self._worth[row]
        self._entered.discard(row)
        del self.holder[orders.instrument[row]]
        heapq.heappush(self.free_slots, taken.slot)
