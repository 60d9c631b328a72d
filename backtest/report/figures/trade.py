"""One trade's own chart: the bars it lived in, what was decided on them, and what came of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from backtest.report.figures.candles import (
    FloatArray,
    exchange_candles,
    gaps,
    hover_texts,
    labels,
    stamp,
)
from backtest.report.figures.marks import PHASE_COLOURS, legend_traces, mark_traces, marks_of
from backtest.report.figures.panels import Panel, panels_of
from backtest.report.style import BENCHMARK, DOWN, TEMPLATE, UP, Figure, Spec, empty_figure
from backtest.report.text import chart_text

if TYPE_CHECKING:
    from backtest.report.data import TradeDetail


def trade_figure(detail: TradeDetail, *, title: str = "") -> Figure:
    """Candles of one trade with phases shaded, levels, decision, entry, exit and news.

    Many minute bars: the whole trade in coarser candles above, the bars around entry and exit as
    they are below.  Axes are in exchange time; nights and days without trading are skipped.
    """
    spec = trade_spec(detail, title=title)
    return Figure(spec) if spec else empty_figure(title, "No bars are stored for this trade")


def trade_spec(detail: TradeDetail, *, title: str = "") -> Spec:
    """`trade_figure` as plain dictionaries; empty where there are no bars.

    Plotly checks each value it is given, which takes longer than all the rest: a report with
    hundreds of charts leaves that out.
    """
    candles = exchange_candles(detail)
    if not len(candles):
        return {}
    panels = panels_of(detail, candles)
    marks = marks_of(detail, candles)
    data = legend_traces(marks, candles)
    for panel in panels:
        data += _candle_traces(panel, detail) + mark_traces(marks, panel)
    layout: Spec = {
        "template": TEMPLATE,
        "height": 470 if len(panels) == 1 else 760,
        # The legend's rows add to the margin above by themselves.
        "margin": {"l": 60, "r": 64, "t": 76 if title else 36, "b": 48},
        "hovermode": "x",
        "bargap": 0.1,
        "legend": {"y": 1.03 if len(panels) > 1 else 1.05},
        "shapes": [shade for panel in panels for shade in _shades(panel)],
        "annotations": [_heading(panel) for panel in panels],
    }
    if title:
        layout["title"] = {"text": chart_text(title)}
    for panel in panels:
        layout |= _axes(panel, detail)
    return {"data": data, "layout": layout}


def _candle_traces(panel: Panel, detail: TradeDetail) -> list[Spec]:
    candles = panel.candles
    middle = candles.start + (candles.end - candles.start) // 2
    on: Spec = {
        "x": np.datetime_as_string(middle, unit="s").tolist(),
        "xaxis": panel.x,
        "yaxis": panel.y,
        "showlegend": False,
        "hoverinfo": "skip",
    }
    traces: list[Spec] = [
        {
            **on,
            "type": "candlestick",
            **{
                name: getattr(candles, name).round(6).tolist()
                for name in ("open", "high", "low", "close")
            },
            # Rising hollow, falling filled: also told apart in print.
            "increasing": {"line": {"color": UP, "width": 1}, "fillcolor": "white"},
            "decreasing": {"line": {"color": DOWN, "width": 1}, "fillcolor": DOWN},
            "hovertext": hover_texts(candles, detail.reference),
            "hoverinfo": "text",
        }
    ]
    if np.isfinite(candles.trail).any():
        line = {"color": DOWN, "width": 1.5, "dash": "dot", "shape": "hvh"}
        shown = {"name": "trailing stop", "showlegend": panel.k == 1}
        y = _json_floats(candles.trail)
        traces.append({**on, "type": "scatter", "y": y, "mode": "lines", "line": line, **shown})
    if detail.reference > 0:
        # The axis of moves shows only if something is drawn on it: one invisible point.
        point = {"x": on["x"][:1], "y": [panel.prices[0] / detail.reference - 1], "opacity": 0}
        traces.append({**on, "type": "scatter", "mode": "markers", **point, "yaxis": panel.y_move})
    if panel.volume_domain:
        y = _json_floats(np.where(candles.volume > 0, candles.volume, np.nan))
        fill = {"color": BENCHMARK, "line": {"width": 0}}
        traces.append({**on, "type": "bar", "y": y, "marker": fill, "yaxis": panel.y_volume})
    return traces


def _json_floats(values: FloatArray) -> list[float | None]:
    return [x if math.isfinite(x) else None for x in values.tolist()]


def _axes(panel: Panel, detail: TradeDetail) -> Spec:
    width = panel.x_domain[1] - panel.x_domain[0]
    layout: Spec = {
        _key(panel.x): {
            "type": "date",
            "domain": list(panel.x_domain),
            "range": [stamp(panel.first), stamp(panel.last)],
            "anchor": panel.y_volume if panel.volume_domain else panel.y,
            "rangeslider": {"visible": False},
            "rangebreaks": [{"bounds": [stamp(a), stamp(b)]} for a, b in gaps(panel.candles)],
            "nticks": max(3, round(10 * width)),
            "showgrid": False,
            "title": {"text": "" if panel.is_side else _time_title(panel, detail)},
        },
        _key(panel.y): {
            "domain": list(panel.y_domain),
            "range": list(panel.prices),
            "fixedrange": True,
            "nticks": 7,
            "anchor": panel.x,
            "title": {"text": "" if panel.is_side else "price"},
        },
    }
    if detail.reference > 0:
        layout[_key(panel.y_move)] = {
            "overlaying": panel.y,
            "side": "right",
            "anchor": panel.x,
            "fixedrange": True,
            "range": [bound / detail.reference - 1 for bound in panel.prices],
            "tickmode": "auto",
            "tickformat": "+.1~%",
            "showgrid": False,
            "nticks": 6,
            "title": {"text": "move from reference" if panel.x_domain[1] == 1 else ""},
        }
    if panel.volume_domain:
        layout[_key(panel.y_volume)] = {
            "domain": list(panel.volume_domain),
            "anchor": panel.x,
            "fixedrange": True,
            "nticks": 3,
            "rangemode": "tozero",
            "tickformat": ".2~s",
            "title": {"text": "" if panel.is_side else "shares"},
        }
    return layout


def _shades(panel: Panel) -> list[Spec]:
    return [
        {
            "type": "rect",
            "layer": "below",
            "line": {"width": 0},
            "xref": panel.x,
            "x0": stamp(max(start, panel.first)),
            "x1": stamp(min(end, panel.last)),
            "yref": f"{panel.y} domain",
            "y0": 0,
            "y1": 1,
            "fillcolor": PHASE_COLOURS.get(phase, PHASE_COLOURS["closed"]),
        }
        for phase, start, end in panel.phases
        if start < panel.last and end > panel.first
    ]


def _heading(panel: Panel) -> Spec:
    return {
        "text": f"<b>{panel.name}</b>",
        "showarrow": False,
        "xref": "paper",
        "x": panel.x_domain[0],
        "xanchor": "left",
        "yref": "paper",
        "y": panel.y_domain[1],
        "yanchor": "bottom",
    }


def _time_title(panel: Panel, detail: TradeDetail) -> str:
    zone, candles = chart_text(detail.tz), panel.candles
    if panel.candles.is_daily:
        return f"session, {zone}"
    ends = [*labels(candles.part(0, 1)), *labels(candles.part(len(candles) - 1, len(candles)))]
    offsets = dict.fromkeys(text[-6:] for text in ends)
    return f"exchange time, {zone} (UTC{' then '.join(offsets)})"


def _key(axis: str) -> str:
    return f"{axis[0]}axis{axis[1:]}"
