"""``backtest news``: the news items in the store."""

from __future__ import annotations

from backtest.cli import context, options
from backtest.cli.tables import Column, form_of, show
from backtest.cli.words import instant, symbols_of

EXAMPLE = "backtest news --symbol AMD --since 2019-01-29 --until 2019-01-30"

COLUMNS = (
    Column("news_id", "item"),
    Column("published_at", "known from", "time"),
    Column("symbol"),
    Column("language", "in"),
    Column("title", wide=True),
)


def news(
    symbol: options.Symbols = None,
    since: options.Since = None,
    until: options.Until = None,
    as_of: options.AsOf = None,
    limit: options.Limit = options.LIMIT,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """List news items by the time from which they are known."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        frame = store.news(
            symbols=symbols_of(symbol),
            since=instant(since, option="--since"),
            until=instant(until, option="--until", end_of_day=True),
            as_of=instant(as_of, option="--as-of", end_of_day=True),
        )
        show(
            frame,
            COLUMNS,
            form=form,
            limit=limit,
            empty="no news; import some: backtest ingest news FILE",
        )
