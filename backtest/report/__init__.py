"""The report of a run: figures for notebooks, and one HTML file that opens offline."""

from backtest.report.data import NewsItem, ReportData, Summary, TradeDetail
from backtest.report.embed import charted_trades
from backtest.report.page import render, write_report

__all__ = [
    "NewsItem",
    "ReportData",
    "Summary",
    "TradeDetail",
    "charted_trades",
    "render",
    "write_report",
]
