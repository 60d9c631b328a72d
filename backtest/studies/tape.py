"""The measures by which nights are chosen and matched, of events and of nights without one.

All of them are known by the reaction session's open.  Moves are against the reference close,
dividends that went ex since added back, as everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from backtest.evidence.event_study.inputs import total_return_index
from backtest.panel.panel import EventPanel
from backtest.panel.prices import RANK_BITS, PriceTable
from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.reaction_table import Measures, slice_reduce
from db.calendar import Phase

VOLATILITY_SESSIONS = 20
IN_SESSION = "released in the session"
NO_BARS = "no bars in the evening or the morning"
NO_OPEN = "no reaction open"
NO_HISTORY = f"not {VOLATILITY_SESSIONS} daily returns before"
NO_MOVEMENT = f"no movement in {VOLATILITY_SESSIONS} sessions before"
_CELLS = 4_000_000
"""Bars looked at in one go, so that long evenings of many nights fit into memory."""


class Tape:
    """A price table with what is asked of it again and again (M values each)."""

    def __init__(self, table: PriceTable) -> None:
        self.table = table

    def _extended(self, prices: FloatArray) -> FloatArray:
        outside = np.isin(self.table.phase, (int(Phase.PRE), int(Phase.POST)))
        return np.where(outside, prices + self.table.paid, np.inf)

    @cached_property
    def closes(self) -> FloatArray:
        """Closes in extended hours, dividends so far added; infinite in regular hours."""
        return self._extended(self.table.close)

    @cached_property
    def lows(self) -> FloatArray:
        """The same of the lowest prints."""
        return self._extended(np.minimum(self.table.low, self.table.open))

    @cached_property
    def volatility(self) -> FloatArray:
        """At the last regular bar of each session: standard deviation (n - 1) of the 20 daily log
        total returns up to it; NaN elsewhere, and where one of the 21 closes is missing.
        """
        t = self.table
        out = np.full(len(t), np.nan)
        regular = np.flatnonzero(t.phase == Phase.REGULAR)
        if not len(regular):
            return out
        rank = t.key[regular] >> RANK_BITS
        ends = np.append(
            (t.session[regular][1:] != t.session[regular][:-1]) | (rank[1:] != rank[:-1]), True
        )
        last = regular[ends]
        wealth, session, owner = np.log(total_return_index(t)[last]), t.session[last], rank[ends]
        step = np.full(len(last), np.nan)
        follows = (owner[1:] == owner[:-1]) & (session[1:] == session[:-1] + 1)
        step[1:] = np.where(follows, np.diff(wealth), np.nan)
        n = VOLATILITY_SESSIONS
        if len(step) < n:
            return out
        windows = np.lib.stride_tricks.sliding_window_view(step, n)
        for lo in range(0, len(windows), _CELLS // n):
            part = windows[lo : lo + _CELLS // n]
            out[last[lo + n - 1 : lo + n - 1 + len(part)]] = part.std(axis=1, ddof=1)
        return out


class Nights:
    """Measures of the N windows of a panel, each known at or before the reaction's open."""

    def __init__(self, tape: Tape, panel: EventPanel) -> None:
        self.tape = tape
        self.panel = panel
        self.table = panel.table
        self.measures = Measures(panel)

    def __len__(self) -> int:
        return len(self.panel)

    @cached_property
    def in_session(self) -> BoolArray:
        """Released once the reaction session was open: nothing before its open reacts to it."""
        s = self.panel.sessions
        return np.asarray(s.announced_from >= s.reaction_open)

    @cached_property
    def open_bar(self) -> IntArray:
        """The reaction session's first bar; one past the window where it has none."""
        return self.measures.open_bar

    @cached_property
    def gap(self) -> FloatArray:
        """Reaction open against the reference close."""
        return self.measures.gap()

    @cached_property
    def drop(self) -> FloatArray:
        """Deepest close before the reaction open, below the reference close (positive: a fall)."""
        return self._fall(self.tape.closes) if not self._daily else self._open_fall

    @cached_property
    def low(self) -> FloatArray:
        """The same by single prints."""
        return self._fall(self.tape.lows) if not self._daily else self._open_fall

    @cached_property
    def volatility(self) -> FloatArray:
        """Of the 20 sessions up to the reference close; NaN without that history."""
        return self.tape.volatility[self.panel.reference_bar]

    @cached_property
    def price(self) -> FloatArray:
        """Reference close as traded."""
        return np.asarray(self.panel.reference)[:, 0]

    @property
    def _daily(self) -> bool:
        return self.panel.interval.is_daily

    @property
    def _open_fall(self) -> FloatArray:
        return np.where(self.in_session, np.nan, -self.gap)

    @cached_property
    def _base(self) -> FloatArray:
        return self.table.paid[self.panel.reference_bar]

    def _fall(self, values: FloatArray) -> FloatArray:
        until = np.minimum(self.open_bar, self.panel.hi)
        deepest = slice_reduce(np.minimum, values, self.measures.since, until, np.inf)
        there = np.isfinite(deepest) & ~self.in_session
        return np.where(there, 1 - (deepest - self._base) / self.measures.reference, np.nan)

    def reached_at(self, name: str, test: Callable[[FloatArray], BoolArray]) -> IntArray:
        """End of the first bar of the evening or morning whose ``drop`` or ``low`` passes (N).

        -1 where none does.  ``test`` takes falls, a row a night.
        """
        values = self.tape.closes if name == "drop" else self.tape.lows
        lo, hi = self.measures.since, np.minimum(self.open_bar, self.panel.hi)
        out = np.full(len(self), -1, dtype=np.int64)
        width = int(np.maximum(hi - lo, 1).max(initial=1))
        step = max(_CELLS // width, 1)
        for begin in range(0, len(self), step):
            rows = slice(begin, begin + step)
            bar = lo[rows, None] + np.arange(width)
            inside = bar < hi[rows, None]
            bar = np.minimum(bar, len(values) - 1)
            reference = self.measures.reference[rows, None]
            fall = 1 - (values[bar] - self._base[rows, None]) / reference
            passed = test(fall) & inside & np.isfinite(fall)
            first = passed.argmax(axis=1)
            at = self.table.end[bar[np.arange(len(bar)), first]]
            out[rows] = np.where(passed.any(axis=1), at, -1)
        return np.where(self.in_session, -1, out)

    def missing(self, name: str) -> np.ndarray:
        """Why a measure is not known (N); empty where it is."""
        values = getattr(self, name)
        unknown = np.isnan(values) | ((values <= 0) if name == "volatility" else False)
        reason = np.full(len(self), "", dtype=object)
        if name == "volatility":
            reason[unknown] = NO_HISTORY
            reason[values <= 0] = NO_MOVEMENT
        elif name in ("drop", "low"):
            reason[unknown] = NO_OPEN if self._daily else NO_BARS
            reason[unknown & self.in_session] = IN_SESSION
        else:
            reason[unknown] = NO_OPEN
        return reason
