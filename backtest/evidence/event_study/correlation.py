"""Average correlation between events' residuals on the calendar days that they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.paths import BoolArray, FloatArray, IntArray
from db.errors import UsageError

MIN_OVERLAP = 3
"""Two days in common always correlate by +1 or -1, which says nothing."""
_BLOCK = 512


@dataclass(frozen=True)
class CrossCorrelation:
    """Mean of the pairwise residual correlations."""

    mean: float
    """r-bar over all N (N - 1) / 2 pairs, those without common days as 0; 0 for one event."""
    pairs: int
    """Pairs with enough days in common."""


def residual_correlation(
    residuals: FloatArray,
    rows: IntArray,
    *,
    min_overlap: int = MIN_OVERLAP,
    event_span: tuple[IntArray, IntArray] | None = None,
) -> CrossCorrelation:
    """r-bar of ``residuals`` (N x M) whose calendar positions are ``rows`` (N x M).

    Kolari and Pynnonen (2010, Rev. Financ. Stud. 23, eq. 8-10) define r-bar for events on one
    day, whose estimation windows are the same.  Here each pair's correlation (Pearson's, about
    the means of the common days) is taken over the *calendar* days that both estimation windows
    hold, never day by day of the windows; pairs with fewer than ``min_overlap`` common days count
    as 0 and stay in the average, so that few overlapping pairs among many change little.

    ``event_span``: first and last row of each event window (N each).  With it, pairs whose event
    windows share no session count as 0 as well: their abnormal returns are of different days,
    however much their histories overlap.  That is the better choice where companies repeat, as
    with quarterly earnings, since two events of one company have nearly the same residuals.
    """
    if residuals.shape != rows.shape or residuals.ndim != 2:
        raise UsageError(f"residuals {residuals.shape} and their rows {rows.shape} must agree")
    if min_overlap < 2:
        raise UsageError(f"min_overlap must be at least 2, not {min_overlap}")
    n = len(residuals)
    if n < 2:
        return CrossCorrelation(0.0, 0)
    order = np.argsort(rows[:, 0], kind="stable")
    begins, ends = rows[order, 0], rows[order, -1]
    in_order = event_span is not None and bool((np.diff(event_span[0][order]) >= 0).all())
    total, pairs = 0.0, 0
    for start in range(0, n, _BLOCK):
        block = order[start : start + _BLOCK]
        low, high = int(begins[start]), int(ends[start : start + len(block)].max())
        # Sorted by their first day, later events that begin after the block ends share nothing.
        stop = int(np.searchsorted(begins, high, side="right"))
        if event_span is not None and in_order:
            # Nor do those whose event window begins after the last of the block's has ended.
            last = event_span[1][block].max()
            stop = min(stop, int(np.searchsorted(event_span[0][order], last, side="right")))
        others = order[start:stop]
        mine = _dense(residuals[block], rows[block], low, high)
        theirs = _dense(residuals[others], rows[others], low, high)
        correlation, common = _pairwise(mine, theirs)
        valid = (common >= min_overlap) & np.isfinite(correlation)
        # Each pair once: the partner lies later in the order.
        valid &= np.arange(len(others))[None, :] > np.arange(len(block))[:, None]
        if event_span is not None:
            valid &= _share(event_span, block, others)
        total += float(correlation[valid].sum())
        pairs += int(valid.sum())
    return CrossCorrelation(total / (n * (n - 1) / 2), pairs)


def _dense(residuals: FloatArray, rows: IntArray, low: int, high: int) -> FloatArray:
    """Residuals by calendar row from ``low`` to ``high``, NaN where there is none."""
    out = np.full((len(residuals), high - low + 1), np.nan)
    inside = (rows >= low) & (rows <= high)
    event = np.broadcast_to(np.arange(len(rows))[:, None], rows.shape)
    out[event[inside], rows[inside] - low] = residuals[inside]
    return out


def _pairwise(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correlation of every row of ``a`` with every row of ``b``, and their common days."""
    there_a, there_b = np.isfinite(a).astype(np.float64), np.isfinite(b).astype(np.float64)
    # Scaled first: variances of returns are small enough for their products to lose digits.
    a, b = _scaled(a), _scaled(b)
    common = there_a @ there_b.T
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_a, mean_b = (a @ there_b.T) / common, (there_a @ b.T) / common
        covariance = (a @ b.T) / common - mean_a * mean_b
        variance_a = (a**2 @ there_b.T) / common - mean_a**2
        variance_b = (there_a @ (b**2).T) / common - mean_b**2
        varies = (variance_a > 1e-12) & (variance_b > 1e-12)
        correlation = covariance / np.sqrt(variance_a * variance_b)
    return np.where(varies, np.clip(correlation, -1, 1), np.nan), common


def _scaled(values: FloatArray) -> FloatArray:
    known = np.nan_to_num(values)
    spread = np.sqrt((known**2).sum(axis=1) / np.maximum(np.isfinite(values).sum(axis=1), 1))
    return known / np.where(spread > 0, spread, 1.0)[:, None]


def _share(span: tuple[IntArray, IntArray], block: IntArray, others: IntArray) -> BoolArray:
    first, last = span
    return np.asarray(
        (first[block][:, None] <= last[others][None, :])
        & (first[others][None, :] <= last[block][:, None])
    )
