"""A source that answers from a script: pieces of a small world, and failures between them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from db.batches import (
    BarBatch,
    BarChunk,
    EventRecord,
    NewsRecord,
    Provenance,
    RecordBatch,
    Reject,
)
from db.calendar import calendar
from db.intervals import Interval
from db.sources.fetching.line import Line
from db.sources.fetching.source import Ask, Kind, Option, Part, Reach, Setup, Source
from tests.db.build import bar_table

Batches = Sequence[BarBatch | RecordBatch[Any]]


@dataclass(frozen=True)
class Piece:
    """A part of an answer; ``make`` builds its batches anew each time, as a request would."""

    since: datetime
    until: datetime
    make: Callable[[datetime], Batches] = lambda _: ()
    rows: int = 0
    notes: Sequence[str] = ()


Step = Piece | BaseException
"""A failure happens once: it is gone from the script when it was raised."""


@dataclass
class World:
    """What the source knows by kind and subject, what it was asked, and how far back it goes."""

    script: dict[tuple[str, str], list[Step]] = field(default_factory=dict)
    asks: list[Ask] = field(default_factory=list)
    setups: list[Setup] = field(default_factory=list)
    reach: Reach = field(default_factory=Reach)

    def say(self, kind: str, subject: str, *steps: Step) -> None:
        self.script.setdefault((kind, subject), []).extend(steps)

    def asked(self) -> list[str]:
        """The requests since the last call, as ``AMD prices 2024-01-02..2024-01-04``."""
        asks, self.asks = self.asks, []
        return [f"{a.subject} {a.kind} {a.since:%Y-%m-%d}..{a.until:%Y-%m-%d}" for a in asks]


class Scripted(Source):
    """Answers what `World.script` says of a kind and subject, as far as it meets the range."""

    name = "scripted"
    title = "Bring what a test has written down."
    example = "backtest ingest scripted AMD --since 2024-01-02"
    kinds = (
        Kind("prices", "daily bars"),
        Kind("events", "releases", snapshot=True),
        Kind("headlines", "titles", default=False),
    )
    intervals = ("1d", "1m")
    options = (
        Option("flavour", "how it tastes", default="plain", choices=("plain", "odd")),
        Option("url", "where it is", default="http://usual", env="SCRIPTED_URL", kept=False),
        Option("deep", "look deeper", flag=True),
    )
    history = timedelta(days=30)
    world: ClassVar[World] = World()

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.world.setups.append(setup)

    def reach(self, kind: str, interval: str) -> Reach:
        return self.world.reach if kind == "prices" else Reach()

    def stored_as(self, kind: str) -> str:
        return "scripted-bars" if kind == "prices" else self.name

    def fetch(self, ask: Ask) -> Iterator[Part]:
        self.world.asks.append(ask)
        steps = self.world.script.get((ask.kind, ask.subject), [])
        for step in list(steps):
            if isinstance(step, BaseException):
                steps[:] = [one for one in steps if one is not step]
                raise step
            if step.until <= ask.since or step.since >= ask.until:
                continue
            made = step.make(self.setup.now())
            yield Part(step.since, step.until, made, rows=step.rows, notes=step.notes)


def scripted(now: Callable[[], datetime], **options: str) -> Scripted:
    """The source, without a command line around it."""
    return Scripted(Setup(line=Line(pace=1e9, sleep=_never), now=now, options=options))


def _never(_: float) -> None:
    raise AssertionError("nothing here waits")


def midnight(day: str) -> datetime:
    """The instant at which a date begins in New York (in January)."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=5)


def provenance(text: str, now: datetime, source: str = "scripted") -> Provenance:
    return Provenance(source, text, hashlib.sha256(text.encode()).hexdigest(), now)


def days(
    symbol: str,
    first: str,
    last: str,
    close: float = 10.0,
    *,
    rejects: Sequence[Reject] = (),
    notes: Sequence[str] = (),
) -> Piece:
    """Daily bars of all sessions from ``first`` to ``last``, both included."""
    rows = [(symbol, opens, close) for opens in sessions(first, last)]

    def make(now: datetime) -> Batches:
        origin = f"{symbol} {first}..{last} at {close}"
        chunk = BarChunk(bar_table(rows), rejects)
        batch = BarBatch(
            provenance(origin, now, "scripted-bars"), Interval.D1, "none", iter([chunk])
        )
        return [batch]

    until = midnight(last) + timedelta(days=1)
    return Piece(midnight(first), until, make, rows=len(rows), notes=notes)


def sessions(first: str, last: str) -> list[str]:
    """The opens of the sessions of some winter days, as UTC text."""
    dates = [str(day) for day in calendar().dates]
    return [f"{day} 14:30" for day in dates if first <= day <= last]


def nothing(first: str, last: str) -> Piece:
    """There was nothing on these days."""
    return Piece(midnight(first), midnight(last) + timedelta(days=1))


def said(first: str, last: str, *records: EventRecord | NewsRecord) -> Piece:
    """Records of one kind."""

    def make(now: datetime) -> Batches:
        return [RecordBatch(provenance(repr(records), now), [replace(one) for one in records])]

    until = midnight(last) + timedelta(days=1)
    return Piece(midnight(first), until, make, rows=len(records))
