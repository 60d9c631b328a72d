"""The CAAR as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plotly.graph_objects import Figure

if TYPE_CHECKING:
    from backtest.evidence.event_study.study import EventStudy

_LINE, _BAND, _INK, _GRID = "#0072B2", "rgba(0,114,178,0.18)", "#1b1f24", "#e6e8eb"


def caar_figure(study: EventStudy) -> Figure:
    """Mean CAR from the window's first day on, in percent, with its date-clustered band."""
    frame = study.caar
    offset = frame["offset"].tolist()
    mean, low, high = ((frame[name] * 100).tolist() for name in ("caar", "low", "high"))
    share = f"{study.confidence:.0%}".replace("%", " %")
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure = Figure()
    figure.add_scatter(x=offset, y=high, name="upper", showlegend=False, **band)
    figure.add_scatter(
        x=offset,
        y=low,
        name=f"{share} interval, clustered by date",
        fill="tonexty",
        fillcolor=_BAND,
        **band,
    )
    figure.add_scatter(
        x=offset, y=mean, name="CAAR", mode="lines+markers", line={"color": _LINE, "width": 2}
    )
    figure.add_hline(y=0, line={"color": _INK, "width": 1})
    figure.add_vline(x=0, line={"color": _INK, "width": 1, "dash": "dot"})
    axis = {"gridcolor": _GRID, "zeroline": False}
    figure.update_layout(
        title=f"{len(study)} events of {study.dates} dates, {study.model.value} model",
        template="plotly_white",
        xaxis={"title": "Sessions from day 0", **axis},
        yaxis={"title": "Cumulative average abnormal return [%]", **axis},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
