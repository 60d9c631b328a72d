"""Which events can be studied: their sessions, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.evidence.event_study.models import NormalReturns
from backtest.paths import BoolArray, FloatArray, IntArray
from db.calendar import calendar
from db.errors import DataError, UsageError

Window = tuple[int, int]
"""First and last offset, in sessions from day 0, both included."""

NO_INSTRUMENT = "no returns of this symbol"
NO_SESSION = "day 0 outside the sessions of the returns"
NO_HISTORY = "not enough history"
NO_FUTURE = "event window ends after the last session"
MISSING_ESTIMATION = "missing days in the estimation window"
MISSING_EVENT = "missing days in the event window"
NO_MODEL = "no market or factor return in the event window"
NO_VARIATION = "returns in the estimation window do not vary"
SINGULAR = "factors in the estimation window determine each other"


@dataclass(frozen=True)
class Windows:
    """The events that can be studied (N), cut out of the returns by session offset."""

    window: Window
    events: pd.DataFrame
    """N rows: ``event_id``, ``symbol``, ``day0`` (the session)."""
    day0: IntArray
    """N: row of day 0 in the returns."""
    estimation: FloatArray
    """N x M returns, NaN missing."""
    event: FloatArray
    """N x L returns, NaN missing."""
    estimation_rows: IntArray
    """N x M rows of the returns."""
    event_rows: IntArray
    """N x L."""
    dropped: pd.DataFrame
    """``event_id``, ``symbol``, ``day0`` (as given), ``reason``, ``detail``."""


def on_sessions(returns: pd.DataFrame, exchange: str | None) -> pd.DataFrame:
    """``returns`` with a row for every session of ``exchange`` between its first and last row.

    Without an exchange the rows themselves are the sessions.  Raises DataError for rows that are
    out of order, repeated, or no session.
    """
    index = returns.index
    if not index.is_unique or not index.is_monotonic_increasing:
        raise DataError("sessions must be in order and each but once", where="returns")
    if returns.columns.has_duplicates:
        raise DataError("a symbol has two columns", where="returns")
    if exchange is None or not len(index):
        return returns
    dates = plain_dates(index)
    sessions = pd.DatetimeIndex(calendar(exchange).dates.astype("datetime64[us]"))
    foreign = dates.difference(sessions)
    if len(foreign):
        raise DataError(
            f"{foreign[0]:%Y-%m-%d} is no session of {exchange}",
            where="returns",
            hint="leave such rows out, or name the exchange they belong to",
        )
    span = sessions[(sessions >= dates[0]) & (sessions <= dates[-1])]
    return returns.set_axis(dates).reindex(span)


def plain_dates(index: pd.Index | pd.Series) -> pd.DatetimeIndex:
    """Calendar dates at midnight, without a zone (that of each stamp's own clock)."""
    stamps = pd.DatetimeIndex(pd.to_datetime(index))
    if stamps.tz is not None:
        stamps = stamps.tz_localize(None)
    return stamps.normalize().as_unit("us")


def cut_windows(
    returns: pd.DataFrame,
    events: pd.DataFrame,
    normal: NormalReturns,
    *,
    estimation: Window,
    window: Window,
    min_history: int | None,
    keep_missing: bool,
) -> Windows:
    """Cut the windows of every event out of ``returns`` (S sessions x symbols).

    Day 0 is the event's ``day0`` or, on a day without a session, the first session after it.
    ``min_history`` is the number of returns needed in the estimation window (None: all of it);
    ``keep_missing`` keeps events with missing days in the event window.
    """
    _check_windows(estimation, window, min_history, normal.parameters)
    table = _event_table(events)
    row = _rows_of(returns.index, table["day0"])
    column = returns.columns.get_indexer(pd.Index(table["symbol"]))
    past = np.arange(estimation[0], estimation[1] + 1)
    near = np.arange(window[0], window[1] + 1)
    needed = len(past) if min_history is None else min_history
    reasons = _Reasons(len(table))
    first = near[0] if min_history is not None else min(past[0], near[0])
    last = max(past[-1], near[-1])
    _drop_outside(reasons, row, column, len(returns), (int(first), int(last)))

    # A day without the market's return is as missing as one without the stock's.
    modelled = np.isfinite(normal.regressors).all(axis=1) & np.isfinite(normal.offset)
    past_rows, near_rows = row[:, None] + past, row[:, None] + near
    before = _pick(returns, modelled, past_rows, column)
    after = _pick(returns, modelled, near_rows, column)
    there = np.isfinite(before).sum(axis=1)
    reasons.drop(
        there < needed,
        MISSING_ESTIMATION if min_history is None else NO_HISTORY,
        [f"{count} of {len(past)} returns, {needed} needed" for count in there],
    )
    gone = ~np.isfinite(after)
    if keep_missing:
        reasons.drop(np.asarray(gone.all(axis=1)), MISSING_EVENT, "all of them")
    else:
        inside = (near_rows >= 0) & (near_rows < len(modelled))
        unmodelled = inside.copy()
        unmodelled[inside] = ~modelled[near_rows[inside]]
        reasons.drop(np.asarray(unmodelled.any(axis=1)), NO_MODEL, _offsets(unmodelled, near))
        reasons.drop(np.asarray(gone.any(axis=1)), MISSING_EVENT, _offsets(gone, near))

    kept = reasons.text == ""
    listed = table.loc[kept, ["event_id", "symbol"]].reset_index(drop=True)
    listed["day0"] = returns.index[row[kept]]
    dropped = table.loc[~kept].assign(reason=reasons.text[~kept], detail=reasons.detail[~kept])
    return Windows(
        window=window,
        events=listed,
        day0=row[kept],
        estimation=before[kept],
        event=after[kept],
        estimation_rows=past_rows[kept],
        event_rows=near_rows[kept],
        dropped=dropped.reset_index(drop=True),
    )


class _Reasons:
    """The first reason against each event (N); "" for those with none."""

    def __init__(self, n: int) -> None:
        self.text = np.full(n, "", dtype=object)
        self.detail = np.full(n, "", dtype=object)

    def drop(self, mask: BoolArray, why: str, detail: Sequence[str] | str = "") -> None:
        for i in np.flatnonzero(mask & (self.text == "")).tolist():
            self.text[i] = why
            self.detail[i] = detail if isinstance(detail, str) else detail[i]


def _drop_outside(
    reasons: _Reasons, row: IntArray, column: IntArray, size: int, needed: Window
) -> None:
    """Drop events without a column, and those whose windows leave the S = ``size`` sessions."""
    reasons.drop(column < 0, NO_INSTRUMENT)
    reasons.drop((row < 0) | (row >= size), NO_SESSION)
    back = max(-needed[0], 0)
    short = [f"{count} sessions before day 0, {back} needed" for count in row]
    reasons.drop(row < back, NO_HISTORY, short)
    reasons.drop(row + needed[1] >= size, NO_FUTURE)


def _pick(
    returns: pd.DataFrame, modelled: BoolArray, rows: IntArray, column: IntArray
) -> FloatArray:
    """Returns at ``rows`` (N x days) of each event's column; NaN where there is none."""
    values = returns.to_numpy(dtype=np.float64)
    there = (rows >= 0) & (rows < len(values)) & (column >= 0)[:, None]
    event, day = np.nonzero(there)
    at = rows[event, day]
    found = np.where(modelled[at], values[at, column[event]], np.nan)
    out = np.full(rows.shape, np.nan)
    out[event, day] = np.where(np.isfinite(found), found, np.nan)
    return out


def _check_windows(
    estimation: Window, window: Window, min_history: int | None, parameters: int
) -> None:
    for name, (first, last) in (("estimation", estimation), ("window", window)):
        if last < first:
            raise UsageError(f"{name} ends before it begins: {(first, last)}")
    if estimation[1] >= window[0] and estimation[0] <= window[1]:
        raise UsageError(
            f"estimation window {estimation} and event window {window} share sessions",
            hint="end the estimation before the event window begins, such as (-130, -11)",
        )
    length = estimation[1] - estimation[0] + 1
    needed = length if min_history is None else min_history
    if not parameters + 3 <= needed <= length:
        # Patell's variance needs more than two degrees of freedom left.
        raise UsageError(
            f"{needed} returns to estimate from; at least {parameters + 3} and at most the "
            f"{length} of the estimation window",
            where="min_history",
        )


def _event_table(events: pd.DataFrame) -> pd.DataFrame:
    for name in ("symbol", "day0"):
        if name not in events:
            raise UsageError(f"events have no column {name!r}", hint="columns symbol and day0")
    table = events[["symbol", "day0"]].reset_index(drop=True)
    ids = events["event_id"].to_numpy() if "event_id" in events else np.arange(len(events))
    table.insert(0, "event_id", ids)
    return table


def _rows_of(index: pd.Index, day0: pd.Series) -> IntArray:
    """Row of the first session on or after each day 0; -1 before the first, S after the last."""
    if not len(index):
        return np.full(len(day0), -1, dtype=np.int64)
    dates, wanted = index, pd.Index(day0)
    if isinstance(index, pd.DatetimeIndex):
        dates, wanted = plain_dates(index), plain_dates(day0)
    row = np.asarray(dates.searchsorted(wanted), dtype=np.int64)
    unknown = np.asarray(pd.isna(wanted)) | np.asarray(wanted < dates[0])
    return np.where(unknown, -1, row)


def _offsets(gone: BoolArray, offsets: IntArray) -> list[str]:
    """``-1, 0`` for each event's missing days."""
    return [", ".join(f"{o:+d}" if o else "0" for o in offsets[days]) for days in gone]
