"""A run over a scripted source in a process of its own, to be killed at its durable writes."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from db.sources.fetching.run import Outcome, bring
from db.sources.fetching.source import Ask
from db.store import Store
from tests.db.build import event, news
from tests.db.sources.fetching.scripted import Scripted, World, days, midnight, said, scripted

NOW = datetime(2024, 2, 1, 17, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
WEEKS = (("2024-01-02", "2024-01-07"), ("2024-01-08", "2024-01-12"))
ASKS = {
    kind: Ask(kind, "AMD", midnight("2024-01-02"), midnight("2024-01-13"), interval, phases)
    for kind, interval, phases in (
        ("prices", "1d", ("regular",)),
        ("headlines", "", ()),
        ("events", "", ()),
    )
}
ROWS = {"prices": (4, 5), "headlines": (1, 1), "events": (1, 1)}
"""Of each kind, by part."""


def world() -> World:
    found = World()
    for number, (first, last) in enumerate(WEEKS):
        found.say("prices", "AMD", days("AMD", first, last))
        title = news(f"Title {number}", f"{last} 21:00", "AMD", url=f"https://x.org/{number}")
        found.say("headlines", "AMD", said(first, last, title))
        release = event("AMD", f"202{3 - number}-10-31 20:15")
        found.say("events", "AMD", said("2024-01-02", "2024-01-12", release))
    return found


def bring_into(store: Store, kinds: tuple[str, ...], now: datetime = LATER) -> Outcome:
    Scripted.world = world()
    return bring(store, scripted(lambda: now), [ASKS[kind] for kind in kinds], now=lambda: now)


def bring_all(target: str, bars: str, kinds: tuple[str, ...], crash_at: int) -> None:
    """What a child does."""
    os.environ["BACKTEST_CRASH_AT"] = str(crash_at)
    with Store.open(target, bars=bars, now=lambda: NOW) as store:
        bring_into(store, kinds, NOW)


def held(store: Store, kind: str) -> int:
    """How many rows of a kind there are; each once."""
    if kind == "headlines":
        return len(store.news())
    if kind == "events":
        assert len(store.revisions()) == len(store.events())
        return len(store.events())
    if store.bar_sources().empty:
        return 0
    starts = store.bars("1d").start.tolist()
    assert len(set(starts)) == len(starts)
    return len(starts)
