"""Bars of one trade made ready for a chart: exchange time, windows, coarser candles, gaps.

All times here are naive exchange time, in seconds: a chart's time axis knows no zones, and no
exchange trades through the hour that a clock change repeats.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.report.text import chart_text, count, percent

if TYPE_CHECKING:
    from datetime import datetime

    from backtest.report.data import TradeDetail

DAILY = 1440.0
_STEPS = (1, 5, 15, 30)
_OHLC = ("open", "high", "low", "close")

Instant = np.datetime64
InstantArray = npt.NDArray[np.datetime64]
FloatArray = npt.NDArray[np.float64]
PhaseSpan = tuple[str, Instant, Instant]


@dataclass(frozen=True, eq=False)
class Candles:
    """Bars in exchange time; every array has one entry a candle."""

    minutes: float
    """Nominal length of a candle."""
    start: InstantArray
    end: InstantArray
    offset: npt.NDArray[np.timedelta64]
    """Exchange time less UTC."""
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    trail: FloatArray
    phase: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.start)

    @property
    def is_daily(self) -> bool:
        return self.minutes >= DAILY

    @property
    def length(self) -> str:
        """``15-minute`` or ``daily``."""
        return "daily" if self.is_daily else f"{self.minutes:g}-minute"

    def part(self, first: int, last: int) -> Candles:
        """The candles from ``first`` up to ``last`` (not included)."""
        kept = slice(max(first, 0), last)
        arrays = {f.name: getattr(self, f.name)[kept] for f in fields(self) if f.name != "minutes"}
        return Candles(minutes=self.minutes, **arrays)

    def at(self, instant: Instant) -> int:
        """Position of the candle that holds the instant, or of the next one."""
        return int(np.searchsorted(self.end, instant, "right"))


def local(instant: datetime | None, tz: str) -> Instant | None:
    """The instant on the exchange's clock, naive."""
    if instant is None or pd.isna(instant):
        return None
    return Instant(pd.Timestamp(instant).tz_convert(tz).tz_localize(None), "s")


def with_offset(instant: datetime | None, tz: str) -> str:
    """``2020-11-05 16:12 -05:00``"""
    if instant is None or pd.isna(instant):
        return ""
    stamp = pd.Timestamp(instant).tz_convert(tz)
    text = stamp.strftime("%Y-%m-%d %H:%M:%S %z" if stamp.second else "%Y-%m-%d %H:%M %z")
    return f"{text[:-2]}:{text[-2:]}"


def exchange_candles(detail: TradeDetail) -> Candles:
    """The trade's bars in exchange time; bars without a price are left out."""
    known = np.isfinite(detail.bars[list(_OHLC)].to_numpy(dtype=float)).all(axis=1)
    bars = detail.bars[known]
    stamps = pd.DatetimeIndex(bars["time"])
    start = _seconds(stamps.tz_convert(detail.tz))
    offset = start - _seconds(stamps.tz_convert("UTC"))
    if detail.interval_minutes >= DAILY:
        start = start.astype("datetime64[D]").astype("datetime64[s]")
    prices = {name: bars[name].to_numpy(dtype=float) for name in (*_OHLC, "volume")}
    trail = bars["trail"].to_numpy(dtype=float) if "trail" in bars.columns else None
    return Candles(
        minutes=detail.interval_minutes,
        start=start,
        end=start + _minutes(detail.interval_minutes),
        offset=offset,
        **prices,
        trail=np.full(len(bars), np.nan) if trail is None else trail,
        phase=bars["phase"].to_numpy(dtype=np.str_),
    )


def _seconds(stamps: pd.DatetimeIndex) -> InstantArray:
    return stamps.tz_localize(None).to_numpy().astype("datetime64[s]")


def _minutes(minutes: float) -> np.timedelta64:
    return np.timedelta64(round(minutes * 60), "s")


def coarsened(candles: Candles, most: int = 400) -> Candles:
    """The finest of a few coarser lengths that leaves at most ``most`` candles.

    No candle crosses the end of a phase, but for daily ones, which hold extended hours too.
    """
    if len(candles) <= most or candles.is_daily:
        return candles
    for minutes in _STEPS:
        if minutes > candles.minutes:
            coarse = _grouped(candles, minutes)
            if len(coarse) <= most:
                return coarse
    return _grouped(candles, DAILY)


def _grouped(candles: Candles, minutes: float) -> Candles:
    seconds = _minutes(minutes).astype(np.int64)
    since = candles.start.astype(np.int64)
    start: InstantArray = (since - since % seconds).astype("datetime64[s]")
    if minutes < DAILY:
        # In coarser bars the auction's minute belongs to the bar that starts at the close.
        phase = np.where(candles.phase == "auction", "post", candles.phase)
    else:
        phase = np.full(len(start), "regular")
    new = (start[1:] != start[:-1]) | (phase[1:] != phase[:-1])
    first = np.flatnonzero(np.concatenate([[True], new]))
    last = np.append(first[1:], len(start)) - 1
    return Candles(
        minutes=minutes,
        start=start[first],
        end=start[first] + _minutes(minutes),
        offset=candles.offset[first],
        open=candles.open[first],
        high=np.maximum.reduceat(candles.high, first),
        low=np.minimum.reduceat(candles.low, first),
        close=candles.close[last],
        volume=np.add.reduceat(np.nan_to_num(candles.volume), first),
        trail=candles.trail[last],
        phase=phase[first],
    )


def gaps(candles: Candles) -> list[tuple[Instant, Instant]]:
    """Stretches without trading from one day to the next, which a time axis should skip.

    Missing bars within a day are kept as the gaps that they are.
    """
    end, start = candles.end[:-1], candles.start[1:]
    before = candles.start[:-1].astype("datetime64[D]")
    skipped = (start > end) & (candles.is_daily | (start.astype("datetime64[D]") != before))
    return list(zip(end[skipped], start[skipped], strict=True))


def phase_spans(candles: Candles) -> list[PhaseSpan]:
    """(phase, from, to) of each run of bars outside regular hours, day by day.

    A phase lasts until the next one of that day begins, since minutes without a trade belong to
    it too; the closing auction is over with its one bar.
    """
    if candles.is_daily or not len(candles):
        return []
    day, phase = candles.start.astype("datetime64[D]"), candles.phase
    first = np.flatnonzero(np.append(True, (phase[1:] != phase[:-1]) | (day[1:] != day[:-1])))
    last = np.append(first[1:], len(day)) - 1
    phases, starts, ends = (
        phase[first].tolist(),
        list(candles.start[first]),
        list(candles.end[last]),
    )
    for i in range(len(first) - 1):
        if day[first[i]] != day[first[i + 1]]:
            continue
        if phases[i] == "auction":
            starts[i + 1] = ends[i]
        else:
            ends[i] = starts[i + 1]
    spans = zip(phases, starts, ends, strict=True)
    return [span for span in spans if span[0] != "regular"]


def labels(candles: Candles) -> list[str]:
    """When each candle starts, with the offset."""
    if candles.is_daily:
        return [str(day) for day in candles.start.astype("datetime64[D]")]
    texts = np.datetime_as_string(candles.start, unit="m").tolist()
    offsets = (candles.offset.astype("timedelta64[s]").astype(np.int64) // 60).tolist()
    return [
        f"{text.replace('T', ' ')} {'-' if m < 0 else '+'}{abs(m) // 60:02d}:{abs(m) % 60:02d}"
        for text, m in zip(texts, offsets, strict=True)
    ]


def hover_texts(candles: Candles, reference: float) -> list[str]:
    """What is said of each candle: its time with the offset, prices, volume, phase, move."""
    columns = [getattr(candles, name).tolist() for name in (*_OHLC, "volume", "phase")]
    texts = []
    for label, o, h, low, c, volume, phase in zip(labels(candles), *columns, strict=True):
        shares = f"{count(volume)} shares" if volume > 0 else "volume unknown"
        move = f"<br>close {percent(c / reference - 1)} from reference" if reference > 0 else ""
        where = "" if candles.is_daily else f" {chart_text(phase)}"
        texts.append(
            f"{label}{where}<br>O {price(o)} H {price(h)} L {price(low)} C {price(c)}"
            f"{move}<br>{shares}"
        )
    return texts


def price(value: float) -> str:
    """Two decimals, four below one."""
    return f"{value:,.4f}" if abs(value) < 1 else f"{value:,.2f}"


def stamp(instant: Instant) -> str:
    """``2020-11-05 16:12:00``, as plotly reads it."""
    return str(instant.astype("datetime64[s]")).replace("T", " ")
