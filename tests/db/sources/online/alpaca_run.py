"""What the Alpaca tests share: a run over the fake, and what a store holds after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pandas as pd

from db.bars import Bars
from db.sources.fetching.line import Line
from db.sources.fetching.registry import kept, make
from db.sources.fetching.run import Outcome, bring
from db.sources.fetching.source import ALL_PHASES, Ask, Source
from db.sources.online.alpaca import Alpaca
from db.store import Store
from tests.fakes.alpaca import ENVIRONMENT, NEW_YORK, FakeAlpaca

NOW = datetime(2026, 3, 12, 18, 0, tzinfo=UTC)
"""A Thursday, 14:00 in New York, four days after the clocks were put forward."""


def at_now() -> datetime:
    return NOW


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(text: str) -> datetime:
    """The midnight with which a day begins in New York."""
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


@dataclass
class AlpacaRun:
    """A source pointed at a fake, with a line that waits for nobody; ``waits`` are in seconds."""

    fake: FakeAlpaca
    store: Store
    now: Callable[[], datetime] = at_now
    options: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=lambda: dict(ENVIRONMENT))
    waits: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    clock: list[datetime] = field(default_factory=list)

    def source(self) -> Source:
        line = Line(pace=1e9, sleep=self.waits.append, clock=lambda: 0.0)
        options = {"url": self.fake.url, "timeout": "5", **self.options}
        return make(Alpaca, options=options, environment=self.environment, now=self.now, line=line)

    def bring(self, *asks: Ask) -> Outcome:
        source = self.source()
        say = self.notes.append
        return bring(self.store, source, asks, now=self.now, options=kept(source), say=say)

    def prices(
        self,
        symbol: str,
        since: str,
        until: str,
        *,
        interval: str = "1m",
        phases: Sequence[str] = ALL_PHASES,
    ) -> Outcome:
        """Bars of days in New York, or from and to instants in UTC."""
        first, last = ((day if len(text) == 10 else utc)(text) for text in (since, until))
        return self.bring(Ask("prices", symbol, first, last, interval, tuple(phases)))

    def asked(self, name: str = "symbols") -> list[str]:
        """One parameter of each request that came, in order."""
        return [request.query.get(name, "") for request in self.fake.requests]

    def stored(self, interval: str = "1m") -> Bars:
        from db.intervals import Interval

        return self.store.bars(Interval.parse(interval))

    def starts(self, interval: str = "1m") -> list[str]:
        """Starts of the stored bars in New York, to the minute."""
        stamps = pd.to_datetime(self.stored(interval).start, unit="us", utc=True)
        return list(stamps.tz_convert("America/New_York").strftime("%Y-%m-%d %H:%M"))
