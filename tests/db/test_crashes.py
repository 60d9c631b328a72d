"""A killed import leaves all of a batch or none of it, and completes when it is run again."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, select

from db.models import (
    Batch,
    Event,
    Instrument,
    News,
    NewsLink,
    RejectedRow,
    Revision,
    SymbolSpan,
)
from db.store import Store
from tests.db import processes
from tests.db.build import event, records
from tests.db.conftest import Place

SIGKILLED = -signal.SIGKILL
_MOST = 100  # far more boundaries than there are: the enumeration must end by itself


def content(store: Store) -> dict[str, object]:
    """All that a store holds, but for ids and the times of imports."""
    said = (Revision.announced_from, Revision.eps_estimate, Revision.eps_actual, Revision.source)
    counts = (Batch.added, Batch.revised, Batch.unchanged, Batch.rejected)
    with store._database.read() as connection:

        def rows(query: Select[Any]) -> list[tuple[Any, ...]]:
            return sorted(map(tuple, connection.execute(query)), key=repr)

        names = dict(rows(select(SymbolSpan.instrument_id, SymbolSpan.symbol)))
        held = {
            "instruments": rows(select(SymbolSpan.symbol).join(Instrument)),
            "events": rows(select(Event.symbol, *said).join(Revision).join(Instrument)),
            "news": rows(select(News.title, NewsLink.symbol).join(NewsLink)),
            "rejects": rows(select(RejectedRow.row, RejectedRow.reason).join(Batch)),
            "batches": rows(select(Batch.origin, Batch.status, *counts)),
        }
    found = store.bars("1d")
    columns = (found.instrument, found.start, found.open, found.close, found.volume)
    held["bars"] = sorted((names[row[0]], *row[1:]) for row in zip(*columns, strict=True))
    return held


def states(place: Place) -> list[dict[str, object]]:
    """What the store says after each batch of an import that nothing interrupts."""
    with place.open() as store:
        found = [content(store)]
        for batch in processes.work():
            store.ingest(batch)
            found.append(content(store))
    return found


@pytest.fixture(scope="session")
def uninterrupted(empty_folder: Path, tmp_path_factory) -> list[dict[str, object]]:
    folder = tmp_path_factory.mktemp("uninterrupted") / "store"
    with Store.open(folder, create=True):
        pass
    return states(Place(str(folder), folder / "bars"))


def assert_whole_and_completed(place: Place, expected: list[dict[str, object]]) -> int:
    """The store held the first batches whole and nothing else (how many), and can be completed."""
    with place.open() as store:
        held = expected.index(content(store))
        processes.import_into(store)
        assert content(store) == expected[-1]
    return held


def test_a_kill_at_every_durable_write(place, fresh, uninterrupted):
    reached = 0
    for crash_at in range(1, _MOST):
        here = fresh()
        child = processes.start(processes.import_all, here.target, str(here.bars), crash_at)
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == SIGKILLED
        done = assert_whole_and_completed(here, uninterrupted)
        assert done >= reached, "a later kill left less"
        reached = done
    else:
        pytest.fail("the enumeration did not end")
    # Each batch has a boundary after its last write: the last kill found all of them done.
    assert reached == len(uninterrupted) - 1
    assert crash_at > 2 * len(uninterrupted)


def test_a_store_that_was_open_meanwhile_takes_over(place, fresh, uninterrupted):
    """It has not seen the killed import when it opened, and does not open again."""
    for crash_at in range(1, 30, 3):
        here = fresh()
        with here.open() as store:
            child = processes.start(processes.import_all, here.target, str(here.bars), crash_at)
            child.join()
            assert child.exitcode == SIGKILLED
            # A new instrument must not get an id that the killed import gave to another.
            store.ingest(records("new.csv", [event("NEW", processes.JAN[0])]))
            assert content(store)["bars"] in [state["bars"] for state in uninterrupted]
            for batch in processes.work():
                store.ingest(batch)
            found, expected = content(store), uninterrupted[-1]
            assert found["bars"] == expected["bars"]
            assert found["news"] == expected["news"]
            assert len(found["batches"]) == len(expected["batches"]) + 1


def _seconds_alone(here: Place, expected: list[dict[str, object]]) -> float:
    """How long a child takes that nobody kills."""
    begun = time.monotonic()
    child = processes.start(processes.import_all, here.target, str(here.bars))
    child.join()
    assert child.exitcode == 0
    assert assert_whole_and_completed(here, expected) == len(expected) - 1
    return time.monotonic() - begun


@pytest.mark.parametrize("kills", [10, pytest.param(50, marks=pytest.mark.long)])
def test_kills_at_random_moments(place, fresh, uninterrupted, kills):
    chance = random.Random(kills)
    here = fresh()
    seconds = _seconds_alone(here, uninterrupted)
    for _ in range(kills):
        here = fresh()
        child = processes.start(processes.import_all, here.target, str(here.bars))
        child.join(chance.uniform(0, 1.1 * seconds))
        child.kill()
        child.join()
        assert child.exitcode in (0, SIGKILLED)
        assert_whole_and_completed(here, uninterrupted)
