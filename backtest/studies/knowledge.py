"""Which events fulfil a condition, from when that was known, and what could be bought then.

===========================================  ==================================================
condition                                    known
===========================================  ==================================================
``drop``, ``low``, at least so much          at the end of the first bar that reached it
the same, at most so much; daily bars        at the reaction session's open
``gap``                                      with the opening print
``surprise``, ``guidance``, ``news`` ...     when the panel's content column first shows it
``session``                                  with the schedule
``volatility``, ``price``                    at the reference close
===========================================  ==================================================

The first price at which one could have traded is the open of the first bar that starts then or
later.  The opening print itself can be had by an order placed two minutes before it, by one who
knows all else by then: a limit on the open says ``gap<=-0.05`` without having seen it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.orders import ON_OPEN_CUTOFF
from backtest.panel.content import NEVER
from backtest.paths import BoolArray, IntArray
from backtest.studies.conditions import CONTENT_NAMES, Condition
from backtest.studies.content import Content
from backtest.studies.tape import Nights
from db.errors import UsageError

LATE = "known only when the outcome was over"
NOT_SHOWN = "not known in the window of the reaction"
NO_NEWS = "no news of this company in the store"
AT_ONCE = "never all of it before the outcome was over"


@dataclass(frozen=True, eq=False)
class Judged:
    """One condition on N windows."""

    condition: Condition
    holds: BoolArray
    """It was fulfilled, and known before the outcome was over."""
    reason: np.ndarray
    """Why it is not known whether it holds (N); empty where it is."""
    known_at: IntArray
    """us UTC; `NEVER` where it does not hold."""
    on_open: bool = False
    """An order for the open can say it before anybody has seen the print."""
    truth: BoolArray | None = None
    """Content: N x C, at which instants it held."""

    @property
    def unknown(self) -> BoolArray:
        return np.asarray(self.reason != "")


@dataclass(frozen=True, eq=False)
class Known:
    """Windows that fulfil all conditions (N), and when and at which bar one could have acted."""

    mask: BoolArray
    at: IntArray
    entry: IntArray
    """Bar whose open is the first price; may lie after the outcome."""


class Judge:
    """Decides conditions on the windows of one panel.

    ``floor`` (N, us UTC): nothing counts as known before it; ``over`` (N): when the outcome is.
    ``side`` +1 buys, -1 sells short.
    """

    def __init__(
        self,
        nights: Nights,
        *,
        floor: IntArray,
        over: IntArray,
        side: int = 1,
        labels: np.ndarray | None = None,
        content: Content | None = None,
    ) -> None:
        self.nights = nights
        self.floor = floor
        self.over = over
        self.side = side
        self.labels = labels
        self.content = content

    def judge(self, condition: Condition) -> Judged:
        """One condition by itself."""
        if condition.name in CONTENT_NAMES:
            return self._content(condition)
        if condition.name == "session":
            return self._session(condition)
        return self._market(condition)

    def _finish(
        self, condition: Condition, holds: BoolArray, reason: np.ndarray, at: IntArray
    ) -> Judged:
        late = holds & (at >= self.over)
        reason[late] = LATE
        holds = holds & ~late
        on_open = condition.at_most if self.side > 0 else condition.at_least
        if condition.name in ("drop", "low") and not self._daily:
            on_open = False
        return Judged(condition, holds, reason, np.where(holds, at, NEVER), on_open)

    def _session(self, condition: Condition) -> Judged:
        if self.labels is None:
            raise UsageError("these windows have no session", where=str(condition))
        same = np.asarray(self.labels == condition.value)
        holds = same if condition.operator == "=" else ~same
        reason = np.full(len(holds), "", dtype=object)
        return self._finish(condition, holds, reason, self.floor)

    def _market(self, condition: Condition) -> Judged:
        nights, s = self.nights, self.nights.panel.sessions
        values = getattr(nights, condition.name)
        reason = np.where(np.isnan(values), nights.missing(condition.name), "")
        holds = condition.holds(values)
        if condition.name in ("volatility", "price"):
            at = s.reference_close
        elif condition.name == "gap" or self._daily:
            at = self._after_open
        elif condition.operator in (">=", ">"):
            at = nights.reached_at(condition.name, condition.holds)
        else:
            # How deep it fell is known when the evening and the morning are over.
            at = s.reaction_open
        return self._finish(condition, holds, reason, at)

    @property
    def _after_open(self) -> IntArray:
        """Just after the opening print: whoever has read it buys on a later bar."""
        table = self.nights.table
        bar = np.minimum(self.nights.open_bar, max(len(table) - 1, 0))
        return table.start[bar] + 1

    @property
    def _daily(self) -> bool:
        return self.nights.panel.interval.is_daily

    def _content(self, condition: Condition) -> Judged:
        if self.content is None:
            raise UsageError("these windows have no content", where=str(condition))
        values, instants = self.content.values(condition), self.content.instants
        in_time = instants < self.over[:, None]
        shown = ~np.isnan(values)
        truth = condition.holds(values) & shown & in_time
        reason = np.full(len(values), "", dtype=object)
        reason[~shown.any(axis=1)] = NOT_SHOWN
        reason[shown.any(axis=1) & ~(shown & in_time).any(axis=1)] = LATE
        if condition.name in ("news", "sentiment"):
            reason[~self.content.covered] = NO_NEWS
        holds = truth.any(axis=1) & (reason == "")
        first = instants[np.arange(len(values)), truth.argmax(axis=1)]
        return Judged(condition, holds, reason, np.where(holds, first, NEVER), truth=truth)

    def together(self, judged: list[Judged]) -> Known:
        """All conditions at once: those on content at one instant, the others up to it."""
        n = len(self.nights)
        mask = np.ones(n, dtype=np.bool_)
        since, with_open = self.floor.copy(), self.floor.copy()
        truth: BoolArray | None = None
        for one in judged:
            mask &= one.holds
            if one.truth is not None:
                truth = one.truth if truth is None else truth & one.truth
                continue
            at = np.where(one.holds, one.known_at, self.floor)
            with_open = np.maximum(with_open, at)
            if not one.on_open:
                since = np.maximum(since, at)
        before = self._content_from(truth, since)
        at = self._content_from(truth, with_open)
        known = at < self.over
        table, panel = self.nights.table, self.nights.panel
        # The open of a daily bar is the auction's print: orders for it are in two minutes before.
        lead = ON_OPEN_CUTOFF if self._daily else 0
        entry = table.at_or_after(panel.rank, np.minimum(at, NEVER - lead) + lead)
        entry = np.maximum(entry, panel.lo)
        if any(one.on_open for one in judged):
            by_limit = before <= panel.sessions.reaction_open - ON_OPEN_CUTOFF
            entry = np.where(by_limit, self.nights.open_bar, entry)
        # An event of which nothing was known in time stays in its group without a price.
        if not judged:
            known |= True
        return Known(mask & known, at, entry)

    def _content_from(self, truth: BoolArray | None, since: IntArray) -> IntArray:
        """The first instant from ``since`` on at which the content conditions hold (N)."""
        if truth is None or self.content is None:
            return since
        instants = self.content.instants
        rows = np.arange(len(instants))
        seen = (instants <= since[:, None]).sum(axis=1) - 1
        now = (seen >= 0) & truth[rows, np.maximum(seen, 0)]
        later = truth & (instants > since[:, None])
        first = np.where(later.any(axis=1), instants[rows, later.argmax(axis=1)], NEVER)
        return np.where(now, since, first)
