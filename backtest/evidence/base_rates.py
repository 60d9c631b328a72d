"""How often something happens, with an interval that knows that events crowd on dates.

Companies that report the same evening share its shocks: a hundred events on ten dates say little
more than ten.  The date-clustered interval shrinks the sample to the size that independent
events would need to be as uncertain, and puts that into Wilson's interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri, stdtrit

from backtest.evidence.inference import disjoint_holds, overlapping_products
from backtest.paths import BoolArray, FloatArray
from db.errors import UsageError

Dates = npt.NDArray[Any]
"""One value an event that is the same for the same date: datetime64 or session indices."""


@dataclass(frozen=True)
class BaseRate:
    """Share of n events with an outcome; shares and bounds are fractions."""

    n: int
    clusters: int
    """Dates on which the events lie; for lasting ones, how many share no day."""
    k: int
    """Events with the outcome."""
    share: float
    """NaN without events."""
    low: float
    """Date-clustered interval."""
    high: float
    low_independent: float
    """Wilson's interval, as if events were independent."""
    high_independent: float
    n_effective: float
    """Independent events that would be as uncertain."""


def base_rate(
    outcome: BoolArray,
    dates: Dates,
    confidence: float = 0.95,
    *,
    until: Dates | None = None,
    weights: FloatArray | None = None,
) -> BaseRate:
    """Share of ``outcome`` (n booleans) and its two-sided intervals.

    ``dates`` says which events belong together (n values; see `Dates`).  With ``until`` (n) an
    event lasts from its date to that one, and events that share a day belong together, both
    int64 numbers of days.  ``weights`` (n, positive) make it a weighted share.

    - Independent: Wilson's score interval (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).
    - Clustered: with residuals summed by date, u_c, and G dates, the variance of the share is
      G / (G - 1) * sum(u_c^2) / n^2 (CR1; Liang and Zeger 1986).  The effective sample size is
      share * (1 - share) / variance (Korn and Graubard 1998, Survey Methodology 24, 193-201),
      at most n, and Wilson's formula is used with it (Dean and Pagano 2015, J. Survey Stat.
      Methodol. 3, 484-503) and with Student's t of G - 1 degrees of freedom in place of the
      normal, which is Korn and Graubard's correction for few clusters.  Where all events agree
      the variance is 0 and tells nothing: the effective size is then G.
    - Lasting events: the variance is that of `inference.overlapping_test`, and G the greatest
      number of events of which no two share a day.
    - Weighted: residuals are weighted and n is the sum of the weights; the size that independent
      events are worth is (sum w)^2 / sum w^2 (Kish 1965).

    One date alone bounds nothing: its clustered interval is [0, 1], as it is without events.

    Raises UsageError for arrays of different length or a confidence outside (0, 1).
    """
    hit, date = np.asarray(outcome, dtype=np.bool_), np.asarray(dates)
    shapes = {hit.shape, date.shape, *(np.shape(x) for x in (until, weights) if x is not None)}
    if hit.ndim != 1 or len(shapes) > 1:
        raise UsageError(
            "outcome, dates, until and weights must be one-dimensional and as long as each other, "
            f"not {', '.join(map(str, sorted(shapes)))}"
        )
    if not 0 < confidence < 1:
        raise UsageError(f"confidence must lie between 0 and 1, not {confidence!r}")
    n, k = len(hit), int(hit.sum())
    if n == 0:
        return BaseRate(0, 0, 0, float("nan"), 0.0, 1.0, 0.0, 1.0, 0.0)
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    share = min(float((w * hit).sum() / w.sum()), 1.0)
    tail = (1 + confidence) / 2
    worth = float(w.sum() ** 2 / (w**2).sum())
    independent = wilson(share, worth, float(ndtri(tail)))
    _, cluster = np.unique(date, return_inverse=True)
    residual = w * (hit - share) / w.sum()
    squares = float((np.bincount(cluster, weights=residual) ** 2).sum())
    groups = int(cluster.max()) + 1
    if until is not None:
        first, last = (np.asarray(x, dtype=np.int64) for x in (dates, until))
        groups = disjoint_holds(first, last)
        squares = max(squares, overlapping_products(residual, first, last))
    size = _effective_size(share, squares, groups, worth)
    clustered = (0.0, 1.0)
    if groups > 1:
        clustered = wilson(share, size, float(stdtrit(groups - 1, tail)))
    return BaseRate(n, groups, k, share, *clustered, *independent, size)


def base_rate_table(
    rows: Mapping[str, tuple[BoolArray, Dates]], confidence: float = 0.95
) -> pd.DataFrame:
    """`base_rate` of several groups, one row each in the order given.

    Columns as `rate_row` has them, with ``group`` in front.
    """
    columns = [
        *("group", "events", "dates", "with_outcome", "share", "low", "high"),
        *("low_independent", "high_independent"),
    ]
    records = [
        {"group": group, **rate_row(base_rate(outcome, dates, confidence))}
        for group, (outcome, dates) in rows.items()
    ]
    return pd.DataFrame(records, columns=columns)


def rate_row(rate: BaseRate) -> dict[str, float]:
    """``events``, ``dates``, ``with_outcome``, ``share``, ``low``, ``high`` (date-clustered),
    ``low_independent``, ``high_independent`` (as if independent).
    """
    return {
        "events": rate.n,
        "dates": rate.clusters,
        "with_outcome": rate.k,
        "share": rate.share,
        "low": rate.low,
        "high": rate.high,
        "low_independent": rate.low_independent,
        "high_independent": rate.high_independent,
    }


def wilson(share: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's score interval of a share in ``n`` trials (not always whole), within [0, 1]."""
    square = quantile**2
    scale = 1 + square / n
    middle = (share + square / (2 * n)) / scale
    reach = quantile / scale * np.sqrt(share * (1 - share) / n + square / (4 * n**2))
    # The share lies inside by construction; rounding must not put it outside.
    low, high = float(middle - reach), float(middle + reach)
    return max(0.0, min(share, low)), min(1.0, max(share, high))


def _effective_size(share: float, variance: float, groups: int, worth: float) -> float:
    """``variance`` before the correction for few groups."""
    if groups == 1 or share in (0.0, 1.0):
        return float(groups)
    variance *= groups / (groups - 1)
    if variance <= 0:
        return worth
    return min(worth, share * (1 - share) / variance)
