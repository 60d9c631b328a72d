"""What must not change a result: order, unit, sign, and what lies outside the windows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.evidence.event_study import EventStudy, event_study
from tests.backtest.evidence.test_event_study_slowly import market_of_events

OPTIONS: dict = {
    "market": "M",
    "estimation": (-40, -6),
    "window": (-3, 3),
    "windows": [(-3, 3), (0, 0)],
    "missing": "keep",
    "min_history": 20,
    "reps": 49,
}
SEEDED = ("bootstrap", "wild_bootstrap")
"""Draws follow the order of dates, not of events; they are compared where the dates stay."""


def statistics(study: EventStudy) -> pd.Series:
    return pd.concat([study.tests, study.variants]).set_index(["start", "end", "test"])["statistic"]


def same(a: pd.Series, b: pd.Series) -> None:
    np.testing.assert_allclose(a, b[a.index], rtol=1e-6, atol=1e-8)


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_events_and_of_symbols_does_not_matter(seed: int) -> None:
    returns, events = market_of_events(seed, missing=0.02)
    shuffled = events.sample(frac=1, random_state=seed)
    columns = returns[list(returns.columns[::-1])]
    same(
        statistics(event_study(returns, events, **OPTIONS)),
        statistics(event_study(columns, shuffled, **OPTIONS)),
    )


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 5))
def test_statistics_of_sums_do_not_depend_on_the_unit(seed: int, scale: float) -> None:
    """Buy-and-hold compounds, so its tests may differ."""
    returns, events = market_of_events(seed, missing=0.02)
    a = statistics(event_study(returns, events, **OPTIONS))
    b = statistics(event_study(returns * scale, events, **OPTIONS))
    sums = ~a.index.get_level_values("test").str.startswith("bhar")
    same(a[sums], b)


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_mirrored_returns_mirror_every_statistic(seed: int) -> None:
    returns, events = market_of_events(seed)
    a = statistics(event_study(returns, events, **OPTIONS))
    b = statistics(event_study(-returns, events, **OPTIONS))
    names = a.index.get_level_values("test")
    signed = ~(names.str.startswith("bhar") | (names == "wilcoxon"))
    same(a[signed], -b)
    pairs = len(events) * (len(events) + 1) / 2
    w = names == "wilcoxon"
    same(a[w], pairs - b)


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_days_outside_the_windows_change_nothing(seed: int) -> None:
    returns, events = market_of_events(seed)
    events = events.iloc[:1]
    row = int(returns.index.get_loc(events["day0"].iloc[0]))
    poisoned = returns.copy()
    poisoned.iloc[: row - 40] = 9.0
    poisoned.iloc[row - 5 : row - 3] = 9.0
    poisoned.iloc[row + 4 :] = 9.0
    same(
        statistics(event_study(returns, events, **OPTIONS)).dropna(),
        statistics(event_study(poisoned, events, **OPTIONS)),
    )


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000), alpha=st.floats(-0.01, 0.01), beta=st.floats(-2, 2))
def test_what_the_model_explains_leaves_abnormal_returns_alone(
    seed: int, alpha: float, beta: float
) -> None:
    returns, events = market_of_events(seed)
    moved = returns.copy()
    moved[list("ABCDEF")] = moved[list("ABCDEF")].add(alpha + beta * returns["M"], axis=0)
    a, b = (event_study(r, events, **OPTIONS).values.event for r in (returns, moved))
    np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("test", ["kolari_pynnonen", "patell_adjusted", "date_clustered"])
def test_the_same_event_many_times_proves_no_more(test: str) -> None:
    """Ten events of ten companies that all move alike, on five dates: plain t trebles."""
    rng = np.random.default_rng(4)
    index = pd.bdate_range("2021-01-04", periods=400)
    market = rng.normal(0, 0.01, 400)
    returns = pd.DataFrame({"M": market}, index=index)
    common = rng.normal(0, 0.01, 400)
    for k in range(10):
        returns[f"S{k}"] = market + common + rng.normal(0, 0.0005, 400)
    dates = index[[60, 130, 200, 270, 340]]
    once = pd.DataFrame({"symbol": "S0", "day0": dates})
    often = pd.DataFrame({"symbol": [f"S{k}" for k in range(10)] * 5, "day0": dates.repeat(10)})
    options = {**OPTIONS, "windows": [(0, 0)]}
    a, b = (
        event_study(returns, e, **options).tests.set_index("test")["statistic"]
        for e in (once, often)
    )
    assert abs(b["cross_sectional_t"]) > 2.5 * abs(a["cross_sectional_t"])
    assert abs(b["patell"]) > 2.5 * abs(a["patell"])
    if test == "date_clustered":
        assert b[test] == pytest.approx(a["cross_sectional_t"], rel=0.1)
    else:
        # r-bar counts pairs of one date; those of five dates are a fifth of all.
        assert abs(b[test]) < 1.6 * abs(a[test.replace("kolari_pynnonen", "bmp")])
