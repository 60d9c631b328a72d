"""A small world at the SEC's, and the ways in which the tests ask for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from db.sources.fetching.line import Line
from db.sources.fetching.registry import kept, make
from db.sources.fetching.run import Outcome, Tally, bring
from db.sources.fetching.source import Ask, Source
from db.sources.online.edgar import SOURCE
from db.store import Store

NOW = datetime(2023, 6, 1, 12, tzinfo=UTC)
IDENTITY = "Ada Example ada@example.com"


def at(text: str) -> datetime:
    """``2026-03-02 14:30`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def edgar(
    *, attempts: int = 3, now: datetime = NOW, waits: list[float] | None = None, **options: str
) -> Source:
    """The source, with waits that take no time and are noted."""
    noted = [] if waits is None else waits
    line = Line(pace=1e6, attempts=attempts, sleep=noted.append)
    given = {"identity": IDENTITY, **options}
    return make(SOURCE, options=given, environment={}, now=lambda: now, line=line)


def ask(
    symbol: str = "META", since: str = "2021-01-01", until: datetime = NOW, kind: str = "filings"
) -> Ask:
    return Ask(kind, symbol, at(since), until)


def run(
    store: Store, *asks: Ask, source: Source | None = None, now: datetime = NOW, **more: Any
) -> Outcome:
    """One run over the source, as the command line makes it."""
    source = source or edgar(now=now)
    return bring(store, source, asks or [ask()], now=lambda: now, options=kept(source), **more)


def came(outcome: Outcome) -> Tally:
    """What came of the filings."""
    return outcome.of("filings")


def told(store: Store, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of the stored events; instants as ``2023-02-01 21:05:12`` in UTC."""
    return _rows(store.events(), columns)


def read(store: Store, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of the stored news."""
    return _rows(store.news(), columns)


def _rows(table: Any, columns: tuple[str, ...]) -> list[tuple[Any, ...]]:
    def plain(value: Any) -> Any:
        return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value

    return [
        tuple(plain(value) for value in row)
        for row in table[list(columns)].itertuples(index=False, name=None)
    ]
