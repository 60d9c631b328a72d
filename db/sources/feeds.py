"""The entries of an RSS or Atom feed, from the web or a file: ``backtest ingest feed``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import urljoin

from db.batches import NewsRecord, RecordBatch, Reject
from db.records.news import url_key
from db.sources.download import LIMITS, Limits, fetch
from db.sources.fetching.line import Line
from db.sources.files.texts import shown as shown_cell
from db.sources.published import chosen, provenance, symbols_of
from db.sources.web_opener import is_address, shown
from db.text.language import detect
from db.text.limited import read
from db.text.plain import clean_line

NOTES = "notes"
"""The option of a batch's provenance that says what a person should know of the reading."""


def read_feed(
    where: str,
    *,
    symbols: Sequence[str] = (),
    fetched_at: datetime,
    line: Line | None = None,
    source: str | None = None,
    stdin: BinaryIO | None = None,
    limits: Limits = LIMITS,
) -> RecordBatch[NewsRecord]:
    """The entries of the feed at an address, in a file or on standard input (``-``).

    ``symbols`` are instruments that the caller says every entry is about.  An entry is known from
    its publication; where it says only when it was last updated, from then; where it says a date,
    from the end of that New York day.  Entries without title or date, with a date that cannot be,
    cut off or repeated are rejected.  ``source`` is the feed's name in the store, ``feed`` if
    none is given.

    Errors as for `db.sources.articles.read_article`; DataError for what is no feed.
    """
    about = symbols_of(symbols)
    origin = shown(where)
    got = fetch(where, line=line, stdin=stdin, limits=limits, now=lambda: fetched_at)
    options = {
        "where": origin,
        "url": shown(got.url) if got.url else "",
        "kind": got.kind,
        "charset": got.charset,
    }
    feed: dict[str, Any] = read("db.text.feed:read_feed_entries", got.data, options)
    records: list[NewsRecord] = []
    rejects: list[Reject] = []
    seen: dict[str, int] = {}
    for row, entry in enumerate(feed["entries"], start=1):
        found = _entry(feed, entry, row, options["url"], about, fetched_at)
        if isinstance(found, NewsRecord):
            found = _repeated(found, seen) or found
        if isinstance(found, NewsRecord):
            records.append(found)
        else:
            column, value, reason = found
            rejects.append(Reject(origin, row, column, shown_cell(value), reason))
    said = {"symbols": ",".join(about), NOTES: "; ".join(feed["notes"])}
    made = provenance(source or "feed", origin, fetched_at, said, records, rejects)
    return RecordBatch(made, records, rejects)


def notes_of(batch: RecordBatch[NewsRecord]) -> list[str]:
    """What a person should know of how a feed was read."""
    said = batch.provenance.options.get(NOTES, "")
    return [said] if said else []


def _entry(
    feed: dict[str, Any],
    entry: dict[str, Any],
    row: int,
    base: str,
    about: tuple[str, ...],
    now: datetime,
) -> NewsRecord | tuple[str, str, str]:
    """A record, or the column, value and reason of a reject."""
    dates = [(place, words) for place, words in entry["dates"]]
    if not entry["complete"]:
        return "title", entry["title"], "the feed ends in the middle of this entry"
    if not entry["title"]:
        return "title", "", "the title is missing"
    if not dates:
        return "published", "", "the date is missing"
    found = chosen(dates[:1]) or chosen(dates[1:])
    if found is None:
        return "published", dates[0][1], "the date cannot be read"
    place, words, said = found
    fault = said.fault(now)
    if fault:
        return "published", words, fault
    said_too = {name: clean_line(words, 120) for name, words in dates[1:]}
    raw = {"published": clean_line(words, 120), "published_said_by": place, **said_too}
    return NewsRecord(
        title=entry["title"],
        published_at=said.known_at,
        published_precision=said.precision,
        url=_url(base, entry["url"]),
        body=entry["text"],
        language=detect(
            f"{entry['title']}\n{entry['text']}", entry["language"] or feed["language"]
        ),
        provider=feed["title"],
        symbols=about,
        item_id=shown_cell(entry["id"]),
        raw=json.dumps(raw, ensure_ascii=False),
        row=row,
    )


def _url(base: str, link: str) -> str:
    """An absolute web address; empty for any other.

    An entry without a link has none: the feed's own address would make all of them one item.
    """
    if not link.strip():
        return ""
    try:
        address = urljoin(base, link)
    except ValueError:
        return ""
    return shown(address) if is_address(address) and address.isprintable() else ""


def _repeated(record: NewsRecord, seen: dict[str, int]) -> tuple[str, str, str] | None:
    """The reason to reject what an earlier entry of the same feed already was."""
    keys = {"id": record.item_id, "url": url_key(record.url)}
    for column, key in keys.items():
        if key and f"{column} {key}" in seen:
            return column, key, f"the same as entry {seen[f'{column} {key}']}"
    seen.update({f"{column} {key}": record.row for column, key in keys.items() if key})
    return None
