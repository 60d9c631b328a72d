"""What can go wrong on the way to a page or feed, what is in the store then, and a second run."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from db.errors import BacktestError, DataError
from db.sources.articles import read_article
from db.sources.download import Limits, fetch
from db.sources.feeds import read_feed
from db.sources.fetching.line import Line
from db.sources.fetching.source import (
    RefusedError,
    UnavailableError,
    UnknownSubjectError,
    UnreadableAnswerError,
)
from db.sources.web_opener import shown
from tests.fakes.faults import FOR_GOOD, Fault
from tests.fakes.server import Response
from tests.fakes.web import ARTICLE_EN, Entry, FakeWeb, article, bomb, rss

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUICK = Limits(silence=0.3, seconds=5.0)
HEAD = '<meta property="article:published_time" content="2026-01-29T16:10:00-05:00">'
PAGE = article("Meta to spend far more", ARTICLE_EN, head=HEAD)
FEED = rss(
    [
        Entry("Meta to spend far more this year", link="https://x.org/1", id="1"),
        Entry("AMD raises its outlook for the year", link="https://x.org/2", id="2"),
    ]
)
FEED_PATH, PAGE_PATH = "/feeds/markets.rss", "/meta"


@pytest.fixture
def web():
    with FakeWeb() as fake:
        fake.at(FEED_PATH, FEED)
        fake.at(PAGE_PATH, PAGE)
        yield fake


@pytest.fixture(params=["article", "feed"])
def bring(request, web, fresh_store):
    """Reads the article or the feed, stores it, and returns how many items there are."""
    read, path = (read_article, PAGE_PATH) if request.param == "article" else (read_feed, FEED_PATH)

    def run(waits: list[float] | None = None) -> int:
        line = Line(pace=1e9, sleep=(waits if waits is not None else []).append)
        fresh_store.ingest(read(web.url + path, fetched_at=NOW, line=line, limits=QUICK))
        return len(fresh_store.news())

    run.whole = 1 if request.param == "article" else 2
    run.store = fresh_store
    return run


@pytest.mark.parametrize("kind", ["429", "500", "502", "503", "timeout", "cut", "reset"])
def test_what_passes_is_waited_for(kind, bring, web):
    web.faults.append(Fault(kind, times=2, retry_after=7))
    waits: list[float] = []
    assert bring(waits) == bring.whole
    assert len(web.requests) == 3
    assert len([wait for wait in waits if wait >= 1]) == 2
    if kind in ("429", "503"):
        assert max(waits) >= 7, "the server asked for it"


@pytest.mark.parametrize("kind", ["429", "500", "503", "timeout", "cut", "reset"])
def test_what_does_not_pass_leaves_the_store_as_it_was_and_the_next_run_completes_it(
    kind, bring, web
):
    web.faults.append(Fault(kind, times=FOR_GOOD))
    with pytest.raises(UnavailableError):
        bring()
    assert bring.store.news().empty
    web.faults.clear()
    assert bring() == bring.whole


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("401", RefusedError),
        ("403", RefusedError),
        ("404", UnknownSubjectError),
        ("loop", UnreadableAnswerError),
        ("elsewhere", UnreadableAnswerError),
        ("brotli", UnreadableAnswerError),
        ("bomb", DataError),
        ("huge", DataError),
        ("nothing", DataError),
    ],
)
def test_what_no_waiting_helps_is_refused_at_once(kind, error, bring, web):
    bomb(200 << 20)  # made beforehand: the time that it takes is not the server's
    web.faults.append(Fault(kind, times=FOR_GOOD))
    with pytest.raises(error):
        bring()
    assert len(web.requests) <= 12, "no retries; redirects end"
    assert bring.store.news().empty
    web.faults.clear()
    assert bring() == bring.whole


def test_a_feed_that_is_half_there_gives_its_half_and_the_next_run_the_rest(web, fresh_store):
    def run():
        return fresh_store.ingest(read_feed(web.url + FEED_PATH, fetched_at=NOW))

    web.faults.append(Fault("malformed"))
    first, second = run(), run()
    assert (first.added, first.rejected) in [(0, 1), (1, 1), (1, 0)]
    assert second.added == 2 - first.added
    assert len(fresh_store.news()) == 2


def test_repeated_entries_make_no_second_items(web, fresh_store):
    web.faults.append(Fault("twice"))
    report = fresh_store.ingest(read_feed(web.url + FEED_PATH, fetched_at=NOW))
    assert (report.added, report.rejected) == (2, 2)
    again = fresh_store.ingest(read_feed(web.url + FEED_PATH, fetched_at=NOW))
    assert (again.added, again.unchanged) == (0, 2)


def test_a_feed_whose_dates_have_another_name_stores_nothing_and_says_why(web, fresh_store):
    web.faults.append(Fault("renamed"))
    batch = read_feed(web.url + FEED_PATH, fetched_at=NOW)
    assert {one.reason for one in batch.rejects} == {"the date is missing"}
    assert fresh_store.ingest(batch).added == 0
    assert fresh_store.ingest(read_feed(web.url + FEED_PATH, fetched_at=NOW)).added == 2


def test_a_page_that_moved_is_found_and_is_the_same_item(web, fresh_store):
    canonical = f'<link rel="canonical" href="{web.url}{PAGE_PATH}">'
    web.at(PAGE_PATH, article("Meta to spend far more", ARTICLE_EN, head=HEAD + canonical))
    web.faults.append(Fault("moved"))
    for _ in range(2):
        fresh_store.ingest(read_article(web.url + PAGE_PATH, fetched_at=NOW))
    assert fresh_store.news()["url"].tolist() == [web.url + PAGE_PATH]
    assert [request.path for request in web.requests] == ["/meta", "/new/meta", "/meta"]


def test_a_page_of_two_releases_of_the_clock_change_keeps_both_apart(fresh_store, web):
    """Half past one in the night of the change is two instants; without an offset it is a date."""
    hours = {"-04:00": 5, "-05:00": 6}
    for offset, hour in hours.items():
        head = HEAD.replace("2026-01-29T16:10:00-05:00", f"2025-11-02T01:30:00{offset}")
        url = web.at(f"/night{hour}", article(f"Release {hour}", ARTICLE_EN, head=head))
        (record,) = read_article(url, fetched_at=NOW).records
        assert record.published_at == datetime(2025, 11, 2, hour, 30, tzinfo=UTC)
    head = HEAD.replace("2026-01-29T16:10:00-05:00", "2025-11-02 01:30 ET")
    (record,) = read_article(
        web.at("/night", article("Release", ARTICLE_EN, head=head)), fetched_at=NOW
    ).records
    assert record.published_at == datetime(2025, 11, 3, 5, tzinfo=UTC)


@contextmanager
def dripping(start: bytes):
    """A server that sends ``start`` and then a byte now and then, for ever."""
    listening = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(start)
            while not done.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        done.set()
        thread.join()
        listening.close()


@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n"],
    ids=["status", "headers", "body"],
)
def test_a_server_that_never_comes_to_an_end_is_hung_up_on(start):
    line = Line(pace=1e9, attempts=1)
    with dripping(start) as url:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="in time"):
            fetch(url, line=line, limits=Limits(seconds=0.5, silence=5.0))
        assert time.monotonic() - began < 3


def test_a_server_that_is_not_there_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(UnavailableError, match="refused"):
        fetch(f"http://127.0.0.1:{port}/", line=Line(pace=1e9, attempts=1))


def test_passwords_and_keys_of_an_address_go_nowhere(web, fresh_store):
    address = web.at(FEED_PATH, FEED).replace("http://", "http://me:hunter2@")
    batch = read_feed(f"{address}?apikey=abcdef123&page=2", fetched_at=NOW)
    fresh_store.ingest(batch)

    sent = web.requests[-1]
    assert sent.query == {"apikey": "abcdef123", "page": "2"}
    assert sent.headers["authorization"].startswith("Basic ")
    kept = json.dumps([repr(batch), fresh_store.batches().to_csv(), fresh_store.news().to_csv()])
    assert "hunter2" not in kept
    assert "abcdef123" not in kept
    assert "page=2" in batch.provenance.origin


def test_passwords_are_not_taken_along_to_another_host(web):
    with FakeWeb() as other:
        target = other.at(PAGE_PATH, PAGE)
        web.at("/moved", Response(b"", 302, {"Location": target}))
        fetch(web.url.replace("http://", "http://me:hunter2@") + "/moved")
        assert "authorization" not in other.requests[-1].headers


@pytest.mark.parametrize("fault", ["401", "404", "500", "loop", "bomb", "cut"])
def test_errors_do_not_name_a_secret(fault, web):
    web.faults.append(Fault(fault, times=FOR_GOOD))
    address = web.url.replace("http://", "http://me:hunter2@") + f"{PAGE_PATH}?token=abcdef123"
    with pytest.raises(BacktestError) as error:
        fetch(address, line=Line(pace=1e9, attempts=1))
    chain = []
    link: BaseException | None = error.value
    while link is not None:
        chain.append(f"{link} {link!r}")
        link = link.__cause__ or link.__context__
    assert "hunter2" not in " ".join(chain)
    assert "abcdef123" not in " ".join(chain)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://x.org/a?b=1&c=2#top", "https://x.org/a?b=1&c=2"),
        ("https://me:secret@x.org/a", "https://x.org/a"),
        ("https://x.org/a?api_key=123&b=1", "https://x.org/a?api_key=...&b=1"),
        ("folder/a\x1b[31m.html", "folder/a\\x1b[31m.html"),
    ],
)
def test_addresses_are_shown_without_secrets_and_without_escapes(address, kept):
    assert shown(address) == kept
