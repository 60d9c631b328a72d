"""What is missing, against a slow model that looks at every hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from db.sources.fetching.ranges import Range, missing

START = datetime(2024, 1, 1, tzinfo=UTC)
HOURS = st.integers(0, 24)


def hours(begin: int, end: int) -> Range:
    return Range(START + timedelta(hours=begin), START + timedelta(hours=end))


def inside(spans: list[tuple[int, int]]) -> set[int]:
    return {hour for begin, end in spans for hour in range(begin, end)}


@given(st.tuples(HOURS, HOURS), st.lists(st.tuples(HOURS, HOURS), max_size=8))
def test_it_is_what_no_range_covers_hour_by_hour(
    wanted: tuple[int, int], covered: list[tuple[int, int]]
) -> None:
    """Empty and backward ranges among them; every order, nested, touching and equal ones."""
    gaps = missing(hours(*wanted), [hours(*span) for span in covered])
    found = [
        ((since - START) // timedelta(hours=1), (until - START) // timedelta(hours=1))
        for since, until in gaps
    ]
    assert inside(found) == inside([wanted]) - inside(covered)
    assert all(begin < end for begin, end in found), "no empty gap"
    assert all(one[1] < other[0] for one, other in pairwise(found)), (
        "in order of time, and as few as can be"
    )


def test_touching_ranges_leave_no_gap() -> None:
    assert missing(hours(0, 10), [hours(5, 10), hours(0, 5)]) == []
    assert missing(hours(0, 10), [hours(0, 4), hours(5, 10)]) == [hours(4, 5)]


def test_the_smallest_step_is_a_gap() -> None:
    tick = timedelta(microseconds=1)
    day = hours(0, 24)
    almost = Range(day.since + tick, day.until - tick)
    assert missing(day, [almost]) == [
        Range(day.since, day.since + tick),
        Range(day.until - tick, day.until),
    ]
