"""Build an `EventPanel` from a store, and say of every event that has none why not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.panel.content import (
    NewsColumns,
    guidance_facts,
    known_from,
    news_columns,
    surprise_facts,
)
from backtest.panel.events import events_of_kind
from backtest.panel.panel import ContentSource, EventPanel
from backtest.panel.prices import PriceTable, WantedSpans, price_table
from backtest.panel.sessions import EventSessions, event_sessions, to_us
from backtest.paths import IntArray
from db.batches import SURE
from db.calendar import Phase, calendar
from db.errors import DataError, UsageError
from db.intervals import DAY, SECOND, Interval

if TYPE_CHECKING:
    from db.store import Store

LEAD = 45 * DAY
"""Bars kept before the reference close: enough for 20 sessions of dollar volume."""


@dataclass(frozen=True, eq=False)
class Join:
    """A panel of the measurable events, and the others with their reason."""

    panel: EventPanel
    left_out: pd.DataFrame
    """Events without a panel row: the events' columns and ``reason``."""


def load_panel(
    store: Store,
    *,
    symbols: Sequence[str] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    interval: str | Interval | None = None,
    source: str | None = None,
    kind: str = "earnings",
    hold: int = 20,
) -> EventPanel:
    """The panel of a store's measurable events, to look at by hand (see `EventPanel`).

    Options as in `reactions`; ``hold`` sessions after the reaction session are kept in reach.
    """
    chosen = require_interval(store, interval)
    events = events_of_kind(store, kind, symbols=symbols, since=since, until=until)
    return build_panel(store, events, chosen, source=source, hold=hold).panel


def load_prices(
    store: Store,
    events: pd.DataFrame,
    sessions: EventSessions,
    interval: Interval,
    *,
    source: str | None,
    version: int | None,
    hold: int,
    extra_instruments: IntArray | None = None,
) -> PriceTable:
    """Read the bars that the events need, in one frame (see `prices.price_table`)."""
    known = events["instrument_id"].notna().to_numpy()
    ids = np.unique(events.loc[known, "instrument_id"].to_numpy(dtype=np.int64))
    if extra_instruments is not None:
        ids = np.union1d(ids, extra_instruments)
    since = sessions.reference_close[known]
    last = np.array(
        [
            _session_close(exchange, int(index) + hold + 1)
            for exchange, index in zip(
                np.array(sessions.exchange, dtype=object)[known],
                sessions.reaction[known],
                strict=True,
            )
        ],
        dtype=np.int64,
    )
    everything = store.instruments()
    exchange_of = dict(zip(everything["instrument_id"], everything["exchange"], strict=True))
    wanted = None
    reach: tuple[int | None, int | None] = (None, None)
    if len(ids) and not interval.is_daily:
        # A halted or delisted stock's next bar may come weeks later: the span leaves room for it.
        wanted = WantedSpans(
            events.loc[known, "instrument_id"].to_numpy(dtype=np.int64),
            since - LEAD,
            last + LEAD,
        )
        reach = (int(wanted.since.min()), int(wanted.until.max()))
    bars = store.bars(
        interval,
        instruments=[int(i) for i in ids],
        since_us=reach[0],
        until_us=reach[1],
        source=source,
        version=version,
    )
    return price_table(bars, store.actions(), exchange_of, wanted)


def _session_close(exchange: str, index: int) -> int:
    cal = calendar(exchange)
    return int(cal.closes[min(max(index, 0), len(cal) - 1)])


def build_panel(
    store: Store,
    events: pd.DataFrame,
    interval: Interval,
    *,
    source: str | None = None,
    version: int | None = None,
    hold: int = 5,
    strict: bool = False,
    extra_instruments: IntArray | None = None,
    table: PriceTable | None = None,
) -> Join:
    """Join ``events`` (rows as from `Store.events`) with bars of one interval and source.

    ``hold`` is the longest hold in sessions for which the outcome path must reach; ``strict``
    assumes nothing about when back-filled facts were known.  ``table`` joins with bars that were
    read before.  Nothing is dropped silently: every event without a row in the panel is in
    ``left_out`` with its reason.
    """
    events = events.reset_index(drop=True)
    sessions = event_sessions(events)
    if table is None:
        table = load_prices(
            store,
            events,
            sessions,
            interval,
            source=source,
            version=version,
            hold=hold,
            extra_instruments=extra_instruments,
        )
    ids = events["instrument_id"].fillna(-1).to_numpy(dtype=np.int64)
    place = locate(table, ids, sessions)
    reason = place.reason
    kept = np.flatnonzero(reason == "")
    left_out = events[reason != ""].assign(reason=reason[reason != ""])
    panel_events = events.iloc[kept].reset_index(drop=True)
    kept_sessions = take_sessions(sessions, kept)
    panel = EventPanel(
        events=panel_events,
        sessions=kept_sessions,
        table=table,
        rank=place.rank[kept],
        lo=place.lo[kept],
        hi=place.hi[kept],
        reference_bar=place.lo[kept] - 1,
        content=_content(store, panel_events, kept_sessions, strict),
    )
    return Join(panel, left_out.reset_index(drop=True))


@dataclass(frozen=True, eq=False)
class Place:
    """Where N windows lie in a price table, and why some of them cannot be measured."""

    rank: IntArray
    """Of the instrument in the table; -1 where it has no bars."""
    lo: IntArray
    """First bar at or after the reference close; the one before holds the reference price."""
    hi: IntArray
    """One past the last bar before the reaction close."""
    reason: np.ndarray
    """Empty where the window can be measured."""


def locate(table: PriceTable, instruments: IntArray, sessions: EventSessions) -> Place:
    """The bars of each window, of an event or of a night without one, by the same rules."""
    rank = table.ranks(instruments)
    lo = table.at_or_after(rank, sessions.reference_close)
    hi = np.maximum(table.at_or_after(rank, sessions.reaction_close), lo)
    reason = _why_left_out(table, sessions, instruments, rank, lo, hi)
    return Place(rank, lo, hi, reason)


def _why_left_out(
    table: PriceTable,
    sessions: EventSessions,
    ids: IntArray,
    rank: IntArray,
    lo: IntArray,
    hi: IntArray,
) -> np.ndarray:
    """The first reason that keeps each event from being measured; empty where none does."""
    reason = np.full(len(ids), "", dtype=object)

    def mark(where: np.ndarray, text: str) -> None:
        reason[where & (reason == "")] = text

    n = len(table)
    mark(ids < 0, "no instrument")
    mark(rank < 0, "no bars")
    before = np.minimum(np.maximum(lo - 1, 0), max(n - 1, 0))
    if n:
        own = (lo - 1) >= table.first_bar(rank)
        mark(~own | (lo >= table.last_bar_end(rank)), "outside the price history")
        regular = table.phase[before] == Phase.REGULAR
        same = table.session[before] == sessions.reference
        mark(~(own & regular & same), "no reference close")
        last = np.minimum(np.maximum(hi - 1, 0), n - 1)
        reacted = (hi > lo) & (table.session[last] == sessions.reaction)
        mark(~(reacted & (table.phase[last] == Phase.REGULAR)), "no reaction session")
    return reason


def take_sessions(sessions: EventSessions, kept: IntArray) -> EventSessions:
    """The sessions of the chosen rows."""
    values: dict[str, Any] = {
        name: value[kept] if isinstance(value, np.ndarray) else [value[i] for i in kept]
        for name, value in vars(sessions).items()
    }
    return EventSessions(**values)


def schedule_known(
    store: Store, events: pd.DataFrame, sessions: EventSessions, strict: bool
) -> IntArray:
    """From when it may be used that an event happens at all (us UTC).

    A proven schedule counts from the reference close on; a back-filled one is assumed known at
    the start of its interval, and under ``strict`` only when it was fetched.  Where an event has
    several revisions it is the first that says when it happens, whatever was added later.
    """
    first_known = to_us(events["first_known_at"])
    proven = events["first_known_proven"].to_numpy(dtype=np.bool_)
    known = known_from(first_known, proven, sessions.announced_from, strict)
    several = np.flatnonzero(events["revisions"].to_numpy() > 1)
    if len(several):
        row_of = pd.Series(several, index=events["event_id"].to_numpy()[several])
        said = store.revisions([int(one) for one in row_of.index])
        row = row_of.loc[said["event_id"]].to_numpy(dtype=np.int64)
        since, until = to_us(said["announced_from"]), to_us(said["announced_to"])
        # A revision that named another day said nothing about this one.
        agrees = (since <= sessions.announced_to[row]) & (until >= sessions.announced_from[row])
        at = known_from(
            to_us(said["first_known_at"]),
            said["first_known_proven"].to_numpy(dtype=np.bool_),
            sessions.announced_from[row],
            strict,
        )
        np.minimum.at(known, row[agrees], at[agrees])
    return np.maximum(known, sessions.reference_close)


def _content(
    store: Store, events: pd.DataFrame, sessions: EventSessions, strict: bool
) -> ContentSource:
    ids = [int(i) for i in events["event_id"]]

    def news(panel: EventPanel) -> NewsColumns:
        # Headlines of other years are not read: their texts are what fills the memory.
        since, until = (
            datetime.fromtimestamp(at / SECOND, UTC)
            for at in (
                sessions.reference_close.min(initial=0),
                sessions.reaction_close.max(initial=0),
            )
        )
        items = store.news(since=since, until=until, sure=SURE)
        items = items[items["instrument_id"].notna()]
        instruments = panel.events["instrument_id"].to_numpy(dtype=np.int64)
        return news_columns(items, instruments, sessions, panel.end, panel.real)

    return ContentSource(
        surprise=lambda: surprise_facts(store.revisions(ids), events, sessions, strict),
        guidance=lambda metric: guidance_facts(store.guidance(ids), metric, events, strict),
        news=news,
    )


def require_interval(store: Store, interval: str | Interval | None, usual: str = "") -> Interval:
    """The interval to use: the one asked for, else the strategy's usual one, else the only one.

    Raises UsageError where the store has no bars of it, naming those it has.
    """
    sources = store.bar_sources()
    if sources.empty:
        raise DataError(
            "the store holds no bars",
            hint="backtest ingest prices FILE --interval 1d, or backtest demo",
        )
    held = list(dict.fromkeys(sources["interval"]))
    if interval is not None:
        chosen = Interval.parse(interval)
    elif usual in held:
        chosen = Interval.parse(usual)
    elif len(held) == 1:
        chosen = Interval.parse(held[0])
    elif "1d" in held:
        chosen = Interval.D1
    else:
        raise UsageError(
            "the store holds bars of several intervals", hint=f"--interval one of {held}"
        )
    if chosen.value not in held:
        raise UsageError(
            f"the store holds no {chosen.value} bars",
            hint=f"it has {', '.join(held)}: --interval {held[0]}",
        )
    return chosen
