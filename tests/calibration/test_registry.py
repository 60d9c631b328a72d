"""A test that the program offers and nobody has calibrated is noticed."""

from __future__ import annotations

from backtest.evidence import inference, overfitting
from backtest.evidence.event_study import TESTS, VARIANTS
from calibration.registry import (
    FOUND,
    GROUPS,
    NO_TESTS,
    POWER,
    TESTED_BY,
    VALUES,
    Expect,
    entries,
    expectation,
)

NAMES = {group.name: [test.name for test in group.tests] for group in GROUPS}
KEYS = {key for design in ("full", "few", "search") for key, *_ in entries(design)}


def test_every_test_of_an_event_study_is_calibrated() -> None:
    assert {*TESTS, *VARIANTS} <= set(NAMES["event_study"])


def test_every_public_name_of_inference_and_overfitting_is_calibrated_or_is_no_test() -> None:
    offered = {*inference.__all__, *overfitting.__all__}
    assert offered == {*TESTED_BY, *NO_TESTS}
    known = {name for names in NAMES.values() for name in names} | set(VALUES)
    for tests in TESTED_BY.values():
        assert set(tests) <= known


def test_both_intervals_of_a_base_rate_are_calibrated() -> None:
    assert NAMES["base_rates"] == ["base_rate_clustered", "base_rate_wilson"]


def test_no_two_tests_of_a_group_share_a_name() -> None:
    for names in NAMES.values():
        assert len(names) == len(set(names))


def test_a_test_that_should_not_hold_everywhere_says_why() -> None:
    silent = [
        test.name
        for group in GROUPS
        for test in group.tests
        if not test.why and any(test.expect(view) is Expect.NO for view in group.views)
    ]
    assert silent == []


def test_expectations_name_views_that_there_are() -> None:
    for group in GROUPS:
        for test in group.tests:
            assert {*test.holds, *test.at_most} <= set(group.views)


def test_what_was_found_afterwards_is_said_of_tests_that_should_hold() -> None:
    for key in FOUND:
        assert expectation(key) is not Expect.NO, key


def test_power_is_drawn_of_honest_tests_alone() -> None:
    for key, _ in POWER:
        assert key in KEYS
        assert expectation(key) is Expect.HOLDS
