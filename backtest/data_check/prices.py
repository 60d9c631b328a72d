"""Do prices fit together, and with the corporate actions?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.panel.prices import price_table
from backtest.paths import BoolArray, FloatArray, IntArray
from db.calendar import Phase, calendar
from db.intervals import Interval

if TYPE_CHECKING:
    from db.bars import Bars
    from db.store import Store

Finding = tuple[str, ...]
Splits = dict[int, list[tuple[np.datetime64, float]]]
_ROWS_AT_ONCE = 4_000_000
CLOSE_TOLERANCE = 0.001
"""Daily and minute closes may differ by this much beyond the closing auction's own range."""
_RATIOS = np.array([1.5, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 50])
_SPLIT_WIDTH = 0.09
"""A jump is taken for a split where it lies within this log distance of a usual ratio."""


def price_findings(store: Store, symbols: list[str] | None) -> Iterator[Finding]:
    """Jumps like splits, closes that differ between sources, sessions without bars."""
    instruments = store.instruments()
    if symbols is not None:
        instruments = instruments[instruments["symbol"].isin(symbols)]
    exchange_of = dict(zip(instruments["instrument_id"], instruments["exchange"], strict=True))
    symbol_of = dict(zip(instruments["instrument_id"], instruments["symbol"], strict=True))
    splits = _splits(store.actions())
    ids = np.array(sorted(exchange_of), dtype=np.int64)
    daily: dict[tuple[int, str, bool], dict[str, np.ndarray]] = {}
    # Daily bars first: minute bars are held against them.
    sources = store.bar_sources().sort_values("interval", key=lambda s: s != Interval.D1.value)
    columns = [sources[name].tolist() for name in ("interval", "source", "instruments", "rows")]
    for label, source, held, rows in zip(*columns, strict=True):
        interval = Interval.parse(label)
        # As many instruments at a time as their bars fit in memory.
        step = max(1, _ROWS_AT_ONCE * held // max(rows, 1))
        for lo in range(0, len(ids), step):
            bars = store.bars(
                interval, instruments=[int(i) for i in ids[lo : lo + step]], source=source
            )
            for instrument, days in _sessions(bars, exchange_of):
                name = symbol_of[instrument]
                mine = splits.get(instrument, [])
                yield from _split_findings(name, days, mine, bars.adjusted)
                yield from _gap_findings(name, days, f"{label} {source}")
                if bars.adjusted == "none":
                    _remove_splits(days, mine)
                # Prices without dividends and prices with them do not compare.
                full = bars.adjusted == "all"
                if interval.is_daily:
                    daily[instrument, source, full] = days
                    continue
                for (other, their_source, theirs_full), theirs in daily.items():
                    if (other, theirs_full) == (instrument, full):
                        yield from _close_findings(name, theirs, days, their_source, source)


def _sessions(
    bars: Bars, exchange_of: dict[int, str]
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """Per instrument: one entry a session with its dates, open, close and auction range."""
    if not len(bars):
        return
    raw = price_table(bars, _no_actions(), exchange_of, None)
    regular = raw.phase == Phase.REGULAR
    rank, session = (raw.key >> 32)[regular], raw.session[regular]
    if not len(rank):
        return
    new = np.flatnonzero((np.diff(rank, prepend=-1) != 0) | (np.diff(session, prepend=-1) != 0))
    last = np.append(new[1:], len(rank)) - 1
    opens, closes = raw.open[regular][new], raw.close[regular][last]
    owner, days = rank[new], session[new]
    bounds = np.searchsorted(owner, np.arange(len(raw.instruments) + 1))
    for index, instrument in enumerate(raw.instruments):
        mine = slice(bounds[index], bounds[index + 1])
        cal = calendar(exchange_of[int(instrument)])
        ranges = _auction_ranges(bars, int(instrument), cal.closes[days[mine]])
        yield (
            int(instrument),
            {
                "session": days[mine],
                "date": cal.dates[days[mine]],
                "all_dates": cal.dates,
                "open": opens[mine],
                "close": closes[mine],
                "auction_low": ranges[0],
                "auction_high": ranges[1],
            },
        )


def _splits(actions: pd.DataFrame) -> Splits:
    """(ex-date, ratio) of each instrument's splits; of two sources that report one, the first."""
    known = actions[(actions["kind"] == "split") & actions["instrument_id"].notna()]
    found: Splits = {}
    known = known.drop_duplicates(["instrument_id", "ex_date"])
    dates = pd.to_datetime(known["ex_date"]).to_numpy().astype("datetime64[D]")
    columns = (known["instrument_id"].tolist(), dates, known["value"].tolist())
    for instrument, at, ratio in zip(*columns, strict=True):
        found.setdefault(instrument, []).append((at, ratio))
    return found


def _remove_splits(days: dict[str, np.ndarray], splits: list[tuple[np.datetime64, float]]) -> None:
    """Put one source's closes and auctions into the frame of a split-adjusted one."""
    factor = np.ones(len(days["date"]))
    for at, ratio in splits:
        factor[days["date"] < at] *= ratio
    for name in ("close", "auction_low", "auction_high"):
        days[name] = days[name] / factor


def _auction_ranges(bars: Bars, instrument: int, closes: IntArray) -> tuple[FloatArray, FloatArray]:
    """Low and high of the minute that starts at each close; NaN where there is none."""
    lo, hi = bars.bounds(instrument)
    starts = bars.start[lo:hi]
    place = np.minimum(np.searchsorted(starts, closes), max(len(starts) - 1, 0))
    there = starts[place] == closes
    low: FloatArray = np.where(there, bars.low[lo:hi][place], np.nan)
    high: FloatArray = np.where(there, bars.high[lo:hi][place], np.nan)
    return low, high


def _no_actions() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "action_id": np.array([], dtype=np.int64),
            "instrument_id": np.array([], dtype=np.int64),
            "kind": np.array([], dtype=object),
            "ex_date": pd.to_datetime([]),
            "value": np.array([], dtype=np.float64),
            "source": np.array([], dtype=object),
        }
    )


def _split_findings(
    symbol: str,
    days: dict[str, np.ndarray],
    splits: list[tuple[np.datetime64, float]],
    adjusted: str,
) -> Iterator[Finding]:
    known = np.array([at for at, _ in splits], dtype="datetime64[D]")
    dates, jump = days["date"][1:], days["close"][:-1] / days["open"][1:]
    adjacent = np.diff(days["session"]) == 1
    looks, ratio = split_like(jump)
    if adjusted == "none":
        for i in np.flatnonzero(looks & adjacent & ~np.isin(dates, known)):
            yield (
                "split",
                symbol,
                str(dates[i]),
                (
                    f"close {days['close'][i]:g}, next open {days['open'][i + 1]:g}: looks like a "
                    f"{_ratio_text(ratio[i])} split that is not among the corporate actions"
                ),
            )
    for at, value in splits:
        place = np.searchsorted(days["date"], at)
        if not 0 < place < len(days["date"]):
            continue
        expected = value if adjusted == "none" else 1.0
        seen = days["close"][place - 1] / days["open"][place]
        if abs(np.log(seen / expected)) > np.log(1.35):
            yield (
                "split",
                symbol,
                str(at),
                (
                    f"a split of {value:g} is recorded, but {adjusted!r} prices go from "
                    f"{days['close'][place - 1]:g} to {days['open'][place]:g}"
                ),
            )


def split_like(jump: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Whether close / next open looks like a usual split ratio (N), and which."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.abs(np.log(jump))
    distance = np.abs(size[:, None] - np.log(_RATIOS))
    nearest = distance.argmin(axis=1)
    ratio = np.where(jump > 1, _RATIOS[nearest], 1 / _RATIOS[nearest])
    return distance.min(axis=1) < _SPLIT_WIDTH, ratio


def _ratio_text(ratio: float) -> str:
    return f"{ratio:g}:1" if ratio >= 1 else f"1:{1 / ratio:g}"


def _close_findings(
    symbol: str,
    daily: dict[str, np.ndarray],
    minute: dict[str, np.ndarray],
    daily_source: str,
    minute_source: str,
) -> Iterator[Finding]:
    _, here, there = np.intersect1d(daily["session"], minute["session"], return_indices=True)
    close, last = daily["close"][here], minute["close"][there]
    low = np.fmin(minute["auction_low"][there], last) * (1 - CLOSE_TOLERANCE)
    high = np.fmax(minute["auction_high"][there], last) * (1 + CLOSE_TOLERANCE)
    for i in np.flatnonzero((close < low) | (close > high)):
        yield (
            "close",
            symbol,
            str(daily["date"][here[i]]),
            (
                f"daily close {close[i]:g} ({daily_source}), last regular minute {last[i]:g} "
                f"({minute_source}): {close[i] / last[i] - 1:+.2%}"
            ),
        )


def _gap_findings(symbol: str, days: dict[str, np.ndarray], where: str) -> Iterator[Finding]:
    missing = np.diff(days["session"]) - 1
    for i in np.flatnonzero(missing > 0):
        after = days["all_dates"][days["session"][i] + 1]
        word = "session" if missing[i] == 1 else "sessions"
        yield ("gap", symbol, str(after), f"{missing[i]} {word} without a {where} bar")
