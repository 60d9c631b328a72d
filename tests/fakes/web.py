"""A small web: a newspaper with articles and feeds, and what can go wrong with either.

By hand: ``python -m tests.fakes.web`` prints addresses to try.  Own faults beside those of the
base: ``loop`` redirects for ever, ``elsewhere`` to a file, ``moved`` to the same page below
``/new``, ``bomb`` unpacks to 200 MB, ``huge`` sends 30 MB, ``brotli`` packs in an unknown way,
``twice`` repeats a feed's entries, ``renamed`` calls their dates something else.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape

from tests.fakes.faults import Fault
from tests.fakes.server import FakeServer, Request, Response

ARTICLE_EN = """\
Meta Platforms reported revenue of $59.9 billion for the fourth quarter, up 24 percent from a year \
earlier, the company said on Wednesday after the close of regular trading.
The owner of Facebook and Instagram expects capital expenditures between 115 and 135 billion \
dollars for the current year, far more than analysts had pencilled in.
Shares first fell in extended trading and then rose more than ten percent as investors looked at \
the growth of its advertising business.""".splitlines()
ARTICLE_DE = """\
Der Facebook-Konzern Meta hat im vierten Quartal knapp 59,9 Milliarden US-Dollar umgesetzt und \
damit 24 Prozent mehr als ein Jahr zuvor, wie das Unternehmen am Mittwoch mitteilte.
Für das laufende Jahr rechnet der Konzern mit Investitionen von 115 bis 135 Milliarden US-Dollar, \
deutlich mehr als von Analysten erwartet.
Die Aktie gab im nachbörslichen Handel zunächst nach und legte dann um mehr als zehn Prozent \
zu.""".splitlines()


@dataclass(frozen=True)
class Entry:
    """One entry of a feed; ``when`` is written as it is."""

    title: str
    when: str = "Thu, 29 Jan 2026 21:10:00 GMT"
    link: str = ""
    id: str = ""
    text: str = ""


def article(
    title: str,
    paragraphs: Sequence[str],
    *,
    head: str = "",
    top: str = "",
    lang: str = "en",
    charset: str = "utf-8",
) -> str:
    """A page as newspapers build them: navigation, the article, a footer."""
    text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="{charset}">'
        f"<title>{escape(title)} | The Paper</title>"
        f'<meta property="og:site_name" content="The Paper">{head}</head><body>'
        '<nav><ul><li><a href="/">Home</a></li><li><a href="/markets">Markets</a></li></ul></nav>'
        f"<main><article><h1>{escape(title)}</h1>{top}{text}</article></main>"
        "<footer><p>Imprint, privacy, cookies</p></footer></body></html>"
    )


def rss(entries: Sequence[Entry], *, title: str = "The Paper", date: str = "pubDate") -> str:
    """RSS 2.0."""
    items = "".join(
        f"<item><title>{escape(one.title)}</title>"
        + (f"<link>{escape(one.link)}</link>" if one.link else "")
        + (f'<guid isPermaLink="false">{escape(one.id)}</guid>' if one.id else "")
        + (f"<{date}>{one.when}</{date}>" if one.when else "")
        + (f"<description>{escape(one.text)}</description>" if one.text else "")
        + "</item>"
        for one in entries
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><language>en-us</language>{items}</channel></rss>"
    )


def atom(entries: Sequence[Entry], *, title: str = "The Paper", lang: str = "de") -> str:
    """Atom 1.0."""
    items = "".join(
        f"<entry><title>{escape(one.title)}</title><id>{escape(one.id)}</id>"
        f'<link href="{escape(one.link)}"/><published>{one.when}</published>'
        f'<summary type="html">{escape(one.text)}</summary></entry>'
        for one in entries
    )
    return (
        f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{lang}">'
        f"<title>{escape(title)}</title><id>urn:paper</id>{items}</feed>"
    )


def rdf(entries: Sequence[Entry], *, title: str = "The Paper") -> str:
    """RSS 1.0."""
    items = "".join(
        f'<item rdf:about="{escape(one.link)}"><title>{escape(one.title)}</title>'
        f"<link>{escape(one.link)}</link><dc:date>{one.when}</dc:date></item>"
        for one in entries
    )
    return (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<channel rdf:about="urn:paper"><title>{escape(title)}</title></channel>{items}</rdf:RDF>'
    )


class FakeWeb(FakeServer):
    """Pages by path; a text is HTML or, below ``/feeds``, XML, unless a `Response` says so."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(port=port)
        self.pages: dict[str, str | Response] = {}

    def at(self, path: str, page: str | Response) -> str:
        """Put a page somewhere; returns its address."""
        self.pages[path] = page
        return self.url + path

    def answer(self, request: Request, fault: Fault | None) -> Response:
        if fault is not None:
            return self._faulty(request, fault.kind)
        page = self.pages.get(request.path.removeprefix("/new"))
        if page is None:
            return Response.text("not here", status=404)
        if isinstance(page, Response):
            return page
        kind = "application/xml" if "/feeds" in request.path else "text/html"
        return Response.text(page, kind=kind)

    def _faulty(self, request: Request, kind: str) -> Response:
        if kind == "loop":
            step = int(request.query.get("step", "0")) + 1
            return Response(b"", 302, {"Location": f"{request.path}?step={step}"})
        if kind == "elsewhere":
            return Response(b"", 302, {"Location": "file:///etc/hostname"})
        if kind == "moved":
            return Response(b"", 301, {"Location": f"/new{request.path}"})
        good = self.answer(request, None)
        if kind == "bomb":
            return Response(bomb(200 << 20), 200, {**good.headers, "Content-Encoding": "gzip"})
        if kind == "huge":
            return Response(b"<p>x</p>" * (30 << 17), 200, good.headers)
        if kind == "brotli":
            return Response(good.body, 200, {**good.headers, "Content-Encoding": "br"})
        text = good.body.decode()
        if kind == "twice":
            first, last = text.index("<item>"), text.rindex("</item>") + len("</item>")
            text = text[:first] + 2 * text[first:last] + text[last:]
        elif kind == "renamed":
            text = text.replace("pubDate", "pubWhen")
        else:
            raise ValueError(kind)
        return Response(text.encode(), 200, good.headers)


@cache
def bomb(size: int) -> bytes:
    """That many zeros, packed a thousand times smaller."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9, mtime=0) as stream:
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    web = FakeWeb(port=parser.parse_args().port)
    head = '<meta property="article:published_time" content="2026-01-29T22:10:00+01:00">'
    german = web.at(
        "/meta", article("Meta will deutlich mehr ausgeben", ARTICLE_DE, head=head, lang="de")
    )
    link = web.at("/meta-en", article("Meta to spend far more", ARTICLE_EN, head=head))
    feed = web.at("/feeds/markets.rss", rss([Entry("Meta to spend far more", link=link, id="1")]))
    sys.stdout.write(
        f"backtest ingest article {german}\nbacktest ingest article {link} --symbol META\n"
        f"backtest ingest feed {feed}\n"
    )
    sys.stdout.flush()
    web.serve_by_hand()


if __name__ == "__main__":
    main()
