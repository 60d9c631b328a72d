"""Counting: what is undefined, what is exactly five percent, and what an interval leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from calibration.tally import Count, Results, count, results


def record(p: float | None, direction: float | None, interval: list[float]) -> dict[str, Any]:
    return {
        "p": {"a": [p, direction]},
        "intervals": {"b": interval},
        "values": {"edge": p},
        "sizes": {"releases": 4},
    }


RECORDS = [
    record(20 / 400, 1.0, [0.1, 0.4, 1, 5]),
    record(21 / 400, 1.0, [0.6, 0.9, 3, 5]),
    record(0.001, -1.0, [0.0, 1.0, 0, 0]),
    record(None, None, [0.2, 0.6, 2, 5]),
]


def test_five_percent_exactly_counts_and_undefined_does_not() -> None:
    found = count(RECORDS, ["a"]).tests["a"]
    assert found == Count(defined=3, rejected=2, above=1)
    assert found.rate == pytest.approx(2 / 3)
    assert found.error == pytest.approx((2 / 3 * 1 / 3 / 3) ** 0.5)


def test_intervals_are_held_against_the_share_of_all_events_together() -> None:
    tally = count(RECORDS, ["b"])
    assert tally.truths["b"] == pytest.approx(6 / 15)
    # The first ends at the truth, the second begins above it, the third has no events.
    assert tally.tests["b"] == Count(defined=3, rejected=1, above=1)


def test_means_are_those_of_markets_that_have_a_value() -> None:
    means = count(RECORDS, ["a"]).means
    assert means["edge"].n == 3
    assert means["edge"].mean == pytest.approx((20 / 400 + 21 / 400 + 0.001) / 3)
    assert means["releases"].error == 0


def test_counts_come_back_from_their_file(tmp_path: Path) -> None:
    from calibration.registry import POWER, entries

    keys = [key for key, *_ in entries("search")]
    judged = {key: [0.5, 1.0] for key in keys}
    search = {"p": judged, "intervals": {}, "values": {}, "sizes": {}}
    power = search | {"p": {key: [0.01, 1.0] for key, _ in POWER}}
    made = results(3, {"search": [search]}, {0.25: [power]})
    made.write(tmp_path / "results.json")
    assert Results.read(tmp_path / "results.json") == made
