"""What releases and news said, as the panel's content columns show it, and at which instants.

With intraday bars these are the columns themselves: a fact is known at the end of the first bar
that shows it.  A daily bar ends with the outcome, so there the same facts are read at three
instants of the reaction day: when the last order for the open can be placed, at the open, and at
the close.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd

from backtest.orders import ON_OPEN_CUTOFF
from backtest.panel.content import Facts, NewsColumns, news_columns
from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.studies.conditions import Condition
from db.batches import SURE


class Content:
    """Content columns of a panel's N events at C instants each."""

    def __init__(self, panel: EventPanel, news: pd.DataFrame) -> None:
        self.panel = panel
        self._items = news

    @cached_property
    def instants(self) -> IntArray:
        """N x C, rising along a row; padding is never."""
        if not self.panel.interval.is_daily:
            return self.panel.end
        s = self.panel.sessions
        columns = (s.reaction_open - ON_OPEN_CUTOFF, s.reaction_open, s.reaction_close)
        return np.column_stack(columns)

    @cached_property
    def _real(self) -> BoolArray:
        return np.ones(self.instants.shape, dtype=np.bool_)

    def values(self, condition: Condition) -> FloatArray:
        """N x C: what the condition is about; NaN until it was known."""
        panel, daily = self.panel, self.panel.interval.is_daily
        if condition.name == "surprise":
            shown = panel.surprise if not daily else self._at(panel.content.surprise())
        elif condition.name == "guidance":
            metric = condition.metric
            shown = (
                panel.guidance(metric) if not daily else self._at(panel.content.guidance(metric))
            )
        elif condition.name == "news":
            shown = self._news.count
        else:
            shown = self._news.sentiment
        return np.asarray(shown)

    def _at(self, facts: Facts) -> FloatArray:
        return np.asarray(facts.as_of(self.instants, self._real))

    @cached_property
    def _news(self) -> NewsColumns:
        if not self.panel.interval.is_daily:
            return self.panel.news
        return news_columns(
            self._linked, self._instruments, self.panel.sessions, self.instants, self._real
        )

    @property
    def _instruments(self) -> IntArray:
        return self.panel.events["instrument_id"].to_numpy(dtype=np.int64)

    @property
    def _linked(self) -> pd.DataFrame:
        sure = self._items["link_confidence"] >= SURE
        return self._items[self._items["instrument_id"].notna() & sure]

    @cached_property
    def covered(self) -> BoolArray:
        """N: whether the store has a single news item of the event's company at all."""
        known = self._linked["instrument_id"].unique().astype(np.int64)
        return np.isin(self._instruments, known)
