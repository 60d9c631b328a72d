"""Bars and actions of a chart, as they were before Yahoo adjusted them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Literal

import numpy as np
import pandas as pd

from db.batches import ActionRecord, BarBatch, RecordBatch, Reject
from db.sources.fetching.bar_rows import FIELDS, BarAsk, bar_batch
from db.sources.online.yahoo.answers import Chart
from db.sources.online.yahoo.batches import provenance
from db.sources.online.yahoo.raw import as_traded, shares_traded, split_factors

SOURCE = "yahoo"
_PRICES = ("Open", "High", "Low", "Close")


def bars(
    chart: Chart, ask: BarAsk, *, splits: Mapping[date, float], fetched_at: datetime
) -> tuple[BarBatch | None, int]:
    """The batch of a chart's bars (None: none came), raw, and how many there are of them.

    ``splits`` are all between the bars and the fetch: what Yahoo's prices are adjusted for.
    """
    # A row without any price is a day that has an action and no trading.
    frame = chart.bars[chart.bars[list(_PRICES)].notna().any(axis=1)]
    days = np.array([stamp.date() for stamp in frame.index], dtype="datetime64[D]")
    factors = split_factors(days, splits)
    columns: dict[str, Sequence[object]] = {"time": _times(frame, daily=ask.interval.is_daily)}
    for name in _PRICES:
        raw = as_traded(frame[name].to_numpy(dtype=np.float64), factors)
        columns[name.lower()] = _values(raw)
    columns["volume"] = _values(shares_traded(frame["Volume"].to_numpy(dtype=np.float64), factors))
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    origin = f"yahoo {ask.symbol} {ask.interval.value} {ask.since:%Y-%m-%d}..{ask.until:%Y-%m-%d}"
    return bar_batch(
        rows,
        {name: name for name in FIELDS},
        ask,
        source=SOURCE,
        origin=origin,
        fetched_at=fetched_at,
        options={"exchange": ask.calendar.name},
    )


def _times(frame: pd.DataFrame, *, daily: bool) -> list[str]:
    if daily:
        return [stamp.date().isoformat() for stamp in frame.index]
    return [stamp.isoformat() for stamp in pd.DatetimeIndex(frame.index).tz_convert("UTC")]


def _values(numbers: np.ndarray) -> list[float | None]:
    return [None if math.isnan(number) else number for number in numbers.tolist()]


def actions(symbol: str, chart: Chart, fetched_at: datetime) -> list[RecordBatch[ActionRecord]]:
    """The splits, and the dividends as they were paid; no batch where there are none."""
    records: list[ActionRecord] = []
    rejects: list[Reject] = []
    origin = f"yahoo {symbol} actions"

    def take(kind: Literal["split", "dividend"], day: date, value: float, adjusted: float) -> None:
        row = len(records) + len(rejects) + 1
        if not (math.isfinite(value) and value > 0):
            reason = f"a {kind} is a positive number"
            rejects.append(Reject(origin, row, kind, f"{day} {adjusted}", reason))
            return
        raw = json.dumps({"date": day.isoformat(), kind: adjusted})
        records.append(ActionRecord(symbol, kind, day, value, raw=raw, row=row))

    for day, ratio in sorted(chart.splits.items()):
        take("split", day, ratio, ratio)
    days = sorted(chart.dividends)
    factors = split_factors(np.array(days, dtype="datetime64[D]"), chart.splits)
    amounts = as_traded(np.array([chart.dividends[day] for day in days], dtype=np.float64), factors)
    for day, paid in zip(days, amounts.tolist(), strict=True):
        take("dividend", day, paid, chart.dividends[day])
    for day, gain in sorted(chart.gains.items()):
        reason = "a fund's capital gains are not kept: they are neither split nor dividend"
        row = len(records) + len(rejects) + 1
        rejects.append(Reject(origin, row, "capital gain", f"{day} {gain}", reason))
    if not records and not rejects:
        return []
    return [RecordBatch(provenance(SOURCE, origin, fetched_at, records), records, rejects)]
