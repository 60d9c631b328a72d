"""What a strategy decides on a panel: of each event the bar, the limit and the rank; no more.

``setup`` and ``why_not`` are statistics over whole windows and are not asked.
"""

from __future__ import annotations

import dataclasses
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from backtest.evidence.look_ahead.cut import Cut
from backtest.orders import ON_OPEN_CUTOFF, as_mask
from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.strategy import LimitOnOpen, OnOpen, Strategy
from db.horizon import known_until
from db.intervals import SECOND

NEVER = np.iinfo(np.int64).max
_INDEXES = ("rank", "lo", "hi", "reference_bar")


@dataclass(frozen=True, eq=False)
class Decided:
    """Decisions of N events."""

    form: str
    """``bars``, ``open`` or ``limit``: what kind of decisions they are."""
    at: IntArray
    """Instant of each decision (us UTC), `NEVER` without one."""
    column: IntArray
    """Deciding column, -1 without one and for orders placed before the open."""
    limit: FloatArray
    """Price of a limit-on-open order; NaN for the other kinds."""
    rank: FloatArray
    """Rank at the decision; NaN without one."""

    def by(self, instant: int | IntArray) -> BoolArray:
        """Which events were decided by an instant (or one instant each)."""
        found: BoolArray = (self.at <= instant) & (self.at < NEVER)
        return found


@dataclass(frozen=True, eq=False)
class Raised:
    """The strategy raised instead of deciding."""

    error: BaseException

    @property
    def text(self) -> str:
        return f"{type(self.error).__name__}: {self.error}"


@dataclass(frozen=True, eq=False)
class Tampered(Raised):
    """The strategy wrote into what it was given."""

    what: str


def evaluate(
    strategy: Strategy, cut: Cut, *, until: int | None = None, anew: bool = False
) -> Decided | Raised:
    """Ask a strategy about a panel; stores show what was known ``until`` then (None: everything).

    ``anew`` asks a copy made from its parameters, so that the object carries nothing over and
    what its ``__post_init__`` reads is read under the horizon too.  Warnings are silent: missing
    data makes NumPy complain where the whole did not.
    """
    limit = None if until is None else datetime.fromtimestamp(until / SECOND, UTC)
    given = {name: getattr(cut.panel, name) for name in (*cut.values, *_INDEXES)}
    before = {name: array.copy() for name, array in given.items()}
    events = cut.panel.events.copy(deep=False)
    with warnings.catch_warnings(), np.errstate(all="ignore"), known_until(limit):
        warnings.simplefilter("ignore")
        try:
            found = _decide(again(strategy) if anew else strategy, cut.panel, cut.known)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the author's code raises is told
            if "is read-only" in str(error):
                return Tampered(error, "the panel's bars")
            return Raised(error)
    changed = [
        name
        for name, array in before.items()
        if not np.array_equal(np.asarray(given[name]), array, equal_nan=True)
    ]
    if not cut.panel.events.equals(events):
        changed.append("events")
    if changed:
        return Tampered(ValueError("arrays changed"), f"p.{changed[0]}")
    return found


def again(strategy: Strategy) -> Strategy:
    """The strategy made anew from its parameters; itself where that cannot be done."""
    try:
        return dataclasses.replace(strategy)
    except (TypeError, ValueError):
        return strategy


def _decide(strategy: Strategy, panel: EventPanel, known: IntArray) -> Decided:
    entries = strategy.entries(panel)
    n = len(panel)
    nothing = np.full(n, np.nan)
    if isinstance(entries, LimitOnOpen):
        limit = np.broadcast_to(entries.price.reshape(-1), (n,)).astype(np.float64)
        cutoff = panel.sessions.reaction_open - ON_OPEN_CUTOFF
        at = np.where(~np.isnan(limit) & (known <= cutoff), cutoff, NEVER)
        limit = np.where(at < NEVER, limit, np.nan)
        return Decided("limit", at, np.full(n, -1), limit, _rank(strategy, panel, at))
    opens = isinstance(entries, OnOpen)
    raw = entries.mask if isinstance(entries, OnOpen) else entries
    mask = as_mask(raw, (n, panel.width), strategy) & panel.real
    instants = panel.table.start[panel.bar] if opens else panel.end
    mask &= instants >= known[:, None]
    found = mask.any(axis=1)
    column = np.where(found, mask.argmax(axis=1), -1)
    at = np.where(found, instants[np.arange(n), np.maximum(column, 0)], NEVER)
    form = "open" if opens else "bars"
    return Decided(form, at, column, nothing, _rank(strategy, panel, at))


def _rank(strategy: Strategy, panel: EventPanel, at: IntArray) -> FloatArray:
    """The rank at each decision, from the last column that was known then (N)."""
    n = len(panel)
    ranks = strategy.rank(panel)
    if ranks is None:
        return np.full(n, np.nan)
    values = np.asarray(ranks, dtype=np.float64)
    if values.shape == (n, 1):
        return np.where(at < NEVER, values[:, 0], np.nan)
    column = (panel.end <= np.where(at < NEVER, at, -1)[:, None]).sum(axis=1) - 1
    return np.where(column >= 0, values[np.arange(n), np.maximum(column, 0)], np.nan)
