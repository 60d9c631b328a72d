"""All tests of one event window, by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from backtest.evidence.event_study import nonparametric as rank
from backtest.evidence.event_study import parametric as size
from backtest.evidence.event_study.abnormal import AbnormalReturns
from backtest.evidence.event_study.parametric import TestResult
from backtest.evidence.event_study.windows import Window
from backtest.evidence.inference import (
    Estimate,
    cluster_bootstrap,
    clustered_test,
    overlapping_test,
)
from backtest.paths import FloatArray

TESTS = {
    "cross_sectional_t": "mean CAR, cross-sectional t",
    "crude_dependence": "mean CAR over the spread of the average residual (Brown, Warner 1985)",
    "patell": "Patell (1976), of the summed standardised abnormal returns",
    "patell_adjusted": "Patell, adjusted for cross-correlation (Kolari, Pynnonen 2010)",
    "bmp": "Boehmer, Musumeci, Poulsen (1991), of the standardised CAR",
    "kolari_pynnonen": "the same, adjusted for cross-correlation (Kolari, Pynnonen 2010)",
    "skewness_hall": "skewness-adjusted t (Hall 1992)",
    "skewness_johnson": "skewness-adjusted t (Johnson 1978)",
    "corrado_rank": "rank test (Corrado 1989)",
    "corrado_zivney_rank": "rank test with missing days (Corrado, Zivney 1992)",
    "corrado_zivney_sign": "sign test about the median (Corrado, Zivney 1992)",
    "grank_t": "generalised rank test, t (Kolari, Pynnonen 2011)",
    "grank_z": "generalised rank test, z (Kolari, Pynnonen 2011)",
    "sign": "sign test (Brown, Warner 1980)",
    "generalised_sign": "sign test against the estimation window's share (Cowan 1992)",
    "wilcoxon": "signed ranks (Wilcoxon 1945)",
    "date_clustered": "mean CAR, t clustered by date, windows that overlap counted as one",
    "bootstrap": "mean CAR, bootstrap-t over dates (over runs of sessions where windows overlap)",
    "wild_bootstrap": "mean CAR, wild bootstrap over dates (over runs where windows overlap)",
    "date_clustered_scar": "mean standardised CAR, t clustered like date_clustered",
}
"""Name and description of the tests, in the order of the table."""

CLUSTERED = (
    *("date_clustered", "bootstrap", "wild_bootstrap", "date_clustered_scar"),
    *("kolari_pynnonen", "grank_t"),
)
"""The tests of `TESTS` that hold where events share evenings: in markets in which nothing happens
they reject no more often than they say (docs/event-study.md); Kolari and Pynnonen's with the
correlation of ``pairs="event"``."""

VARIANTS = {
    "independent": "sum of CARs over sqrt(L sum sigma^2), normal",
    "patell_scar": "Patell, of the CAR over the forecast error of the sum",
    "bmp_csar": "BMP, of the summed standardised abnormal returns",
    "bmp_uncorrected": "BMP without forecast-error correction: CAR / sigma",
    "kolari_pynnonen_csar": "Kolari-Pynnonen, of the summed standardised abnormal returns",
    "kolari_pynnonen_uncorrected": "Kolari-Pynnonen without forecast-error correction",
    "generalised_sign_pooled": "generalised sign, share pooled over all days",
    "bhar_market_t": "buy-and-hold less the market's, cross-sectional t",
    "bhar_market_hall": "the same, skewness-adjusted (Hall 1992)",
    "bhar_market_johnson": "the same, skewness-adjusted (Johnson 1978)",
    "bhar_model_t": "buy-and-hold less the model's expected, cross-sectional t",
    "bhar_model_hall": "the same, skewness-adjusted (Hall 1992)",
    "bhar_model_johnson": "the same, skewness-adjusted (Johnson 1978)",
}
"""Other definitions that published packages use, and tests of buy-and-hold returns."""


@dataclass(frozen=True)
class Settings:
    """What the tests need beside the abnormal returns."""

    correlation: float
    """r-bar of the events."""
    reps: int
    seed: int
    confidence: float


def main_tests(
    ar: AbnormalReturns, window: Window, settings: Settings
) -> Iterator[tuple[str, TestResult]]:
    """(name, result) in the order of `TESTS`."""
    days = ar.columns(window)
    length = days.stop - days.start
    car, scar, csar = ar.car(window), ar.scar(window), ar.csar(window)
    past, r = ar.estimation, settings.correlation
    residuals = past / ar.sigma[:, None]
    yield "cross_sectional_t", size.cross_sectional(car)
    yield "crude_dependence", size.crude_dependence(car, past, length)
    yield "patell", size.patell(csar, ar.df, length)
    yield "patell_adjusted", size.patell(csar, ar.df, length, correlation=r)
    yield "bmp", size.boehmer_musumeci_poulsen(scar)
    yield "kolari_pynnonen", size.boehmer_musumeci_poulsen(scar, correlation=r)
    yield "skewness_hall", size.skewness_adjusted(car, "hall")
    yield "skewness_johnson", size.skewness_adjusted(car, "johnson")
    yield "corrado_rank", rank.corrado_rank(past, ar.event, days)
    yield "corrado_zivney_rank", rank.corrado_zivney_rank(past, ar.event, days)
    yield "corrado_zivney_sign", rank.corrado_zivney_sign(past, ar.event, days)
    yield "grank_t", rank.grank_t(scar, residuals)
    yield "grank_z", rank.grank_z(scar, residuals)
    yield "sign", rank.sign(car)
    yield "generalised_sign", rank.generalised_sign(car, past)
    yield "wilcoxon", rank.wilcoxon(car)
    yield "date_clustered", _result(clustered(ar, window, car, settings.confidence))
    yield "bootstrap", _result(_bootstrap(ar, window, car, settings, "pairs"))
    yield "wild_bootstrap", _result(_bootstrap(ar, window, car, settings, "wild"))
    yield "date_clustered_scar", _result(clustered(ar, window, scar, settings.confidence))


def variant_tests(
    ar: AbnormalReturns, window: Window, settings: Settings
) -> Iterator[tuple[str, TestResult]]:
    """(name, result) in the order of `VARIANTS`."""
    days = ar.columns(window)
    length = days.stop - days.start
    car, scar, csar = ar.car(window), ar.scar(window), ar.csar(window)
    r, plain = settings.correlation, car / ar.sigma
    yield "independent", size.independent(car, ar.sigma, length)
    yield "patell_scar", size.patell(scar, ar.df, 1)
    yield "bmp_csar", size.boehmer_musumeci_poulsen(csar)
    yield "bmp_uncorrected", size.boehmer_musumeci_poulsen(plain)
    yield "kolari_pynnonen_csar", size.boehmer_musumeci_poulsen(csar, correlation=r)
    yield "kolari_pynnonen_uncorrected", size.boehmer_musumeci_poulsen(plain, correlation=r)
    yield "generalised_sign_pooled", rank.generalised_sign(car, ar.estimation, pooled=True)
    for against in ("market", "model"):
        held = ar.bhar(window, against=against)
        yield f"bhar_{against}_t", size.cross_sectional(held)
        yield f"bhar_{against}_hall", size.skewness_adjusted(held, "hall")
        yield f"bhar_{against}_johnson", size.skewness_adjusted(held, "johnson")


def clustered(
    ar: AbnormalReturns, window: Window, values: FloatArray, confidence: float
) -> Estimate:
    """Mean of one value an event, with an interval that knows whose windows share sessions."""
    if window[0] == window[1]:
        return clustered_test(values, ar.day0, confidence=confidence)
    first, last = ar.day0 + window[0], ar.day0 + window[1]
    return overlapping_test(values, first, last, confidence=confidence)


def _bootstrap(
    ar: AbnormalReturns,
    window: Window,
    car: FloatArray,
    s: Settings,
    method: Literal["pairs", "wild"],
) -> Estimate:
    length = window[1] - window[0] + 1
    # Runs twice as long as the window: few windows still share sessions across a run's edge.
    runs = ar.day0 if length == 1 else ar.day0 // (2 * length)
    return cluster_bootstrap(
        car, runs, method=method, reps=s.reps, seed=s.seed, confidence=s.confidence
    )


def _result(found: Estimate) -> TestResult:
    return TestResult(found.statistic, found.p_value, found.df, found.n)


def results_frame(
    ar: AbnormalReturns, windows: list[Window], settings: Settings, *, variants: bool
) -> pd.DataFrame:
    """A row a window and test: ``start``, ``end``, ``test``, ``statistic``, ``p_value``, ``df``,
    ``n``; `main_tests`, or the `variant_tests`.
    """
    rows = [
        (*window, name, found.statistic, found.p_value, found.df, found.n)
        for window in windows
        for name, found in (variant_tests if variants else main_tests)(ar, window, settings)
    ]
    columns = ["start", "end", "test", "statistic", "p_value", "df", "n"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"statistic": np.float64, "p_value": np.float64, "df": np.float64})
