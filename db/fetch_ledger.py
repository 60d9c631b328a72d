"""What online sources were asked for, and what came: so that nothing is asked for twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import pandas as pd
from sqlalchemy import Connection, insert, select

from db.models import Fetch
from db.records.common import frame

Status = Literal["done", "unknown", "failed"]


@dataclass(frozen=True)
class Stream:
    """What is asked for over and over: one kind of data about one subject of one source.

    ``phases`` are those of the bars asked for, in the order of the day; ``options`` those of the
    source that change what comes.
    """

    source: str
    kind: str
    subject: str
    interval: str = ""
    phases: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)

    def holds(self, phases: str, options: Mapping[str, str]) -> bool:
        """Whether an answer for these phases and options is one for this stream too."""
        return set(self.phases) <= set(_split(phases)) and dict(options) == dict(self.options)


@dataclass(frozen=True)
class Answer:
    """What became of one request: all of a range, or the reason why there is nothing."""

    since: datetime
    until: datetime
    status: Status
    rows: int = 0
    note: str = ""
    stored_as: str = ""
    instrument_id: int | None = None


def record(connection: Connection, stream: Stream, answer: Answer, now: datetime) -> None:
    """Note what became of a request."""
    connection.execute(
        insert(Fetch).values(
            source=stream.source,
            kind=stream.kind,
            subject=stream.subject,
            stored_as=answer.stored_as or stream.source,
            instrument_id=answer.instrument_id,
            bar_interval=stream.interval,
            phases=",".join(stream.phases),
            options=dict(stream.options),
            since=answer.since,
            until=answer.until,
            status=answer.status,
            rows=answer.rows,
            note=answer.note,
            fetched_at=now,
        )
    )


def done(connection: Connection, stream: Stream) -> list[tuple[datetime, datetime, datetime]]:
    """(since, until, fetched at) of the answers that a stream has, oldest first."""
    rows = connection.execute(
        select(Fetch.since, Fetch.until, Fetch.fetched_at, Fetch.phases, Fetch.options)
        .where(
            Fetch.source == stream.source,
            Fetch.kind == stream.kind,
            Fetch.subject == stream.subject,
            Fetch.bar_interval == stream.interval,
            Fetch.status == "done",
        )
        .order_by(Fetch.id)
    )
    return [
        (row.since, row.until, row.fetched_at)
        for row in rows
        if stream.holds(row.phases, row.options)
    ]


def streams(connection: Connection) -> list[tuple[Stream, datetime]]:
    """Every stream that was ever answered, with the earliest instant that was asked for."""
    rows = connection.execute(
        select(
            Fetch.source,
            Fetch.kind,
            Fetch.subject,
            Fetch.bar_interval,
            Fetch.phases,
            Fetch.options,
            Fetch.since,
        )
        .where(Fetch.status == "done")
        .order_by(Fetch.id)
    )
    found: dict[tuple[object, ...], tuple[Stream, datetime]] = {}
    for source, kind, subject, interval, phases, options, since in rows:
        key = (source, kind, subject, interval, phases, *sorted(options.items()))
        stream = Stream(source, kind, subject, interval, _split(phases), options)
        found[key] = (stream, min(found[key][1], since) if key in found else since)
    return list(found.values())


def fetches(connection: Connection) -> pd.DataFrame:
    """Every request, in the order in which they were answered; see `Store.fetches`."""
    table = frame(
        connection,
        select(
            Fetch.id.label("fetch_id"),
            Fetch.source,
            Fetch.stored_as,
            Fetch.kind,
            Fetch.subject,
            Fetch.instrument_id,
            Fetch.bar_interval.label("interval"),
            Fetch.phases,
            Fetch.since,
            Fetch.until,
            Fetch.status,
            Fetch.rows,
            Fetch.note,
            Fetch.fetched_at,
        ).order_by(Fetch.id),
        instants=("since", "until", "fetched_at"),
        ids=("instrument_id",),
        texts=("source", "stored_as", "kind", "subject", "interval", "phases", "status", "note"),
    )
    return table.astype({"fetch_id": "int64", "rows": "int64"})


def _split(phases: str) -> tuple[str, ...]:
    return tuple(phases.split(",")) if phases else ()
