"""Rejection rates where nothing can be earned: the committed counts, and new markets."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from calibration.__main__ import NULLS, SHARES
from calibration.page import tests_outside as outside
from calibration.registry import FOUND, POWER, Expect, entries, expectation
from calibration.running import chunks, run
from calibration.tally import Results, count
from tests.conftest import ROOT

MARKETS = 200


@pytest.fixture(scope="module")
def committed() -> Results:
    return Results.read(ROOT / "calibration" / "results.json")


def test_the_committed_counts_are_of_enough_markets_and_every_test(committed: Results) -> None:
    for name in NULLS:
        tally = committed.designs[name]
        assert tally.markets >= (1000 if name == "few" else 2000)
        assert set(tally.tests) == {key for key, *_ in entries(name)}
    assert list(committed.power) == [f"{share:.2f}" for share in SHARES]
    for tally in committed.power.values():
        assert tally.markets >= 200
        assert set(tally.tests) == {key for key, _ in POWER}


def test_what_lies_outside_the_band_is_explained_and_nothing_else_is(committed: Results) -> None:
    assert {key for key, _ in outside(committed)} == set(FOUND)


def test_power_grows_with_the_share_of_reversals(committed: Results) -> None:
    """From no edge to all there is, and without one no more often than half of 5 % allows."""
    tallies = list(committed.power.values())
    for key, _ in POWER:
        found = [tally.tests[key].above / tally.tests[key].defined for tally in tallies]
        assert found[0] <= 0.06
        assert found[-1] > found[0] + 0.4


@pytest.mark.long
@pytest.mark.timeout(900)
def test_honest_tests_hold_on_new_markets_and_the_naive_do_not(tmp_path: Path) -> None:
    """200 markets of another seed; bounds that a rate of 5 % leaves once in a thousand tests."""
    made = chunks("full", 2, MARKETS)
    done = run(made, tmp_path, workers=1, resume=False, advance=lambda _: None)
    records = [record for chunk in made for record in done[chunk]]
    tests = count(records, [key for key, *_ in entries("full")]).tests
    low, high = stats.binom.ppf([0.0005, 0.9995], MARKETS, 0.05)
    honest = [key for key in tests if expectation(key) is Expect.HOLDS]
    assert honest
    for key in honest:
        assert tests[key].defined == MARKETS, key
        assert tests[key].rejected <= high, key
        if key not in FOUND:
            assert tests[key].rejected >= low, key
    for naive in (
        "event_study.day_0.patell",
        "event_study.days_0_to_5.patell",
        "mean_trade.gap_5.as_if_independent",
        "base_rates.all_above_open.base_rate_wilson",
    ):
        assert tests[naive].rejected > high, naive
