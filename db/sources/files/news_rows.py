"""News items from files: ``backtest ingest news``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from db.batches import NewsRecord, RecordBatch
from db.sources.files.arrow import BoolArray, IntArray
from db.sources.files.columns import NEWS_FIELDS
from db.sources.files.provenance import Clock, provenance_of, to_datetime, to_us, utc_now
from db.sources.files.record_rows import RecordTable, known_from, or_none, read_table
from db.sources.files.symbols import clean_symbol
from db.sources.files.times import TimeParser
from db.sources.files.zones import checked_zone

_WEB_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_TEXTS = ("title", "url", "body", "language", "provider")


def news(
    file: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    date_format: str | None = None,
    tz: str | None = None,
    source: str | None = None,
    now: Clock = utc_now,
    stdin: BinaryIO | None = None,
) -> RecordBatch[NewsRecord]:
    """News items of one CSV, Parquet or JSON-lines file.

    ``tz`` is the zone of times that carry none (UTC where the column's name ends in ``utc``).  A
    date without a time gives ``published_precision`` ``date`` and the end of that day in ``tz`` as
    ``published_at``.  Several symbols in a cell are separated by commas, semicolons, bars or
    blanks, or stand in a JSON list.  Only http and https addresses become ``url``; any other
    stays in ``raw`` alone.  Everything else is carried as text, whatever it holds.

    UsageError: unknown options or columns, times without a zone, dates whose order cannot be
    told.  DataError: a file that cannot be read.
    """
    zone = None if tz is None else checked_zone(tz)
    fetched_at = now()
    table = read_table(file, NEWS_FIELDS, mapping, stdin)
    if zone is None and table.screen.columns.name("published").lower().endswith("utc"):
        zone = "UTC"
    published, dated = _published(table, date_format, zone, to_us(fetched_at))
    said = {
        "kind": "news",
        "columns": table.screen.columns.described(),
        "tz": zone,
        "date_format": date_format,
    }
    return RecordBatch(
        provenance_of(table.source, source, fetched_at, said),
        _records(table, published, dated, _event_times(table, zone)),
        table.screen.rejects(),
    )


def _published(
    table: RecordTable, date_format: str | None, tz: str | None, now: int
) -> tuple[IntArray, BoolArray]:
    parser = TimeParser(date_format, where=table.source.origin)
    known = known_from(table, "published", parser, tz, clock_field="clock")
    table.screen.refuse(~known.said, "published", "the time is missing")
    # Today's date alone ends tonight, which is no reason to refuse it.
    table.screen.refuse(known.begin > now, "published", "lies in the future")
    return known.instants, known.dated


def _event_times(table: RecordTable, tz: str | None) -> tuple[IntArray, BoolArray]:
    if "event_at" not in table.screen:
        count = len(table.screen)
        return np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.bool_)
    known = known_from(table, "event_at", TimeParser(None, where=table.source.origin), tz)
    return known.begin, known.said


def _records(
    table: RecordTable,
    published: IntArray,
    dated: BoolArray,
    event_times: tuple[IntArray, BoolArray],
) -> list[NewsRecord]:
    texts = {field: table.texts(field) for field in _TEXTS}
    empty = np.array([not title for title in texts["title"]], dtype=np.bool_)
    table.screen.refuse(empty, "title", "the title is missing")
    symbols = _symbols(table)
    sentiments = or_none(table.numbers("sentiment"))
    rows, raws = table.rows(), list(table.raw(without=("title", "url", "body")))
    event_at, has_event = event_times
    return [
        NewsRecord(
            title=texts["title"][i],
            published_at=to_datetime(int(published[i])),
            published_precision="date" if dated[i] else "exact",
            url=texts["url"][i] if _WEB_ADDRESS.fullmatch(texts["url"][i]) else "",
            body=texts["body"][i],
            language=texts["language"][i].lower(),
            provider=texts["provider"][i],
            event_at=to_datetime(int(event_at[i])) if has_event[i] else None,
            symbols=symbols[i],
            sentiment=sentiments[i],
            raw=raws[i],
            row=rows[i],
        )
        for i in np.flatnonzero(table.screen.passed).tolist()
    ]


def _symbols(table: RecordTable) -> list[tuple[str, ...]]:
    """Symbols of each row without repetitions; refuses rows in which one cannot be a symbol."""
    texts = table.texts("symbols")
    read = {text: _listed(text) for text in set(texts)}
    unreadable = np.array([read[text] is None for text in texts], dtype=np.bool_)
    table.screen.refuse(unreadable, "symbols", "holds something that is no symbol")
    return [read[text] or () for text in texts]


def _listed(text: str) -> tuple[str, ...] | None:
    parts: list[str] = re.split(r"[\s,;|]+", text)
    if text.startswith("["):
        try:
            parts = [str(part) for part in json.loads(text)]
        except (ValueError, RecursionError):
            return None
    cleaned = [clean_symbol(part) for part in parts if part.strip()]
    if None in cleaned:
        return None
    return tuple(dict.fromkeys(symbol for symbol in cleaned if symbol))
