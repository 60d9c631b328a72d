"""Sources that name fiscal periods differently: one release stays one event, two stay two."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from tests.db.build import FETCHED, event, records

JANUARY, APRIL, JULY = "2020-01-29 21:05", "2020-04-28 20:05", "2020-07-28 20:05"


def take(store: Any, source: str, *rows: tuple[str, str], day: int = 0) -> Any:
    """(when, label) of each release that a source tells of."""
    told = [event("NVDA", when, fiscal_period=label) for when, label in rows]
    name = f"{source} {rows} {day}"
    when = FETCHED + timedelta(days=day)
    return store.ingest(records(name, told, source=source, fetched_at=when))


def releases(store: Any) -> list[tuple[str, int]]:
    """(day, number of revisions) of each event."""
    table = store.events()
    pairs = zip(table["announced_from"], table["revisions"], strict=True)
    return [(f"{when:%m-%d}", int(count)) for when, count in pairs]


FISCAL = [(JANUARY, "2020Q4"), (APRIL, "2021Q1"), (JULY, "2021Q2")]
CALENDAR = [(JANUARY, "2019Q4"), (APRIL, "2020Q1"), (JULY, "2020Q2")]
SHIFTED = [(JANUARY, "2020Q1"), (APRIL, "2020Q2"), (JULY, "2020Q3")]
"""Named by the quarter in which they are released."""
THREE = [("01-29", 2), ("04-28", 2), ("07-28", 2)]


@pytest.mark.parametrize("first", [FISCAL, CALENDAR, SHIFTED])
@pytest.mark.parametrize("second", [FISCAL, CALENDAR, SHIFTED])
@pytest.mark.parametrize("backward", [False, True])
def test_two_ways_to_name_quarters_do_not_mix_up_releases(
    fresh_store: Any, first: Any, second: Any, backward: bool
) -> None:
    """A page lists the newest release first, a file the oldest."""
    take(fresh_store, "one", *first)
    take(fresh_store, "two", *(reversed(second) if backward else second))
    assert releases(fresh_store) == THREE


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_whatever_order_they_come_in(fresh_store: Any, order: tuple[int, ...]) -> None:
    for number in order:
        take(fresh_store, "one", CALENDAR[number])
    for number in order:
        take(fresh_store, "two", SHIFTED[number])
    assert releases(fresh_store) == THREE


def test_a_source_s_own_label_is_followed_when_its_date_moves(store: Any) -> None:
    """Though another source gave the event its name."""
    take(store, "one", (JANUARY, "2019Q4"))
    take(store, "two", (JANUARY, "2020Q4"))
    moved = take(store, "two", ("2020-02-12 21:05", "2020Q4"), day=1)
    assert (moved.added, moved.revised) == (0, 1)
    assert releases(store) == [("02-12", 3)]


def test_a_date_that_moves_by_more_than_a_quarter_follows_its_own_source_s_label(
    store: Any,
) -> None:
    take(store, "one", (JANUARY, "2019Q4"))
    moved = take(store, "one", ("2020-05-20 20:05", "2019Q4"), day=1)
    assert (moved.added, moved.revised) == (0, 1)


def test_a_label_after_a_year_is_another_event(store: Any) -> None:
    take(store, "one", (JANUARY, "Q4"))
    assert take(store, "one", ("2021-01-27 21:05", "Q4")).added == 1
    assert take(store, "two", (JANUARY, "Q4"), ("2021-01-27 21:05", "Q4")).revised == 2


def test_the_same_label_of_another_source_some_weeks_off_is_the_same_event(store: Any) -> None:
    """Scheduled for another date by one of them."""
    take(store, "one", (JANUARY, "2019Q4"))
    assert take(store, "two", ("2020-02-26 21:05", "4Q19")).revised == 1
