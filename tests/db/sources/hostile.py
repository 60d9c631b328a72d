"""Reads hostile input in a process of its own and prints what that cost.

``python -m tests.db.sources.hostile`` prints one JSON object a case: seconds, and megabytes at
most of this process and of those it started.
"""

from __future__ import annotations

import gzip
import io
import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from db.errors import BacktestError
from db.sources.articles import read_article
from db.sources.feeds import read_feed

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = (
    "<!DOCTYPE html><html><head><title>Title</title>"
    '<meta property="article:published_time" content="2026-01-29T21:10:00Z"></head>'
    "<body><article><h1>Title</h1>"
)
END = "</article></body></html>"
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>'
FEED_END = "</channel></rss>"
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(10))


def entry(title: str, text: str) -> str:
    when = "Thu, 29 Jan 2026 21:10:00 GMT"
    return (
        f"<item><title>{title}</title><pubDate>{when}</pubDate>"
        f"<description>{text}</description></item>"
    )


def deep_json(levels: int) -> str:
    data = '{"mainEntity":' * levels + "1" + "}" * levels
    return f'{HEAD}<script type="application/ld+json">{data}</script><p>text</p>{END}'


CASES: dict[str, Callable[[], str | bytes]] = {
    "article: a line of 10 MB": lambda: f"{HEAD}<p>{'word ' * 2_000_000}</p>{END}",
    "article: a word of 10 MB": lambda: f"{HEAD}<p>{'a' * 10_000_000}</p>{END}",
    "article: plain text of 10 MB": lambda: f"Title\nDate: 2026-01-29\n\n{'word ' * 2_000_000}",
    "article: 100,000 levels": lambda: HEAD + "<div>" * 100_000 + "text" + "</div>" * 100_000 + END,
    "article: 100,000 tables": lambda: HEAD + "<table><tr><td>" * 100_000,
    "article: 10 MB of <": lambda: HEAD + "<" * 10_000_000,
    "article: deep JSON": lambda: deep_json(30_000),
    "article: open comments": lambda: HEAD + "<!--" * 500_000,
    "article: a gzip bomb": lambda: gzip.compress(bytes(100 << 20)),
    "feed: a title of 10 MB": lambda: FEED + entry("word " * 2_000_000, "x") + FEED_END,
    "feed: a text of 10 MB": lambda: FEED + entry("x", "word " * 2_000_000) + FEED_END,
    "feed: 100,000 levels": lambda: FEED + entry("x", "&lt;div&gt;" * 100_000) + FEED_END,
    "feed: 20,000 levels of XML": lambda: (
        FEED + entry("x", "<a>" * 20_000 + "</a>" * 20_000) + FEED_END
    ),
    "feed: a billion laughs": lambda: (
        f"<!DOCTYPE rss [{LAUGHS}]>" + FEED + entry("&l9;", "x") + FEED_END
    ),
    "feed: a foreign file": lambda: (
        '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        + FEED + entry("&a;", "x") + FEED_END
    ),
    "feed: open CDATA": lambda: FEED + "<item><title>x</title><description>" + "<![CDATA[" * 99_999,
    "feed: a gzip bomb": lambda: gzip.compress(bytes(100 << 20)),
    "feed: a zip": lambda: b"PK\x03\x04" + bytes(100),
}  # fmt: skip


def own_peak() -> int:
    """Megabytes at most since this program began.

    Not ``ru_maxrss``: that begins with what the process had that started this one.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def main() -> None:
    for name, make in CASES.items():
        data = make()
        stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
        read = read_article if name.startswith("article") else read_feed
        began = time.monotonic()
        try:
            batch = read("-", fetched_at=NOW, stdin=stream)
            kept = [(len(one.title), len(one.body), one.raw) for one in batch.records]
            outcome: object = kept
        except BacktestError as error:
            outcome = error.what
        others = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
        most = {"own": own_peak(), "others": others}
        found = {"case": name, "outcome": outcome, "seconds": time.monotonic() - began, **most}
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
