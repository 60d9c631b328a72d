"""Which combination of a sweep is the best, and by what."""

from __future__ import annotations

import numpy as np
import pandas as pd

from db.errors import UsageError, did_you_mean

RANKS = (
    *("sharpe", "mean", "median", "total", "win_rate", "profit_factor", "big_gains", "trades"),
    *("mean_gross", "expectancy"),
)
"""Columns that a combination can be chosen by; more is better in each."""
FEW_TRADES = 20
"""Combinations with fewer trades are ranked after all others."""


def ranked(frame: pd.DataFrame, rank: str, min_trades: int) -> np.ndarray:
    """Rows of ``frame`` from the best to the worst.  UsageError for an unknown rank."""
    if rank not in RANKS:
        raise UsageError(f"cannot rank by {rank!r}", hint=did_you_mean(rank, RANKS, kind="rank"))
    require_column(frame, rank)
    values = frame[rank].to_numpy(dtype=np.float64)
    few = frame["trades"].to_numpy() < min_trades
    return np.lexsort((-np.nan_to_num(values, nan=-np.inf), np.isnan(values), few))


def require_column(frame: pd.DataFrame, name: str) -> None:
    if name not in frame.columns:
        raise UsageError(
            f"the sweep has no column {name!r}",
            hint=did_you_mean(name, [str(one) for one in frame.columns], kind="column"),
        )
