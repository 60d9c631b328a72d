"""How much of a result hangs on speed: the same decisions, each one traded bar later."""

from __future__ import annotations

import numpy as np
import pandas as pd

from backtest.execution import Costs, Fill, FillRules, OrderKind
from backtest.orders import Decisions, lives
from backtest.outcomes import simulate
from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, Orders
from backtest.strategy import Strategy
from db.intervals import MINUTE

AS_DECIDED = "as decided"
LATER = "one bar later"


def speed_frame(
    strategy: Strategy, panel: EventPanel, decisions: Decisions, costs: Costs, rules: FillRules
) -> pd.DataFrame:
    """Orders, fills and mean net return of all fills, as decided and one traded bar later.

    Columns ``when, orders, fills, mean_net`` (a fraction, NaN without a fill).
    """
    side = 1 if strategy.side == "long" else -1
    now = simulate(panel.paths, decisions.orders, strategy.exits, costs, rules, side)
    filled = now.fill == Fill.FILLED
    later = one_bar_later(strategy, panel, decisions, rules, filled)
    then = simulate(panel.paths, later, strategy.exits, costs, rules, side)
    rows = []
    for when, orders, outcomes in ((AS_DECIDED, decisions.orders, now), (LATER, later, then)):
        net = outcomes.net[outcomes.fill == Fill.FILLED]
        rows.append(
            {
                "when": when,
                "orders": int((orders.kind != OrderKind.NONE).sum()),
                "fills": len(net),
                "mean_net": float(net.mean()) if len(net) else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def one_bar_later(
    strategy: Strategy,
    panel: EventPanel,
    decisions: Decisions,
    rules: FillRules,
    filled: BoolArray,
) -> Orders:
    """Orders of decisions made one traded bar later than ``decisions`` (N).

    A decision at a bar's end is made at the end of the instrument's next bar, one at an open at
    the next open.  A limit-on-open order that was ``filled`` becomes a market order once its
    opening bar has ended: whoever missed the auction buys after it.  Out of bars: no order.
    """
    table, was = panel.table, decisions.orders
    if not len(table):
        return was
    auction = was.kind == OrderKind.LIMIT_ON_OPEN
    decided_on = panel.bar[np.arange(len(panel)), np.maximum(decisions.column, 0)]
    by_open = ~auction & (was.decided_at == table.start[decided_on])
    bar = np.where(auction, was.from_bar, decided_on + 1)
    placed = (was.kind != OrderKind.NONE) & (filled | ~auction)
    placed &= (bar >= 0) & (bar < table.last_bar_end(panel.rank))
    bar = np.where(placed, bar, 0)
    decided = np.where(by_open, table.start[bar], table.end[bar])
    kind, expires = lives(strategy, panel, decided, rules)
    same = decisions.same_print
    kind = np.where(same, OrderKind.SAME_PRINT, kind)
    expires = np.where(same, decided + MINUTE, expires)
    placed &= kind != OrderKind.NONE
    seen = np.where(by_open, table.open[bar], table.close[bar])
    return Orders(
        kind=np.where(placed, kind, OrderKind.NONE).astype(np.int8),
        decided_at=decided,
        expires_at=expires,
        from_bar=np.where(placed, bar + np.where(same, 0, 1), -1),
        limit=np.where(placed & (kind == OrderKind.LIMIT), seen, np.nan),
    )
