"""Random but valid inputs to the fill rules, small enough to be read when they fail.

One generator serves both kinds of test: hypothesis hands it a `random.Random` whose draws it can
shrink, and the long tests hand it a seeded one.  Prices move on a coarse grid so that levels are
touched exactly, then everything is multiplied by a factor that doubles cannot hold exactly.  Bars
may open or close outside their range, but no low is above its high: imports refuse such rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

import numpy as np
from hypothesis import strategies as st

from backtest.execution import Costs, Exits, FillRules, OrderKind
from backtest.paths import Orders, Paths
from db.calendar import Phase
from db.intervals import DAY, MINUTE

T = TypeVar("T")
Row = tuple[int, int, float, float, float, float, float, int, int, float]

NO_SESSION = -1
FIRST_SESSION = 100


@dataclass(frozen=True, eq=False)
class Case:
    """Everything that one call of `simulate` takes."""

    paths: Paths
    orders: Orders
    exits: Exits
    costs: Costs
    rules: FillRules
    side: int

    def arguments(self) -> tuple[Paths, Orders, Exits, Costs, FillRules, int]:
        return self.paths, self.orders, self.exits, self.costs, self.rules, self.side

    def describe(self, event: int) -> str:
        """The event's settings, order and bars as text, for the message of a failed test."""
        p, o = self.paths, self.orders
        kind = OrderKind(o.kind[event]).name
        lines = [
            f"side {self.side:+d}  {self.exits}  {self.costs}  {self.rules}",
            f"order {kind} decided {o.decided_at[event]} expires {o.expires_at[event]}",
            f"from bar {o.from_bar[event]} limit {float(o.limit[event])!r}",
            f"lead {p.lead[event]} first {p.first[event]} stop {p.stop[event]}",
            f"reaction session {p.reaction_session[event]}",
        ]
        for j in range(p.lead[event], p.stop[event]):
            prices = " ".join(f"{float(a[j])!r}" for a in (p.open, p.high, p.low, p.close))
            lines.append(
                f"{j:4d} session {p.session[j]} {Phase(p.phase[j]).label:8} {p.start[j]}-{p.end[j]}"
                f" {prices} volume {p.volume[j]} dividend {p.dividend[j]}"
            )
        return "\n".join(lines)


def cases(
    *, instruments: int = 2, sessions: int = 4, events: int = 3, detail: int = 2
) -> st.SearchStrategy[Case]:
    """Hypothesis strategy of cases; the arguments bound their size."""
    return st.randoms(use_true_random=False).map(
        lambda r: random_case(
            r, instruments=instruments, sessions=sessions, events=events, detail=detail
        )
    )


def random_case(
    r: Random, *, instruments: int = 3, sessions: int = 5, events: int = 8, detail: int = 3
) -> Case:
    """One market, its orders and the settings; ``detail`` bounds the bars of a phase."""
    timetable = _timetable(r, sessions, detail)
    rows: list[Row] = []
    bounds = []
    for _ in range(1 + r.randrange(instruments)):
        mine = _instrument(r, timetable)
        bounds.append((len(rows), len(rows) + len(mine)))
        rows += mine
    drawn = [_event(r, rows, *_pick(r, bounds)) for _ in range(1 + r.randrange(events))]
    paths, orders = _arrays(rows, drawn)
    return Case(paths, orders, _exits(r), _costs(r), _rules(r), _pick(r, (1, -1)))


def _pick(r: Random, choices: Sequence[T]) -> T:
    return choices[r.randrange(len(choices))]


def _rarely(r: Random, one_in: int) -> bool:
    return r.randrange(one_in) == one_in - 1


def _timetable(r: Random, sessions: int, detail: int) -> list[list[tuple[int, int, int, int]]]:
    """For each session its bars' (start, end, phase, session) in exchange order."""
    daily = _rarely(r, 5)
    table = []
    day = 20_000 * DAY
    for session in range(FIRST_SESSION, FIRST_SESSION + 2 + r.randrange(sessions)):
        day += DAY * _pick(r, (1, 1, 1, 3))
        close, evening = (13, 17) if _rarely(r, 6) else (16, 20)
        hours = [(4, 9.5, Phase.PRE), (9.5, close, Phase.REGULAR), (close, evening, Phase.POST)]
        bars = []
        for begin, finish, phase in hours:
            if daily and phase != Phase.REGULAR:
                continue
            count = 1 if daily else 1 + r.randrange(detail)
            edges = [int(day + (begin + (finish - begin) * k / count) * 60 * MINUTE)
                     for k in range(count + 1)]  # fmt: skip
            bars += [(edges[k], edges[k + 1], int(phase), session) for k in range(count)]
        if not daily and _rarely(r, 12):
            stray = day + _pick(r, (3 * 60, evening * 60 + 30)) * MINUTE
            bars.append((stray, stray + 30 * MINUTE, int(Phase.CLOSED), NO_SESSION))
            bars.sort()
        table.append(bars)
    return table


def _instrument(r: Random, timetable: list[list[tuple[int, int, int, int]]]) -> list[Row]:
    """A walk on a grid of fifths, halves or ones around 20, with holes, gaps and contradictions."""
    grid = _pick(r, (0.2, 1.0, 0.1))
    frame = _pick(r, (1.0, 1 / 3, 0.2, 7.77))
    lasting = len(timetable) if r.randrange(3) else 1 + r.randrange(len(timetable))
    level = round(20 / grid)
    rows: list[Row] = []
    for bars in timetable[:lasting]:
        halted = _rarely(r, 7)
        unseen = _rarely(r, 15)
        dividend = grid * frame * (1 + r.randrange(4)) if _rarely(r, 6) else 0.0
        level = max(4, level + (r.randrange(13) - 6 if r.randrange(2) else 0))
        for start, end, phase, session in bars:
            if unseen or _rarely(r, 6) or (halted and phase == Phase.REGULAR):
                continue
            grid_prices, level = _candle(r, level)
            opened, high, low, closed = (p * grid * frame * _nudge(r) for p in grid_prices)
            low = min(low, high)
            volume = float(_pick(r, (1e6, 500.0, 100.0, 2500.0, 0.0, np.nan)))
            rows.append((start, end, opened, high, low, closed, volume, phase, session, dividend))
            dividend = 0.0  # the first bar of the day carries it, whatever its phase
    return rows


def _candle(r: Random, level: int) -> tuple[list[int], int]:
    opened = max(3, level + _pick(r, (0, 0, 0, 1, -1, 3, -3)))
    closed = max(3, opened + _pick(r, (0, 1, -1, 2, -2, 4, -4)))
    high = max(opened, closed) + _pick(r, (0, 0, 1, 2, 5))
    low = max(1, min(opened, closed) - _pick(r, (0, 0, 1, 2, 5)))
    if _rarely(r, 15):  # contradicts itself: opens above its high
        high = max(1, opened - 1)
        low = min(low, high)
    elif _rarely(r, 15):  # opens below its low
        low = opened + 1
        high = max(high, low)
    return [opened, high, low, closed], closed


def _nudge(r: Random) -> float:
    """Mostly on the grid; now and then just inside or just outside the tolerance."""
    return 1.0 if r.randrange(20) else _pick(r, (1 + 4e-10, 1 - 4e-10, 1 + 3e-9, 1 - 3e-9))


@dataclass(frozen=True)
class _Event:
    lead: int
    first: int
    stop: int
    reaction_session: int
    kind: OrderKind
    decided_at: int
    expires_at: int
    from_bar: int
    limit: float


_NOTHING = (OrderKind.NONE, 0, 0, -1, float("nan"))
_LIVES = (5 * MINUTE, 330 * MINUTE, DAY, 4 * DAY, 4 * DAY)


def _event(r: Random, rows: list[Row], lo: int, hi: int) -> _Event:
    if hi == lo or _rarely(r, 40):
        return _Event(lo, lo, lo, FIRST_SESSION, *_NOTHING)
    first = lo + min(r.randrange(hi - lo), r.randrange(hi - lo))
    lead = lo if r.randrange(4) else lo + r.randrange(first - lo + 1)
    stop = hi if r.randrange(4) else first + 1 + r.randrange(hi - first)
    reaction_session = max(FIRST_SESSION, rows[first][8]) + _pick(r, (0, 0, 1))
    order = _order(r, rows, first, stop)
    return _Event(lead, first, stop, reaction_session, *order)


def _order(
    r: Random, rows: list[Row], first: int, stop: int
) -> tuple[OrderKind, int, int, int, float]:
    kind = _pick(r, (OrderKind.MARKET, OrderKind.LIMIT, OrderKind.LIMIT_ON_OPEN,
                     OrderKind.SAME_PRINT, OrderKind.LIMIT, OrderKind.MARKET, OrderKind.LIMIT,
                     OrderKind.MARKET))  # fmt: skip
    bar = first + min(r.randrange(stop - first) for _ in range(3))
    if kind in (OrderKind.MARKET, OrderKind.LIMIT):
        decided = rows[bar][1] + _pick(r, (0, 0, 0, 7 * MINUTE))
        expires = decided + _pick(r, _LIVES)
        if _rarely(r, 4):  # dies at the very instant at which a bar starts
            expires = max(decided + MINUTE, rows[min(stop - 1, bar + 1 + r.randrange(4))][0])
        limit = rows[bar][5] if kind == OrderKind.LIMIT else float("nan")
        return kind, decided, expires, bar + 1 if bar + 1 < stop else -1, limit
    phases = (Phase.REGULAR,) if kind == OrderKind.LIMIT_ON_OPEN else tuple(set(Phase) - {0})
    while bar < stop and rows[bar][7] not in phases:
        bar += 1
    if bar == stop:
        return kind, rows[first][0], rows[first][0] + MINUTE, -1, float("nan")
    start, opened = rows[bar][0], rows[bar][2]
    limit = opened * _pick(r, (1.0, 0.95, 1.05, 1 + 5e-10, 1 - 2e-9, 1 + 2e-9))
    if kind == OrderKind.SAME_PRINT:
        return kind, start, start + MINUTE, bar, float("nan")
    return kind, start - MINUTE, start + MINUTE, bar, limit


def _arrays(rows: list[Row], events: list[_Event]) -> tuple[Paths, Orders]:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 10
    start, end, opened, high, low, closed, volume, phase, session, dividend = columns

    def floats(values: Sequence[float]) -> np.ndarray:
        return np.array(values, dtype=np.float64)

    def integers(values: Sequence[int]) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    paths = Paths(
        start=integers(start),
        end=integers(end),
        open=floats(opened),
        high=floats(high),
        low=floats(low),
        close=floats(closed),
        volume=floats(volume),
        phase=np.array(phase, dtype=np.int8),
        session=integers(session),
        dividend=floats(dividend),
        lead=integers([e.lead for e in events]),
        first=integers([e.first for e in events]),
        stop=integers([e.stop for e in events]),
        reaction_session=integers([e.reaction_session for e in events]),
        reference=floats([20.0] * len(events)),
        scale=floats([1.0] * len(events)),
    )
    orders = Orders(
        kind=np.array([e.kind for e in events], dtype=np.int8),
        decided_at=integers([e.decided_at for e in events]),
        expires_at=integers([e.expires_at for e in events]),
        from_bar=integers([e.from_bar for e in events]),
        limit=floats([e.limit for e in events]),
    )
    return paths, orders


def _exits(r: Random) -> Exits:
    stop = _pick(r, (None, 0.05, 0.1, 0.02, 0.01))
    # Beside a stop the trailing one stays off the grid: where the two levels are equal but for a
    # rounding, either name of the exit is right.
    trails = (0.05, 0.1, 0.02) if stop is None else (0.0513, 0.0987, 0.0211)
    return Exits(
        target=_pick(r, (None, 0.05, 0.1, 0.02, 0.01)),
        stop=stop,
        trail=_pick(r, (None, None, *trails)),
        hold=r.randrange(4),
        stops_in_extended_hours=bool(r.randrange(2)),
    )


def _costs(r: Random) -> Costs:
    if r.randrange(2):
        return Costs(commission=0, half_spread=0, slippage=0, borrow_rate=_pick(r, (0.0, 0.5)))
    return _pick(r, (Costs(), Costs(0.001, 0.005, 0.002, 2.0, 0.1), Costs(0.0, 0.01, 0.0, 0.0)))


def _rules(r: Random) -> FillRules:
    return FillRules(
        notional=_pick(r, (1_000.0, 5_000.0, 200.0)),
        limit_offset=_pick(r, (0.0, 0.005, 0.05)),
        participation=_pick(r, (0.1, 0.5)),
    )
