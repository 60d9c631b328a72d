"""Yahoo Finance, as far as yfinance 1.7 asks it: charts, the two earnings pages, news.

By hand::

    python -m tests.fakes.yahoo --port 8008 META AMD
    BACKTEST_YAHOO_URL=http://127.0.0.1:8008 backtest ingest yahoo META AMD --since 2026-01-01
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from db.intervals import Interval
from tests.fakes.faults import Fault
from tests.fakes.market import EXCHANGE, Bar, Stock
from tests.fakes.server import FakeServer, Request, Response
from tests.fakes.yahoo_records import Release, news_item, quarterly

NEW_YORK = ZoneInfo("America/New_York")
DAYS_BACK = {"1m": 30, "2m": 60, "5m": 60, "15m": 60, "30m": 60, "1h": 730}
PAGE_COLUMNS = (
    *("Symbol", "Company", "Earnings Date"),
    *("EPS Estimate", "Reported EPS", "Surprise (%)"),
)
CALENDAR_COLUMNS = (
    *("Symbol", "Company Name", "Market Cap (Intraday)", "Event Name"),
    *("Event Start Date", "Event Start Date", "EPS Estimate", "Reported EPS", "Surprise (%)"),
)
_RANGES = ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"]


class FakeYahoo(FakeServer):
    """Knows the stocks it is given; ``releases`` and ``news`` are lists to fill."""

    def __init__(
        self,
        stocks: Iterable[Stock] = (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        port: int = 0,
    ) -> None:
        super().__init__(port=port)
        self.stocks = {stock.symbol: stock for stock in stocks}
        self.releases: list[Release] = []
        self.news: list[dict[str, Any]] = []
        self.stray: list[Bar] = []
        """Rows that every chart has besides its own."""
        self.now = now

    def answer(self, request: Request, fault: Fault | None) -> Response:
        """By path alone: the hosts of Yahoo share no paths."""
        kind = fault.kind if fault else ""
        path = request.path
        if path == "/v1/test/getcrumb":
            return Response.text("crumb")
        if kind == "down":
            return _down(path)
        if kind == "strange":
            return Response.json({"odd": 1})
        if path.startswith("/v8/finance/chart/"):
            return self._chart(path.rpartition("/")[2], request, kind)
        if path == "/v1/finance/visualization":
            return self._calendar(json.loads(request.body), kind)
        if path == "/calendar/earnings":
            return self._page(request.query, kind)
        if path == "/xhr/ncp":
            return self._stream(request, kind)
        if path in ("", "/"):
            cookie = "A3=made-up; Domain=.yahoo.com; Path=/; Max-Age=31557600; Secure"
            return Response(b"", 404, {"Set-Cookie": cookie})
        return Response.text("<html><body>not here</body></html>", status=404, kind="text/html")

    # -- prices ------------------------------------------------------------------------------

    def _chart(self, symbol: str, request: Request, fault: str) -> Response:
        stock = self.stocks.get(symbol)
        if stock is None or fault == "unknown":
            return _no_chart("Not Found", "No data found, symbol may be delisted", 404)
        query = request.query
        interval = Interval.parse(query["interval"])
        now = self.now()
        until = _instant(query["period2"]) if "period2" in query else now
        since = _instant(query["period1"]) if "period1" in query else now - timedelta(days=1)
        refusal = _out_of_range(interval, since, until, now)
        if refusal:
            return _no_chart("Unprocessable Entity", refusal, 422)
        phases = ("pre", "regular", "post") if query.get("includePrePost") == "true" else None
        bars = list(stock.bars(interval, since, min(until, now), phases or ("regular",)))
        bars = sorted([*bars, *self.stray], key=lambda bar: bar.start)
        if fault == "duplicates":
            bars = [bar for bar in bars for _ in range(2)]
        result: dict[str, Any] = {"meta": self._meta(symbol, interval, bars, fault)}
        if fault == "empty" or not bars:
            return _chart({**result, "indicators": {"quote": [{}]}})
        result["timestamp"] = [int(bar.start.timestamp()) for bar in bars]
        columns = self._adjusted(stock, bars)
        if fault == "columns":
            columns["last"] = columns.pop("close")
        result["indicators"] = {"quote": [columns]}
        events = self._events(stock, since, until)
        return _chart({**result, "events": events} if events else result)

    def _adjusted(self, stock: Stock, bars: list[Bar]) -> dict[str, list[Any]]:
        """Single precision, and as if today's shares had always been traded."""
        factors = [self._factor(stock, bar.start.astimezone(NEW_YORK).date()) for bar in bars]
        columns: dict[str, list[Any]] = {
            name: [
                float(np.float32(round(getattr(bar, name) / factor, 6)))
                for bar, factor in zip(bars, factors, strict=True)
            ]
            for name in ("open", "high", "low", "close")
        }
        columns["volume"] = [
            round(bar.volume * factor) for bar, factor in zip(bars, factors, strict=True)
        ]
        return columns

    def _factor(self, stock: Stock, day: date) -> float:
        today = self.now().astimezone(NEW_YORK).date()
        return stock.shares_since_listing(today) / stock.shares_since_listing(day)

    def _events(self, stock: Stock, since: datetime, until: datetime) -> dict[str, Any]:
        today = self.now().astimezone(NEW_YORK).date()
        last = min(until.astimezone(NEW_YORK).date(), today)
        first = since.astimezone(NEW_YORK).date()
        events: dict[str, Any] = {}
        for ex, new, old in stock.splits:
            if first <= ex <= last:
                split = {"date": _open(ex), "numerator": new, "denominator": old}
                events.setdefault("splits", {})[str(_open(ex))] = split
        for ex, cash in stock.dividends:
            if first <= ex <= last:
                paid = {"date": _open(ex), "amount": round(cash / self._factor(stock, ex), 6)}
                events.setdefault("dividends", {})[str(_open(ex))] = paid
        return events

    def _meta(self, symbol: str, interval: Interval, bars: list[Bar], fault: str) -> dict[str, Any]:
        meta: dict[str, Any] = {
            "currency": "USD",
            "symbol": f"{symbol}X" if fault == "renamed" else symbol,
            "exchangeName": "NMS",
            "instrumentType": "EQUITY",
            "exchangeTimezoneName": "America/New_York",
            "timezone": "EST",
            "gmtoffset": -18000,
            "dataGranularity": interval.value,
            "priceHint": 2,
            "validRanges": _RANGES,
        }
        if not interval.is_daily:
            meta["tradingPeriods"] = _periods(bars)
        return meta

    # -- earnings ----------------------------------------------------------------------------

    def _calendar(self, body: dict[str, Any], fault: str) -> Response:
        wanted = _operands(body["query"])
        symbols = wanted.get("ticker")
        rows = [
            [
                *(one.symbol, f"{one.symbol} Inc.", 1e9, one.name),
                *(one.start.strftime("%Y-%m-%dT%H:%M:%S.000Z"), one.timing),
                *(one.estimate, one.actual, 0.0),
            ]
            for one in self.releases
            if (symbols is None or one.symbol in symbols)
            and wanted["startdatetime"][0] <= f"{one.start:%Y-%m-%d}" <= wanted["startdatetime"][1]
        ]
        if fault == "empty":
            rows = []
        if fault == "duplicates":
            rows = [*rows, *rows]
        labels = list(CALENDAR_COLUMNS)
        if fault == "columns":
            labels[4] = "Begins"
        kinds = ["STRING"] * 4 + ["DATE", "STRING"] + ["NUMBER"] * 3
        page = rows[body["offset"] :][: min(body["size"], 100)]
        columns = [
            {"label": label, "type": kind} for label, kind in zip(labels, kinds, strict=True)
        ]
        document = {"columns": columns, "rows": page}
        result = [{"total": len(rows), "documents": [document]}]
        return Response.json({"finance": {"result": result, "error": None}})

    def _page(self, query: Any, fault: str) -> Response:
        rows = sorted(
            (one for one in self.releases if one.symbol == query["symbol"]),
            key=lambda one: one.start,
            reverse=True,
        )
        if fault == "duplicates":
            rows = [row for row in rows for _ in range(2)]
        if fault == "empty" or not rows:
            return _html("<p>We couldn't find any results.</p>")
        head = "".join(
            f"<th>{'When' if fault == 'columns' and name == 'Earnings Date' else name}</th>"
            for name in PAGE_COLUMNS
        )
        cells = (
            (one.symbol, f"{one.symbol} Inc.", one.on_page, _cell(one.estimate), _cell(one.actual))
            for one in rows[int(query["offset"]) :][: int(query["size"])]
        )
        body = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in (*row, "-")) + "</tr>" for row in cells
        )
        return _html(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")

    # -- news --------------------------------------------------------------------------------

    def _stream(self, request: Request, fault: str) -> Response:
        wanted = json.loads(request.body)["serviceConfig"]
        tab = request.query["queryRef"]
        items = [item for item in self.news if item.get("tab", "latestNews") == tab]
        stream = [
            {key: value for key, value in item.items() if key not in ("symbol", "tab")}
            for item in items
            if item["symbol"] in wanted["s"]
        ][: wanted["snippetCount"]]
        if fault == "empty":
            stream = []
        if fault == "duplicates":
            stream = [item for item in stream for _ in range(2)]
        if fault == "columns":
            stream = [{"uuid": item["id"], "story": item["content"]} for item in stream]
        return Response.json({"data": {"tickerStream": {"stream": stream}}})


def _down(path: str) -> Response:
    """An error that is well-formed, so that it reads like an answer."""
    if path == "/calendar/earnings":
        return Response(_html("<p>Will be right back...</p>").body, 503)
    return _no_chart("Internal Server Error", "try again", 500)


def _no_chart(code: str, description: str, status: int) -> Response:
    error = {"code": code, "description": description}
    return Response.json({"chart": {"result": None, "error": error}}, status=status)


def _chart(result: dict[str, Any]) -> Response:
    return Response.json({"chart": {"result": [result], "error": None}})


def _out_of_range(interval: Interval, since: datetime, until: datetime, now: datetime) -> str:
    name = interval.value
    days = DAYS_BACK.get(name)
    if days is None:
        return ""
    if since < now - timedelta(days=days):
        return (
            f"{name} data not available for startTime={since.timestamp():.0f} and "
            f"endTime={until.timestamp():.0f}. The requested range must be within the last "
            f"{days} days."
        )
    if name == "1m" and until - since > timedelta(days=8):
        return "Only 8 days worth of 1m granularity data are allowed to be fetched per request."
    return ""


def _periods(bars: list[Bar]) -> dict[str, Any]:
    """Opening hours of the days that the bars are on, as Yahoo puts them beside the bars."""
    days = sorted({bar.start.astimezone(NEW_YORK).date() for bar in bars})
    index = EXCHANGE.index_of_dates(np.array(days, dtype="datetime64[D]"))
    bounds = {
        "pre": (EXCHANGE.pre_start, EXCHANGE.opens),
        "regular": (EXCHANGE.opens, EXCHANGE.closes),
        "post": (EXCHANGE.closes, EXCHANGE.post_end),
    }
    return {
        phase: [
            [
                {
                    "timezone": "EST",
                    "gmtoffset": -18000,
                    "start": int(begins[i] // 1_000_000),
                    "end": int(ends[i] // 1_000_000),
                }
            ]
            for i in index
            if i >= 0
        ]
        for phase, (begins, ends) in bounds.items()
    }


def _operands(query: dict[str, Any]) -> dict[str, list[str]]:
    """Field -> values of a query, whatever it is nested in."""
    found: dict[str, list[str]] = {}
    operands = query["operands"]
    if operands and isinstance(operands[0], str):
        found[operands[0]] = operands[1:]
        return found
    for operand in operands:
        for name, values in _operands(operand).items():
            found.setdefault(name, []).extend(values)
    return found


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _html(body: str) -> Response:
    return Response.text(f"<!DOCTYPE html><html><body>{body}</body></html>", kind="text/html")


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), tz=UTC)


def _open(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 9, 30, tzinfo=NEW_YORK).timestamp())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("symbols", nargs="*", default=["META", "AMD"])
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    fake = FakeYahoo([Stock(symbol) for symbol in given.symbols], port=given.port)
    today = fake.now().date()
    for symbol in given.symbols:
        first, last = today - timedelta(days=1500), today + timedelta(days=90)
        fake.releases += quarterly(symbol, first, last, today=today)
        title = f"{symbol} makes news"
        fake.news.append(news_item(symbol, 1, title, fake.now() - timedelta(hours=3)))
    sys.stdout.write(
        f"Yahoo at {fake.url}: {', '.join(given.symbols)}\n"
        f"BACKTEST_YAHOO_URL={fake.url} backtest ingest yahoo {' '.join(given.symbols)}\n"
    )
    sys.stdout.flush()
    fake.serve_by_hand()


if __name__ == "__main__":
    main()
