"""Sweeps: every combination of a strategy's parameters, for the price of a few.

found = backtest.sweep("gap_reversal", store, {"drop": "0.02:0.12:0.01", "exits.hold": [0, 5]})
found.best("sharpe", top=5)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backtest.sweeps.engine import sweep
    from backtest.sweeps.ledger import load_sweep
    from backtest.sweeps.result import Sweep

_HOME = {
    "Sweep": "backtest.sweeps.result",
    "load_sweep": "backtest.sweeps.ledger",
    "sweep": "backtest.sweeps.engine",
}

__all__ = ["Sweep", "load_sweep", "sweep"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'backtest.sweeps' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
