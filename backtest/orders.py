"""From a strategy's decisions to orders: when each lives and which bar may fill it.

A decision at instant d belongs to the first of the strategy's phases that is open at d or opens
next.  In regular hours it is a market order that lives to that session's close; in extended
hours a limit order that lives `FillRules.limit_life` minutes from d, and no longer than the
phase.  An order for a phase that opens only after its life is over is a missed one, not a later.
"""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backtest.execution import FillRules, OrderKind
from backtest.panel.arrays import ever
from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray, Orders
from backtest.strategy import LimitOnOpen, OnOpen, Strategy
from db.calendar import Calendar, Phase, calendar
from db.errors import BacktestError, UsageError
from db.intervals import MINUTE

ON_OPEN_CUTOFF = 2 * MINUTE
"""On-open orders have to be in by 9:28, two minutes before the auction."""

NOT_TRIGGERED = "not triggered"
TOO_LATE = "too late"
UNKNOWN_CONTENT = "content unknown at decision"
NOT_KNOWN_IN_TIME = "event not known in time"
NO_BARS_IN_PHASE = "no bars in phase"


@dataclass(frozen=True, eq=False)
class Decisions:
    """Orders of N events, and for each without one the reason ("" where there is an order)."""

    orders: Orders
    reason: np.ndarray
    column: IntArray
    """Deciding column of each event (-1: none, or decided before the open)."""
    same_print: BoolArray


def decide(
    strategy: Strategy, panel: EventPanel, schedule_known: IntArray, rules: FillRules
) -> Decisions:
    """Run the strategy on the panel and turn what it returns into orders.

    ``schedule_known`` (N, us UTC): no decision counts before the event itself was known.
    Raises UsageError for a result of the wrong shape or kind, and where a decision that reads
    the open could only be filled by the very print it read.
    """
    entries = ask(strategy, "entries", panel)
    if isinstance(entries, LimitOnOpen):
        decisions = _on_open_limits(strategy, entries, panel, schedule_known)
    else:
        decisions = _at_bars(strategy, entries, panel, schedule_known, rules)
    return _with_reasons(strategy, panel, decisions)


def ask(strategy: Strategy, method: str, panel: EventPanel) -> Any:
    """What a method of the strategy returns.

    Raises UsageError naming the line of the strategy's file at which it raised.
    """
    try:
        return getattr(strategy, method)(panel)
    except BacktestError:
        raise
    except (Exception, SystemExit) as error:
        said = str(error)
        raise UsageError(
            f"{type(strategy).__name__}.{method} raised {type(error).__name__}"
            + (f": {said}" if said else ""),
            where=_line_of(error, strategy),
            hint="mend the strategy; --debug shows the whole traceback",
        ) from error


def _line_of(error: BaseException, strategy: Strategy) -> str:
    """``file.py:12``: the innermost line of the strategy's own file, else of any."""
    frames = traceback.extract_tb(error.__traceback__)
    module = sys.modules.get(type(strategy).__module__)
    file = getattr(module, "__file__", None)
    mine = [frame for frame in frames if frame.filename == file] or frames
    return f"{Path(mine[-1].filename).name}:{mine[-1].lineno}"


def as_mask(values: object, shape: tuple[int, int], strategy: Strategy) -> BoolArray:
    mask = np.asarray(values)
    name = type(strategy).__name__
    if mask.dtype != np.bool_:
        raise UsageError(
            f"{name}.entries returned {mask.dtype}, not bool",
            hint="return a comparison such as p.close <= p.reference * 0.95, or limit_on_open()",
        )
    if mask.shape != shape:
        raise UsageError(
            f"{name}.entries returned the shape {mask.shape}, not events x bars {shape}",
            hint="compare events x bars arrays; a value an event broadcasts as [:, None]",
        )
    return mask


def _on_open_limits(
    strategy: Strategy, entries: LimitOnOpen, panel: EventPanel, known: IntArray
) -> Decisions:
    n = len(panel)
    limit = entries.price.reshape(-1)
    if limit.shape != (n,):
        raise UsageError(
            f"limit_on_open was given {entries.price.shape} prices for {n} events",
            hint="one limit an event, such as p.reference * 0.95",
        )
    table, sessions = panel.table, panel.sessions
    bar = table.at_or_after(panel.rank, sessions.reaction_open)
    opens = sessions.reaction_open
    # Exchanges take limit-on-open orders until two minutes before the open; placed no earlier
    # than that, an order holds its slot for these minutes and not all evening.
    cutoff = opens - ON_OPEN_CUTOFF
    placed = ~np.isnan(limit) & (known <= cutoff)
    reason = np.where(placed, "", NOT_TRIGGERED).astype(object)
    reason[~np.isnan(limit) & (known > cutoff)] = NOT_KNOWN_IN_TIME
    orders = Orders(
        kind=np.where(placed, OrderKind.LIMIT_ON_OPEN, OrderKind.NONE).astype(np.int8),
        decided_at=cutoff,
        expires_at=opens,
        from_bar=np.where(placed, bar, -1),
        # From a price as traded to one of the table, where later splits are taken out.
        limit=np.where(placed, limit / panel.scale, np.nan),
    )
    return Decisions(orders, reason, np.full(n, -1), np.zeros(n, dtype=np.bool_))


def _at_bars(
    strategy: Strategy,
    entries: BoolArray | OnOpen,
    panel: EventPanel,
    known: IntArray,
    rules: FillRules,
) -> Decisions:
    n, width = len(panel), panel.width
    reads_open = isinstance(entries, OnOpen)
    raw = entries.mask if isinstance(entries, OnOpen) else entries
    mask = as_mask(raw, (n, width), strategy) & panel.real
    if reads_open and panel.interval.is_daily and not strategy.same_print:
        raise UsageError(
            f"{type(strategy).__name__} decides on an opening price that daily bars can only "
            "fill at that same price",
            hint="return limit_on_open(...), use finer bars, or set same_print = True "
            "(its trades are then marked)",
        )
    bars = panel.table
    instants = bars.start[panel.bar] if reads_open else panel.end
    in_time = mask & (instants >= known[:, None])
    column = np.where(in_time.any(axis=1), in_time.argmax(axis=1), -1)
    found = column >= 0
    at = np.maximum(column, 0)
    rows = np.arange(n)
    bar = panel.bar[rows, at]
    decided = np.where(found, instants[rows, at], 0)
    same = np.full(n, reads_open and strategy.same_print) & found
    kind, expires = lives(strategy, panel, decided, rules)
    kind = np.where(same, OrderKind.SAME_PRINT, kind)
    expires = np.where(same, decided + MINUTE, expires)
    # Only the reaction itself is traded: an order that would wait for a later phase is too late.
    late = found & (kind == OrderKind.NONE)
    reason = np.full(n, NOT_TRIGGERED, dtype=object)
    reason[mask.any(axis=1) & ~found] = NOT_KNOWN_IN_TIME
    reason[found] = ""
    reason[late] = TOO_LATE
    # What the decision saw: a decision at the open knows no more than the open.
    seen = bars.open if reads_open else bars.close
    price = seen[bar] if len(bars) else np.full(n, np.nan)
    placed = found & ~late
    orders = Orders(
        kind=np.where(placed, kind, OrderKind.NONE).astype(np.int8),
        decided_at=decided,
        expires_at=expires,
        from_bar=np.where(placed, bar + np.where(same, 0, 1), -1),
        limit=np.where(placed & (kind == OrderKind.LIMIT), price, np.nan),
    )
    return Decisions(orders, reason, np.where(found, column, -1), same)


def lives(
    strategy: Strategy, panel: EventPanel, decided: IntArray, rules: FillRules
) -> tuple[ByteArray, IntArray]:
    """Kind of order and the instant it dies, for decisions at ``decided`` (N)."""
    kind = np.zeros(len(decided), dtype=np.int8)
    expires = np.zeros(len(decided), dtype=np.int64)
    names = np.array(panel.sessions.exchange, dtype=object)
    allowed = {Phase[name.upper()] for name in strategy.phases}
    life = int(rules.limit_life * MINUTE)
    for name in sorted(set(names)):
        mine = np.flatnonzero(names == name)
        kind[mine], expires[mine] = _lives_on(calendar(name), decided[mine], allowed, life)
    return kind, expires


def _lives_on(
    cal: Calendar, decided: IntArray, allowed: set[Phase], life: int
) -> tuple[ByteArray, IntArray]:
    """The same on one exchange: the first allowed phase open at, or opening after, each d."""
    session = np.minimum(np.searchsorted(cal.post_end, decided, side="right"), len(cal) - 1)
    kind = np.zeros(len(decided), dtype=np.int8)
    expires = np.zeros(len(decided), dtype=np.int64)
    for ahead in (0, 1):
        s = np.minimum(session + ahead, len(cal) - 1)
        spans = (
            (Phase.PRE, cal.pre_start[s], cal.opens[s]),
            (Phase.REGULAR, cal.opens[s], cal.closes[s]),
            (Phase.POST, cal.closes[s], cal.post_end[s]),
        )
        for phase, begins, ends in spans:
            if phase not in allowed:
                continue
            free = (kind == OrderKind.NONE) & (decided < ends)
            if phase is Phase.REGULAR:
                kind[free], expires[free] = OrderKind.MARKET, ends[free]
                continue
            # A limit order lives from its decision: it is not kept for a phase far ahead.
            soon = free & (begins < decided + life)
            kind[soon] = OrderKind.LIMIT
            expires[soon] = np.minimum(decided + life, ends)[soon]
            kind[free & ~soon] = -1
    kind[kind == -1] = OrderKind.NONE
    return kind, expires


def _with_reasons(strategy: Strategy, panel: EventPanel, decisions: Decisions) -> Decisions:
    """Say more than "not triggered" where the panel or the strategy can."""
    reason = decisions.reason
    idle = reason == NOT_TRIGGERED
    if strategy.phases != ("regular",):
        seen = panel.in_phase(*strategy.phases).any(axis=1)
        reason[idle & ~seen] = NO_BARS_IN_PHASE
        idle = reason == NOT_TRIGGERED
    for text, holds in ask(strategy, "why_not", panel).items():
        reason[idle & np.asarray(holds, dtype=np.bool_).reshape(-1)] = f"{NOT_TRIGGERED}: {text}"
        idle = reason == NOT_TRIGGERED
    for known in _content_read(panel):
        reason[idle & ~known] = UNKNOWN_CONTENT
        idle = reason == NOT_TRIGGERED
    return decisions


def _content_read(panel: EventPanel) -> list[BoolArray]:
    """For each content column that the strategy read: which events ever had it known."""
    found = []
    for name in sorted(panel.reads):
        if name == "surprise":
            found.append(ever(~np.isnan(panel.surprise)))
        elif name.startswith("guidance:"):
            found.append(ever(~np.isnan(panel.guidance(name.removeprefix("guidance:")))))
    return found


def rank_values(strategy: Strategy, panel: EventPanel, decisions: Decisions) -> FloatArray:
    """The strategy's rank at each decision (N, NaN without one), from nothing later.

    A limit-on-open order is ranked by the last bar that ended when it was placed.
    """
    ranks = ask(strategy, "rank", panel)
    n = len(panel)
    if ranks is None:
        return np.full(n, np.nan)
    values = np.asarray(ranks, dtype=np.float64)
    if values.shape == (n, 1):
        return values[:, 0]
    if values.shape != (n, panel.width):
        raise UsageError(
            f"{type(strategy).__name__}.rank returned the shape {values.shape}",
            hint=f"events x bars {(n, panel.width)}, or one value an event {(n, 1)}",
        )
    return at_decision(values, known_columns(panel, decisions))


def known_columns(panel: EventPanel, decisions: Decisions) -> IntArray:
    """The last column known when each order was decided (N, -1: none, or no order).

    The deciding column, or where an opening price was read the one before.
    """
    orders = decisions.orders
    known = (panel.end <= orders.decided_at[:, None]).sum(axis=1)
    return np.where(orders.kind == OrderKind.NONE, 0, known) - 1


def at_decision(values: FloatArray, column: IntArray) -> FloatArray:
    """Each event's value (of N x T) in its column; NaN for column -1."""
    rows = np.arange(len(column))
    return np.where(column >= 0, values[rows, np.maximum(column, 0)], np.nan)


def content_at_decision(panel: EventPanel, decisions: Decisions) -> dict[str, FloatArray]:
    """Content columns that the strategy read, as they stood at the decision (N each)."""
    column = known_columns(panel, decisions)
    found = {}
    for name in sorted(panel.reads):
        if name == "surprise":
            values = panel.surprise
        elif name.startswith("guidance:"):
            values = panel.guidance(name.removeprefix("guidance:"))
        else:
            values = panel.news.count
        found[name.replace(":", "_")] = at_decision(np.asarray(values), column)
    return found
