"""Event-driven stock reaction backtester: from a store of events, news and prices to evidence.

    import backtest

    store = backtest.Store.open("store")
    backtest.reactions(store).frame
    result = backtest.run("gap_reversal", store, params={"drop": 0.08})

Names are loaded when they are first used: importing this package imports nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backtest.checker import Check, check
    from backtest.execution import Costs, Exits, FillRules
    from backtest.panel.arrays import ever, first
    from backtest.panel.build import load_panel
    from backtest.panel.panel import EventPanel
    from backtest.paths import BoolArray, FloatArray
    from backtest.reaction_table import reactions
    from backtest.result import Result
    from backtest.runner import run
    from backtest.strategy import (
        Entries,
        LimitOnOpen,
        Strategy,
        earnings,
        limit_on_open,
        news,
        on_open,
        param,
    )
    from backtest.studies.engine import study
    from backtest.studies.result import Study
    from backtest.sweeps.engine import sweep
    from backtest.sweeps.result import Sweep
    from db.store import Store

__version__ = "0.1.0"

_HOME = {
    "BoolArray": "backtest.paths",
    "Check": "backtest.checker",
    "Costs": "backtest.execution",
    "Entries": "backtest.strategy",
    "EventPanel": "backtest.panel.panel",
    "Exits": "backtest.execution",
    "FillRules": "backtest.execution",
    "FloatArray": "backtest.paths",
    "LimitOnOpen": "backtest.strategy",
    "Result": "backtest.result",
    "Store": "db.store",
    "Strategy": "backtest.strategy",
    "Study": "backtest.studies.result",
    "Sweep": "backtest.sweeps.result",
    "check": "backtest.checker",
    "earnings": "backtest.strategy",
    "ever": "backtest.panel.arrays",
    "first": "backtest.panel.arrays",
    "limit_on_open": "backtest.strategy",
    "load_panel": "backtest.panel.build",
    "news": "backtest.strategy",
    "on_open": "backtest.strategy",
    "param": "backtest.strategy",
    "reactions": "backtest.reaction_table",
    "run": "backtest.runner",
    "study": "backtest.studies.engine",
    "sweep": "backtest.sweeps.engine",
}

__all__ = [
    "BoolArray",
    "Check",
    "Costs",
    "Entries",
    "EventPanel",
    "Exits",
    "FillRules",
    "FloatArray",
    "LimitOnOpen",
    "Result",
    "Store",
    "Strategy",
    "Study",
    "Sweep",
    "__version__",
    "check",
    "earnings",
    "ever",
    "first",
    "limit_on_open",
    "load_panel",
    "news",
    "on_open",
    "param",
    "reactions",
    "run",
    "study",
    "sweep",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'backtest' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
