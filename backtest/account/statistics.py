"""What the account earned and at what risk, from its equity at the regular closes alone.

Every label carries its unit.  A year is 252 sessions; the risk-free rate is 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from backtest.account.portfolio import SESSIONS_A_YEAR, Account, ReturnMeasures, measure_returns
from backtest.paths import BoolArray, FloatArray
from db.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

SESSIONS = "Sessions"
FINAL_EQUITY = "Final equity [account currency]"
TOTAL_RETURN = "Total return [%]"
ANNUAL_RETURN = "Annual return, compound [% a year]"
VOLATILITY = "Volatility [% a year]"
SHARPE = f"Sharpe ratio [a year of {SESSIONS_A_YEAR} sessions]"
SORTINO = f"Sortino ratio [a year of {SESSIONS_A_YEAR} sessions]"
MAX_DRAWDOWN = "Max drawdown [%]"
DRAWDOWN_DURATION = "Max drawdown, peak to recovery or end [sessions]"
EXPOSURE = "Mean exposure at the close [% of equity]"
TIME_IN_MARKET = "Sessions with a position [%]"


def daily_returns(equity: FloatArray, cash: float) -> FloatArray:
    """Simple returns from close to close (M), the first from the starting ``cash``.

    NaN from the first close on at which nothing is left (short positions can lose it all).
    """
    before = np.concatenate([[cash], equity[:-1]])
    alive = np.logical_and.accumulate(before > 0)
    returns = np.full(len(equity), np.nan)
    returns[alive] = equity[alive] / before[alive] - 1
    return returns


def drawdown_sessions(equity: FloatArray, cash: float) -> int:
    """Length of the deepest drawdown, from its peak to the close that regains it, or the end.

    Of equally deep ones the first; 0 without any.
    """
    path = np.concatenate([[cash], equity])
    peak = np.maximum.accumulate(path)
    valley = int(np.argmin(path / peak))
    if path[valley] >= peak[valley]:
        return 0
    start = int(np.flatnonzero(path[: valley + 1] == peak[valley])[-1])
    regained = np.flatnonzero(path[valley:] >= peak[valley])
    end = valley + int(regained[0]) if len(regained) else len(path) - 1
    return end - start


def statistics(
    equity: FloatArray,
    cash: float,
    *,
    invested: FloatArray | None = None,
    in_market: BoolArray | None = None,
) -> dict[str, float]:
    """Label -> value of an account that started with ``cash``; NaN where undefined.

    ``equity`` (M): at each regular close.  ``invested`` (M): value of the positions then, shorts
    counted as positive.  ``in_market`` (M): a position was open since the close before; trades
    that never see a close show here alone.

    Raises DataError where the equity is empty or not finite.
    """
    if not len(equity) or not np.isfinite(equity).all():
        raise DataError("the equity is empty or has gaps", where="statistics")
    measured: ReturnMeasures = measure_returns(daily_returns(equity, cash))
    percent = 100.0
    exposure = time_in_market = float("nan")
    if invested is not None and (equity > 0).all():
        exposure = float(np.mean(invested / equity)) * percent
    if in_market is not None:
        time_in_market = float(np.mean(in_market)) * percent
    return {
        SESSIONS: float(len(equity)),
        FINAL_EQUITY: float(equity[-1]),
        TOTAL_RETURN: (float(equity[-1]) / cash - 1) * percent,
        ANNUAL_RETURN: measured.annual * percent,
        VOLATILITY: measured.volatility * percent,
        SHARPE: measured.sharpe,
        SORTINO: measured.sortino,
        MAX_DRAWDOWN: measured.max_drawdown * percent,
        DRAWDOWN_DURATION: float(drawdown_sessions(equity, cash)),
        EXPOSURE: exposure,
        TIME_IN_MARKET: time_in_market,
    }


def account_statistics(account: Account) -> dict[str, float]:
    """`statistics` of an account, from vectorbt's equity."""
    return statistics(
        np.asarray(account.equity, dtype=np.float64),
        account.settings.cash,
        invested=account.allocation.invested,
        in_market=account.allocation.in_market,
    )


def statistics_table(strategy: Mapping[str, float], benchmark: Mapping[str, float]) -> pd.DataFrame:
    """Both side by side: columns ``label``, ``strategy``, ``benchmark`` (NaN where it has none)."""
    import pandas as pd

    return pd.DataFrame(
        {
            "label": list(strategy),
            "strategy": list(strategy.values()),
            "benchmark": [benchmark.get(label, float("nan")) for label in strategy],
        }
    )
