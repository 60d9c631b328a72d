"""Whether the best of many settings beats nothing, knowing that it is the best of many.

All tests draw the same stationary bootstrap (Politis and Romano 1994, J. Am. Stat. Assoc. 89, by
arch) of whole periods, so that the settings' correlation and dependence over time are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import toeplitz

from backtest.evidence.extras import evidence_module
from backtest.paths import FloatArray
from db.errors import DataError, UsageError

_CHUNK = 4_000_000
"""Bootstrap means held at once."""


@dataclass(frozen=True)
class Superiority:
    """P values of "no setting earns more than 0" (or than the benchmark), one-sided."""

    best: int
    """Column with the highest mean; that with the highest t may be another."""
    reality_check: float
    """White (2000, Econometrica 68): not studentised, least favourable null."""
    spa_lower: float
    """Hansen (2005, J. Bus. Econ. Stat. 23): the lower bound of SPA's p value."""
    spa: float
    """Hansen's consistent p value: poor settings do not count."""
    spa_upper: float
    """Hansen's upper bound: every setting counts (a studentised reality check)."""
    t: FloatArray
    """M: sqrt(T) mean / long-run deviation; NaN for a column that does not vary."""
    adjusted: FloatArray
    """M: Romano and Wolf's stepdown p values, which hold family-wise; NaN as ``t``."""
    block: float
    """Mean length of the bootstrap's blocks, in periods."""
    reps: int

    @property
    def max_t(self) -> float:
        """P value of the greatest t, studentised in every draw: the least of ``adjusted``.

        The one to trust where settings are many and periods few (see `superior_settings`).
        """
        known = self.adjusted[~np.isnan(self.adjusted)]
        return float(known.min()) if len(known) else float("nan")


def superior_settings(
    returns: FloatArray,
    *,
    benchmark: FloatArray | float = 0.0,
    block: float | None = None,
    reps: int = 1999,
    seed: int = 0,
) -> Superiority:
    """Reality check, SPA and Romano-Wolf of ``returns`` (T periods x M settings, fractions).

    With d the returns over ``benchmark`` (T or a number), d-bar their means and w their long-run
    deviations (`long_run_deviation`):

    - reality check: max sqrt(T) d-bar against max sqrt(T) (d-bar* - d-bar).
    - SPA: max(0, max sqrt(T) d-bar / w) against max(0, max sqrt(T) (d-bar* - g) / w), with
      g = d-bar (upper), d-bar where sqrt(T) d-bar / w >= -sqrt(2 log log T) else 0 (consistent),
      max(d-bar, 0) (lower).  p is the share of draws above the found value.  arch 8's
      ``SPA(studentize=True)`` computes w and uses it in the choice of g alone.
    - Romano and Wolf (2005, Econometrica 73, algorithm 4.2; p values as in 2016, Stat. Probab.
      Lett. 113): sqrt(T) d-bar / s against sqrt(T) (d-bar* - d-bar) / s*, with the sample
      deviation s and that of each draw, s*; maxima over the settings not yet passed, made
      monotone; (1 + number of draws >= t) / (reps + 1).

    Hansen's w is estimated once and taken as known in the draws.  With many settings, few periods
    and long blocks the greatest of many t is then one whose w came out too small, and SPA rejects
    noise far too often (docs/overfitting.md has figures); Romano and Wolf's p values do not.

    ``block``: mean length in periods.  By default Politis and White's (2004) choice, by arch, for
    the mean of all settings; give the longest hold where that is longer.  Columns that do not
    vary have no t and take part in nothing.

    Raises UsageError or DataError for returns that are not a finite matrix of at least 3 periods.
    """
    d = _differences(returns, benchmark)
    block = _default_block(d) if block is None else float(block)
    if block < 1 or reps < 1:
        raise UsageError(f"block and reps must be at least 1, not {block} and {reps}")
    count, columns = d.shape
    deviation = long_run_deviation(d, block)
    varies = deviation > 0
    t, adjusted = np.full(columns, np.nan), np.full(columns, np.nan)
    best = int(np.where(varies, d.mean(axis=0), -np.inf).argmax())
    if not varies.any():
        nan = float("nan")
        return Superiority(best, nan, nan, nan, nan, t, adjusted, block, reps)
    d, deviation = d[:, varies], deviation[varies]
    mean = d.mean(axis=0)
    t[varies] = np.sqrt(count) * mean / deviation
    white, hansen = np.empty(reps), np.empty((reps, 3))
    steps = _Stepdown(d)
    centres = _centres(t[varies], mean, count)
    for here, times in _draws(d, block, reps, seed):
        drawn = times @ d / count
        white[here] = (drawn - mean).max(axis=1)
        for j, centre in enumerate(centres):
            hansen[here, j] = np.sqrt(count) * ((drawn - centre) / deviation).max(axis=1)
        steps.add(times)
    found = max(0.0, float(np.nanmax(t)))
    beyond = (np.maximum(hansen, 0.0) > found).mean(axis=0) if found > 0 else np.ones(3)
    adjusted[varies] = steps.p_values(reps)
    return Superiority(
        best=best,
        reality_check=float((white > mean.max()).mean()),
        spa_lower=float(beyond[0]),
        spa=float(beyond[1]),
        spa_upper=float(beyond[2]),
        t=t,
        adjusted=adjusted,
        block=block,
        reps=reps,
    )


def _centres(t: FloatArray, mean: FloatArray, count: int) -> tuple[FloatArray, ...]:
    """Hansen's g: lower, consistent, upper."""
    near = t >= -np.sqrt(2 * np.log(np.log(count)))
    return np.maximum(mean, 0.0), np.where(near, mean, 0.0), mean


class _Stepdown:
    """Counts, draw by draw, how often settings' maxima reach the t that was found."""

    def __init__(self, d: FloatArray) -> None:
        centred = d - d.mean(axis=0)
        spread = np.sqrt((centred**2).mean(axis=0))
        t = d.mean(axis=0) / spread
        self.order = np.argsort(-t, kind="stable")
        self.t = t[self.order]
        self.x = (centred / spread)[:, self.order]
        self.squares = self.x**2
        self.exceeding = np.zeros(len(t))

    def add(self, times: FloatArray) -> None:
        """``times``: how often each draw has each period (draws x T)."""
        count = len(self.x)
        mean = times @ self.x / count
        variance = times @ self.squares / count - mean**2
        flat = variance <= 1e-12
        with np.errstate(divide="ignore", invalid="ignore"):
            t = mean / np.sqrt(np.where(flat, 0.0, variance))
        t = np.where(flat & (np.abs(mean) <= 1e-12), 0.0, t)
        # The greatest over a setting and all that rank below it.
        t = np.maximum.accumulate(t[:, ::-1], axis=1)[:, ::-1]
        self.exceeding += (t >= self.t - 1e-12 * np.abs(self.t)).sum(axis=0)

    def p_values(self, reps: int) -> FloatArray:
        out = np.empty(len(self.order))
        out[self.order] = np.maximum.accumulate((1 + self.exceeding) / (reps + 1))
        return out


def long_run_deviation(d: FloatArray, block: float) -> FloatArray:
    """M: square root of the long-run variance of each column of ``d`` (T x M); 0 if it is still.

    What the stationary bootstrap of mean length ``block`` itself has (Politis and Romano 1994,
    lemma 1; Hansen 2005, section 3.1.1): gamma_0 + 2 sum kappa_i gamma_i over all lags, with
    kappa_i = (1 - i / T) (1 - q)^i + i / T (1 - q)^(T - i) and q = 1 / block.
    """
    count = len(d)
    x = d - d.mean(axis=0)
    scale = np.abs(x).max(axis=0)
    still = scale <= 1e-12 * np.maximum(np.abs(d).max(axis=0), 1e-300)
    x = x / np.where(still, 1.0, scale)
    q, lag = 1.0 / block, np.arange(count)
    share = lag / count
    kappa = (1 - share) * (1 - q) ** lag + share * (1 - q) ** (count - lag)
    kappa[0] = 1.0
    # The sum over all pairs of periods of kappa x x, as one matrix product.
    variance = (x * (toeplitz(kappa) @ x)).sum(axis=0) / count
    deviation = np.sqrt(np.maximum(variance, 0.0)) * scale
    return np.asarray(np.where(still, 0.0, deviation))


def _differences(returns: FloatArray, benchmark: FloatArray | float) -> FloatArray:
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 2 or not x.shape[1] or len(x) < 3:
        raise UsageError(f"returns of at least 3 periods x settings wanted, not {x.shape}")
    against = np.asarray(benchmark, dtype=np.float64)
    if against.ndim and against.shape != (len(x),):
        raise UsageError(f"a benchmark of {len(x)} periods wanted, not {against.shape}")
    d = x - (against[:, None] if against.ndim else against)
    if not np.isfinite(d).all():
        raise DataError("returns are not all finite", hint="a period without a trade has earned 0")
    return np.asarray(d)


def _default_block(d: FloatArray) -> float:
    mean = d.mean(axis=1)
    if np.ptp(mean) <= 1e-12 * np.abs(mean).max() or len(d) < 10:
        return 1.0
    optimal = evidence_module("arch.bootstrap", "the reality check").optimal_block_length
    # A series that ends in months without a trade divides by their variance, which is 0.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = float(optimal(mean)["stationary"].iloc[0])
    return min(max(1.0, found), len(d) / 2) if np.isfinite(found) else 1.0


def _draws(d: FloatArray, block: float, reps: int, seed: int) -> Iterator[tuple[slice, FloatArray]]:
    """(slice of the draws, how often each has each period: draws x T)."""
    count, columns = d.shape
    bootstrap = evidence_module("arch.bootstrap", "the reality check").StationaryBootstrap
    draws = bootstrap(block, np.arange(count), seed=seed).bootstrap(reps)
    step = max(1, _CHUNK // columns)
    for start in range(0, reps, step):
        size = min(step, reps - start)
        times = np.empty((size, count))
        for row in range(size):
            times[row] = np.bincount(next(draws)[0][0], minlength=count)
        yield slice(start, start + size), times
