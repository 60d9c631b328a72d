"""What an event study reads, from the price table and events of the store.

Columns and events are matched by ``symbol``, which here is the instrument's id unless ``names``
says how to call it: symbols change hands, instruments do not.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.evidence.event_study.phases import PHASES, phase_returns
from backtest.panel.prices import PriceTable
from backtest.panel.sessions import event_sessions
from backtest.paths import FloatArray, IntArray
from db.calendar import Phase, calendar
from db.errors import UsageError

Names = Mapping[int, str]


def study_events(events: pd.DataFrame, names: Names | None = None) -> pd.DataFrame:
    """``event_id``, ``symbol`` and ``day0`` (date) of ``events`` as `Store.events` has them.

    Day 0 is the reaction session, for a bare date the first session on or after it.  Events
    without an instrument get the symbol None, and are dropped by the study with that reason.
    """
    sessions = event_sessions(events)
    days = np.empty(len(events), dtype="datetime64[us]")
    exchange = np.array(sessions.exchange, dtype=object)
    for name in sorted(set(sessions.exchange)):
        mine = exchange == name
        days[mine] = calendar(name).dates[sessions.day0[mine]]
    symbol = [None if pd.isna(i) else _name(int(i), names) for i in events["instrument_id"]]
    return pd.DataFrame(
        {
            "event_id": events["event_id"].to_numpy(),
            "symbol": pd.Series(symbol, dtype=object),
            "day0": pd.DatetimeIndex(days),
        }
    )


def session_returns(
    table: PriceTable, exchange: str = "XNYS", names: Names | None = None
) -> pd.DataFrame:
    """Close-to-close total returns (fractions), sessions of ``exchange`` x instruments.

    Splits are out of the table's prices already; dividends are reinvested on the ex-date.  The
    close is that of the last regular bar of the session; a session without one is NaN, and so is
    the return of the session after it.  The rows run over every session between the first and
    last bar.
    """
    cal = calendar(exchange)
    wealth = total_return_index(table)
    regular = table.phase == Phase.REGULAR
    if not regular.any():
        return pd.DataFrame(index=pd.DatetimeIndex([]))
    first, last = int(table.session[regular].min()), int(table.session[regular].max())
    closes = np.full((last - first + 1, len(table.instruments)), np.nan)
    rank = _rank(table)
    # Bars are in order of time: the last one of a session is written last.
    closes[table.session[regular] - first, rank[regular]] = wealth[regular]
    returns = np.full_like(closes, np.nan)
    returns[1:] = closes[1:] / closes[:-1] - 1
    index = pd.DatetimeIndex(cal.dates[first : last + 1].astype("datetime64[us]"), name="session")
    columns = [_name(int(i), names) for i in table.instruments]
    return pd.DataFrame(returns, index=index, columns=pd.Index(columns, dtype=object))


def returns_by_phase(
    table: PriceTable, exchange: str = "XNYS", names: Names | None = None
) -> dict[str, pd.DataFrame]:
    """Phase -> total returns, sessions x instruments, for `event_study_by_phase`.

    See `phase_returns`.  UsageError for daily bars.
    """
    cal, wealth, rank = calendar(exchange), total_return_index(table), _rank(table)
    frames = {}
    for place, instrument in enumerate(table.instruments):
        mine = rank == place
        name = _name(int(instrument), names)
        frames[name] = phase_returns(table.start[mine], wealth[mine], cal, table.interval)
    spans = [frame.index for frame in frames.values() if len(frame)]
    if not spans:
        return {p.label: pd.DataFrame(index=pd.DatetimeIndex([])) for p in PHASES}
    low, high = min(i[0] for i in spans), max(i[-1] for i in spans)
    sessions = pd.DatetimeIndex(cal.dates.astype("datetime64[us]"), name="session")
    index = sessions[(sessions >= low) & (sessions <= high)]
    return {
        p.label: pd.DataFrame(
            {name: frame[p.label].reindex(index) for name, frame in frames.items()}
        )
        for p in PHASES
    }


def total_return_index(table: PriceTable) -> FloatArray:
    """M: what one unit of each instrument's first close is worth at each bar's close.

    Dividends are reinvested at the close of the bar on which the share went ex.
    """
    if not len(table):
        return np.empty(0)
    begins = np.concatenate([[True], np.diff(_rank(table)) != 0])
    step = np.ones(len(table))
    step[1:] = (table.close[1:] + table.dividend[1:]) / table.close[:-1]
    step[begins] = 1.0
    growth = np.cumsum(np.log(step))
    start = np.maximum.accumulate(np.where(begins, np.arange(len(table)), 0))
    return np.asarray(np.exp(growth - growth[start]))


def equal_weighted(returns: pd.DataFrame, *, least: int = 5) -> pd.Series:
    """Mean return of all columns by session, a market where there is no index.

    NaN on sessions with fewer than ``least`` of them.  UsageError below 2.
    """
    if least < 2:
        raise UsageError(f"a market of at least 2 symbols, not {least}")
    return returns.mean(axis=1).where(returns.notna().sum(axis=1) >= least)


def _rank(table: PriceTable) -> IntArray:
    """M: place of each bar's instrument in ``table.instruments``."""
    ranks = np.arange(len(table.instruments), dtype=np.int64)
    return np.repeat(ranks, table.last_bar_end(ranks) - table.first_bar(ranks))


def _name(instrument: int, names: Names | None) -> object:
    return instrument if names is None else names.get(instrument, str(instrument))
