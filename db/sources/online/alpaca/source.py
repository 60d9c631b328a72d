"""What can be asked of Alpaca, and how its answers become parts.

alpaca-py builds the requests and turns the pages; its answers are taken raw, since one bar
without a price would make its own models refuse the whole page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from db.errors import UsageError
from db.sources.fetching.source import (
    ALL_PHASES,
    Ask,
    Key,
    Kind,
    Option,
    Part,
    Reach,
    Setup,
    Source,
)

if TYPE_CHECKING:
    from db.sources.online.alpaca.client import Client

ADDRESS = "https://data.alpaca.markets"
DELAY = timedelta(minutes=16)
"""A free account may read the consolidated tape up to 15 minutes ago; one more is for clocks."""
SETTLED = timedelta(minutes=1)
"""Late trades change a bar for half a minute after its end."""
AHEAD = timedelta(days=120)
"""Alpaca files a dividend under its payment, which can be months after its ex-date."""
CUT = (
    "this account may not read the last 15 minutes of the consolidated tape: cut to what is "
    "older (--feed iex has one exchange's trades up to now)"
)
NAMES = {"time": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}

_NEW_YORK = ZoneInfo("America/New_York")
_LENGTHS = {
    # interval: (amount, unit, months in a part)
    "1m": (1, "Min", 1),
    "5m": (5, "Min", 3),
    "15m": (15, "Min", 6),
    "30m": (30, "Min", 12),
    "1h": (30, "Min", 12),  # Alpaca's own hours begin at 9:00, and would tell the open's prices
    "1d": (1, "Day", 120),
}


class Alpaca(Source):
    """Asks Alpaca's market data with the keys of an account, a free one if need be."""

    name = "alpaca"
    title = "Minute bars with extended hours since 2016, actions and news, with the keys of Alpaca."
    example = "backtest ingest alpaca META --prepost --since 2026-10-01"
    kinds = (
        Kind("prices", "bars, raw, from 04:00 to 20:00 New York time"),
        Kind("actions", "splits and cash dividends", snapshot=True),
        Kind("news", "news items with their ids"),
    )
    intervals = ("1m", "5m", "15m", "30m", "1h", "1d")
    options = (
        Option(
            "feed",
            "sip: all exchanges, for a free account up to 15 minutes ago; iex: one of them, now",
            default="sip",
            choices=("sip", "iex"),
        ),
        Option(
            "url",
            "another address of the service, such as a gateway's",
            env="APCA_API_DATA_URL",
            kept=False,
        ),
        Option("timeout", "seconds to wait for an answer", default="30", kept=False),
    )
    keys = (
        Key("id", ("APCA_API_KEY_ID", "ALPACA_API_KEY"), "the key's id, from Alpaca's dashboard"),
        Key("secret", ("APCA_API_SECRET_KEY", "ALPACA_SECRET_KEY"), "the secret shown beside it"),
    )
    pace = 3.0  # a free account has 200 requests a minute

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._delayed = False
        self._opened: Client | None = None

    def stored_as(self, kind: str) -> str:
        """Bars name their feed: those of one exchange are not those of all."""
        return f"alpaca-{self._option('feed')}" if kind == "prices" else self.name

    def reach(self, kind: str, interval: str) -> Reach:
        """The years in which Alpaca's archives begin."""
        if kind == "prices":
            return Reach(datetime(2016, 1, 1, tzinfo=UTC), "Alpaca has no bars before 2016")
        if kind == "news":
            return Reach(datetime(2015, 1, 1, tzinfo=UTC), "Alpaca has no news before 2015")
        return Reach()

    def fetch(self, ask: Ask) -> Iterator[Part]:
        """Bars and news by calendar months, actions in one part; see `Source.fetch`."""
        if ask.kind == "prices":
            if ask.interval not in _LENGTHS:
                raise UsageError(f"Alpaca has no bars of {ask.interval!r}")
            return self._prices(ask)
        if ask.kind == "news":
            return self._news(ask)
        if ask.kind == "actions":
            return iter([self._actions(ask)])
        raise UsageError(f"Alpaca has no {ask.kind!r}")

    def _prices(self, ask: Ask) -> Iterator[Part]:
        from db.sources.online.alpaca.client import TooRecentError

        # By one clock reading: behind a clock that goes on there would always be something left.
        now, since, came = self.setup.now(), ask.since, 0
        while since < (until := min(ask.until, self._finished(ask.interval, now))):
            end = min(until, _months_on(since, _LENGTHS[ask.interval][2]))
            try:
                rows = self._bar_rows(ask, since, end, self._readable(now))
            except TooRecentError:
                if self._delayed:
                    raise
                self._delayed = True  # and the same again, up to where it may be read
                continue
            part = self._bar_part(ask, rows, since, end)
            came += part.rows
            notes = (*self._cut(ask, end, now), *_nothing(ask, came)) if end == until else ()
            yield replace(part, notes=notes)
            since = end
        if since == ask.since and (notes := self._cut(ask, since, now)):
            yield Part(since, since, notes=notes)

    def _finished(self, interval: str, now: datetime) -> datetime:
        """Up to where all bars are over, and may be read."""
        from db.calendar import calendar
        from db.intervals import Interval
        from db.sources.fetching.bar_rows import finished_until

        return finished_until(self._readable(now), Interval.parse(interval), calendar())

    def _readable(self, now: datetime) -> datetime:
        return now - (DELAY if self._delayed else SETTLED)

    def _cut(self, ask: Ask, end: datetime, now: datetime) -> tuple[str, ...]:
        """What to say where bars that are over are left for later, for want of a subscription."""
        from db.sources.fetching.open_hours import holds_a_bar
        from db.sources.fetching.ranges import Range

        rest = Range(end, min(ask.until, now - SETTLED))
        if not self._delayed or not holds_a_bar(rest, ask.interval, ask.phases or ALL_PHASES):
            return ()
        return (CUT,)

    def _bar_rows(
        self, ask: Ask, since: datetime, until: datetime, readable: datetime
    ) -> list[Any]:
        amount, unit, _ = _LENGTHS[ask.interval]
        if ask.interval == "1h":  # one that begins before the end has a second half after it
            until = min(until + timedelta(minutes=30), readable)
        feed = self._option("feed")
        return self._client().bars(ask.subject, (amount, unit), since, until, feed)

    def _bar_part(self, ask: Ask, rows: list[Any], since: datetime, until: datetime) -> Part:
        from db.calendar import calendar
        from db.intervals import Interval
        from db.sources.fetching.bar_rows import BarAsk, bar_batch

        wanted = BarAsk(
            ask.subject,
            Interval.parse(ask.interval),
            since,
            until,
            calendar(),
            ask.phases,
            made_of=Interval.M30 if ask.interval == "1h" else None,
        )
        source = self.stored_as("prices")
        batch, count = bar_batch(
            rows,
            NAMES,
            wanted,
            source=source,
            origin=f"{source} {ask.subject} {ask.interval} {since:%Y-%m-%d}..{until:%Y-%m-%d}",
            fetched_at=self.setup.now(),
        )
        return Part(since, until, [batch] if batch else [], count)

    def _news(self, ask: Ask) -> Iterator[Part]:
        from db.sources.online.alpaca.records import news_batch

        since, until = ask.since, min(ask.until, self.setup.now())
        while since < until:
            end = min(until, _months_on(since, 1))
            rows = self._client().news(ask.subject, since, end)
            origin = f"alpaca {ask.subject} news {since:%Y-%m-%d}..{end:%Y-%m-%d}"
            batch = news_batch(rows, ask.subject, origin, self.setup.now())
            yield Part(since, end, [batch] if rows else [], len(rows))
            since = end

    def _actions(self, ask: Ask) -> Part:
        from db.sources.online.alpaca.records import action_batch

        first, last = ask.since.date(), (ask.until + AHEAD).date()
        groups = self._client().actions(ask.subject, first, last)
        origin = f"alpaca {ask.subject} actions {ask.since:%Y-%m-%d}..{ask.until:%Y-%m-%d}"
        batch = action_batch(groups, ask.subject, origin, self.setup.now(), first)
        count = len(batch.records) + len(batch.rejects)
        return Part(ask.since, ask.until, [batch] if count else [], count)

    def _option(self, name: str) -> str:
        default = next(option.default for option in self.options if option.name == name)
        return self.setup.options.get(name) or default

    def _client(self) -> Client:
        if self._opened is None:
            from db.sources.online.alpaca.client import Client

            address = self._option("url") or ADDRESS
            self._opened = Client(self.setup, address, self._option("timeout"))
        return self._opened


def _nothing(ask: Ask, came: int) -> tuple[str, ...]:
    """What to say where not one bar came."""
    if came:
        return ()
    return (f"Alpaca has no bars of {ask.subject} there: not traded, or no such symbol",)


def _months_on(since: datetime, months: int) -> datetime:
    """The beginning of a month in New York, the ``months``-th after ``since``."""
    local = since.astimezone(_NEW_YORK)
    count = local.year * 12 + local.month - 1 + months
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=_NEW_YORK).astimezone(UTC)
