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

from backtest.paths import BoolArray
from db.errors import UsageError

Dates = npt.NDArray[Any]
"""One value an event that is the same for the same date: datetime64 or session indices."""


@dataclass(frozen=True)
class BaseRate:
    """Share of n events with an outcome; shares and bounds are fractions."""

    n: int
    clusters: int
    """Dates on which the events lie."""
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


def base_rate(outcome: BoolArray, dates: Dates, confidence: float = 0.95) -> BaseRate:
    """Share of ``outcome`` (n booleans) and its two-sided intervals.

    ``dates`` says which events belong together (n values; see `Dates`).

    - Independent: Wilson's score interval (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212).
    - Clustered: with residuals summed by date, u_c, and G dates, the variance of the share is
      G / (G - 1) * sum(u_c^2) / n^2 (CR1; Liang and Zeger 1986).  The effective sample size is
      share * (1 - share) / variance (Korn and Graubard 1998, Survey Methodology 24, 193-201),
      at most n, and Wilson's formula is used with it (Dean and Pagano 2015, J. Survey Stat.
      Methodol. 3, 484-503) and with Student's t of G - 1 degrees of freedom in place of the
      normal, which is Korn and Graubard's correction for few clusters.  Where all events agree
      the variance is 0 and tells nothing: the effective size is then G.

    One date alone bounds nothing: its clustered interval is [0, 1], as it is without events.

    Raises UsageError for arrays of different length or a confidence outside (0, 1).
    """
    hit, date = np.asarray(outcome, dtype=np.bool_), np.asarray(dates)
    if hit.ndim != 1 or hit.shape != date.shape:
        raise UsageError(
            f"outcome and dates must be one-dimensional and as long as each other, "
            f"not {hit.shape} and {date.shape}"
        )
    if not 0 < confidence < 1:
        raise UsageError(f"confidence must lie between 0 and 1, not {confidence!r}")
    n, k = len(hit), int(hit.sum())
    if n == 0:
        return BaseRate(0, 0, 0, float("nan"), 0.0, 1.0, 0.0, 1.0, 0.0)
    share = k / n
    tail = (1 + confidence) / 2
    independent = wilson(share, n, float(ndtri(tail)))
    _, cluster = np.unique(date, return_inverse=True)
    clusters = int(cluster.max()) + 1
    size = _effective_size(hit, cluster, clusters)
    clustered = (0.0, 1.0)
    if clusters > 1:
        clustered = wilson(share, size, float(stdtrit(clusters - 1, tail)))
    return BaseRate(n, clusters, k, share, *clustered, *independent, size)


def base_rate_table(
    rows: Mapping[str, tuple[BoolArray, Dates]], confidence: float = 0.95
) -> pd.DataFrame:
    """`base_rate` of several groups, one row each in the order given.

    Columns ``group``, ``events``, ``dates``, ``with_outcome``, ``share``, ``low``, ``high``
    (date-clustered), ``low_independent``, ``high_independent`` (as if independent).
    """
    columns = [
        *("group", "events", "dates", "with_outcome", "share", "low", "high"),
        *("low_independent", "high_independent"),
    ]
    records = []
    for group, (outcome, dates) in rows.items():
        rate = base_rate(outcome, dates, confidence)
        bounds = (rate.low, rate.high, rate.low_independent, rate.high_independent)
        records.append((group, rate.n, rate.clusters, rate.k, rate.share, *bounds))
    return pd.DataFrame(records, columns=columns)


def wilson(share: float, n: float, quantile: float) -> tuple[float, float]:
    """Wilson's score interval of a share in ``n`` trials (not always whole), within [0, 1]."""
    square = quantile**2
    scale = 1 + square / n
    middle = (share + square / (2 * n)) / scale
    reach = quantile / scale * np.sqrt(share * (1 - share) / n + square / (4 * n**2))
    # The share lies inside by construction; rounding must not put it outside.
    low, high = float(middle - reach), float(middle + reach)
    return max(0.0, min(share, low)), min(1.0, max(share, high))


def _effective_size(hit: BoolArray, cluster: npt.NDArray[np.intp], clusters: int) -> float:
    n, share = len(hit), float(hit.mean())
    if clusters == 1 or share in (0.0, 1.0):
        return float(clusters)
    sums = np.bincount(cluster, weights=hit - share)
    variance = clusters / (clusters - 1) * float((sums**2).sum()) / n**2
    if variance <= 0:
        return float(n)
    return min(float(n), share * (1 - share) / variance)
