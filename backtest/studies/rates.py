"""Base rates of groups of windows: how often, with which interval, and how far on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.evidence.base_rates import base_rate, rate_row
from backtest.evidence.inference import clustered_test, overlapping_test
from backtest.evidence.paired import Span, two_group_test, weighted_test
from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.studies.outcomes import gained

REFERENCE, FIRST = "reference", "first price"
OUTCOMES = (REFERENCE, FIRST)
COLUMNS = (
    *("outcome", "group", "events", "dates", "with_outcome", "share", "low", "high"),
    *("low_independent", "high_independent", "mean", "mean_low", "mean_high", "unmeasured"),
)


@dataclass(frozen=True, eq=False)
class Group:
    """Windows that belong together (n): a move an outcome, and the days that it depends on."""

    name: str
    moves: dict[str, FloatArray]
    """By outcome; NaN where it could not be measured."""
    span: Span
    owner: IntArray | None = None
    """Windows of one owner weigh as much together as those of another; None: each as much."""

    def take(self, name: str, mask: BoolArray) -> Group:
        """A part of it under another name."""
        span = Span(self.span.first[mask], self.span.last[mask])
        owner = None if self.owner is None else self.owner[mask]
        return Group(name, {k: v[mask] for k, v in self.moves.items()}, span, owner)


@dataclass(frozen=True)
class Target:
    """What counts as the outcome, and how sure the intervals are."""

    gain: float
    side: int
    confidence: float


def rates_frame(groups: Sequence[Group], target: Target) -> pd.DataFrame:
    """One row an outcome and group, with `COLUMNS`.

    Shares and moves are fractions.  ``low`` and ``high`` are clustered by date, holds that overlap
    counted as one; ``low_independent`` and ``high_independent`` are Wilson's, as if independent.
    ``unmeasured`` windows have no such move and are in no other column.
    """
    rows = [
        {"outcome": outcome, "group": group.name, **_row(group, outcome, target)}
        for outcome in OUTCOMES
        for group in groups
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(group: Group, outcome: str, target: Target) -> dict[str, float]:
    moves = group.moves[outcome]
    known = ~np.isnan(moves)
    x, first, last = moves[known], group.span.first[known], group.span.last[known]
    weights = None if group.owner is None else _shared(group.owner[known])
    lasting = bool((last > first).any())
    rate = base_rate(
        gained(x, target.gain, target.side),
        first,
        target.confidence,
        until=last if lasting else None,
        weights=weights,
    )
    mean, low, high = _mean(x, first, last, weights, target.confidence)
    return {
        **rate_row(rate),
        "mean": mean,
        "mean_low": low,
        "mean_high": high,
        "unmeasured": int((~known).sum()),
    }


def _shared(owner: IntArray) -> FloatArray:
    _, place, size = np.unique(owner, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / size[place])


def _mean(
    x: FloatArray, first: IntArray, last: IntArray, weights: FloatArray | None, confidence: float
) -> tuple[float, float, float]:
    if weights is not None:
        found = weighted_test(x, weights, Span(first, last), confidence=confidence)
    elif (last > first).any():
        found = overlapping_test(x, first, last, confidence=confidence)
    else:
        found = clustered_test(x, first, confidence=confidence)
    return found.mean, found.low, found.high


def conditions_frame(
    rows: Sequence[tuple[str, BoolArray, BoolArray]], base: Group, target: Target
) -> pd.DataFrame:
    """One row a condition: how many events it holds for, and whether it tells anything.

    ``rows``: text, where it holds, where that is not known (n each), over the windows of ``base``.
    ``difference`` is the share that gains against the reference close where it holds, less that
    where it does not, clustered by date; ``p_adjusted`` is Holm's over the conditions.
    """
    known = ~np.isnan(base.moves[REFERENCE])
    moves = base.moves[REFERENCE]
    hit = np.where(known, gained(moves, target.gain, target.side), np.nan)
    records = []
    for text, holds, unknown in rows:
        tested = two_group_test(
            hit[~unknown],
            holds[~unknown],
            Span(base.span.first[~unknown], base.span.last[~unknown]),
            confidence=target.confidence,
        )
        records.append(
            {
                "condition": text,
                "holds": int(holds.sum()),
                "fails": int((~holds & ~unknown).sum()),
                "unknown": int(unknown.sum()),
                "difference": tested.mean,
                "low": tested.low,
                "high": tested.high,
                "p_value": tested.p_value,
            }
        )
    columns = ["condition", "holds", "fails", "unknown", "difference", "low", "high", "p_value"]
    frame = pd.DataFrame(records, columns=columns)
    return frame.assign(p_adjusted=holm(frame["p_value"].to_numpy(np.float64)))


def holm(p_values: FloatArray) -> FloatArray:
    """P values adjusted for their number (Holm 1979, Scand. J. Stat. 6); NaN stays NaN.

    The same as `evidence.overfitting.adjust`, which needs the extra ``evidence``: the k-th smallest
    of n times n - k + 1, no smaller than the one before it, at most 1.
    """
    known = np.flatnonzero(~np.isnan(p_values))
    out = np.full(len(p_values), np.nan)
    order = known[np.argsort(p_values[known], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(steps) else steps
    return out
