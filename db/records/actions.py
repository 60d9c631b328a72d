"""Corporate actions: splits and dividends, with corrections kept beside what they correct."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, insert, select, update

from db.batches import ActionRecord
from db.models import Action
from db.records.common import Intake, about_batch, frame, pages

_Key = tuple[Hashable, str, Any]


def take_in(intake: Intake, records: Sequence[ActionRecord]) -> None:
    """Add what is new; a changed value supersedes the one its source gave before.

    The n-th different value of one kind on one ex-date is compared with the n-th that the source
    gave earlier: a regular and a special dividend can go ex together.
    """
    connection = intake.connection
    relevant = about_batch(Action, intake.book, (record.symbol for record in records))
    current = _current(connection, intake.provenance.source, relevant)
    given: dict[_Key, list[float]] = defaultdict(list)
    rows: list[dict[str, Any]] = []
    outdated: list[int] = []
    for record in records:
        instrument = intake.book.resolve_or_create(record.symbol, record.ex_date)
        owner = instrument if instrument is not None else record.symbol
        key = (owner, record.kind, record.ex_date)
        value = float(record.value)
        if value in given[key]:
            intake.tally.unchanged += 1
            continue
        ordinal = len(given[key])
        given[key].append(value)
        known = current.get((*key, ordinal))
        if known is not None and known[1] == value:
            intake.tally.unchanged += 1
            continue
        if known is None:
            intake.tally.added += 1
        else:
            intake.tally.revised += 1
            outdated.append(known[0])
        rows.append(
            {
                "instrument_id": instrument,
                "symbol": record.symbol,
                "kind": record.kind,
                "ex_date": record.ex_date,
                "ordinal": ordinal,
                "value": value,
                **intake.stamp(record.row, record.raw),
            }
        )
    for page in pages(rows):
        connection.execute(insert(Action), page)
    for action_id in outdated:
        superseded = update(Action).where(Action.id == action_id)
        connection.execute(superseded.values(superseded_by=intake.batch_id))


def _current(
    connection: Connection, source: str, relevant: ColumnElement[bool]
) -> dict[tuple[Any, ...], tuple[int, float]]:
    """Id and value of what a source says now."""
    rows = connection.execute(
        select(Action).where(Action.source == source, Action.superseded_by.is_(None), relevant)
    )
    return {
        (
            row.instrument_id if row.instrument_id is not None else row.symbol,
            row.kind,
            row.ex_date,
            row.ordinal,
        ): (row.id, row.value)
        for row in rows
    }


def read(connection: Connection, about: ColumnElement[bool] | None) -> pd.DataFrame:
    """Current actions by ex-date; see `Store.actions`."""
    query = (
        select(
            Action.id.label("action_id"),
            Action.instrument_id,
            Action.symbol,
            Action.kind,
            Action.ex_date,
            Action.value,
            Action.source,
            Action.ingested_at,
        )
        .where(Action.superseded_by.is_(None))
        .order_by(Action.ex_date, Action.id)
    )
    table = frame(
        connection,
        query if about is None else query.where(about),
        instants=("ingested_at",),
        ids=("instrument_id",),
        numbers=("value",),
        texts=("symbol", "kind", "source"),
    )
    return table.astype({"action_id": "int64"})
