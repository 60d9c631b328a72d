"""Tests of mean abnormal returns that use their size.

Every function takes arrays of N events (NaN left out) and answers with a `TestResult`; p values
are two-sided.  Windows have L event days, estimation windows M_i.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from backtest.paths import FloatArray, IntArray

NAN = float("nan")


@dataclass(frozen=True)
class TestResult:
    """A statistic and how far out it is."""

    __test__ = False  # its name begins with Test, but it holds none for pytest to collect

    statistic: float
    p_value: float
    """Two-sided."""
    df: float
    """Degrees of freedom of Student's t; NaN for the standard normal or an exact distribution."""
    n: int
    """Events."""


def normal_result(statistic: float, n: int) -> TestResult:
    """A statistic that is standard normal under the null."""
    return TestResult(statistic, 2 * float(stats.norm.sf(abs(statistic))), NAN, n)


def student_result(statistic: float, df: float, n: int) -> TestResult:
    """A statistic that has Student's t under the null."""
    if not df > 0:
        return TestResult(statistic, NAN, NAN, n)
    return TestResult(statistic, 2 * float(stats.t.sf(abs(statistic), df)), df, n)


def cross_sectional(car: FloatArray) -> TestResult:
    """Mean CAR over its cross-sectional standard error; t of N - 1 (Brown and Warner 1980).

    t = mean / (s / sqrt(N)), s with N - 1.  Robust to variance that the event brings, blind to
    correlation between events.
    """
    x = _known(car)
    return student_result(_t_ratio(x), len(x) - 1, len(x))


def crude_dependence(car: FloatArray, estimation: FloatArray, length: int) -> TestResult:
    """Brown and Warner (1985, J. Financ. Econ. 14, eq. 4-7): mean CAR over sqrt(L) s(AAR).

    s is the standard deviation (M - 1) of the events' average residual over the M days of the
    estimation window, so correlation between events of the *same* date is in it.  t of M - 1.
    """
    x = _known(car)
    average = _day_means(estimation[np.isfinite(car)])
    if len(x) == 0 or len(average) < 2:
        return TestResult(NAN, NAN, NAN, len(x))
    spread = float(average.std(ddof=1))
    return student_result(_over(x.mean(), np.sqrt(length) * spread), len(average) - 1, len(x))


def independent(car: FloatArray, sigma: FloatArray, length: int) -> TestResult:
    """Sum of CARs over sqrt(L * sum sigma_i^2), normal: as if events were independent.

    MacKinlay (1997, J. Econ. Lit. 35, eq. 20) for large estimation windows.
    """
    good = np.isfinite(car)
    scale = np.sqrt(length * (sigma[good] ** 2).sum())
    return normal_result(_over(car[good].sum(), scale), int(good.sum()))


def patell(
    standardised: FloatArray, df: IntArray, length: int, *, correlation: float = 0.0
) -> TestResult:
    """Patell (1976, J. Account. Res. 14, eq. 10): sum of CSAR_i over its standard deviation.

    ``standardised``: CSAR_i, the sum of L standardised abnormal returns, each of which has
    variance df_i / (df_i - 2), df_i = M_i - K; z = sum CSAR_i / sqrt(L sum df_i / (df_i - 2)).
    For SCAR_i, whose forecast error is that of the sum, ``length`` is 1.  Assumes that the
    event brings no variance.  With ``correlation`` r-bar it is Kolari and Pynnonen's (2010, Rev.
    Financ. Stud. 23) adjusted Patell: z / sqrt(1 + (N - 1) r-bar).
    """
    good = np.isfinite(standardised) & (df > 2)
    n, left = int(good.sum()), df[good].astype(np.float64)
    scale = np.sqrt(length * (left / (left - 2)).sum())
    widening = 1 + (n - 1) * correlation
    if widening <= 0:
        return TestResult(NAN, NAN, NAN, n)
    return normal_result(_over(standardised[good].sum(), scale * np.sqrt(widening)), n)


def boehmer_musumeci_poulsen(standardised: FloatArray, *, correlation: float = 0.0) -> TestResult:
    """Boehmer, Musumeci and Poulsen (1991, J. Financ. Econ. 30, eq. 5): standardised
    cross-sectional test, the t ratio of standardised (cumulative) abnormal returns.

    Robust to variance that the event brings.  The paper calls it approximately normal; t of
    N - 1 is used here, as by Kolari and Pynnonen (2010, Rev. Financ. Stud. 23), whose adjusted
    form it is with ``correlation`` r-bar (eq. 11): t sqrt((1 - r-bar) / (1 + (N - 1) r-bar)).
    """
    x = _known(standardised)
    n = len(x)
    factor = kolari_pynnonen_factor(correlation, n)
    return student_result(_t_ratio(x) * factor, n - 1, n)


def kolari_pynnonen_factor(correlation: float, n: int) -> float:
    """sqrt((1 - r) / (1 + (n - 1) r)); NaN where r cannot be an average of n events."""
    widening = 1 + (n - 1) * correlation
    if n < 1 or widening <= 0 or correlation > 1:
        return NAN
    return float(np.sqrt((1 - correlation) / widening))


def skewness_adjusted(x: FloatArray, form: Literal["hall", "johnson"] = "hall") -> TestResult:
    """Test of a mean of skewed values (N), such as buy-and-hold abnormal returns.

    With S = mean / s (s with N - 1):

    - ``johnson`` (Johnson 1978, J. Am. Stat. Assoc. 73; Lyon, Barber and Tsai 1999, J. Finance
      54, eq. 5): sqrt(N) (S + g S^2 / 3 + g / (6 N)), g = sum (x - mean)^3 / (N s^3); t of N - 1.
    - ``hall`` (Hall 1992, J. R. Stat. Soc. B 54): the same with + g^2 S^3 / 27, which makes it
      monotone, and the unbiased g = N sum (x - mean)^3 / ((N - 1) (N - 2) s^3); normal.

    Packages differ in g; these are the two used with the two forms in the literature cited.
    """
    x = _known(x)
    n = len(x)
    spread = float(x.std(ddof=1)) if n > 1 else NAN
    if n < 3 or not spread > 1e-14 * np.abs(x).max():
        return TestResult(NAN, NAN, NAN, n)
    s = float(x.mean()) / spread
    third = float(((x - x.mean()) ** 3).sum()) / spread**3
    if form == "johnson":
        g = third / n
        return student_result(float(np.sqrt(n) * (s + g * s**2 / 3 + g / (6 * n))), n - 1, n)
    g = third * n / ((n - 1) * (n - 2))
    cubic = s + g * s**2 / 3 + g**2 * s**3 / 27 + g / (6 * n)
    return normal_result(float(np.sqrt(n) * cubic), n)


def _known(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _t_ratio(x: FloatArray) -> float:
    if len(x) < 2:
        return NAN
    spread = float(x.std(ddof=1))
    # Equal values differ by rounding alone; dividing by that would be a huge, false t.
    if not spread > 1e-14 * np.abs(x).max():
        return NAN
    return float(x.mean() / (spread / np.sqrt(len(x))))


def _day_means(estimation: FloatArray) -> FloatArray:
    """Mean over the events that have each day; days that none has are left out."""
    there = np.isfinite(estimation)
    count = there.sum(axis=0)
    sums = np.where(there, estimation, 0.0).sum(axis=0)
    return np.asarray(sums[count > 0] / count[count > 0])


def _over(value: float, scale: float) -> float:
    return float(value / scale) if scale > 0 else NAN
