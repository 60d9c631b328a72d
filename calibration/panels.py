"""An event panel of a simulated market without a store, and a strategy's trades on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import pandas as pd

from backtest.demo.market import SOURCE
from backtest.demo.releases import Releases
from backtest.execution import Costs, Fill, FillRules
from backtest.orders import decide
from backtest.outcomes import simulate
from backtest.panel.panel import ContentSource, EventPanel
from backtest.panel.prices import PriceTable, price_table
from backtest.panel.sessions import event_sessions
from backtest.paths import BoolArray, FloatArray, IntArray, Orders, Outcomes
from backtest.strategy import Strategy
from db.bars import Bars
from db.errors import DataError

EXCHANGE = "XNYS"
FREE = Costs(commission=0.0, half_spread=0.0, slippage=0.0, borrow_rate=0.0)
"""Nothing is paid, so that the mean of the null is 0."""
RULES = FillRules()


@dataclass(frozen=True, eq=False)
class Trades:
    """Filled orders of one strategy (n); returns are fractions before costs."""

    gross: FloatArray
    reaction: IntArray
    """Reaction session of each, by which trades of one evening belong together."""
    hold: int
    """Sessions after the reaction session at whose close they end."""
    orders: Orders
    """Of all N events."""
    outcomes: Outcomes

    @property
    def last(self) -> IntArray:
        """Session in which each ends."""
        return self.reaction + self.hold


def release_frame(releases: Releases, symbols: list[str]) -> pd.DataFrame:
    """Releases as `Store.events` would have them, instruments numbered from 0."""
    at = pd.DatetimeIndex(releases.at.astype("datetime64[us]"), tz="UTC")
    frame = pd.DataFrame(
        {
            "event_id": np.arange(len(releases)),
            "instrument_id": releases.instrument,
            "symbol": np.array(symbols, dtype=object)[releases.instrument],
            "exchange": EXCHANGE,
            "announced_from": at,
            "announced_to": at,
            "precision": "exact",
        }
    )
    order = np.argsort(releases.at, kind="stable")
    return frame.iloc[order].reset_index(drop=True)


def bars_table(bars: Bars, symbols: list[str]) -> PriceTable:
    """Bars without corporate actions, as a run would read them."""
    nothing = pd.DataFrame(
        {
            "action_id": np.empty(0, dtype=np.int64),
            "instrument_id": np.empty(0, dtype=np.int64),
            "kind": np.empty(0, dtype=object),
            "ex_date": np.empty(0, dtype="datetime64[us]"),
            "value": np.empty(0),
            "source": np.empty(0, dtype=object),
        }
    )
    return price_table(bars, nothing, dict.fromkeys(range(len(symbols)), EXCHANGE), None)


def join(table: PriceTable, events: pd.DataFrame) -> EventPanel:
    """The panel of ``events`` (see `release_frame`), each of which must be measurable.

    Raises DataError where one has no bars around it.
    """
    sessions = event_sessions(events)
    rank = table.ranks(events["instrument_id"].to_numpy(dtype=np.int64))
    lo = table.at_or_after(rank, sessions.reference_close)
    hi = table.at_or_after(rank, sessions.reaction_close)
    before = table.session[np.maximum(lo - 1, 0)]
    if (rank < 0).any() or (before != sessions.reference).any() or (hi <= lo).any():
        raise DataError("a release without bars around it", where=SOURCE)
    return EventPanel(
        events=events,
        sessions=sessions,
        table=table,
        rank=rank,
        lo=lo,
        hi=hi,
        reference_bar=lo - 1,
        content=ContentSource(_no_content, _no_content, _no_content),
    )


def trade(strategy: Strategy, panel: EventPanel) -> Trades:
    """Decide and fill ``strategy`` on ``panel`` as a run does, free of costs.

    The schedule is known from the reference close on, as it is in the simulated market.
    """
    orders = decide(strategy, panel, panel.sessions.reference_close, RULES).orders
    side = 1 if strategy.side == "long" else -1
    outcomes = simulate(panel.paths, orders, strategy.exits, FREE, RULES, side)
    filled: BoolArray = outcomes.fill == Fill.FILLED
    return Trades(
        gross=outcomes.gross[filled],
        reaction=panel.sessions.reaction[filled],
        hold=strategy.exits.hold,
        orders=orders,
        outcomes=outcomes,
    )


def _no_content(*_: object) -> NoReturn:
    raise DataError("figures and headlines are not drawn here", where=SOURCE)
