"""Sharpe ratios deflated: published worked examples, awkward series, and what follows from them."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from backtest.evidence.overfitting import (
    average_correlation,
    deflate,
    deflated_sharpe,
    describe,
    effective_trials,
    expected_maximum_sharpe,
    minimum_backtest_bound,
    minimum_backtest_length,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    sharpe_error,
)
from db.errors import DataError, UsageError

PERIODS = {"daily": 252, "weekly": 52, "monthly": 12}


@pytest.fixture(scope="module")
def examples(real_data: Path) -> pd.DataFrame:
    return pd.read_csv(real_data / "reference" / "dsr_psr_examples.csv")


def worked(row: pd.Series) -> float:
    name = row["name"]
    if name.startswith("DSR"):
        noise = expected_maximum_sharpe(row["N"], row["V_per_period"])
        assert noise == pytest.approx(row["sr0"], abs=1e-10)
        return deflated_sharpe(
            row["sr"], row["T"], row["skew"], row["kurt"],
            trials=row["N"], variance=row["V_per_period"],
        )  # fmt: skip
    if name.startswith("PSR"):
        return probabilistic_sharpe(
            row["sr"], row["T"], row["skew"], row["kurt"], benchmark=row["sr0"]
        )
    if name.startswith("MinTRL"):
        needed = minimum_track_record(row["sr"], row["skew"], row["kurt"], benchmark=row["sr0"])
        return needed / PERIODS[name.split()[-1]]
    if name.startswith("MinBTL years"):
        return minimum_backtest_length(row["N"])
    if name.startswith("MinBTL upper"):
        return minimum_backtest_bound(row["N"])
    return expected_maximum_sharpe(10)


def test_every_published_example(examples: pd.DataFrame) -> None:
    assert len(examples) == 11
    for _, row in examples.iterrows():
        found = worked(row)
        assert found == pytest.approx(row["value"], abs=1e-9), row["name"]
        if np.isfinite(row["published"]):
            assert found == pytest.approx(row["published"], abs=row["tol"]), row["name"]


def test_moments_are_scipys() -> None:
    x = np.random.default_rng(0).standard_t(5, 200) * 0.01
    found = moments(np.append(x, np.nan))
    assert found.n == 200
    assert found.sharpe == pytest.approx(x.mean() / x.std(ddof=1))
    assert found.skewness == pytest.approx(stats.skew(x))
    assert found.kurtosis == pytest.approx(stats.kurtosis(x, fisher=False))


def test_awkward_series(real_data: Path) -> None:
    table = pd.read_csv(real_data / "reference" / "edge_returns.csv", index_col="date")
    found = {name: moments(table[name].to_numpy()) for name in table}
    assert np.isnan(found["constant"].sharpe)
    assert found["constant"].mean == pytest.approx(0.001)
    assert found["with_nan"].n == table["with_nan"].notna().sum() < len(table)
    for name in ("all_positive", "first_day_loss", "ends_in_drawdown", "total_loss"):
        x = table[name].to_numpy()
        assert found[name].sharpe == pytest.approx(x.mean() / x.std(ddof=1)), name
    for name in table:
        story = describe(table[name].to_numpy(), trials=100, periods_a_year=252)
        assert ("no Sharpe ratio" in story.sentence()) == (name == "constant")
        assert 0 <= story.deflated <= 1 or name == "constant"


@pytest.mark.parametrize("values", [[], [0.01], [np.nan, np.nan], [0.0] * 20, [0.1 + 0.2, 0.3] * 9])
def test_series_without_a_sharpe_ratio(values: list[float]) -> None:
    x = np.array(values, dtype=float)
    assert np.isnan(moments(x).sharpe)
    story = describe(x, trials=10, periods_a_year=12)
    assert np.isnan([story.sharpe, story.deflated, story.probabilistic]).all()
    assert story.sentence() == (
        "the best of 10 settings has no Sharpe ratio: its returns do not vary, or are too few"
    )
    short = describe(np.array([0.01, 0.02]), trials=10, periods_a_year=12)
    assert short.sentence().endswith("from too few returns to say how much of it is luck")


def test_the_error_of_a_normal_sharpe_is_that_of_simulations() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0.1, 1, (20_000, 120))
    sharpes = x.mean(axis=1) / x.std(axis=1, ddof=1)
    assert sharpe_error(0.1, 120) == pytest.approx(sharpes.std(), rel=0.03)


def test_the_expected_maximum_is_that_of_simulations() -> None:
    rng = np.random.default_rng(2)
    for trials, tolerance in ((10, 0.05), (100, 0.03), (2_000, 0.02)):
        simulated = rng.normal(size=(2_000, trials)).max(axis=1).mean()
        assert expected_maximum_sharpe(trials, 4.0) == pytest.approx(2 * simulated, rel=tolerance)
    assert expected_maximum_sharpe(1) == 0


def test_a_track_record_of_that_length_reaches_the_confidence() -> None:
    shape = {"skewness": -0.8, "kurtosis": 6.0}
    n = minimum_track_record(0.2, **shape, benchmark=0.05, confidence=0.9)
    assert probabilistic_sharpe(0.2, n, **shape, benchmark=0.05) == pytest.approx(0.9)
    assert minimum_track_record(0.05, benchmark=0.05) == float("inf")


@given(
    sharpe=st.floats(-0.3, 0.5), skewness=st.floats(-2, 2), excess=st.floats(0, 10),
    trials=st.integers(1, 10**7),
)  # fmt: skip
def test_a_wider_search_never_makes_a_result_more_believable(
    sharpe: float, skewness: float, excess: float, trials: int
) -> None:
    kurtosis = 1 + skewness**2 + excess  # no distribution has less
    shape = (sharpe, 250, skewness, kurtosis)
    one = deflated_sharpe(*shape, trials=trials, variance=0.01)
    more = deflated_sharpe(*shape, trials=trials + 1, variance=0.01)
    assert 0 <= more <= one + 1e-12 <= probabilistic_sharpe(*shape) + 2e-12
    assert minimum_backtest_length(trials + 1) <= minimum_backtest_bound(trials + 1) + 1e-9


def test_trials_that_do_the_same_are_one() -> None:
    x = np.random.default_rng(3).normal(size=(60, 1))
    assert average_correlation(np.tile(x, (1, 5))) == pytest.approx(1)
    assert effective_trials(1.0, 500) == 1
    assert effective_trials(-0.1, 500) == 500
    assert effective_trials(0.25, 5) == 4
    many = np.random.default_rng(4).normal(size=(60, 7))
    many[:, 3] = 0.0
    expected = np.corrcoef(np.delete(many, 3, axis=1), rowvar=False)[np.triu_indices(6, 1)].mean()
    assert average_correlation(many) == pytest.approx(expected)


def test_deflate_by_hand() -> None:
    """Three settings: the parts are those of the single functions."""
    rng = np.random.default_rng(5)
    x = rng.normal([0.0, 0.3, 0.1], 1.0, (48, 3)) * 0.02
    found = deflate(x, periods_a_year=12)
    each = [moments(x[:, j]) for j in range(3)]
    best = max(each, key=lambda m: m.sharpe)
    variance = np.var([m.sharpe for m in each], ddof=1)
    r = np.corrcoef(x, rowvar=False)[np.triu_indices(3, 1)].mean()
    wide = effective_trials(r, 3)
    noise = expected_maximum_sharpe(wide, variance)
    assert (found.trials, found.periods) == (3, 48)
    assert found.sharpe == pytest.approx(best.sharpe * sqrt(12))
    assert found.noise == pytest.approx(noise * sqrt(12))
    assert found.deflated == pytest.approx(
        probabilistic_sharpe(best.sharpe, 48, best.skewness, best.kurtosis, benchmark=noise)
    )
    assert found.backtest_length == minimum_backtest_length(wide)
    ledger = deflate(x, periods_a_year=12, trials=5_000)
    assert ledger.noise > found.noise
    assert ledger.deflated < found.deflated


def test_the_sentence_says_it_plainly() -> None:
    x = np.random.default_rng(0).normal(0, 0.02, (60, 10_000))
    assert deflate(x, periods_a_year=12).sentence() == (
        "the best of 10,000 settings, with a Sharpe of 1.8; "
        "a search this wide finds a Sharpe of 1.7 in noise; after deflation 53 %"
    )
    alone = describe(x[:, 0] + 0.01, trials=1, periods_a_year=12)
    assert alone.sentence() == (
        "the only setting tried, with a Sharpe of 1.7; the probability of one above 0 is over 99 %"
    )
    lost = describe(x[:, 0] - 0.02, trials=50, periods_a_year=12)
    assert lost.sentence().endswith("after deflation under 1 %")


def test_settings_that_never_traded_are_no_trouble() -> None:
    x = np.random.default_rng(6).normal(0, 0.02, (40, 6))
    x[:, 2:4] = 0.0
    found = deflate(x, periods_a_year=12)
    assert 0 <= found.deflated <= 1
    assert found.trials == 6
    still = deflate(np.zeros((40, 3)), periods_a_year=12)
    assert "no Sharpe ratio" in still.sentence()


def test_wrong_use_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    for call in (
        lambda: expected_maximum_sharpe(0),
        lambda: expected_maximum_sharpe(10, -1.0),
        lambda: minimum_backtest_length(10, 0.0),
        lambda: minimum_backtest_bound(0),
        lambda: minimum_track_record(1.0, confidence=95),
        lambda: effective_trials(0.5, 0),
        lambda: moments(x),
        lambda: deflate(x, periods_a_year=0),
        lambda: deflate(x, periods_a_year=12, trials=2),
        lambda: deflate(x, periods_a_year=12, best=3),
        lambda: describe(x[:, 0], trials=0, periods_a_year=12),
    ):
        with pytest.raises(UsageError):
            call()
    with pytest.raises(DataError, match="no returns"):
        deflate(np.empty((0, 3)), periods_a_year=12)
