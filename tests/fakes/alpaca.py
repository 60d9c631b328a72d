"""Alpaca's market data, as far as alpaca-py 0.44 asks it: stock bars, news, corporate actions.

By hand::

    python -m tests.fakes.alpaca --port 8009 META AMD
    export APCA_API_DATA_URL=http://127.0.0.1:8009
    export APCA_API_KEY_ID=... APCA_API_SECRET_KEY=...   (it prints them)
    backtest ingest alpaca META --interval 1m --prepost --since 2026-01-05
"""

from __future__ import annotations

import argparse
import base64
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db.intervals import Interval
from tests.fakes.faults import Fault
from tests.fakes.market import Bar, Stock
from tests.fakes.server import FakeServer, Request, Response

KEY_ID = "PKFAKE7QJ2VZKW9TBL4H"  # of no account: drawn at random, so that no word is a part of it
SECRET = "q8ZrT5vLw3XyKj9PmNd2HbGf7cVs6Qa1RtWuEzYo"
ENVIRONMENT = {"APCA_API_KEY_ID": KEY_ID, "APCA_API_SECRET_KEY": SECRET}
NEW_YORK = ZoneInfo("America/New_York")
FRAMES = {"1Min": "1m", "5Min": "5m", "15Min": "15m", "30Min": "30m", "1Day": "1d"}
DELAY = timedelta(minutes=15)

Rows = list[dict[str, Any]]


class FakeAlpaca(FakeServer):
    """Knows the stocks it is given; ``news`` is a list to fill, ``stray`` bars come on top.

    ``page`` is the most rows of one answer, whatever limit is asked for.  A ``free`` account may
    not read the consolidated tape of the last 15 minutes.  ``renamed`` tells when a symbol ended
    and which one followed.  Own faults: ``empty``, ``columns`` (the close has another name),
    ``html``, ``duplicate`` (a page repeats the one before it), ``endless`` (a page names itself
    as the next), ``echo`` (a refusal that says the keys) and ``echo-data`` (an answer that does).
    """

    def __init__(
        self,
        stocks: Iterable[Stock] = (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        page: int = 10_000,
        free: bool = False,
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.stocks = {stock.symbol: stock for stock in stocks}
        self.renamed: dict[str, tuple[str, date]] = {}
        self.news: Rows = []
        self.stray: Rows = []
        self.now = now
        self.page = page
        self.free = free

    def answer(self, request: Request, fault: Fault | None) -> Response:
        kind = fault.kind if fault else ""
        given = (request.headers.get("apca-api-key-id"), request.headers.get("apca-api-secret-key"))
        if given != (KEY_ID, SECRET):
            return _refused(403, "forbidden.")
        if kind == "echo":
            return _refused(403, f"{given[0]} with {given[1]} is not authorized")
        if kind == "html":
            return Response.text("<!DOCTYPE html><p>Please log in", kind="text/html")
        routes = {
            "/v2/stocks/bars": self._bars,
            "/v1beta1/news": self._news,
            "/v1/corporate-actions": self._actions,
        }
        if request.path not in routes:
            return _refused(404, "endpoint not found")
        return routes[request.path](request, kind)

    def _bars(self, request: Request, fault: str) -> Response:
        query = request.query
        symbol = query["symbols"]
        since, until = _instant(query["start"]), _instant(query["end"])
        if query["timeframe"] not in FRAMES:
            return _refused(400, "invalid timeframe")
        if not symbol.replace(".", "").isalnum():
            return _refused(400, f"invalid symbol: {symbol}")
        if self.free and query.get("feed") == "sip" and until > self.now() - DELAY:
            return _refused(403, "subscription does not permit querying recent SIP data")
        if query.get("adjustment") != "raw":
            return _refused(400, "this fake has raw prices alone")
        interval = Interval.parse(FRAMES[query["timeframe"]])
        rows = [_bar(bar, interval) for bar in self._traded(symbol, interval, since, until)]
        rows += [row for row in self.stray if since <= _instant(row["t"]) <= until]
        rows.sort(key=lambda row: str(row["t"]))
        if fault == "empty":
            rows = []
        page, token = self._paged(rows, request, fault)
        if fault == "columns":
            page = [{"close" if name == "c" else name: row[name] for name in row} for row in page]
        return Response.json({"bars": {symbol: page} if page else {}, "next_page_token": token})

    def _traded(
        self, symbol: str, interval: Interval, since: datetime, until: datetime
    ) -> Iterator[Bar]:
        if symbol in self.renamed:  # the old symbol has what was traded under it
            symbol, ended = self.renamed[symbol]
            until = min(until, datetime(ended.year, ended.month, ended.day, tzinfo=NEW_YORK))
        if symbol not in self.stocks:
            return iter(())
        # Alpaca counts the end in, and stamps a day with its midnight.
        shift = timedelta(hours=9, minutes=30) if interval.is_daily else timedelta()
        last = min(until + timedelta(microseconds=1), self.now())
        return self.stocks[symbol].bars(interval, since + shift, last + shift)

    def _news(self, request: Request, fault: str) -> Response:
        query = request.query
        since, until = _instant(query["start"]), _instant(query["end"])
        rows = [
            row
            for row in sorted(self.news, key=lambda row: str(row["updated_at"]))
            if query["symbols"] in row["symbols"] and since <= _instant(row["updated_at"]) <= until
        ]
        if fault == "echo-data":
            rows = [{**row, "headline": f"we got {SECRET}"} for row in rows]
        page, token = self._paged([] if fault == "empty" else rows, request, fault)
        if fault == "columns":
            page = [
                {"title" if name == "headline" else name: row[name] for name in row} for row in page
            ]
        return Response.json({"news": page, "next_page_token": token})

    def _actions(self, request: Request, fault: str) -> Response:
        query = request.query
        stock = self.stocks.get(query["symbols"])
        first, last = date.fromisoformat(query["start"]), date.fromisoformat(query["end"])
        groups: dict[str, Rows] = {}
        for name, row in _filed(stock) if stock else ():
            if first <= date.fromisoformat(row["process_date"]) <= last:
                groups.setdefault(name, []).append(row)
        if fault == "columns":
            groups = {"cash_dividends": [{"id": "1", "amount": 1.0}]}
        groups = {} if fault == "empty" else groups
        return Response.json({"corporate_actions": groups, "next_page_token": None})

    def _paged(self, rows: Rows, request: Request, fault: str) -> tuple[Rows, str | None]:
        """One page and the token of the next."""
        limit = min(int(request.query.get("limit", 1000)), self.page)
        token = request.query.get("page_token")
        begin = int(base64.b64decode(token).decode().partition("|")[0]) if token else 0
        end = begin + limit
        following = base64.b64encode(f"{end}|next".encode()).decode() if end < len(rows) else None
        if fault == "duplicate":
            return rows[max(begin - limit, 0) : end], following
        if fault == "endless":
            return rows[begin:end], token or following
        return rows[begin:end], following


def news_item(
    number: int,
    symbols: Sequence[str],
    headline: str,
    created: datetime,
    *,
    updated: datetime | None = None,
    content: str = "",
) -> dict[str, Any]:
    """An article as the news endpoint gives it."""
    return {
        "id": number,
        "headline": headline,
        "author": "A. Writer",
        "created_at": _stamp(created),
        "updated_at": _stamp(updated or created),
        "summary": "",
        "content": content,
        "images": [],
        "symbols": list(symbols),
        "source": "benzinga",
        "url": f"https://www.benzinga.com/news/{number}",
    }


def raw_bar(at: datetime, close: Any, **other: Any) -> dict[str, Any]:
    """A bar of one price as the bars endpoint gives it."""
    prices = {"o": close, "h": close, "l": close, "c": close}
    return {"t": _stamp(at), **prices, "v": 100, "n": 1, "vw": close, **other}


def _bar(bar: Bar, interval: Interval) -> dict[str, Any]:
    midnight = bar.start.astimezone(NEW_YORK).replace(hour=0, minute=0)
    return {
        "t": _stamp(midnight if interval.is_daily else bar.start),
        "o": bar.open,
        "h": bar.high,
        "l": bar.low,
        "c": bar.close,
        "v": bar.volume + 5,
        "n": 3,
        "vw": bar.close,
    }


def _filed(stock: Stock) -> Iterator[tuple[str, dict[str, Any]]]:
    """Corporate actions by group; a dividend is filed under the day it is paid."""
    for ex, new, old in stock.splits:
        group = "forward_splits" if new > old else "reverse_splits"
        row = {"new_rate": new, "old_rate": old, "process_date": ex.isoformat()}
        yield group, _action(stock.symbol, ex, row)
    for ex, cash in stock.dividends:
        paid = (ex + timedelta(days=30)).isoformat()
        row = {"rate": cash, "special": False, "foreign": False, "process_date": paid}
        yield "cash_dividends", _action(stock.symbol, ex, row)


def _action(symbol: str, ex: date, row: dict[str, Any]) -> dict[str, Any]:
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{symbol} {ex} {sorted(row)}")
    return {"id": str(number), "symbol": symbol, "cusip": "0", "ex_date": ex.isoformat(), **row}


def _refused(status: int, message: str) -> Response:
    return Response.json({"code": status * 100_000, "message": message}, status=status)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _stamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("symbols", nargs="*", default=["META", "AMD"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--free", action="store_true", help="an account without a subscription")
    given = parser.parse_args()
    today = datetime.now(UTC).date()
    paid = [(today - timedelta(days=60), 0.5)]
    stocks = [Stock(symbol, dividends=paid) for symbol in given.symbols]
    fake = FakeAlpaca(stocks, port=given.port, free=given.free)
    for number, symbol in enumerate(given.symbols, start=1):
        at = fake.now() - timedelta(hours=3)
        fake.news.append(news_item(number, [symbol], f"{symbol} makes news", at))
    settings = "".join(f"export {name}={value}\n" for name, value in ENVIRONMENT.items())
    since = today - timedelta(days=10)
    sys.stdout.write(
        f"Alpaca at {fake.url}: {', '.join(given.symbols)}\n"
        f"export APCA_API_DATA_URL={fake.url}\n{settings}"
        f"backtest ingest alpaca {' '.join(given.symbols)} --prepost --since {since}\n"
    )
    sys.stdout.flush()
    fake.serve_by_hand()


if __name__ == "__main__":
    main()
