"""Differences between groups of events that share evenings, or were matched with nights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from backtest.evidence.inference import NAN, Estimate, disjoint_holds, overlapping_products
from backtest.paths import BoolArray, FloatArray, IntArray
from db.errors import UsageError

__all__ = ["Span", "matched_test", "two_group_test", "weighted_test"]


@dataclass(frozen=True, eq=False)
class Span:
    """First and last day, numbered (n each), that the values of n observations depend on."""

    first: IntArray
    last: IntArray


def matched_test(
    difference: FloatArray,
    event: IntArray,
    event_span: Span,
    night_span: Span,
    *,
    confidence: float = 0.95,
) -> Estimate:
    """Mean over events of the mean over their nights of ``difference`` (n pairs), and its test.

    A pair is an event (``event``: its number, n) and one night that it was matched with; NaN is
    a pair without an answer and is left out.  Two pairs depend on each other if their events
    share a day (one event's pairs always do), or if their nights do: a night that was matched
    with several events, or nights of several companies on one bad evening, count once.  Clustered
    two ways (Cameron, Gelbach and Miller 2011, J. Bus. Econ. Stat. 29),

        V = V(events share a day) + V(nights share a day) - V(both on the same first days),

    each of weighted residuals u = (difference - mean) / (events * nights of the event), with
    G / (G - 1) of its own.  V can come out below one of the first two, which then stands.
    Where windows last longer than a day the last term takes away too little, so that V errs on
    the large side.  Student's t has as many degrees of freedom as the smaller G, less one; G is
    the greatest number of windows of which no two share a day.

    Raises UsageError for arrays of different length.
    """
    spans = (event_span.first, event_span.last, night_span.first, night_span.last)
    if {np.shape(x) for x in (difference, event, *spans)} != {(len(difference),)}:
        raise UsageError("pairs, their events and their days must be as long as each other")
    good = ~np.isnan(difference)
    x, (e_first, e_last, n_first, n_last) = difference[good], (s[good] for s in spans)
    events, number, size = np.unique(event[good], return_inverse=True, return_counts=True)
    n = len(events)
    if n == 0:
        return Estimate(NAN, NAN, NAN, NAN, NAN, NAN, 0, 0)
    weight = 1 / (n * size[number])
    mean = float((weight * x).sum())
    u = weight * (x - mean)
    g_event, g_night = disjoint_holds(e_first, e_last), disjoint_holds(n_first, n_last)
    groups = min(g_event, g_night)
    if groups < 2:
        return Estimate(mean, NAN, NAN, NAN, NAN, NAN, n, groups)
    by_event = _corrected(_meat(u, e_first, e_last), g_event)
    by_night = _corrected(_meat(u, n_first, n_last), g_night)
    _, both = np.unique(np.column_stack([e_first, n_first]), axis=0, return_inverse=True)
    cells = int(both.max()) + 1
    shared = _corrected(_sum_of_squares(u, both), cells)
    error = float(np.sqrt(max(by_event + by_night - shared, by_event, by_night)))
    return _student(mean, error, groups, n, confidence)


def weighted_test(
    values: FloatArray, weights: FloatArray, span: Span, *, confidence: float = 0.95
) -> Estimate:
    """Weighted mean of ``values`` (n, none NaN), clustered by the days they depend on."""
    n = len(values)
    if n == 0:
        return Estimate(NAN, NAN, NAN, NAN, NAN, NAN, 0, 0)
    mean = float((weights * values).sum() / weights.sum())
    return _estimate(mean, weights * (values - mean) / weights.sum(), span, n, confidence)


def two_group_test(
    values: FloatArray, inside: BoolArray, span: Span, *, confidence: float = 0.95
) -> Estimate:
    """Mean of ``values`` (n) inside a group less that of the others, clustered by days.

    Values of both groups that share a day depend on each other: the residuals, those of the
    others with a minus, are summed by day (Liang and Zeger 1986, for a regression on a dummy).
    """
    good = ~np.isnan(values)
    x, within = values[good], inside[good]
    n, k = len(x), int(within.sum())
    if k in (0, n):
        return Estimate(NAN, NAN, NAN, NAN, NAN, NAN, n, 0)
    means = float(x[within].mean()), float(x[~within].mean())
    u = np.where(within, (x - means[0]) / k, -(x - means[1]) / (n - k))
    days = Span(span.first[good], span.last[good])
    return _estimate(means[0] - means[1], u, days, n, confidence)


def _estimate(mean: float, u: FloatArray, span: Span, n: int, confidence: float) -> Estimate:
    """Of residuals ``u`` that already have the mean's weights."""
    groups = disjoint_holds(span.first, span.last)
    if groups < 2:
        return Estimate(mean, NAN, NAN, NAN, NAN, NAN, n, groups)
    error = float(np.sqrt(_corrected(_meat(u, span.first, span.last), groups)))
    return _student(mean, error, groups, n, confidence)


def _student(mean: float, error: float, groups: int, n: int, confidence: float) -> Estimate:
    # Values that do not vary leave no error: nothing can be said.
    if not error > 1e-14 * max(abs(mean), 1e-12):
        return Estimate(mean, NAN, NAN, NAN, NAN, groups - 1, n, groups)
    half = float(stats.t.ppf(0.5 + confidence / 2, groups - 1)) * error
    p_value = 2 * float(stats.t.sf(abs(mean / error), groups - 1))
    return Estimate(mean, mean - half, mean + half, mean / error, p_value, groups - 1, n, groups)


def _meat(u: FloatArray, first: IntArray, last: IntArray) -> float:
    """Sum of u_i u_j over pairs that share a day, no less than over those of one first day."""
    _, cluster = np.unique(first, return_inverse=True)
    by_date = _sum_of_squares(u, cluster)
    if (first == last).all():
        return by_date
    return max(by_date, overlapping_products(u, first, last))


def _sum_of_squares(u: FloatArray, cluster: npt.NDArray[np.intp]) -> float:
    return float((np.bincount(np.ravel(cluster), weights=u) ** 2).sum())


def _corrected(meat: float, groups: int) -> float:
    return meat * groups / (groups - 1) if groups > 1 else meat
