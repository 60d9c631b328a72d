"""Hostile pages and feeds: stored or refused with a reason, in bounded time and memory."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from db.errors import DataError
from db.sources.articles import read_article
from db.sources.feeds import read_feed
from db.text.limited import is_ordinary, read
from tests.fakes.web import Entry, article, rss

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HEAD = '<meta property="article:published_time" content="2026-01-29T21:10:00Z">'
SECONDS, MEGABYTES = 30, 700

REFUSED = {
    "article: a gzip bomb": "unpacked it holds more than 20 MB",
    "feed: a billion laughs": "entities of its own",
    "feed: a foreign file": "entities of its own",
    "feed: a gzip bomb": "unpacked it holds more than 20 MB",
    "feed: a zip": "archives are not read",
}
CUT = {
    "article: a line of 10 MB": 1_000_000,
    "article: a word of 10 MB": 1_000_000,
    "article: plain text of 10 MB": 1_000_000,
    "feed: a text of 10 MB": 1_000_000,
}


@pytest.fixture(scope="module")
def measured(root) -> dict[str, dict]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.db.sources.hostile"],
        cwd=root,
        capture_output=True,
        check=True,
        timeout=170,
    )
    return {found["case"]: found for found in map(json.loads, done.stdout.splitlines())}


def test_every_case_ends_in_bounded_time_and_memory(measured):
    from tests.db.sources.hostile import CASES

    assert measured.keys() == CASES.keys()
    assert max(found["seconds"] for found in measured.values()) < SECONDS
    assert max(max(found["own"], found["others"]) for found in measured.values()) < MEGABYTES


@pytest.mark.parametrize("case", REFUSED)
def test_bombs_are_refused_with_a_reason(case, measured):
    assert REFUSED[case] in measured[case]["outcome"]


@pytest.mark.parametrize("case", CUT)
def test_what_is_too_long_is_cut(case, measured):
    ((title, body, raw),) = measured[case]["outcome"]
    assert title <= 500
    assert CUT[case] - 10 < body <= CUT[case]
    assert "cut" in raw or case.startswith("feed")


def test_what_was_lost_to_nesting_is_said(measured):
    ((_, _, raw),) = measured["article: 100,000 levels"]["outcome"]
    assert "nested too deeply" in raw


def test_a_title_of_megabytes_is_a_line(measured):
    assert measured["feed: a title of 10 MB"]["outcome"][0][0] == 500


def test_reading_that_takes_too_long_is_stopped():
    attributes = " ".join(f'a{number}="x"' for number in range(200_000))
    page = f"<html><body><p {attributes}>x</p></body></html>".encode()
    assert not is_ordinary(page)
    with pytest.raises(DataError, match="longer than 1 seconds"):
        read("db.text.html:read_page", page, {"where": "x.html", "today": "2026-03-01"}, seconds=1)


def test_errors_of_the_other_process_arrive_as_they_are():
    page = b"<html>" + bytes(100) + b"x" * 600_000
    with pytest.raises(DataError, match="binary data") as error:
        read("db.text.html:read_page", page, {"where": "x.html", "today": "2026-03-01"})
    assert error.value.where == "x.html"


TEXT = (
    "Robert'); DROP TABLE news;-- \x1b[31mred\x1b[0m \x00 nul \u202eevil\u202c "
    "<script>alert(1)</script> \u05e2\u05d1\u05e8\u05d9\u05ea\u200f! Mil\u00adliarden \ud800 half"
)


@pytest.fixture
def kept(fresh_store):
    page = article("T", [TEXT], head=HEAD).encode("utf-8", "surrogatepass")
    feed = rss([Entry(TEXT, text=TEXT)]).encode("utf-8", "surrogatepass")
    for read_it, data in ((read_article, page), (read_feed, feed)):
        fresh_store.ingest(read_it("-", fetched_at=NOW, stdin=io.BytesIO(data)))
    return fresh_store.news()


def test_hostile_text_is_stored_as_harmless_text(kept):
    assert len(kept) == 2
    for text in (*kept["body"], *kept["title"]):
        assert not any(ord(c) < 32 and c != "\n" for c in text)
        assert "\u202e" not in text, "turns the direction of what follows"
    for text in kept["body"]:
        assert "DROP TABLE news;--" in text
        assert "Milliarden" in text, "a soft hyphen does not split a word"
        assert "\u05e2\u05d1\u05e8\u05d9\u05ea" in text, "Hebrew stays"
        assert "[31mred" in text


def test_invalid_characters_do_not_break_a_feed():
    feed = rss([Entry("Tab &#9; nul &#0; half &#xD800; end", link="https://x.org/1")])
    feed = feed.replace("&amp;#", "&#")
    (record,) = read_feed("-", fetched_at=NOW, stdin=io.BytesIO(feed.encode())).records
    assert record.title == "Tab nul \ufffd half \ufffd end"
