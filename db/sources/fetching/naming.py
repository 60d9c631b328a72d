"""Symbols over time: a source knows an instrument by today's symbol, the store by each day's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from db.batches import (
    ActionRecord,
    BarBatch,
    BarChunk,
    EventRecord,
    GuidanceRecord,
    NewsRecord,
    RecordBatch,
)
from db.records.common import NEW_YORK, day_of_release

if TYPE_CHECKING:
    from db.store import Store

_DAY = timedelta(days=1)
Spans = Sequence[tuple[str, str | None, str | None]]
Batch = BarBatch | RecordBatch[Any]


class Names:
    """The symbols of one instrument; empty or one open span need no translation."""

    def __init__(self, store: Store, subject: str, today: date = date.max) -> None:
        self.subject = subject
        self.today = today
        self.spans: Spans = store.spans(subject)

    @property
    def current(self) -> str:
        """What the instrument is called today; a rename to come has not happened yet."""
        begun = [
            symbol
            for symbol, first, _ in self.spans
            if first is None or first <= self.today.isoformat()
        ]
        return begun[-1] if begun else self.subject

    def earlier(self) -> Iterator[tuple[str, datetime, datetime]]:
        """Symbols that it has no more, and from when (included) until when it had them."""
        for symbol, first, last in self.spans:
            if symbol != self.subject and last is not None:
                begin = date.fromisoformat(first) if first else date.min + _DAY
                yield symbol, midnight(begin), midnight(date.fromisoformat(last) + _DAY)

    def on(self, day: date) -> str:
        """What it was called on a date; today's symbol where no span holds it."""
        iso = day.isoformat()
        for symbol, first, last in self.spans:
            if (first is None or first <= iso) and (last is None or iso <= last):
                return symbol
        return self.current

    def translate(self, batch: Batch) -> Batch:
        """The batch with each row under the symbol of its day."""
        if len(self.spans) <= 1:
            return batch
        if isinstance(batch, BarBatch):
            return replace(batch, chunks=self._chunks(batch.chunks))
        return replace(batch, records=[self._record(one) for one in batch.records])

    def _chunks(self, chunks: Iterator[BarChunk]) -> Iterator[BarChunk]:
        import pyarrow as pa

        for chunk in chunks:
            days = _local_days(chunk.bars["start"])
            names = {day: self.on(day) for day in set(days)}
            symbols = pa.array([names[day] for day in days], pa.string())
            place = chunk.bars.schema.get_field_index("symbol")
            yield replace(chunk, bars=chunk.bars.set_column(place, "symbol", symbols))

    def _record(self, record: Any) -> Any:
        if isinstance(record, NewsRecord):
            symbol = self.on(_day(record.published_at))
            named = [symbol if one == self.subject else one for one in record.symbols]
            return replace(record, symbols=tuple(dict.fromkeys(named)))
        if record.symbol != self.subject:
            return record
        return replace(record, symbol=self.on(_day_of(record)))


def _day_of(record: EventRecord | GuidanceRecord | ActionRecord) -> date:
    if isinstance(record, ActionRecord):
        return record.ex_date
    return day_of_release(record.announced_from, record.announced_to)


def midnight(day: date) -> datetime:
    """The instant at which a date begins in New York (UTC)."""
    return datetime.combine(day, time(), NEW_YORK).astimezone(UTC)


def _day(instant: datetime) -> date:
    return instant.astimezone(NEW_YORK).date()


def _local_days(starts: Any) -> list[date]:
    import pandas as pd

    stamps = pd.DatetimeIndex(starts.to_pandas())
    return list(stamps.tz_convert("America/New_York").date)
