"""Figures about all trades together: how they ended and what they returned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from backtest.report.style import (
    DOWN,
    INK,
    MUTED,
    UP,
    Figure,
    Spec,
    empty_figure,
    figure,
)
from backtest.report.text import chart_text, count, percent

if TYPE_CHECKING:
    import pandas as pd

FloatArray = npt.NDArray[np.float64]

_NICE_STEPS = (0.0005, 0.001, 0.002, 0.0025, 0.005, 0.01, 0.02, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1)


def exit_reasons_figure(
    exits: pd.DataFrame, *, title: str = "How trades ended, and what they returned"
) -> Figure:
    """Trades a reason (left) and their mean return after costs (right).

    ``exits``: columns `reason`, `trades`, `mean_return` (fraction).
    """
    shown = exits[exits["trades"] > 0]
    if shown.empty:
        return empty_figure(title, "No trades")
    y = list(range(len(shown)))
    means = [float(x) for x in shown["mean_return"]]
    numbers = [count(n) for n in shown["trades"]]
    colours = [UP if x >= 0 else DOWN for x in means]
    data = [
        _bars([int(n) for n in shown["trades"]], numbers, [MUTED] * len(y), "x"),
        _bars(
            [x if math.isfinite(x) else None for x in means],
            [percent(x) for x in means],
            colours,
            "x2",
        ),
    ]
    most = float(shown["trades"].max())
    finite = [x for x in means if math.isfinite(x)] or [0.0]
    # Room on both sides for the numbers written beside the bars.
    room = max(1e-4, *(abs(x) for x in finite)) * 1.1
    layout: Spec = {
        "title": {"text": title},
        "height": 110 + 34 * len(shown),
        "showlegend": False,
        "xaxis": {
            "domain": [0, 0.36],
            "range": [0, most * 1.4],
            "nticks": 4,
            "dtick": 1 if most <= 4 else None,
            "title": {"text": "trades"},
        },
        "xaxis2": {
            "domain": [0.46, 1],
            "range": [min(*finite, 0.0) - room, max(*finite, 0.0) + room],
            "anchor": "y",
            "nticks": 5,
            "tickformat": "+.0~%",
            "zeroline": True,
            "title": {"text": "mean, after costs"},
        },
        "yaxis": {
            "tickvals": y,
            "ticktext": [chart_text(r, width=18) for r in shown["reason"]],
            "autorange": "reversed",
            "showgrid": False,
            "ticks": "",
        },
        "margin": {"l": 8, "r": 16, "t": 44, "b": 48},
    }
    return figure(data, layout)


def _bars(x: Sequence[float | None], texts: list[str], colours: list[str], axis: str) -> Spec:
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(texts))),
        "x": list(x),
        "xaxis": axis,
        "marker": {"color": colours},
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def returns_figure(
    returns: pd.Series,
    *,
    low: float = math.nan,
    high: float = math.nan,
    title: str = "Return of each trade after costs",
) -> Figure:
    """Distribution of the trades' returns (fractions); bins never straddle zero.

    ``low`` and ``high`` are the bounds of the mean's interval.
    """
    values = np.asarray(returns, dtype=float)
    values = values[np.isfinite(values)]
    if len(values) == 0:
        return empty_figure(title, "No trades")
    step, edges, counts = _bins(values)
    mean, median = float(values.mean()), float(np.median(values))
    top = float(counts.max()) * 1.12
    data = [
        _histogram(edges, counts, step),
        _upright(mean, top, f"mean {percent(mean)}", "solid"),
        _upright(median, top, f"median {percent(median)}", "dot"),
    ]
    shapes = [_shade(low, high)] if math.isfinite(low) and math.isfinite(high) else []
    note = "; shaded: interval of the mean" if shapes else ""
    layout: Spec = {
        "title": {"text": title},
        "height": 330,
        "shapes": shapes,
        "xaxis": {
            "range": [min(edges[0], 0.0) - step / 2, max(edges[-1], 0.0) + step / 2],
            "tickformat": "+.1~%",
            "zeroline": True,
            "title": {"text": f"return of one trade{note}"},
        },
        "yaxis": {
            "title": {"text": "trades"},
            "range": [0, top],
            "dtick": 1 if top < 8 else None,
        },
        "margin": {"l": 56, "r": 16, "t": 66, "b": 48},
    }
    return figure(data, layout)


def _histogram(edges: FloatArray, counts: npt.NDArray[np.int64], step: float) -> Spec:
    middle = edges[:-1] + step / 2
    return {
        "type": "bar",
        "x": middle.round(6).tolist(),
        "y": counts.tolist(),
        "width": step * 0.92,
        "marker": {"color": [UP if x > 0 else DOWN for x in middle]},
        "customdata": np.column_stack([edges[:-1], edges[1:]]).round(6).tolist(),
        "hovertemplate": "%{y:,d} trades from %{customdata[0]:+.2%} to %{customdata[1]:+.2%}"
        "<extra></extra>",
        "showlegend": False,
    }


def _shade(low: float, high: float) -> Spec:
    return {
        "type": "rect",
        "layer": "below",
        "x0": low,
        "x1": high,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"width": 0},
        "fillcolor": "rgba(27,31,36,0.10)",
    }


def _upright(x: float, top: float, name: str, dash: str) -> Spec:
    return {
        "type": "scatter",
        "x": [x, x],
        "y": [0, top],
        "mode": "lines",
        "line": {"color": INK, "width": 1.5, "dash": dash},
        "name": name,
        "hovertemplate": f"{name}<extra></extra>",
    }


def _bins(
    values: npt.NDArray[np.float64],
) -> tuple[float, npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Freedman and Diaconis' width (1981), rounded to a readable step, with an edge at zero.

    Between a dozen and eighty bins in all, so that few trades are not two bars and many no comb.
    """
    spread = float(np.subtract(*np.quantile(values, [0.75, 0.25])))
    span = float(values.max() - values.min())
    wanted = min(2 * spread / len(values) ** (1 / 3), span / 12)
    wanted = max(wanted, span / 80, _NICE_STEPS[0])
    wanted = wanted if span > 0 else 0.01
    step = float(next((s for s in _NICE_STEPS if s >= wanted * 0.999), np.ceil(wanted)))
    # A value that sits on an edge but for rounding belongs to the bin above it.
    index = np.floor(values / step + 1e-9).astype(np.int64)
    first, last = int(index.min()), int(index.max())
    counts = np.bincount(index - first, minlength=last - first + 1).astype(np.int64)
    edges = np.arange(first, last + 2, dtype=np.float64) * step
    return step, edges, counts
