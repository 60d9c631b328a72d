"""Yahoo Finance, through yfinance: ``backtest ingest yahoo``."""

from db.sources.online.yahoo.source import Yahoo

SOURCE = Yahoo
