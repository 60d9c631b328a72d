"""The average price path around an event, with a band that knows of same-evening clusters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, FloatArray, IntArray
from db.calendar import Phase, calendar
from db.intervals import DAY, MINUTE

SESSIONS = range(-5, 21)
"""Offsets of the daily path: sessions after the reaction session."""
_STEPS = ((Phase.POST, 5, 240), (Phase.PRE, 15, 330), (Phase.REGULAR, 10, 390))
"""Grid of the intraday path: minutes between points, and minutes of the phase."""


def average_path(
    panel: EventPanel, groups: Mapping[str, BoolArray], *, confidence: float = 0.95
) -> pd.DataFrame:
    """Mean return against the reference close along the way, for each group of events.

    ``groups`` maps a label to a mask over the panel's events (N).  Columns: ``group``,
    ``offset`` (sessions after the reaction session for daily bars, the point's number
    otherwise), ``label``, ``mean``, ``low``, ``high`` (date-clustered interval), ``n``.  A point
    carries the last price known by then; events without one yet count at the reference close.
    """
    paths, labels, offsets = _daily(panel) if panel.interval.is_daily else _intraday(panel)
    # Dates, not session numbers, which differ between exchanges.
    dates = panel.sessions.reaction_close // DAY
    frames = []
    for name, mask in groups.items():
        rows = [
            clustered_mean(values[mask], dates[mask], confidence)
            for values in paths.T[: len(labels)]
        ]
        frame = pd.DataFrame(rows, columns=["mean", "low", "high", "n"])
        frame.insert(0, "label", labels)
        frame.insert(0, "offset", offsets)
        frame.insert(0, "group", name)
        frames.append(frame)
    columns = ["group", "offset", "label", "mean", "low", "high", "n"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def clustered_mean(
    values: FloatArray, clusters: IntArray, confidence: float = 0.95
) -> tuple[float, float, float, int]:
    """(mean, low, high, n) with the CR1 cluster-robust variance and Student's t of G - 1.

    Liang and Zeger (1986); the small-sample factor G/(G-1) as in Cameron and Miller (2015),
    eq. 12, for a mean.  NaN is left out; fewer than two clusters give no interval.
    """
    good = ~np.isnan(values)
    x, n = values[good], int(good.sum())
    if n == 0:
        return float("nan"), float("nan"), float("nan"), 0
    mean = float(x.mean())
    _, group = np.unique(clusters[good], return_inverse=True)
    g = int(group.max()) + 1
    if g < 2:
        return mean, float("nan"), float("nan"), n
    sums = np.bincount(group, weights=x - mean)
    error = np.sqrt(g / (g - 1) * (sums**2).sum()) / n
    half = float(stats.t.ppf(0.5 + confidence / 2, g - 1) * error)
    return mean, mean - half, mean + half, n


def _daily(panel: EventPanel) -> tuple[FloatArray, list[str], list[int]]:
    columns = []
    for offset in SESSIONS:
        instants = _close_of(panel, panel.sessions.reaction + offset)
        columns.append(_known_return(panel, instants, exact=True))
    labels = [f"{offset:+d}" if offset else "reaction" for offset in SESSIONS]
    return np.column_stack(columns), labels, list(SESSIONS)


def _close_of(panel: EventPanel, session: IntArray) -> IntArray:
    names = np.array(panel.sessions.exchange, dtype=object)
    at = np.zeros(len(session), dtype=np.int64)
    for name in sorted(set(names)):
        cal = calendar(str(name))
        mine = names == name
        at[mine] = cal.closes[np.clip(session[mine], 0, len(cal) - 1)]
    return at


def _intraday(panel: EventPanel) -> tuple[FloatArray, list[str], list[int]]:
    """Evening after the reference close, morning and day of the reaction session."""
    s = panel.sessions
    names = np.array(s.exchange, dtype=object)
    begins = {Phase.POST: s.reference_close, Phase.REGULAR: s.reaction_open}
    pre = np.zeros(len(panel), dtype=np.int64)
    for name in sorted(set(names)):
        cal = calendar(str(name))
        mine = names == name
        pre[mine] = cal.pre_start[s.reaction[mine]]
    begins[Phase.PRE] = pre
    columns, labels = [], []
    for phase, step, length in _STEPS:
        for minute in range(0 if phase is Phase.POST else step, length + 1, step):
            columns.append(_known_return(panel, begins[phase] + minute * MINUTE, exact=False))
            labels.append(f"{phase.label} +{minute // 60}:{minute % 60:02d}")
    return np.column_stack(columns), labels, list(range(len(labels)))


def _known_return(panel: EventPanel, instants: IntArray, *, exact: bool) -> FloatArray:
    """Return of the last bar that ended by each instant; ``exact``: only if it ended then."""
    t = panel.table
    bar = t.at_or_after(panel.rank, instants) - 1
    inside = np.maximum(bar, 0)
    bar = np.where(t.end[inside] > instants, bar - 1, bar)
    there = bar >= t.first_bar(panel.rank)
    inside = np.maximum(bar, 0)
    if exact:
        there &= t.end[inside] == instants
    else:
        there &= bar >= panel.reference_bar
    cash = t.paid[inside] - t.paid[panel.reference_bar]
    reference = t.close[panel.reference_bar]
    return np.where(there, (t.close[inside] + cash) / reference - 1, np.nan)
