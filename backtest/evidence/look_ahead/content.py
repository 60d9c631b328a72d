"""What releases and news said of sampled events, read once and cut at the instant of a replay.

The times of knowledge are those of the panel (`backtest.panel.content`), assumed ones included:
they are worked out from everything the store has, and only then is what came later taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.panel.content import (
    Facts,
    NewsColumns,
    guidance_facts,
    known_from,
    news_columns,
    surprise_facts,
)
from backtest.panel.panel import EventPanel
from backtest.panel.sessions import EventSessions, to_us
from backtest.paths import FloatArray, IntArray
from db.batches import SURE
from db.horizon import known_until
from db.intervals import SECOND

if TYPE_CHECKING:
    from db.store import Store

ACTUALS = ("eps_actual", "revenue_actual")
ESTIMATES = ("eps_estimate", "revenue_estimate")


@dataclass(frozen=True, eq=False)
class SampleContent:
    """The content of a panel's events; everything is read from the store when first needed.

    ``delayed`` withholds actuals and guidance until the end of their release's interval, whatever
    a source proves.
    """

    store: Store
    events: pd.DataFrame
    sessions: EventSessions
    strict: bool
    delayed: bool = False
    _guided: dict[str, Facts] = field(default_factory=dict)

    @cached_property
    def _ids(self) -> list[int]:
        return [int(one) for one in self.events["event_id"]]

    @cached_property
    def revisions(self) -> pd.DataFrame:
        """Everything that was said of the events."""
        with known_until(None):
            said = self.store.revisions(self._ids)
        return _withheld(said) if self.delayed else said

    @cached_property
    def _guidance(self) -> pd.DataFrame:
        with known_until(None):
            said = self.store.guidance(self._ids)
        return _withheld(said) if self.delayed else said

    @cached_property
    def surprise(self) -> Facts:
        """As `ContentSource.surprise`."""
        return surprise_facts(self.revisions, self.events, self.sessions, self.strict)

    def guidance(self, metric: str) -> Facts:
        """As `ContentSource.guidance`."""
        if metric not in self._guided:
            self._guided[metric] = guidance_facts(self._guidance, metric, self.events, self.strict)
        return self._guided[metric]

    def news(self, panel: EventPanel) -> NewsColumns:
        """As `ContentSource.news`, for all events of the sample."""
        since, until = (
            datetime.fromtimestamp(at / SECOND, UTC)
            for at in (
                self.sessions.reference_close.min(initial=0),
                self.sessions.reaction_close.max(initial=0),
            )
        )
        with known_until(None):
            items = self.store.news(since=since, until=until, sure=SURE)
        items = items[items["instrument_id"].notna()]
        owner = panel.events["instrument_id"].to_numpy(dtype=np.int64)
        return news_columns(items, owner, self.sessions, panel.end, panel.real)

    @cached_property
    def has_revisions(self) -> bool:
        """Whether these events have statements of their own (news items have none)."""
        return not self.revisions.empty

    @cached_property
    def raw(self) -> dict[str, Facts]:
        """When each value of a content column of ``events`` became known, by column.

        An actual by the end of its interval or as proven; an estimate goes with the schedule,
        from the reference close on, unless its time is proven.
        """
        said = self.revisions
        row_of = pd.Series(np.arange(len(self.events)), index=self.events["event_id"].to_numpy())
        rows = row_of.loc[said["event_id"]].to_numpy(dtype=np.int64)
        first, proven = to_us(said["first_known_at"]), said["first_known_proven"].to_numpy(bool)
        found = {}
        for names, assumed in (
            (ACTUALS, self.sessions.announced_to[rows]),
            (ESTIMATES, self.sessions.reference_close[rows]),
        ):
            at = known_from(first, proven, assumed, self.strict)
            for name in names:
                values = said[name].to_numpy(dtype=np.float64)
                order = np.lexsort((first, at, rows))
                order = order[~np.isnan(values[order])]
                found[name] = Facts(rows[order], at[order], values[order])
        told = known_from(first, proven, self.sessions.reference_close[rows], self.strict)
        order = np.lexsort((told, rows))
        found["revisions"] = Facts(rows[order], told[order], np.ones(len(order)))
        return found

    def differs_when_delayed(self, *, guidance: bool) -> bool:
        """Whether anything is known before its release's interval ends; guidance where asked."""
        tables = [self.revisions, self._guidance] if guidance else [self.revisions]
        return any(bool((one["first_known_at"] < one["announced_to"]).any()) for one in tables)


def _withheld(said: pd.DataFrame) -> pd.DataFrame:
    """Statements that are known no sooner than their release's interval ends."""
    return said.assign(first_known_at=said[["first_known_at", "announced_to"]].max(axis=1))


def cut_facts(facts: Facts, at: IntArray, row_of: IntArray, wild: float | None) -> Facts:
    """Facts known by ``at`` (one instant an event of the sample), for the rows of a replay.

    ``row_of`` maps events of the sample to rows, -1 where the replay has none.  ``wild`` stands
    for every value from the next microsecond on.
    """
    row = row_of[facts.event]
    kept = (row >= 0) & (facts.known_at <= at[facts.event])
    event, known, value = row[kept], facts.known_at[kept], facts.value[kept]
    if wild is not None:
        rows = np.flatnonzero(row_of >= 0)
        event = np.concatenate([event, row_of[rows]])
        known = np.concatenate([known, at[rows] + 1])
        value = np.concatenate([value, np.full(len(rows), wild)])
    return Facts(event, known, value)


def raw_columns(
    content: SampleContent, events: pd.DataFrame, at: IntArray, wild: float | None
) -> pd.DataFrame:
    """``events`` (all of the sample) with the content columns as they stood at ``at`` (N)."""
    if not content.has_revisions:
        return events
    changes: dict[str, np.ndarray] = {}
    for name in (*ACTUALS, *ESTIMATES):
        changes[name] = _as_of(content.raw[name], events[name].to_numpy(dtype=float), at, wild)
    told = content.raw["revisions"]
    seen = np.zeros(len(events), dtype=np.int64)
    np.add.at(seen, told.event[told.known_at <= at[told.event]], 1)
    changes["revisions"] = np.maximum(seen, 1)
    return events.assign(**changes)


def _as_of(facts: Facts, final: FloatArray, at: IntArray, wild: float | None) -> FloatArray:
    known = facts.known_at <= at[facts.event]
    value = np.full(len(final), np.nan)
    # Later facts of one event stand after earlier ones: the last assignment counts.
    value[facts.event[known]] = facts.value[known]
    total = np.bincount(facts.event, minlength=len(final))
    seen = np.bincount(facts.event[known], minlength=len(final))
    value = np.where(seen == total, final, value)
    if wild is not None:
        value = np.where((seen < total) & (seen == 0), wild, value)
    return value
