"""Matched differences and differences between groups, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from backtest.evidence.base_rates import base_rate
from backtest.evidence.inference import clustered_test, overlapping_test
from backtest.evidence.paired import Span, matched_test, two_group_test, weighted_test
from db.errors import UsageError


def days(*values: int) -> Span:
    at = np.array(values, dtype=np.int64)
    return Span(at, at)


def test_one_night_an_event_on_days_of_their_own_is_a_clustered_t() -> None:
    """With every night on its own day the second cluster adds what the third takes away."""
    x = np.array([0.3, -0.1, 0.2, 0.5])
    found = matched_test(x, np.arange(4), days(1, 1, 2, 3), days(11, 12, 13, 14))
    plain = clustered_test(x, np.array([1, 1, 2, 3]))
    assert found.mean == pytest.approx(plain.mean)
    assert found.df == plain.df == 2
    u = (x - x.mean()) / 4
    by_event = 3 / 2 * ((u[0] + u[1]) ** 2 + u[2] ** 2 + u[3] ** 2)
    by_night = cells = 4 / 3 * (u**2).sum()
    error = np.sqrt(max(by_event + by_night - cells, by_event, by_night))
    assert found.statistic == pytest.approx(x.mean() / error)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(x.mean() / error), 2))


def test_nights_of_one_event_count_once_together() -> None:
    """Event 0 has three nights, event 1 one: the mean is over events."""
    x = np.array([0.1, 0.2, 0.3, 0.6])
    found = matched_test(x, np.array([0, 0, 0, 1]), days(1, 1, 1, 2), days(11, 12, 13, 14))
    assert found.mean == pytest.approx((0.2 + 0.6) / 2)
    assert found.n == 2


def test_a_night_that_several_events_share_is_not_independent() -> None:
    """The same night for all of 20 events: its luck is in every difference."""
    x = np.linspace(0.1, 0.3, 20)
    events, apart = np.arange(20), days(*range(20))
    own = matched_test(x, events, apart, days(*range(100, 120)))
    shared = matched_test(x, events, apart, days(*(100 + k // 10 for k in range(20))))
    assert shared.clusters == 2
    assert own.clusters == 20
    assert shared.high - shared.low > 5 * (own.high - own.low)
    one = matched_test(x, events, apart, days(*[100] * 20))
    assert np.isnan(one.p_value)


def test_differences_that_do_not_vary_and_none_at_all_say_nothing() -> None:
    flat = matched_test(np.zeros(3), np.arange(3), days(1, 2, 3), days(4, 5, 6))
    assert (flat.mean, np.isnan(flat.p_value)) == (0.0, True)
    gone = matched_test(np.full(2, np.nan), np.arange(2), days(1, 2), days(3, 4))
    assert (gone.n, np.isnan(gone.mean)) == (0, True)
    with pytest.raises(UsageError):
        matched_test(np.zeros(2), np.arange(3), days(1, 2), days(3, 4))


def test_two_groups_by_hand() -> None:
    x, inside = np.array([1.0, 3.0, 0.0, 2.0]), np.array([True, True, False, False])
    found = two_group_test(x, inside, days(1, 2, 1, 3))
    # Residuals -1/2, 1/2 and 1/2, -1/2 (with a minus): those of day 1 add up to 0.
    error = np.sqrt(3 / 2 * (0.0 + 0.25 + 0.25))
    assert found.mean == pytest.approx(1.0)
    assert found.statistic == pytest.approx(1.0 / error)
    assert found.df == 2
    assert np.isnan(two_group_test(x, np.ones(4, dtype=bool), days(1, 2, 3, 4)).mean)


def test_equal_weights_are_none() -> None:
    x, at = np.array([0.1, 0.4, -0.2, 0.3]), np.array([1, 1, 2, 3])
    assert weighted_test(x, np.full(4, 2.0), days(1, 1, 2, 3)).low == pytest.approx(
        clustered_test(x, at).low
    )
    hit = np.array([True, False, True, True])
    assert base_rate(hit, at, weights=np.full(4, 0.5)) == pytest.approx(base_rate(hit, at))


def test_a_weighted_share_by_hand() -> None:
    """Weights 1/2, 1/2 and 1 are worth 4 / 1.5 events."""
    hit = np.array([True, False, False])
    found = base_rate(hit, np.array([1, 2, 3]), weights=np.array([0.5, 0.5, 1.0]))
    assert (found.n, found.k, found.share) == (3, 1, 0.25)
    variance = 3 / 2 * ((0.5 * 0.75) ** 2 + (0.5 * 0.25) ** 2 + 0.25**2) / 4
    assert found.n_effective == pytest.approx(min(4 / 1.5, 0.25 * 0.75 / variance))


def test_holds_that_overlap_count_as_one() -> None:
    hit = np.array([True, True, False, False, True, False])
    first, last = np.array([0, 2, 10, 12, 20, 22]), np.array([5, 7, 15, 17, 25, 27])
    found = base_rate(hit, first, until=last)
    plain = overlapping_test(hit.astype(float), first, last)
    assert found.clusters == plain.clusters == 3
    error = (plain.high - plain.mean) / stats.t.ppf(0.975, 2)
    assert found.n_effective == pytest.approx(0.25 / error**2)
    assert base_rate(hit, first, until=first) == base_rate(hit, first)
