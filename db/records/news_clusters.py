"""Near-duplicates and reprints: items that say the same within 24 hours are one, the first counts.

Two items say the same when their titles are equal but for case and punctuation; or, about the
same instrument, when the titles share four fifths of their words and all of their numbers; or
when their bodies are one text under whatever headline.  Texts in different languages are never
one, and neither are items about different instruments.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from db.models import News, NewsLink
from db.records.news_texts import READ_UP_TO, Body, Title, words_of

WINDOW = timedelta(hours=24)
_PAGE = 500
# Symbols and numbers are what items are about; these are neither.
_NOBODY, _ANYBODY = ("nobody",), ("anybody",)


def title_key(title: str) -> str:
    """The words and numbers of a title in lower case, without punctuation."""
    return " ".join(words_of(title))


@dataclass(frozen=True)
class _Item:
    id: int
    published_at: datetime
    title: Title
    title_keys: tuple[Hashable, ...]
    """What every item titled alike shares at least one of."""
    body: Body | None
    about: frozenset[Hashable]
    language: str

    def may_be(self, other: _Item) -> bool:
        """Whether two items may be one at all, whatever they say."""
        if self.language and other.language and self.language != other.language:
            return False
        return not self.about or not other.about or bool(self.about & other.about)

    def is_titled_like(self, other: _Item) -> bool:
        if self.title.key == other.title.key:
            return True
        return bool(self.about & other.about) and self.title.is_like(other.title)

    def is_text_of(self, other: _Item) -> bool:
        return self.body is not None and other.body is not None and self.body.is_like(other.body)

    @cached_property
    def body_keys(self) -> tuple[Hashable, ...]:
        """What every reprint of the body shares at least one of."""
        return tuple(self.body.keys()) if self.body is not None else ()


class _Heads:
    """First items of clusters, found by what those that say the same have in common.

    Under each key they are kept by what they are about: a day's filings all have one title.
    """

    def __init__(self) -> None:
        self._by_key: dict[Hashable, list[_Item]] = defaultdict(list)

    def add(self, item: _Item) -> None:
        for key in (*item.title_keys, *item.body_keys):
            for who in (*item.about, _ANYBODY) if item.about else (_NOBODY,):
                self._by_key[who, key].append(item)

    def of(self, item: _Item) -> _Item | None:
        """The earliest first item within the window that says the same."""
        found = self._first(item, item.title_keys, item.is_titled_like)
        by_text = self._first(item, item.body_keys, item.is_text_of)
        return min(filter(None, (found, by_text)), key=_order, default=None)

    def _first(
        self, item: _Item, keys: Sequence[Hashable], says_the_same: Callable[[_Item], bool]
    ) -> _Item | None:
        found: _Item | None = None
        compared: set[int] = set()
        places = (*item.about, _NOBODY) if item.about else (_NOBODY, _ANYBODY)
        for place in ((who, key) for who in places for key in keys):
            heads = self._by_key.get(place, [])
            while heads and item.published_at - heads[0].published_at > WINDOW:
                heads.pop(0)
            for head in heads:
                if found is not None and _order(head) >= _order(found):
                    break
                if head.id not in compared and head.may_be(item) and says_the_same(head):
                    found = head
                compared.add(head.id)
        return found


def _order(item: _Item) -> tuple[datetime, int]:
    return item.published_at, item.id


def recluster(connection: Connection, since: datetime, until: datetime | None = None) -> None:
    """Assign clusters anew to every item published at or after ``since``.

    Earlier items keep theirs: what is first does not depend on what came later.  Where nothing
    was changed after ``until``, reading stops as soon as nothing more can be different: an item
    depends on the 24 hours before it alone.
    """
    heads = _Heads()
    changed = []
    settled = None if until is None else until + WINDOW
    for item, cluster_id in _items(connection, since - WINDOW):
        if settled is not None and item.published_at > settled:
            break
        if item.published_at < since:
            head = None if cluster_id == item.id else item
        else:
            head = heads.of(item)
            first = head.id if head else item.id
            if first != cluster_id:
                changed.append({"item": item.id, "first": first})
                settled = None if settled is None else max(settled, item.published_at + WINDOW)
        if head is None:
            heads.add(item)
    if changed:
        statement = update(News).where(News.id == bindparam("item"))
        connection.execute(
            statement.values(cluster_id=bindparam("first")).execution_options(
                synchronize_session=None
            ),
            changed,
        )


def _items(connection: Connection, since: datetime) -> Iterator[tuple[_Item, int | None]]:
    """Items in the order of publication, texts and links some hundred at a time."""
    rows = connection.execute(
        select(News.id, News.published_at, News.title_key, News.language, News.cluster_id)
        .where(News.published_at >= since)
        .order_by(News.published_at, News.id)
    ).all()
    frequency = Counter(word for row in rows for word in row.title_key.split())
    for first in range(0, len(rows), _PAGE):
        page = rows[first : first + _PAGE]
        ids = [row.id for row in page]
        texts = _texts(connection, ids)
        about = _about(connection, ids)
        for row in page:
            title = Title(row.title_key)
            item = _Item(
                id=row.id,
                published_at=row.published_at,
                title=title,
                title_keys=(title.key, *title.keys(frequency)) if title.key else (),
                body=Body.of(texts.get(row.id, "")),
                about=frozenset(about[row.id]),
                language=row.language,
            )
            yield item, row.cluster_id


def _texts(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    beginning = func.substr(News.body, 1, READ_UP_TO)
    found: Any = connection.execute(select(News.id, beginning).where(News.id.in_(ids)))
    return {news_id: text or "" for news_id, text in found}


def _about(connection: Connection, ids: Sequence[int]) -> dict[int, set[Hashable]]:
    about: dict[int, set[Hashable]] = defaultdict(set)
    query = select(NewsLink.news_id, NewsLink.instrument_id, NewsLink.symbol)
    for news_id, instrument_id, symbol in connection.execute(
        query.where(NewsLink.news_id.in_(ids))
    ):
        about[news_id].add(instrument_id if instrument_id is not None else symbol)
    return about
