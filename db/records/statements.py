"""What news items say: figures and moves as text, and outlooks as guidance, known with the item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert, select

from db.batches import NewsRecord, TextFact, TextReaction
from db.models import Guidance, News, StatedFact, StatedReaction
from db.records.common import IN_CLAUSE, NEW_YORK, Intake, frame, named_since, pages

_FIGURES = ("low", "high", "change", "consensus", "previous")
_WORDS = (
    *("company", "symbol", "metric", "kind", "unit", "qualifier", "basis", "period"),
    *("direction", "sentence"),
)


class Stated:
    """Collects what new items say and writes it after them, in the same transaction."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._facts: list[dict[str, Any]] = []
        self._reactions: list[dict[str, Any]] = []
        self._guidance: list[dict[str, Any]] = []

    def take(self, record: NewsRecord, news_id: int) -> None:
        """What one new item says."""
        day = record.published_at.astimezone(NEW_YORK).date()
        for fact in record.facts:
            instrument = self._instrument(fact.symbol, day)
            self._facts.append(_fact_row(fact, news_id, instrument))
            if fact.kind == "guidance" and fact.symbol and fact.period and fact.low is not None:
                self._guidance.append(self._outlook(record, fact, news_id, instrument))
        self._reactions += [_reaction_row(one, news_id) for one in record.reactions]

    def write(self) -> None:
        """Insert everything taken."""
        for model, rows in (
            (StatedFact, self._facts),
            (StatedReaction, self._reactions),
            (Guidance, self._guidance),
        ):
            for page in pages(rows):
                self._intake.connection.execute(insert(model), page)

    def _instrument(self, symbol: str, day: date) -> int | None:
        return self._intake.book.resolve(symbol, day) if symbol else None

    def _outlook(
        self, record: NewsRecord, fact: TextFact, news_id: int, instrument: int | None
    ) -> dict[str, Any]:
        """Guidance that is known since its item was published, and not a moment sooner."""
        return {
            "instrument_id": instrument,
            "symbol": fact.symbol,
            "metric": fact.metric,
            "period": fact.period,
            "low": fact.low,
            "high": fact.high,
            "unit": fact.unit,
            "consensus": fact.consensus,
            "news_id": news_id,
            "announced_from": record.published_at,
            "announced_to": record.published_at,
            "precision": record.published_precision,
            "session": "",
            "first_known_at": record.published_at,
            "first_known_proven": True,
            **self._intake.stamp(record.row, fact.sentence),
        }


def _fact_row(fact: TextFact, news_id: int, instrument: int | None) -> dict[str, Any]:
    return {
        "news_id": news_id,
        "instrument_id": instrument,
        **{name: getattr(fact, name) for name in (*_FIGURES, *_WORDS)},
        "begin": fact.begin,
        "end": fact.end,
    }


def _reaction_row(reaction: TextReaction, news_id: int) -> dict[str, Any]:
    return {"news_id": news_id, **vars(reaction)}


def facts(
    connection: Connection, news_ids: Sequence[int] | None, as_of: datetime | None
) -> pd.DataFrame:
    """See `Store.text_facts`."""
    query = (
        select(
            StatedFact.id.label("fact_id"),
            StatedFact.news_id,
            News.published_at,
            StatedFact.instrument_id,
            *(getattr(StatedFact, name) for name in (*_WORDS, *_FIGURES)),
            StatedFact.begin,
            StatedFact.end,
            News.source,
        )
        .join(News, News.id == StatedFact.news_id)
        .order_by(News.published_at, StatedFact.id)
    )
    if as_of is not None:
        query = query.where(News.published_at <= as_of)
    if news_ids is not None and len(news_ids) <= IN_CLAUSE:
        query = query.where(StatedFact.news_id.in_([int(one) for one in news_ids]))
    table = frame(
        connection,
        query,
        instants=("published_at",),
        ids=("instrument_id",),
        numbers=_FIGURES,
        texts=(*_WORDS, "source"),
    ).astype(dict.fromkeys(("fact_id", "news_id", "begin", "end"), "int64"))
    named_since(connection, table, table["symbol"] != "", "published_at")
    return table if news_ids is None else table[table["news_id"].isin(list(news_ids))]


def reactions(connection: Connection, news_ids: Sequence[int] | None) -> pd.DataFrame:
    """See `Store.text_reactions`."""
    query = (
        select(
            StatedReaction.news_id,
            News.published_at,
            StatedReaction.move,
            StatedReaction.size,
            StatedReaction.session,
            StatedReaction.sentence,
            StatedReaction.begin,
            StatedReaction.end,
        )
        .join(News, News.id == StatedReaction.news_id)
        .order_by(News.published_at, StatedReaction.id)
    )
    table = frame(
        connection,
        query,
        instants=("published_at",),
        numbers=("size",),
        texts=("move", "session", "sentence"),
    ).astype(dict.fromkeys(("news_id", "begin", "end"), "int64"))
    return table if news_ids is None else table[table["news_id"].isin(list(news_ids))]
