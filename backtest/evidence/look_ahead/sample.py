"""The events that are replayed: all of a panel, or a seeded choice of whole instruments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.evidence.look_ahead.content import SampleContent
from backtest.panel.content import NewsColumns
from backtest.panel.panel import EventPanel
from backtest.panel.sessions import EventSessions
from backtest.paths import BoolArray, IntArray

if TYPE_CHECKING:
    from db.store import Store

WINDOW = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, eq=False)
class Sample:
    """Some events of a panel as they are in it, and what was said of them."""

    panel: EventPanel
    """The sampled rows over the whole panel's bars; never given to a strategy."""
    known: IntArray
    """From when it may be used that each event happens (us UTC)."""
    content: SampleContent
    delayed: SampleContent
    total: int
    """Events of the whole panel."""

    def __len__(self) -> int:
        return len(self.panel)

    @cached_property
    def begins(self) -> IntArray:
        """From when each event is in a replay (us UTC).

        The schedule of releases is known ahead: from the reference close on.  That there is a
        news item at all is known from its publication.
        """
        if "news_id" in self.panel.events.columns:
            return self.known
        return np.asarray(self.panel.sessions.reference_close)

    @cached_property
    def ranks(self) -> IntArray:
        """Ranks of the sampled instruments in the whole panel's bars."""
        return np.unique(self.panel.rank)

    @cached_property
    def start(self) -> IntArray:
        """Start of each column's bar (N x T)."""
        return np.asarray(self.panel.table.start[self.panel.bar])

    @cached_property
    def news(self) -> NewsColumns:
        """The news columns of the sample."""
        return self.content.news(self.panel)


def sample_of(
    panel: EventPanel,
    known: IntArray,
    store: Store,
    *,
    strict: bool,
    events: int | None,
    seed: int,
    decided: BoolArray,
    unseen: pd.DataFrame,
) -> Sample:
    """At most ``events`` rows of a panel (None: all), whole instruments as far as that goes.

    ``decided`` (N): the rows that the strategy decided; instruments with one come first, and all
    events of an instrument come together, so that what one event learns from another is kept.
    ``unseen`` are the panel's events as they were before the strategy could write into them.
    """
    rows = _chosen(panel, events, seed, decided)
    picked = EventPanel(
        events=unseen.iloc[rows].reset_index(drop=True),
        sessions=take_sessions(panel.sessions, rows),
        table=panel.table,
        rank=panel.rank[rows],
        lo=panel.lo[rows],
        hi=panel.hi[rows],
        reference_bar=panel.reference_bar[rows],
        content=panel.content,
    )
    vars(picked)["width"] = panel.width
    said = (store, picked.events, picked.sessions, strict)
    return Sample(
        panel=picked,
        known=known[rows],
        content=SampleContent(*said),
        delayed=SampleContent(*said, delayed=True),
        total=len(panel),
    )


def _chosen(panel: EventPanel, events: int | None, seed: int, decided: BoolArray) -> IntArray:
    n = len(panel)
    if events is None or n <= events:
        return np.arange(n)
    rng = np.random.default_rng(seed)
    draw = rng.random(int(panel.rank.max()) + 1)
    with_decision = np.zeros(len(draw))
    with_decision[panel.rank[decided]] = 1
    # Instruments with a decision first, in drawn order; within one the order of the panel.
    order = np.lexsort((np.arange(n), draw[panel.rank], -with_decision[panel.rank]))
    return np.sort(order[:events])


def take_sessions(sessions: EventSessions, rows: IntArray) -> EventSessions:
    """The sessions of some events."""
    values: dict[str, Any] = {
        name: value[rows] if isinstance(value, np.ndarray) else [value[i] for i in rows]
        for name, value in vars(sessions).items()
    }
    return EventSessions(**values)
