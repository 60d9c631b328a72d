"""The bars of a study: not the events' alone, since quiet nights and estimation need the rest."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from backtest.panel.prices import PriceTable, price_table
from backtest.panel.sessions import to_us
from backtest.studies.options import Options
from db.intervals import DAY, MINUTE

if TYPE_CHECKING:
    from db.store import Store

_SESSIONS_A_DAY = 1.6
"""Calendar days that a session takes at the most, holidays included, over a month or more."""


def study_table(store: Store, events: pd.DataFrame, options: Options) -> PriceTable:
    """Every bar of the events' companies, within reach of the span that was asked for.

    Daily bars are those of all companies of the source: their mean is the market.
    """
    known = store.instruments()
    exchange_of = dict(zip(known["instrument_id"], known["exchange"], strict=True))
    ids = {int(i) for i in events["instrument_id"].dropna().unique()}
    source = options.source
    if options.abnormal.market and options.abnormal.market.lower() != "equal":
        market = store.resolve(options.abnormal.market, None)
        ids |= {market} if market is not None else set()
    held = store.bar_sources()
    sources = held.loc[held["interval"] == options.interval.value, "source"].unique()
    if source is None and len(sources) == 1:
        source = str(sources[0])
    since, until = _reach(options)
    everything = options.interval.is_daily and options.event_study
    wanted = None if everything and source is not None else sorted(ids)
    bars = store.bars(
        options.interval, instruments=wanted, since_us=since, until_us=until, source=source
    )
    if everything and source is None and bars.source:
        bars = store.bars(options.interval, since_us=since, until_us=until, source=bars.source)
    return price_table(bars, store.actions(), exchange_of, None)


def _reach(options: Options) -> tuple[int | None, int | None]:
    """Bars needed before and after the span, with room for a halted stock's next bar."""
    window = options.abnormal.window or (0, 20)
    back = max(-options.abnormal.estimation[0], 21) if options.event_study else 21
    ahead = max(options.hold, window[1], 1)
    since = None if options.since is None else us(options.since) - _days(back)
    until = None if options.until is None else us(options.until) + _days(ahead)
    return since, until


def _days(sessions: int) -> int:
    return int(sessions * _SESSIONS_A_DAY + 45) * DAY


def us(moment: datetime) -> int:
    """Microseconds since the epoch."""
    return int(to_us(pd.Series([pd.Timestamp(moment)]))[0])


FOREVER = (-(1 << 61) // MINUTE * MINUTE, (1 << 61) // MINUTE * MINUTE)
"""A span that everything lies in (us)."""
