"""``backtest check``: whether a strategy uses what it could not have known."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtest.cli import context, options
from backtest.cli.steps import steps
from backtest.cli.tables import Column, plain, print_json, show
from backtest.cli.words import instant, pairs_of, printable, symbols_of
from db.errors import UsageError

if TYPE_CHECKING:
    from backtest.checker import Check

EXAMPLE = "backtest check gap_reversal --interval 1d -p drop=0.08"
REPLAYS = (
    Column("replay"),
    Column("what", "what was replayed", wide=True),
    Column("replays", kind="count"),
    Column("differ", kind="count"),
)
SPEED = (
    Column("when", "how much hangs on speed", wide=True),
    Column("orders", kind="count"),
    Column("fills", kind="count"),
    Column("mean_net", "mean net return", "percent"),
)


def check(
    strategy: Annotated[
        str, typer.Argument(help="Its name (backtest strategies), or FILE.py:Class.")
    ],
    param: options.Parameters = None,
    interval: options.IntervalName = None,
    since: options.Since = None,
    until: options.Until = None,
    symbols: options.Symbols = None,
    source: options.Source = None,
    events: Annotated[
        str, typer.Option(metavar="N|all", help="Events that are replayed at the most.")
    ] = "400",
    instants: Annotated[
        str, typer.Option(metavar="N|all", help="Instants at which the future is cut off.")
    ] = "100",
    seed: Annotated[int, typer.Option(help="Chooses events and instants.")] = 0,
    cash: options.Cash = 100_000.0,
    slots: options.Slots = 20,
    commission: options.Commission = None,
    half_spread: options.HalfSpread = None,
    slippage: options.Slippage = None,
    min_price: options.MinPrice = None,
    min_dollar_volume: options.MinDollarVolume = None,
    strict_as_of: options.StrictAsOf = False,
    as_json: options.Json = False,
) -> None:
    """Replay a strategy without the future, and say what gives it away.

    Exit status 1: it uses what it could not have known. Costs and filters are those of run.
    """
    params = pairs_of(param, option="-p")
    costs = {"commission": commission, "half_spread": half_spread, "slippage": slippage}
    most_events = _number(events, option="--events")
    most_instants = _number(instants, option="--instants")
    with context.open_store() as store, steps() as on_step:
        from backtest.checker import check as check_strategy
        from backtest.execution import Costs

        found = check_strategy(
            strategy,
            store,
            params=params,
            interval=interval,
            since=instant(since, option="--since"),
            until=instant(until, option="--until", end_of_day=True),
            symbols=symbols_of(symbols),
            source=source,
            cash=cash,
            slots=slots,
            seed=seed,
            costs=Costs(**{name: value for name, value in costs.items() if value is not None}),
            min_price=min_price,
            min_dollar_volume=min_dollar_volume,
            strict_as_of=strict_as_of,
            events=most_events,
            instants=most_instants,
            on_step=on_step,
        )
    if as_json:
        print_json(as_record(found))
    else:
        print_check(found)
    if found.found:
        raise typer.Exit(1)


def _number(text: str, *, option: str) -> int | None:
    """A whole number from 1 on; None for ``all``."""
    if text.strip().lower() == "all":
        return None
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise UsageError(f"{option} takes a number from 1 on, or all, not {text!r}")
    return number


def print_check(found: Check) -> None:
    """Everything a check has to say, on standard output."""
    record = found.record
    typer.echo(
        printable(f"{record['strategy']} on {record['interval']} bars of {record['source']}\n")
    )
    width = shutil.get_terminal_size().columns
    for sentence in found.sentences:
        typer.echo(textwrap.fill(printable(sentence), width, subsequent_indent="  "))
    typer.echo()
    show(found.replays, REPLAYS, limit=0)
    typer.echo()
    show(found.speed, SPEED, limit=0)


def as_record(found: Check) -> dict[str, Any]:
    """The check as JSON's own types: frames as lists of rows."""
    frames = ("replays", "findings", "speed")
    return {
        "record": plain(found.record),
        "found": found.found,
        "sentences": found.sentences,
        **{name: plain(getattr(found, name).to_dict("records")) for name in frames},
    }
