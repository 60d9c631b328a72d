"""One article, from the web or a file: ``backtest ingest article``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from db.batches import NewsRecord, RecordBatch
from db.errors import DataError
from db.sources.download import LIMITS, Fetched, Limits, fetch
from db.sources.fetching.line import Line
from db.sources.published import HINT, chosen, given, provenance, symbols_of
from db.sources.web_opener import is_address, shown
from db.text.dates import Published, parse
from db.text.language import detect
from db.text.limited import read
from db.text.plain import clean_line

_SOON = timedelta(hours=1)
"""Typing errors are put right within the hour; what comes later may be news."""
_MAY_LIE_AHEAD = timedelta(days=1)


def read_article(
    where: str,
    *,
    symbols: Sequence[str] = (),
    published: str | date | datetime | None = None,
    fetched_at: datetime,
    line: Line | None = None,
    source: str | None = None,
    stdin: BinaryIO | None = None,
    limits: Limits = LIMITS,
) -> RecordBatch[NewsRecord]:
    """The article at an address, in a file or on standard input (``-``), HTML or plain text.

    ``symbols`` are the instruments that the caller says it is about.  ``published`` overrides
    what the page says: an ISO instant with its offset or zone, or a date.  A date is known at the
    end of that New York day.  ``line`` paces and repeats requests; ``source`` is its name in the
    store, ``article`` if none is given.

    UsageError: no such file or address, wrong options.  DataError: no text, no date, a date that
    cannot be, too large, too slow to read.  `UnavailableError`, `RefusedError` and
    `UnknownSubjectError` for addresses.  MissingExtraError without the ``news`` extra.
    """
    about, stated = symbols_of(symbols), given(published, fetched_at)
    origin = shown(where)
    got = fetch(where, line=line, stdin=stdin, limits=limits, now=lambda: fetched_at)
    if got.kind and not got.kind.startswith("text/") and "html" not in got.kind:
        got = _checked(got, origin)
    page: dict[str, Any] = read(
        "db.text.html:read_page",
        got.data,
        {
            "where": origin,
            "url": shown(got.url) if got.url else "",
            "kind": got.kind,
            "charset": got.charset,
            "today": (fetched_at + _MAY_LIE_AHEAD).date().isoformat(),
        },
    )
    place, words, said = _published(page, stated, origin, fetched_at)
    record = _record(page, said, about, raw=_raw(page, place, words, said))
    options = {"symbols": ",".join(about), "published": str(published or "")}
    return RecordBatch(
        provenance(source or "article", origin, fetched_at, options, [record], ()), [record]
    )


def notes_of(record: NewsRecord) -> list[str]:
    """What a person should know of how an article was read."""
    notes: list[str] = json.loads(record.raw).get("notes", []) if record.raw else []
    return notes


def _checked(got: Fetched, origin: str) -> Fetched:
    """Servers call pages many things; what is clearly something else is refused by its name."""
    if got.kind.startswith(("image/", "audio/", "video/")) or got.kind == "application/json":
        raise DataError(f"this is {got.kind}, not an article", where=origin)
    return Fetched(got.data, got.url, "", got.charset)


def _published(
    page: dict[str, Any], stated: Published | None, origin: str, now: datetime
) -> tuple[str, str, Published]:
    if stated is not None:
        return "the caller", "", stated
    found = chosen([(place, words) for place, words in page["published"]])
    if found is None:
        words = page["published"][0][1] if page["published"] else ""
        what = f"the date {clean_line(words, 60)!r} cannot be read" if words else "it has no date"
        raise DataError(f"{what}, so nobody could say when it was known", where=origin, hint=HINT)
    fault = found[2].fault(now)
    if fault:
        raise DataError(f"its date cannot be: {fault}", where=origin, hint=HINT)
    return found


def _record(
    page: dict[str, Any], said: Published, about: tuple[str, ...], *, raw: str
) -> NewsRecord:
    title, text = page["title"], page["text"]
    if not title:
        title = clean_line(text, 120)
    url = page["canonical"] if is_address(page["canonical"]) else ""
    return NewsRecord(
        title=title,
        published_at=said.known_at,
        published_precision=said.precision,
        url=shown(url),
        body=text,
        language=detect(f"{title}\n{text}", page["language"]),
        provider=page["site"],
        symbols=about,
        raw=raw,
        row=1,
    )


def _raw(page: dict[str, Any], place: str, words: str, known: Published) -> str:
    """What the page said itself, beside what was made of it."""
    notes = list(page["notes"])
    if place == "the page's text or address":
        notes.append(f"the date {words} was found in {place}")
    changed = parse(page["modified"]) if page["modified"] else None
    if changed is not None and changed.known_at > known.known_at + _SOON:
        notes.append(
            f"it was changed on {changed.day}; what was added then counts as known from its "
            "publication"
        )
    said = {
        "published": clean_line(words, 120),
        "published_said_by": place,
        "modified": clean_line(page["modified"], 120),
        "language": clean_line(page["language"], 20),
        "charset": page["charset"],
        "notes": notes,
    }
    return json.dumps({name: value for name, value in said.items() if value}, ensure_ascii=False)
