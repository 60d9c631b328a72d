"""Nights of a company on which nothing was released: what placebo nights are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.panel.build import locate, take_sessions
from backtest.panel.content import Facts, NewsColumns
from backtest.panel.panel import ContentSource, EventPanel
from backtest.panel.prices import RANK_BITS
from backtest.panel.sessions import EventSessions, event_sessions, to_us
from backtest.paths import BoolArray, IntArray
from backtest.studies.shapes import Shape
from backtest.studies.tape import Nights, Tape
from db.errors import UsageError
from db.intervals import MINUTE

APART = 2
"""Sessions on either side of a placebo night without an earnings event."""


def _nothing(*_: object) -> Facts:
    raise UsageError("a night without a release has no content")


def _no_news(_: EventPanel) -> NewsColumns:
    raise UsageError("a night without a release has no content")


@dataclass(frozen=True, eq=False)
class Releases:
    """The sessions in which companies report or may report, from every event of the store."""

    instrument: IntArray
    first: IntArray
    """First session that may hold the reaction."""
    last: IntArray

    @classmethod
    def of(cls, events: pd.DataFrame) -> Releases:
        """Of events as `Store.events` has them; those without an instrument block no night."""
        known = events[events["instrument_id"].notna()].reset_index(drop=True)
        sessions = event_sessions(known)
        ids = known["instrument_id"].to_numpy(dtype=np.int64)
        return cls(ids, np.minimum(sessions.reference + 1, sessions.reaction), sessions.reaction)

    def near(self, instrument: IntArray, first: IntArray, last: IntArray) -> BoolArray:
        """Whether windows over sessions [first, last] of instruments lie within `APART` sessions
        of a release (n each).
        """
        order = np.lexsort((self.first, self.instrument))
        owner, begin, end = self.instrument[order], self.first[order], self.last[order]
        # Of one company, the latest end so far: a window is near if some release that begins
        # before the window's end has not ended long before its begin.
        key = (owner << RANK_BITS) + begin
        reach = (owner << RANK_BITS) + end
        reach = np.maximum.accumulate(reach) if len(reach) else reach
        place = np.searchsorted(key, (instrument << RANK_BITS) + last + APART, side="right") - 1
        found = place >= 0
        at = np.maximum(place, 0)
        if not len(key):
            return np.zeros(len(instrument), dtype=np.bool_)
        return found & (reach[at] >= (instrument << RANK_BITS) + first - APART)


@dataclass(frozen=True, eq=False)
class Headlines:
    """Every news item of every instrument, by the minute of its publication."""

    key: IntArray

    @classmethod
    def of(cls, news: pd.DataFrame) -> Headlines:
        """Of items as `Store.news` has them, repeated ones included."""
        known = news[news["instrument_id"].notna()]
        owner = known["instrument_id"].to_numpy(dtype=np.int64)
        return cls(np.sort((owner << RANK_BITS) + to_us(known["published_at"]) // MINUTE))

    def between(self, instrument: IntArray, since: IntArray, until: IntArray) -> BoolArray:
        """Whether an item came out from ``since`` to ``until`` (us; n each), both included."""
        owner = instrument << RANK_BITS
        lo = np.searchsorted(self.key, owner + since // MINUTE, side="left")
        hi = np.searchsorted(self.key, owner + until // MINUTE, side="right")
        return np.asarray(hi > lo)


@dataclass(frozen=True, eq=False)
class QuietNights:
    """Where placebo nights come from."""

    tape: Tape
    exchange_of: dict[int, str]
    releases: Releases
    headlines: Headlines
    since: int
    until: int
    """Nights whose release would have begun in [since, until] (us UTC)."""
    hold: int = 0
    """Sessions after the reaction session for which the outcome is held."""

    def of(self, ranks: IntArray, shape: Shape) -> Nights:
        """All nights of instruments (of one exchange) without a release, though of that shape.

        A night needs 20 returns before it, can be measured as an event would be, and lies more
        than `APART` sessions from every release, its hold included, and apart from every news
        item of the company between its reference close and its reaction close.  Nothing of what
        came after its reaction session's first bar is looked at, but for whether it closed.
        """
        table = self.tape.table
        lo, hi = table.first_bar(ranks), table.last_bar_end(ranks)
        bars = np.concatenate(
            [a + np.flatnonzero(self.tape.volatility[a:b] > 0) for a, b in zip(lo, hi, strict=True)]
        )
        ids = table.instruments[table.key[bars] >> RANK_BITS]
        exchange = self.exchange_of[int(table.instruments[ranks[0]])]
        sessions = shape.sessions(exchange, table.session[bars])
        place = locate(table, ids, sessions)
        free = place.reason == ""
        free &= (sessions.announced_from >= self.since) & (sessions.announced_from <= self.until)
        last = sessions.reaction + self.hold
        free &= ~self.releases.near(ids, sessions.reference + 1, last)
        free &= ~self.headlines.between(ids, sessions.reference_close, sessions.reaction_close)
        kept = np.flatnonzero(free)
        return Nights(
            self.tape,
            quiet_panel(
                self.tape,
                take_sessions(sessions, kept),
                place.rank[kept],
                place.lo[kept],
                place.hi[kept],
            ),
        )


def quiet_panel(
    tape: Tape, sessions: EventSessions, rank: IntArray, lo: IntArray, hi: IntArray
) -> EventPanel:
    """The same join as an event's, without anything to read in it."""
    return EventPanel(
        events=pd.DataFrame({"instrument_id": tape.table.instruments[rank]}),
        sessions=sessions,
        table=tape.table,
        rank=rank,
        lo=lo,
        hi=hi,
        reference_bar=lo - 1,
        content=ContentSource(surprise=_nothing, guidance=_nothing, news=_no_news),
    )
