"""Tests by ranks and signs, which no outlier can carry.

Windows have L event days; the ranking period is the M days of the estimation window and all days
of the event window, T = M + event days, whichever window is tested.  p values are two-sided.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from backtest.evidence.event_study.parametric import (
    NAN,
    TestResult,
    normal_result,
    student_result,
)
from backtest.paths import FloatArray


def sign(car: FloatArray) -> TestResult:
    """Share of positive CARs against one half: (w - N / 2) / sqrt(N / 4), normal.

    Brown and Warner (1980, J. Financ. Econ. 8).  A CAR of 0 is not positive.
    """
    return _signs(car, 0.5)


def generalised_sign(
    car: FloatArray, estimation: FloatArray, *, pooled: bool = False
) -> TestResult:
    """Cowan (1992, Rev. Quant. Finance Account. 2, eq. 1-3): positive CARs against the share of
    positive residuals in the estimation windows, z = (w - N p) / sqrt(N p (1 - p)), normal.

    p is the mean over events of each one's share; ``pooled`` takes the share over all their
    days at once, which differs where estimation windows have different numbers of returns.
    """
    there = np.isfinite(estimation[np.isfinite(car)])
    positive = estimation[np.isfinite(car)] > 0
    if not there.any():
        return TestResult(NAN, NAN, NAN, len(there))
    if pooled:
        return _signs(car, float(positive.sum() / there.sum()))
    return _signs(car, float((positive.sum(axis=1) / there.sum(axis=1)).mean()))


def wilcoxon(car: FloatArray) -> TestResult:
    """Wilcoxon's signed-rank test of the CARs, by scipy; the statistic is W+.

    Wilcoxon (1945, Biometrics Bull. 1).  Zeros are left out and ties share their mean rank; the
    p value is exact up to 50 events without zeros and ties, beyond that by the normal.
    """
    x = car[np.isfinite(car)]
    if not (x != 0).any():
        return TestResult(NAN, NAN, NAN, len(x))
    found = stats.wilcoxon(x, zero_method="wilcox", alternative="two-sided", method="auto")
    nonzero = x[x != 0]
    ranks = stats.rankdata(np.abs(nonzero))
    return TestResult(float(ranks[nonzero > 0].sum()), float(found.pvalue), NAN, len(x))


def corrado_rank(estimation: FloatArray, event: FloatArray, days: slice) -> TestResult:
    """Corrado (1989, J. Financ. Econ. 23, eq. 3-5): mean rank on the event days; normal.

    ``estimation`` N x M, ``event`` N x all event days, ``days`` the columns tested.  K_it is the
    rank among the event's T_i days (ties share), K-bar_t the mean over events of
    K_it - (T_i + 1) / 2, and S^2 the mean of K-bar_t^2 over all T days.  The statistic is
    sum of K-bar_t over the L days / (sqrt(L) S) (for L > 1: Cowan 1992, eq. 6).
    """
    ranks, counts = _ranks(estimation, event)
    centred = ranks - (counts[:, None] + 1) / 2
    there = np.isfinite(centred).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nansum(centred, axis=0) / there
    return _daily(means, there, estimation.shape[1], days, _events(event, days))


def corrado_zivney_rank(estimation: FloatArray, event: FloatArray, days: slice) -> TestResult:
    """Corrado and Zivney (1992, J. Financ. Quant. Anal. 27, eq. 4-6): ranks with missing days.

    As `corrado_rank` with U_it = K_it / (1 + T_i) - 1/2 and day t's sum over its N_t events
    divided by sqrt(N_t).  The two agree where no day is missing.  The paper's further
    restandardisation of the event day by the cross-section is not applied (see `grank_t`).
    """
    ranks, counts = _ranks(estimation, event)
    centred = ranks / (1 + counts[:, None]) - 0.5
    return _scaled_sums(centred, estimation.shape[1], days, _events(event, days))


def corrado_zivney_sign(estimation: FloatArray, event: FloatArray, days: slice) -> TestResult:
    """Corrado and Zivney's (1992, eq. 1-3) sign test: signs about the event's own median.

    G_it = sign(A_it - median of A_i over its T_i days), which needs no symmetry; the rest as in
    `corrado_zivney_rank`.
    """
    both = np.column_stack([estimation, event])
    if not len(both):
        return TestResult(NAN, NAN, NAN, 0)
    centred = np.sign(both - np.nanmedian(both, axis=1, keepdims=True))
    return _scaled_sums(centred, estimation.shape[1], days, _events(event, days))


def grank_t(scar: FloatArray, standardised: FloatArray) -> TestResult:
    """Kolari and Pynnonen's (2011, J. Empir. Finance 18, eq. 13-18) generalised rank test.

    ``scar`` (N) is restandardised by its cross-sectional standard deviation, which takes out
    variance that the event brings, and ranked as *one* day among the event's ``standardised``
    estimation residuals (N x M, residual / sigma_i: no leverage correction); T = M + 1.  With
    U = rank / (T_i + 1) - 1/2, U-bar_t its mean over the n_t events of day t and
    S^2 = sum of (n_t / N) U-bar_t^2 / T, Z = U-bar_0 / S and the statistic is
    Z sqrt((T - 2) / (T - 1 - Z^2)), Student's t with T - 2 degrees of freedom.  Robust to
    correlation between events of one date and to autocorrelation in the window.
    """
    centred = _generalised(scar, standardised)
    n, days = centred.shape
    if n < 2 or days < 4:
        return TestResult(NAN, NAN, NAN, n)
    there = np.isfinite(centred).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.nansum(centred, axis=0) / there
    used = there > 0
    t = int(used.sum())
    spread = np.sqrt((there[used] / n * means[used] ** 2).sum() / t)
    if not spread > 0:
        return TestResult(NAN, NAN, NAN, n)
    z = float(means[-1] / spread)
    left = t - 1 - z**2
    if left <= 0:
        # The event day alone makes up all the variation there is.
        return student_result(float(np.copysign(np.inf, z)), t - 2, n)
    return student_result(float(z * np.sqrt((t - 2) / left)), t - 2, n)


def grank_z(scar: FloatArray, standardised: FloatArray) -> TestResult:
    """As `grank_t` with the variance of ranks of independent events (eq. 11-12); normal.

    z = U-bar_0 / sqrt((T - 1) / (12 N (T + 1))); with different T_i the mean of those variances.
    Assumes that events are independent of each other.
    """
    centred = _generalised(scar, standardised)
    n = len(centred)
    if n < 2:
        return TestResult(NAN, NAN, NAN, n)
    t = np.isfinite(centred).sum(axis=1)
    variance = ((t - 1) / (12 * (t + 1))).sum() / n**2
    return normal_result(float(centred[:, -1].mean() / np.sqrt(variance)), n)


def _signs(car: FloatArray, expected: float) -> TestResult:
    x = car[np.isfinite(car)]
    n = len(x)
    if n == 0 or not 0 < expected < 1:
        return TestResult(NAN, NAN, NAN, n)
    z = ((x > 0).sum() - n * expected) / np.sqrt(n * expected * (1 - expected))
    return normal_result(float(z), n)


def _ranks(estimation: FloatArray, event: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ranks over all days of each event (N x T, NaN where missing), and T_i (N)."""
    both = np.column_stack([estimation, event])
    if not len(both):
        return both, np.empty(0)
    ranks = stats.rankdata(both, axis=1, nan_policy="omit")
    return ranks, np.isfinite(both).sum(axis=1).astype(np.float64)


def _events(event: FloatArray, days: slice) -> int:
    return int(np.isfinite(event[:, days]).any(axis=1).sum())


def _scaled_sums(centred: FloatArray, past: int, days: slice, n: int) -> TestResult:
    there = np.isfinite(centred).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = np.nansum(centred, axis=0) / np.sqrt(there)
    return _daily(sums, there, past, days, n)


def _daily(values: FloatArray, there: FloatArray, past: int, days: slice, n: int) -> TestResult:
    """Sum over the tested event days / (sqrt(L) root mean square over all days)."""
    tested = slice(past + days.start, past + days.stop)
    used = there > 0
    if n == 0 or not used[tested].all():
        return TestResult(NAN, NAN, NAN, n)
    spread = float(np.sqrt((values[used] ** 2).mean()))
    if not spread > 0:
        return TestResult(NAN, NAN, NAN, n)
    length = days.stop - days.start
    return normal_result(float(values[tested].sum() / (np.sqrt(length) * spread)), n)


def _generalised(scar: FloatArray, standardised: FloatArray) -> FloatArray:
    """U_it of the GSARs (N x (M + 1)), the event's day last."""
    good = np.isfinite(scar)
    x = scar[good]
    spread = float(x.std(ddof=1)) if len(x) > 1 else NAN
    if not spread > 0:
        return np.empty((0, standardised.shape[1] + 1))
    values = np.column_stack([standardised[good], x / spread])
    ranks = stats.rankdata(values, axis=1, nan_policy="omit")
    return np.asarray(ranks / (np.isfinite(values).sum(axis=1)[:, None] + 1) - 0.5)
