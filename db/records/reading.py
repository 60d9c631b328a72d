"""Reading records with the filters that `Store` offers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pandas as pd
from sqlalchemy import ColumnElement, Connection, select

from db.instruments import SymbolBook
from db.models import Action, Event, NewsLink
from db.records import actions as action_rows
from db.records import event_merge, statements
from db.records import guidance as guidance_rows
from db.records import news as news_rows
from db.records.common import (
    IN_CLAUSE,
    about_symbols,
    as_of_bound,
    since_bound,
    until_bound,
)
from db.records.event_merge import nearest_event
from db.records.events import KIND

ABOUT_EVENT = timedelta(hours=24)
"""News published this close to a release of its instrument is taken to be about it."""
TOLD_LATER = timedelta(days=10)
"""An item that tells figures this long after a release is about that release still."""


def events(
    connection: Connection,
    *,
    symbols: Sequence[str] | None,
    since: date | datetime | None,
    until: date | datetime | None,
    as_of: datetime | None,
    kind: str,
) -> pd.DataFrame:
    """See `Store.events`."""
    about = None
    if symbols is not None:
        about = about_symbols(Event, SymbolBook.load(connection), symbols)
    table = event_merge.merged(connection, kind, as_of_bound(as_of), about)
    first, last = since_bound(since), until_bound(until)
    if first is not None:
        table = table[table["announced_from"] >= first]
    if last is not None:
        table = table[table["announced_from"] <= last]
    return table.reset_index(drop=True)


def revisions(connection: Connection, event_ids: Sequence[int] | None) -> pd.DataFrame:
    """See `Store.revisions`."""
    return event_merge.revisions(connection, event_ids).reset_index(drop=True)


def guidance(
    connection: Connection, event_ids: Sequence[int] | None, as_of: datetime | None
) -> pd.DataFrame:
    """See `Store.guidance`."""
    known = as_of_bound(as_of)
    table = guidance_rows.read(connection, event_merge.merged(connection, KIND, known, None), known)
    if event_ids is not None:
        table = table[table["event_id"].isin([int(one) for one in event_ids])]
    return table.reset_index(drop=True)


def news(
    connection: Connection,
    *,
    symbols: Sequence[str] | None,
    since: date | datetime | None,
    until: date | datetime | None,
    as_of: datetime | None,
    sure: float = 0.0,
) -> pd.DataFrame:
    """See `Store.news`."""
    about = None
    if symbols is not None:
        about = _about_told(connection, symbols)
    table = news_rows.read(connection, about, since=since, until=until, as_of=as_of, sure=sure)
    instruments = table["instrument_id"].dropna().unique().tolist()
    few = Event.instrument_id.in_(instruments) if len(instruments) <= IN_CLAUSE else None
    known = event_merge.merged(connection, KIND, as_of_bound(as_of), few)
    about_time = table.assign(moment=table["event_at"].fillna(table["published_at"]))
    nearest = nearest_event(about_time, known, "moment", ABOUT_EVENT)
    later = about_time[about_time["tells"]]
    table["event_id"] = nearest.fillna(
        nearest_event(later, known, "moment", TOLD_LATER, direction="backward").reindex(table.index)
    )
    return table


def _about_told(connection: Connection, symbols: Sequence[str]) -> ColumnElement[bool]:
    """Links of these symbols; a text may name one that is no instrument of the store."""
    book = SymbolBook.load(connection)
    told = set(connection.scalars(select(NewsLink.symbol).where(NewsLink.symbol.in_(symbols))))
    told -= book.spans.keys()
    known = [symbol for symbol in symbols if symbol not in told]
    return about_symbols(NewsLink, book, known) | NewsLink.symbol.in_(sorted(told))


def text_facts(
    connection: Connection, news_ids: Sequence[int] | None, as_of: datetime | None
) -> pd.DataFrame:
    """See `Store.text_facts`."""
    return statements.facts(connection, news_ids, as_of_bound(as_of)).reset_index(drop=True)


def actions(connection: Connection, symbols: Sequence[str] | None) -> pd.DataFrame:
    """See `Store.actions`."""
    about = None
    if symbols is not None:
        about = about_symbols(Action, SymbolBook.load(connection), symbols)
    return action_rows.read(connection, about)
