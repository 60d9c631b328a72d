"""Regular closes of whole instruments over a span: what buying and holding them would have earned.

Minute bars are read one instrument at a time, so that the span may be years.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from backtest.account.assembly import regular_closes
from backtest.panel.prices import PriceTable, price_table
from backtest.paths import FloatArray, IntArray
from db.intervals import DAY, Interval

if TYPE_CHECKING:
    from db.store import Store


def session_closes(
    store: Store,
    interval: Interval,
    instruments: IntArray,
    at: IntArray,
    *,
    source: str | None,
    version: int | None,
) -> tuple[FloatArray, FloatArray]:
    """(closes, dividends), both marks x instruments, in one frame an instrument.

    A close is NaN where the instrument did not trade that session; a dividend is the cash a
    share that went ex since the mark before.
    """
    known = store.instruments()
    exchange_of = dict(zip(known["instrument_id"], known["exchange"], strict=True))
    actions = store.actions()
    chunk = len(instruments) if interval.is_daily else 1
    closes, dividends = [], []
    for lo in range(0, len(instruments), max(chunk, 1)):
        ids = instruments[lo : lo + chunk]
        bars = store.bars(
            interval,
            instruments=[int(i) for i in ids],
            since_us=int(at[0]) - DAY,
            until_us=int(at[-1]) + DAY,
            source=source,
            version=version,
        )
        table = price_table(bars, actions, exchange_of, None)
        close, paid = _closes_and_dividends(table, table.ranks(ids), at)
        closes.append(close)
        dividends.append(paid)
    if not closes:
        return np.empty((len(at), 0)), np.empty((len(at), 0))
    return np.column_stack(closes), np.column_stack(dividends)


def _closes_and_dividends(
    table: PriceTable, ranks: IntArray, at: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Both marks x instruments; rank -1 (no bars) is a column of NaN."""
    marks, owner = np.repeat(at, len(ranks)), np.tile(ranks, len(at))
    shape = (len(at), len(ranks))
    close = np.where(owner >= 0, regular_closes(table, owner, marks), np.nan).reshape(shape)
    paid = np.concatenate([[0.0], table.paid])
    upto = np.where(owner >= 0, paid[table.at_or_after(owner, marks)], 0.0).reshape(shape)
    before = np.vstack([paid[table.first_bar(ranks)] * (ranks >= 0), upto[:-1]])
    return close, upto - before
