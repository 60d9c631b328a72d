"""Articles: what is read of a page, and from when on it is known."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from db.batches import NewsRecord
from db.errors import DataError, MissingExtraError, UsageError
from db.sources.articles import notes_of, read_article
from db.sources.fetching.line import Line
from db.text import language
from tests.fakes.web import ARTICLE_DE, ARTICLE_EN, FakeWeb, article

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
END_OF_JAN_29 = datetime(2026, 1, 30, 5, tzinfo=UTC)  # midnight in New York
META = '<meta property="article:published_time" content="{}">'
JSON_LD = '<script type="application/ld+json">{}</script>'


def read(page: str | bytes, **options) -> NewsRecord:
    data = page.encode() if isinstance(page, str) else page
    batch = read_article("-", fetched_at=NOW, stdin=io.BytesIO(data), **options)
    (record,) = batch.records
    return record


def dated(head: str = "", top: str = "") -> NewsRecord:
    return read(article("Meta to spend far more", ARTICLE_EN, head=head, top=top))


@pytest.fixture
def web():
    with FakeWeb() as fake:
        yield fake


def test_a_page_is_read_as_its_article(web):
    head = META.format("2026-01-29T16:10:00-05:00") + '<link rel="canonical" href="/a/meta">'
    url = web.at("/a/meta?from=home", article("Meta to spend far more", ARTICLE_EN, head=head))
    web.pages["/a/meta"] = web.pages["/a/meta?from=home"]

    batch = read_article(url, symbols=["meta"], fetched_at=NOW, line=Line(pace=1e9))
    (record,) = batch.records

    assert record.title == "Meta to spend far more"
    assert all(paragraph in record.body for paragraph in ARTICLE_EN)
    assert "Imprint" not in record.body
    assert "Markets" not in record.body
    assert (record.language, record.provider, record.symbols) == ("en", "The Paper", ("META",))
    assert record.url == f"{web.url}/a/meta"
    assert record.published_at == datetime(2026, 1, 29, 21, 10, tzinfo=UTC)
    assert record.published_precision == "exact"
    assert (batch.provenance.source, batch.provenance.origin) == ("article", url)


def test_an_article_in_german_is_told_from_english():
    head = META.format("2026-01-29T22:10:00+01:00")
    page = article("Meta will deutlich mehr ausgeben", ARTICLE_DE, head=head, lang="de")
    assert read(page).language == "de"


@pytest.mark.parametrize(
    ("head", "top"),
    [
        (META.format("2026-01-29T21:10:00Z"), ""),
        ('<meta name="date" content="2026-01-29T22:10:00+01:00">', ""),
        (JSON_LD.format('{"@type":"NewsArticle","datePublished":"2026-01-29T21:10:00.000Z"}'), ""),
        (
            JSON_LD.format(
                '{"@graph":[{"@type":["WebPage"]},'
                '{"@type":["ReportageNewsArticle"],"datePublished":"2026-01-29T16:10-05:00"}]}'
            ),
            "",
        ),
        ("", '<time datetime="2026-01-29T16:10:00-05:00">yesterday</time>'),
        ("", "<time>Jan. 29, 2026, 4:10 p.m. ET</time>"),
        ("", "<time>29.01.2026, 22:10 Uhr MEZ</time>"),
        ("", '<span itemprop="datePublished" content="2026-01-29T21:10Z">x</span>'),
        # A date for machines and the time for people.
        (META.format("2026-01-29"), "<time>29. Januar 2026, 22:10 Uhr MEZ</time>"),
    ],
)
def test_the_instant_of_publication_is_found_where_pages_say_it(head, top):
    record = dated(head, top)
    assert record.published_at == datetime(2026, 1, 29, 21, 10, tzinfo=UTC)
    assert record.published_precision == "exact"


@pytest.mark.parametrize(
    ("head", "top"),
    [
        (META.format("2026-01-29"), ""),
        (META.format("2026-01-29T16:10:00"), ""),  # in which zone?
        (META.format("2026-01-29T00:00:00Z"), ""),  # how programs write a date
        ("", "<time>29.01.2026, 22:10 Uhr</time>"),
        ("", "<time>January 29, 2026</time>"),
        (META.format("2026-01-29"), "<time>30.01.2026, 22:10 Uhr MEZ</time>"),  # another day
    ],
)
def test_a_date_without_a_time_is_known_at_the_end_of_that_new_york_day(head, top):
    record = dated(head, top)
    assert record.published_at == END_OF_JAN_29
    assert record.published_precision == "date"


def test_when_a_page_was_changed_is_not_when_it_was_published():
    data = (
        '{"@type":"NewsArticle","dateModified":"2026-02-03T09:00:00Z",'
        '"datePublished":"2026-02-01T08:30:00Z"}'
    )
    record = dated(JSON_LD.format(data), '<time class="updated">2026-02-03T09:00:00Z</time>')
    assert record.published_at == datetime(2026, 2, 1, 8, 30, tzinfo=UTC)
    assert json.loads(record.raw)["modified"] == "2026-02-03T09:00:00Z"
    assert any("changed" in note for note in notes_of(record))


def test_related_articles_do_not_date_a_page():
    related = (
        '{"@type":"ItemList","itemListElement":[{"@type":"NewsArticle","datePublished":"%s"}]}'
    )
    head = JSON_LD.format(related % "2020-01-01T00:01:00Z") + META.format("2026-01-29T21:10:00Z")
    assert dated(head).published_at.year == 2026


def test_a_page_without_a_date_is_refused_and_says_what_to_do():
    with pytest.raises(DataError, match="no date") as error:
        dated()
    assert "--published" in error.value.hint


@pytest.mark.parametrize("stated", ["2026-03-02T12:00:00Z", "1989-12-31", "2037-01-01"])
def test_a_date_that_cannot_be_is_refused(stated):
    with pytest.raises(DataError, match=r"future|before 1990"):
        dated(META.format(stated))


def test_a_date_that_cannot_be_read_is_not_guessed():
    with pytest.raises(DataError, match="01/02/2026"):
        dated(META.format("01/02/2026"))


@pytest.mark.parametrize(
    ("given", "known", "precision"),
    [
        ("2026-01-30T07:00:00+01:00", datetime(2026, 1, 30, 6, tzinfo=UTC), "exact"),
        ("2026-01-29 16:05 America/New_York", datetime(2026, 1, 29, 21, 5, tzinfo=UTC), "exact"),
        ("2026-01-29T00:00Z", datetime(2026, 1, 29, tzinfo=UTC), "exact"),
        ("2026-01-29", END_OF_JAN_29, "date"),
        (date(2026, 1, 29), END_OF_JAN_29, "date"),
        (datetime(2026, 1, 29, 21, tzinfo=UTC), datetime(2026, 1, 29, 21, tzinfo=UTC), "exact"),
    ],
)
def test_the_caller_may_say_when_it_was_published(given, known, precision):
    page = article("Meta to spend", ARTICLE_EN, head=META.format("2020-01-01T01:01:00Z"))
    record = read(page, published=given)
    assert (record.published_at, record.published_precision) == (known, precision)


@pytest.mark.parametrize(
    "given",
    ["2026-01-29 16:05", "soon", "01/02/2026", "2030-01-01", "1980-01-01", datetime(2026, 1, 1)],
)
def test_a_publication_that_the_caller_cannot_mean_is_wrong_use(given):
    with pytest.raises(UsageError):
        read(article("x", ARTICLE_EN), published=given)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "utf-8"),
        ("iso-8859-1", "iso-8859-1"),
        ("cp1252", "windows-1252"),
        ("utf-8", "iso-8859-15"),  # declared wrongly
        ("utf-16", "utf-16"),
        ("utf-8-sig", "x-unknown"),
    ],
)
def test_charsets_are_read_as_declared(encoding, declared):
    head = META.format("2026-01-29T21:10:00Z")
    page = article("Börse", ARTICLE_DE, head=head, charset=declared).encode(encoding)
    record = read(page)
    assert record.title == "Börse"
    assert ARTICLE_DE[1] in record.body
    assert bool(notes_of(record)) == (declared == "iso-8859-15")


def test_the_charset_of_the_answer_is_stronger_than_that_of_the_page(web):
    from tests.fakes.server import Response

    head = META.format("2026-01-29T21:10:00Z")
    body = article("Börse", ARTICLE_DE, head=head, charset="utf-8").encode("iso-8859-1")
    url = web.at("/a", Response(body, 200, {"Content-Type": "text/html; charset=ISO-8859-1"}))
    (record,) = read_article(url, fetched_at=NOW).records
    assert record.title == "Börse"


def test_plain_text_has_its_title_in_the_first_line_and_its_date_in_the_head(tmp_path: Path):
    path = tmp_path / "note.txt"
    path.write_text("Meta will mehr ausgeben\nVeröffentlicht: 1. Februar 2026\n\n" + ARTICLE_DE[0])
    (record,) = read_article(str(path), fetched_at=NOW).records
    assert record.title == "Meta will mehr ausgeben"
    assert ARTICLE_DE[0] in record.body
    assert record.published_at == datetime(2026, 2, 2, 5, tzinfo=UTC)
    assert (record.language, record.url) == ("de", "")


def test_dates_in_the_middle_of_plain_text_are_not_its_own():
    text = (
        "Meta will mehr ausgeben\n\nAm 29.01.2026 hatte der Konzern Zahlen vorgelegt, " + "x " * 60
    )
    with pytest.raises(DataError, match="no date"):
        read(text)


def test_a_home_page_is_no_canonical_address(web):
    head = META.format("2026-01-29T21:10:00Z") + '<link rel="canonical" href="/">'
    url = web.at("/a/b", article("Meta to spend", ARTICLE_EN, head=head))
    (record,) = read_article(url, fetched_at=NOW).records
    assert record.url == url


def test_an_article_of_sunday_about_wednesday_is_known_from_sunday(fresh_store):
    page = article("Nachlese: Metas Zahlen", ARTICLE_DE, head=META.format("2026-02-01"), lang="de")
    fresh_store.ingest(
        read_article("-", symbols=["META"], fetched_at=NOW, stdin=io.BytesIO(page.encode()))
    )
    monday = datetime(2026, 2, 2, 5, tzinfo=UTC)
    assert fresh_store.news(as_of=datetime(2026, 2, 2, 4, 59, tzinfo=UTC)).empty
    assert fresh_store.news(as_of=monday)["published_at"].tolist() == [monday]


def test_the_same_page_again_is_the_same_import_whatever_else_is_on_it(fresh_store):
    head = META.format("2026-01-29T21:10:00Z")
    first = article("Meta to spend", ARTICLE_EN, head=head)
    later = first.replace("<footer>", "<footer><p>An advert of today</p>")
    reports = [
        fresh_store.ingest(read_article("-", fetched_at=at, stdin=io.BytesIO(page.encode())))
        for page, at in ((first, NOW), (later, NOW.replace(day=2)))
    ]
    assert [(one.added, one.already_imported) for one in reports] == [(1, False), (0, True)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no text"),
        (b"   \n ", "no text"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04...", "archives"),
        (b"\x1f\x8b\x08 damaged", "gzip"),
        (bytes(5000), "binary"),
        (b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>', "feed"),
    ],
)
def test_what_is_no_article_is_refused_by_its_name(data, why):
    with pytest.raises(DataError, match=why):
        read(data, published="2026-01-29")


def test_a_missing_file_and_an_address_of_another_kind_are_wrong_use(tmp_path):
    for where in (str(tmp_path / "none.html"), "ftp://x.org/a", "http://"):
        with pytest.raises(UsageError):
            read_article(where, fetched_at=NOW)


@pytest.mark.parametrize("package", ["trafilatura", "py3langid"])
def test_without_the_extra_its_name_is_said(package, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    language._classifier.cache_clear()
    with pytest.raises(MissingExtraError, match=package) as error:
        dated(META.format("2026-01-29"))
    assert "[news]" in error.value.hint


def test_bytes_of_anything_else_are_no_article():
    noise = bytes((number * 197 + 31) % 255 + 1 for number in range(5000))
    with pytest.raises(DataError, match="binary data, not a text"):
        read(noise, published="2026-01-29")
