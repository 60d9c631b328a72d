"""How sure a mean is when its values are not independent.

Events that share an evening share its shocks, and holds that overlap in time share the returns
of the sessions they have in common.  Counting either as independent makes noise look like an
effect, so every interval here takes both for what they are.

- `clustered_test`: values of one date belong together (any number a date).
- `overlapping_test`: values whose holds share a session belong together.
- `cluster_bootstrap`: whole dates are drawn again (or their signs are flipped), for few or
  unequal dates, where Student's t is too sure.
- `block_bootstrap`: stretches of sessions are drawn again, for holds that overlap.

NaN is a value that is not known and is left out everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from backtest.evidence.average_path import clustered_mean
from backtest.evidence.extras import evidence_module
from backtest.paths import FloatArray, IntArray
from db.errors import UsageError

__all__ = [
    "Estimate",
    "block_bootstrap",
    "cluster_bootstrap",
    "clustered_mean",
    "clustered_test",
    "disjoint_holds",
    "overlapping_products",
    "overlapping_test",
]

Clusters = npt.NDArray[Any]
"""One value an observation that is the same for what belongs together."""
NAN = float("nan")
FEW = 12
"""Below so many clusters two-point weights have too few combinations (Webb 2023)."""


@dataclass(frozen=True)
class Estimate:
    """A mean, its interval, and the test of whether it is 0 (two-sided)."""

    mean: float
    low: float
    high: float
    statistic: float
    p_value: float
    df: float
    """Degrees of freedom of Student's t; NaN where the distribution is a bootstrap's."""
    n: int
    clusters: int
    """Groups of values that count as independent of each other."""


def clustered_test(values: FloatArray, clusters: Clusters, *, confidence: float = 0.95) -> Estimate:
    """Mean of ``values`` (n) with the CR1 variance by ``clusters`` (n) and t of G - 1.

    `average_path.clustered_mean` as a test: Liang and Zeger (1986), with G / (G - 1).
    """
    _check(values, clusters, confidence=confidence)
    mean, low, high, n = clustered_mean(values, clusters, confidence)
    groups = len(np.unique(clusters[~np.isnan(values)]))
    if groups < 2:
        return Estimate(mean, NAN, NAN, NAN, NAN, NAN, n, groups)
    error = (high - mean) / float(stats.t.ppf(0.5 + confidence / 2, groups - 1))
    statistic, p_value = _student(mean, error, groups - 1)
    return Estimate(mean, low, high, statistic, p_value, groups - 1, n, groups)


def overlapping_test(
    values: FloatArray, first: IntArray, last: IntArray, *, confidence: float = 0.95
) -> Estimate:
    """Mean of ``values`` (n), each of which was held from session ``first`` to ``last`` (n).

    Two values depend on each other if their holds share a session.  The variance of the mean is
    G / (G - 1) * sum over pairs i, j that overlap of u_i u_j / n^2, u = value - mean: Hansen and
    Hodrick (1980, J. Political Econ. 88, eq. 2.8) for holds of unequal length, a spatial
    estimator with a uniform kernel (Conley 1999, J. Econometrics 92).  It can come out too
    small or negative; the variance clustered by the first session is its lower bound here.  G is
    the greatest number of holds of which no two overlap, and Student's t has G - 1 degrees of
    freedom: a year of overlapping holds of a month counts as twelve.

    Raises UsageError where a hold ends before it begins.
    """
    _check(values, first, last, confidence=confidence)
    if (last < first).any():
        raise UsageError("a hold ends before it begins", hint="first <= last for every value")
    good = ~np.isnan(values)
    x, begins, ends = values[good], first[good], last[good]
    n = len(x)
    if n == 0:
        return Estimate(NAN, NAN, NAN, NAN, NAN, NAN, 0, 0)
    mean, groups = float(x.mean()), disjoint_holds(begins, ends)
    if groups < 2:
        return Estimate(mean, NAN, NAN, NAN, NAN, NAN, n, groups)
    u = x - mean
    _, cluster = np.unique(begins, return_inverse=True)
    by_date = float((np.bincount(cluster, weights=u) ** 2).sum())
    meat = max(overlapping_products(u, begins, ends), by_date)
    error = float(np.sqrt(groups / (groups - 1) * meat) / n)
    half = float(stats.t.ppf(0.5 + confidence / 2, groups - 1)) * error
    statistic, p_value = _student(mean, error, groups - 1)
    return Estimate(mean, mean - half, mean + half, statistic, p_value, groups - 1, n, groups)


def disjoint_holds(first: IntArray, last: IntArray) -> int:
    """Greatest number of holds [first, last] of which no two share a session."""
    count, free_after = 0, None
    for i in np.argsort(last, kind="stable"):
        # Taking what ends first leaves the most room for the rest.
        if free_after is None or first[i] > free_after:
            count, free_after = count + 1, last[i]
    return count


def cluster_bootstrap(
    values: FloatArray,
    clusters: Clusters,
    *,
    method: Literal["pairs", "wild"] = "pairs",
    reps: int = 1999,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Bootstrap-t of the mean of ``values`` (n) over ``clusters`` (n), symmetric, two-sided.

    - ``pairs``: G whole clusters are drawn with replacement (arch's IIDBootstrap over clusters)
      and t* = (mean* - mean) / se* (Cameron, Gelbach and Miller 2008, Rev. Econ. Stat. 90,
      section III.B).
    - ``wild``: every cluster's values keep their size and change their sign with the null
      imposed (the same, section III.D): Rademacher weights, or Webb's six points below 12
      clusters (Webb 2023, Can. J. Econ. 56).  The interval inverts the test.  arch has no wild
      bootstrap, so this one is ours.

    p = (1 + number of |t*| >= |t|) / (reps + 1).  The errors are CR1, as in `clustered_test`.
    """
    _check(values, clusters, confidence=confidence)
    if reps < 1:
        raise UsageError(f"reps must be at least 1, not {reps}")
    good = ~np.isnan(values)
    x = values[good]
    _, group = np.unique(clusters[good], return_inverse=True)
    size: FloatArray = np.bincount(group).astype(np.float64)
    total: FloatArray = np.bincount(group, weights=x).astype(np.float64)
    n, groups = len(x), len(size)
    mean = float(x.mean()) if n else NAN
    error = _cr1(total, size, mean) if groups > 1 else NAN
    # Clusters that all sum to the mean leave nothing to draw from.
    if groups < 2 or error <= 1e-14 * abs(mean) or error == 0:
        return Estimate(mean, NAN, NAN, NAN, NAN, NAN, n, groups)
    if method == "wild":
        low, high, p_value = _wild(total, size, mean, error, reps, seed, confidence)
    elif method == "pairs":
        draws = _pairs(total, size, mean, reps, seed)
        reach = _quantile(draws, confidence) * error
        low, high = mean - reach, mean + reach
        p_value = _share_beyond(draws, abs(mean / error))
    else:
        raise UsageError(f"unknown method {method!r}", hint="one of pairs, wild")
    return Estimate(mean, low, high, mean / error, p_value, NAN, n, groups)


def block_bootstrap(
    values: FloatArray,
    session: IntArray,
    *,
    block: int,
    reps: int = 1999,
    seed: int = 0,
    confidence: float = 0.95,
) -> Estimate:
    """Mean of ``values`` (n), by drawing stretches of sessions of mean length ``block`` again.

    ``session`` (n) numbers the session of each value; sessions without one are drawn as well,
    so that a stretch is a stretch of time.  Stationary bootstrap (Politis and Romano 1994, J.
    Am. Stat. Assoc. 89), drawn by arch, of the sums and counts by session; ``block`` should be
    no shorter than the longest hold.  The interval is basic (reverse percentile; Davison and
    Hinkley 1997, eq. 5.6), p = (1 + number of |mean* - mean| >= |mean|) / (reps + 1).
    ``clusters`` is the number of sessions spanned over ``block``; with few of them the interval
    is too narrow, as percentiles of few blocks are (`overlapping_test` is not).
    """
    _check(values, session, confidence=confidence)
    if block < 1 or reps < 1:
        raise UsageError(f"block and reps must be at least 1, not {block} and {reps}")
    good = ~np.isnan(values)
    x = values[good]
    n = len(x)
    if n == 0:
        return Estimate(NAN, NAN, NAN, NAN, NAN, NAN, 0, 0)
    at = session[good] - session[good].min()
    span = int(at.max()) + 1
    mean, blocks = float(x.mean()), -(-span // block)
    if blocks < 2:
        return Estimate(mean, NAN, NAN, NAN, NAN, NAN, n, blocks)
    total, size = np.bincount(at, weights=x), np.bincount(at)
    bootstrap = evidence_module("arch.bootstrap", "the block bootstrap").StationaryBootstrap
    draws = np.full(reps, np.nan)
    for b, (data, _) in enumerate(bootstrap(block, np.arange(span), seed=seed).bootstrap(reps)):
        drawn = size[data[0]].sum()
        # A draw that meets no event at all has no mean; it says nothing and is left out.
        if drawn:
            draws[b] = total[data[0]].sum() / drawn
    away = draws[~np.isnan(draws)] - mean
    tail = (1 - confidence) / 2
    upper, lower = np.quantile(away, [1 - tail, tail])
    p_value = _share_beyond(np.abs(away), abs(mean))
    deviation = float(away.std(ddof=1))
    statistic = mean / deviation if deviation > 0 else NAN
    return Estimate(
        mean, mean - float(upper), mean - float(lower), statistic, p_value, NAN, n, blocks
    )


def _check(values: FloatArray, *others: npt.NDArray[Any], confidence: float) -> None:
    shapes = {np.shape(values), *(np.shape(other) for other in others)}
    if len(shapes) > 1 or np.ndim(values) != 1:
        raise UsageError(
            "values and what groups them must be one-dimensional and as long as each other, "
            f"not {', '.join(map(str, sorted(shapes)))}"
        )
    if not 0 < confidence < 1:
        raise UsageError(f"confidence must lie between 0 and 1, not {confidence!r}")


def _student(mean: float, error: float, df: int) -> tuple[float, float]:
    """Statistic t and its two-sided p value; NaN where values that do not vary leave no error."""
    if not error > 1e-14 * abs(mean):
        return NAN, NAN
    return mean / error, 2 * float(stats.t.sf(abs(mean / error), df))


def overlapping_products(u: FloatArray, first: IntArray, last: IntArray) -> float:
    """Sum of u_i u_j over all pairs (i = j included) whose holds share a session.

    For each i: all that begin by its end, less all that ended before it began.
    """
    by_first, by_last = np.argsort(first, kind="stable"), np.argsort(last, kind="stable")
    begun = np.concatenate([[0.0], np.cumsum(u[by_first])])
    ended = np.concatenate([[0.0], np.cumsum(u[by_last])])
    partners = begun[np.searchsorted(first[by_first], last, side="right")]
    partners = partners - ended[np.searchsorted(last[by_last], first, side="left")]
    return float(u @ partners)


def _cr1(total: FloatArray, size: FloatArray, mean: float) -> float:
    groups = len(size)
    return float(np.sqrt(groups / (groups - 1) * ((total - mean * size) ** 2).sum()) / size.sum())


def _share_beyond(draws: FloatArray, found: float) -> float:
    """(1 + draws as far out) / (draws + 1); equal ones count, whatever their last digit."""
    return float((1 + (draws >= found * (1 - 1e-12)).sum()) / (len(draws) + 1))


def _quantile(draws: FloatArray, share: float) -> float:
    """Quantile of draws of which some are infinite, between which nothing can be interpolated."""
    far = 1e300
    found = float(np.quantile(np.minimum(draws, far), share))
    return float("inf") if found > 1e200 else found


def _pairs(total: FloatArray, size: FloatArray, mean: float, reps: int, seed: int) -> FloatArray:
    """|t*| of each draw; a draw without variation is infinitely far out."""
    groups = len(size)
    bootstrap = evidence_module("arch.bootstrap", "the cluster bootstrap").IIDBootstrap
    drawn = bootstrap(np.arange(groups), seed=seed).bootstrap(reps)
    rows = np.stack([data[0] for data, _ in drawn])
    sums, counts = total[rows], size[rows]
    means = sums.sum(axis=1) / counts.sum(axis=1)
    squares = ((sums - means[:, None] * counts) ** 2).sum(axis=1)
    errors = np.sqrt(groups / (groups - 1) * squares) / counts.sum(axis=1)
    tiny = errors <= 1e-14 * np.abs(means)
    return np.where(tiny, np.inf, np.abs(means - mean) / np.where(tiny, 1.0, errors))


def _wild(
    total: FloatArray,
    size: FloatArray,
    mean: float,
    error: float,
    reps: int,
    seed: int,
    confidence: float,
) -> tuple[float, float, float]:
    """(low, high, p value of mean 0).

    With weights w and a supposed mean m the clusters of a draw sum to w (total - m size).  Mean
    and variance of a draw are polynomials in m, so their coefficients are computed once.
    """
    groups, n = len(size), float(size.sum())
    rng = np.random.default_rng(seed)
    points = np.array([-1.0, 1.0])
    if groups < FEW:
        roots = np.sqrt([0.5, 1.0, 1.5])
        points = np.concatenate([-roots, roots])
    weights = rng.choice(points, size=(reps, groups))
    once = weights @ np.column_stack([total, size, total * size, size**2])
    twice = weights**2 @ np.column_stack([total**2, total * size, size**2])
    sizes = float((size**2).sum())

    def p_value(supposed: float) -> float:
        drawn = (once[:, 0] - supposed * once[:, 1]) / n
        cross = once[:, 2] - supposed * once[:, 3]
        squares = twice[:, 0] - 2 * supposed * twice[:, 1] + supposed**2 * twice[:, 2]
        meat = np.maximum(squares - 2 * drawn * cross + drawn**2 * sizes, 0.0)
        errors = np.sqrt(groups / (groups - 1) * meat) / n
        flat = errors <= 1e-12 * error
        t = np.where(flat, np.inf, np.abs(drawn) / np.where(flat, 1.0, errors))
        return _share_beyond(t, abs(mean - supposed) / error)

    def bound(side: int) -> float:
        reach = 1.0
        while p_value(mean + side * reach * error) > 1 - confidence:
            reach *= 2
            if reach > 1e6:
                return side * float("inf")
        inside, outside = 0.0, reach
        for _ in range(50):
            middle = (inside + outside) / 2
            if p_value(mean + side * middle * error) > 1 - confidence:
                inside = middle
            else:
                outside = middle
        return mean + side * outside * error

    return bound(-1), bound(1), p_value(0.0)
