"""``backtest ingest article`` and ``ingest feed``: news from the web, or saved from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtest.cli import context, options
from backtest.cli.errors import say
from backtest.cli.tables import form_of
from backtest.cli.words import printable, symbols_of
from db.errors import BacktestError, DataError, UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from backtest.cli.imports import Importing
    from db.batches import NewsRecord, RecordBatch
    from db.sources.fetching.line import Line
    from db.store import Store

    Read = Callable[[str, Line, datetime], RecordBatch[NewsRecord]]
    Notes = Callable[[RecordBatch[NewsRecord]], Sequence[str]]

ARTICLE_EXAMPLE = "backtest ingest article meta.html --published 2026-02-01"
FEED_EXAMPLE = "backtest ingest feed markets.rss"

FEED = "feed"
"""What the ledger of fetches calls a feed."""

Pages = Annotated[
    list[str], typer.Argument(metavar="PAGES", help="Addresses or files; - is stdin.")
]
Feeds = Annotated[
    list[str],
    typer.Argument(metavar="FEEDS", help="Addresses or files of RSS or Atom; - is stdin."),
]
About = Annotated[
    list[str] | None,
    typer.Option(
        "--symbol",
        metavar="SYMBOL",
        help="What it is about; may be repeated. Otherwise names are looked for in the text.",
    ),
]
PublishedAt = Annotated[
    str | None,
    typer.Option(
        "--published",
        metavar="WHEN",
        help="Instead of what the page says: 2026-01-29T16:05-05:00, or a New York day.",
    ),
]
Mood = Annotated[
    str,
    typer.Option(
        "--sentiment",
        metavar="off|lexicon|MODULE:FUNCTION",
        help="Score the text by word lists, or by a function of your own.",
    ),
]
SaidBy = Annotated[str | None, typer.Option("--source", metavar="NAME", help="Who says so.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")
]


def article(
    pages: Pages,
    symbol: About = None,
    published: PublishedAt = None,
    sentiment: Mood = "off",
    source: SaidBy = None,
    dry_run: DryRun = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Import articles, HTML or plain text: text, date, companies and figures.

    An article is known from its publication; one with a date alone, from the end of that day.
    """
    if published is not None and len(pages) > 1:
        raise UsageError("one --published cannot be right for several articles")
    form = form_of(as_json=as_json, as_csv=as_csv)

    def read(page: str, line: Line, now: datetime) -> RecordBatch[NewsRecord]:
        from db.sources.articles import read_article

        return read_article(
            page,
            symbols=symbols_of(symbol) or (),
            published=published,
            fetched_at=now,
            line=line,
            source=source,
        )

    def notes(batch: RecordBatch[NewsRecord]) -> Sequence[str]:
        from db.sources.articles import notes_of

        return [note for record in batch.records for note in notes_of(record)]

    with context.open_store() as store:
        _bring(store, pages, read, notes, sentiment, dry_run).finish(form)


def feed(
    feeds: Feeds,
    symbol: About = None,
    sentiment: Mood = "off",
    source: SaidBy = None,
    dry_run: DryRun = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Import the entries of RSS or Atom feeds; those already there add nothing."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    chosen = {
        "symbols": ",".join(symbols_of(symbol) or ()),
        "sentiment": sentiment,
        "source": source or "",
    }
    with context.open_store() as store:
        bring_feeds(store, feeds, chosen, dry_run=dry_run).finish(form)


def bring_feeds(
    store: Store, feeds: Sequence[str], chosen: Mapping[str, str], *, dry_run: bool = False
) -> Importing:
    """Read and store feeds, and remember the addresses among them for the next update.

    ``chosen`` are the options ``symbols`` (with commas), ``sentiment`` and ``source``.
    """
    from db.sources.feeds import notes_of, read_feed
    from db.sources.web_opener import is_address, shown

    def read(address: str, line: Line, now: datetime) -> RecordBatch[NewsRecord]:
        return read_feed(
            address,
            symbols=symbols_of([chosen["symbols"]]) or (),
            fetched_at=now,
            line=line,
            source=chosen["source"] or None,
        )

    def stored(address: str, batch: Any) -> None:
        if not is_address(address):
            return
        if shown(address) != address:
            say(f"{shown(address)}: the address holds a secret, so an update will not ask it")
            return
        _remember(store, address, batch, chosen)

    return _bring(store, feeds, read, notes_of, chosen["sentiment"], dry_run, stored)


def _remember(
    store: Store, address: str, batch: RecordBatch[NewsRecord], chosen: Mapping[str, str]
) -> None:
    """Note that a feed was had, so that an update asks it again."""
    from db.fetch_ledger import Answer, Stream

    at = batch.provenance.fetched_at
    answer = Answer(at, at, "done", len(batch.records), stored_as=batch.provenance.source)
    store.note_fetch(Stream(FEED, "news", address, options=dict(chosen)), answer)


def _bring(
    store: Store,
    places: Sequence[str],
    read: Read,
    notes: Notes,
    sentiment: str,
    dry_run: bool,
    stored: Callable[[str, Any], None] | None = None,
) -> Importing:
    """Read and store one after the other; one that cannot be had does not keep the others out."""
    from backtest.cli.imports import Importing
    from db.sources.fetching.line import Line
    from db.store import utcnow
    from db.text.annotate import Annotator
    from db.text.sentiment import scorer

    line = Line(pace=1.0, on_wait=_say_wait)

    def one(place: str) -> Any:
        batch = _had(lambda: read(place, line, utcnow()))
        for note in notes(batch):
            say(printable(f"{batch.provenance.origin}: {note}"))
        return batch

    prepare = Annotator(store, scorer(sentiment)).batch
    work = Importing(store, places, dry_run=dry_run, prepare=prepare, stored=stored)
    work.run(one)
    return work


def _had(read: Callable[[], RecordBatch[NewsRecord]]) -> RecordBatch[NewsRecord]:
    """What was read; a server that does not answer is a finding about this page alone."""
    from db.sources.fetching.source import RefusedError, UnavailableError

    failure: BacktestError
    try:
        return read()
    except (RefusedError, UnavailableError) as error:
        failure = error
    hint = failure.hint or "the same command again later"
    raise DataError(failure.what, where=failure.where, hint=hint)


def _say_wait(why: str, seconds: float) -> None:
    say(printable(f"{why}; waiting {seconds:.0f} seconds"))
