"""What an item's own text adds to it: language, instruments, facts and, if wanted, sentiment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from db.batches import SURE, BarBatch, NewsRecord, RecordBatch, TextFact
from db.records.common import NEW_YORK

if TYPE_CHECKING:
    from db.store import Store
    from db.text.names import NameTable

Sentiment = Callable[[str, str], float | None]
"""(text, language) -> a score from -1 to 1, or None for no opinion."""
READ_UP_TO = 200_000
"""Characters of one item that are read for facts."""


class Annotator:
    """Reads items with what a store knows: its instruments, their names and fiscal years."""

    def __init__(self, store: Store, sentiment: Sentiment | None = None) -> None:
        self._store = store
        self._sentiment = sentiment
        self._names: NameTable | None = None
        self._years: dict[str, int] = {}

    def batch(self, batch: BarBatch | RecordBatch[Any]) -> BarBatch | RecordBatch[Any]:
        """The batch with its news items read; every other batch as it is."""
        if isinstance(batch, BarBatch):
            return batch
        if not any(isinstance(one, NewsRecord) for one in batch.records):
            return batch
        return replace(batch, records=[self.item(one) for one in batch.records])

    def item(self, item: NewsRecord) -> NewsRecord:
        """One item, read.  What its source said of language, symbols or mood is kept."""
        from db.text.facts import read_facts
        from db.text.language import detect
        from db.text.names import fiscal_year_end

        body = item.body[:READ_UP_TO]
        text = body if body else item.title
        language = item.language or detect(f"{item.title}\n{body}")
        item = replace(item, language=language)
        if not item.symbols:
            # A source that names symbols has said what the item is about.
            item = replace(item, found=tuple(self.names.find(item.title, body)))
        about = _main_symbol(item)
        said = read_facts(
            text,
            language=language,
            published=item.published_at.astimezone(NEW_YORK).date(),
            fiscal_year_end=self._years.get(about) or fiscal_year_end(about),
        )
        facts = tuple(replace(fact, symbol=self._whose(fact, about)) for fact in said.facts)
        mood = item.sentiment
        if mood is None and self._sentiment is not None:
            mood = self._sentiment(f"{item.title}\n{body}", language)
        return replace(item, facts=facts, reactions=said.reactions, sentiment=mood)

    @property
    def names(self) -> NameTable:
        """The packaged names and those of the store's instruments."""
        if self._names is None:
            from db.text.names import NameTable

            table = self._store.instruments()
            months = table["fiscal_year_end"].fillna(0)
            known = zip(table["symbol"], table["name"], months, strict=True)
            extra: dict[str, str] = {}
            for symbol, name, month in known:
                extra[symbol] = name
                if month in range(1, 13):
                    self._years[symbol] = int(month)
            self._names = NameTable(extra)
        return self._names

    def _whose(self, fact: TextFact, about: str) -> str:
        """The symbol of the company a fact is about; empty where that is not known."""
        if not fact.company:
            return about
        found = self.names.find(fact.company, "")
        return found[0].symbol if found else ""


def _main_symbol(item: NewsRecord) -> str:
    """The one instrument that an item is about; empty where it is about several or none."""
    if len(item.symbols) == 1:
        return item.symbols[0]
    if item.symbols:
        return ""
    sure = [one for one in item.found if one.confidence >= SURE]
    return sure[0].symbol if len(sure) == 1 else ""
