"""Holds whose trades would see more bars in a sweep's panel than in a panel of their own.

A panel of bars shorter than a day keeps those near its events alone: up to the end of the longest
hold and 45 days more.  Where a stock is halted for longer than that after a shorter hold, a run of
that hold alone finds its data ended, and the sweep's panel shows the bars after the halt.
"""

from __future__ import annotations

import numpy as np

from backtest.panel.build import LEAD
from backtest.paths import IntArray
from backtest.sweeps.kernel import NEVER
from backtest.sweeps.measure import Combined
from db.calendar import calendar

_BLOCK = 4096


def holds_cut_short(combined: Combined) -> IntArray:
    """The holds, but for the longest, that have such a trade; they need a panel of their own."""
    panel, holds = combined.market.panel, combined.levels.holds
    if panel.interval.is_daily or len(holds) < 2:
        return np.zeros(0, dtype=np.int64)
    names = np.array(panel.sessions.exchange, dtype=object)
    found = np.zeros(len(holds), dtype=np.bool_)
    for part in combined.parts:
        tables = part.tables
        for lo in range(0, len(tables.fills), _BLOCK):
            rows = np.arange(lo, min(lo + _BLOCK, len(tables.fills)))
            keys = tables.tables_of(rows, combined.levels.awake[0]).hold_keys
            event = tables.fills.event[rows]
            bar = np.where(keys == NEVER, 0, keys >> 3)
            left = np.where(keys == NEVER, 0, tables.paths.start[bar])
            for name in sorted(set(panel.sessions.exchange)):
                mine = (names == name)[event]
                closes = calendar(str(name)).closes
                last = tables.paths.reaction_session[event[mine], None] + holds + 1
                reach = closes[np.clip(last, 0, len(closes) - 1)] + LEAD
                found |= (left[mine] >= reach).any(axis=0)
    found[-1] = False
    return holds[found]
