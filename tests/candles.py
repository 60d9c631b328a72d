"""Six-row candle tables: a market, an order and what becomes of it, readable by eye.

A row of a table is ``session phase start-end open high low close volume [dividend]``.  Session
and row numbers count from 0; clock times are counted from the session's midnight, and
consecutive sessions are consecutive days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backtest.execution import Costs, Exits, FillRules, OrderKind
from backtest.paths import Orders, Paths
from db.calendar import Phase
from db.intervals import DAY, MINUTE

FREE = Costs(commission=0, half_spread=0, slippage=0, borrow_rate=0)
"""Nothing costs anything: fills and levels are round numbers."""

LONG_LIFE = 10 * DAY
TEN_PERCENT_OF_VOLUME = FillRules(notional=1_000, limit_offset=0, participation=0.1)
HOLD_FIVE = Exits(hold=5)
_PHASES = {phase.label: phase for phase in Phase}


def clock(session: int, time: str) -> int:
    """The instant of a session's clock time, in microseconds."""
    hours, minutes = time.split(":")
    return session * DAY + (int(hours) * 60 + int(minutes)) * MINUTE


@dataclass(frozen=True)
class Bars:
    """The columns of a table."""

    rows: tuple[tuple[float, ...], ...]

    def column(self, k: int) -> np.ndarray:
        return np.array([row[k] for row in self.rows], dtype=np.float64)

    def integers(self, k: int) -> np.ndarray:
        return np.array([row[k] for row in self.rows], dtype=np.int64)


def bars(table: str) -> Bars:
    """Parse a table; blank lines are skipped."""
    rows = []
    for line in table.strip().splitlines():
        session, phase, times, *numbers = line.split()
        start, end = times.split("-")
        day = int(session)
        values = [float(x) for x in numbers]
        opened, high, low, close, volume = values[:5]
        dividend = values[5] if len(values) > 5 else 0.0
        rows.append(
            (clock(day, start), clock(day, end), opened, high, low, close, volume,
             _PHASES[phase], -1 if phase == "closed" else day, dividend)
        )  # fmt: skip
    return Bars(tuple(rows))


@dataclass(frozen=True)
class Plan:
    """One order in terms of a table's rows; see the functions below."""

    kind: OrderKind
    row: int
    limit: float = float("nan")
    life: int = LONG_LIFE
    decided_at: int | None = None


def market_after(row: int, *, life: int = LONG_LIFE, decided_at: int | None = None) -> Plan:
    """Decided at the end of a row (or later), alive for ``life`` microseconds."""
    return Plan(OrderKind.MARKET, row, life=life, decided_at=decided_at)


def limit_after(row: int, *, life: int = LONG_LIFE, decided_at: int | None = None) -> Plan:
    """A limit order around the close of a row, decided at its end."""
    return Plan(OrderKind.LIMIT, row, life=life, decided_at=decided_at)


def limit_on_open(row: int, limit: float) -> Plan:
    """To be filled at the open of that very row, at the limit or better."""
    return Plan(OrderKind.LIMIT_ON_OPEN, row, limit=limit)


def same_print(row: int) -> Plan:
    """Filled at the very open that the decision read."""
    return Plan(OrderKind.SAME_PRINT, row)


NO_ORDER = Plan(OrderKind.NONE, -1)


@dataclass(frozen=True)
class Deal:
    """What a call of `simulate` takes for one event over a table."""

    table: str
    plan: Plan
    exits: Exits = HOLD_FIVE
    costs: Costs = FREE
    rules: FillRules = TEN_PERCENT_OF_VOLUME
    side: int = 1
    reaction: int = 0
    lead: int = 0
    stop: int | None = None

    def arguments(self) -> tuple[Paths, Orders, Exits, Costs, FillRules, int]:
        held = bars(self.table)
        paths, orders = _paths(held, self), _orders(held, self)
        return paths, orders, self.exits, self.costs, self.rules, self.side

    def but(self, **changes: object) -> Deal:
        """The same deal with something changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def _paths(held: Bars, deal: Deal) -> Paths:
    stop = len(held.rows) if deal.stop is None else deal.stop
    return Paths(
        start=held.integers(0),
        end=held.integers(1),
        open=held.column(2),
        high=held.column(3),
        low=held.column(4),
        close=held.column(5),
        volume=held.column(6),
        phase=held.integers(7).astype(np.int8),
        session=held.integers(8),
        dividend=held.column(9),
        lead=np.array([deal.lead]),
        first=np.array([deal.lead]),
        stop=np.array([stop]),
        reaction_session=np.array([deal.reaction]),
        reference=np.array([20.0]),
        scale=np.array([1.0]),
    )


def _orders(held: Bars, deal: Deal) -> Orders:
    plan = deal.plan
    start, end, close = held.integers(0), held.integers(1), held.column(5)
    stop = len(start) if deal.stop is None else deal.stop
    decided, from_bar, limit = int(start[max(plan.row, 0)]), plan.row, plan.limit
    if plan.kind in (OrderKind.MARKET, OrderKind.LIMIT):
        decided = int(end[plan.row]) if plan.decided_at is None else plan.decided_at
        from_bar = plan.row + 1 if plan.row + 1 < stop else -1
        limit = float(close[plan.row]) if plan.kind == OrderKind.LIMIT else limit
    return Orders(
        kind=np.array([plan.kind], dtype=np.int8),
        decided_at=np.array([decided]),
        expires_at=np.array([decided + plan.life]),
        from_bar=np.array([from_bar]),
        limit=np.array([limit]),
    )
