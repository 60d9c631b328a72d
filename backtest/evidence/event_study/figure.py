"""The CAAR as a figure: over sessions, or along the phases of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plotly.graph_objects import Figure

if TYPE_CHECKING:
    import pandas as pd

    from backtest.evidence.event_study.study import EventStudy

_LINE, _BAND, _INK, _GRID = "#0072B2", "rgba(0,114,178,0.18)", "#1b1f24", "#e6e8eb"


def caar_figure(study: EventStudy) -> Figure:
    """Mean CAR from the window's first day on, in percent, with its date-clustered band."""
    frame = study.caar
    share = f"{study.confidence:.0%}".replace("%", " %")
    title = f"{len(study)} events of {study.dates} dates, {study.model.value} model"
    figure = _banded(frame["offset"].tolist(), frame, f"{share} interval, clustered by date", title)
    figure.add_vline(x=0, line={"color": _INK, "width": 1, "dash": "dot"})
    figure.update_layout(xaxis_title="Sessions from day 0")
    return figure


def path_figure(path: pd.DataFrame) -> Figure:
    """The same along the phases of each day (`PhaseStudy.path`)."""
    where = [
        f"{offset:+d} {phase}" for offset, phase in zip(path["offset"], path["phase"], strict=True)
    ]
    return _banded(where, path, "interval, clustered by date", "Mean abnormal return, by phase")


def _banded(x: list[str] | list[int], frame: pd.DataFrame, interval: str, title: str) -> Figure:
    mean, low, high = ((frame[name] * 100).tolist() for name in ("caar", "low", "high"))
    band = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    figure = Figure()
    figure.add_scatter(x=x, y=high, name="upper", showlegend=False, **band)
    figure.add_scatter(
        x=x,
        y=low,
        name=interval,
        fill="tonexty",
        fillcolor=_BAND,
        **band,
    )
    figure.add_scatter(
        x=x, y=mean, name="CAAR", mode="lines+markers", line={"color": _LINE, "width": 2}
    )
    figure.add_hline(y=0, line={"color": _INK, "width": 1})
    axis = {"gridcolor": _GRID, "zeroline": False}
    figure.update_layout(
        title=title,
        template="plotly_white",
        xaxis=axis,
        yaxis={"title": "Cumulative average abnormal return [%]", **axis},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
