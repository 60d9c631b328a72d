"""Near-duplicate headlines: items that say the same within 24 hours are one, the first counts.

Two items say the same when their titles are equal but for case and punctuation, or, about the
same instrument, when they share four fifths of their words and all of their numbers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from db.models import News, NewsLink

WINDOW = timedelta(hours=24)
_ALIKE = 0.8
_FEWEST_WORDS = 5
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")


def title_key(title: str) -> str:
    """The words and numbers of a title in lower case, without punctuation."""
    return " ".join(_WORD.findall(title.casefold()))


@dataclass(frozen=True)
class _Item:
    id: int
    published_at: datetime
    title: str
    about: frozenset[Hashable]

    def says_the_same(self, other: _Item) -> bool:
        share = bool(self.about & other.about)
        if self.title == other.title:
            return share or not self.about or not other.about
        return share and _alike(self.title, other.title)


def _alike(one: str, other: str) -> bool:
    a, b = set(one.split()), set(other.split())
    if min(len(a), len(b)) < _FEWEST_WORDS or any(word[0].isdigit() for word in a ^ b):
        return False
    return len(a & b) >= _ALIKE * len(a | b)


class _Heads:
    """First items of clusters, found by their title and by what they are about."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, list[_Item]] = defaultdict(list)

    def add(self, item: _Item) -> None:
        for key in _keys(item):
            self._by_key[key].append(item)

    def of(self, item: _Item) -> _Item | None:
        """The earliest first item within the window that says the same."""
        found = None
        for key in _keys(item):
            for head in reversed(self._by_key[key]):
                if item.published_at - head.published_at > WINDOW:
                    break
                if head.says_the_same(item) and (found is None or head.id != found.id):
                    found = min(found or head, head, key=_order)
        return found


def _keys(item: _Item) -> list[Hashable]:
    return [("title", item.title), *(("about", who) for who in item.about)]


def _order(item: _Item) -> tuple[datetime, int]:
    return item.published_at, item.id


def recluster(connection: Connection, since: datetime) -> None:
    """Assign clusters anew to every item published at or after ``since``.

    Earlier items keep theirs: what is first does not depend on what came later.
    """
    rows = connection.execute(
        select(News.id, News.published_at, News.title_key, News.cluster_id)
        .where(News.published_at >= since - WINDOW)
        .order_by(News.published_at, News.id)
    ).all()
    linked = connection.execute(
        select(NewsLink.news_id, NewsLink.instrument_id, NewsLink.symbol)
        .join(News, News.id == NewsLink.news_id)
        .where(News.published_at >= since - WINDOW)
    )
    about: dict[int, set[Hashable]] = defaultdict(set)
    for news_id, instrument_id, symbol in linked:
        about[news_id].add(instrument_id if instrument_id is not None else symbol)
    heads = _Heads()
    changed = []
    for news_id, published_at, title, cluster_id in rows:
        item = _Item(news_id, published_at, title, frozenset(about[news_id]))
        if published_at < since:
            head = None if cluster_id == news_id else item
        else:
            head = heads.of(item)
            first = head.id if head else news_id
            if first != cluster_id:
                changed.append({"item": news_id, "first": first})
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
