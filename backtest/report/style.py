"""The one look of all figures, and the one place that touches plotly, which ships no types."""

from __future__ import annotations

from typing import Any, TypeAlias

from plotly.graph_objects import Figure

__all__ = [
    "BENCHMARK",
    "DOWN",
    "GROUPS",
    "INK",
    "MUTED",
    "STRATEGY",
    "UP",
    "Figure",
    "Spec",
    "empty_figure",
    "figure",
    "tint",
]

Spec: TypeAlias = dict[str, Any]
"""A figure or a part of one as plain dictionaries and lists, ready for JSON."""

# Okabe and Ito's palette: told apart under the common kinds of colour blindness.
STRATEGY = "#0072B2"
UP = "#0072B2"
DOWN = "#D55E00"
TARGET = "#009E73"
NEWS = "#8C4F7A"
BENCHMARK = "#767676"
INK = "#1b1f24"
MUTED = "#5b636d"
GRID = "#e6e8eb"
ZERO = "#8a9199"
GROUPS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#1b1f24")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "solid", "dash")
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

_AXIS: Spec = {
    "gridcolor": GRID,
    "linecolor": GRID,
    "zeroline": False,
    "zerolinecolor": ZERO,
    "zerolinewidth": 1,
    "automargin": True,
    "ticks": "outside",
    "ticklen": 4,
    "tickcolor": GRID,
    "title": {"standoff": 8, "font": {"size": 12, "color": MUTED}},
}

TEMPLATE: Spec = {
    "layout": {
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": "white",
        "plot_bgcolor": "white",
        "colorway": list(GROUPS),
        "margin": {"l": 56, "r": 24, "t": 44, "b": 44},
        "title": {
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "pad": {"l": 8},
            "y": 0.99,
            "yref": "container",
            "yanchor": "top",
            "font": {"size": 14, "color": INK},
        },
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.0,
            "yanchor": "bottom",
            "font": {"size": 12},
            "bgcolor": "rgba(255,255,255,0)",
        },
        "hoverlabel": {"bgcolor": "white", "bordercolor": GRID, "font": {"color": INK}},
        "hovermode": "closest",
        "bargap": 0.25,
    }
}


def figure(data: list[Spec], layout: Spec) -> Figure:
    """A plotly figure in the house style."""
    return Figure({"data": data, "layout": {"template": TEMPLATE, **layout}})


def empty_figure(title: str, text: str) -> Figure:
    """A figure that says why there is nothing to see."""
    note: Spec = {
        "text": text,
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
        "font": {"color": MUTED, "size": 13},
    }
    hidden: Spec = {"visible": False}
    layout: Spec = {"title": {"text": title}, "height": 120, "annotations": [note]}
    return figure([], {**layout, "xaxis": hidden, "yaxis": hidden})


def tint(colour: str, alpha: float) -> str:
    """``#rrggbb`` with an opacity, as CSS writes it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"
