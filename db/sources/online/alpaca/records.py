"""Alpaca's news and corporate actions as records; what cannot be used is a reject."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any, Literal

from db.batches import ActionRecord, NewsRecord, Provenance, RecordBatch, Reject
from db.sources.fetching.source import UnreadableAnswerError
from db.sources.files.symbols import clean_symbol
from db.sources.files.texts import shown

SOURCE = "alpaca"
LONGEST = 2_000_000
"""Characters of a text; the longest articles have some hundred thousand."""

_NEEDED = ("id", "headline", "created_at", "updated_at")
_TEXTS = ("headline", "content", "summary", "url", "source")
_KEPT = ("id", "source", "author", "created_at", "updated_at", "symbols", "url")
_MARKUP = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>")
_UNREAD = ("script", "style")
_BLOCKS = ("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol")

Rejection = tuple[str, Any, str]
"""Column, value and reason."""


def news_batch(
    rows: Sequence[Any], subject: str, origin: str, fetched_at: datetime
) -> RecordBatch[NewsRecord]:
    """News items, each once; known from their last change, since only that text is at hand.

    UnreadableAnswerError: rows that are no objects, or that lack a key throughout.
    """
    _check_shape(rows, _NEEDED, "the news", origin)
    records: list[NewsRecord] = []
    rejects: list[Reject] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        found = _item(row, subject, number, fetched_at)
        if isinstance(found, NewsRecord) and found.item_id in seen:
            found = ("id", row["id"], "came twice: the first was kept")
        if isinstance(found, NewsRecord):
            seen.add(found.item_id)
            records.append(found)
        else:
            rejects.append(_reject(origin, number, *found))
    content = [[one.item_id, one.title, one.body, str(one.published_at)] for one in records]
    return RecordBatch(_provenance(origin, fetched_at, "news", content), records, rejects)


def action_batch(
    groups: Mapping[str, Sequence[Any]],
    subject: str,
    origin: str,
    fetched_at: datetime,
    since: date,
) -> RecordBatch[ActionRecord]:
    """Splits and cash dividends that go ex on ``since`` or later, by ex-date.

    UnreadableAnswerError: rows that are no objects, or that lack a key throughout.
    """
    records: list[ActionRecord] = []
    rejects: list[Reject] = []
    seen: set[str] = set()
    for number, group, row in _numbered(groups, origin):
        if row.get("id") is not None and str(row["id"]) in seen:
            rejects.append(_reject(origin, number, "id", row["id"], "came twice"))
            continue
        seen.add(str(row.get("id")))
        found = _action(row, group, subject, number)
        if not isinstance(found, ActionRecord):
            rejects.append(_reject(origin, number, *found))
        elif found.ex_date >= since:
            records.append(found)
    # A special dividend can go ex with a regular one: always the same one first.
    records.sort(key=lambda one: (one.ex_date, one.kind, one.value))
    content = [[one.kind, str(one.ex_date), one.value] for one in records]
    return RecordBatch(_provenance(origin, fetched_at, "actions", content), records, rejects)


def _item(
    row: Mapping[str, Any], subject: str, number: int, now: datetime
) -> NewsRecord | Rejection:
    texts = {name: row.get(name) or "" for name in _TEXTS}
    for name, text in texts.items():
        if fault := text_fault(text):
            return (name, text, fault)
    if not texts["headline"].strip():
        return ("headline", texts["headline"], "the title is missing")
    changed = max(
        filter(None, map(_instant, (row.get("created_at"), row.get("updated_at")))), default=None
    )
    if changed is None:
        return ("updated_at", row.get("updated_at"), "no time with a zone")
    if changed > now:
        return ("updated_at", row.get("updated_at"), "lies in the future")
    number_of_it = str(row.get("id"))
    if row.get("id") is None or not re.fullmatch(r"[\w-]{1,64}", number_of_it, re.ASCII):
        return ("id", row.get("id"), "no number of an item")
    named = row.get("symbols") or []
    symbols = [clean_symbol(one) for one in named if isinstance(one, str)]
    url = texts["url"].strip()
    return NewsRecord(
        title=html.unescape(texts["headline"]).strip(),
        published_at=changed,
        url=url if re.fullmatch(r"https?://\S+", url) else "",
        body=plain_text(texts["content"] or texts["summary"]),
        provider=texts["source"],
        symbols=tuple(dict.fromkeys([one for one in symbols if one] or [subject])),
        item_id=number_of_it,
        raw=json.dumps({name: row.get(name) for name in _KEPT}, default=str),
        row=number,
    )


_Values = Callable[[Mapping[str, Any]], float | None]
_Kind = Literal["split", "dividend"]


def _ratio(row: Mapping[str, Any]) -> float | None:
    new, old = _number(row.get("new_rate")), _number(row.get("old_rate"))
    return new / old if new is not None and old else None


def _in_shares(row: Mapping[str, Any]) -> float | None:
    rate = _number(row.get("rate"))
    return None if rate is None else 1 + rate


_KINDS: dict[str, tuple[_Kind, _Values, tuple[str, ...]]] = {
    "forward_splits": ("split", _ratio, ("ex_date", "new_rate", "old_rate")),
    "reverse_splits": ("split", _ratio, ("ex_date", "new_rate", "old_rate")),
    "stock_dividends": ("split", _in_shares, ("ex_date", "rate")),
    "cash_dividends": ("dividend", lambda row: _number(row.get("rate")), ("ex_date", "rate")),
}


def _numbered(
    groups: Mapping[str, Sequence[Any]], origin: str
) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    number = 0
    for group, (_, _, needed) in _KINDS.items():
        rows = groups.get(group, ())
        _check_shape(rows, needed, f"the {group}", origin)
        for row in rows:
            number += 1
            yield number, group, row


def _action(
    row: Mapping[str, Any], group: str, subject: str, number: int
) -> ActionRecord | Rejection:
    kind, value_of, needed = _KINDS[group]
    try:
        ex_date = date.fromisoformat(str(row.get("ex_date")))
    except ValueError:
        return ("ex_date", row.get("ex_date"), "not a date")
    value = value_of(row)
    if value is None or not isfinite(value) or value <= 0 or (kind == "split" and value == 1):
        return (needed[-1], row.get(needed[-1]), f"no {kind} is that large")
    raw = json.dumps(dict(row), default=str)
    return ActionRecord(subject, kind, ex_date, value, raw=raw, row=number)


def _check_shape(rows: Sequence[Any], needed: Sequence[str], what: str, origin: str) -> None:
    if not all(isinstance(row, Mapping) for row in rows):
        raise UnreadableAnswerError(f"{what} are no longer objects", where=origin)
    for name in needed:
        if rows and not any(name in row for row in rows):
            raise UnreadableAnswerError(f"{what} have no {name!r} any more", where=origin)


def _provenance(origin: str, fetched_at: datetime, kind: str, content: Any) -> Provenance:
    said = {"kind": kind}
    digest = hashlib.sha256(json.dumps([SOURCE, origin, said, content]).encode()).hexdigest()
    return Provenance(SOURCE, origin, digest, fetched_at, said)


def _reject(origin: str, number: int, column: str, value: Any, reason: str) -> Reject:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return Reject(origin, number, column, shown(text), reason)


def _instant(text: Any) -> datetime | None:
    """An aware UTC time; None for what is none, and for a time without a zone."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return None if instant.tzinfo is None else instant.astimezone(UTC)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def text_fault(text: Any) -> str:
    """Why something cannot be stored as text; empty where it can."""
    if not isinstance(text, str):
        return "is no text"
    if len(text) > LONGEST:
        return f"has more than {LONGEST:,} characters"
    if "\0" in text:
        return "holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "holds half a surrogate pair, which is no text"
    return ""


def plain_text(markup: str) -> str:
    """The words of an HTML fragment: tags, scripts and comments gone, a line for each block.

    One pass from left to right, whatever the markup: no nesting is followed.
    """
    parts: list[str] = []
    at, unread = 0, ""
    for tag in _MARKUP.finditer(markup):
        if tag.start() < at:  # inside of a comment
            continue
        closing, name = tag.group(1), (tag.group(2) or "").lower()
        if not unread:
            parts.append(markup[at : tag.start()])
        at = tag.end()
        if not name:
            end = markup.find("-->", at)
            at = len(markup) if end < 0 else end + 3
        elif unread:
            unread = "" if closing and name == unread else unread
        elif name in _UNREAD and not closing:
            unread = name
        elif name in _BLOCKS:
            parts.append("\n")
    if not unread:
        parts.append(markup[at:])
    lines = (" ".join(line.split()) for line in html.unescape("".join(parts)).splitlines())
    return "\n".join(line for line in lines if line)
