"""How prices reacted to each event: one row an event, and those that could not be measured.

Moves are simple returns against the reference close, dividends that went ex after it added back;
they are empty (NaN) where there were no bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from backtest.funnel import funnel_frame
from backtest.panel.build import Join, build_panel, require_interval
from backtest.panel.events import events_of_kind
from backtest.panel.panel import EventPanel
from backtest.panel.sessions import from_us
from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.selection import session_labels
from db.calendar import Phase, calendar
from db.intervals import Interval

if TYPE_CHECKING:
    from db.store import Store

HORIZONS = (1, 5, 20)
"""Sessions after the reaction session at which the return is taken."""
EXCURSION = 5
"""Sessions after the reaction session over which mae and mfe run."""
MEASURED = "measured"


class Reactions(NamedTuple):
    """The frame of reactions, the funnel, and the events left out with their reasons."""

    frame: pd.DataFrame
    funnel: pd.DataFrame
    left_out: pd.DataFrame


def reactions(
    store: Store,
    *,
    symbols: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    interval: str | Interval | None = None,
    source: str | None = None,
    kind: str = "earnings",
) -> Reactions:
    """Measure the reaction to every event in the store, or to the chosen ones.

    Instants in the frame are UTC.  ``post_*`` and ``pre_*`` are bars of the evening and the
    morning that ended after the release began; ``gap`` and ``day_*`` belong to the reaction
    session; ``ret_n`` is the regular close n sessions after it; ``mae_5`` and ``mfe_5`` are the
    worst low and the best high of regular bars from its open on.
    """
    chosen = require_interval(store, interval)
    events = events_of_kind(store, kind, symbols=symbols, since=since, until=until)
    join = build_panel(store, events, chosen, source=source, hold=max(*HORIZONS, EXCURSION))
    return from_join(join)


def from_join(join: Join) -> Reactions:
    """The same from a panel that has been built already."""
    counts = pd.concat(
        [
            join.left_out["reason"].value_counts().rename("events"),
            pd.Series({MEASURED: len(join.panel)}, name="events"),
        ]
    )
    return Reactions(measure(join.panel), funnel_frame(counts, outcome=MEASURED), join.left_out)


def measure(panel: EventPanel) -> pd.DataFrame:
    """One row an event of the panel, in its order (see `reactions` for the columns)."""
    m = Measures(panel)
    s = panel.sessions
    reference_dates, reaction_dates = m.dates(s.reference), m.dates(s.reaction)
    events = panel.events
    post_low, post_low_bar = m.lowest_with_bar(Phase.POST, m.since, panel.hi)
    columns: dict[str, object] = {
        "event_id": events["event_id"],
        "symbol": events["symbol"],
        "fiscal_period": events["fiscal_period"],
        "announced_from": events["announced_from"],
        "announced_to": events["announced_to"],
        "session": session_labels(events),
        "reference_date": reference_dates,
        "reference_close": m.reference * panel.scale,
        "last_before": m.last_before() * panel.scale,
        "reaction_date": reaction_dates,
        "post_low": post_low,
        "post_low_at": from_us(post_low_bar),
        "post_high": m.highest(Phase.POST, m.since, panel.hi),
        "post_last": m.last_close(Phase.POST, m.since, panel.hi),
        "pre_low": m.lowest_with_bar(Phase.PRE, m.since, panel.hi)[0],
        "pre_high": m.highest(Phase.PRE, m.since, panel.hi),
        "pre_last": m.last_close(Phase.PRE, m.since, panel.hi),
        "gap": m.gap(),
        "day_low": m.lowest_with_bar(Phase.REGULAR, m.open_bar, panel.hi)[0],
        "day_high": m.highest(Phase.REGULAR, m.open_bar, panel.hi),
        "day_close": m.close_after(0),
    }
    for n in HORIZONS:
        columns[f"ret_{n}"] = m.close_after(n)
    end = m.end_of_session(EXCURSION)
    reached = m.has_data_through(EXCURSION)
    low = m.lowest_with_bar(Phase.REGULAR, m.open_bar, end)[0]
    high = m.highest(Phase.REGULAR, m.open_bar, end)
    columns[f"mae_{EXCURSION}"] = np.where(reached, low, np.nan)
    columns[f"mfe_{EXCURSION}"] = np.where(reached, high, np.nan)
    return pd.DataFrame(columns)


class Measures:
    """Returns against the reference close over slices of the panel's bars."""

    def __init__(self, panel: EventPanel) -> None:
        self.panel = panel
        self.table = panel.table
        self.reference = panel.table.close[panel.reference_bar]
        self.paid = panel.table.paid
        self.open_bar = panel.table.at_or_after(panel.rank, panel.sessions.reaction_open)
        # Bars that ended before the release began are no reaction to it.
        self.since = self._first_bar_ending_after(panel.sessions.announced_from)

    def _first_bar_ending_after(self, instants: IntArray) -> IntArray:
        bar = self.table.at_or_after(self.panel.rank, instants)
        before = np.maximum(bar - 1, 0)
        reaches = (bar - 1 >= self.panel.lo) & (self.table.end[before] > instants)
        return np.maximum(np.where(reaches, before, bar), self.panel.lo)

    def dates(self, sessions: IntArray) -> pd.Series:
        out = np.full(len(sessions), np.datetime64("NaT"), dtype="datetime64[D]")
        for cal, mine in self.by_calendar():
            out[mine] = cal.dates[sessions[mine]]
        return pd.Series(pd.DatetimeIndex(out.astype("datetime64[s]")))

    def by_calendar(self) -> list[tuple]:  # type: ignore[type-arg]
        names = np.array(self.panel.sessions.exchange, dtype=object)
        return [(calendar(str(n)), np.flatnonzero(names == n)) for n in sorted(set(names))]

    def _return(self, price: FloatArray, bar: IntArray, there: BoolArray) -> FloatArray:
        inside = np.minimum(np.maximum(bar, 0), max(len(self.table) - 1, 0))
        cash = self.paid[inside] - self.paid[self.panel.reference_bar]
        return np.where(there, (price + cash) / self.reference - 1, np.nan)

    def _total(self, values: FloatArray) -> FloatArray:
        """Prices with all dividends so far added: differences between bars are total gains."""
        return values + self.paid

    def lowest_with_bar(
        self, phase: Phase, lo: IntArray, hi: IntArray
    ) -> tuple[FloatArray, IntArray]:
        """Lowest low among a phase's bars in [lo, hi), and the start of its bar (-1: none)."""
        t = self.table
        low = np.where(t.phase == phase, self._total(np.minimum(t.low, t.open)), np.inf)
        value = slice_reduce(np.minimum, low, lo, hi, np.inf)
        there = np.isfinite(value)
        base = self.paid[self.panel.reference_bar]
        moves = np.where(there, (value - base) / self.reference - 1, np.nan)
        at = np.full(len(lo), -1, dtype=np.int64)
        if phase is Phase.POST:
            for i in np.flatnonzero(there):
                at[i] = t.start[lo[i] + np.argmin(low[lo[i] : hi[i]])]
        return moves, at

    def highest(self, phase: Phase, lo: IntArray, hi: IntArray) -> FloatArray:
        t = self.table
        high = np.where(t.phase == phase, self._total(np.maximum(t.high, t.open)), -np.inf)
        value = slice_reduce(np.maximum, high, lo, hi, -np.inf)
        base = self.paid[self.panel.reference_bar]
        return np.where(np.isfinite(value), (value - base) / self.reference - 1, np.nan)

    def last_close(self, phase: Phase, lo: IntArray, hi: IntArray) -> FloatArray:
        t = self.table
        place = np.where(t.phase == phase, np.arange(len(t)), -1)
        last = slice_reduce(np.maximum, place, lo, hi, -1)
        return self._return(t.close[np.maximum(last, 0)], last, last >= 0)

    def gap(self) -> FloatArray:
        there = self.open_bar < self.panel.hi
        bar = np.minimum(self.open_bar, len(self.table) - 1)
        return self._return(self.table.open[bar], bar, there)

    def closes(self, n: int) -> tuple[IntArray, IntArray]:
        """(instant of the regular close, session index) n sessions after the reaction session."""
        session = self.panel.sessions.reaction + n
        at = np.zeros(len(session), dtype=np.int64)
        for cal, mine in self.by_calendar():
            at[mine] = cal.closes[np.minimum(session[mine], len(cal) - 1)]
        return at, session

    def end_of_session(self, n: int) -> IntArray:
        return self.table.at_or_after(self.panel.rank, self.closes(n)[0])

    def has_data_through(self, n: int) -> BoolArray:
        last = self.table.session[self.table.last_bar_end(self.panel.rank) - 1]
        return np.asarray(last >= self.panel.sessions.reaction + n)

    def close_after(self, n: int) -> FloatArray:
        bar = self.end_of_session(n) - 1
        inside = np.maximum(bar, 0)
        session = self.closes(n)[1]
        there = (self.table.session[inside] == session) & (
            self.table.phase[inside] == Phase.REGULAR
        )
        return self._return(self.table.close[inside], inside, there)

    def last_before(self) -> FloatArray:
        """Last price traded before a release inside the session, where bars are fine enough."""
        s = self.panel.sessions
        bar = self.table.at_or_after(self.panel.rank, s.announced_from) - 1
        # The bar that was open at the release may hold prices from after it.
        bar = np.where(self.table.end[np.maximum(bar, 0)] > s.announced_from, bar - 1, bar)
        there = s.in_session & (bar >= self.panel.reference_bar)
        if self.panel.interval.is_daily:
            there &= False
        return np.where(there, self.table.close[np.maximum(bar, 0)], np.nan)


def slice_reduce(
    function: np.ufunc, values: np.ndarray, lo: IntArray, hi: IntArray, empty: float
) -> np.ndarray:
    """``function`` reduced over values[lo:hi] of each slice; ``empty`` where lo >= hi."""
    out = np.full(len(lo), empty, dtype=values.dtype)
    some = np.flatnonzero(lo < hi)
    if not len(some):
        return out
    # reduceat also reduces what lies between two slices: in ascending order that is each bar
    # once at the most, in any other order it could be most of the table for every slice.
    some = some[np.argsort(lo[some], kind="stable")]
    padded = np.append(values, values.dtype.type(empty))
    bounds = np.column_stack([lo[some], hi[some]]).ravel()
    out[some] = function.reduceat(padded, bounds)[::2]
    return out
