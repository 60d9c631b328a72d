"""Shapes of nights, and which nights lie near a release, against plain Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.panel.sessions import event_sessions
from backtest.studies.nights import APART, Releases
from backtest.studies.shapes import Shape, shapes_of
from db.calendar import calendar
from tests.tiny_store import TinyStore, clock, release

HALF_DAY = "2018-11-23"


@pytest.mark.parametrize(
    ("when", "session", "shape"),
    [
        ("2019-01-29", "post", Shape("post")),
        ("2019-01-30", "pre", Shape("pre")),
        ("2019-01-30", "regular", Shape("regular")),
        ("2019-01-29", "", Shape("date")),
        ("2019-01-29 16:05:00", None, Shape("post", 5 * 60_000_000)),
        ("2019-01-30 07:30:00", None, Shape("pre", 120 * 60_000_000)),
        ("2019-01-30 10:30:00", None, Shape("regular", 60 * 60_000_000)),
        ("2019-02-02 12:00:00", None, Shape("post")),  # a Saturday
        ("2019-02-02", "", Shape("date")),
    ],
)
def test_an_events_shape_gives_its_own_night_back(
    tmp_path: Path, when: str, session: str | None, shape: Shape
) -> None:
    with TinyStore(tmp_path) as tiny:
        tiny.take([release("AMD", when, session)])
        events = tiny.store.events()
    sessions = event_sessions(events)
    if shape.kind == "date" and when.startswith("2019-02-02"):
        shape = Shape("post")  # the reaction is Monday's, one session on
    assert shapes_of(events, sessions, daily=False) == [shape]
    again = shape.sessions("XNYS", sessions.reference)
    for name in ("reference", "reaction", "reaction_open", "reference_close"):
        assert getattr(again, name).tolist() == getattr(sessions, name).tolist()
    if not when.startswith("2019-02-02"):
        assert again.announced_from.tolist() == sessions.announced_from.tolist()
        assert again.announced_to.tolist() == sessions.announced_to.tolist()


def test_an_evening_on_a_half_day_begins_at_its_close() -> None:
    cal = calendar("XNYS")
    day = cal.index_of_dates(np.array([HALF_DAY], "datetime64[D]"))
    found = Shape("post", 5 * 60_000_000).sessions("XNYS", day)
    assert clock(int(found.announced_from[0])) == f"{HALF_DAY} 13:05"
    assert found.reaction.tolist() == (day + 1).tolist()


def test_daily_bars_know_no_evening_from_a_morning(tmp_path: Path) -> None:
    with TinyStore(tmp_path) as tiny:
        tiny.take(
            [
                release("A", "2019-01-29 16:05:00"),
                release("B", "2019-01-30", "pre"),
                release("C", "2019-01-30 12:00:00"),
            ]
        )
        events = tiny.store.events()
    found = shapes_of(events, event_sessions(events), daily=True)
    assert dict(zip(events["symbol"], found, strict=True)) == {
        "A": Shape("post"),
        "B": Shape("post"),
        "C": Shape("regular"),
    }


SPANS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 40), st.integers(0, 1)), max_size=20)


@given(SPANS, SPANS)
def test_nearness_to_a_release_against_plain_python(
    releases: list[tuple[int, int, int]], nights: list[tuple[int, int, int]]
) -> None:
    told = Releases(*(np.array(part, dtype=np.int64) for part in _columns(releases)))
    owner, first, last = (np.array(part, dtype=np.int64) for part in _columns(nights))
    expected = [
        any(
            company == other and begin <= end_night + APART and end >= begin_night - APART
            for other, begin, end in zip(told.instrument, told.first, told.last, strict=True)
        )
        for company, begin_night, end_night in zip(owner, first, last, strict=True)
    ]
    assert told.near(owner, first, last).tolist() == expected


def _columns(rows: list[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return (
        [company for company, _, _ in rows],
        [begin for _, begin, _ in rows],
        [begin + more for _, begin, more in rows],
    )


def test_a_release_of_unknown_company_blocks_nothing() -> None:
    events = pd.DataFrame(
        {
            "instrument_id": pd.array([pd.NA], dtype="Int64"),
            "exchange": ["XNYS"],
            "announced_from": pd.DatetimeIndex(["2019-01-29 21:00"], tz="UTC").as_unit("us"),
            "announced_to": pd.DatetimeIndex(["2019-01-29 21:00"], tz="UTC").as_unit("us"),
            "precision": ["exact"],
        }
    )
    one = np.array([1], dtype=np.int64)
    assert not Releases.of(events).near(one, one, one).any()
