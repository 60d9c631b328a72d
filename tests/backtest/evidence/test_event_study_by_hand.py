"""Tests whose answers a reader can work out, and models against statsmodels."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from backtest.evidence.event_study import Model, event_study, read_factors, residual_correlation
from backtest.evidence.event_study import nonparametric as rank
from backtest.evidence.event_study import parametric as size
from backtest.evidence.event_study.battery import TESTS, VARIANTS
from db.errors import DataError, UsageError

NAN = float("nan")


def sessions(n: int) -> pd.DatetimeIndex:
    return pd.bdate_range("2021-01-04", periods=n)


def noise(n: int, seed: int = 0, columns: str = "AM") -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.01, (n, len(columns)))
    return pd.DataFrame(values, index=sessions(n), columns=list(columns))


def one_event(row: int, index: pd.DatetimeIndex, symbol: str = "A") -> pd.DataFrame:
    return pd.DataFrame({"symbol": [symbol], "day0": [index[row]]})


# --- statistics ---------------------------------------------------------------------------------


def test_cross_sectional_t() -> None:
    """1, 2, 3: mean 2, deviation 1, t = 2 sqrt(3)."""
    found = size.cross_sectional(np.array([1.0, 2.0, NAN, 3.0]))
    assert (found.statistic, found.df, found.n) == (pytest.approx(2 * sqrt(3)), 2, 3)


def test_patell() -> None:
    """Two events, 6 and 10 degrees of freedom: variances 6/4 and 10/8, sum 2.75."""
    found = size.patell(np.array([1.0, 2.0]), np.array([6, 10]), 1)
    assert found.statistic == pytest.approx(3 / sqrt(2.75))
    four_days = size.patell(np.array([1.0, 2.0]), np.array([6, 10]), 4)
    assert four_days.statistic == pytest.approx(3 / sqrt(11))
    adjusted = size.patell(np.array([1.0, 2.0]), np.array([6, 10]), 1, correlation=0.21)
    assert adjusted.statistic == pytest.approx(3 / sqrt(2.75 * 1.21))


def test_kolari_pynnonen_factor() -> None:
    """r = 0.2 among 5 events: sqrt(0.8 / 1.8)."""
    assert size.kolari_pynnonen_factor(0.2, 5) == pytest.approx(2 / 3)
    assert size.kolari_pynnonen_factor(0.0, 5) == 1
    assert np.isnan(size.kolari_pynnonen_factor(-0.3, 5))
    assert np.isnan(size.patell(np.ones(5), np.full(5, 20), 1, correlation=-0.3).statistic)


def test_equal_values_have_no_t() -> None:
    """0.1 + 0.2 and 0.3 differ in their last digit; that is no variation."""
    for values in ([0.3, 0.1 + 0.2, 0.3], [0.0, 0.0, 0.0], [0.5], []):
        assert np.isnan(size.cross_sectional(np.array(values)).statistic)
        assert np.isnan(size.skewness_adjusted(np.array(values)).p_value)


def test_skewness_adjusted_of_symmetric_values_is_t() -> None:
    values = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    t = size.cross_sectional(values).statistic
    assert size.skewness_adjusted(values, "hall").statistic == pytest.approx(t)
    assert size.skewness_adjusted(values, "johnson").statistic == pytest.approx(t)


def test_signs() -> None:
    """8 of 10 positive: (8 - 5) / sqrt(2.5); against a share of 0.4, (8 - 4) / sqrt(2.4)."""
    car = np.array([1.0] * 8 + [-1.0, 0.0])
    assert rank.sign(car).statistic == pytest.approx(3 / sqrt(2.5))
    estimation = np.tile([1.0, 1.0, -1.0, -1.0, -1.0], (10, 1))
    assert rank.generalised_sign(car, estimation).statistic == pytest.approx(4 / sqrt(2.4))


def test_generalised_sign_by_event_and_pooled() -> None:
    """Shares 1/2 (of 4 days) and 0 (of 1): a mean of 1/4, pooled 2/5."""
    estimation = np.array([[1.0, 1.0, -1.0, -1.0], [-1.0, NAN, NAN, NAN]])
    car = np.array([1.0, 1.0])
    by_event = rank.generalised_sign(car, estimation).statistic
    pooled = rank.generalised_sign(car, estimation, pooled=True).statistic
    assert by_event == pytest.approx((2 - 0.5) / sqrt(2 * 0.25 * 0.75))
    assert pooled == pytest.approx((2 - 0.8) / sqrt(2 * 0.4 * 0.6))


def test_corrado_rank_of_one_event() -> None:
    """Ranks 1..4 of which the event day has 4: (4 - 2.5) / sqrt((1.5^2 + .5^2) / 2)."""
    estimation, event = np.array([[1.0, 2.0, 3.0]]), np.array([[9.0]])
    found = rank.corrado_rank(estimation, event, slice(0, 1))
    assert found.statistic == pytest.approx(1.5 / sqrt(1.25))
    assert rank.corrado_zivney_rank(estimation, event, slice(0, 1)).statistic == pytest.approx(
        found.statistic
    )


def test_grank_of_two_events() -> None:
    """T = 4 days. SCARs 3 and 1 over their deviation sqrt(2): 2.12 and 0.71.

    Ranks 4 and 3 of 4, U = 4/5 - 1/2 and 3/5 - 1/2, mean 0.2; the other days' means are
    -0.3, -0.1 and 0.2: S^2 = (0.09 + 0.01 + 0.04 + 0.04) / 4.
    """
    scar = np.array([3.0, 1.0])
    standardised = np.array([[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]])
    z = 0.2 / sqrt(0.18 / 4)
    found = rank.grank_t(scar, standardised)
    assert found.statistic == pytest.approx(z * sqrt(2 / (3 - z**2)))
    assert (found.df, found.n) == (2, 2)
    assert rank.grank_z(scar, standardised).statistic == pytest.approx(0.2 / sqrt(3 / (24 * 5)))


def test_wilcoxon_by_hand() -> None:
    """3, -1, 2: ranks 3, 1, 2, W+ = 5; of 8 sign patterns 2 are as far on either side."""
    found = rank.wilcoxon(np.array([3.0, -1.0, 2.0, NAN]))
    assert (found.statistic, found.p_value, found.n) == (5, 0.5, 3)


def test_correlation_is_aligned_on_the_calendar() -> None:
    """The second event is the same residuals two days later: equal on the calendar, not by row."""
    path = np.array([1.0, -2.0, 3.0, 0.0, 2.0, -1.0, 1.0])
    residuals = np.array([path[:5], path[2:]])
    aligned = residual_correlation(residuals, np.array([np.arange(5), np.arange(2, 7)]))
    assert (aligned.mean, aligned.pairs) == (pytest.approx(1.0), 1)
    apart = residual_correlation(residuals, np.array([np.arange(5), np.arange(3, 8)]))
    assert (apart.mean, apart.pairs) == (0.0, 0)  # two common days say nothing


def test_correlation_over_many_blocks_of_events() -> None:
    rng = np.random.default_rng(0)
    n, m = 700, 8
    begin = rng.integers(0, 60, n)
    rows = begin[:, None] + np.arange(m)
    residuals = rng.normal(size=(n, m)) + rng.normal(size=80)[rows]
    residuals[rng.random((n, m)) < 0.1] = np.nan
    found = residual_correlation(residuals, rows)
    total, pairs = 0.0, 0
    for i in range(n):
        for j in range(i + 1, n):
            if abs(begin[i] - begin[j]) >= m:
                continue
            low, high = max(begin[i], begin[j]), min(begin[i], begin[j]) + m
            a, b = residuals[i, low - begin[i] : high - begin[i]], None
            b = residuals[j, low - begin[j] : high - begin[j]]
            both = np.isfinite(a) & np.isfinite(b)
            if both.sum() >= 3:
                total += np.corrcoef(a[both], b[both])[0, 1]
                pairs += 1
    assert found.pairs == pairs
    assert found.mean == pytest.approx(total / (n * (n - 1) / 2), abs=1e-12)


# --- models -------------------------------------------------------------------------------------


def test_mean_adjusted_by_hand() -> None:
    """Estimation 1, 2, 3, 2 %: mean 2, sum of squares 2, sigma^2 = 2/3, error x sqrt(1 + 1/4)."""
    returns = pd.DataFrame({"A": [0.01, 0.02, 0.03, 0.02, 0.07]}, index=sessions(5))
    study = event_study(
        returns, one_event(4, returns.index), model="mean-adjusted",
        estimation=(-4, -1), window=(0, 0), reps=9,
    )  # fmt: skip
    row = study.abnormal.iloc[0]
    assert row["abnormal"] == pytest.approx(0.05)
    assert row["forecast_error"] == pytest.approx(0.01 * sqrt(2 / 3 * 1.25))


def test_market_adjusted_estimates_nothing() -> None:
    """Differences 1, -1, 1, -1 %: sigma is their root mean square; no forecast error."""
    market = np.array([0.02, 0.01, -0.01, 0.0, 0.03])
    stock = market + np.array([0.01, -0.01, 0.01, -0.01, 0.04])
    returns = pd.DataFrame({"A": stock, "M": market}, index=sessions(5))
    study = event_study(
        returns, one_event(4, returns.index), model="market_adjusted", market="M",
        estimation=(-4, -1), window=(0, 0), reps=9,
    )  # fmt: skip
    assert study.model is Model.MARKET_ADJUSTED
    assert study.events["sigma"][0] == pytest.approx(0.01)
    assert study.abnormal.loc[0, ["abnormal", "standardised"]].tolist() == pytest.approx([0.04, 4])
    assert study.tests.set_index("test").loc["patell", "statistic"] == pytest.approx(4 / sqrt(2))


def test_buy_and_hold_compounds() -> None:
    """1.1 x 1.1 - 1.05 x 1.0 = 0.16, where the sum of differences is 0.15."""
    returns = noise(32)
    returns.iloc[30:, 0], returns.iloc[30:, 1] = 0.1, [0.05, 0.0]
    study = event_study(
        returns, one_event(30, returns.index), model="market-adjusted", market="M",
        estimation=(-20, -1), window=(0, 1), reps=9,
    )  # fmt: skip
    row = study.car().iloc[0]
    assert row[["car", "bhar_market", "bhar_model"]].tolist() == pytest.approx([0.15, 0.16, 0.16])


def test_a_factor_model_is_statsmodels_on_excess_returns() -> None:
    rng = np.random.default_rng(3)
    returns = noise(160, columns="A")
    factors = pd.DataFrame(
        rng.normal(0, 0.008, (160, 3)), index=returns.index, columns=["mkt_rf", "smb", "hml"]
    )
    factors["rf"] = 0.0001
    returns["A"] += 1.2 * factors["mkt_rf"] - 0.5 * factors["hml"]
    study = event_study(
        returns, one_event(140, returns.index), model="factors", factors=factors,
        estimation=(-130, -11), window=(-2, 3), reps=9,
    )  # fmt: skip
    past = slice(10, 130)
    design = sm.add_constant(factors[["mkt_rf", "smb", "hml"]])
    fit = sm.OLS(returns["A"].iloc[past] - 0.0001, design.iloc[past]).fit()
    ahead = fit.get_prediction(design.iloc[138:144]).summary_frame()
    expected = ahead["mean"] + 0.0001
    np.testing.assert_allclose(study.abnormal["expected"], expected, rtol=1e-10)
    np.testing.assert_allclose(
        study.events[["alpha", "mkt_rf", "smb", "hml"]].to_numpy()[0], fit.params, rtol=1e-10
    )
    spread = (ahead["obs_ci_upper"] - ahead["mean"]) / 1.9806259  # t of 116, 97.5 %
    np.testing.assert_allclose(study.abnormal["forecast_error"], spread, rtol=1e-6)
    covariance = fit.normalized_cov_params.to_numpy()
    total = design.iloc[138:144].sum().to_numpy()
    error = sqrt(fit.scale * (6 + total @ covariance @ total))
    assert study.car()["forecast_error"][0] == pytest.approx(error)
    assert study.values.df.tolist() == [116]


def test_factors_in_percent_are_read_as_fractions(tmp_path: Path, real_data: Path) -> None:
    factors = read_factors(real_data / "factors" / "ff5_daily_pct.parquet")
    assert factors.loc["2025-10-31", "mkt_rf"] == pytest.approx(0.004)
    assert list(factors.columns) == ["mkt_rf", "smb", "hml", "rmw", "cma", "rf"]
    path = tmp_path / "ff.csv"
    path.write_text("Date,Mkt-RF,SMB,RF\n20240102,-0.70,-99.99,0.022\n20240103,1.00,0.5,0.022\n")
    small = read_factors(path, columns=["mkt_rf"])
    assert small["mkt_rf"].tolist() == pytest.approx([-0.007, 0.01])
    assert list(small.columns) == ["mkt_rf", "rf"]
    assert np.isnan(read_factors(path).loc["2024-01-02", "smb"])


def test_factors_in_the_wrong_unit_are_refused(real_data: Path) -> None:
    path = real_data / "factors" / "ff5_daily_pct.parquet"
    with pytest.raises(DataError, match="in percent, not fractions"):
        read_factors(path, unit="fraction")
    fractions = read_factors(path)
    with pytest.raises(DataError, match='unit="fraction"'):
        read_factors(fractions)
    returns = noise(60)
    with pytest.raises(DataError, match="in percent"):
        event_study(
            returns, one_event(50, returns.index), model="factors",
            factors=pd.read_parquet(path).set_index("date")[["mkt_rf"]],
        )  # fmt: skip
    with pytest.raises(UsageError, match="no factor 'umd'"):
        read_factors(path, columns=["umd"])


# --- the study ----------------------------------------------------------------------------------


def test_an_effect_that_was_put_in_is_found() -> None:
    """3 % on day 0 of 40 events of 40 dates, noise of 1 %."""
    returns = noise(420, columns="ABCDM")
    rows = np.arange(60, 420, 9)[:40]
    symbols = np.array(list("ABCD"))[np.arange(40) % 4]
    for row, symbol in zip(rows, symbols, strict=True):
        returns.loc[returns.index[row], symbol] += 0.03
    events = pd.DataFrame({"symbol": symbols, "day0": returns.index[rows]})
    study = event_study(
        returns, events, market="M", estimation=(-50, -6), window=(-3, 3),
        windows=[(0, 0), (-3, -1)], reps=199,
    )  # fmt: skip
    p = study.tests.set_index(["start", "test"])["p_value"]
    assert (p[0] <= 0.005).all(), p[0]
    assert (p[-3] > 0.01).all(), p[-3]
    assert study.aar.set_index("offset").loc[0, "aar"] == pytest.approx(0.03, abs=0.005)
    assert set(study.tests["test"]) == set(TESTS)
    assert set(study.variants["test"]) == set(VARIANTS)
    band = study.caar.set_index("offset")
    assert (band["low"] < band["caar"]).all()
    assert band.loc[0, "low"] > 0 > band.loc[-1, "low"]


def test_the_figure_is_the_caar_and_its_band_in_percent() -> None:
    returns = noise(130, columns="ABM")
    events = pd.DataFrame({"symbol": list("ABAB"), "day0": returns.index[[60, 60, 90, 110]]})
    study = event_study(returns, events, market="M", estimation=(-40, -6), window=(-2, 2), reps=9)
    figure = study.plot()
    upper, lower, mean = figure.data
    assert list(mean.x) == [-2, -1, 0, 1, 2]
    np.testing.assert_allclose(mean.y, study.caar["caar"] * 100)
    np.testing.assert_allclose(upper.y, study.caar["high"] * 100)
    np.testing.assert_allclose(lower.y, study.caar["low"] * 100)
    assert "4 events of 3 dates" in figure.layout.title.text
    assert "[%]" in figure.layout.yaxis.title.text
