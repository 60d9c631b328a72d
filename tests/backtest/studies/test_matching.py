"""Matching by hand, and against a second opinion in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.studies.matching import (
    NO_NIGHT,
    NO_SIZE,
    NO_VOLATILITY,
    NOT_BOTH,
    Calipers,
    Matches,
    Traits,
    match,
)
from db.errors import UsageError


def traits(*rows: tuple[int, float, float]) -> Traits:
    """(group, size, volatility) of each window."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Traits(table[:, 0].astype(np.int64), table[:, 1], table[:, 2])


def pairs(found: Matches) -> list[tuple[int, int]]:
    return list(zip(found.event.tolist(), found.night.tolist(), strict=True))


def test_the_nearest_within_both_calipers_by_hand() -> None:
    events = traits((1, 0.10, 0.02))
    nights = traits(
        (1, 0.12, 0.02),  # 20 % off: 0.8 of the caliper
        (1, 0.126, 0.02),  # too large
        (1, 0.10, 0.02 * math.exp(0.2)),  # 0.8
        (1, 0.10, 0.02 * math.exp(0.3)),  # too wild
        (1, 0.11, 0.02),  # 0.4
        (2, 0.10, 0.02),  # another company
        (1, -0.10, 0.02),  # a rise
        (1, 0.125, 0.02 * math.exp(-0.25)),  # both calipers exactly
    )
    found = match(events, nights, Calipers(nights=9))
    assert pairs(found) == [(0, 4), (0, 0), (0, 2), (0, 7)]
    assert found.distance.tolist() == pytest.approx([0.4, 0.8, 0.8, math.sqrt(2)])
    # Of equally near ones the earlier.
    assert pairs(match(events, nights, Calipers(nights=2))) == [(0, 4), (0, 0)]
    assert pairs(match(events, nights, Calipers(size=0.15))) == [(0, 4), (0, 2)]


def test_why_an_event_has_no_night() -> None:
    events = traits((1, 0.10, 0.02), (2, 0.10, 0.02), (3, 0.10, 0.02), (4, 0.10, 0.02))
    nights = traits((2, 0.20, 0.02), (3, 0.10, 0.09), (4, 0.10, 0.09), (4, 0.20, 0.02))
    found = match(events, nights, Calipers())
    assert found.reason.tolist() == [NO_NIGHT, NO_SIZE, NO_VOLATILITY, NOT_BOTH]
    assert not len(found.event)


def test_a_night_may_stand_for_several_events() -> None:
    found = match(traits((1, 0.1, 0.02), (1, 0.1, 0.02)), traits((1, 0.1, 0.02)), Calipers())
    assert pairs(found) == [(0, 0), (1, 0)]


def test_a_move_of_nothing_is_like_another_one_alone() -> None:
    nights = traits((1, 1e-6, 0.02), (1, 0.0, 0.02))
    assert pairs(match(traits((1, 0.0, 0.02)), nights, Calipers())) == [(0, 1)]


@pytest.mark.parametrize("wrong", [{"nights": 0}, {"size": 0}, {"volatility": 1.5}])
def test_calipers_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        Calipers(**wrong)  # type: ignore[arg-type]


WINDOWS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from([-0.1, -0.05, 0.0, 0.04, 0.05, 0.0501, 0.06, 0.0625, 0.1]),
        st.sampled_from([0.01, 0.011, 0.0125, 0.02]),
    ),
    max_size=25,
)


def slowly(
    events: list[tuple[int, float, float]],
    nights: list[tuple[int, float, float]],
    calipers: Calipers,
) -> list[list[int]]:
    """The nights of each event, nearest first, one window at a time."""
    chosen = []
    for company, size, volatility in events:
        near = []
        for place, (other, night_size, night_volatility) in enumerate(nights):
            if other != company:
                continue
            apart = abs(night_size - size)
            if size == 0:
                first = 0.0 if apart == 0 else math.inf
            else:
                first = apart / abs(size) / calipers.size
            second = abs(math.log(night_volatility) - math.log(volatility)) / calipers.volatility
            if first <= 1 + 1e-9 and second <= 1 + 1e-9:
                near.append((math.hypot(first, second), place))
        near.sort()
        chosen.append([place for _, place in near[: calipers.nights]])
    return chosen


@given(WINDOWS, WINDOWS, st.integers(1, 4), st.sampled_from([0.2, 0.25, 0.5]))
def test_a_slow_second_opinion_agrees(
    events: list[tuple[int, float, float]],
    nights: list[tuple[int, float, float]],
    most: int,
    size: float,
) -> None:
    calipers = Calipers(nights=most, size=size)
    found = match(traits(*events), traits(*nights), calipers)
    expected = slowly(events, nights, calipers)
    for place, wanted in enumerate(expected):
        mine = found.event == place
        assert (found.reason[place] == "") == bool(wanted)
        # Rounding may order equally near nights either way; the distances cannot differ.
        got = sorted(found.distance[mine])
        again = match(traits(events[place]), traits(*(nights[k] for k in wanted)), calipers)
        assert got == pytest.approx(sorted(again.distance), abs=1e-9)
        assert mine.sum() == len(wanted)
