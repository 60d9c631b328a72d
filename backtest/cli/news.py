"""``backtest news``: the news items in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backtest.cli import context, options
from backtest.cli.tables import Column, form_of, show
from backtest.cli.words import amount, instant, symbols_of

if TYPE_CHECKING:
    from backtest.cli.tables import Form
    from db.store import Store

EXAMPLE = "backtest news --symbol AMD --since 2019-01-29 --until 2019-01-30"

COLUMNS = (
    Column("news_id", "item"),
    Column("published_at", "known from", "time"),
    Column("symbol"),
    Column("language", "in"),
    Column("title", wide=True),
)


LONGEST = 160
"""Characters of a sentence on screen; --csv and --json have all."""
FACTS = (
    Column("news_id", "item"),
    Column("symbol"),
    Column("metric"),
    Column("kind"),
    Column("value"),
    Column("change", kind="percent", digits=1),
    Column("period"),
    Column("expected"),
)
SENTENCES = (Column("news_id", "item"), Column("sentence", wide=True, wrap=True))
REACTIONS = (
    Column("news_id", "item"),
    Column("move"),
    Column("size", kind="percent", digits=1),
    Column("session"),
    Column("sentence", wide=True),
)


def news(
    symbol: options.Symbols = None,
    event: Annotated[
        int | None,
        typer.Option("--event", metavar="EVENT", help="Only items about one earnings event."),
    ] = None,
    facts: Annotated[
        bool, typer.Option("--facts", help="The figures that the items state, and their sentences.")
    ] = False,
    since: options.Since = None,
    until: options.Until = None,
    as_of: options.AsOf = None,
    limit: options.Limit = options.LIMIT,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """List news items by the time from which they are known, or the figures that they state.

    An item is about the release nearest to it within 24 hours; one that states figures, about the
    latest of the ten days before it.
    """
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        frame = store.news(
            symbols=symbols_of(symbol),
            since=instant(since, option="--since"),
            until=instant(until, option="--until", end_of_day=True),
            as_of=instant(as_of, option="--as-of", end_of_day=True),
        )
        if event is not None:
            frame = frame[frame["event_id"] == event]
        if facts:
            ids = frame["news_id"].drop_duplicates().tolist()
            _show_facts(store, ids, form, limit)
            return
    empty = "no news; import some: backtest ingest news FILE"
    if event is not None:
        empty = f"no news about event {event}; backtest events lists their numbers"
    show(frame, COLUMNS, form=form, limit=limit, empty=empty)


def _short(sentence: str) -> str:
    text = " ".join(sentence.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _show_facts(store: Store, ids: list[int], form: Form, limit: int) -> None:
    stated = store.text_facts(ids)
    if form == "table":
        figures = zip(stated["low"], stated["high"], stated["unit"], strict=True)
        stated["value"] = [amount(low, high, unit) for low, high, unit in figures]
        stated["expected"] = [amount(one, one) for one in stated["consensus"]]
    show(stated, FACTS, form=form, limit=limit, empty="no figures were found in these items")
    if form != "table":
        return
    if not stated.empty:
        told = stated.assign(sentence=[_short(text) for text in stated["sentence"]])
        told = told.drop_duplicates(["news_id", "sentence"])
        show(told, SENTENCES, title="\nIn their words", limit=limit)
    moves = store.text_reactions(ids)
    if not moves.empty:
        show(moves, REACTIONS, title="\nMoves of the stock, as told", limit=limit)
