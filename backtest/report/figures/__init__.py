"""Figures of a run: pure functions from frames to plotly figures, which are never shown here."""

from backtest.report.figures.account import equity_figure, seeds_figure
from backtest.report.figures.events import average_path_figure, funnel_figure
from backtest.report.figures.rates import base_rate_figure
from backtest.report.figures.trade import trade_figure, trade_spec
from backtest.report.figures.trades import exit_reasons_figure, returns_figure

__all__ = [
    "average_path_figure",
    "base_rate_figure",
    "equity_figure",
    "exit_reasons_figure",
    "funnel_figure",
    "returns_figure",
    "seeds_figure",
    "trade_figure",
    "trade_spec",
]
