"""Items of Yahoo's news stream as news records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from db.batches import NewsRecord, RecordBatch, Reject
from db.sources.fetching.source import UnreadableAnswerError
from db.sources.files.texts import shown
from db.sources.online.yahoo.batches import provenance

SOURCE = "yahoo"
_AHEAD = timedelta(minutes=10)
"""Clocks differ; what is dated later than that is dated wrongly."""
_WEB_ADDRESS = re.compile(r"https?://[^\s<>\"\\]+")


def of_stream(items: Sequence[Any], symbol: str, fetched_at: datetime) -> RecordBatch[NewsRecord]:
    """The items of one or more streams, each once.

    UnreadableAnswerError: not one item has the form that is known.
    """
    origin = f"yahoo {symbol} news"
    if items and not any(isinstance(_at(item, "content"), Mapping) for item in items):
        raise UnreadableAnswerError("the items of the news stream have no 'content' any more")
    records: list[NewsRecord] = []
    rejects: list[Reject] = []
    seen: set[str] = set()
    for number, item in enumerate(items, start=1):
        found = _record(item, symbol, fetched_at, number)
        if isinstance(found, str):
            text = shown(json.dumps(item, default=str))
            rejects.append(Reject(origin, number, "", text, found))
            continue
        # The same item stands in several streams, and comes twice while a page is turned.
        key = found.item_id or found.url or found.title
        if key not in seen:
            seen.add(key)
            records.append(found)
    return RecordBatch(provenance(SOURCE, origin, fetched_at, records), records, rejects)


def _record(item: Any, symbol: str, fetched_at: datetime, row: int) -> NewsRecord | str:
    """The record of one item, or why it can be none."""
    content = _at(item, "content")
    if not isinstance(content, Mapping):
        return "has no content"
    title = " ".join(_text(content, "title").split())
    if not title:
        return "has no title"
    published = _instant(_text(content, "pubDate") or _text(content, "displayTime"))
    if published is None:
        return "has no instant of publication"
    if published > fetched_at + _AHEAD:
        return "is dated after it was fetched"
    addresses = (_text(content, name, "url") for name in ("canonicalUrl", "clickThroughUrl"))
    return NewsRecord(
        title=title,
        published_at=published,
        url=next((one for one in addresses if _WEB_ADDRESS.fullmatch(one)), ""),
        body=_text(content, "summary"),
        language=_text(content, "canonicalUrl", "lang")[:2].lower(),
        provider=_text(content, "provider", "displayName"),
        item_id=_text(content, "id") or _text(item, "id"),
        symbols=(symbol,),
        row=row,
    )


def _at(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any, *names: str) -> str:
    """Text without what no database takes: NUL, and halves of characters."""
    found = _at(value, *names)
    if not isinstance(found, str):
        return ""
    whole = found.encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}").strip()


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None
