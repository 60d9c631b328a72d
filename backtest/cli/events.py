"""``backtest events``: the earnings events in the store, and every revision of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backtest.cli import context, options
from backtest.cli.tables import Column, form_of, print_json, show
from backtest.cli.words import instant, symbols_of
from db.errors import UsageError

if TYPE_CHECKING:
    from backtest.cli.tables import Form
    from db.store import Store

EXAMPLE = "backtest events --symbol AMD --since 2019-01-01"

COLUMNS = (
    Column("event_id", "event"),
    Column("symbol"),
    Column("fiscal_period", "period"),
    Column("announced_from", "announced", "time"),
    Column("session"),
    Column("eps_estimate", "estimate", "number"),
    Column("eps_actual", "EPS", "number"),
    Column("revisions", "revs", "count"),
)
REVISIONS = (
    Column("revision_id", "rev"),
    Column("source", wide=True),
    Column("announced_from", "announced", "time"),
    Column("eps_estimate", "est.", "number"),
    Column("eps_actual", "EPS", "number"),
    Column("first_known_at", "known from", "time"),
    Column("first_known_proven", "proven"),
)
GUIDANCE = (
    Column("metric"),
    Column("period"),
    Column("low", kind="number"),
    Column("high", kind="number"),
    Column("unit"),
    Column("consensus", kind="number"),
    Column("first_known_at", "known from", "time"),
)


def events(
    symbol: options.Symbols = None,
    since: options.Since = None,
    until: options.Until = None,
    as_of: options.AsOf = None,
    explain: Annotated[
        int | None,
        typer.Option("--explain", metavar="EVENT", help="Show every revision of one event."),
    ] = None,
    limit: options.Limit = options.LIMIT,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """List earnings events, or every revision of one.

    With --as-of they are shown as they were known then.
    """
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        if explain is not None:
            _explain(store, explain, form)
            return
        frame = store.events(
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
            empty="no events; import some: backtest ingest events FILE",
        )


def _explain(store: Store, event: int, form: Form) -> None:
    revisions = store.revisions([event])
    if revisions.empty:
        raise UsageError(f"there is no event {event}", hint="backtest events lists their numbers")
    guidance = store.guidance([event])
    if form == "json":
        print_json(
            {
                "event_id": event,
                "revisions": revisions.to_dict("records"),
                "guidance": guidance.to_dict("records"),
            }
        )
        return
    show(revisions, REVISIONS, form=form, title=f"Event {event}, oldest revision first", limit=0)
    if form == "table" and not guidance.empty:
        show(guidance, GUIDANCE, title="Guidance", limit=0)
