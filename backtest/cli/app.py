"""The commands put together, and the options that may stand anywhere on the line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import backtest
from backtest.cli import (
    check,
    context,
    data,
    demo,
    errors,
    events,
    ingest,
    init,
    news,
    reactions,
    report,
    research,
    run,
    runs,
    strategies,
    study,
    sweep,
    update,
)
from db.errors import UsageError

INTERRUPTED = 130
"""What Typer makes of Ctrl-C."""

ORDER = (
    *("init", "ingest", "update", "events", "news", "data"),
    *("strategies", "reactions", "study", "run", "sweep", "check", "runs", "report"),
    *("demo", "research"),
)


class _InOrder(TyperGroup):
    """Lists the commands in the order in which one meets them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=ORDER.index)


app = typer.Typer(
    name="backtest",
    cls=_InOrder,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aftershock {backtest.__version__}")
        raise typer.Exit


@app.callback()
def options(
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="PATH",
            help="The store: a folder, or a database's URL. Default: $BACKTEST_STORE or ./store",
        ),
    ] = None,
    bars: Annotated[
        str | None,
        typer.Option(
            "--bars",
            metavar="PATH",
            help="Where the bars are, if the store is a URL. Default: $BACKTEST_BARS",
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where in the program an error arose.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Backtest how stocks react to earnings and news, without looking ahead.

    --store, --bars and --debug may stand anywhere on the line.
    """
    context.settings.store = store
    context.settings.bars = bars


def _command(function: Callable[..., Any], example: str) -> None:
    """Add a command; its help ends in a line that runs."""
    app.command(epilog=f"Example: {example}")(function)


_command(init.init, init.EXAMPLE)
app.add_typer(ingest.group, name="ingest")
_command(update.update, update.EXAMPLE)
_command(events.events, events.EXAMPLE)
_command(news.news, news.EXAMPLE)
app.add_typer(data.group, name="data")
_command(strategies.strategies, strategies.EXAMPLE)
_command(reactions.reactions, reactions.EXAMPLE)
_command(study.study, study.EXAMPLE)
_command(run.run, run.EXAMPLE)
_command(sweep.sweep, sweep.EXAMPLE)
_command(check.check, check.EXAMPLE)
app.add_typer(runs.group, name="runs")
_command(report.report, report.EXAMPLE)
_command(demo.demo, demo.EXAMPLE)
_command(research.research, research.EXAMPLE)


def run_app(arguments: Sequence[str]) -> int:
    """Parse and run; the exit status.  UsageError for what cannot be parsed."""
    line = global_first(arguments) or ["--help"]
    try:
        status = app(line, prog_name="backtest", standalone_mode=False)
    except typer.TyperException as error:
        raise errors.from_parser(error) from error
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as end:
        # Typer turns a reader that went away into status 1, which here means a finding.
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        raise
    if status == INTERRUPTED:
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0


def global_first(arguments: Sequence[str]) -> list[str]:
    """The arguments with the global options moved before the command."""
    moved: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            rest += [argument, *waiting]
        elif argument == "--debug" or argument.startswith(("--store=", "--bars=")):
            moved.append(argument)
        elif argument in ("--store", "--bars"):
            value = next(waiting, None)
            if value is None:
                raise UsageError(f"{argument} needs a value", hint=f"{argument} PATH")
            moved += [argument, value]
        else:
            rest.append(argument)
    return moved + rest
