"""``backtest run``: one strategy over the store, to the funnel, the trades and the account."""

from __future__ import annotations

from typing import Annotated

import typer

from backtest.cli import context, options
from backtest.cli.steps import steps
from backtest.cli.tables import print_json
from backtest.cli.words import instant, pairs_of, symbols_of

EXAMPLE = "backtest run gap_reversal -p drop=0.08 -p exits.target=none"


def run(
    strategy: Annotated[
        str, typer.Argument(help="Its name (backtest strategies), or FILE.py:Class.")
    ],
    param: options.Parameters = None,
    interval: options.IntervalName = None,
    since: options.Since = None,
    until: options.Until = None,
    symbols: options.Symbols = None,
    source: options.Source = None,
    cash: options.Cash = 100_000.0,
    slots: options.Slots = 20,
    seed: options.Seed = 0,
    commission: options.Commission = None,
    half_spread: options.HalfSpread = None,
    slippage: options.Slippage = None,
    min_price: options.MinPrice = None,
    min_dollar_volume: options.MinDollarVolume = None,
    benchmark: Annotated[
        str | None,
        typer.Option(metavar="SYMBOL", help="Buy and hold of this, not of the same symbols."),
    ] = None,
    strict_as_of: options.StrictAsOf = False,
    resolve: Annotated[
        str | None,
        typer.Option(
            metavar="INTERVAL", help="Finer bars of the same source decide ambiguous trades."
        ),
    ] = None,
    no_check: Annotated[
        bool, typer.Option("--no-check", help="Leave the quick look-ahead check out.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Backtest a strategy over the events in the store.

    The run is recorded (backtest runs).  Fractions are fractions: 0.05 is 5 %.  Exit status 1:
    the strategy uses what it could not have known (backtest check).
    """
    params = pairs_of(param, option="-p")
    costs = {"commission": commission, "half_spread": half_spread, "slippage": slippage}
    with context.open_store() as store, steps() as on_step:
        from backtest.execution import Costs
        from backtest.runner import run as backtest_run

        result = backtest_run(
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
            resolve=resolve,
            benchmark=benchmark,
            look_ahead=not no_check,
            on_step=on_step,
        )
    from backtest.cli.result import as_record, print_result

    if as_json:
        print_json(as_record(result))
    else:
        print_result(result)
    if result.looks_ahead:
        raise typer.Exit(1)
