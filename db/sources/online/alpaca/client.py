"""alpaca-py behind one door: raw answers, whole, over the line, and this program's errors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from db.errors import BacktestError, MissingExtraError, UsageError
from db.sources.fetching.source import (
    RefusedError,
    Setup,
    UnknownSubjectError,
    UnreadableAnswerError,
)
from db.sources.fetching.web import Web

MOST_PAGES = 1000
TICK = timedelta(microseconds=1)


class TooRecentError(RefusedError):
    """The account may read this, but only when it is 15 minutes old."""


class Client:
    """alpaca-py's clients, with the line in the place of their session.

    The clients set no time-out, repeat 429 and 504 by themselves every 3 seconds, and their
    retries cannot be set to none: the base class takes 0 for 3, and the clients pass nothing on.
    Over this session they see good answers alone, so each page is paced and repeated by itself.

    MissingExtraError: alpaca-py is not installed.
    """

    def __init__(self, setup: Setup, address: str, timeout: str) -> None:
        self._alpaca = _library()
        self._address = address.rstrip("/")
        self._host = urlsplit(address).hostname or ""  # the address may hold a password
        self._keys = {"api_key": setup.keys["id"], "secret_key": setup.keys["secret"]}
        self._web = Web(
            setup.line,
            title="Alpaca",
            keys=tuple(self._keys.values()),
            timeout=_seconds(timeout),
            now=setup.now,
            judge=_judge,
        )
        self._clients: dict[str, Any] = {}
        self._tokens: set[str] = set()

    def bars(
        self, symbol: str, frame: tuple[int, str], since: datetime, until: datetime, feed: str
    ) -> list[Any]:
        """Raw bars of ``frame`` (such as 5, "Min") stamped from ``since`` up to ``until``."""
        data = self._alpaca
        request = data.StockBarsRequest(
            symbol_or_symbols=symbol,
            timeframe=data.TimeFrame(frame[0], data.TimeFrameUnit(frame[1])),
            start=since,
            end=until - TICK,  # Alpaca counts the end in
            adjustment="raw",
            feed=feed,
            sort="asc",
        )
        answer = self._collect("StockHistoricalDataClient", "get_stock_bars", request)
        return _listed(answer.get(symbol), "the bars")

    def news(self, symbol: str, since: datetime, until: datetime) -> list[Any]:
        """News about a symbol, in the order of their last changes."""
        request = self._alpaca.NewsRequest(
            symbols=symbol, start=since, end=until - TICK, sort="asc", include_content=True
        )
        answer = self._collect("NewsClient", "get_news", request)
        return _listed(answer.get("news"), "the news")

    def actions(self, symbol: str, first: date, last: date) -> dict[str, list[Any]]:
        """Splits and dividends by group, filed on dates from ``first`` to ``last``."""
        kinds = ("forward_split", "reverse_split", "stock_dividend", "cash_dividend")
        request = self._alpaca.CorporateActionsRequest(
            symbols=[symbol],
            types=[self._alpaca.CorporateActionsType(kind) for kind in kinds],
            start=first,
            end=last,
        )
        answer = self._collect("CorporateActionsClient", "get_corporate_actions", request)
        return {group: _listed(rows, f"the {group}") for group, rows in answer.items()}

    def request(self, method: str, url: str, **options: Any) -> Any:
        """One page; alpaca-py calls this as its session."""
        token = (options.get("params") or {}).get("page_token")
        if token in self._tokens or len(self._tokens) >= MOST_PAGES:
            raise UnreadableAnswerError("Alpaca's pages have no end", where=self._host)
        if token:
            self._tokens.add(token)
        return self._web.request(method, url, **options)

    def _collect(self, client: str, method: str, request: Any) -> dict[str, Any]:
        """All pages of one request, as alpaca-py collects them."""
        self._tokens.clear()
        ask: Callable[[Any], Any] = getattr(self._client(client), method)
        answer, failed = None, "no object"
        try:
            answer = ask(request)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            failed = type(error).__name__  # not its text, which may quote the answer
        if not isinstance(answer, dict):
            raise UnreadableAnswerError(
                f"Alpaca's answer has another form than alpaca-py knows ({failed})",
                where=self._host,
                hint='a newer alpaca-py may know it: pip install --upgrade "alpaca-py<1"',
            )
        return answer

    def _client(self, name: str) -> Any:
        if name not in self._clients:
            make: Callable[..., Any] = getattr(self._alpaca, name)
            client = make(raw_data=True, url_override=self._address, **self._keys)
            if not hasattr(client, "_session"):
                raise BacktestError(
                    "this alpaca-py is not one that is known", hint='pip install "alpaca-py<1"'
                )
            client._session = self
            self._clients[name] = client
        return self._clients[name]


def _library() -> SimpleNamespace:
    """alpaca-py's names for market data."""
    try:
        with warnings.catch_warnings():
            # Its streaming half, unused here, imports a part of websockets that is to go.
            warnings.simplefilter("ignore", DeprecationWarning)
            from alpaca import data
            from alpaca.data.historical.corporate_actions import CorporateActionsClient
    except ImportError:
        raise MissingExtraError("alpaca-py", extra="alpaca", needed_for="ingest alpaca") from None
    return SimpleNamespace(**{**vars(data), "CorporateActionsClient": CorporateActionsClient})


def _judge(status: int, told: str) -> BacktestError | None:
    """What Alpaca's own refusals mean."""
    if status == 403 and "recent sip data" in told.lower():
        return TooRecentError(f"Alpaca refuses ({told})", hint="--feed iex, or a subscription")
    if status in (400, 422) and "symbol" in told.lower():
        return UnknownSubjectError(f"Alpaca knows no such symbol ({told})")
    return None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 3600:
        raise UsageError(f"{text!r} is no time to wait", where="--timeout", hint="--timeout 30")
    return seconds


def _listed(rows: Any, what: str) -> list[Any]:
    """Rows of an answer; none where the answer leaves them out."""
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise UnreadableAnswerError(f"{what} are no list any more", where="Alpaca")
    return rows
