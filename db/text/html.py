"""A page as an article: title, main text, language, address, and what it says of its date.

The function `read_page` may be handed anything; `db.text.limited` keeps it within bounds of time
and memory.
"""

from __future__ import annotations

import logging
import re
import warnings
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from db.errors import DataError, MissingExtraError
from db.text import page_dates
from db.text.charsets import decoded
from db.text.dates import EARLIEST
from db.text.plain import LONGEST_TEXT, bounded_text, clean_line

_MARKUP = re.compile(
    r"<(?:!doctype\s+html|html|head|body|title|meta|div|article|section|main|p|h[1-6]|br|table)"
    r"[\s/>]",
    re.IGNORECASE,
)
_FEED = re.compile(r"<(?:rss|feed|rdf:rdf)[\s>]", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_DATE_LINE = re.compile(
    r"(?:date|published|posted|datum|veröffentlicht|erschienen)\b[^:]{0,20}:\s*(.+)", re.IGNORECASE
)
_TITLE_LINE = re.compile(r"(?:title|headline|titel|überschrift|betreff|subject):\s*(.+)", re.I)
_HEADER_LINES = 12
_CUT = f"the text was cut: of a stretch without markup {LONGEST_TEXT:,} characters are kept"
_LONG_STRETCH = re.compile(rf"([^<]{{{LONGEST_TEXT}}})[^<]+")
_SNIFFED = 4096
_LOUD = ("trafilatura", "htmldate", "courlan", "justext", "readability")


@dataclass
class Page:
    """What was read from a page; ``published`` holds places and words, best first."""

    title: str = ""
    text: str = ""
    language: str = ""
    canonical: str = ""
    site: str = ""
    charset: str = ""
    published: list[tuple[str, str]] = field(default_factory=list)
    modified: str = ""
    notes: list[str] = field(default_factory=list)


def read_page(data: bytes, options: dict[str, str]) -> dict[str, Any]:
    """A `Page` as JSON's own types.

    ``options``: ``where`` for errors, ``url`` the page's address, ``kind`` the content type,
    ``charset`` that of the HTTP header, ``today`` the latest date that can be.
    DataError: nothing to read.
    """
    where = options.get("where", "")
    text, charset, note = decoded(data, options.get("charset", ""), where=where)
    if _FEED.search(text[:_SNIFFED]) and not re.search(r"<html[\s>]", text[:_SNIFFED], re.I):
        raise DataError("this is a feed, not an article", where=where, hint="backtest ingest feed")
    if not text.strip():
        raise DataError("there is no text", where=where)
    is_html = "html" in options.get("kind", "") or bool(_MARKUP.search(text[:_SNIFFED]))
    page = _from_html(text, options) if is_html else _from_text(text)
    page.charset = charset
    if note:
        page.notes.insert(0, note)
    return asdict(page)


def _from_text(text: str) -> Page:
    """Plain text: its first line is the title; lines that say the date or title say so."""
    cleaned, note = bounded_text(text)
    page = Page(notes=[note] if note else [])
    head, _, _ = cleaned.partition("\n\n\n")
    lines = cleaned.split("\n", _HEADER_LINES)
    for line in head.split("\n", _HEADER_LINES)[:_HEADER_LINES]:
        title, said = _TITLE_LINE.fullmatch(line), _DATE_LINE.fullmatch(line)
        if title and not page.title:
            page.title = clean_line(title[1])
        elif said or (len(line) <= 60 and re.search(r"\d{4}", line)):
            page.published.append(("the text's head", said[1] if said else line))
            page.published.append(("the text's head", line))
    if not page.title:
        page.title = clean_line(next(line for line in lines if line.strip()))
    page.text = cleaned
    return page


def _from_html(text: str, options: dict[str, str]) -> Page:
    try:
        from lxml import etree
        from lxml import html as lxml_html
    except ImportError as error:
        raise _missing(error) from error
    text, cuts = _LONG_STRETCH.subn(r"\1", _DECLARATION.sub("", text.replace("\0", ""), count=1))
    url = options.get("url", "")
    parser = lxml_html.HTMLParser()
    try:
        tree = lxml_html.document_fromstring(text, parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise DataError(
            f"it cannot be read as HTML ({clean_line(str(error), 120)})",
            where=options.get("where", ""),
        ) from error
    published = [(place, words[:200]) for place, words in page_dates.publication(tree)]
    found, guess = _extracted(text, url, options["today"], guess=not published)
    body, note = bounded_text((found.text if found else "") or "")
    page = Page(
        title=clean_line((found.title if found else "") or _title(tree)),
        language=(tree.get("lang") or tree.get("xml:lang") or "")[:20],
        canonical=_canonical(tree, url),
        site=clean_line((found.sitename if found else "") or "", 120),
        published=published or guess,
        modified=page_dates.modification(tree)[:200],
        notes=[note or _CUT] if note or cuts else [],
    )
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        page.notes.append("it is nested too deeply to be read to its end")
    if not body:
        body, _ = bounded_text(page_dates.body_of_data(tree) or _summary(tree))
        page.notes.append(
            "no main text was found; " + ("the page's summary is kept" if body else "title alone")
        )
    page.text = body
    return page


def _extracted(
    text: str, url: str, today: str, *, guess: bool
) -> tuple[Any, list[tuple[str, str]]]:
    """Main text and title by trafilatura (None for neither); if wanted, htmldate's date."""
    try:
        import htmldate
        import trafilatura
    except ImportError as error:
        raise _missing(error) from error
    for name in _LOUD:
        logging.getLogger(name).addHandler(logging.NullHandler())
    search: dict[str, Any] = {
        "extensive_search": False,
        "original_date": True,
        "min_date": EARLIEST.isoformat(),
        "max_date": today,
        "outputformat": "%Y-%m-%d",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what their date parsers think of strange zones
        found = trafilatura.bare_extraction(
            text,
            url=url or None,
            include_comments=False,
            with_metadata=True,
            date_extraction_params=search,
        )
        day = htmldate.find_date(text, url=url or None, **search) if guess else None
    return found, [("the page's text or address", day)] if day else []


def _missing(error: ImportError) -> MissingExtraError:
    package = error.name or "trafilatura"
    return MissingExtraError(package, extra="news", needed_for="reading HTML")


def _title(tree: Any) -> str:
    for path in ("//meta[@property='og:title']/@content", "//h1", "//title"):
        for node in tree.xpath(path)[:1]:
            words = node if isinstance(node, str) else " ".join(node.itertext())
            if words.strip():
                return str(words)
    return ""


def _summary(tree: Any) -> str:
    path = "//meta[@property='og:description' or @name='description']/@content"
    return next((str(text) for text in tree.xpath(path) if text.strip()), "")


def _canonical(tree: Any, url: str) -> str:
    """The page's own address as it states it, absolute; its ``url`` where it states none."""
    stated = [
        *(link.get("href") or "" for link in tree.iter("link") if _is_canonical(link)),
        *map(str, tree.xpath("//meta[@property='og:url']/@content")),
    ]
    for text in stated:
        try:
            address = urljoin(url, text.strip())
            parts = urlsplit(address)
        except ValueError:
            continue
        # A home page as the address of every article is a mistake that would make them all one.
        deep = parts.path.strip("/") or parts.query
        if parts.scheme in ("http", "https") and parts.hostname and deep and address.isprintable():
            return str(address)
    return url


def _is_canonical(link: Any) -> bool:
    return "canonical" in (link.get("rel") or "").lower().split()
