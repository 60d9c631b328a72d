"""What online sources were asked for and had nothing of: "no data" is never "no move"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.data_check.prices import Finding
from backtest.panel.sessions import to_us
from backtest.paths import BoolArray, IntArray
from db.calendar import Calendar, Phase, calendar
from db.intervals import Interval

if TYPE_CHECKING:
    from db.store import Store

_SHOWN = 3
_NOBODY = -1


def answer_findings(store: Store, symbols: list[str] | None) -> Iterator[Finding]:
    """One finding for each symbol, interval, source and phase that lacks days asked for."""
    asked = store.fetches()
    asked = asked[(asked["kind"] == "prices") & (asked["status"] == "done")]
    if asked.empty:
        return
    known = store.instruments().set_index("instrument_id")
    by = ["instrument_id", "nobody", "interval", "stored_as"]
    for key, answers in _owned(store, asked).groupby(by, sort=True):
        number, symbol, exchange = cast(int, key[0]), str(key[1]), "XNYS"
        if not symbol:
            symbol, exchange = str(known.at[number, "symbol"]), str(known.at[number, "exchange"])
        if symbols is not None and symbol not in symbols:
            continue
        interval, source = Interval.parse(str(key[2])), str(key[3])
        cal = calendar(exchange)
        starts = _starts(store, interval, number, source)
        for phase in (Phase.PRE, Phase.REGULAR, Phase.POST):
            wanted = _asked_sessions(cal, interval, answers, phase)
            empty = wanted & ~_sessions_with_bars(cal, interval, starts, phase)
            if empty.any():
                yield _finding(
                    symbol, cal, wanted, empty, f"{interval.value} {phase.label}", source
                )


def _owned(store: Store, asked: pd.DataFrame) -> pd.DataFrame:
    """The answers with their instruments; ``nobody`` is a subject of which nothing ever came.

    What was answered before the first row came had no instrument yet.
    """
    subjects = asked["subject"].unique().tolist()
    now = dict(zip(subjects, store.resolve_many(subjects), strict=True))
    mine = asked["instrument_id"].fillna(asked["subject"].map(now).astype("Int64"))
    nobody = asked["subject"].where(mine.isna(), "")
    return asked.assign(instrument_id=mine.fillna(_NOBODY).astype("int64"), nobody=nobody)


def _starts(store: Store, interval: Interval, instrument: int, source: str) -> IntArray:
    held = store.bar_sources()
    if not ((held["interval"] == interval.value) & (held["source"] == source)).any():
        return np.empty(0, dtype=np.int64)
    return store.bars(interval, instruments=[instrument], source=source).start


def _asked_sessions(
    cal: Calendar, interval: Interval, answers: pd.DataFrame, phase: Phase
) -> BoolArray:
    """Which sessions have this phase wholly inside a range that was answered."""
    bounds = {
        Phase.PRE: (cal.pre_start, cal.opens),
        Phase.REGULAR: (cal.opens, cal.closes),
        Phase.POST: (cal.closes, cal.post_end),
    }
    begins, ends = bounds[phase]
    if interval.is_daily:
        begins = cal.local_midnights(cal.dates)
    found = np.zeros(len(cal), dtype=np.bool_)
    mine = answers[[phase.label in phases.split(",") for phases in answers["phases"]]]
    for since, until in _joined(to_us(mine["since"]), to_us(mine["until"])):
        found |= (begins >= since) & (ends <= until) & (begins < ends)
    return found


def _joined(since: IntArray, until: IntArray) -> list[list[int]]:
    """Ranges put together where they meet: who asks at noon each day asked for whole days."""
    spans: list[list[int]] = []
    for begin, end in sorted(zip(since.tolist(), until.tolist(), strict=True)):
        if spans and begin <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([begin, end])
    return spans


def _sessions_with_bars(
    cal: Calendar, interval: Interval, starts: IntArray, phase: Phase
) -> BoolArray:
    if interval.is_daily:
        sessions = cal.index_of_dates(cal.local_dates(starts))
    else:
        sessions = cal.session_of(starts[cal.phases(starts, interval) == phase])
    found = np.zeros(len(cal), dtype=np.bool_)
    found[sessions[sessions >= 0]] = True
    return found


def _finding(
    symbol: str, cal: Calendar, wanted: BoolArray, empty: BoolArray, what: str, source: str
) -> Finding:
    days: npt.NDArray[np.datetime64] = cal.dates[empty]
    shown = ", ".join(str(day) for day in days[:_SHOWN])
    more = f" and {len(days) - _SHOWN:,} more" if len(days) > _SHOWN else ""
    text = f"{source} had no {what} bars on {len(days):,} of {wanted.sum():,} sessions asked for"
    return ("asked", symbol, str(days[0]), f"{text}: {shown}{more}")
