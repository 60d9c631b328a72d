"""How often something happens at all: base rates with what is known of their error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.report.style import (
    BENCHMARK,
    MUTED,
    STRATEGY,
    ZERO,
    Figure,
    Spec,
    empty_figure,
    figure,
)
from backtest.report.text import chart_text, count, percent, wrapped

if TYPE_CHECKING:
    import pandas as pd


def base_rate_figure(
    rates: pd.DataFrame,
    *,
    outcome: str = "",
    interval: str = "95 % interval, clustered by date",
    title: str = "Base rate",
) -> Figure:
    """Share of events with an outcome, group by group, with two intervals.

    ``rates``: columns `group`, `events`, `dates`, `share`, `low`, `high` (date-clustered),
    `low_independent`, `high_independent` (Wilson, as if events were independent); fractions.
    """
    shown = rates[rates["share"].notna()]
    if shown.empty:
        return empty_figure(title, "No measurable events")
    highest = float(shown[["share", "high", "high_independent"]].max().max())
    end = min(1.02, max(highest * 1.12, 0.01))
    independent = ("low_independent", "high_independent")
    data = [
        _interval_lines(shown, ("low", "high"), chart_text(interval), STRATEGY, 5, 0.0),
        _interval_lines(shown, independent, "Wilson, as if independent", BENCHMARK, 2, 0.22),
        _shares(shown["share"].tolist(), end),
    ]
    layout: Spec = {
        "title": {"text": f"{title}: {chart_text(outcome)}" if outcome else title},
        "height": 130 + 56 * len(shown),
        "xaxis": {
            "title": {"text": "share of events"},
            "tickformat": ".1~%",
            "range": [0, end],
            "nticks": 6,
            "zeroline": True,
            "zerolinecolor": ZERO,
        },
        "yaxis": {
            "tickvals": list(range(len(shown))),
            "ticktext": _names(shown),
            "range": [len(shown) - 0.45, -0.65],
            "showgrid": False,
            "ticks": "",
        },
        "margin": {"l": 8, "r": 16, "t": 66, "b": 48},
    }
    return figure(data, layout)


def _names(rates: pd.DataFrame) -> list[str]:
    return [
        f"{wrapped(row['group'], 28)}<br><span style='color:{MUTED}'>"
        f"{count(row['events'])} events on {count(row['dates'])} dates</span>"
        for _, row in rates.iterrows()
    ]


def _shares(shares: list[float], end: float) -> Spec:
    return {
        "type": "scatter",
        "x": shares,
        "y": list(range(len(shares))),
        "mode": "markers+text",
        "text": [percent(x, 1, signed=False) for x in shares],
        # Centred, but for one at the edge.
        "textposition": ["top center" if x > 0.06 * end else "top right" for x in shares],
        "marker": {"color": "white", "size": 10, "line": {"color": STRATEGY, "width": 2}},
        "name": "share of events",
        "hovertemplate": "%{x:.2%}<extra></extra>",
    }


def _interval_lines(
    rates: pd.DataFrame,
    bounds: tuple[str, str],
    name: str,
    colour: str,
    width: int,
    shift: float,
) -> Spec:
    low, high = bounds
    x: list[float | None] = []
    y: list[float | None] = []
    for i, (_, row) in enumerate(rates.iterrows()):
        if np.isfinite(row[low]) and np.isfinite(row[high]):
            x += [float(row[low]), float(row[high]), None]
            y += [i + shift, i + shift, None]
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "lines",
        "line": {"color": colour, "width": width},
        "name": name,
        "hovertemplate": "%{x:.2%}<extra></extra>",
    }
