"""``backtest ingest``: from files, from online sources, and what was rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from backtest.cli import articles, context, online, options
from backtest.cli.tables import Column, form_of, show

if TYPE_CHECKING:
    from collections.abc import Mapping

group = typer.Typer(help="Import prices, events, actions or news from files and sources.")

File = Annotated[str, typer.Argument(metavar="FILE", help="CSV, Parquet, JSON lines; - is stdin.")]
Files = Annotated[
    list[str], typer.Argument(metavar="FILES", help="CSV, Parquet, JSON lines; - is stdin.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN,...",
        help="Which column holds what, where the names do not tell.",
    ),
]
Zone = Annotated[
    str | None,
    typer.Option("--tz", metavar="ZONE", help="Zone of times without one: America/New_York."),
]
DateFormat = Annotated[
    str | None,
    typer.Option(metavar="FORMAT", help="Such as %m/%d/%y, or epoch_s, epoch_ms, epoch_us."),
]
SourceName = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Who says so. [default: file]")
]
Exchange = Annotated[
    str, typer.Option(metavar="MIC", help="Whose calendar the instruments follow.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Read and check everything, write nothing.")
]
REJECTS = (
    Column("batch_id", "batch"),
    Column("origin", "file", kind="file", most=24),
    Column("row", kind="count"),
    Column("column"),
    Column("value", most=20),
    Column("reason", wide=True, wrap=True),
)


def _mapping(columns: list[str] | None) -> Mapping[str, str]:
    from db.sources.files.columns import parse_mapping

    return parse_mapping(columns or ())


@group.command(epilog="Example: backtest ingest prices AMD.csv --interval 1d --symbol AMD")
def prices(
    files: Files,
    interval: Annotated[
        str, typer.Option(metavar="1m|5m|...|1d", help="Length of the bars in the files.")
    ],
    tz: Zone = None,
    symbol: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="All rows are of this instrument.")
    ] = None,
    symbol_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that names the instrument.")
    ] = None,
    symbol_from_name: Annotated[
        bool, typer.Option("--symbol-from-name", help="AMD.parquet holds AMD.")
    ] = False,
    columns: Columns = None,
    adjusted: Annotated[
        str,
        typer.Option(
            metavar="none|splits|all", help="What the prices are adjusted for (all: dividends too)."
        ),
    ] = "none",
    source: SourceName = None,
    exchange: Exchange = "XNYS",
    date_format: DateFormat = None,
    dry_run: DryRun = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Import price bars; those already there add nothing, changed ones are a revision.

    Times are those at which bars start. Rows that cannot be are rejected and kept with the
    reason: backtest ingest rejects.
    """
    form = form_of(as_json=as_json, as_csv=as_csv)
    mapping = _mapping(columns)
    with context.open_store() as store:
        from backtest.cli.imports import Importing
        from db.sources.files import prices as read

        work = Importing(store, files, dry_run=dry_run)
        work.run(
            lambda file: read(
                file,
                interval=interval,
                tz=tz,
                symbol=symbol,
                symbol_column=symbol_column,
                symbol_from_name=symbol_from_name,
                mapping=mapping,
                adjusted=adjusted,  # type: ignore[arg-type] # checked there
                source=source,
                exchange=exchange,
                date_format=date_format,
            )
        )
    work.finish(form)


@group.command(epilog="Example: backtest ingest events earnings.csv --tz America/New_York")
def events(
    file: File,
    columns: Columns = None,
    tz: Zone = None,
    date_format: DateFormat = None,
    source: SourceName = None,
    exchange: Exchange = "XNYS",
    dry_run: DryRun = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Import earnings releases: their time or session, estimates, actuals and guidance."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    mapping = _mapping(columns)
    with context.open_store() as store:
        from backtest.cli.imports import Importing
        from db.sources.files import events as read

        work = Importing(store, [file], dry_run=dry_run)
        work.run(
            lambda name: read(
                name,
                mapping=mapping,
                tz=tz,
                date_format=date_format,
                source=source,
                exchange=exchange,
            )
        )
    work.finish(form)


@group.command(epilog="Example: backtest ingest actions splits.csv --dry-run")
def actions(
    file: File,
    columns: Columns = None,
    date_format: DateFormat = None,
    source: SourceName = None,
    dry_run: DryRun = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Import splits (new shares for one old) and cash dividends (per share)."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    mapping = _mapping(columns)
    with context.open_store() as store:
        from backtest.cli.imports import Importing
        from db.sources.files import actions as read

        work = Importing(store, [file], dry_run=dry_run)
        work.run(lambda name: read(name, mapping=mapping, date_format=date_format, source=source))
    work.finish(form)


@group.command(epilog="Example: backtest ingest news headlines.csv --tz Europe/Berlin")
def news(
    file: File,
    columns: Columns = None,
    tz: Zone = None,
    date_format: DateFormat = None,
    source: SourceName = None,
    facts: Annotated[
        bool,
        typer.Option("--facts", help="Read companies and figures out of the texts as well."),
    ] = False,
    dry_run: DryRun = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Import news items with the time they were published."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    mapping = _mapping(columns)
    with context.open_store() as store:
        from backtest.cli.imports import Importing
        from db.sources.files import news as read

        prepare = None
        if facts:
            from db.text.annotate import Annotator

            prepare = Annotator(store).batch
        work = Importing(store, [file], dry_run=dry_run, prepare=prepare)
        work.run(
            lambda name: read(name, mapping=mapping, tz=tz, date_format=date_format, source=source)
        )
    work.finish(form)


@group.command(epilog="Example: backtest ingest rejects --csv")
def rejects(
    batch: Annotated[
        int | None, typer.Option("--batch", metavar="ID", help="Only those of one import.")
    ] = None,
    limit: options.Limit = options.LIMIT,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """List the rows that were rejected, each with its file, row, column, value and reason."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        frame = store.rejects(batch)
    show(frame, REJECTS, form=form, limit=limit, empty="no row was rejected")


group.command(epilog=f"Example: {articles.ARTICLE_EXAMPLE}")(articles.article)
group.command(epilog=f"Example: {articles.FEED_EXAMPLE}")(articles.feed)
online.add_commands(group)
