"""Guidance: a company's own outlook, tied to the event it came with when it is read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, insert, select

from db.batches import GuidanceRecord
from db.models import Guidance
from db.records.common import (
    SAME_EVENT,
    Intake,
    Statement,
    about_batch,
    content_of,
    day_of_release,
    frame,
    named_since,
    pages,
)
from db.records.event_merge import nearest_event

_TOPIC = ("metric", "period")
_CONTENT = (
    "low",
    "high",
    "unit",
    "consensus",
    "announced_from",
    "announced_to",
    "precision",
    "session",
)
_COLUMNS = (
    "event_id",
    "instrument_id",
    "metric",
    "period",
    "low",
    "high",
    "unit",
    "consensus",
    "first_known_at",
    "first_known_proven",
    "announced_from",
    "announced_to",
    "source",
    "news_id",
)
_INSTANTS = ("first_known_at", "announced_from", "announced_to")


def take_in(intake: Intake, records: Sequence[GuidanceRecord]) -> None:
    """Add what is new.

    The same metric and period, announced within `SAME_EVENT`, is the same statement: with other
    content it revises the earlier one, which is kept.
    """
    relevant = about_batch(Guidance, intake.book, (record.symbol for record in records))
    said = _said(intake.connection, intake.provenance.source, relevant)
    rows: list[dict[str, Any]] = []
    for record in records:
        day = day_of_release(record.announced_from, record.announced_to)
        instrument = intake.book.resolve_or_create(record.symbol, day)
        owner = instrument if instrument is not None else record.symbol
        known_at, proven = intake.known(record.first_known_at)
        content = content_of(record, _CONTENT)
        statement = Statement(known_at, tuple(content.values()))
        earlier = said.setdefault((owner, record.metric, record.period), [])
        near = [one for when, one in earlier if abs(when - record.announced_from) <= SAME_EVENT]
        if statement.repeats(near):
            intake.tally.unchanged += 1
            continue
        if near:
            intake.tally.revised += 1
        else:
            intake.tally.added += 1
        earlier.append((record.announced_from, statement))
        rows.append(
            {
                "instrument_id": instrument,
                "symbol": record.symbol,
                "metric": record.metric,
                "period": record.period,
                **content,
                "first_known_at": known_at,
                "first_known_proven": proven,
                **intake.stamp(record.row, record.raw),
            }
        )
    for page in pages(rows):
        intake.connection.execute(insert(Guidance), page)


_Said = dict[tuple[Any, ...], list[tuple[datetime, Statement]]]


def _said(connection: Connection, source: str, relevant: ColumnElement[bool]) -> _Said:
    """What a source has said, in the order it was recorded."""
    found: _Said = {}
    for row in connection.execute(
        select(Guidance).where(Guidance.source == source, relevant).order_by(Guidance.id)
    ):
        owner = row.instrument_id if row.instrument_id is not None else row.symbol
        content = tuple(getattr(row, name) for name in _CONTENT)
        statement = Statement(row.first_known_at, content)
        topic = (owner, row.metric, row.period)
        found.setdefault(topic, []).append((row.announced_from, statement))
    return found


def read(
    connection: Connection, events: pd.DataFrame, as_of: datetime | None = None
) -> pd.DataFrame:
    """Guidance known at ``as_of``, each with the nearest event of its instrument.

    Of statements of one source on one metric and period of one event the newest counts; every
    news item is a source of its own.
    """
    query = select(
        Guidance.id.label("guidance_id"),
        Guidance.instrument_id,
        Guidance.symbol,
        Guidance.metric,
        Guidance.period,
        Guidance.low,
        Guidance.high,
        Guidance.unit,
        Guidance.consensus,
        Guidance.first_known_at,
        Guidance.first_known_proven,
        Guidance.announced_from,
        Guidance.announced_to,
        Guidance.source,
        Guidance.news_id,
    )
    if as_of is not None:
        query = query.where(Guidance.first_known_at <= as_of)
    table = frame(
        connection,
        query.order_by(Guidance.first_known_at, Guidance.id),
        instants=_INSTANTS,
        ids=("instrument_id", "news_id"),
        numbers=("low", "high", "consensus"),
        texts=("symbol", "metric", "period", "unit", "source"),
        flags=("first_known_proven",),
    )
    named_since(connection, table, table["news_id"].notna(), "announced_from")
    table["event_id"] = nearest_event(table, events, "announced_from", SAME_EVENT)
    # Without an event the announcement itself tells one statement from the next.
    moment = table["announced_from"].where(table["event_id"].isna())
    newest = table.assign(moment=moment).drop_duplicates(
        ["event_id", "instrument_id", "symbol", *_TOPIC, "source", "news_id", "moment"],
        keep="last",
    )
    return newest[list(_COLUMNS)].sort_values(["announced_from", "metric"], ignore_index=True)
