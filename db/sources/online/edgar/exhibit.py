"""The text of a press release as it was filed: its words, its headline, the quarter in it.

The markup is taken apart in one pass that builds no tree.  lxml, given ten megabytes of tags that
are closed in the wrong order, is still at it after five minutes; here time and memory grow with
the length alone, and reading ends when there is enough text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from db.text.plain import bounded_text, clean_line

LONGEST = 200_000
"""Characters kept of a text: five times what a long press release has."""
MOST_TAGS = 500_000
"""Of a document; a long one with many tables has some 100,000."""

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_NAME = re.compile(r"/?[A-Za-z][A-Za-z0-9:]*")
_MARKUP = re.compile(r"<(?:html|body|div|p|br|font|span)\b", re.IGNORECASE)
_SPACE = re.compile(r"\s+")
_UNREAD = {
    name: re.compile(rf"</{name}\s*>", re.IGNORECASE)
    for name in ("script", "style", "title", "ix:header", "template", "noscript")
}
_ENDS_LINE = frozenset(
    (
        *("p", "div", "br", "tr", "li", "ul", "ol", "dl", "dt", "dd", "table", "caption", "hr"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "center", "pre", "page", "section"),
    )
)
_ENDS_CELL = frozenset(("td", "th"))
_WHOLE = (("<document>", "</document>"), ("<html", "</html"))

_LEAST_WORDS, _MOST_WORDS = 4, 45
_TELLING = re.compile(
    r"\b(?:reports?|announces?|results|earnings|quarter(?:ly)?|revenues?|net sales|fiscal|profits?)"
    r"\b",
    re.IGNORECASE,
)
_SAID_FIRST = re.compile(
    r"(?:exhibit|ex-)\s*99|for (?:immediate )?release|contacts?:|media relations|investor relations"
    r"|(?:press|news) release\b.{0,40}$|https?://|www\.|@|\(\w{2,6}:\s*\w|forward-looking",
    re.IGNORECASE,
)
_ORDINAL = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
}
_QUARTER = re.compile(
    r"\b(?:(first|second|third|fourth|1st|2nd|3rd|4th)[\s-]+(?:fiscal[\s-]+)?quarter|q([1-4])\b|([1-4])q)",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:20[0-4]\d)\b")
_PRELIMINARY = re.compile(r"\bprelim|\bpre-?announce|\boutlook\b|\bguidance\b", re.IGNORECASE)
_REPORTED_WITHIN = 120
"""Days after a quarter's end in which it is reported."""
_YEARS_DRIFT = 10
"""Days by which years of 52 or 53 weeks miss the end of the month."""


@dataclass(frozen=True)
class Text:
    """The words of a document, ``note`` where they are not all of them."""

    body: str
    note: str = ""


def is_whole(document: str) -> bool:
    """Whether a document ends as it should; one that tells no end cannot be judged."""
    start, end = document[:5_000].lower(), document[-5_000:].lower()
    return all(last in end for first, last in _WHOLE if first in start)


def read_text(document: str) -> Text:
    """The words of an HTML or plain document, a paragraph or a table's row a line."""
    plain = not _MARKUP.search(document[:200_000])
    parts: list[str] = []
    size, as_typed, note = 0, plain, ""
    for count, (words, tag) in enumerate(_pieces(_without_wrapper(document))):
        room = 4 * LONGEST - size
        said = html.unescape(words[:room])
        said = said if as_typed else _SPACE.sub(" ", said)
        size += len(said)
        if said.strip() or not parts or parts[-1] != "\n":
            parts.append(said)
        if len(words) > room or count > MOST_TAGS:
            note = "it was not read to its end"
            break
        name = tag.lstrip("/")
        end = "\n" if name in _ENDS_LINE else " " if name in _ENDS_CELL else ""
        if end and (not parts or parts[-1] != end):
            parts.append(end)
        as_typed = plain or tag == "pre" or (as_typed and tag != "/pre")
    body, cut = bounded_text("".join(parts), LONGEST)
    return Text(body, f"the text was cut at {LONGEST:,} characters" if cut else note)


def _pieces(document: str) -> Iterator[tuple[str, str]]:
    """(text, name of the tag after it) of a document; comments, scripts and styles left out."""
    at = 0
    while found := _TAG.search(document, at):
        begin = found.start()
        if document.startswith("<!--", begin):
            yield document[at:begin], ""
            end = document.find("-->", begin + 4)
            at = end + 3 if end >= 0 else len(document)
            continue
        end = document.find(">", begin)
        if end < 0:  # nor does any later tag end
            break
        name = _NAME.match(document, begin + 1)
        tag = name.group().lower() if name else ""
        yield document[at:begin], tag
        at = end + 1
        if tag in _UNREAD:
            closing = _UNREAD[tag].search(document, at)
            at = closing.end() if closing else len(document)
    yield document[at:], ""


def _without_wrapper(document: str) -> str:
    """Without the lines that EDGAR puts around every document."""
    if not document[:200].lstrip().upper().startswith("<DOCUMENT>"):
        return document
    begin = document[:5_000].upper().find("<TEXT>")
    return document[begin + 6 :] if begin >= 0 else document


def headline(body: str) -> str:
    """The line of a press release that says what it announces; empty where none is sure to."""
    for line in body[:6_000].splitlines()[:60]:
        words = line.split()
        if not _LEAST_WORDS <= len(words) <= _MOST_WORDS or _SAID_FIRST.search(line):
            continue
        if _TELLING.search(line) and not line.endswith((":", ".", ",")):
            return clean_line(line)
    return ""


def fiscal_period(title: str, filed: date, year_end: int | None) -> str:
    """``2022Q4``, the one quarter that a headline names; empty where it cannot be told.

    Which year's is told by the filing's date and the month in which the fiscal year ends: a
    quarter is reported within four months of its end.  The year is named by the calendar year
    in which it ends, whatever the company calls it.  Preliminary figures are no quarter's report.
    """
    named = {
        _ORDINAL[word.lower()] if word else int(one or other)
        for word, one, other in _QUARTER.findall(title)
    }
    if len(named) != 1 or not year_end or _PRELIMINARY.search(title):
        return ""
    quarter = named.pop()
    for year in (filed.year + 1, filed.year, filed.year - 1):
        months = year * 12 + year_end - 3 * (4 - quarter)  # since the year 0, the next one's first
        ended = date(months // 12, months % 12 + 1, 1)
        if -_YEARS_DRIFT <= (filed - ended).days <= _REPORTED_WITHIN:
            said = {int(one) for one in _YEAR.findall(title)}
            # Some name the year in which it begins; another year still is about something else.
            return f"{year}Q{quarter}" if not said or said & {year, year - 1} else ""
    return ""
