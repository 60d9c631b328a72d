"""All of yfinance that this program uses, typed, with its silences turned into errors.

yfinance 1.7 hides failures: a missing symbol is an empty frame, an error page an empty list, and
failed answers are cached.  So every question goes through `Client._asked`, which looks at what
the server answered before it believes what yfinance made of it.
"""

from __future__ import annotations

import atexit
import logging
import re
import shutil
import tempfile
import warnings
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import yfinance as yf
from yfinance.calendars import CalendarQuery
from yfinance.data import YfData
from yfinance.exceptions import (
    YFDataException,
    YFException,
    YFPricesMissingError,
    YFTickerMissingError,
)

from db.sources.fetching.line import Line
from db.sources.fetching.source import (
    RefusedError,
    UnavailableError,
    UnknownSubjectError,
    UnreadableAnswerError,
)
from db.sources.files.texts import shown
from db.sources.online.yahoo.answers import (
    CalendarRow,
    Chart,
    PageRow,
    calendar_rows,
    page_rows,
    read_chart,
)
from db.sources.online.yahoo.session import YahooSession

T = TypeVar("T")

PAGE = 100
"""Rows that Yahoo gives at most, of the calendar and of a company's page."""
_STUMBLES = (YFException, OSError, ValueError, LookupError, TypeError, AttributeError)
"""What yfinance and pandas raise over an answer that is not what they expect."""
_OUT_OF_REACH = re.compile(r"must be within the last|allowed to be fetched|not available for")
_BEFORE_LISTING = re.compile(r"Data doesn't exist for startDate")


class _OneSymbol(yf.Calendars):  # type: ignore[misc]
    """The earnings calendar of one symbol: the place of the most active ones is where it asks.

    Without it every company's rows of years would be read for those of one.
    """

    def __init__(self, symbol: str, first: date, last: date, session: YahooSession) -> None:
        super().__init__(start=first, end=last, session=session)
        self._symbol = symbol

    def _get_most_active_operands(
        self, _market_cap: float | None = None, force: bool = False
    ) -> CalendarQuery:
        return CalendarQuery("or", [CalendarQuery("eq", ["ticker", self._symbol])])


class Client:
    """Asks Yahoo over a `Line`; ``gateway`` is an address to ask in place of yahoo.com.

    Methods raise `UnavailableError`, `RefusedError`, `UnknownSubjectError` and
    `UnreadableAnswerError`.
    """

    def __init__(self, line: Line, *, gateway: str = "", timeout: float = 30.0) -> None:
        _settle_in()
        self._line = line
        self._session = YahooSession(gateway=gateway, timeout=timeout)

    def chart(
        self, symbol: str, interval: str, since: datetime, until: datetime, *, prepost: bool = False
    ) -> Chart:
        """Bars of ``since``..``until`` (aware, half-open), none where there was no trading."""

        def ask() -> Chart:
            ticker = yf.Ticker(symbol, session=self._session)
            frame, refusal = None, ""
            try:
                frame = ticker.history(
                    interval=interval,
                    start=since,
                    end=until,
                    prepost=prepost,
                    auto_adjust=False,
                )
            except YFPricesMissingError as error:
                refusal = self._why_no_prices(error)
            meta = ticker.get_history_metadata()
            return read_chart(frame, meta, refusal)

        return self._asked(symbol, ask)

    def calendar(self, symbol: str, first: date, last: date) -> list[CalendarRow]:
        """Earnings of one symbol that start on these UTC dates, both included."""

        def ask() -> list[CalendarRow]:
            calendars = _OneSymbol(symbol, first, last, self._session)
            try:
                frame = calendars.get_earnings_calendar(limit=PAGE)
            except IndexError:  # an empty list of results, in an answer that came whole
                if self._session.decoded() is None:
                    raise
                return []
            return calendar_rows(symbol, frame)

        rows = self._asked(symbol, ask)
        if len(rows) < PAGE or last <= first:
            return rows
        # Yahoo refuses an offset together with symbols: a full page is asked for in halves.
        middle = first + (last - first) / 2
        return [
            *self.calendar(symbol, first, middle),
            *self.calendar(symbol, middle + timedelta(days=1), last),
        ]

    def page(self, symbol: str) -> list[PageRow]:
        """The newest hundred earnings dates of the symbol's page, as scraped."""

        def ask() -> list[PageRow]:
            ticker = yf.Ticker(symbol, session=self._session)
            frame = ticker.get_earnings_dates(limit=PAGE)
            self._judge_status(symbol)
            if not self._session.is_whole_page:
                # What is left of a table would be read as if it were all of it.
                raise UnavailableError("Yahoo's page of earnings dates was cut short", where=symbol)
            return [] if frame is None else page_rows(frame)

        return self._asked(symbol, ask)

    def news(self, symbol: str, tab: str, count: int) -> list[Any]:
        """Items of the symbol's news stream, as they come; ``tab`` is yfinance's."""

        def ask() -> list[Any]:
            # The object would answer the next tab with the first one's items.
            ticker = yf.Ticker(symbol, session=self._session)
            items = list(ticker.get_news(count=count, tab=tab))
            if not isinstance((self._session.decoded() or {}).get("data"), dict):
                raise LookupError("no 'data'")  # which yfinance takes for no news
            return items

        return self._asked(symbol, ask)

    def _asked(self, symbol: str, ask: Callable[[], T]) -> T:
        def attempt() -> T:
            YfData.cache_get.cache_clear()  # it keeps failed answers as well
            try:
                with warnings.catch_warnings():
                    # Names of pandas that are to go, in yfinance's own lines.
                    warnings.filterwarnings("ignore", module=r"yfinance\.")
                    answer = ask()
            except _STUMBLES as error:
                self._judge_status(symbol)
                raise self._translated(symbol, error) from error
            self._judge_status(symbol)
            return answer

        return self._line.call(attempt)

    def _judge_status(self, symbol: str) -> None:
        """Raise what the last answer's status means, whatever yfinance made of it."""
        status = self._session.status
        if status == 429:
            raise UnavailableError(
                "Yahoo answers 429, too many requests",
                where=symbol,
                hint="wait an hour and run it again: what came is kept",
                retry_after=self._session.retry_after,
            )
        if status in (401, 403):
            raise RefusedError(f"Yahoo refuses to answer ({status})", where=symbol)
        if status >= 500:
            wait = self._session.retry_after
            raise UnavailableError(f"Yahoo answers {status}", where=symbol, retry_after=wait)
        if status == 404:
            raise _unknown(symbol)

    def _translated(self, symbol: str, error: Exception) -> Exception:
        """The error of this program that a failure of yfinance stands for."""
        session = self._session
        if session.status == 0:
            return UnavailableError(f"Yahoo cannot be reached: {_first_line(error)}", where=symbol)
        if isinstance(error, YFTickerMissingError):
            return _unknown(symbol)
        whole = session.is_whole_page if session.is_page else session.decoded() is not None
        if isinstance(error, YFDataException) or not whole:
            return UnavailableError("Yahoo's answer was cut short or is none", where=symbol)
        return UnreadableAnswerError(
            f"Yahoo's answer has another form than before: {_first_line(error)}",
            where=symbol,
            hint="pip install --upgrade yfinance; if that changes nothing, report it",
        )

    def _why_no_prices(self, error: YFPricesMissingError) -> str:
        """Why a known symbol has no bars (empty: no trading); raises for everything else."""
        said = str(error.yahoo_reason or "")
        if _BEFORE_LISTING.search(said):
            return ""
        if _OUT_OF_REACH.search(said):
            return said
        whole = self._session.decoded() or {}
        if "chart" not in whole:
            raise LookupError("no 'chart'") from error
        if not said and (whole["chart"] or {}).get("result"):
            return ""
        raise error


@cache
def _settle_in() -> None:
    """Say how yfinance is to behave, once a process.

    Its caches (time zones, a cookie) go to a folder that is gone with the process: they speed up
    one run, and a home that cannot be written or another process must not get in their way.
    """
    folder = tempfile.mkdtemp(prefix="aftershock-yahoo-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yf.set_tz_cache_location(folder)
    yf.config.debug.hide_exceptions = False
    # What it would log is raised here; without a handler Python prints it.
    logging.getLogger("yfinance").addHandler(logging.NullHandler())


def _unknown(symbol: str) -> UnknownSubjectError:
    return UnknownSubjectError(
        "Yahoo knows no such symbol, or it is delisted",
        where=symbol,
        hint="look it up on finance.yahoo.com: BRK-B, SAP.DE, ^GSPC are spelt its way",
    )


def _first_line(error: Exception) -> str:
    said = shown(str(error).strip().partition("\n")[0])
    return f"{type(error).__name__}: {said}" if isinstance(error, LookupError) else said
