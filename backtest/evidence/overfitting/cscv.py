"""Probability of backtest overfitting, by combinatorially symmetric cross-validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from scipy import stats

from backtest.paths import BoolArray, FloatArray, IntArray
from db.errors import DataError, UsageError

Performance = Callable[[FloatArray], FloatArray]
"""T' x M returns -> M scores, larger is better; NaN: this column cannot be judged."""
_Score = Callable[[BoolArray], FloatArray]
"""C x S choices of blocks -> C x M scores."""
_CHUNK = 4_000_000
"""Scores held at once."""


@dataclass(frozen=True)
class Overfitting:
    """What choosing in one half of the time brought in the other, over C splits."""

    probability: float
    """PBO: share of splits in which the chosen column was no better than the median."""
    logits: FloatArray
    """C: log(w / (1 - w)), w the chosen column's relative rank out of sample."""
    in_sample: FloatArray
    """C: score of the chosen column where it was chosen."""
    out_of_sample: FloatArray
    """C: its score in the other half."""
    chosen: IntArray
    """C: column."""
    loss: float
    """Share of splits whose choice scored below 0 out of sample."""
    slope: float
    """Of ``out_of_sample`` on ``in_sample`` by least squares; negative: the better it looked, the
    worse it did.  NaN where the choices score alike."""


def overfitting_probability(
    returns: FloatArray, *, blocks: int = 16, performance: Performance | None = None
) -> Overfitting:
    """PBO of ``returns`` (T periods x M settings, fractions, the rows in time order).

    Bailey, Borwein, Lopez de Prado and Zhu (2017, J. Comput. Finance 20, section 2): the rows
    are cut into S = ``blocks`` stretches; every choice of S / 2 of them is once the training set,
    the rest the test set, both in time order.  The best of the training set has rank r (1 the
    worst of M) in the test set, w = r / (M + 1), and PBO is the share of splits with
    log(w / (1 - w)) <= 0.  Ties share their mean rank, of equally good columns in training the
    first is chosen; where T is no multiple of S the first stretches are one longer.

    ``performance`` is the Sharpe ratio by default (a period, n - 1; 0 for returns that are all
    0, such as those of a setting that never traded).  A column whose score is NaN is never chosen
    and ranks last.

    Raises UsageError for an odd number of blocks, fewer than 2 columns or too few rows; DataError
    for returns that are not finite.
    """
    x = np.asarray(returns, dtype=np.float64)
    _check(x, blocks)
    half = blocks // 2
    pieces = np.array_split(np.arange(len(x)), blocks)
    splits = np.array(list(combinations(range(blocks), half)))
    score: _Score = _SharpeByBlock(x, pieces)
    if performance is not None:
        score = _ByRows(x, pieces, performance)
    count, columns = len(splits), x.shape[1]
    chosen = np.empty(count, dtype=np.int64)
    inside, outside, rank = np.empty(count), np.empty(count), np.empty(count)
    step = max(1, _CHUNK // columns)
    for start in range(0, count, step):
        part = splits[start : start + step]
        train = np.zeros((len(part), blocks), dtype=bool)
        train[np.arange(len(part))[:, None], part] = True
        here = slice(start, start + len(part))
        trained = np.nan_to_num(score(train), nan=-np.inf, posinf=np.inf)
        tested = np.nan_to_num(score(~train), nan=-np.inf, posinf=np.inf)
        best = trained.argmax(axis=1)
        rows = np.arange(len(part))
        mine = tested[rows, best][:, None]
        chosen[here], inside[here], outside[here] = best, trained[rows, best], mine[:, 0]
        below, equal = (tested < mine).sum(axis=1), (tested == mine).sum(axis=1)
        rank[here] = below + (equal + 1) / 2
    w = rank / (columns + 1)
    logits = np.log(w / (1 - w))
    return Overfitting(
        probability=float((logits <= 1e-12).mean()),
        logits=logits,
        in_sample=inside,
        out_of_sample=outside,
        chosen=chosen,
        loss=float((outside < 0).mean()),
        slope=_slope(inside, outside),
    )


class _SharpeByBlock:
    """Sharpe ratios of any set of blocks from each block's sums: one product a chunk."""

    def __init__(self, x: FloatArray, pieces: list[IntArray]) -> None:
        # About the column's mean and in its own scale, so that squares keep their digits.
        self.centre = x.mean(axis=0)
        self.scale = np.abs(x - self.centre).max(axis=0)
        self.still = self.scale <= 1e-12 * np.abs(x).max(axis=0)
        self.scale[self.still] = 1.0
        scaled = (x - self.centre) / self.scale
        scaled[:, self.still] = 0.0
        self.sums = np.stack([scaled[rows].sum(axis=0) for rows in pieces])
        self.squares = np.stack([(scaled[rows] ** 2).sum(axis=0) for rows in pieces])
        self.zero = np.stack([(x[rows] == 0).all(axis=0) for rows in pieces])
        self.sizes = np.array([len(rows) for rows in pieces], dtype=np.float64)

    def __call__(self, sets: BoolArray) -> FloatArray:
        """``sets``: C x S booleans.  C x M scores."""
        pick = sets.astype(np.float64)
        n = (pick @ self.sizes)[:, None]
        mean = pick @ self.sums / n
        variance = (pick @ self.squares - n * mean**2) / (n - 1)
        varies = (variance > 1e-20) & ~self.still
        with np.errstate(invalid="ignore", divide="ignore"):
            sharpe = (mean + self.centre / self.scale) / np.sqrt(variance)
        # Columns that are the same differ in their sums' last digits; they must tie.
        sharpe = np.round(sharpe, 12)
        idle = pick @ (~self.zero).astype(np.float64) == 0
        return np.where(idle, 0.0, np.where(varies, sharpe, np.nan))


class _ByRows:
    """Any score, one set of rows after the other."""

    def __init__(self, x: FloatArray, pieces: list[IntArray], performance: Performance) -> None:
        self.x, self.pieces, self.performance = x, pieces, performance

    def __call__(self, sets: BoolArray) -> FloatArray:
        scores = []
        for chosen in sets:
            rows = np.concatenate([self.pieces[i] for i in np.flatnonzero(chosen)])
            scores.append(np.asarray(self.performance(self.x[rows]), dtype=np.float64))
        found = np.stack(scores)
        if found.shape != (len(sets), self.x.shape[1]):
            raise UsageError(f"performance must give {self.x.shape[1]} scores, a column each")
        return found


def _check(x: FloatArray, blocks: int) -> None:
    if x.ndim != 2 or x.shape[1] < 2:
        raise UsageError(f"returns of periods x at least two settings wanted, not {x.shape}")
    if blocks < 2 or blocks % 2:
        raise UsageError(f"blocks must be even and at least 2, not {blocks}")
    if comb(blocks, blocks // 2) > 200_000:
        raise UsageError(f"{blocks} blocks have too many splits", hint="16 have 12,870")
    if len(x) < 2 * blocks:
        raise UsageError(
            f"{len(x)} periods are too few for {blocks} blocks of at least two",
            hint=f"blocks={max(2, len(x) // 4 * 2)}, or shorter periods",
        )
    if not np.isfinite(x).all():
        raise DataError("returns are not all finite", hint="a period without a trade has earned 0")


def _slope(x: FloatArray, y: FloatArray) -> float:
    good = np.isfinite(x) & np.isfinite(y)
    if good.sum() < 3 or np.ptp(x[good]) <= 1e-12 * np.abs(x[good]).max():
        return float("nan")
    return float(stats.linregress(x[good], y[good]).slope)
