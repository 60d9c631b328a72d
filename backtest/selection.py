"""Which of the store's events a strategy is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.panel.events import events_of_kind
from backtest.panel.sessions import event_sessions
from backtest.settings import RunSettings
from backtest.strategy import Strategy
from db.calendar import calendar
from db.errors import DataError

if TYPE_CHECKING:
    from db.store import Store

OTHER_KIND = "other kind of event"


@dataclass(frozen=True, eq=False)
class Selection:
    """Events that the strategy is about, and the others with their reason as ``status``."""

    events: pd.DataFrame
    left_out: pd.DataFrame


def chosen_events(store: Store, strategy: Strategy, settings: RunSettings) -> Selection:
    """Events of the strategy's kind in the run's span, split by its session filter.

    Raises DataError where the store has no event of that kind at all.
    """
    wanted = strategy.events
    events = events_of_kind(
        store,
        wanted.kind,
        symbols=settings.symbols,
        since=settings.since,
        until=settings.until,
    )
    if events.empty:
        everything = events_of_kind(store, wanted.kind)
        if everything.empty:
            raise DataError(
                f"the store holds no {wanted.kind} events",
                hint=f"backtest ingest {'events' if wanted.kind == 'earnings' else 'news'} FILE",
            )
        raise DataError(
            f"none of the store's {len(everything):,} {wanted.kind} events is in this selection",
            hint="widen --since, --until or --symbols",
        )
    if not wanted.sessions:
        return Selection(events, events.iloc[0:0].assign(status=""))
    mine = np.isin(session_labels(events), wanted.sessions)
    return Selection(
        events[mine].reset_index(drop=True),
        events[~mine].assign(status=OTHER_KIND).reset_index(drop=True),
    )


def session_labels(events: pd.DataFrame) -> np.ndarray:
    """``pre``, ``regular``, ``post`` or ``closed`` of each release; empty for a bare date.

    An instant is labelled as a source would have: ``pre`` from its day's midnight to the open,
    ``post`` from the close to midnight, ``closed`` on a day without a session.
    """
    labels = events["session"].to_numpy(dtype=object).copy()
    precision = events["precision"].to_numpy()
    sessions = event_sessions(events)
    names = np.array(sessions.exchange, dtype=object)
    for name in sorted(set(names)):
        mine = np.flatnonzero((names == name) & (precision == "exact"))
        cal, at = calendar(str(name)), sessions.announced_from[mine]
        session = cal.index_of_dates(cal.local_dates(at))
        parts = (session < 0, at < cal.opens[session], at < cal.closes[session])
        labels[mine] = np.select(parts, ("closed", "pre", "regular"), "post")
    labels[precision == "date"] = ""
    return labels
