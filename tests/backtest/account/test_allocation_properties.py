"""Rules that hold in any account, and a slow second opinion that counts everything anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.account.allocation import Allocation, SlotStatus, allocate, other_seeds, seeded_draw
from backtest.settings import AccountSettings
from tests.backtest.account.cases import Order, candidates, marks
from tests.backtest.account.cases_random import MARKS, orders

CASH = 1000.0


def run(table: Sequence[Order], slots: int, seed: int = 0) -> Allocation:
    settings = AccountSettings(cash=CASH, slots=slots, seed=seed)
    return allocate(candidates(table), marks(table, MARKS), settings)


@dataclass
class Reference:
    """The account by the rules' words: at every decision all of history is looked at again."""

    slots: int
    seed: int
    taken: list[tuple[Order, float, int]] = field(default_factory=list)
    """Accepted orders with their size and slot."""
    status: dict[int, SlotStatus] = field(default_factory=dict)

    def last_price(self, order: Order, now: float) -> float:
        assert order.entry is not None
        assert order.exit is not None
        price, closes = order.entry[1], list(order.closes)
        happenings = [(when, 0, -cash) for when, cash in order.dividends]
        for mark in MARKS:
            if order.entry[0] <= mark < order.exit[0]:
                happenings.append((mark, 1, closes.pop(0)))
        for when, is_close, value in sorted(happenings, key=lambda h: h[:2]):
            if when <= now and not is_close:
                price = max(price + value, 0.0)
            elif when <= now and not math.isnan(value):
                price = value
        return price

    def shares(self, order: Order, size: float) -> float:
        return size / (order.entry[1] * (1 + order.commission)) if order.entry else 0.0

    def flows(self, order: Order, size: float, now: float) -> float:
        """Cash that came in by ``now`` for an order that is over or not."""
        total = 0.0
        if order.entry and order.exit:
            n = self.shares(order, size)
            if order.entry[0] < now or order.released <= now:
                total -= n * order.entry[1] * (order.side + order.commission)
            total += sum(n * order.side * cash for when, cash in order.dividends if when <= now)
            if order.released <= now:
                total += n * order.exit[1] * (order.side - order.commission)
                total -= n * order.entry[1] * order.borrow
        return total

    def decide(self, order: Order, free: list[int], busy: set[int], money: tuple[float, float]):
        share, free_cash = money
        if order.instrument in busy:
            return SlotStatus.ALREADY_HELD
        if not free:
            return SlotStatus.NO_SLOT
        size = min(share, free_cash / len(free))
        if size < 1e-6 * CASH / self.slots:
            return SlotStatus.NO_CASH
        self.taken.append((order, size, min(free)))
        return SlotStatus.ACCEPTED

    def run(self, table: Sequence[Order]) -> None:
        draws = {o.key: int(seeded_draw(self.seed, np.array([o.key]))[0]) for o in table}

        def turn(order: Order) -> tuple[float, float, int]:
            rank = math.inf if math.isnan(order.rank) else -order.rank
            return order.decided, rank, draws[order.key]

        for now in sorted({order.decided for order in table}):
            before = len(self.taken)
            over = [t for t in self.taken if t[0].released <= now]
            open_ = [t for t in self.taken if t[0].released > now]
            cash = CASH + sum(self.flows(o, size, now) for o, size, _ in self.taken)
            worth, tied = 0.0, 0.0
            for o, size, _ in open_:
                if o.entry and o.entry[0] < now:
                    n = self.shares(o, size)
                    worth += o.side * n * self.last_price(o, now)
                    # Bought: gone from the cash already.  Sold: collateral and proceeds stay.
                    paid = -n * o.entry[1] * (o.side + o.commission)
                    tied += size + paid
                else:
                    tied += size
            assert len(over) + len(open_) == before
            for order in sorted((o for o in table if o.decided == now), key=turn):
                open_now = [*open_, *self.taken[before:]]
                reserved = sum(size for _, size, _ in self.taken[before:])
                free = sorted(set(range(self.slots)) - {slot for _, _, slot in open_now})
                busy = {o.instrument for o, _, _ in open_now}
                money = (cash + worth) / self.slots, cash - tied - reserved
                self.status[order.key] = self.decide(order, free, busy, money)


@given(table=orders(), slots=st.integers(1, 4), seed=st.integers(0, 5))
def test_the_account_is_that_of_the_slow_second_opinion(
    table: list[Order], slots: int, seed: int
) -> None:
    result = run(table, slots, seed)
    reference = Reference(slots, seed)
    reference.run(table)
    assert [SlotStatus(s) for s in result.status] == [reference.status[o.key] for o in table]
    accepted = {order.key: (size, slot) for order, size, slot in reference.taken}
    for row, order in enumerate(table):
        size, slot = accepted.get(order.key, (0.0, -1))
        assert result.slot[row] == slot
        assert result.size[row] == pytest.approx(size, rel=1e-9, abs=1e-9)
        assert result.shares[row] == pytest.approx(reference.shares(order, size), rel=1e-9)
        profit = reference.flows(order, size, math.inf)
        assert result.pnl[row] == pytest.approx(profit, rel=1e-9, abs=1e-9)


@given(table=orders(), slots=st.integers(1, 4), data=st.data())
def test_the_layout_of_the_rows_changes_nothing(
    table: list[Order], slots: int, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(table))))
    here, there = run(table, slots), run([table[i] for i in order], slots)
    for name in ("status", "slot", "size", "shares", "pnl", "lost_draw"):
        values = getattr(here, name)
        assert np.array_equal(values[list(order)], getattr(there, name)), name
    # To the last digit: sums are added in the same order.
    for name in ("equity", "cash", "invested", "in_market"):
        assert np.array_equal(getattr(here, name), getattr(there, name)), name
    assert here.final_equity == there.final_equity


@given(table=orders(), slots=st.integers(1, 4))
def test_slots_and_instruments_are_used_once_at_a_time(table: list[Order], slots: int) -> None:
    result = run(table, slots)
    accepted = [(o, int(result.slot[i])) for i, o in enumerate(table) if result.status[i] == 0]
    assert all(0 <= slot < slots for _, slot in accepted)
    for now in sorted({o.decided for o in table}):
        # A dead order (released at its decision) holds its slot against that instant's others.
        held = [(o, s) for o, s in accepted if o.decided <= now < o.released or o.decided == now]
        assert len(held) <= slots
        assert len({slot for _, slot in held}) == len(held)
        assert len({o.instrument for o, _ in held}) == len(held)


@given(table=orders(), slots=st.integers(1, 4))
def test_profits_add_up_to_what_became_of_the_cash(table: list[Order], slots: int) -> None:
    result = run(table, slots)
    assert math.fsum(result.pnl) == pytest.approx(result.final_equity - CASH, abs=1e-9)
    assert result.equity[-1] == pytest.approx(result.final_equity, abs=1e-6, rel=1e-9)
    assert len(result.traded) == sum(
        o.entry is not None and result.status[i] == 0 for i, o in enumerate(table)
    )


@given(table=orders(sides=(1,)), slots=st.integers(1, 4))
def test_without_short_sales_cash_is_never_below_zero(table: list[Order], slots: int) -> None:
    result = run(table, slots)
    assert result.cash.min() >= -1e-9 * CASH
    assert not (result.status == SlotStatus.NO_CASH).any()
    # Between the closes too: flows in the order of their instants.
    flows = [(0.0, 2, CASH)]
    for row in result.traded:
        order, n = table[row], result.shares[row]
        assert order.entry is not None
        assert order.exit is not None
        spent = n * order.entry[1] * (1 + order.commission)
        assert spent <= result.size[row] * (1 + 1e-12)
        # A trade that leaves at the instant it enters is over before others enter.
        brief = order.entry[0] == order.exit[0]
        flows.append((order.entry[0], 2 if brief else 4, -spent))
        came = n * order.exit[1] * (1 - order.commission)
        flows.append((order.exit[0], 3 if brief else 1, came))
        flows += [(when, 0, n * cash) for when, cash in order.dividends]
    balance = np.cumsum([cash for _, _, cash in sorted(flows, key=lambda f: f[:2])])
    assert balance.min() >= -1e-9 * CASH


@given(table=orders(), slots=st.integers(1, 3), seed=st.integers(0, 5))
def test_no_other_seeds_means_that_every_seed_gives_this_account(
    table: list[Order], slots: int, seed: int
) -> None:
    settings = AccountSettings(cash=CASH, slots=slots, seed=seed)
    others = other_seeds(candidates(table), marks(table, MARKS), settings, n=4)
    finals = [run(table, slots, seed + 1 + i) for i in range(4)]
    if len(others):
        assert others.tolist() == [result.final_equity for result in finals]
    else:
        here = run(table, slots, seed)
        assert all(np.array_equal(result.status, here.status) for result in finals)
