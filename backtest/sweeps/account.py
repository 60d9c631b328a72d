"""The best combinations in the ordinary account: slots, cash and one position an instrument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.account.allocation import SlotStatus
from backtest.account.assembly import account_candidates, main_calendar, session_marks
from backtest.account.portfolio import keep_account
from backtest.account.statistics import MAX_DRAWDOWN, SHARPE, TOTAL_RETURN, account_statistics
from backtest.execution import Fill, OrderKind
from backtest.orders import decide, rank_values
from backtest.outcomes import simulate
from backtest.panel.sessions import to_us
from backtest.settings import RunSettings
from backtest.strategy import Strategy
from backtest.sweeps.measure import Market

if TYPE_CHECKING:
    import pandas as pd


def account_row(
    strategy: Strategy, market: Market, settings: RunSettings, events: pd.DataFrame
) -> dict[str, Any]:
    """One strategy through the steps of an ordinary run, from its decisions to its account.

    ``events`` are all of the selection, those without a panel row included.
    """
    panel, side = market.panel, 1 if strategy.side == "long" else -1
    decisions = decide(strategy, panel, market.known, market.rules)
    decisions.orders.kind[market.filtered] = OrderKind.NONE
    outcomes = simulate(
        panel.paths, decisions.orders, strategy.exits, market.costs, market.rules, side
    )
    ranks = rank_values(strategy, panel, decisions)
    candidates, rows = account_candidates(
        panel, decisions.orders, outcomes, ranks, market.costs, side
    )
    idle_at = int(to_us(events["announced_from"]).min(initial=0))
    marks = session_marks(main_calendar(panel), panel, candidates, rows, idle_at)
    account = keep_account(candidates, marks, settings.account)
    measured = account_statistics(account)
    status = account.allocation.status
    filled = candidates.filled
    taken = filled & (status == SlotStatus.ACCEPTED)
    net = outcomes.net[rows]
    each = outcomes.net[outcomes.fill == Fill.FILLED]
    nothing = float("nan")
    return {
        "trades": len(each),
        "mean": float(each.mean()) if len(each) else nothing,
        "account_trades": int(taken.sum()),
        "account_mean": float(net[taken].mean()) if taken.any() else nothing,
        "difference": float(net[taken].mean() - each.mean()) if taken.any() else nothing,
        "no_slot": int((filled & (status == SlotStatus.NO_SLOT)).sum()),
        "already_held": int((filled & (status == SlotStatus.ALREADY_HELD)).sum()),
        "no_cash": int((filled & (status == SlotStatus.NO_CASH)).sum()),
        "account_return": measured[TOTAL_RETURN] / 100,
        "account_sharpe": measured[SHARPE],
        "account_drawdown": measured[MAX_DRAWDOWN] / 100,
        "seed_decides": bool(np.any(account.allocation.lost_draw)),
    }
