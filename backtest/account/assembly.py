"""From decided and filled orders to the account: candidates, closing marks and the benchmark."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from backtest.account.candidates import Candidates
from backtest.account.marks import MarkPrice, Marks
from backtest.execution import Costs, Fill, OrderKind
from backtest.panel.panel import EventPanel
from backtest.panel.prices import PriceTable
from backtest.paths import FloatArray, IntArray, Orders, Outcomes
from db.calendar import Calendar, Phase, calendar
from db.intervals import DAY, MINUTE

_SAME_SESSION = 21 * 60 * MINUTE
"""A close may be this much older than the mark: longer than from New York's close to the next one
in Frankfurt, not as long as from a close to the early close of the day after."""


def account_candidates(
    panel: EventPanel,
    orders: Orders,
    outcomes: Outcomes,
    rank: FloatArray,
    costs: Costs,
    side: int,
) -> tuple[Candidates, IntArray]:
    """Every order as a candidate for a slot, and the panel row of each candidate.

    An order that never filled is one too: it holds its slot until it expires.
    """
    rows = np.flatnonzero((orders.kind != OrderKind.NONE) & _sent(outcomes))
    filled = outcomes.fill[rows] == Fill.FILLED
    exit_bar = np.maximum(outcomes.exit_bar[rows], 0)
    closed = panel.table.end[exit_bar]
    released = np.where(filled, closed, np.maximum(orders.expires_at, orders.decided_at)[rows])
    days = (outcomes.exit_at - outcomes.entry_at)[rows] / DAY
    fee = costs.borrow_rate * days / 365 if side < 0 else np.zeros(len(rows))
    dividends = _dividends(panel.table, outcomes, rows, filled)
    candidates = Candidates(
        key=draw_keys(panel.events)[rows],
        instrument=panel.events["instrument_id"].to_numpy(dtype=np.int64)[rows],
        side=np.full(len(rows), side, dtype=np.int8),
        decided_at=orders.decided_at[rows],
        released_at=released,
        filled=filled,
        entry_at=outcomes.entry_at[rows],
        entry_price=outcomes.entry_price[rows],
        entry_commission=np.full(len(rows), costs.commission),
        exit_at=outcomes.exit_at[rows],
        exit_price=outcomes.exit_price[rows],
        exit_commission=np.full(len(rows), costs.commission),
        borrow_fee=np.where(filled, fee, 0.0),
        rank=rank[rows],
        dividend_row=dividends[0],
        dividend_at=dividends[1],
        dividend_cash=dividends[2],
    )
    return candidates, rows


def draw_keys(events: pd.DataFrame) -> IntArray:
    """A number for each event by what it is, not by where it lies in the store (N, unique).

    Event ids follow the order of the imports; the draw among equal candidates must not.
    """
    taken: set[int] = set()
    keys = np.empty(len(events), dtype=np.int64)
    for row, (symbol, at) in enumerate(
        zip(events["symbol"], events["announced_from"].astype("int64"), strict=True)
    ):
        digest = hashlib.blake2b(f"{symbol} {at}".encode(), digest_size=7).digest()
        key = int.from_bytes(digest)
        # Two items on one company at one instant: which is which changes nothing.
        while key in taken:
            key += 1
        taken.add(key)
        keys[row] = key
    return keys


def _sent(outcomes: Outcomes) -> np.ndarray:
    """Orders that really stood in the market: not those that the rules forbade to be sent."""
    forbidden = (Fill.SHORT_RESTRICTED, Fill.AFTER_HOLD, Fill.NO_ORDER)
    return ~np.isin(outcomes.fill, [int(code) for code in forbidden])


def _dividends(
    table: PriceTable, outcomes: Outcomes, rows: IntArray, filled: np.ndarray
) -> tuple[IntArray, IntArray, FloatArray]:
    """(candidate, instant, cash a share) of each dividend that goes ex while a position is held."""
    paying = np.flatnonzero(table.dividend != 0)
    row, at, cash = [], [], []
    for candidate in np.flatnonzero(filled):
        i = rows[candidate]
        lo = np.searchsorted(paying, outcomes.entry_bar[i], side="right")
        hi = np.searchsorted(paying, outcomes.exit_bar[i], side="right")
        for bar in paying[lo:hi]:
            row.append(candidate)
            at.append(table.start[bar])
            cash.append(table.dividend[bar])
    return (
        np.array(row, dtype=np.int64),
        np.array(at, dtype=np.int64),
        np.array(cash, dtype=np.float64),
    )


def session_marks(
    cal: Calendar, panel: EventPanel, candidates: Candidates, rows: IntArray, idle_at: int
) -> Marks:
    """Regular closes from the one before the first event to the first after the last exit.

    Without any event it is the first close after ``idle_at`` (us UTC).
    """
    begin = panel.sessions.reference_close.min() if len(panel) else idle_at
    ends = [panel.sessions.reaction_close.max(initial=0), candidates.released_at.max(initial=begin)]
    lo = min(int(np.searchsorted(cal.closes, begin)), len(cal) - 1)
    hi = int(np.searchsorted(cal.closes, max(int(end) for end in ends))) + 1
    at = cal.closes[lo:hi]
    return Marks(at, mark_prices(panel.table, panel.rank[rows], candidates.entry_at, at))


def mark_prices(table: PriceTable, rank: IntArray, entry_at: IntArray, at: IntArray) -> MarkPrice:
    """`regular_closes` of each candidate's instrument at ``at``, none from before its fill."""

    def price(candidate: int, lo: int, hi: int) -> FloatArray:
        bar = _closing_bars(table, np.full(hi - lo, rank[candidate]), at[lo:hi])
        there = (bar >= 0) & (table.end[np.maximum(bar, 0)] >= entry_at[candidate])
        return np.where(there, table.close[np.maximum(bar, 0)], np.nan)

    return price


def regular_closes(table: PriceTable, ranks: IntArray, at: IntArray) -> FloatArray:
    """Close of an instrument's last regular bar in the session that closes at an instant.

    ``ranks`` and ``at`` (regular closes, us UTC) have one entry a question; NaN where the
    instrument did not trade that session.
    """
    if not len(table):
        return np.full(len(at), np.nan)
    bar = _closing_bars(table, ranks, at)
    return np.where(bar >= 0, table.close[np.maximum(bar, 0)], np.nan)


def _closing_bars(table: PriceTable, ranks: IntArray, at: IntArray) -> IntArray:
    """Index of the bar that `regular_closes` takes, -1 where there is none."""
    last = table.at_or_after(ranks, at) - 1
    # Where exchanges differ a bar may be open at the mark: its close is not known yet.
    last = np.where(table.end[np.maximum(last, 0)] > at, last - 1, last)
    bar = np.maximum(last, 0)
    same_day = at - table.end[bar] < _SAME_SESSION
    there = same_day & (last >= table.first_bar(ranks)) & (table.phase[bar] == Phase.REGULAR)
    return np.where(there, bar, -1)


def main_calendar(panel: EventPanel) -> Calendar:
    """The calendar at whose closes the account is valued: that of most events."""
    names, counts = np.unique(np.array(panel.sessions.exchange), return_counts=True)
    return calendar(str(names[np.argmax(counts)]) if len(names) else "XNYS")
