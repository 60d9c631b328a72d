"""What yfinance makes of Yahoo's answers, as typed rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd

_COLUMNS = ["Open", "High", "Low", "Close", "Volume"]


@dataclass(frozen=True)
class Chart:
    """Bars and actions of one symbol, adjusted for splits as of the fetch.

    ``bars`` has the columns Open, High, Low, Close, Volume by exchange time (daily ones by their
    midnight); ``splits`` (new shares for one) and ``dividends`` are by date, and so are
    ``gains``, a fund's distributed capital gains.  ``symbol`` and ``zone`` are as Yahoo names
    them, empty where it named none.  ``refusal`` is why Yahoo gives nothing so far back.
    """

    bars: pd.DataFrame
    splits: Mapping[date, float]
    dividends: Mapping[date, float]
    gains: Mapping[date, float]
    symbol: str = ""
    zone: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class CalendarRow:
    """One row of the earnings calendar; ``start`` is aware, or NaT."""

    name: str
    start: datetime
    timing: str
    eps_estimate: float
    eps_actual: float


@dataclass(frozen=True)
class PageRow:
    """One row of a company's page of earnings dates; ``hour`` is exchange time, or NaT."""

    hour: datetime
    eps_estimate: float
    eps_actual: float


def read_chart(frame: pd.DataFrame | None, meta: Mapping[str, Any], refusal: str) -> Chart:
    symbol, zone = str(meta.get("symbol") or ""), str(meta.get("exchangeTimezoneName") or "")
    if frame is None:
        return Chart(_no_bars(), {}, {}, {}, symbol, zone, refusal)
    missing = [name for name in _COLUMNS if name not in frame]
    if missing:
        raise LookupError(f"no column {missing[0]}")
    return Chart(
        frame[_COLUMNS],
        _by_date(frame, "Stock Splits"),
        _by_date(frame, "Dividends"),
        _by_date(frame, "Capital Gains"),
        symbol,
        zone,
    )


def _no_bars() -> pd.DataFrame:
    return pd.DataFrame(columns=_COLUMNS, index=pd.DatetimeIndex([], tz="UTC"), dtype="float64")


def _by_date(frame: pd.DataFrame, column: str) -> dict[date, float]:
    if column not in frame:
        return {}
    found = frame[column][frame[column] != 0]
    return {stamp.date(): float(value) for stamp, value in found.items()}  # type: ignore[attr-defined]


def calendar_rows(symbol: str, frame: pd.DataFrame) -> list[CalendarRow]:
    columns = ("Event Name", "Event Start Date", "Timing", "EPS Estimate", "Reported EPS")
    found = frame[frame.index == symbol][list(columns)]
    return [
        CalendarRow(
            name="" if pd.isna(name) else str(name),
            start=start,
            timing="" if pd.isna(timing) else str(timing),
            eps_estimate=float(estimate),
            eps_actual=float(actual),
        )
        for name, start, timing, estimate, actual in found.itertuples(index=False)
    ]


def page_rows(frame: pd.DataFrame) -> list[PageRow]:
    found: Sequence[Any] = [frame["EPS Estimate"], frame["Reported EPS"]]
    estimates, actuals = (pd.to_numeric(column, errors="raise") for column in found)
    return [
        PageRow(hour, float(estimate), float(actual))
        for hour, estimate, actual in zip(frame.index, estimates, actuals, strict=True)
    ]
