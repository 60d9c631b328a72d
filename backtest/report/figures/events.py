"""Figures about events: where they ended, and their average path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.report.style import (
    BENCHMARK,
    DASHES,
    GROUPS,
    INK,
    MUTED,
    STRATEGY,
    Figure,
    Spec,
    empty_figure,
    figure,
    tint,
)
from backtest.report.text import chart_text, count, percent, wrapped

if TYPE_CHECKING:
    import pandas as pd

_TRADED = ("trade", "trades", "traded")


def funnel_figure(funnel: pd.DataFrame, *, title: str = "Where every event ended") -> Figure:
    """Events that drop out, reason by reason, down to the trades.

    ``funnel``: columns `reason`, `events` in the order of loss, without a total.  Each bar starts
    where the one before it ended, so that the bars visibly add up to all events.
    """
    total = int(funnel["events"].sum()) if len(funnel) else 0
    if total == 0:
        return empty_figure(title, "No events")
    traded = funnel["reason"].astype(str).str.lower().isin(_TRADED)
    # The trades close the cascade, wherever they stand in the frame.
    rows = [*funnel[~traded].iterrows(), *funnel[traded].iterrows()]
    events = [total, *(int(row["events"]) for _, row in rows)]
    names = ["all events", *(wrapped(row["reason"], 28) for _, row in rows)]
    # Places in pixels from the top: a row is as high as its name has lines.
    heights = [12 + 15 * (name.count("<br>") + 1) for name in names]
    ends = np.cumsum(heights)
    places = [float(end) - height / 2 for end, height in zip(ends, heights, strict=True)]
    left = total - np.cumsum([0, *events[1:]])
    last = len(rows) - int(traded.sum())
    base = [0, *(int(x) for x in left[1 : last + 1]), *([0] * (len(rows) - last))]
    colours = [MUTED, *([tint(BENCHMARK, 0.55)] * last), *([STRATEGY] * (len(rows) - last))]
    bars: Spec = {
        "type": "bar",
        "orientation": "h",
        "y": places,
        "x": events,
        "base": base,
        "width": 20,
        "marker": {"color": colours},
        "hoverinfo": "skip",
    }
    layout: Spec = {
        "title": {"text": title},
        "height": 76 + int(ends[-1]),
        "showlegend": False,
        "xaxis": {"title": {"text": "events"}, "range": [0, total], "tickformat": ",d"},
        "yaxis": {
            "range": [float(ends[-1]), 0],
            "tickvals": places,
            "ticktext": names,
            "showgrid": False,
            "ticks": "",
        },
        "margin": {"l": 8, "r": 16, "t": 36, "b": 40},
    }
    return figure([bars, _funnel_numbers(events, base, places)], layout)


def _funnel_numbers(events: list[int], base: list[int], places: list[float]) -> Spec:
    """Each bar's number where there is room: right of the bar, left of it, or in it."""
    total = events[0]
    x, sides, colours = [], [], []
    for n, start in zip(events, base, strict=True):
        right = start + n <= 0.7 * total
        left = start >= 0.5 * total or n < 0.4 * total
        x.append(start + n if right else start)
        sides.append("middle left" if left and not right else "middle right")
        # In a bar only where it reaches from end to end; the lost events' bars are light.
        colours.append("white" if start == 0 and not right else INK)
    return {
        "type": "scatter",
        "mode": "text",
        "x": x,
        "y": places,
        "text": [f" {count(n)} ({percent(n / total, 1, signed=False)}) " for n in events],
        "textposition": sides,
        "textfont": {"color": colours},
        "hoverinfo": "skip",
    }


def average_path_figure(
    path: pd.DataFrame,
    *,
    unit: str = "time from the reference close",
    interval: str = "95 % interval, clustered by date",
    title: str = "Average move against the reference close",
) -> Figure:
    """Mean path of each group with its confidence band; the events in the mean below it.

    ``path``: columns `group`, `offset` (number), `label` (text at that offset), `mean`, `low`,
    `high` (fractions), `n` (events that the mean of that offset rests on).
    """
    shown = path[path["mean"].notna()]
    if shown.empty:
        return empty_figure(title, "No path to average")
    square: Spec = {"symbol": "square", "size": 13, "color": tint(MUTED, 0.3)}
    data: list[Spec] = [
        {
            "type": "scatter",
            "x": [None],
            "y": [None],
            "mode": "markers",
            "marker": square,
            "name": chart_text(interval),
            "hoverinfo": "skip",
        }
    ]
    for i, (group, rows) in enumerate(shown.groupby("group", sort=False)):
        data += _path_traces(chart_text(group), rows.sort_values("offset"), i)
    ticks = _thinned_ticks(path)
    axis: Spec = {"tickvals": [x for x, _ in ticks], "ticktext": [text for _, text in ticks]}
    layout: Spec = {
        "title": {"text": title},
        "height": 450,
        "hovermode": "x unified",
        "xaxis": {**axis, "anchor": "y", "showticklabels": False, "ticks": ""},
        "xaxis2": {**axis, "anchor": "y2", "matches": "x", "title": {"text": wrapped(unit)}},
        "yaxis": {
            "domain": [0.3, 1],
            "tickformat": "+.1~%",
            "zeroline": True,
            "title": {"text": "mean move"},
        },
        "yaxis2": {
            "domain": [0, 0.2],
            "rangemode": "tozero",
            "nticks": 4,
            "title": {"text": "events"},
        },
        "margin": {"l": 64, "r": 16, "t": 66, "b": 48},
    }
    return figure(data, layout)


def _path_traces(name: str, rows: pd.DataFrame, i: int) -> list[Spec]:
    colour, dash = GROUPS[i % len(GROUPS)], DASHES[i % len(DASHES)]
    x = rows["offset"].tolist()
    banded = rows[rows["low"].notna() & rows["high"].notna()]
    edge = [*banded["offset"], *banded["offset"][::-1]]
    common: Spec = {"legendgroup": str(i), "name": name}
    band: Spec = {
        **common,
        "type": "scatter",
        "x": edge,
        "y": [*banded["high"], *banded["low"][::-1]],
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": tint(colour, 0.14),
        "hoverinfo": "skip",
        "showlegend": False,
    }
    mean: Spec = {
        **common,
        "type": "scatter",
        "x": x,
        "y": rows["mean"].tolist(),
        "customdata": rows[["low", "high", "n"]].to_numpy(dtype=float).tolist(),
        "mode": "lines" if len(rows) > 1 else "markers",
        "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": "%{y:+.2%} (%{customdata[0]:+.2%} to %{customdata[1]:+.2%}, "
        "%{customdata[2]:,d} events)",
    }
    events: Spec = {
        **common,
        "type": "scatter",
        "x": x,
        "y": rows["n"].tolist(),
        "xaxis": "x2",
        "yaxis": "y2",
        "mode": "lines",
        "line": {"color": colour, "width": 1.5, "dash": dash},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [band, mean, events] if len(banded) else [mean, events]


def _thinned_ticks(path: pd.DataFrame, most: int = 7) -> list[tuple[float, str]]:
    """At most ``most`` named offsets, every so manieth, so that a phone has room for them."""
    named = path.drop_duplicates("offset").sort_values("offset")
    pairs = [
        (float(x), chart_text(text, width=16))
        for x, text in zip(named["offset"], named["label"], strict=True)
        if chart_text(text)
    ]
    return pairs[:: max(1, -(-len(pairs) // most))]
