"""How likely a Sharpe ratio is to be real: Bailey and Lopez de Prado's family of statistics.

Sharpe ratios here are *per period* (a day, a month: that of the returns), never annualised; an
annual one is divided by sqrt(periods a year) first.  Kurtosis is 3 for the normal.

- BLdP 2012: Bailey and Lopez de Prado, The Sharpe ratio efficient frontier, J. Risk 15.
- BLdP 2014: the same, The deflated Sharpe ratio, J. Portf. Manag. 40.
- BBLZ 2014: Bailey, Borwein, Lopez de Prado and Zhu, Pseudo-mathematics and financial
  charlatanism, Notices AMS 61.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import e, log, sqrt

import numpy as np
from scipy import stats

from backtest.paths import FloatArray
from db.errors import UsageError

NAN = float("nan")
EULER_GAMMA = float(np.euler_gamma)


@dataclass(frozen=True)
class Moments:
    """Of n returns that are known; NaN where undefined."""

    n: int
    mean: float
    deviation: float
    """Sample standard deviation (n - 1)."""
    sharpe: float
    """mean / deviation, a period."""
    skewness: float
    """Population: m3 / m2^1.5."""
    kurtosis: float
    """Population: m4 / m2^2, 3 for the normal."""


def moments(returns: FloatArray) -> Moments:
    """Moments of simple returns (T, fractions); NaN is a return that is not known, left out.

    Returns that do not vary have no Sharpe ratio (NaN, not infinity): a deviation below 1e-12 of
    the largest return is rounding.  UsageError for anything but one dimension.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1:
        raise UsageError(f"returns must be one-dimensional, not {values.shape}")
    x = values[np.isfinite(values)]
    n = len(x)
    if n < 2:
        return Moments(n, float(x.mean()) if n else NAN, NAN, NAN, NAN, NAN)
    mean, deviation = float(x.mean()), float(x.std(ddof=1))
    if deviation <= 1e-12 * float(np.abs(x).max()):
        return Moments(n, mean, 0.0, NAN, NAN, NAN)
    scaled = (x - mean) / x.std()
    skewness, kurtosis = float((scaled**3).mean()), float((scaled**4).mean())
    return Moments(n, mean, deviation, mean / deviation, skewness, kurtosis)


def sharpe_ratios(returns: FloatArray) -> FloatArray:
    """`Moments.sharpe` of each column of ``returns`` (T x M): M Sharpe ratios a period."""
    x = np.asarray(returns, dtype=np.float64)
    known = np.isfinite(x)
    n = known.sum(axis=0)
    x = np.where(known, x, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = x.sum(axis=0) / n
        away = np.where(known, x - mean, 0.0)
        deviation = np.sqrt((away**2).sum(axis=0) / (n - 1))
        varies = (n > 1) & (deviation > 1e-12 * np.abs(x).max(axis=0, initial=0.0))
        return np.where(varies, mean / deviation, NAN)


def sharpe_error(sharpe: float, n: float, skewness: float = 0.0, kurtosis: float = 3.0) -> float:
    """Standard error of a Sharpe ratio of n returns (BLdP 2012, eq. 8, after Mertens 2002).

    sqrt((1 - skewness SR + (kurtosis - 1) / 4 SR^2) / (n - 1)), returns independent over time.
    NaN for n < 2 and where the moments contradict each other.
    """
    variance = _variance_factor(sharpe, skewness, kurtosis)
    if not n > 1 or not variance > 0:
        return NAN
    return sqrt(variance / (n - 1))


def probabilistic_sharpe(
    sharpe: float,
    n: float,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    *,
    benchmark: float = 0.0,
) -> float:
    """PSR: probability that the true Sharpe ratio exceeds ``benchmark`` (BLdP 2012, eq. 11).

    Phi((SR - SR*) / `sharpe_error`), with the error at the estimate, not at SR*.
    """
    return float(stats.norm.cdf((sharpe - benchmark) / sharpe_error(sharpe, n, skewness, kurtosis)))


def expected_maximum_sharpe(trials: float, variance: float = 1.0) -> float:
    """Expected greatest of ``trials`` independent Sharpe ratios of mean 0 (BLdP 2014, eq. 1).

    sqrt(variance) ((1 - g) Z(1 - 1 / N) + g Z(1 - 1 / (N e))), Z the normal quantile, g Euler's
    constant, ``variance`` that of the Sharpe ratios across trials.  An approximation for large N
    (1.57 for 10, exactly 1.54); one trial is no search: 0.  UsageError for less than one.
    """
    if not trials >= 1 or not variance >= 0:
        raise UsageError(f"trials must be at least 1 and variance at least 0: {trials}, {variance}")
    return sqrt(variance) * _expected_maximum(trials)


def deflated_sharpe(
    sharpe: float,
    n: float,
    skewness: float,
    kurtosis: float,
    *,
    trials: float,
    variance: float,
) -> float:
    """DSR: PSR against `expected_maximum_sharpe` of the search that found it (BLdP 2014, eq. 2).

    ``variance``: of the trials' Sharpe ratios (a period).  ``trials``: of independent trials;
    correlated settings count as fewer (`effective_trials`), and counting all is conservative.
    """
    noise = expected_maximum_sharpe(trials, variance)
    return probabilistic_sharpe(sharpe, n, skewness, kurtosis, benchmark=noise)


def minimum_track_record(
    sharpe: float,
    skewness: float = 0.0,
    kurtosis: float = 3.0,
    *,
    benchmark: float = 0.0,
    confidence: float = 0.95,
) -> float:
    """MinTRL: returns needed before PSR reaches ``confidence`` (BLdP 2012, eq. 13); periods.

    1 + (1 - skewness SR + (kurtosis - 1) / 4 SR^2) (Z / (SR - SR*))^2.  Infinite where the Sharpe
    ratio does not exceed ``benchmark``: no record proves it.
    """
    if not 0.5 < confidence < 1:
        raise UsageError(f"confidence must lie between 0.5 and 1, not {confidence!r}")
    variance = _variance_factor(sharpe, skewness, kurtosis)
    if not variance > 0:
        return NAN
    if sharpe <= benchmark:
        return float("inf")
    return 1 + variance * (float(stats.norm.ppf(confidence)) / (sharpe - benchmark)) ** 2


def minimum_backtest_length(trials: float, sharpe: float = 1.0) -> float:
    """MinBTL: years of data below which the best of ``trials`` independent settings without an
    edge is expected to show an *annual* Sharpe ratio of ``sharpe`` (BBLZ 2014, theorem 1).

    (E[max of N standard normals] / sharpe)^2.  UsageError unless sharpe > 0.
    """
    if not sharpe > 0:
        raise UsageError(f"the Sharpe ratio to guard against must be positive, not {sharpe!r}")
    return float((expected_maximum_sharpe(trials) / sharpe) ** 2)


def minimum_backtest_bound(trials: float, sharpe: float = 1.0) -> float:
    """Upper bound of `minimum_backtest_length`: 2 ln(N) / sharpe^2 years (BBLZ 2014, eq. 6)."""
    if not trials >= 1 or not sharpe > 0:
        raise UsageError(f"trials >= 1 and sharpe > 0 wanted, not {trials} and {sharpe}")
    return 2 * log(trials) / sharpe**2


def effective_trials(correlation: float, trials: int) -> float:
    """Independent trials that ``trials`` with that average correlation are worth.

    r + (1 - r) M (BLdP 2014, appendix A.3, eq. 9), between 1 and M.  UsageError outside.
    """
    if trials < 1:
        raise UsageError(f"trials must be at least 1, not {trials}")
    r = min(max(correlation, 0.0), 1.0)
    return r + (1 - r) * trials


def average_correlation(returns: FloatArray) -> float:
    """Mean correlation between the columns of ``returns`` (T x M); 0 for fewer than two that vary.

    From the variance of the sum of the standardised columns, so that no M x M matrix is held.
    """
    x = np.asarray(returns, dtype=np.float64)
    centred = x - x.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    varies = spread > 1e-12 * np.maximum(np.abs(x).max(axis=0), 1e-300) * sqrt(len(x))
    m = int(varies.sum())
    if m < 2:
        return 0.0
    scaled = centred[:, varies] / spread[varies]
    return float(((scaled.sum(axis=1) ** 2).sum() - m) / (m * (m - 1)))


def _expected_maximum(trials: float) -> float:
    if trials == 1:
        return 0.0
    # The upper tail, since 1 - 1 / N loses its digits for large N.
    first = float(stats.norm.isf(1 / trials))
    second = float(stats.norm.isf(1 / (trials * e)))
    # Between 1 and 2 the approximation is negative; searching more never finds less.
    return max(0.0, (1 - EULER_GAMMA) * first + EULER_GAMMA * second)


def _variance_factor(sharpe: float, skewness: float, kurtosis: float) -> float:
    return 1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2
