"""``backtest data``: what prices there are, whether they agree, and the upkeep of the store."""

from __future__ import annotations

from typing import Annotated

import typer

from backtest.cli import context, options
from backtest.cli.errors import say
from backtest.cli.tables import Column, form_of, show
from backtest.cli.words import count, date_of, symbols_of
from db.errors import UsageError

group = typer.Typer(help="Look after the data: check, sources, rename, describe, compact, clean.")

SOURCES = (
    Column("interval"),
    Column("source"),
    Column("adjusted"),
    Column("instruments", kind="count"),
    Column("rows", kind="count"),
    Column("first", kind="date"),
    Column("last", kind="date"),
    Column("version", kind="count"),
)
FETCHES = (
    Column("source"),
    Column("kind"),
    Column("subject", most=16),
    Column("interval", "bars"),
    Column("since", kind="date"),
    Column("until", kind="date"),
    Column("status"),
    Column("rows", kind="count"),
    Column("note", wide=True),
)
COMPACTED = (
    Column("table"),
    Column("files_before", "files before", "count"),
    Column("files_after", "files after", "count"),
)
FINDINGS = (
    Column("check"),
    Column("symbol"),
    Column("date", kind="date"),
    Column("finding", wide=True, wrap=True),
)


@group.command(epilog="Example: backtest data check --symbol AMD")
def check(
    symbol: options.Symbols = None,
    limit: options.Limit = options.LIMIT,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Look for prices that contradict each other or the corporate actions.

    The exit status is 1 when something was found.
    """
    from backtest.data_check import check as find

    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        findings = find(store, symbols=symbols_of(symbol))
        show(findings, FINDINGS, form=form, limit=limit, empty="nothing was found")
    if len(findings):
        raise typer.Exit(1)


@group.command(epilog="Example: backtest data sources")
def sources(as_json: options.Json = False, as_csv: options.Csv = False) -> None:
    """List which bars the store holds, and from where."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        show(
            store.bar_sources(),
            SOURCES,
            form=form,
            limit=0,
            empty="no bars; import some: backtest ingest prices FILE --interval 1d",
        )


@group.command(epilog="Example: backtest data fetches")
def fetches(
    limit: options.Limit = options.LIMIT, as_json: options.Json = False, as_csv: options.Csv = False
) -> None:
    """List what online sources were asked for, and what came."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        show(
            store.fetches(),
            FETCHES,
            form=form,
            limit=limit,
            empty="nothing was asked for; bring some: backtest ingest yahoo AMD",
        )


@group.command(epilog="Example: backtest data rename FB META --on 2022-06-09")
def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="What it was called.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is called now.")],
    on: Annotated[str, typer.Option(metavar="DATE", help="The first day under the new symbol.")],
) -> None:
    """Give an instrument another symbol from a day on; it stays the same instrument."""
    day = date_of(on, option="--on")
    with context.open_store() as store:
        store.rename(old.upper(), new.upper(), day)
    say(f"{old.upper()} is called {new.upper()} from {day} on")


@group.command(epilog="Example: backtest data describe AAPL --fiscal-year-end 9")
def describe(
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL")],
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The company, as texts write it.")
    ] = None,
    fiscal_year_end: Annotated[
        int | None,
        typer.Option(metavar="MONTH", min=1, max=12, help="Month its fiscal year ends in."),
    ] = None,
) -> None:
    """Say what an instrument is called in texts, and when its fiscal year ends."""
    if name is None and fiscal_year_end is None:
        raise UsageError("nothing to set", hint="give --name or --fiscal-year-end")
    with context.open_store() as store:
        store.describe(symbol.upper(), name=name, fiscal_year_end=fiscal_year_end)
    said = [f"name {name!r}"] if name is not None else []
    said += [f"fiscal year ends in month {fiscal_year_end}"] if fiscal_year_end else []
    say(f"{symbol.upper()}: {', '.join(said)}")


@group.command(epilog="Example: backtest data compact")
def compact() -> None:
    """Rewrite many small files as few large ones; no answer changes."""
    with context.open_store() as store:
        show(store.compact(), COMPACTED, limit=0, empty="there are no bars")


@group.command(epilog="Example: backtest data clean --dry-run")
def clean(
    drop_versions: Annotated[
        bool,
        typer.Option(
            "--drop-versions",
            help="Also drop versions that stored runs name; those become unrepeatable.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be deleted, delete nothing.")
    ] = False,
) -> None:
    """Delete files that no kept version of the bars needs."""
    with context.open_store() as store:
        report = store.clean(drop_versions=drop_versions, dry_run=dry_run)
    verb = "would be deleted" if dry_run else "deleted"
    say(f"{count(report.files, 'file')}, {report.bytes / 1e6:,.1f} MB {verb}")
    if report.unrepeatable_runs:
        numbers = ", ".join(map(str, report.unrepeatable_runs))
        say(f"runs that {'would become' if dry_run else 'are now'} unrepeatable: {numbers}")
