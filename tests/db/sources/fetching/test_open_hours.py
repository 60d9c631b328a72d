"""Which ranges can hold a bar: asked for where one can, left alone where none can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.calendar import Phase, calendar
from db.intervals import Interval
from db.sources.fetching.open_hours import holds_a_bar
from db.sources.fetching.ranges import Range
from tests.tiny_store import ny, us

ALL = ("pre", "regular", "post")
REGULAR = ("regular",)


def holds(since: str, until: str, interval: str = "1m", phases: tuple[str, ...] = REGULAR) -> bool:
    return holds_a_bar(Range(ny(since), ny(until)), interval, phases)


@pytest.mark.parametrize(
    ("since", "until", "phases", "expected"),
    [
        ("2024-01-02 16:00", "2024-01-03 09:30", REGULAR, False),  # a night
        ("2024-01-02 16:00", "2024-01-03 09:30", ALL, True),  # its evening and morning
        ("2024-01-02 16:00", "2024-01-03 04:00", ("post",), True),
        ("2024-01-02 20:00", "2024-01-03 04:00", ALL, False),
        ("2024-01-02 20:00", "2024-01-03 04:01", ALL, True),
        ("2024-01-03 04:00", "2024-01-03 09:30", ("pre",), True),
        ("2024-01-03 04:00", "2024-01-03 09:30", ("post",), False),
        ("2024-01-06 00:00", "2024-01-08 00:00", ALL, False),  # a weekend
        ("2024-01-15 00:00", "2024-01-16 00:00", ALL, False),  # a holiday
        ("2024-01-02 09:30", "2024-01-02 09:31", REGULAR, True),
        ("2024-01-02 09:30:01", "2024-01-02 09:31", REGULAR, False),
        ("2024-01-02 09:30", "2024-01-02 09:30:59", REGULAR, False),
        ("2024-01-02 15:59", "2024-01-03 09:30", REGULAR, True),
    ],
)
def test_nights_weekends_and_holidays_hold_no_minute(
    since: str, until: str, phases: tuple[str, ...], expected: bool
) -> None:
    assert holds(since, until, phases=phases) is expected


@pytest.mark.parametrize(
    ("since", "until", "phases", "expected"),
    [
        # The day after Thanksgiving: 13:00, the evening to 17:00.
        ("2023-11-24 13:00", "2023-11-24 23:59", REGULAR, False),
        ("2023-11-24 12:59", "2023-11-24 13:00", REGULAR, True),
        ("2023-11-24 13:00", "2023-11-24 13:01", ("post",), True),
        ("2023-11-24 17:00", "2023-11-24 20:00", ALL, False),
        ("2023-11-24 16:59", "2023-11-24 17:00", ALL, True),
    ],
)
def test_a_half_day_ends_early(
    since: str, until: str, phases: tuple[str, ...], expected: bool
) -> None:
    assert holds(since, until, phases=phases) is expected


def test_the_open_moves_with_the_clock() -> None:
    """14:30 UTC until 2024-03-08, 13:30 UTC from 2024-03-11 on."""
    for day, hour in (
        ("2024-03-08", 14),
        ("2024-03-11", 13),
        ("2024-11-01", 13),
        ("2024-11-04", 14),
    ):
        opens = ny(f"{day} 00:00").replace(hour=hour, minute=30)
        minute = timedelta(minutes=1)
        assert holds_a_bar(Range(opens, opens + minute), "1m", REGULAR)
        assert not holds_a_bar(Range(opens - minute, opens), "1m", REGULAR)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2024-01-02 00:00", "2024-01-02 16:00", True),
        ("2024-01-02 00:00", "2024-01-02 15:59:59", False),  # the day is not over
        ("2024-01-02 00:00:01", "2024-01-03 16:00", True),  # the next one is whole
        ("2024-01-02 00:00:01", "2024-01-03 15:59", False),
        ("2024-01-06 00:00", "2024-01-08 15:00", False),
        ("2023-11-24 00:00", "2023-11-24 13:00", True),
    ],
)
def test_a_day_is_held_from_its_midnight_to_its_close(
    since: str, until: str, expected: bool
) -> None:
    assert holds(since, until, "1d") is expected


@pytest.mark.parametrize(
    ("since", "until", "phases", "expected"),
    [
        ("2024-01-02 15:30", "2024-01-02 16:00", REGULAR, True),  # half an hour long
        ("2024-01-02 15:30", "2024-01-02 15:59", REGULAR, False),
        ("2024-01-02 15:31", "2024-01-02 16:00", REGULAR, False),
        ("2024-01-02 15:30", "2024-01-02 20:00", REGULAR, True),
        ("2024-01-02 09:00", "2024-01-02 09:30", ("pre",), True),
        ("2024-01-02 09:31", "2024-01-02 11:29", REGULAR, False),  # none fits: 10:30 to 11:30
        ("2024-01-02 10:30", "2024-01-02 11:30", REGULAR, True),
        ("2023-11-24 12:30", "2023-11-24 13:00", REGULAR, True),
    ],
)
def test_the_last_hour_of_a_phase_is_cut_where_the_phase_ends(
    since: str, until: str, phases: tuple[str, ...], expected: bool
) -> None:
    assert holds(since, until, "1h", phases) is expected


CLOCKS = ("04:00", "09:00", "09:30", "10:30", "15:30", "15:31", "16:00", "19:00")
FIRST = us("2024-03-07 00:00")
EDGES = [us(f"2024-03-{day} {clock}") for day in ("08", "11") for clock in CLOCKS]
MINUTES = st.sampled_from(EDGES) | st.integers(0, 6 * 24 * 12).map(
    lambda n: FIRST + n * 5 * 60_000_000
)
LENGTHS = st.integers(0, 26).map(lambda n: n * 5 * 60_000_000) | st.just(3 * 24 * 3_600_000_000)


@given(
    st.tuples(MINUTES, LENGTHS),
    st.sampled_from(["1m", "5m", "30m", "1h"]),
    st.sets(st.sampled_from(ALL), min_size=1).map(sorted).map(tuple),
)
def test_it_is_whether_any_bar_of_the_calendar_lies_inside(
    span: tuple[int, int], interval: str, phases: tuple[str, ...]
) -> None:
    """Over a weekend on which the clocks change; the slow model looks at every bar there is."""
    kind, cal = Interval.parse(interval), calendar()
    wanted = {Phase[name.upper()] for name in phases}
    starts = []
    for day in range(len(cal)):
        if FIRST <= cal.opens[day] <= FIRST + 8 * 24 * 3600 * 1_000_000:
            for begins in (cal.pre_start[day], cal.opens[day], cal.closes[day]):
                starts += [begins + n * kind.microseconds for n in range(400)]
    bars = np.array(sorted(set(starts)), dtype=np.int64)
    phase = cal.phases_at(bars)
    # A grid that runs on beyond its phase is not that of the next phase.
    on_grid = np.zeros(len(bars), dtype=bool)
    for name, edges in (
        (Phase.PRE, cal.pre_start),
        (Phase.REGULAR, cal.opens),
        (Phase.POST, cal.closes),
    ):
        session = cal.session_of(bars)
        on_grid |= (phase == name) & ((bars - edges[session]) % kind.microseconds == 0)
    mine = on_grid & np.isin(phase, list(wanted))
    ends = cal.bar_ends(bars, kind)
    inside = mine & (bars >= span[0]) & (ends <= span[0] + span[1])

    def instant(at: int) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)

    assert holds_a_bar(Range(instant(span[0]), instant(sum(span))), interval, phases) is bool(
        inside.any()
    )
