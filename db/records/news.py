"""Taking in and reading news: one row an item, however often and wherever it was published."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pandas as pd
from sqlalchemy import ColumnElement, Connection, exists, func, insert, select, update

from db.batches import FoundLink, NewsRecord
from db.models import News, NewsLink, StatedFact
from db.records.common import (
    IN_CLAUSE,
    NEW_YORK,
    Intake,
    as_of_bound,
    frame,
    named_since,
    number,
    pages,
    since_bound,
    until_bound,
)
from db.records.news_clusters import recluster, title_key
from db.records.statements import Stated

_Tie = tuple[int, str]

GIVEN = "given"
"""How a link was found: the source named the symbol."""

_TRACKING = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|guccounter|guce_\w+|\.?tsrc|ref|cmpid")
_INSTANTS = ("published_at", "event_at")


def url_key(url: str) -> str:
    """A URL without what does not change the page: scheme, www, tracking, fragment, case of host.

    A text that is no URL is its own key.
    """
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return url.strip()
    if not host:
        return url.strip()
    query = sorted(
        pair for pair in parse_qsl(parts.query) if not _TRACKING.fullmatch(pair[0].lower())
    )
    return f"{host}{parts.path.rstrip('/')}{'?' if query else ''}{urlencode(query)}"


def content_hash(record: NewsRecord) -> str:
    """SHA-256 of what was said and when; the same words a year later are another item."""
    instant = record.published_at.astimezone(UTC).isoformat()
    words = " ".join(record.body.split())
    text = "\x1f".join((title_key(record.title), words, instant))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class NewsIntake:
    """Adds items not seen before and links not known before; the first text of a URL stays."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._by_url: dict[str, int] = {}
        self._by_hash: dict[str, int] = {}
        self._linked: dict[_Tie, str] = {}
        self._items: list[dict[str, Any]] = []
        self._links: dict[_Tie, dict[str, Any]] = {}
        self._surer: dict[_Tie, dict[str, Any]] = {}
        self._said = Stated(intake)

    def run(self, records: Sequence[NewsRecord]) -> None:
        connection = self._intake.connection
        hashes = [content_hash(record) for record in records]
        self._load(connection, [url_key(record.url) for record in records], hashes)
        next_id = 1 + (connection.scalar(select(func.max(News.id))) or 0)
        for record, digest in zip(records, hashes, strict=True):
            next_id += self._take(record, digest, next_id)
        for model, rows in ((News, self._items), (NewsLink, list(self._links.values()))):
            for page in pages(rows):
                connection.execute(insert(model), page)
        for (news_id, symbol), row in self._surer.items():
            tie = (NewsLink.news_id == news_id, NewsLink.symbol == symbol)
            connection.execute(update(NewsLink).where(*tie).values(**row))
        self._said.write()
        touched = [row["published_at"] for row in self._items]
        touched += list(self._times_of({news_id for news_id, _ in (*self._links, *self._surer)}))
        if touched:
            recluster(connection, min(touched), max(touched))

    def _times_of(self, ids: Iterable[int]) -> Iterator[datetime]:
        for some in _some(sorted(ids)):
            query = select(News.published_at).where(News.id.in_(some))
            yield from self._intake.connection.scalars(query)

    def _load(self, connection: Connection, urls: list[str], hashes: list[str]) -> None:
        for column, wanted, found in (
            (News.url_key, [url for url in urls if url], self._by_url),
            (News.content_hash, hashes, self._by_hash),
        ):
            for some in _some(wanted):
                rows = connection.execute(select(column, News.id).where(column.in_(some)))
                found.update((key, news_id) for key, news_id in rows)
        ids = sorted({*self._by_url.values(), *self._by_hash.values()})
        for some in _some(ids):
            query = select(NewsLink.news_id, NewsLink.symbol, NewsLink.how)
            for news_id, symbol, how in connection.execute(query.where(NewsLink.news_id.in_(some))):
                self._linked[news_id, symbol] = how

    def _take(self, record: NewsRecord, digest: str, next_id: int) -> int:
        """Place one item; returns how many it made (0 or 1)."""
        tally = self._intake.tally
        key = url_key(record.url)
        news_id = self._by_url.get(key) if key else None
        if news_id is None:
            news_id = self._by_hash.get(digest)
        if news_id is not None:
            linked = self._link(record, news_id)
            tally.revised += linked
            tally.unchanged += not linked
            return 0
        tally.added += 1
        if key:
            self._by_url[key] = next_id
        self._by_hash[digest] = next_id
        self._items.append(self._row(record, digest, next_id, key))
        self._link(record, next_id)
        self._said.take(record, next_id)
        return 1

    def _row(self, record: NewsRecord, digest: str, news_id: int, key: str) -> dict[str, Any]:
        return {
            "id": news_id,
            "url": record.url,
            "url_key": key,
            "content_hash": digest,
            "title": record.title,
            "title_key": title_key(record.title),
            "body": record.body,
            "published_at": record.published_at,
            "published_precision": record.published_precision,
            "event_at": record.event_at,
            "language": record.language,
            "provider": record.provider,
            "item_id": record.item_id,
            "sentiment": number(record.sentiment),
            **self._intake.stamp(record.row, record.raw),
        }

    def _link(self, record: NewsRecord, news_id: int) -> bool:
        """Tie an item to the record's symbols; whether any of these ties is new.

        A symbol that a source names counts more than one that was read out of a text before.
        """
        day = record.published_at.astimezone(NEW_YORK).date()
        given = [FoundLink(symbol, GIVEN, 1.0) for symbol in record.symbols]
        new = False
        for link in (*given, *record.found):
            tie = (news_id, link.symbol)
            known = self._linked.get(tie)
            if known is not None and (known == GIVEN or link.how != GIVEN):
                continue
            self._linked[tie] = link.how
            stored = known is not None and tie not in self._links
            (self._surer if stored else self._links)[tie] = {
                "news_id": news_id,
                "instrument_id": self._instrument(link, day),
                "symbol": link.symbol,
                "how": link.how,
                "confidence": link.confidence,
                "batch_id": self._intake.batch_id,
            }
            new = True
        return new

    def _instrument(self, link: FoundLink, day: date) -> int | None:
        """A name read out of a text makes no new instrument: it may be a misreading."""
        book = self._intake.book
        if link.how == GIVEN:
            return book.resolve_or_create(link.symbol, day)
        return book.resolve(link.symbol, day)


def _some(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    unique = list(dict.fromkeys(values))
    return (unique[first : first + IN_CLAUSE] for first in range(0, len(unique), IN_CLAUSE))


def read(
    connection: Connection,
    about: ColumnElement[bool] | None,
    *,
    since: date | datetime | None,
    until: date | datetime | None,
    as_of: datetime | None,
    sure: float = 0.0,
) -> pd.DataFrame:
    """One row an item and linked instrument; see `Store.news`."""
    linked = (NewsLink.news_id == News.id) & (NewsLink.confidence >= sure)
    query = select(
        News.id.label("news_id"),
        NewsLink.instrument_id,
        NewsLink.symbol,
        News.published_at,
        News.published_precision,
        News.event_at,
        News.title,
        News.body,
        News.url,
        News.provider,
        News.language,
        News.sentiment,
        NewsLink.how.label("link_how"),
        NewsLink.confidence.label("link_confidence"),
        News.cluster_id,
        News.item_id,
        News.source,
        exists().where(StatedFact.news_id == News.id).label("tells"),
    ).join(NewsLink, linked, isouter=True)
    if about is not None:
        query = query.where(about)
    bounds: Mapping[str, datetime | None] = {
        "since": since_bound(since),
        "until": until_bound(until),
        "as_of": as_of_bound(as_of),
    }
    if bounds["since"] is not None:
        query = query.where(News.published_at >= bounds["since"])
    for name in ("until", "as_of"):
        if bounds[name] is not None:
            query = query.where(News.published_at <= bounds[name])
    table = frame(
        connection,
        query.order_by(News.published_at, News.id, NewsLink.id),
        instants=_INSTANTS,
        ids=("instrument_id",),
        numbers=("sentiment", "link_confidence"),
        texts=(
            *("published_precision", "title", "body", "url", "provider", "language"),
            *("item_id", "source"),
        ),
        flags=("tells",),
    )
    table = table.astype({"news_id": "int64", "cluster_id": "int64"})
    for name in ("symbol", "link_how"):
        table[name] = table[name].fillna("").astype("str")
    named_since(connection, table, ~table["link_how"].isin(["", GIVEN]), "published_at")
    return table
