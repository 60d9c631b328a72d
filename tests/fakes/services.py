"""All services that a command may ask, on loopback and as of today, with what points at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from tests.fakes.alpaca import ENVIRONMENT, FakeAlpaca
from tests.fakes.edgar import FakeEdgar, meta
from tests.fakes.market import Stock
from tests.fakes.yahoo import FakeYahoo, quarterly

SYMBOLS = ("META", "AMD")


@contextmanager
def services() -> Iterator[dict[str, str]]:
    """Yields the environment in which the program finds them."""
    stocks = [Stock(symbol) for symbol in SYMBOLS]
    with FakeYahoo(stocks) as yahoo, FakeEdgar([meta()]) as edgar, FakeAlpaca(stocks) as alpaca:
        today = datetime.now(UTC).date()
        first, last = today - timedelta(days=900), today + timedelta(days=90)
        for symbol in SYMBOLS:
            yahoo.releases += quarterly(symbol, first, last, today=today)
        yield {
            "BACKTEST_YAHOO_URL": yahoo.url,
            "EDGAR_BASE_URL": edgar.url,
            "EDGAR_DATA_URL": edgar.url,
            "EDGAR_IDENTITY": "Jane Doe jane.doe@example.com",
            "APCA_API_DATA_URL": alpaca.url,
            **ENVIRONMENT,
        }
