"""Means of dependent values: by hand, against other implementations, and how often they err."""

from __future__ import annotations

from itertools import pairwise, product
from math import sqrt

import numpy as np
import pytest
import statsmodels.api as sm
from arch.bootstrap import IIDBootstrap, StationaryBootstrap
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backtest.evidence.inference import (
    block_bootstrap,
    cluster_bootstrap,
    clustered_mean,
    clustered_test,
    disjoint_holds,
    overlapping_test,
)
from db.errors import UsageError

VALUES = np.array([1.0, 3.0, 2.0, 6.0, np.nan])
DATES = np.array([7, 7, 9, 9, 11])


def crowded(seed: int, dates: int = 12, each: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Values of which those of one date share a shock."""
    rng = np.random.default_rng(seed)
    date = np.repeat(np.arange(dates), each)
    return rng.normal(size=dates)[date] + rng.normal(size=len(date)), date


def test_clustered_by_hand() -> None:
    """Mean 3, variance 1 (see the average path's test), one degree of freedom: t = 3."""
    found = clustered_test(VALUES, DATES)
    assert (found.mean, found.n, found.clusters, found.df) == (3, 4, 2, 1)
    assert found.statistic == pytest.approx(3)
    assert found.p_value == pytest.approx(2 * stats.t.sf(3, 1))
    assert (found.low, found.high) == pytest.approx((3 - 12.7062, 3 + 12.7062), abs=1e-4)


def test_clustered_is_statsmodels_cluster_covariance() -> None:
    values, dates = crowded(0)
    fit = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": dates, "use_correction": False}, use_t=False
    )
    groups = len(np.unique(dates))
    found = clustered_test(values, dates)
    assert found.statistic == pytest.approx(fit.tvalues[0] / sqrt(groups / (groups - 1)))
    assert (found.low, found.high) == clustered_mean(values, dates)[1:3]


def test_overlapping_by_hand() -> None:
    """Holds 0-1, 1-2, 5-6 with values 0, 3, 3: mean 2, deviations -2, 1, 1.

    The first two overlap: 4 + 1 + 1 + 2 (-2) = 2, less than the 6 by first session, so 6;
    two holds are disjoint: variance 2/1 x 6 / 9.
    """
    values, first, last = np.array([0.0, 3.0, 3.0]), np.array([0, 1, 5]), np.array([1, 2, 6])
    found = overlapping_test(values, first, last)
    assert (found.mean, found.clusters, found.df) == (2, 2, 1)
    assert found.statistic == pytest.approx(2 / sqrt(12 / 9))
    alike = overlapping_test(np.array([3.0, 3.0, 0.0]), first, last)  # 1, 1, -2: 6 + 2
    assert alike.statistic == pytest.approx(2 / sqrt(16 / 9))


@given(seed=st.integers(0, 100_000), n=st.integers(2, 40))
def test_overlapping_sums_every_pair_that_shares_a_session(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    values, first = rng.normal(size=n), rng.integers(0, 60, n)
    last = first + rng.integers(0, 8, n)
    u = values - values.mean()
    pairs, same = 0.0, 0.0
    for i, j in product(range(n), repeat=2):
        if first[i] <= last[j] and first[j] <= last[i]:
            pairs += u[i] * u[j]
        if first[i] == first[j]:
            same += u[i] * u[j]
    groups = disjoint_holds(first, last)
    found = overlapping_test(values, first, last)
    if groups < 2:
        assert np.isnan(found.p_value)
    else:
        error = sqrt(groups / (groups - 1) * max(pairs, same)) / n
        assert (found.high - found.mean) / stats.t.ppf(0.975, groups - 1) == pytest.approx(error)


def test_holds_that_share_nothing_but_their_session_are_clusters() -> None:
    values, dates = crowded(1)
    a, b = clustered_test(values, dates), overlapping_test(values, dates, dates)
    assert (a.statistic, a.p_value, a.df) == pytest.approx((b.statistic, b.p_value, b.df))


def test_a_year_of_overlapping_months_counts_as_twelve() -> None:
    first = np.arange(252)
    assert disjoint_holds(first, first + 20) == 12
    found = overlapping_test(np.random.default_rng(0).normal(size=252), first, first + 20)
    assert (found.df, found.n) == (11, 252)


@given(seed=st.integers(0, 10_000))
def test_disjoint_holds_is_the_greatest_number_of_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 15, 9)
    last = first + rng.integers(0, 5, 9)
    best = 0
    for chosen in product([False, True], repeat=9):
        holds = sorted((f, e) for f, e, c in zip(first, last, chosen, strict=True) if c)
        if all(a[1] < b[0] for a, b in pairwise(holds)):
            best = max(best, len(holds))
    assert disjoint_holds(first, last) == best


def test_the_cluster_bootstrap_draws_dates_by_arch() -> None:
    """The same draws, one by one, with each draw's clustered t computed from its values."""
    values, dates = crowded(2)
    mean = values.mean()
    t = []
    groups = [values[dates == d] for d in range(12)]
    for data, _ in IIDBootstrap(np.arange(12), seed=5).bootstrap(99):
        drawn = [groups[i] for i in data[0]]
        again = clustered_test(np.concatenate(drawn), np.repeat(np.arange(12), 5))
        error = again.mean / again.statistic
        t.append(abs((again.mean - mean) / error))
    whole = clustered_test(values, dates)
    found = cluster_bootstrap(values, dates, reps=99, seed=5)
    assert found.p_value == (1 + sum(x >= abs(whole.statistic) for x in t)) / 100
    assert found.statistic == pytest.approx(whole.statistic)
    reach = np.quantile(t, 0.95) * whole.mean / whole.statistic
    assert (found.low, found.high) == pytest.approx((whole.mean - reach, whole.mean + reach))


def test_the_wild_bootstrap_flips_whole_dates() -> None:
    """The same weights, applied to the values themselves."""
    values, dates = crowded(3, dates=15, each=3)
    values[4] = np.nan
    weights = np.random.default_rng(7).choice([-1.0, 1.0], size=(199, 15))
    whole = clustered_test(values, dates)
    t = [clustered_test(values * w[dates], dates).statistic for w in weights]
    found = cluster_bootstrap(values, dates, method="wild", reps=199, seed=7)
    beyond = sum(abs(x) >= abs(whole.statistic) * (1 - 1e-9) for x in t)
    assert found.p_value == (1 + beyond) / 200
    # The interval holds the means that the test does not reject.
    for bound, inside in ((found.low, 1), (found.high, -1)):
        step = 0.01 * (found.high - found.low)
        kept = cluster_bootstrap(
            values - (bound + inside * step), dates, method="wild", reps=199, seed=7
        )
        gone = cluster_bootstrap(
            values - (bound - inside * step), dates, method="wild", reps=199, seed=7
        )
        assert gone.p_value <= 0.05 + 1e-9 < kept.p_value + 0.01


def test_the_block_bootstrap_draws_sessions_with_and_without_values() -> None:
    values = np.array([1.0, 2.0, 4.0, -1.0, 3.0])
    session = np.array([10, 10, 13, 17, 19])
    means = []
    for data, _ in StationaryBootstrap(2, np.arange(10), seed=3).bootstrap(99):
        drawn = [v for d in data[0] for v, s in zip(values, session - 10, strict=True) if s == d]
        if drawn:
            means.append(np.mean(drawn))
    found = block_bootstrap(values, session, block=2, reps=99, seed=3)
    away = np.array(means) - 1.8
    assert found.p_value == (1 + (np.abs(away) >= 1.8).sum()) / (len(means) + 1)
    low, high = 1.8 - np.quantile(away, 0.975), 1.8 - np.quantile(away, 0.025)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert (found.n, found.clusters) == (5, 5)


@given(seed=st.integers(0, 10_000), scale=st.floats(0.001, 1000))
def test_unit_and_order_change_no_p_value(seed: int, scale: float) -> None:
    values, dates = crowded(seed)
    order = np.random.default_rng(seed).permutation(len(values))
    for test in (
        clustered_test,
        lambda v, d: overlapping_test(v, d, d + 2),
        lambda v, d: cluster_bootstrap(v, d, reps=49),
        lambda v, d: cluster_bootstrap(v, d, reps=49, method="wild"),
        lambda v, d: block_bootstrap(v, d, block=3, reps=49),
    ):
        a, b = test(values, dates), test(scale * values[order], dates[order])
        assert a.p_value == pytest.approx(b.p_value, rel=1e-6)
        np.testing.assert_allclose(
            np.array([b.mean, b.low, b.high]) / scale, [a.mean, a.low, a.high], rtol=1e-5
        )


@pytest.mark.parametrize(
    ("values", "dates", "n", "clusters"),
    [
        ([], [], 0, 0),
        ([np.nan, np.nan], [1, 2], 0, 0),
        ([1.0, 2.0], [3, 3], 2, 1),
        ([0.3, 0.1 + 0.2, 0.3], [1, 2, 3], 3, 3),
    ],
)
def test_what_cannot_vary_has_no_p_value(values: list, dates: list, n: int, clusters: int) -> None:
    x, d = np.array(values, dtype=float), np.array(dates, dtype=np.int64)
    for found in (
        clustered_test(x, d),
        overlapping_test(x, d, d),
        cluster_bootstrap(x, d, reps=9),
        cluster_bootstrap(x, d, reps=9, method="wild"),
    ):
        assert (found.n, found.clusters) == (n, clusters)
        assert np.isnan(found.p_value)
    assert np.isnan(block_bootstrap(x[:2], d[:2], block=5).p_value)


def test_wrong_use_is_refused() -> None:
    x, d = np.zeros(3), np.zeros(3, dtype=np.int64)
    for call in (
        lambda: clustered_test(x, d[:2]),
        lambda: clustered_test(x, d, confidence=95),
        lambda: overlapping_test(x, d + 1, d),
        lambda: cluster_bootstrap(x, d, reps=0),
        lambda: cluster_bootstrap(np.arange(3.0), np.arange(3), method="bca"),  # type: ignore[arg-type]
        lambda: block_bootstrap(x, d, block=0),
    ):
        with pytest.raises(UsageError):
            call()


def test_draws_that_meet_one_cluster_alone_leave_the_interval_without_an_end() -> None:
    """Of three clusters every ninth draw is one of them three times, and has no variation."""
    found = cluster_bootstrap(np.array([1.0, 2.0, 4.0]), np.arange(3), method="pairs", reps=399)
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert found.p_value > 0.05
    known = cluster_bootstrap(
        np.array([1.0, 2.0, 4.0]), np.arange(3), method="pairs", reps=399, confidence=0.5
    )
    assert np.isfinite([known.low, known.high]).all()


def rejections(test, draw, times: int) -> float:
    return float(np.mean([test(*draw(seed)).p_value <= 0.05 for seed in range(times)]))


def unequal(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """25 evenings of 1 to 30 events that share half of their variance; the true mean is 0."""
    rng = np.random.default_rng(seed)
    date = np.repeat(np.arange(25), rng.integers(1, 31, 25))
    return rng.normal(size=25)[date] + rng.normal(size=len(date)), date


def overlapping(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Holds of 5 sessions that begin on any of 400, of one market without drift."""
    rng = np.random.default_rng(seed)
    path, first = np.cumsum(rng.normal(size=406)), rng.integers(0, 400, 300)
    return path[first + 5] - path[first], first, first + 4


def test_noise_is_called_significant_about_as_often_as_stated() -> None:
    """At 5 %, over 400 markets: standard error 1.1 points.  Plain t: several times too often."""
    naive = rejections(lambda v, _: clustered_test(v, np.arange(len(v))), unequal, 400)
    assert naive > 0.4
    assert rejections(clustered_test, unequal, 400) < 0.09
    wild = rejections(lambda v, d: cluster_bootstrap(v, d, method="wild", reps=199), unequal, 400)
    assert 0.02 <= wild <= 0.085
    by_date = rejections(lambda v, f, _: clustered_test(v, f), overlapping, 400)
    assert by_date > 0.15
    assert 0.02 <= rejections(overlapping_test, overlapping, 400) <= 0.09
