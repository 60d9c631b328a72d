"""Real prices and earnings dates that come with the program: five companies, 2000 to 2013.

Prices are read from the file inside the package ``bokeh_sampledata`` (Quandl's WIKI prices,
declared public domain by their publisher); nothing is downloaded.  They are raw: the two-for-one
splits stand in the levels (AAPL closes at 101.25 on 2000-06-20 and at 55.63 the day after), so
the batch says ``adjusted="none"`` and the splits and dividends are facts of their own, read off
where the file's adjusted close and its close part ways.

The earnings dates are the project's own table, ``earnings.csv``.  Its EPS are per share of
today, splits since then taken out and rounded to cents, so a surprise of AAPL or GOOG in the
early years is mostly rounding.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa

from backtest.demo.facts import instant
from backtest.paths import FloatArray
from db.batches import (
    BAR_SCHEMA,
    ActionRecord,
    BarBatch,
    BarChunk,
    EventRecord,
    Precision,
    Provenance,
    RecordBatch,
    SessionLabel,
)
from db.calendar import calendar
from db.errors import DataError
from db.intervals import Interval

SYMBOLS: Final = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
PRICE_SOURCE: Final = "quandl-wiki"
EVENT_SOURCE: Final = "demo"
_PRICES = "bokeh_sampledata.stocks"
_PRICE_COLUMNS = ("open", "high", "low", "close", "volume")
_SMALLEST_JUMP = 3e-4
"""Of the ratio of adjusted close to close; what stays below is the file's rounding."""


def daily_bars(*, now: datetime) -> BarBatch:
    """Raw daily bars of the five companies, each at its session's open (UTC)."""
    stocks = _stocks()
    return BarBatch(
        provenance=_provenance(PRICE_SOURCE, _PRICES, _digest_of_prices(), now),
        interval=Interval.D1,
        adjusted="none",
        chunks=_chunks(stocks),
        rows_expected=sum(len(stock["date"]) for stock in stocks.values()),
    )


def actions(*, now: datetime) -> RecordBatch[ActionRecord]:
    """The splits and cash dividends that the file's adjusted closes imply.

    From one day to the next the adjusted close over the close grows by the split's ratio, or by
    1 + dividend / close of the ex-date; cash comes out in whole cents to within rounding.
    """
    records: list[ActionRecord] = []
    for symbol, stock in _stocks().items():
        close, adjusted = np.array(stock["close"]), np.array(stock["adj_close"])
        growth = np.divide(adjusted[1:] / close[1:], adjusted[:-1] / close[:-1])
        for place in np.flatnonzero(np.abs(growth - 1) > _SMALLEST_JUMP):
            day, jump = stock["date"][int(place) + 1], float(growth[place])
            cash = round((jump - 1) * float(close[place + 1]), 2)
            split = jump > 1.4
            records.append(
                ActionRecord(
                    symbol=symbol,
                    kind="split" if split else "dividend",
                    ex_date=date.fromisoformat(day),
                    value=float(round(jump)) if split else cash,
                    raw=f"{symbol} {day} adjusted close over close grows by {jump:.6f}",
                    row=len(records) + 1,
                )
            )
    origin = f"{_PRICES} (adjusted closes)"
    return RecordBatch(_provenance(PRICE_SOURCE, origin, _digest_of_prices(), now), records)


def earnings(*, now: datetime) -> RecordBatch[EventRecord]:
    """The releases in ``earnings.csv``, each known by its date and session.

    When they could first have been known is not proven: the store takes the time of import.
    """
    file = resources.files("backtest.demo").joinpath("earnings.csv")
    content = file.read_bytes()
    cal = calendar("XNYS")
    records = []
    for number, row in enumerate(csv.DictReader(content.decode("ascii").splitlines()), start=1):
        day = date.fromisoformat(row["date"])
        since, until, precision = cal.release_interval(day, row["session"])
        records.append(
            EventRecord(
                symbol=row["symbol"],
                announced_from=instant(since),
                announced_to=instant(until),
                precision=cast(Precision, precision),
                session=cast(SessionLabel, row["session"]),
                eps_estimate=_number(row["eps_estimate"]),
                eps_actual=_number(row["eps_actual"]),
                raw=",".join(row.values()),
                row=number,
            )
        )
    digest = hashlib.sha256(content).hexdigest()
    return RecordBatch(
        _provenance(EVENT_SOURCE, "backtest.demo/earnings.csv", digest, now), records
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _provenance(source: str, origin: str, digest: str, now: datetime) -> Provenance:
    return Provenance(source=source, origin=origin, content_hash=digest, fetched_at=now)


def _stocks() -> dict[str, Mapping[str, Sequence[Any]]]:
    from bokeh_sampledata import stocks  # parses its file when imported: only when asked for

    return {symbol: getattr(stocks, symbol) for symbol in SYMBOLS}


@cache
def _digest_of_prices() -> str:
    """SHA-256 of the numbers themselves: the package's file format may change."""
    digest = hashlib.sha256()
    for symbol, stock in _stocks().items():
        digest.update(symbol.encode())
        digest.update(",".join(stock["date"]).encode())
        for name in (*_PRICE_COLUMNS, "adj_close"):
            digest.update(np.asarray(stock[name], dtype=np.float64).tobytes())
    return digest.hexdigest()


def _chunks(stocks: Mapping[str, Mapping[str, Sequence[Any]]]) -> Iterator[BarChunk]:
    cal = calendar("XNYS")
    for symbol, stock in stocks.items():
        days = np.array(stock["date"], dtype="datetime64[D]")
        session = cal.index_of_dates(days)
        if (session < 0).any():
            raise DataError(
                f"{symbol} has a price on {days[session < 0][0]}, a day without a session",
                where=_PRICES,
                hint="install another version of bokeh_sampledata",
            )
        prices: list[FloatArray] = [np.asarray(stock[name], np.float64) for name in _PRICE_COLUMNS]
        columns = [
            pa.repeat(pa.scalar(symbol), len(days)),
            pa.array(cal.opens[session]).cast(BAR_SCHEMA.field("start").type),
            *(pa.array(values) for values in prices),
        ]
        yield BarChunk(pa.Table.from_arrays(columns, schema=BAR_SCHEMA))
