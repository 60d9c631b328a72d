"""``backtest events``: the earnings events in the store, and every revision of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backtest.cli import context, options
from backtest.cli.tables import Column, form_of, print_json, show, time_zone
from backtest.cli.words import amount, instant, symbols_of

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from backtest.cli.tables import Form
    from db.records.explaining import Explanation
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
)
ROLES = (
    Column("source"),
    Column("announced_from", "from", "time"),
    Column("announced_to", "to", "time"),
    Column("role", "what became of it", wide=True, wrap=True),
)
GUIDANCE = (
    Column("metric"),
    Column("period"),
    Column("value"),
    Column("expected"),
    Column("source", wide=True),
    Column("news_id", "item"),
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
    why = store.explain(event)
    revisions = store.revisions([event])
    guidance = store.guidance([event])
    roles = _roles(why)
    if form == "json":
        print_json(
            {
                "event_id": event,
                "announced_from": why.announced_from,
                "announced_to": why.announced_to,
                "precision": why.precision,
                "session": why.session,
                "roles": roles.to_dict("records"),
                "revisions": revisions.to_dict("records"),
                "guidance": guidance.to_dict("records"),
            }
        )
        return
    show(revisions, REVISIONS, form=form, title=f"Event {event}, oldest revision first", limit=0)
    if form != "table":
        return
    until = "" if why.announced_to == why.announced_from else f" to {_clock(why.announced_to)}"
    label = f"{why.precision}, {why.session}" if why.session else why.precision
    show(
        roles,
        ROLES,
        title=f"Release time used: {_clock(why.announced_from)}{until} ({label})",
        limit=0,
    )
    if not guidance.empty:
        figures = zip(guidance["low"], guidance["high"], guidance["unit"], strict=True)
        guidance["value"] = [amount(low, high, unit) for low, high, unit in figures]
        guidance["expected"] = [amount(one, one) for one in guidance["consensus"]]
        show(guidance, GUIDANCE, title="Guidance", limit=0)


def _clock(moment: datetime) -> str:
    """New York time to the second: a filing's acceptance is that precise."""
    return moment.astimezone(time_zone("")).isoformat(" ", "seconds")


def _roles(why: Explanation) -> pd.DataFrame:
    """What each source says of the release time, and what became of that."""
    import pandas as pd

    return pd.DataFrame([vars(role) for role in why.roles])
