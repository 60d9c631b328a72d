"""The chosen events split by year, quarter, session or the sign of the surprise."""

from __future__ import annotations

import numpy as np

from backtest.panel.panel import EventPanel
from backtest.selection import session_labels
from backtest.studies.chosen import Part
from backtest.studies.conditions import Condition
from backtest.studies.content import Content
from backtest.studies.rates import Group
from db.intervals import DAY


def split_groups(
    by: str | None, part: Part, chosen: Group, panel: EventPanel, content: Content
) -> list[Group]:
    """One group a value, in order; none where nothing is to be split."""
    if by is None:
        return []
    labels = _labels(by, panel, content)[part.mask]
    return [chosen.take(str(one), labels == one) for one in sorted(set(labels))]


def _labels(by: str, panel: EventPanel, content: Content) -> np.ndarray:
    if by == "session":
        labels = session_labels(panel.events)
        return np.where(labels == "", "date", labels)
    if by == "surprise":
        return _signs(panel, content)
    days = (panel.sessions.reaction_close // DAY).astype("datetime64[D]")
    years = days.astype("datetime64[Y]").astype(str)
    if by == "year":
        return np.asarray(years, dtype=object)
    quarter = days.astype("datetime64[M]").astype(np.int64) % 12 // 3 + 1
    return np.array([f"{y} Q{q}" for y, q in zip(years, quarter, strict=True)], dtype=object)


def _signs(panel: EventPanel, content: Content) -> np.ndarray:
    """Of the last surprise shown before the reaction session closed."""
    values = content.values(Condition("surprise", ">", 0.0))
    in_time = ~np.isnan(values) & (content.instants < panel.sessions.reaction_close[:, None])
    last = values.shape[1] - 1 - in_time[:, ::-1].argmax(axis=1)
    value = np.where(in_time.any(axis=1), values[np.arange(len(values)), last], np.nan)
    signs = ("negative", "none", "positive")
    labels = np.full(len(values), "unknown", dtype=object)
    known = ~np.isnan(value)
    labels[known] = np.array(signs, dtype=object)[np.sign(value[known]).astype(np.int64) + 1]
    return labels
