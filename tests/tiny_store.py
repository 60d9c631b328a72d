"""Small real stores, filled from tables that can be read by eye.

    tiny = TinyStore(tmp_path)
    tiny.bars("AMD", '''
        2019-01-29 15:59  20.00 20.02 19.99 20.00
                   16:20  19.60 19.60 19.00 19.00  500
        2019-01-30 09:30  18.60 18.90 18.50 18.80
    ''')
    tiny.release("AMD", "2019-01-29", "post")

A bar is `[DATE] CLOCK OPEN HIGH LOW CLOSE [VOLUME]`, on the exchange's clock; the date of the
line before holds where there is none, a single price stands for all four, and the volume is
1,000,000 where none is given and unknown where it is a dash.  A daily bar has no clock.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from backtest.panel.build import Join, build_panel
from backtest.panel.panel import EventPanel
from db.batches import (
    BAR_SCHEMA,
    ActionRecord,
    Adjustment,
    BarBatch,
    BarChunk,
    EventRecord,
    GuidanceRecord,
    NewsRecord,
    Provenance,
    RecordBatch,
)
from db.calendar import calendar
from db.intervals import Interval
from db.store import Store

Record = TypeVar("Record", EventRecord, GuidanceRecord, ActionRecord, NewsRecord)

NOW = datetime(2024, 1, 2, 17, 0, tzinfo=UTC)
FETCHED = datetime(2024, 1, 2, 12, 0, tzinfo=UTC)
"""Long after every event here: what is known since then alone was back-filled."""
VOLUME = 1_000_000.0

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = re.compile(r"\d{2}:\d{2}")


def ny(text: str, zone: str = "America/New_York") -> datetime:
    """``2019-01-29 16:05`` (or with seconds) on the exchange's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def us(text: str, zone: str = "America/New_York") -> int:
    """The same as microseconds since the epoch."""
    return (ny(text, zone) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def clock(instant: Any, zone: str = "America/New_York") -> str:
    """An instant (a frame's or microseconds) as ``2019-01-29 16:05``; empty where there is none."""
    if isinstance(instant, int | np.integer):
        instant = pd.Timestamp(int(instant), unit="us", tz="UTC")
    return "" if pd.isna(instant) else f"{instant.tz_convert(zone):%Y-%m-%d %H:%M}"


def parse_bars(text: str, interval: Interval, exchange: str = "XNYS") -> pd.DataFrame:
    """A table as in the module's docstring: start (us), open, high, low, close, volume."""
    cal = calendar(exchange)
    rows, day = [], ""
    for line in text.split("\n"):
        words = line.split("#")[0].split()
        if not words:
            continue
        if _DATE.fullmatch(words[0]):
            day = words.pop(0)
        if interval.is_daily:
            start = int(cal.opens[cal.index_of_dates(np.array([day], "datetime64[D]"))[0]])
        else:
            assert _CLOCK.fullmatch(words[0]), f"no clock in {line!r}"
            start = us(f"{day} {words.pop(0)}", cal.tz)
        volume = VOLUME
        if len(words) in (2, 5):
            last = words.pop()
            volume = float("nan") if last == "-" else float(last)
        prices = [float(word) for word in words] * (4 if len(words) == 1 else 1)
        rows.append((start, *prices, volume))
    return pd.DataFrame(rows, columns=["start", "open", "high", "low", "close", "volume"])


@functools.cache
def _empty_store() -> Path:
    folder = tempfile.TemporaryDirectory(prefix="tiny-store-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "store"
    Store.open(path, create=True, now=lambda: NOW).close()
    return path


class TinyStore:
    """A store in a folder of its own; every method imports one batch."""

    def __init__(self, folder: Path, name: str = "store") -> None:
        # Copied, not created: migrations take longer than most tests.
        shutil.copytree(_empty_store(), folder / name)
        self.store = Store.open(folder / name, now=lambda: NOW)
        self._batches = 0

    def __enter__(self) -> TinyStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def bars(
        self,
        symbol: str,
        table: str | pd.DataFrame,
        *,
        interval: str = "1m",
        source: str = "file",
        adjusted: Adjustment = "none",
        exchange: str = "XNYS",
    ) -> None:
        """Bars of one symbol, as text or as `parse_bars` gives them."""
        kind = Interval.parse(interval)
        frame = parse_bars(table, kind, exchange) if isinstance(table, str) else table
        columns = [pa.array([symbol] * len(frame), pa.string())]
        columns.append(pa.array(frame["start"]).cast(pa.timestamp("us", "UTC")))
        columns += [pa.array(frame[name], pa.float64()) for name in ("open", "high", "low")]
        columns.append(pa.array(frame["close"], pa.float64()))
        volume = frame["volume"].to_numpy(np.float64)
        columns.append(pa.array(volume, pa.float64(), mask=np.isnan(volume)))
        chunk = BarChunk(pa.Table.from_arrays(columns, schema=BAR_SCHEMA))
        self.store.ingest(BarBatch(self._from(source), kind, adjusted, iter([chunk])))

    def daily(self, symbol: str, table: str | pd.DataFrame, **options: Any) -> None:
        """Daily bars; options as in `bars`."""
        self.bars(symbol, table, interval="1d", **options)

    def release(self, symbol: str, when: str, session: str | None = None, **fields: Any) -> None:
        """One earnings release, see `release`."""
        source, fetched = fields.pop("source", "file"), fields.pop("fetched", FETCHED)
        self.take([release(symbol, when, session, **fields)], source=source, fetched=fetched)

    def take(
        self, records: Sequence[Any], *, source: str = "file", fetched: datetime = FETCHED
    ) -> None:
        """Records of one kind, as one batch."""
        self.store.ingest(RecordBatch(self._from(source, fetched), records))

    def split(self, symbol: str, day: str, ratio: float, source: str = "file") -> None:
        self.take([ActionRecord(symbol, "split", date.fromisoformat(day), ratio)], source=source)

    def dividend(self, symbol: str, day: str, cash: float, source: str = "file") -> None:
        self.take([ActionRecord(symbol, "dividend", date.fromisoformat(day), cash)], source=source)

    def _from(self, source: str, fetched: datetime = FETCHED) -> Provenance:
        self._batches += 1
        origin = f"table {self._batches}"
        return Provenance(source, origin, hashlib.sha256(origin.encode()).hexdigest(), fetched)

    def join(self, interval: str = "1m", **options: Any) -> Join:
        """`build_panel` of all events; ``kind`` and ``symbols`` choose among them."""
        symbols = options.pop("symbols", None)
        events = self.store.events(symbols=symbols)
        return build_panel(self.store, events, Interval.parse(interval), **options)

    def panel(self, interval: str = "1m", **options: Any) -> EventPanel:
        """The panel of all events, none of which may be left out."""
        join = self.join(interval, **options)
        assert join.left_out.empty, join.left_out[["symbol", "reason"]]
        return join.panel


def release(
    symbol: str, when: str, session: str | None = None, *, exchange: str = "XNYS", **fields: Any
) -> EventRecord:
    """An earnings release: at an instant on the exchange's clock, or on a date with a session.

    ``session`` is ``pre``, ``regular`` or ``post``, ``""`` for a bare date, and None for an
    instant.  ``known`` is when the source proves that it was known.
    """
    since, until, precision, label = release_interval(when, session, exchange)
    known = fields.pop("known", None)
    return EventRecord(
        symbol=symbol,
        announced_from=since,
        announced_to=until,
        precision=precision,
        session=label,
        first_known_at=None if known is None else ny(known),
        **fields,
    )


def release_interval(
    when: str, session: str | None, exchange: str = "XNYS"
) -> tuple[datetime, datetime, Any, Any]:
    """(from, to, precision, session label) as importers state them."""
    cal = calendar(exchange)
    if session is None:
        return ny(when, cal.tz), ny(when, cal.tz), "exact", ""
    since, until, precision = cal.release_interval(date.fromisoformat(when), session)
    label = session if precision == "session" else ""
    return _utc(since), _utc(until), precision, label


def guidance(
    symbol: str, when: str, session: str | None = None, *, middle: float, **fields: Any
) -> GuidanceRecord:
    """Revenue guidance with a midpoint, against a consensus of 100."""
    since, until, precision, label = release_interval(when, session)
    known = fields.pop("known", None)
    values: dict[str, Any] = {
        "metric": "revenue",
        "period": "next",
        "low": middle - 5,
        "high": middle + 5,
        "unit": "USD",
        "consensus": 100.0,
    }
    return GuidanceRecord(
        symbol=symbol,
        announced_from=since,
        announced_to=until,
        precision=precision,
        session=label,
        first_known_at=None if known is None else ny(known),
        **(values | fields),
    )


def headline(title: str, when: str, *symbols: str, **fields: Any) -> NewsRecord:
    """A news item published at an instant on New York's clock."""
    return NewsRecord(title=title, published_at=ny(when), symbols=symbols, **fields)


def daily_from_minutes(minutes: pd.DataFrame, exchange: str = "XNYS") -> pd.DataFrame:
    """Daily bars of the regular hours of minute bars (`parse_bars` columns)."""
    cal = calendar(exchange)
    session = cal.session_of(minutes["start"].to_numpy())
    regular = cal.phases(minutes["start"].to_numpy(), Interval.M1) == 2
    by_day = minutes[regular].groupby(session[regular])
    days = by_day.agg(
        open=("open", "first"),
        high=("high", "max"),
        low=("low", "min"),
        close=("close", "last"),
        volume=("volume", "sum"),
    )
    days.insert(0, "start", cal.opens[days.index.to_numpy()])
    return days.reset_index(drop=True)


def sessions_between(first: str, last: str, exchange: str = "XNYS") -> list[str]:
    """Dates of the sessions from ``first`` to ``last``, both included."""
    days = calendar(exchange).dates
    inside = (days >= np.datetime64(first)) & (days <= np.datetime64(last))
    return [str(day) for day in days[inside]]


def flat_days(first: str, last: str, price: float, exchange: str = "XNYS") -> str:
    """Daily bars that all trade at one price."""
    return "\n".join(f"{day} {price}" for day in sessions_between(first, last, exchange))


def column(values: Any, row: int = 0) -> list[float]:
    """One event's row of a panel array, as a list without its padding."""
    line = np.asarray(values, dtype=np.float64)[row]
    return [float(x) for x in line if not np.isnan(x)]


def padded(values: Any, row: int = 0) -> list[float | None]:
    """The same with None for NaN."""
    line: Iterable[float] = np.asarray(values, dtype=np.float64)[row]
    return [None if np.isnan(x) else float(x) for x in line]


def _utc(instant: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
