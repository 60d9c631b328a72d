"""Feeds: RSS 2.0, RSS 1.0 and Atom, each entry once and known from when it says."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime

import pytest

from db.errors import DataError, UsageError
from db.sources.feeds import notes_of, read_feed
from tests.fakes.web import ARTICLE_DE, Entry, FakeWeb, atom, rdf, rss

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = datetime(2026, 1, 29, 21, 10, tzinfo=UTC)
END_OF_JAN_29 = datetime(2026, 1, 30, 5, tzinfo=UTC)
RFC = "Thu, 29 Jan 2026 21:10:00 GMT"
ISO = "2026-01-29T22:10:00+01:00"


def read(feed: str | bytes, **options):
    data = feed.encode() if isinstance(feed, str) else feed
    return read_feed("-", fetched_at=NOW, stdin=io.BytesIO(data), **options)


def reasons(batch) -> list[tuple[int, str, str]]:
    return [(one.row, one.column, one.reason) for one in batch.rejects]


@pytest.mark.parametrize(
    "feed",
    [
        rss([Entry("Meta to spend", RFC, "https://x.org/a", "a-1", "<p>Far more.</p>")]),
        atom([Entry("Meta to spend", ISO, "https://x.org/a", "a-1", "<p>Far more.</p>")]),
        rdf([Entry("Meta to spend", ISO, "https://x.org/a")]),
    ],
    ids=["rss", "atom", "rdf"],
)
def test_every_kind_of_feed_is_read(feed):
    batch = read(feed, symbols=["meta"])
    (record,) = batch.records
    assert (record.title, record.url) == ("Meta to spend", "https://x.org/a")
    assert (record.published_at, record.published_precision) == (AT, "exact")
    assert (record.provider, record.symbols, record.row) == ("The Paper", ("META",), 1)
    assert batch.rejects == []
    if "a-1" in feed:
        assert (record.item_id, record.body) == ("a-1", "Far more.")


@pytest.mark.parametrize(
    ("when", "known", "precision"),
    [
        (RFC, AT, "exact"),
        ("Thu, 29 Jan 2026 16:10:00 EST", AT, "exact"),
        ("29 Jan 26 16:10 -0500", AT, "exact"),
        (ISO, AT, "exact"),
        ("Thu, 29 Jan 2026", END_OF_JAN_29, "date"),
        ("2026-01-29", END_OF_JAN_29, "date"),
        ("Thu, 29 Jan 2026 21:10:00", END_OF_JAN_29, "date"),  # in which zone?
        ("Thu, 29 Jan 2026 00:00:00 GMT", END_OF_JAN_29, "date"),
        ("Thu, 29 Jan 2026 21:10:00 XYZ", END_OF_JAN_29, "date"),
    ],
)
def test_an_entry_is_known_from_when_it_says_with_its_precision(when, known, precision):
    (record,) = read(rss([Entry("Meta to spend", when)])).records
    assert (record.published_at, record.published_precision) == (known, precision)


def test_an_entry_that_was_only_updated_is_known_from_then():
    feed = atom([Entry("Meta to spend", "", "https://x.org/a", "1")])
    feed = feed.replace("<published></published>", f"<updated>{ISO}</updated>")
    assert read(feed).records[0].published_at == AT
    both = feed.replace("<updated>", "<published>2026-01-28T10:00:00Z</published><updated>")
    assert read(both).records[0].published_at == datetime(2026, 1, 28, 10, tzinfo=UTC)


def test_entries_that_cannot_be_used_are_rejected_with_their_reason():
    entries = [
        Entry("Good", RFC, "https://x.org/1", "1"),
        Entry("", RFC, "https://x.org/2", "2"),
        Entry("No date", "", "https://x.org/3", "3"),
        Entry("Tomorrow", "Mon, 02 Mar 2026 12:00:00 GMT", "https://x.org/4", "4"),
        Entry("Long ago", "Thu, 29 Jan 1970 21:10:00 GMT", "https://x.org/5", "5"),
        Entry("Which day", "01/02/2026", "https://x.org/6", "6"),
        Entry("Good again", RFC, "https://x.org/other", "1"),
        Entry("Same page", RFC, "https://www.x.org/1?utm_source=rss", "8"),
    ]
    batch = read(rss(entries))
    assert [record.title for record in batch.records] == ["Good"]
    assert reasons(batch) == [
        (2, "title", "the title is missing"),
        (3, "published", "the date is missing"),
        (4, "published", "2026-03-02 12:00:00+00:00 lies in the future"),
        (5, "published", "1970-01-29 is before 1990"),
        (6, "published", "the date cannot be read"),
        (7, "id", "the same as entry 1"),
        (8, "url", "the same as entry 1"),
    ]


def test_markup_becomes_text_and_text_stays_text():
    text = (
        "<h2>Zahlen</h2><p>Umsatz &amp; Gewinn<br>stiegen.</p><script>alert(1)</script><p>Ende</p>"
    )
    (rich,) = read(rss([Entry("R&D < 5 <b>percent</b>", RFC, text=text)])).records
    assert rich.title == "R&D < 5 percent"
    assert rich.body == "Zahlen\nUmsatz & Gewinn\nstiegen.\nEnde"


def test_full_content_is_preferred_to_the_summary():
    feed = atom([Entry("Meta", ISO, "https://x.org/a", "1", "Kurz.")])
    content = f'<content type="html">&lt;p&gt;{ARTICLE_DE[0]}&lt;/p&gt;</content></entry>'
    (record,) = read(feed.replace("</entry>", content)).records
    assert record.body == ARTICLE_DE[0]
    assert record.language == "de"


@pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "data:text/html,x"])
def test_only_web_addresses_become_links(link):
    assert read(rss([Entry("Meta to spend", RFC, link)])).records[0].url == ""


def test_relative_links_are_those_of_the_feed():
    with FakeWeb() as web:
        url = web.at("/feeds/a.rss", rss([Entry("Meta to spend", RFC, "/meta")]))
        assert read_feed(url, fetched_at=NOW).records[0].url == f"{web.url}/meta"


def test_a_feed_that_breaks_off_gives_its_whole_entries_and_says_so():
    feed = rss([Entry("First", RFC, "https://x.org/1"), Entry("Second", RFC, "https://x.org/2")])
    batch = read(feed[: feed.index("Second") + 3])
    assert [record.title for record in batch.records] == ["First"]
    assert reasons(batch) == [(2, "title", "the feed ends in the middle of this entry")]
    assert "no well-formed XML" in notes_of(batch)[0]


def test_an_empty_feed_is_no_error_and_brings_nothing(fresh_store):
    report = fresh_store.ingest(read(rss([])))
    assert (report.added, report.rejected) == (0, 0)


def test_a_feed_may_be_compressed_and_in_other_charsets():
    feed = rss([Entry("Börse", RFC)])
    assert read(gzip.compress(feed.encode())).records[0].title == "Börse"
    latin = feed.replace("utf-8", "iso-8859-1").encode("iso-8859-1")
    assert read(latin).records[0].title == "Börse"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("hello", "neither RSS nor Atom"),
        ('{"version": "https://jsonfeed.org"}', "neither RSS nor Atom"),
        ("<!DOCTYPE html><html><body><p>x</p></body></html>", "web page"),
        (
            '<html><head><link rel="alternate" type="application/rss+xml" href="/f.xml"></head>',
            "/f.xml",
        ),
    ],
)
def test_what_is_no_feed_is_refused(data, why):
    with pytest.raises(DataError, match=why):
        read(data)


def test_a_wrong_symbol_is_wrong_use():
    with pytest.raises(UsageError, match="no symbol"):
        read(rss([]), symbols=["  "])


def test_the_same_feed_again_adds_nothing_and_a_longer_one_the_new_entries(fresh_store):
    old = Entry("Meta to spend far more this year", RFC, "https://x.org/1", "1")
    new = Entry("AMD raises its outlook for the year", "Fri, 30 Jan 2026 10:00:00 GMT",
                "https://x.org/2", "2")  # fmt: skip
    first = fresh_store.ingest(read(rss([old])))
    again = fresh_store.ingest(read(rss([old])))
    longer = fresh_store.ingest(read(rss([new, old])))

    assert (first.added, again.already_imported) == (1, True)
    assert (longer.added, longer.unchanged) == (1, 1)
    assert len(fresh_store.news()) == 2


def test_an_entry_of_the_future_comes_in_once_its_time_has_come(fresh_store):
    feed = rss([Entry("Embargoed until the first of March", "Sun, 01 Mar 2026 12:05:00 GMT")])
    assert fresh_store.ingest(read(feed)).rejected == 1
    later = read_feed("-", fetched_at=NOW.replace(minute=6), stdin=io.BytesIO(feed.encode()))
    assert fresh_store.ingest(later).added == 1
