"""Frames of trades: what each fill was, why it ended and what it earned."""

from __future__ import annotations

import numpy as np
import pandas as pd

from backtest.evidence.average_path import clustered_mean
from backtest.execution import ExitReason, Fill, OrderKind
from backtest.panel.panel import EventPanel
from backtest.panel.sessions import from_us
from backtest.paths import BoolArray, FloatArray, IntArray, Orders, Outcomes
from db.calendar import Phase, calendar

DELISTED = -0.30
"""Shumway (1997): mean return of delistings for cause that the data leave out."""
BIG_GAIN = 0.10
"""The gain that the program is about: a target as an order, an outcome as a statistic."""


def signal_frame(
    panel: EventPanel,
    orders: Orders,
    outcomes: Outcomes,
    side: int,
    *,
    limit_offset: float,
    rank: FloatArray,
    same_print: np.ndarray,
    assumed: BoolArray,
    late_estimate: BoolArray,
    content: dict[str, FloatArray],
) -> pd.DataFrame:
    """One row a fill, whether or not the account had a slot for it, in the panel's order.

    Prices are as traded at the reference close (later splits removed); instants are UTC;
    ``return_gross`` is before costs, ``return_net`` after them, ``return_other`` what it would
    have been had the target been touched before the stop in an ambiguous bar.
    """
    rows = np.flatnonzero(outcomes.fill == Fill.FILLED)
    scale, s, table = panel.scale[rows], panel.sessions, panel.table
    entry, leave = outcomes.entry_bar[rows], outcomes.exit_bar[rows]
    frame = panel.events.loc[rows, ["event_id", "instrument_id", "symbol", "fiscal_period"]]
    return frame.reset_index(drop=True).assign(
        side="long" if side > 0 else "short",
        reference_date=_session_dates(panel, s.reference)[rows],
        reference_close=np.asarray(panel.reference)[rows, 0],
        reaction_date=_session_dates(panel, s.reaction)[rows],
        decided_at=from_us(orders.decided_at[rows]),
        order=[OrderKind(k).name.lower() for k in orders.kind[rows]],
        limit_price=_limits(orders, limit_offset, side)[rows] * scale,
        entry_at=from_us(outcomes.entry_at[rows]),
        entry_phase=[Phase(p).label for p in table.phase[entry]],
        entry_price=outcomes.entry_price[rows] * scale,
        entry_mid=outcomes.entry_mid[rows] * scale,
        exit_at=from_us(outcomes.exit_at[rows]),
        exit_phase=[Phase(p).label for p in table.phase[leave]],
        exit_price=outcomes.exit_price[rows] * scale,
        exit_mid=outcomes.exit_mid[rows] * scale,
        reason=[ExitReason(r).label for r in outcomes.reason[rows]],
        reaction_close=table.close[panel.hi - 1][rows] * scale,
        sessions_held=table.session[leave] - table.session[entry],
        dividends=outcomes.dividends[rows] * scale,
        return_gross=outcomes.gross[rows],
        return_net=outcomes.net[rows],
        return_other=outcomes.net_other[rows],
        ambiguous=outcomes.ambiguous[rows],
        assumed=assumed[rows],
        late_estimate=late_estimate[rows],
        unknown_volume=outcomes.unknown_volume[rows],
        same_print=same_print[rows],
        rank=rank[rows],
        **{name: values[rows] for name, values in content.items()},
    )


def _limits(orders: Orders, offset: float, side: int) -> FloatArray:
    """The limit that each order stood at in the market (N), NaN for market orders."""
    moved = np.where(orders.kind == OrderKind.LIMIT, 1 + side * offset, 1.0)
    return orders.limit * moved


def _session_dates(panel: EventPanel, sessions: IntArray) -> np.ndarray:
    names = np.array(panel.sessions.exchange, dtype=object)
    # Parquet, and so the ledger, keeps microseconds as they are and seconds not.
    out = np.full(len(sessions), np.datetime64("NaT"), dtype="datetime64[us]")
    for name in sorted(set(names)):
        mine = names == name
        out[mine] = calendar(str(name)).dates[sessions[mine]]
    return out


def trade_summary(trades: pd.DataFrame) -> dict[str, float]:
    """What the trades earned, each label with its unit; NaN where there is nothing to say.

    The interval of the mean is clustered by reaction date: companies that report on one evening
    move together.
    """
    net = trades["return_net"].to_numpy(dtype=np.float64)
    dates = trades["reaction_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    mean, low, high, n = clustered_mean(net, dates)
    gross = trades["return_gross"].to_numpy(dtype=np.float64)
    gains, losses = net[net > 0].sum(), -net[net < 0].sum()
    ended = (trades["reason"] == ExitReason.DATA_ENDED.label).to_numpy()
    nan = float("nan")
    return {
        "Trades": float(n),
        "Evenings (reaction dates)": float(len(np.unique(dates))),
        "Mean net return [%]": mean * 100,
        "Mean net return, low 95 % by date [%]": low * 100,
        "Mean net return, high 95 % by date [%]": high * 100,
        "Median net return [%]": float(np.median(net)) * 100 if n else nan,
        "Mean return before costs [%]": trades["return_gross"].mean() * 100 if n else nan,
        "Standard deviation [%]": float(net.std(ddof=1)) * 100 if n > 1 else nan,
        "Win rate [%]": float((net > 0).mean()) * 100 if n else nan,
        "Profit factor": float(gains / losses) if losses else nan,
        "Gained 10 % or more before costs [%]": float((gross >= BIG_GAIN - 1e-9).mean()) * 100
        if n
        else nan,
        "Break-even cost, extra a side [bp]": break_even(trades) * 10_000,
        "Ambiguous trades": float(trades["ambiguous"].sum()),
        "Mean net return, target first in those [%]": trades["return_other"].mean() * 100
        if n
        else nan,
        "Trades on assumed knowledge": float(trades["assumed"].sum()),
        "Trades on estimates not point in time": float(trades["late_estimate"].sum()),
        "Fills in bars of unknown volume": float(trades["unknown_volume"].sum()),
        "Fills at the print that was read": float(trades["same_print"].sum()),
        "Data ended while held": float(ended.sum()),
        "Mean net return, those at -30 % [%]": float(np.where(ended, DELISTED, net).mean()) * 100
        if n
        else nan,
    }


def break_even(trades: pd.DataFrame) -> float:
    """Extra cost a side (fraction) at which the mean trade earns nothing, fills unchanged."""
    if trades.empty:
        return float("nan")
    sides = 1 + (trades["exit_price"] / trades["entry_price"]).mean()
    return float(trades["return_net"].mean() / sides)


def exit_reasons(trades: pd.DataFrame) -> pd.DataFrame:
    """Trades and mean net return by exit reason: ``reason``, ``trades``, ``mean_return``."""
    if trades.empty:
        return pd.DataFrame({"reason": [], "trades": [], "mean_return": []})
    groups = trades.groupby("reason", sort=False)["return_net"]
    frame = groups.agg(trades="size", mean_return="mean").reset_index()
    return frame.sort_values("trades", ascending=False, ignore_index=True)
