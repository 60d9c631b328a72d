"""Releases and news for Yahoo's fake to tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


@dataclass(frozen=True)
class Release:
    """A row of the earnings calendar, and of the page of one company.

    ``start`` is UTC; ``timing`` one of AMC, BMO, TAS, TNS.  ``paged`` is the date as the page
    writes it (empty: made from ``start``), ``-`` where it has none.
    """

    symbol: str
    name: str
    start: datetime
    timing: str
    estimate: float | None = None
    actual: float | None = None
    paged: str = ""

    @property
    def on_page(self) -> str:
        local = self.start.astimezone(NEW_YORK)
        return self.paged or local.strftime("%B %d, %Y at %-I %p ") + str(local.tzname())


def news_item(
    symbol: str, number: int, headline: str, published: datetime, **content: Any
) -> dict[str, Any]:
    """One item of the news stream; ``content`` overrides what it says."""
    url = f"https://finance.yahoo.com/news/{symbol.lower()}-{number}.html"
    said = {
        "id": f"{symbol}-{number}",
        "contentType": "STORY",
        "title": headline,
        "summary": f"Summary of {headline}",
        "pubDate": published.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "provider": {"displayName": "Newswire", "url": "https://example.com"},
        "canonicalUrl": {"url": url, "site": "finance", "region": "US", "lang": "en-US"},
        **content,
    }
    return {"symbol": symbol, "id": said["id"], "content": said}


def quarterly(symbol: str, first: date, last: date, *, today: date) -> list[Release]:
    """A release after the close four weeks after each quarter, with figures before ``today``."""
    found = []
    for year in range(first.year, last.year + 1):
        for quarter, (month, of) in enumerate([(4, 0), (7, 0), (10, 0), (1, 1)], start=1):
            day = date(year + of, month, 28)
            if first <= day <= last:
                start = datetime(day.year, day.month, day.day, 16, tzinfo=NEW_YORK)
                name = f"Q{quarter} {year} Earnings Announcement"
                estimate, actual = 1.0 + quarter / 100, 1.05 if day < today else None
                at = start.astimezone(UTC)
                found.append(Release(symbol, name, at, "AMC", estimate, actual))
    return found
