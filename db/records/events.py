"""Taking in earnings events: which event a record is about, and whether it says anything new."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from db.batches import EventRecord
from db.instruments import fiscal_year_ends
from db.models import Event, Revision
from db.periods import canonical_period
from db.records.common import (
    SAME_EVENT,
    Intake,
    Statement,
    about_batch,
    content_of,
    day_of_release,
    pages,
)

KIND = "earnings"

_SAME_LABEL = timedelta(days=270)
"""A label that comes back after this long has no year in it ("Q1"): another year's event."""

_SAME_QUARTER = timedelta(days=60)
"""Another source's label that is the same but further off than this is the next quarter's: some
name a release's period by a year or a quarter more than others do."""

_NONE = timedelta(0)

_CONTENT = (
    "announced_from",
    "announced_to",
    "precision",
    "session",
    "fiscal_period",
    "eps_estimate",
    "eps_actual",
    "revenue_estimate",
    "revenue_actual",
    "currency",
)

_PERIOD = _CONTENT.index("fiscal_period")


@dataclass
class _Known:
    """An event in memory, with where its newest release interval lies."""

    id: int
    fiscal_period: str
    announced_from: datetime
    announced_to: datetime
    newest: datetime
    by_source: dict[str, list[Statement]] = field(default_factory=dict)
    called: dict[str, set[str]] = field(default_factory=dict)
    """The periods that each source has given it, as written."""

    def gap(self, record: EventRecord) -> timedelta:
        """How far apart the release intervals are; zero where they touch."""
        if record.announced_from > self.announced_to:
            return record.announced_from - self.announced_to
        if self.announced_from > record.announced_to:
            return self.announced_from - record.announced_to
        return _NONE

    def labels(self, source: str, year_end: int | None) -> set[str]:
        """The periods that this source has given the event."""
        return {canonical_period(label, year_end) for label in self.called.get(source, ())}

    def remember(self, source: str, statement: Statement) -> None:
        self.by_source.setdefault(source, []).append(statement)
        period = str(statement.content[_PERIOD])
        if period:
            self.called.setdefault(source, set()).add(period)

    def learn(self, source: str, statement: Statement, record: EventRecord) -> None:
        self.remember(source, statement)
        if statement.first_known_at >= self.newest:
            self.newest = statement.first_known_at
            self.announced_from, self.announced_to = record.announced_from, record.announced_to


class EventIntake:
    """Sorts records into events.  Works in memory and writes each table in one go."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._events: dict[Hashable, list[_Known]] = {}
        self._new_events: list[dict[str, Any]] = []
        self._new_revisions: list[dict[str, Any]] = []
        self._named: dict[int, str] = {}
        self._years: dict[int, int] = {}

    def run(self, records: Sequence[EventRecord]) -> None:
        connection = self._intake.connection
        self._load(
            connection,
            about_batch(Event, self._intake.book, (record.symbol for record in records)),
        )
        self._years = fiscal_year_ends(connection)
        next_event = 1 + (connection.scalar(select(func.max(Event.id))) or 0)
        for record in records:
            next_event += self._take(record, next_event)
        for model, rows in ((Event, self._new_events), (Revision, self._new_revisions)):
            for page in pages(rows):
                connection.execute(insert(model), page)
        for event_id, period in self._named.items():
            connection.execute(
                update(Event).where(Event.id == event_id).values(fiscal_period=period)
            )

    def _load(self, connection: Connection, relevant: ColumnElement[bool]) -> None:
        """Events that records may be about, with their revisions."""
        by_id: dict[int, _Known] = {}
        owners = connection.execute(
            select(Event.id, Event.instrument_id, Event.symbol, Event.fiscal_period).where(relevant)
        )
        places = {row.id: (_owner(row.instrument_id, row.symbol), row) for row in owners}
        content = [getattr(Revision, name) for name in _CONTENT]
        rows = connection.execute(
            select(
                Revision.event_id,
                Revision.source,
                Revision.first_known_at,
                *content,
            )
            .join(Event)
            .where(relevant)
            .order_by(Revision.id)
        )
        for event_id, source, known_at, *values in rows:
            owner, event = places[event_id]
            known = by_id.get(event_id)
            if known is None:
                known = _Known(event_id, event.fiscal_period, values[0], values[1], known_at)
                by_id[event_id] = known
                self._events.setdefault(owner, []).append(known)
            known.remember(source, Statement(known_at, tuple(values)))
            if known_at >= known.newest:
                known.newest, known.announced_from, known.announced_to = known_at, *values[:2]

    def _take(self, record: EventRecord, next_id: int) -> int:
        """Place one record; returns how many events it made (0 or 1)."""
        intake, source = self._intake, self._intake.provenance.source
        day = day_of_release(record.announced_from, record.announced_to)
        instrument = intake.book.resolve_or_create(record.symbol, day)
        known_at, proven = intake.known(record.first_known_at)
        content = content_of(record, _CONTENT)
        statement = Statement(known_at, tuple(content.values()))
        group = self._events.setdefault(_owner(instrument, record.symbol), [])
        year_end = self._years.get(instrument) if instrument is not None else None
        event = _find(group, record, source, year_end)
        made = 0
        if event is None:
            event = _Known(
                next_id, record.fiscal_period, record.announced_from, record.announced_to, known_at
            )
            group.append(event)
            self._new_events.append(
                {
                    "id": next_id,
                    "instrument_id": instrument,
                    "symbol": record.symbol,
                    "fiscal_period": record.fiscal_period,
                }
            )
            intake.tally.added += 1
            made = 1
        elif statement.repeats(event.by_source.get(source, ())):
            intake.tally.unchanged += 1
            return 0
        else:
            intake.tally.revised += 1
            if record.fiscal_period and not event.fiscal_period:
                event.fiscal_period = self._named[event.id] = record.fiscal_period
        event.learn(source, statement, record)
        self._new_revisions.append(
            {
                "event_id": event.id,
                "first_known_at": known_at,
                "first_known_proven": proven,
                **content,
                **intake.stamp(record.row, record.raw),
            }
        )
        return made


def _owner(instrument_id: int | None, symbol: str) -> Hashable:
    """Events belong to an instrument, or to a symbol that named none on that date."""
    return instrument_id if instrument_id is not None else symbol


def _find(
    group: list[_Known], record: EventRecord, source: str, year_end: int | None
) -> _Known | None:
    """The event a record is about: by its fiscal period, without one by its date.

    Sources name periods differently (Nvidia's year ends in January: is this 2025 or 2026?), so
    another source's label does not keep two releases of one day apart; the same source's does.
    For the same reason a label leads further in time with the source that gave it than with
    another.
    """
    label = canonical_period(record.fiscal_period, year_end)
    own = [event.labels(source, year_end) for event in group] if label else [set()] * len(group)
    for event, labels in zip(group, own, strict=True):
        if label in labels and event.gap(record) <= _SAME_LABEL:
            return event
    free = [event for event, labels in zip(group, own, strict=True) if not labels]
    for event in free:
        same = label and canonical_period(event.fiscal_period, year_end) == label
        if same and event.gap(record) <= _SAME_QUARTER:
            return event
    near = [event for event in free if event.gap(record) <= SAME_EVENT]
    return min(near, key=lambda event: event.gap(record), default=None)
