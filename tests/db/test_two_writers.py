"""Processes that import at once lose nothing and duplicate nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from db.batches import BarChunk
from db.errors import StoreError
from tests.db import processes
from tests.db.build import bar_table, bars, event, records

JAN = processes.JAN


def imported_by_two(place, one: list[str], other: list[str]) -> list[tuple[str, str, int, bool]]:
    """Let two processes import the named files at once; what became of each."""
    context = processes.context()
    ready, results = context.Barrier(2, timeout=60), context.Queue()
    children = [
        processes.start(processes.compete, place.target, str(place.bars), names, ready, results)
        for names in (one, other)
    ]
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    return [results.get(timeout=10) for _ in range(2 * (len(one) + len(other)))]


def assert_holds(store, names: list[str]) -> None:
    """Exactly the bars and events of these files, each once."""
    symbols = store.instruments().set_index("instrument_id")["symbol"]
    assert sorted(symbols) == sorted({"SHARED", *(name.upper() for name in names)})
    found = store.bars("1d")
    counts = Counter(symbols[who] for who in found.instrument)
    assert counts == dict.fromkeys(symbols, len(JAN))
    keys = np.stack([found.instrument, found.start])
    assert len(np.unique(keys, axis=1).T) == len(found)
    assert sorted(store.events()["symbol"]) == sorted(symbols)


def test_different_files_at_once(place):
    one, other = ["a1", "a2", "a3"], ["b1", "b2", "b3"]

    found = imported_by_two(place, one, other)

    assert not any(already for *_, already in found)
    # The shared symbol's bars and event are added by the first that comes, whoever that is.
    assert sum(added for _, kind, added, _ in found if kind == "BarBatch") == 7 * len(JAN)
    assert sum(added for _, kind, added, _ in found if kind == "RecordBatch") == 7
    with place.open() as store:
        assert_holds(store, one + other)
        assert len(store.batches()) == 12


def test_the_same_files_at_once(place):
    names = ["a1", "a2", "a3"]

    found = imported_by_two(place, names, names)

    assert sum(already for *_, already in found) == 6
    with place.open() as store:
        assert_holds(store, names)
        assert len(store.batches()) == 6
        assert len(store.revisions()) == 4


def interrupted_by(store, rows, *batches):
    """A batch of bars during the reading of which the others are imported."""

    def chunks():
        yield BarChunk(bar_table(rows[:1]))
        for batch in batches:
            store.ingest(batch)
        yield BarChunk(bar_table(rows[1:]))

    return replace(bars("slow.csv", []), chunks=chunks())


def closes(store) -> dict[tuple[str, int], float]:
    symbols = store.instruments().set_index("instrument_id")["symbol"]
    found = store.bars("1d")
    return {
        (symbols[who], day): close
        for who, day, close in zip(
            found.instrument, found.start // 86_400_000_000 - 18262, found.close, strict=True
        )
    }


def test_ids_taken_while_a_file_was_read_are_given_anew(store):
    rows = [("AAA", JAN[0], 10), ("BBB", JAN[0], 20), ("AAA", JAN[1], 11)]
    quick = bars("quick.csv", [("BBB", JAN[1], 21), ("CCC", JAN[0], 30)])

    report = store.ingest(interrupted_by(store, rows, quick))

    assert (report.added, report.unchanged) == (3, 0)
    assert sorted(store.instruments()["symbol"]) == ["AAA", "BBB", "CCC"]
    assert closes(store) == {
        ("AAA", 1): 10, ("AAA", 2): 11, ("BBB", 1): 20, ("BBB", 2): 21, ("CCC", 1): 30
    }  # fmt: skip


def test_bars_that_came_while_a_file_was_read_are_not_held_twice(store):
    rows = [("AAA", JAN[0], 10), ("AAA", JAN[1], 11), ("AAA", JAN[2], 12)]
    quick = bars("quick.csv", [("AAA", JAN[1], 11), ("AAA", JAN[2], 13)])

    report = store.ingest(interrupted_by(store, rows, quick))

    assert (report.added, report.revised, report.unchanged) == (1, 1, 1)
    assert closes(store) == {("AAA", 1): 10, ("AAA", 2): 11, ("AAA", 3): 12}


def test_the_same_file_finished_by_another_while_it_was_read_is_already_imported(store):
    rows = [("AAA", JAN[0], 10), ("AAA", JAN[1], 11)]

    report = store.ingest(interrupted_by(store, rows, bars("slow.csv", rows)))

    assert report.already_imported
    assert len(store.batches()) == 1
    assert len(closes(store)) == 2


def test_a_symbol_that_an_event_brought_meanwhile_is_the_same_instrument(store):
    rows = [("AAA", JAN[0], 10), ("AAA", JAN[1], 11)]
    store.ingest(interrupted_by(store, rows, records("e.csv", [event("AAA", JAN[0])])))

    assert len(store.instruments()) == 1
    assert store.events()["instrument_id"].tolist() == [1]
    assert store.bars("1d").instrument.tolist() == [1, 1]


def test_a_rename_while_a_file_was_read_is_refused(store):
    store.ingest(records("e.csv", [event("FB", JAN[0])]))

    def chunks():
        yield BarChunk(bar_table([("FB", JAN[0], 10)]))
        store.rename("FB", "META", processes.NOW.date())

    with pytest.raises(StoreError, match="'FB' names was changed"):
        store.ingest(replace(bars("slow.csv", []), chunks=chunks()))
    assert len(store.bars("1d")) == 0


def test_a_commit_by_another_program_is_noticed_and_the_batch_compared_again(store, monkeypatch):
    """The Delta commit does not rely on the writer lock: a foreign commit makes it start over."""
    from db.delta.table import BarTable

    store.ingest(bars("a.csv", [("AAA", JAN[0], 10)]))
    commit = BarTable.commit
    seen = []

    def interrupted(self, base, **arguments):
        seen.append(base.version)
        if len(seen) == 1:  # somebody adds a version between the look and the commit
            commit(self, base, add=[], remove=[], facts={}, now=processes.NOW)
        return commit(self, base, **arguments)

    monkeypatch.setattr(BarTable, "commit", interrupted)
    report = store.ingest(bars("b.csv", [("AAA", JAN[0], 11), ("AAA", JAN[1], 12)]))

    assert seen == [1, 2]
    assert (report.added, report.revised) == (1, 1)
    assert closes(store) == {("AAA", 1): 11, ("AAA", 2): 12}
