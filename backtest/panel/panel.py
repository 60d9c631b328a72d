"""`EventPanel`: what a strategy sees of a set of events, and the bars that its trades walk through.

Column t of every array is known at the end of bar t.  Columns are traded bars from the reference
close to the close of the reaction session; a minute without a trade has no column, and the
closing auction's bar is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from backtest.panel.arrays import PanelArray, as_panel_array
from backtest.panel.content import Facts, NewsColumns
from backtest.panel.prices import PriceTable
from backtest.panel.sessions import EventSessions
from backtest.paths import BoolArray, FloatArray, IntArray, Paths
from db.calendar import Phase
from db.errors import UsageError, did_you_mean
from db.intervals import MINUTE, Interval


@dataclass(frozen=True, eq=False)
class ContentSource:
    """How a panel gets its content columns; each is a function so that nothing is read unused."""

    surprise: Callable[[], Facts]
    guidance: Callable[[str], Facts]
    news: Callable[[EventPanel], NewsColumns]


@dataclass(frozen=True, eq=False)
class EventPanel:
    """N events x T bars; see the module's docstring for what a column is.

    A strategy reads the arrays (`open` ... `volume`, `phase`, `reference`, `surprise`, `news`)
    and compares them; it cannot reach a bar that its column does not know.
    """

    events: pd.DataFrame
    """One row an event, in the panel's order: `event_id`, `symbol`, `announced_from`, ..."""
    sessions: EventSessions
    table: PriceTable
    rank: IntArray
    lo: IntArray
    """First bar of each event's window in ``table``."""
    hi: IntArray
    """One past the last bar of each event's window."""
    reference_bar: IntArray
    content: ContentSource
    reads: set[str] = field(default_factory=set)
    """Names of the content columns that were read."""

    def __len__(self) -> int:
        return len(self.lo)

    @property
    def interval(self) -> Interval:
        """Length of a bar."""
        return self.table.interval

    @cached_property
    def width(self) -> int:
        """T: bars in the widest window.

        At least 2, so that events x bars is never mistaken for one value an event (N x 1).
        """
        return int((self.hi - self.lo).max(initial=2))

    @cached_property
    def bar(self) -> IntArray:
        """Index of each column's bar in ``table`` (N x T), clipped where a row is padded."""
        index = self.lo[:, None] + np.arange(self.width)
        clipped: IntArray = np.minimum(index, max(len(self.table) - 1, 0))
        return clipped

    @cached_property
    def real(self) -> BoolArray:
        """Which columns hold a bar (N x T); the rest of a row is padding."""
        return np.arange(self.width) < (self.hi - self.lo)[:, None]

    def _column(self, values: FloatArray) -> PanelArray:
        return as_panel_array(np.where(self.real, values[self.bar], np.nan))

    def _price(self, values: FloatArray) -> PanelArray:
        """Prices as traded at the reference close: those of the table know of later splits."""
        return as_panel_array(self._column(values) * self.scale[:, None])

    @cached_property
    def open(self) -> PanelArray:
        """First price of each bar, in shares of the reference close (as all prices here)."""
        return self._price(self.table.open)

    @cached_property
    def high(self) -> PanelArray:
        """Highest price of each bar."""
        return self._price(self.table.high)

    @cached_property
    def low(self) -> PanelArray:
        """Lowest price of each bar."""
        return self._price(self.table.low)

    @cached_property
    def close(self) -> PanelArray:
        """Last price of each bar."""
        return self._price(self.table.close)

    @cached_property
    def volume(self) -> PanelArray:
        """Shares traded in each bar; NaN or 0 where the source gives none."""
        return as_panel_array(self._column(self.table.volume) / self.scale[:, None])

    @cached_property
    def phase(self) -> np.ndarray:
        """`db.calendar.Phase` of each bar (int8, 0 in padding)."""
        return np.where(self.real, self.table.phase[self.bar], 0).astype(np.int8)

    @cached_property
    def end(self) -> IntArray:
        """Instant at which each column becomes known (us UTC); padding never does."""
        return np.where(self.real, self.table.end[self.bar], np.iinfo(np.int64).max)

    @cached_property
    def reference(self) -> PanelArray:
        """Reference close (N x 1)."""
        close = self.table.close[self.reference_bar] * self.scale
        return as_panel_array(close[:, None])

    @cached_property
    def before(self) -> PanelArray:
        """Last price traded before the release's interval began (N x T); NaN in bars before that.

        The close of the last bar that had ended by then; the reference close where no bar of
        the window had.
        """
        ended = (self.end <= self.sessions.announced_from[:, None]).sum(axis=1)
        last = np.where(ended > 0, self.lo + ended - 1, self.reference_bar)
        close = (self.table.close[last] * self.scale)[:, None]
        begun = self.real & (self.end >= self.sessions.announced_from[:, None])
        return as_panel_array(np.where(begun, close, np.nan))

    @cached_property
    def minutes(self) -> PanelArray:
        """Minutes from the start of the release's interval to each bar's end."""
        since = (self.end - self.sessions.announced_from[:, None]) / MINUTE
        return as_panel_array(np.where(self.real, since, np.nan))

    def in_phase(self, *names: str) -> BoolArray:
        """Which bars lie in one of the named phases (N x T)."""
        known = {phase.label: phase for phase in (Phase.PRE, Phase.REGULAR, Phase.POST)}
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known, kind="phase")
                raise UsageError(f"unknown phase {name!r}", hint=hint)
        return np.isin(self.phase, [int(known[name]) for name in names])

    @property
    def surprise(self) -> PanelArray:
        """EPS (actual - estimate) / |estimate|, a fraction; NaN until it was known."""
        self.reads.add("surprise")
        return self._surprise

    @cached_property
    def _surprise(self) -> PanelArray:
        return self.content.surprise().as_of(self.end, self.real)

    def guidance(self, metric: str) -> PanelArray:
        """Guidance midpoint against consensus, a fraction of |consensus|; NaN until known."""
        self.reads.add(f"guidance:{metric}")
        return self.content.guidance(metric).as_of(self.end, self.real)

    @property
    def news(self) -> NewsColumns:
        """Count and mean sentiment of the instrument's news since the reference close."""
        self.reads.add("news")
        return self._news

    @cached_property
    def _news(self) -> NewsColumns:
        return self.content.news(self)

    @cached_property
    def scale(self) -> FloatArray:
        """Factor from the panel's prices to prices as traded at the reference close (N)."""
        return self.table.scale_at(self.rank, self.sessions.reference_close)

    @cached_property
    def paths(self) -> Paths:
        """The same bars as slices for fills and exits: as long as the instrument has bars.

        Fully adjusted prices and traded volumes do not go together: volume is unknown there.
        """
        t = self.table
        volume = np.full(len(t), np.nan) if t.adjusted == "all" else t.volume
        return Paths(
            start=t.start,
            end=t.end,
            open=t.open,
            high=t.high,
            low=t.low,
            close=t.close,
            volume=volume,
            phase=t.phase,
            session=t.session,
            dividend=t.dividend,
            lead=t.first_bar(self.rank),
            first=self.lo,
            stop=t.last_bar_end(self.rank),
            reaction_session=self.sessions.reaction,
            reference=t.close[self.reference_bar],
            scale=self.scale,
        )
