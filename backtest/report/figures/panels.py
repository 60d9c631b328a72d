"""Which bars of a trade are drawn where: all of it, around its entry, around its exit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from backtest.report.figures.candles import (
    Candles,
    Instant,
    PhaseSpan,
    coarsened,
    local,
    phase_spans,
)

if TYPE_CHECKING:
    from backtest.report.data import TradeDetail

_ENTRY_BARS = 320
_SESSIONS = 250
_LOW, _TALL = (0.0, 0.12), (0.16, 0.47)
Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Panel:
    """One set of candles in its own part of the figure; ``k`` numbers its axes."""

    k: int
    name: str
    candles: Candles
    phases: list[PhaseSpan]
    prices: Span
    """The range of the price axis."""
    x_domain: Span = (0.0, 1.0)
    y_domain: Span = (0.0, 1.0)
    volume_domain: Span | None = None

    @property
    def x(self) -> str:
        """Name of the time axis; plotly gives the first axis no number."""
        return "x" if self.k == 1 else f"x{self.k}"

    @property
    def y(self) -> str:
        return "y" if self.k == 1 else f"y{self.k}"

    @property
    def y_volume(self) -> str:
        return f"y{self.k + 10}"

    @property
    def y_move(self) -> str:
        return f"y{self.k + 20}"

    @property
    def first(self) -> Instant:
        return cast("Instant", self.candles.start[0])

    @property
    def last(self) -> Instant:
        return cast("Instant", self.candles.end[-1])

    @property
    def is_side(self) -> bool:
        """The small panel on the right, which repeats no axis title."""
        return self.k == 3


def panels_of(detail: TradeDetail, candles: Candles) -> list[Panel]:
    """One panel where all bars fit into it, else the whole trade coarser and its ends as is."""
    d = detail
    candles = _near(detail, candles) if candles.is_daily else candles
    phases = phase_spans(candles)
    everything = [d.reference, d.entry_price, d.exit_price, d.target, d.stop]
    whole = coarsened(candles)
    if whole is candles:
        name = f"{candles.length.capitalize()} candles"
        prices = _prices(candles, everything)
        return [Panel(1, name, candles, phases, prices, (0, 1), (0.27, 1), (0, 0.19))]
    entry_window, exit_window = _windows(detail, candles)
    entry = candles.part(*entry_window)
    panels = [
        Panel(
            *(1, f"Whole trade, {whole.length} candles", whole, phases),
            *(_prices(whole, everything), (0, 1), (0.61, 1)),
        ),
        Panel(
            *(2, f"Around the entry, {candles.length} candles", entry, phase_spans(entry)),
            _prices(entry, [d.reference, d.entry_price, d.limit]),
            *((0, 0.64 if exit_window else 1), _TALL, _LOW),
        ),
    ]
    if exit_window:
        last = candles.part(*exit_window)
        panels.append(
            Panel(
                *(3, f"Around the exit, {candles.length}", last, phase_spans(last)),
                *(_prices(last, [d.exit_price]), (0.76, 1), _TALL, _LOW),
            )
        )
    return panels


def _near(detail: TradeDetail, candles: Candles) -> Candles:
    """Of very many sessions those around the trade."""
    known = [local(t, detail.tz) for t in (detail.reference_at, detail.entry_at, detail.exit_at)]
    places = [candles.at(t) for t in known if t is not None]
    if len(candles) <= _SESSIONS or not places:
        return candles
    room = max(_SESSIONS - (max(places) - min(places)), 60) // 3
    return candles.part(min(places) - 2 * room, max(places) + room)


def _windows(
    detail: TradeDetail, candles: Candles
) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """Positions around the entry, and around the exit where that lies apart from it."""
    zone = detail.tz
    known = [local(t, zone) for t in (detail.reference_at, detail.decided_at, detail.entry_at)]
    instants = [t for t in known if t is not None] or [candles.start[0]]
    at = candles.at(max(instants))
    first = candles.at(min(instants) - np.timedelta64(30, "m"))
    end = candles.at(max(instants) + np.timedelta64(90, "m")) + 1
    first = max(first, at - _ENTRY_BARS * 2 // 3)
    end = min(end, at + _ENTRY_BARS // 3)
    closing = local(detail.exit_at, zone)
    if closing is None:
        return (first, end), None
    at = min(candles.at(closing), len(candles) - 1)
    if at < end + 60:
        return (first, max(end, at + 10)), None
    before = max(candles.at(closing - np.timedelta64(60, "m")), at - 60)
    after = min(candles.at(closing + np.timedelta64(30, "m")) + 1, at + 40)
    return (first, end), (before, after)


def _prices(candles: Candles, marks: list[float]) -> Span:
    """Bars and marks, with some room; the axis of a price need not start at zero."""
    seen = [float(candles.low.min()), float(candles.high.max())]
    seen += [p for p in marks if math.isfinite(p)]
    low, high = min(seen), max(seen)
    room = max((high - low) * 0.07, high * 1e-4)
    return low - room, high + room
