"""What is read out of a filed press release: words, headline, quarter; hostile ones in time."""

from __future__ import annotations

import time
import tracemalloc
from datetime import date

import pytest

from db.sources.online.edgar.answers import text_of
from db.sources.online.edgar.exhibit import (
    LONGEST,
    MOST_TAGS,
    fiscal_period,
    headline,
    is_whole,
    read_text,
)
from tests.fakes.edgar import press_release

MB = 1 << 20


def test_markup_goes_and_words_stay() -> None:
    page = """<DOCUMENT>
<TYPE>EX-99.1
<FILENAME>a.htm
<TEXT>
<html><head><title>no</title><style>p {}</style></head><body><script>var a = "<p>";</script>
<!-- <p>hidden</p> --><p>Sales &amp; <b>pro</b>fits<br>rose</p>
<table><tr><td>Revenue</td><td>$</td><td>1,000</td></tr><tr><th>Costs</th><td>9</td></tr></table>
<ix:header><p>facts</p></ix:header>5 < 6</body></html>
</TEXT>
</DOCUMENT>"""
    assert read_text(page).body.split("\n") == [
        *("Sales & profits", "rose", "Revenue $ 1,000", "Costs 9", "5 < 6"),
    ]


def test_what_was_typed_in_lines_keeps_them() -> None:
    assert read_text("ACME CORP\n\nSales   rose\n<PAGE>\nby 5 <10>").body.split("\n") == [
        *("ACME CORP", "", "Sales rose", "", "by 5 <10>"),
    ]
    assert read_text("<html><pre>a\n  b</pre><p>c\nd</p></html>").body == "a\nb\nc d"


@pytest.mark.parametrize(
    ("document", "whole"),
    [
        ("<html><p>a</p></html>", True),
        ("<HTML><p>a</p></HTML >", True),
        ("<html><p>a", False),
        ("<DOCUMENT>\n<TEXT>\n<html></html>\n</TEXT>\n</DOCUMENT>", True),
        ("<DOCUMENT>\n<TEXT>\n<html></html>\n", False),
        ("<p>a", True),
        ("plain words", True),
    ],
)
def test_a_document_that_ends_early_is_told_from_a_whole_one(document: str, whole: bool) -> None:
    assert is_whole(document) is whole


def test_windows_letters_are_read() -> None:
    assert text_of(b"Acme\x92s") == "Acme\N{RIGHT SINGLE QUOTATION MARK}s"
    assert text_of("Größe".encode()) == "Größe"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["Meta Reports Fourth Quarter and Full Year 2022 Results"],) * 1
        + ("Meta Reports Fourth Quarter and Full Year 2022 Results",),
        (
            [
                "Contact: Jane Doe, Investor Relations, reports and results",
                "FOR IMMEDIATE RELEASE: quarterly results of Acme",
                "Acme (NYSE: ACM) announces results of the quarter.",
                "ACME ANNOUNCES RECORD FIRST QUARTER EARNINGS",
            ],
            "ACME ANNOUNCES RECORD FIRST QUARTER EARNINGS",
        ),
        (["Quarterly Results"], ""),
        (["A letter to our shareholders about the weather"], ""),
        (["x results " * 100], ""),
        ([], ""),
    ],
)
def test_a_headline_is_a_line_that_says_what_is_announced(lines: list[str], found: str) -> None:
    body = read_text(press_release("", *lines)).body
    assert headline(body) == found


@pytest.mark.parametrize(
    ("title", "filed", "year_end", "period"),
    [
        ("Meta Reports Fourth Quarter and Full Year 2022 Results", "2023-02-01", 12, "2022Q4"),
        ("Acme Reports Third Quarter Results", "2022-10-26", 12, "2022Q3"),
        ("Apple Reports First Quarter Results", "2023-02-02", 9, "2023Q1"),
        ("Microsoft Cloud Strength Drives Second Quarter Results", "2023-01-24", 6, "2023Q2"),
        ("NVIDIA Announces Fourth Quarter and Fiscal 2023 Results", "2023-02-22", 1, "2023Q4"),
        # The year that ends in early 2023 is 2022 to this company; the calendar year counts.
        ("Target Reports Fourth Quarter 2022 Earnings", "2023-02-28", 1, "2023Q4"),
        ("Acme Announces Q1 2023 Results", "2023-04-20", 12, "2023Q1"),
        ("Acme Reports 1st Quarter Earnings", "2023-04-03", 12, "2023Q1"),
        ("Acme Reports 4Q22 Earnings", "2023-01-20", 12, "2022Q4"),
        # Not guessed: another year, two quarters, none, no year end, half a year late, a warning.
        ("Acme Restates First Quarter 2019 Results", "2023-04-20", 12, ""),
        ("Acme Reports Fourth Quarter, Expects First Quarter", "2023-02-01", 12, ""),
        ("Acme Reports Record Results", "2023-02-01", 12, ""),
        ("Acme Reports Fourth Quarter Results", "2023-02-01", None, ""),
        ("Acme Reports First Quarter Results", "2023-11-01", 12, ""),
        ("Acme Announces Preliminary Fourth Quarter Results", "2023-01-10", 12, ""),
    ],
)
def test_the_quarter_of_a_headline_is_told_or_left_out(
    title: str, filed: str, year_end: int | None, period: str
) -> None:
    assert fiscal_period(title, date.fromisoformat(filed), year_end) == period


def test_a_text_is_cut_where_it_says() -> None:
    text = read_text("<html><p>" + "word " * LONGEST + "</p></html>")
    assert len(text.body) <= LONGEST
    assert text.body.startswith("word word")
    assert text.note == f"the text was cut at {LONGEST:,} characters"
    assert read_text("<p>short").note == ""


def test_what_only_a_machine_obeys_is_gone() -> None:
    text = read_text("<p>a\x00b\x1b[2Jc\u202ed\u200b &#27;[31m&#x202e;\udce4</p>")
    assert text.body == "ab[2Jcd [31m\N{REPLACEMENT CHARACTER}"


HOSTILE = {
    "a line of 10 MB": "x" * (10 * MB),
    "a line in a page": "<html>" + "x" * (10 * MB),
    "deep": "<div>" * (MB // 5),
    # Ten megabytes of these keep lxml busy for more than five minutes.
    "deep, and closed wrongly": "<div>" * (MB // 10) + "</p></b></i>" * (MB // 30),
    "tags without an end": "<p>" + '<a href="' * MB,
    "openings": "<p>" + "<" * (10 * MB),
    "comments without an end": "<p>" + "<!--" * (2 * MB),
    "comments": "<p>" + "<!---->" * (MB // 10),
    "scripts without an end": "<script>" * MB,
    "titles": "<title></title>" * (MB // 10),
    "entities": "<p>" + "&" * (10 * MB),
    "names of entities": "<p>" + "&abcdefghijklmnopqrstuvwxyzabcdefg" * (MB // 4),
    "sections": "<p>" + "<![CDATA[" * MB,
    "blanks": "<p>" + " " * (10 * MB),
    "empty lines": "<pre>" + " \n" * (5 * MB),
    "short lines": "x\n" * (5 * MB),
    "control characters": "<p>a\x00\x01\x1b[2J\u202e" * (MB // 10),
    "more tags than are read": "<b>" * (MOST_TAGS + 10) + "unread",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_markup_takes_bounded_time(name: str) -> None:
    begun = time.process_time()
    text = read_text(HOSTILE[name])
    headline(text.body)
    is_whole(HOSTILE[name])
    assert time.process_time() - begun < 8  # a second; what grows with the square takes minutes
    assert len(text.body) <= LONGEST
    assert "unread" not in text.body


@pytest.mark.parametrize("name", ["a line in a page", "openings", "entities", "empty lines"])
def test_ten_hostile_megabytes_take_bounded_memory(name: str) -> None:
    tracemalloc.start()
    try:
        read_text(HOSTILE[name])
        assert tracemalloc.get_traced_memory()[1] < 32 * MB
    finally:
        tracemalloc.stop()
