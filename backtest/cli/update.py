"""``backtest update``: every source that a store has used, brought up to date."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from backtest.cli import articles, context, online, options
from backtest.cli.errors import say
from backtest.cli.errors import show as show_error
from backtest.cli.tables import form_of
from backtest.cli.words import count
from db.errors import BacktestError, DataError

if TYPE_CHECKING:
    from datetime import datetime

    from backtest.cli.tables import Form
    from db.fetch_ledger import Stream
    from db.sources.fetching.source import Ask
    from db.store import Store

EXAMPLE = "backtest update"

Group = tuple[str, tuple[tuple[str, str], ...]]


def update(
    only: Annotated[
        list[str] | None,
        typer.Option("--source", metavar="NAME", help="Only this source; may be repeated."),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask again, also for what the store has already.")
    ] = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Bring everything that was ever brought from an online source up to date.

    Each symbol is asked for as it was the first time, from where the store's data end until now.
    A run that was stopped goes on where it was when it is started again.
    """
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        groups = _groups(store, only)
        if not groups:
            say("no online source was used yet; bring some: backtest ingest yahoo AMD")
            return
        _bring_all(store, groups, refresh=refresh, form=form)


def _groups(store: Store, only: list[str] | None) -> dict[Group, list[tuple[Stream, datetime]]]:
    """What to ask, by source and options: one run each."""
    from db.errors import UsageError, did_you_mean

    streams = store.streams()
    used = sorted({stream.source for stream, _ in streams})
    for name in only or ():
        if name not in used:
            raise UsageError(
                f"the store has nothing of {name!r}", hint=did_you_mean(name, used, kind="source")
            )
    groups: dict[Group, list[tuple[Stream, datetime]]] = {}
    for stream, since in streams:
        if only and stream.source not in only:
            continue
        key = (stream.source, tuple(sorted(stream.options.items())))
        groups.setdefault(key, []).append((stream, since))
    return groups


def _bring_all(
    store: Store,
    groups: dict[Group, list[tuple[Stream, datetime]]],
    *,
    refresh: bool,
    form: Form,
) -> None:
    from db.sources.fetching.registry import make, sources
    from db.sources.fetching.run import Outcome
    from db.store import utcnow

    known, refused = sources(), set[str]()
    total = Outcome()
    for (name, chosen), streams in groups.items():
        subjects = list(dict.fromkeys(stream.subject for stream, _ in streams))
        if name in refused:
            continue
        noun = ("address", "addresses") if name == articles.FEED else ("symbol", "symbols")
        say(f"{name}: {count(len(subjects), *noun)}")
        try:
            if name == articles.FEED:
                work = articles.bring_feeds(store, subjects, dict(chosen))
                total.join(name, work.outcome("news"))
                continue
            if name not in known:
                raise DataError(f"this version has no source {name!r}: it is left as it is")
            source = make(known[name], options=dict(chosen), environment=os.environ, now=utcnow)
            # Bars of all phases hold those of the regular hours: what has more is asked first.
            wider = sorted(streams, key=lambda one: -len(one[0].phases))
            asks = [_ask(stream, since, utcnow()) for stream, since in wider]
            total.join(name, online.bring(store, source, asks, refresh=refresh))
        except BacktestError as error:
            # One source without its key does not keep the others from being brought.
            show_error(error)
            refused.add(name)
    online.finish(total, form)
    if refused:
        raise typer.Exit(1)


def _ask(stream: Stream, since: datetime, now: datetime) -> Ask:
    from db.sources.fetching.source import Ask

    return Ask(
        stream.kind,
        stream.subject,
        since,
        now,
        interval=stream.interval,
        phases=stream.phases,
    )
