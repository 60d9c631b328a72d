"""A small world at Yahoo's, and the ways in which the tests ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from db.sources.fetching.line import Line
from db.sources.fetching.run import Outcome, bring
from db.sources.fetching.source import Ask, Setup
from db.sources.online.yahoo import SOURCE
from db.sources.online.yahoo.source import Yahoo
from db.store import Store
from tests.fakes.market import Stock
from tests.fakes.yahoo import FakeYahoo

NOW = datetime(2026, 3, 20, 21, 30, tzinfo=UTC)
"""A Friday, half past five in New York; the clocks there went forward on the 8th."""
TODAY = date(2026, 3, 20)
EVERY = ("pre", "regular", "post")
KINDS = ("prices", "actions", "earnings", "news")


def at(text: str) -> datetime:
    """``2026-03-02 14:30`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def world(clock: Clock, *stocks: Stock) -> FakeYahoo:
    return FakeYahoo(stocks or [Stock("META"), Stock("AMD")], now=clock)


def yahoo(clock: Clock, *, attempts: int = 3, timeout: float = 2.0, **options: str) -> Yahoo:
    """The source, with retries that take no time."""
    line = Line(pace=1e6, attempts=attempts, sleep=lambda _: None)
    return SOURCE(Setup(line, now=clock, options={"timeout": str(timeout), **options}))


def ask(
    kind: str = "prices",
    symbol: str = "META",
    since: str = "2026-03-01 00:00",
    until: datetime = NOW,
    *,
    interval: str = "1d",
    phases: Sequence[str] = ("regular",),
) -> Ask:
    if kind != "prices":
        return Ask(kind, symbol, at(since), until)
    return Ask(kind, symbol, at(since), until, interval=interval, phases=tuple(phases))


def brought(store: Store, source: Yahoo, *asks: Ask, **more: Any) -> Outcome:
    return bring(store, source, asks, now=source.setup.now, **more)


def table(store: Store, interval: str = "1d") -> pd.DataFrame:
    """Stored bars by symbol's instrument and start."""
    bars = store.bars(interval)
    columns = ("open", "high", "low", "close", "volume")
    frame = pd.DataFrame({name: getattr(bars, name) for name in columns})
    frame.index = pd.DatetimeIndex(bars.start.astype("datetime64[us]"), tz="UTC")
    return frame


def charts(fake: FakeYahoo, interval: str) -> list[str]:
    """The questions for bars of one length, without those for a time zone."""
    return [
        request.target
        for request in fake.requests
        if "/chart/" in request.path
        and request.query.get("interval") == interval
        and "period1" in request.query
    ]
