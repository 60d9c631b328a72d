"""Yahoo Finance as a source: what it has, how far back, and how its answers become batches."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from db.errors import UsageError
from db.sources.fetching.source import (
    Ask,
    Kind,
    Option,
    Part,
    Reach,
    Setup,
    Source,
    UnknownSubjectError,
    UnreadableAnswerError,
)

if TYPE_CHECKING:
    from db.batches import BarBatch, EventRecord, RecordBatch
    from db.calendar import Calendar
    from db.sources.online.yahoo.answers import Chart
    from db.sources.online.yahoo.client import Client

GATEWAY = "BACKTEST_YAHOO_URL"
"""Environment variable with the address of a gateway to Yahoo, for those who need one."""

SETTLING = timedelta(minutes=20)
"""Yahoo shows some exchanges with a delay of 15 minutes: what is younger may still change."""
LATE = timedelta(days=400)
"""So far before what is asked for actions are read, since some are listed late."""
AHEAD = timedelta(days=180)
"""So far ahead the calendar is read."""
NEWS = 200
"""Items that Yahoo gives at most."""
TABS = ("news", "press releases")

_DAYS_BACK = {"1m": 30, "2m": 60, "5m": 60, "15m": 60, "30m": 60, "1h": 730}
_DAYS_A_REQUEST = {"1m": 7, "2m": 30, "5m": 30, "15m": 30, "30m": 30, "1h": 180}
_SYMBOL = re.compile(r"[A-Z0-9^][A-Z0-9.^=-]{0,19}")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")


class Yahoo(Source):
    """Prices, actions, earnings dates and news of Yahoo Finance, through yfinance."""

    name: ClassVar = "yahoo"
    title: ClassVar = "Bring prices, actions, earnings dates and news from Yahoo Finance."
    example: ClassVar = "backtest ingest yahoo META AMD --since 2024-01-01"
    kinds: ClassVar = (
        Kind("prices", "bars as they were traded, with the actions beside them"),
        Kind("actions", "splits and dividends"),
        Kind("earnings", "releases of the calendar and of the symbol's page", snapshot=True),
        Kind("news", "the newest 200 items", snapshot=True),
    )
    intervals: ClassVar = ("1d", "1h", "30m", "15m", "5m", "2m", "1m")
    options: ClassVar = (
        Option("exchange", "The exchange whose sessions the bars are of.", default="XNYS"),
        Option("timeout", "Seconds to wait for an answer.", default="30", kept=False),
    )
    pace: ClassVar = 2.0

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._client: Client | None = None
        self._daily: _Daily | None = None

    def reach(self, kind: str, interval: str) -> Reach:
        """Whole days alone: the first one would be cut at the hour of the request."""
        days = _DAYS_BACK.get(interval)
        if kind != "prices" or days is None:
            return Reach()
        zone = ZoneInfo(self._calendar.tz)
        first = (self.setup.now() - timedelta(days=days)).astimezone(zone).date()
        midnight = datetime.combine(first + timedelta(days=1), time.min, zone)
        return Reach(midnight, f"Yahoo's {interval} bars go back {days} days")

    def stored_as(self, kind: str) -> str:
        """Earnings come from two places of Yahoo's; the calendar is the better one."""
        from db.sources.online.yahoo.earnings import CALENDAR

        return CALENDAR if kind == "earnings" else self.name

    def fetch(self, ask: Ask) -> Iterator[Part]:
        """See `Source.fetch`; prices bring the actions that they were made raw with."""
        if not _SYMBOL.fullmatch(ask.subject) or _ISIN.fullmatch(ask.subject):
            raise UnknownSubjectError(f"{ask.subject[:40]!r} is no symbol of Yahoo's")
        ways = {
            "prices": self._prices,
            "actions": self._actions,
            "earnings": self._earnings,
            "news": self._news,
        }
        return ways[ask.kind](ask)

    # -- prices and actions --------------------------------------------------------------------

    def _prices(self, ask: Ask) -> Iterator[Part]:
        from db.intervals import Interval
        from db.sources.fetching.bar_rows import BarAsk, finished_until
        from db.sources.fetching.open_hours import holds_a_bar
        from db.sources.fetching.ranges import Range
        from db.sources.online.yahoo import prices

        interval, now, calendar = Interval.parse(ask.interval), self.setup.now(), self._calendar
        settled = finished_until(now - SETTLING, interval, self._calendar)
        until = min(ask.until, settled)
        if until <= ask.since:
            return
        # The splits between a bar and today, without which no bar can be made raw.
        daily = self._daily_chart(ask.subject, ask.since)
        batches: list[BarBatch | RecordBatch[Any]] = [*prices.actions(ask.subject, daily, now)]
        if interval.is_daily:
            chunks = [(ask.since, until)]
        else:
            chunks = list(_chunks(ask.since, until, _DAYS_A_REQUEST[ask.interval], self._calendar))
        for since, end in chunks:
            chart = daily
            if not interval.is_daily:
                if not holds_a_bar(Range(since, end), ask.interval, ask.phases, calendar.name):
                    # A weekend is answered with lists that are empty in an unusual way.
                    yield Part(since, end, batches)
                    batches = []
                    continue
                chart = self._intraday_chart(ask, since, end)
            bars, rows = prices.bars(
                chart,
                BarAsk(ask.subject, interval, since, end, self._calendar, ask.phases),
                splits=daily.splits,
                fetched_at=self.setup.now(),
            )
            notes = (f"Yahoo: {chart.refusal}",) if chart.refusal else ()
            yield Part(since, end, [*batches, *([bars] if bars else [])], rows, notes)
            batches = []

    def _actions(self, ask: Ask) -> Iterator[Part]:
        from db.sources.online.yahoo import prices

        # An action of today may be listed in the course of the day.
        zone = ZoneInfo(self._calendar.tz)
        today = datetime.combine(self.setup.now().astimezone(zone).date(), time.min, zone)
        until = min(ask.until, today.astimezone(ask.until.tzinfo))
        if until <= ask.since:
            return
        chart = self._daily_chart(ask.subject, ask.since)
        batches = prices.actions(ask.subject, chart, self.setup.now())
        yield Part(ask.since, until, batches, rows=len(chart.splits) + len(chart.dividends))

    def _daily_chart(self, symbol: str, since: datetime) -> Chart:
        """Days with their actions from well before ``since`` to now, asked for once a symbol."""
        now = self.setup.now()
        held = self._daily
        if held and held.serves(symbol, since, now):
            return held.chart
        midnight = datetime.combine((since - LATE).date(), time.min, ZoneInfo(self._calendar.tz))
        chart = self._yahoo.chart(symbol, "1d", midnight, now + timedelta(days=1))
        self._check(symbol, chart)
        self._daily = _Daily(symbol, since, now, chart)
        return chart

    def _intraday_chart(self, ask: Ask, since: datetime, until: datetime) -> Chart:
        prepost = any(phase != "regular" for phase in ask.phases)
        chart = self._yahoo.chart(ask.subject, ask.interval, since, until, prepost=prepost)
        self._check(ask.subject, chart)
        return chart

    def _check(self, symbol: str, chart: Chart) -> None:
        if chart.symbol and chart.symbol.upper() != symbol:
            raise UnknownSubjectError(
                f"Yahoo knows it as {chart.symbol} now",
                where=symbol,
                hint=f"backtest data rename {symbol} {chart.symbol} --on DATE",
            )
        if chart.zone and chart.zone != self._calendar.tz:
            raise UnreadableAnswerError(
                f"it trades by the clock of {chart.zone}, and {self._calendar.name} by that of "
                f"{self._calendar.tz}",
                where=symbol,
                hint="--exchange with its market identifier code, such as XETR or XLON",
            )

    # -- earnings and news ---------------------------------------------------------------------

    def _earnings(self, ask: Ask) -> Iterator[Part]:
        from db.sources.online.yahoo import earnings

        def calendar() -> RecordBatch[EventRecord]:
            last = (self.setup.now() + AHEAD).date()
            rows = self._yahoo.calendar(ask.subject, ask.since.date(), last)
            return earnings.of_calendar(rows, ask.subject, self.setup.now(), self._calendar)

        def page() -> RecordBatch[EventRecord]:
            rows = self._yahoo.page(ask.subject)
            return earnings.of_page(rows, ask.subject, self.setup.now(), self._calendar)

        failure: UnreadableAnswerError | None = None
        total = 0
        for place in (calendar, page):
            try:
                batch = place()
            except UnreadableAnswerError as error:
                failure = error  # what the other place says is kept
                continue
            rows = len(batch.records) + len(batch.rejects)
            total += rows
            none_listed = place is page and not total and failure is None
            notes = (f"Yahoo lists no earnings of {ask.subject}",) if none_listed else ()
            yield Part(ask.since, ask.until, [batch] if rows else [], rows, notes)
        if failure is not None:
            raise failure

    def _news(self, ask: Ask) -> Iterator[Part]:
        from db.sources.online.yahoo import news

        found = [item for tab in TABS for item in self._yahoo.news(ask.subject, tab, NEWS)]
        batch = news.of_stream(found, ask.subject, self.setup.now())
        rows = len(batch.records) + len(batch.rejects)
        yield Part(ask.since, ask.until, [batch] if rows else [], rows)

    # -- what it works with --------------------------------------------------------------------

    @property
    def _calendar(self) -> Calendar:
        from db.calendar import calendar

        return calendar(self.setup.options.get("exchange") or "XNYS")

    @property
    def _yahoo(self) -> Client:
        """Made when first needed: yfinance takes a second to import."""
        if self._client is None:
            from db.sources.online.yahoo.client import Client

            self._client = Client(
                self.setup.line,
                gateway=os.environ.get(GATEWAY, ""),
                timeout=_seconds(self.setup.options.get("timeout") or "30"),
            )
        return self._client


@dataclass(frozen=True)
class _Daily:
    """The last daily chart: prices and actions of one symbol are asked for one after the other."""

    symbol: str
    since: datetime
    fetched_at: datetime
    chart: Chart

    def serves(self, symbol: str, since: datetime, now: datetime) -> bool:
        fresh = now - self.fetched_at < timedelta(minutes=10)
        return fresh and symbol == self.symbol and since >= self.since


def _chunks(
    since: datetime, until: datetime, days: int, calendar: Calendar
) -> Iterator[tuple[datetime, datetime]]:
    """The range in pieces that end at the exchange's midnight, oldest first."""
    zone = ZoneInfo(calendar.tz)
    while since < until:
        day = since.astimezone(zone).date() + timedelta(days=days)
        end = datetime.combine(day, time.min, zone).astimezone(until.tzinfo)
        yield since, min(end, until)
        since = end


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise UsageError(f"--timeout {text!r} is no number of seconds", hint="--timeout 30")
    return seconds
