"""Reading records with the filters that `Store` offers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pandas as pd
from sqlalchemy import Connection

from db.instruments import SymbolBook
from db.models import Action, Event, NewsLink
from db.records import actions as action_rows
from db.records import event_merge
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
) -> pd.DataFrame:
    """See `Store.news`."""
    about = None
    if symbols is not None:
        about = about_symbols(NewsLink, SymbolBook.load(connection), symbols)
    table = news_rows.read(connection, about, since=since, until=until, as_of=as_of)
    instruments = table["instrument_id"].dropna().unique().tolist()
    few = Event.instrument_id.in_(instruments) if len(instruments) <= IN_CLAUSE else None
    known = event_merge.merged(connection, KIND, as_of_bound(as_of), few)
    table["event_id"] = nearest_event(table, known, "published_at", ABOUT_EVENT)
    return table


def actions(connection: Connection, symbols: Sequence[str] | None) -> pd.DataFrame:
    """See `Store.actions`."""
    about = None
    if symbols is not None:
        about = about_symbols(Action, SymbolBook.load(connection), symbols)
    return action_rows.read(connection, about)
