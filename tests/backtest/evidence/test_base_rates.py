"""Base rates: shares and intervals by hand, and intervals that cover the truth."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binomtest, t

from backtest.evidence.base_rates import base_rate, base_rate_table, wilson
from db.errors import UsageError

Z = 1.959963984540054


def dates(*days: int) -> npt.NDArray[np.datetime64]:
    return np.datetime64("2024-01-01") + np.array(days)


def test_the_independent_interval_is_wilsons() -> None:
    outcome = np.arange(50) < 7
    rate = base_rate(outcome, dates(*range(50)))
    known = binomtest(7, 50).proportion_ci(0.95, method="wilson")
    assert (rate.n, rate.k, rate.share) == (50, 7, 0.14)
    assert (rate.low_independent, rate.high_independent) == pytest.approx(known, abs=1e-12)


def test_a_small_case_by_hand() -> None:
    """Three dates of 3, 2 and 1 events; share 1/2; residual sums 1/2, 0 and -1/2."""
    outcome = np.array([True, True, False, True, False, False])
    rate = base_rate(outcome, dates(1, 1, 1, 2, 2, 3))
    variance = 3 / 2 * (0.25 + 0 + 0.25) / 36
    size = 0.25 / variance
    assert size == pytest.approx(12.0)
    assert (rate.clusters, rate.n_effective) == (3, 6.0), "never more than there are events"
    q = t.ppf(0.975, 2)
    middle, reach = 0.5, q / (1 + q**2 / 6) * np.sqrt(0.25 / 6 + q**2 / 144)
    assert (rate.low, rate.high) == pytest.approx((middle - reach, middle + reach), abs=1e-9)


def test_clusters_of_one_leave_wilson_up_to_the_small_sample_factors() -> None:
    n = 400
    outcome = np.arange(n) < 60
    rate = base_rate(outcome, dates(*range(n)))
    assert rate.n_effective == pytest.approx(n - 1)
    assert (rate.low, rate.high) == pytest.approx(
        wilson(0.15, n - 1, float(t.ppf(0.975, n - 1))), abs=1e-9
    )
    assert (rate.low, rate.high) == pytest.approx(
        (rate.low_independent, rate.high_independent), abs=3e-4
    )


@pytest.mark.parametrize("m", [2, 5, 10])
def test_clusters_that_agree_count_as_one_event_each(m: int) -> None:
    groups = 40
    outcome = np.repeat(np.arange(groups) < 10, m)
    rate = base_rate(outcome, np.repeat(np.arange(groups), m))
    assert rate.n == groups * m
    assert rate.n_effective == pytest.approx(rate.n / m * (groups - 1) / groups)
    once = base_rate(np.arange(groups) < 10, np.arange(groups))
    assert (rate.low, rate.high) == pytest.approx((once.low, once.high), abs=1e-12)


@pytest.mark.parametrize("share", [0, 1])
def test_where_all_agree_the_dates_are_what_counts(share: int) -> None:
    outcome = np.full(60, bool(share))
    rate = base_rate(outcome, np.repeat(np.arange(12), 5))
    assert rate.n_effective == 12
    q = float(t.ppf(0.975, 11)) ** 2
    width = q / 12 / (1 + q / 12)
    assert rate.high - rate.low == pytest.approx(width, abs=1e-9)
    assert (rate.low, rate.high)[share] == share


def test_the_clustered_interval_is_never_the_narrower() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        n = int(rng.integers(2, 80))
        outcome, date = rng.random(n) < rng.random(), rng.integers(0, n, n)
        rate = base_rate(outcome, date)
        assert rate.low <= rate.low_independent + 1e-12
        assert rate.high >= rate.high_independent - 1e-12
        assert 0 <= rate.low <= rate.share <= rate.high <= 1


def test_the_order_and_the_names_of_dates_do_not_matter() -> None:
    rng = np.random.default_rng(6)
    outcome, date = rng.random(100) < 0.3, rng.integers(0, 20, 100)
    shuffled = rng.permutation(100)
    one, other = base_rate(outcome, date), base_rate(outcome[shuffled], dates(*date[shuffled]))
    assert one == other


def test_one_date_bounds_nothing() -> None:
    rate = base_rate(np.array([True, False, False]), dates(1, 1, 1))
    assert (rate.low, rate.high, rate.clusters) == (0.0, 1.0, 1)
    assert rate.low_independent > 0


def test_no_events_have_no_share() -> None:
    rate = base_rate(np.array([], dtype=bool), np.array([], dtype="datetime64[D]"))
    assert np.isnan(rate.share)
    assert (rate.n, rate.low, rate.high) == (0, 0.0, 1.0)


def test_more_confidence_is_wider() -> None:
    outcome, date = np.arange(100) < 20, np.arange(100) // 3
    narrow, wide = (base_rate(outcome, date, c) for c in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.low_independent < narrow.low_independent


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="as long as each other"):
        base_rate(np.array([True]), dates(1, 2))
    with pytest.raises(UsageError, match="confidence"):
        base_rate(np.array([True]), dates(1), 95)


def test_the_table_has_a_row_a_group_in_the_order_given() -> None:
    yes, no = np.array([True, False]), np.array([False, False, False])
    table = base_rate_table({"fell": (yes, dates(1, 2)), "all": (no, dates(1, 2, 3))})
    assert list(table["group"]) == ["fell", "all"]
    assert list(table["events"]) == [2, 3]
    assert list(table["dates"]) == [2, 3]
    assert list(table["with_outcome"]) == [1, 0]
    rate = base_rate(yes, dates(1, 2))
    row = table.iloc[0]
    assert (row["share"], row["low"], row["high"]) == (rate.share, rate.low, rate.high)
    assert row["low_independent"] == rate.low_independent
    assert base_rate_table({}).empty


def coverage(groups: int, share: float, correlation: float, markets: int) -> tuple[float, float]:
    """How often the clustered and the independent interval hold the truth (beta-binomial)."""
    rng = np.random.default_rng([groups, int(share * 100), int(correlation * 100)])
    spread = (1 - correlation) / correlation
    held = [0, 0]
    for _ in range(markets):
        sizes = 1 + rng.poisson(2, groups)
        date = np.repeat(np.arange(groups), sizes)
        chance = rng.beta(share * spread, (1 - share) * spread, groups)
        rate = base_rate(rng.random(len(date)) < chance[date], date)
        held[0] += rate.low <= share <= rate.high
        held[1] += rate.low_independent <= share <= rate.high_independent
    return held[0] / markets, held[1] / markets


def test_the_clustered_interval_covers_where_the_independent_one_fails() -> None:
    clustered, independent = coverage(40, 0.3, 0.5, 500)
    assert clustered == pytest.approx(0.95, abs=0.03)
    assert independent < 0.86


@pytest.mark.long
@pytest.mark.parametrize("groups", [8, 15, 40, 150])
@pytest.mark.parametrize(
    ("share", "correlation"), [(0.3, 0.3), (0.3, 0.7), (0.1, 0.2), (0.5, 0.01)]
)
def test_the_clustered_interval_covers_nineteen_times_in_twenty(
    groups: int, share: float, correlation: float
) -> None:
    clustered, _ = coverage(groups, share, correlation, 4000)
    # Few dates make it cautious; the lower bound allows for a skewed sum over few rare events.
    assert 0.93 < clustered < 0.995
