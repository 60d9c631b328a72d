"""What is drawn over one trade's candles: levels, decision, entry, exit and news."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backtest.report.figures.candles import (
    Candles,
    Instant,
    local,
    phase_spans,
    price,
    stamp,
    with_offset,
)
from backtest.report.style import DOWN, INK, MUTED, NEWS, TARGET, Spec
from backtest.report.text import chart_text, percent

if TYPE_CHECKING:
    from backtest.report.data import TradeDetail
    from backtest.report.figures.panels import Panel

_PHASE_NAMES = {"pre": "pre-market", "post": "after hours", "auction": "closing auction"}
PHASE_COLOURS = {"pre": "#faf1d8", "post": "#e6edf7", "auction": "#cfd4da", "closed": "#f1f1f1"}


@dataclass(frozen=True, eq=False)
class Mark:
    """A level from one instant to another, or a point (``price`` NaN: at the top)."""

    name: str
    style: Spec
    start: Instant | None
    end: Instant | None
    price: float
    text: str = ""
    mode: str = "lines"

    @property
    def is_level(self) -> bool:
        return self.mode == "lines" and math.isfinite(self.price)


def marks_of(detail: TradeDetail, candles: Candles) -> list[Mark]:
    """Every mark of a trade whose price and instant are known."""
    last = candles.end[-1]
    zone = detail.tz
    entry, closing = local(detail.entry_at, zone), local(detail.exit_at, zone)
    decided = local(detail.decided_at, zone)
    reference_at = local(detail.reference_at, zone)
    levels = [
        ("reference close", detail.reference, INK, "dash", reference_at, last),
        ("limit", detail.limit, MUTED, "dot", decided, entry),
        ("target", detail.target, TARGET, "dot", entry, closing or last),
        ("stop", detail.stop, DOWN, "dot", entry, closing or last),
    ]
    marks = [
        Mark(f"{name} {price(at)}", _line(colour, dash), start, end, at, f"{name} {price(at)}")
        for name, at, colour, dash, start, end in levels
        if math.isfinite(at)
    ]
    if decided is not None:
        text = f"decided {with_offset(detail.decided_at, zone)}"
        marks.append(Mark("decision", _line(NEWS, "dashdot"), decided, None, math.nan, text))
    for name, at, instant, when, symbol, fill in (
        ("entry", detail.entry_price, entry, detail.entry_at, "triangle-right", INK),
        ("exit", detail.exit_price, closing, detail.exit_at, "triangle-left", "white"),
    ):
        if instant is not None and math.isfinite(at):
            move = f", {percent(at / detail.reference - 1)}" if detail.reference > 0 else ""
            text = f"{name} {price(at)}{move}, {with_offset(when, zone)}"
            style: Spec = {"symbol": symbol, "size": 13, "color": fill}
            style["line"] = {"color": INK, "width": 1.5}
            marks.append(Mark(f"{name} {price(at)}", style, instant, None, at, text, "markers"))
    for item in detail.news:
        title = f"{chart_text(item.title, width=110)}<br>{with_offset(item.time, zone)}"
        style = {"symbol": "star-triangle-down", "size": 11, "color": NEWS}
        style["line"] = {"color": "white", "width": 1}
        published = local(item.time, zone)
        if published is not None:
            marks.append(Mark("news", style, published, None, math.nan, title, "markers"))
    return marks


def _line(colour: str, dash: str) -> Spec:
    return {"color": colour, "width": 1.5, "dash": dash}


def legend_traces(marks: list[Mark], candles: Candles) -> list[Spec]:
    """One entry of the legend a kind of mark and a shaded phase; nothing that is drawn."""
    traces: list[Spec] = []
    for name, mark in {mark.name: mark for mark in marks}.items():
        style = {"line": mark.style} if mark.mode == "lines" else {"marker": mark.style}
        traces.append(_dummy(name, mark.mode, style))
    present = {phase for phase, _, _ in phase_spans(candles)}
    for phase, name in _PHASE_NAMES.items():
        if phase in present:
            edge = {"color": MUTED, "width": 0.5}
            square: Spec = {"symbol": "square", "size": 13, "color": PHASE_COLOURS[phase]}
            traces.append(_dummy(name, "markers", {"marker": {**square, "line": edge}}))
    return traces


def _dummy(name: str, mode: str, style: Spec) -> Spec:
    return {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "mode": mode,
        "name": name,
        "hoverinfo": "skip",
        **style,
    }


def mark_traces(marks: list[Mark], panel: Panel) -> list[Spec]:
    """The marks that fall into one panel, on its axes."""
    return [_trace(mark, panel) for mark in marks if _is_seen(mark, panel)]


def _is_seen(mark: Mark, panel: Panel) -> bool:
    start = mark.start or panel.first
    end = mark.end if mark.is_level else start
    return bool(start <= panel.last and (end or panel.last) >= panel.first)


def _trace(mark: Mark, panel: Panel) -> Spec:
    low, high = panel.prices
    start = mark.start or panel.first
    if mark.is_level:
        x = [max(start, panel.first), min(mark.end or panel.last, panel.last)]
        y = [mark.price, mark.price]
    elif mark.mode == "lines":
        x, y = [start, start], [low, high]
    else:
        top = high - (high - low) * 0.03
        x = [_tradable(start, panel.candles)]
        y = [mark.price if math.isfinite(mark.price) else top]
    return {
        "type": "scatter",
        "x": [stamp(t) for t in x],
        "y": y,
        "mode": mark.mode,
        "line" if mark.mode == "lines" else "marker": mark.style,
        "xaxis": panel.x,
        "yaxis": panel.y,
        "name": mark.name,
        "hovertext": mark.text,
        "hoverinfo": "text",
        "showlegend": False,
    }


def _tradable(instant: Instant, candles: Candles) -> Instant:
    """The instant, or the next bar's start where it falls into a night that is not drawn."""
    at = min(candles.at(instant), len(candles) - 1)
    start = candles.start[at]
    previous = candles.end[at - 1] if at else start
    return instant if start <= instant or previous >= instant else start
