"""A feed as entries: RSS 2.0, RSS 1.0 and Atom, whole or as far as it can be read."""

from __future__ import annotations

import io
import re
from typing import Any

from db.errors import DataError, MissingExtraError
from db.text.charsets import decoded
from db.text.plain import bounded_text, clean_line

MOST_ENTRIES = 5_000
_ENTITIES = re.compile(r"<!ENTITY", re.IGNORECASE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_ENDS = re.compile(r"</(?:\w+:)?(?:item|entry)\s*>", re.IGNORECASE)
_REFERENCE = re.compile(r"&#(?:x([0-9a-f]{1,6})|(\d{1,7}));", re.IGNORECASE)
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKUP = re.compile(r"<[a-zA-Z/!][^<>]{0,2000}>|&(?:\w{2,8}|#\w{2,7});")
_BREAKING = ("p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote")
_DATES = ("published", "updated")
_HEAD = 64 << 10
_LONGEST_WORDS = 2_000


def read_feed_entries(data: bytes, options: dict[str, str]) -> dict[str, Any]:
    """What a feed holds: ``title``, ``language``, ``notes``, ``entries``; JSON's own types.

    Each entry has ``title``, ``url``, ``id``, ``text``, ``dates`` (pairs of where and what it
    says), ``complete``.  ``options``: ``where`` for errors, ``url``, ``kind`` and ``charset`` of
    the answer.  DataError: no feed, or one that declares entities of its own.
    """
    try:
        import feedparser
    except ImportError as error:
        raise MissingExtraError("feedparser", extra="news", needed_for="reading feeds") from error
    where = options.get("where", "")
    text, _, _ = decoded(data, options.get("charset", ""), where=where)
    if not text.strip():
        raise DataError("there is nothing in it", where=where)
    # A few of them stand for gigabytes; no feed needs any.
    if _ENTITIES.search(text):
        raise DataError("it declares XML entities of its own, which is not read", where=where)
    text = _NO_XML.sub("", _REFERENCE.sub(_allowed, _DECLARATION.sub("", text, count=1)))
    feed = feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers={
            "content-location": options.get("url", ""),
            "content-type": "application/xml; charset=utf-8",
        },
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not feed.get("version") and not feed.entries:
        raise DataError(_no_feed(text), where=where)
    ends = len(_ENDS.findall(text))
    whole = not _is_broken(feed)
    notes = [] if whole else [f"it is no well-formed XML ({_fault(feed)}); read as far as possible"]
    if len(feed.entries) > MOST_ENTRIES:
        notes.append(f"of its {len(feed.entries):,} entries the first {MOST_ENTRIES:,} are read")
    return {
        "title": clean_line(_text(feed.feed, "title"), 120),
        "language": _text(feed.feed, "language")[:20],
        "notes": notes,
        "entries": [
            {
                "title": plain(_text(entry, "title"), line=True),
                "url": _text(entry, "link")[:_LONGEST_WORDS],
                "id": _text(entry, "id")[:_LONGEST_WORDS],
                "text": plain(_body(entry)),
                "language": _language(entry),
                "dates": [
                    (name, _text(entry, name)[:200]) for name in _DATES if _text(entry, name)
                ],
                "complete": whole or number <= ends,
            }
            for number, entry in enumerate(feed.entries[:MOST_ENTRIES], start=1)
        ],
    }


def plain(text: str, *, line: bool = False) -> str:
    """Text without markup and entities; one line, or paragraphs.

    Text that holds no markup stays as it is: "R&D < 5" is not HTML.
    """
    if _MARKUP.search(text):
        text = _without_markup(text)
    return clean_line(text) if line else bounded_text(text)[0]


def _without_markup(text: str) -> str:
    from lxml import etree
    from lxml import html as lxml_html

    parser = lxml_html.HTMLParser()
    try:
        tree = lxml_html.document_fromstring(f"<div>{text.replace(chr(0), '')}</div>", parser)
    except (etree.LxmlError, ValueError):
        return re.sub(r"<[^<>]*>", " ", text)
    if any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log):
        return re.sub(r"<[^<>]*>", " ", text)  # nested too deeply to be built whole
    for element in tree.iter(*_BREAKING):
        element.tail = "\n" + (element.tail or "")
    parts: list[str] = []
    for event, element in etree.iterwalk(tree, events=("start", "end")):
        kept = isinstance(element.tag, str) and element.tag not in ("script", "style")
        words = element.text if event == "start" and kept else None
        parts.append(words or (element.tail or "" if event == "end" else ""))
    return "".join(parts)


def _allowed(match: re.Match[str]) -> str:
    """A character by its number, unless XML has no such character."""
    number = int(match[1], 16) if match[1] else int(match[2])
    return match[0] if number <= 0x10FFFF and not _NO_XML.match(chr(number)) else "\ufffd"


def _no_feed(text: str) -> str:
    text = text[:_HEAD]
    link = re.search(
        r"<link[^>]{0,300}application/(?:rss|atom)\+xml[^>]{0,300}>", text, re.IGNORECASE
    )
    address = re.search(r"href=[\"']?([^\"'\s>]{1,300})", link[0]) if link else None
    if address:
        return f"this is a web page, not a feed; it names its feed: {clean_line(address[1])}"
    if re.search(r"<(?:!doctype\s+html|html)[\s>]", text, re.IGNORECASE):
        return "this is a web page, not a feed"
    return "this is neither RSS nor Atom"


def _is_broken(feed: Any) -> bool:
    import xml.sax

    return bool(feed.bozo) and isinstance(feed.get("bozo_exception"), xml.sax.SAXException)


def _fault(feed: Any) -> str:
    error = feed.bozo_exception
    line = getattr(error, "getLineNumber", lambda: None)()
    message = clean_line(getattr(error, "getMessage", lambda: str(error))(), 80)
    return f"{message}, line {line}" if line else message


def _body(entry: Any) -> str:
    """The longest of full content and summary."""
    values = [_text(content, "value") for content in entry.get("content", [])[:5]]
    return max([*values, _text(entry, "summary")], key=len)


def _language(entry: Any) -> str:
    details = [*entry.get("content", [])[:1], entry.get("title_detail") or {}]
    return next((str(one["language"])[:20] for one in details if one.get("language")), "")


def _text(holder: Any, name: str) -> str:
    value = dict.get(holder, name)  # its own get() invents an "updated" where there is none
    return value.strip() if isinstance(value, str) else ""
