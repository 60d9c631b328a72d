"""Imports in processes of their own, to be killed or to compete."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import Any

# Imported here so that the fork server has them ready: a child then starts in milliseconds.
import db.delta.ingest
import db.maintenance
import db.records.ingest
import db.schema  # noqa: F401
from db.batches import Reject
from db.store import Store
from tests.db.build import at, bars, event, news, records

NOW = at("2024-01-02 12:30")
JAN = [f"2020-01-{day:02}" for day in range(2, 9)]


def work() -> list[Any]:
    """Batches that go through every kind of durable write, in the order they are imported."""
    return [
        bars("a.csv", [("AAA", day, 10) for day in JAN] + [("BBB", JAN[0], 20)]),
        # Known, corrected and new bars at once.
        bars(
            "b.csv",
            [("AAA", JAN[0], 10), ("AAA", JAN[1], 99), ("CCC", JAN[0], 30)],
            rejects=[Reject("b.csv", 4, "open", "x", "not a number")],
        ),
        records(
            "e.csv", [event("AAA", "2020-01-06 21:05", eps_estimate=1.0), event("DDD", JAN[0])]
        ),
        records("f.csv", [event("AAA", "2020-01-06 21:05", eps_actual=2.0)], source="two"),
        records("n.csv", [news("AAA falls after hours", "2020-01-06 21:06", "AAA", "EEE")]),
    ]


def import_all(target: str, bars_place: str, crash_at: int | None = None) -> None:
    """What a child does: open the store, import everything and tidy up."""
    if crash_at is not None:
        os.environ["BACKTEST_CRASH_AT"] = str(crash_at)
    with Store.open(target, bars=bars_place, create=True, now=lambda: NOW) as store:
        import_into(store)


def import_into(store: Store) -> None:
    for batch in work():
        store.ingest(batch)
    store.compact()
    store.clean()


def context() -> ForkServerContext:
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([__name__])
    return found


def start(target: Callable[..., None], *arguments: Any) -> BaseProcess:
    process = context().Process(target=target, args=arguments)
    process.start()
    return process


def compete(target: str, bars_place: str, names: Sequence[str], ready: Any, results: Any) -> None:
    """Import the named files as soon as everybody is ready; report what became of each."""
    with Store.open(target, bars=bars_place, now=lambda: NOW) as store:
        ready.wait()
        for name in names:
            for batch in batches_of(name):
                report = store.ingest(batch)
                results.put((name, type(batch).__name__, report.added, report.already_imported))


def batches_of(name: str) -> list[Any]:
    """Files called ``a1`` hold symbols of their own and one they share with all others."""
    rows = [(symbol, day, 10.0) for symbol in (name.upper(), "SHARED") for day in JAN]
    return [
        bars(f"{name}.csv", rows),
        records(f"{name}-events.csv", [event(name.upper(), JAN[0]), event("SHARED", JAN[0])]),
    ]
