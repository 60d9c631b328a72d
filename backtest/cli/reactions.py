"""``backtest reactions``: how prices reacted to each event, and which events are missing why."""

from __future__ import annotations

from typing import Annotated

import typer

from backtest.cli import context, options
from backtest.cli.tables import Column, form_of, show
from backtest.cli.words import instant, symbols_of

EXAMPLE = "backtest reactions --symbol AMD --interval 1m --csv"

COLUMNS = (
    Column("symbol"),
    Column("reference_date", "reference", "date"),
    Column("session"),
    Column("reference_close", "close", "number"),
    Column("post_low", "evening", "percent", digits=1),
    Column("gap", kind="percent", digits=1),
    Column("day_low", kind="percent", digits=1),
    Column("day_close", "close", "percent", digits=1),
    Column("ret_5", "ret 5", "percent", digits=1),
)
FUNNEL = (
    Column("reason", wide=True, wrap=True),
    Column("events", kind="count"),
    Column("share", kind="percent", digits=1),
    Column("left", "left over", "count"),
)
LEFT_OUT = (
    Column("event_id", "event"),
    Column("symbol"),
    Column("announced_from", "announced", "time"),
    Column("reason", wide=True),
)


def reactions(
    symbol: options.Symbols = None,
    since: options.Since = None,
    until: options.Until = None,
    interval: options.IntervalName = None,
    source: options.Source = None,
    left_out: Annotated[
        bool,
        typer.Option("--left-out", help="List the events that could not be measured instead."),
    ] = False,
    limit: options.Limit = options.LIMIT,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Measure how prices reacted to each event.

    Moves are simple returns against the reference close.  The table shows a part of the columns,
    in percent; --csv and --json print all of them, as fractions.  The events that could not be
    measured are counted by reason below.
    """
    from backtest.reaction_table import reactions as measure

    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        found = measure(
            store,
            symbols=symbols_of(symbol),
            since=instant(since, option="--since"),
            until=instant(until, option="--until", end_of_day=True),
            interval=interval,
            source=source,
        )
    if left_out:
        show(found.left_out, LEFT_OUT, form=form, limit=limit, empty="every event was measured")
        return
    show(found.frame, COLUMNS, form=form, limit=limit, empty="no event could be measured")
    if form == "table":
        typer.echo()
        show(found.funnel, FUNNEL, title="Where every event ended", limit=0)
