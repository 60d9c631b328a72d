"""Figures about the account: equity beside its benchmark, drawdown, and the luck of the seed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.report.style import (
    BENCHMARK,
    INK,
    STRATEGY,
    Figure,
    Spec,
    empty_figure,
    figure,
    tint,
)
from backtest.report.text import chart_text, percent


def equity_figure(
    equity: pd.DataFrame,
    *,
    benchmark: str = "benchmark",
    currency: str = "USD",
    tz: str = "America/New_York",
    title: str = "Account at each close",
) -> Figure:
    """Equity beside the benchmark, and the fall from the highest close so far below it.

    ``equity``: index of closes (time-zone aware), columns `equity` and `benchmark` in money; a
    `benchmark` of NaN throughout is left out.  The axis is logarithmic when the values span more
    than a factor of four, and says so.
    """
    if equity["equity"].notna().sum() == 0:
        return empty_figure(title, "The account was never marked")
    dates = pd.DatetimeIndex(equity.index).tz_convert(tz).strftime("%Y-%m-%d").tolist()
    lines = [("strategy", equity["equity"], STRATEGY, "solid")]
    if "benchmark" in equity.columns and equity["benchmark"].notna().any():
        lines.append((chart_text(benchmark, width=40), equity["benchmark"], BENCHMARK, "dash"))
    data: list[Spec] = []
    for name, values, colour, dash in lines:
        data += _account_traces(dates, name, values.astype(float), colour, dash)
    together = pd.concat([values for _, values, _, _ in lines]).astype(float)
    lowest, highest = float(together.min()), float(together.max())
    log = lowest > 0 and highest / lowest > 4
    layout: Spec = {
        "title": {"text": title},
        "height": 440,
        "hovermode": "x unified",
        "xaxis": {"anchor": "y", "showticklabels": False, "ticks": "", "type": "date"},
        "xaxis2": {"anchor": "y2", "matches": "x", "type": "date"},
        "yaxis": {
            "domain": [0.36, 1],
            "type": "log" if log else "linear",
            "dtick": "D2" if log else None,
            "tickformat": ",.3~s",
            "title": {"text": f"{chart_text(currency)}{', log scale' if log else ''}"},
        },
        "yaxis2": {
            "domain": [0, 0.28],
            "tickformat": ".0%",
            "zeroline": True,
            "rangemode": "tozero",
            "nticks": 4,
            "title": {"text": "drawdown"},
        },
        "margin": {"l": 64, "r": 16, "t": 66, "b": 32},
    }
    return figure(data, layout)


def _account_traces(
    dates: list[str], name: str, values: pd.Series, colour: str, dash: str
) -> list[Spec]:
    drawdown = values / values.cummax() - 1
    line: Spec = {"color": colour, "width": 2 if dash == "solid" else 1.5, "dash": dash}
    common: Spec = {"type": "scatter", "x": dates, "mode": "lines", "legendgroup": name}
    own = dash == "solid"
    return [
        {
            **common,
            "y": _json_floats(values.round(2)),
            "line": line,
            "name": name,
            "hovertemplate": "%{y:,.0f}",
        },
        {
            **common,
            "y": _json_floats(drawdown.round(5)),
            "line": {**line, "width": 1},
            "name": f"{name}, drawdown",
            "fill": "tozeroy" if own else "none",
            "fillcolor": tint(colour, 0.15),
            "xaxis": "x2",
            "yaxis": "y2",
            "showlegend": False,
            "hovertemplate": "%{y:.1%}",
        },
    ]


def _json_floats(values: pd.Series) -> list[float | None]:
    return [x if math.isfinite(x) else None for x in values.tolist()]


def seeds_figure(
    returns: npt.NDArray[np.float64],
    *,
    own: float = math.nan,
    title: str = "Account's return under other seeds",
) -> Figure:
    """One mark a seed; ``returns`` are fractions, ``own`` is this run's."""
    known = np.sort(np.asarray(returns, dtype=float))
    known = known[np.isfinite(known)]
    if len(known) == 0:
        return empty_figure(title, "No other seed was tried")
    low, middle, high = np.quantile(known, [0.05, 0.5, 0.95])
    # A fixed zigzag keeps marks apart and the picture the same each time.
    height = np.resize([0.0, 0.3, -0.3, 0.15, -0.15], len(known))
    data: list[Spec] = [
        {
            "type": "scatter",
            "x": known.tolist(),
            "y": height.tolist(),
            "mode": "markers",
            "marker": {"color": tint(BENCHMARK, 0.6), "size": 8},
            "name": f"{len(known)} other seeds",
            "hovertemplate": "%{x:+.2%}<extra>another seed</extra>",
        },
        {
            "type": "scatter",
            "x": [low, high],
            "y": [0.62, 0.62],
            "mode": "lines",
            "line": {"color": INK, "width": 3},
            "name": f"5 % to 95 % of them: {percent(low, 1)} to {percent(high, 1)}",
            "hovertemplate": "%{x:+.2%}<extra></extra>",
        },
    ]
    if math.isfinite(own):
        data.append(
            {
                "type": "scatter",
                "x": [own],
                "y": [0.0],
                "mode": "markers",
                "marker": {"color": STRATEGY, "size": 14, "symbol": "diamond"},
                "name": f"this run: {percent(own, 1)} (median of the others {percent(middle, 1)})",
                "hovertemplate": "%{x:+.2%}<extra>this run</extra>",
            }
        )
    layout: Spec = {
        "title": {"text": title},
        "height": 240,
        "xaxis": {"tickformat": "+.1~%", "zeroline": True, "title": {"text": "return"}},
        "yaxis": {"visible": False, "range": [-0.7, 0.9]},
        "legend": {"orientation": "v", "y": 1.0},
        "margin": {"l": 16, "r": 16, "t": 96, "b": 44},
    }
    return figure(data, layout)
