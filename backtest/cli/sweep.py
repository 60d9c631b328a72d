"""``backtest sweep``: every combination of a strategy's parameters, and the best of them."""

from __future__ import annotations

import dataclasses
import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtest.cli import context, options
from backtest.cli.errors import say
from backtest.cli.steps import steps
from backtest.cli.tables import Column, form_of, plain, print_json, show
from backtest.cli.words import count, instant, pairs_of, printable, symbols_of

if TYPE_CHECKING:
    import pandas as pd

    from backtest.sweeps import Sweep
    from backtest.sweeps.luck import Luck

EXAMPLE = "backtest sweep gap_reversal --interval 1d -p drop=0.02:0.10:0.02"
FIGURES = (
    Column("trades", kind="count"),
    Column("mean", "mean", "percent"),
    Column("median", kind="percent"),
    Column("std", "std", "percent", spare=True),
    Column("win_rate", "won", "percent", digits=1, spare=True),
    Column("profit_factor", "PF", "number", spare=True),
    Column("big_gains", "10+", "percent", digits=1),
    Column("sharpe", "Sharpe", "number"),
    Column("ambiguous", "amb", "count", spare=True),
    Column("missed", "miss", "count", spare=True),
)
"""Returns are net, a trade; PF is the profit factor, 10+ the share that gained 10 % or more."""
ACCOUNTS = (
    Column("trades", "fills", "count"),
    Column("mean", "mean", "percent", spare=True),
    Column("account_trades", "held", "count"),
    Column("account_mean", "their mean", "percent"),
    Column("difference", "diff", "percent", spare=True),
    Column("account_return", "account", "percent"),
    Column("account_sharpe", "Sharpe", "number"),
    Column("account_drawdown", "down", "percent", spare=True),
)
LUCK = (
    Column("what", "is it luck?"),
    Column("value", ""),
    Column("note", "", wide=True, wrap=True),
)
FOLDS = (
    Column("test_from", "test from", "date"),
    Column("test_to", "to", "date"),
    Column("train_trades", "train", "count", spare=True),
    Column("purged", kind="count", spare=True),
    Column("train_mean", "mean", "percent"),
    Column("test_trades", "test", "count"),
    Column("test_mean", "mean", "percent"),
    Column("beaten", "beaten", "percent", digits=0),
)


def sweep(
    strategy: Annotated[
        str, typer.Argument(help="Its name (backtest strategies), or FILE.py:Class.")
    ],
    param: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--param",
            metavar="NAME=VALUES",
            help="Values by comma, or from:to:step with both ends; one value sets it.",
        ),
    ] = None,
    rank: Annotated[
        str, typer.Option(help="What the best are chosen by: sharpe, mean, median, total, ...")
    ] = "sharpe",
    top: Annotated[int, typer.Option(min=0, help="Combinations to print; 0 prints all.")] = 20,
    min_trades: Annotated[
        int, typer.Option(min=0, help="Combinations with fewer trades come last.")
    ] = 20,
    accounts: Annotated[
        int, typer.Option(min=0, help="Run so many of the best with slots and cash.")
    ] = 3,
    walk_forward: Annotated[
        str | None,
        typer.Option(
            metavar="WINDOWS",
            help="Choose on the past, judge on the future: train=3y,test=1y,purge=hold.",
        ),
    ] = None,
    heatmap: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write heat maps of all pairs, as HTML.")
    ] = None,
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
    strict_as_of: options.StrictAsOf = False,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """Backtest every combination of parameters over the events in the store.

    All trades count, with or without a slot in the account; the best are run through the account
    as well.  The sweep is recorded, and every combination counts as a trial.  The table shows the
    columns for which the terminal has room; --csv prints all.
    """
    form = form_of(as_json=as_json, as_csv=as_csv)
    grid = pairs_of(param, option="-p")
    costs = {"commission": commission, "half_spread": half_spread, "slippage": slippage}
    with context.open_store() as store, steps() as on_step:
        from backtest.execution import Costs
        from backtest.sweeps.engine import sweep as backtest_sweep

        found = backtest_sweep(
            strategy,
            store,
            grid,
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
            rank=rank,
            min_trades=min_trades,
            accounts=accounts,
            walk=walk_forward,
            on_step=on_step,
        )
        on_step("asking how much of it is luck")
        _ = found.luck
    best = found.best(rank, top or len(found), min_trades=min_trades)
    if heatmap is not None:
        write_heatmaps(found, heatmap)
    if form == "json":
        print_json(as_record(found, best))
    elif form == "csv":
        show(best.reset_index(names="combination"), (), form="csv")
    else:
        print_sweep(found, best)


def print_sweep(found: Sweep, best: pd.DataFrame) -> None:
    """The sentences, the best combinations, their accounts and the folds."""
    record = found.record
    typer.echo(
        printable(f"{record['strategy']} on {record['interval']} bars of {record['source']}\n")
    )
    width = shutil.get_terminal_size().columns
    for sentence in found.sentences:
        typer.echo(textwrap.fill(printable(sentence), width, subsequent_indent="  "))
    _print_luck(found.luck, width)
    swept = tuple(Column(name, name.removeprefix("exits.")) for name in found.axes)
    typer.echo()
    show(_worded(best, found.axes), (*swept, *FIGURES), limit=0)
    if len(found.accounts):
        typer.echo()
        title = "The best with slots and cash, beside all their trades one by one"
        show(_worded(found.accounts, found.axes), (*swept, *ACCOUNTS), limit=0, title=title)
    if found.walk_forward is not None:
        typer.echo()
        title = "Chosen on the past, judged on the future"
        folds = _worded(found.walk_forward.folds, found.axes)
        show(folds, (*swept, *FOLDS), limit=0, title=title)
    if "id" in record:
        typer.echo(f"\nrun {record['id']}: recorded with {count(len(found), 'trial')}")


def _print_luck(luck: Luck | None, width: int) -> None:
    """The tests of the whole search, where there is anything to test."""
    if luck is None:
        return
    for sentence in (luck.sentence, luck.missing):
        if sentence:
            typer.echo(textwrap.fill(sentence, width, subsequent_indent="  "))
    typer.echo()
    digits = luck.table["digits"]
    texts = [f"{value:,.{n}f}" for value, n in zip(luck.table["value"], digits, strict=True)]
    widest = max(map(len, texts))
    show(luck.table.assign(value=[text.rjust(widest) for text in texts]), LUCK, limit=0)


def _worded(frame: pd.DataFrame, axes: tuple[str, ...]) -> pd.DataFrame:
    """Parameters as one would type them; whatever they are, none is a percentage."""
    from backtest.sweeps.result import value_text

    swept = [name for name in axes if name in frame.columns]
    return frame.assign(**{name: [value_text(one) for one in frame[name]] for name in swept})


def as_record(found: Sweep, best: pd.DataFrame) -> Mapping[str, Any]:
    """The sweep as JSON's own types."""
    forward = found.walk_forward
    return {
        "run": found.record.get("id"),
        "record": plain(found.record),
        "sentences": found.sentences,
        "luck": None if found.luck is None else plain(dataclasses.asdict(found.luck)),
        "combinations": len(found),
        "best": plain(best.reset_index(names="combination").to_dict("records")),
        "accounts": plain(found.accounts.to_dict("records")),
        "folds": plain(forward.folds.to_dict("records")) if forward is not None else [],
        "out_of_sample": plain(forward.trades.to_dict("records")) if forward is not None else [],
    }


def write_heatmaps(found: Sweep, file: Path) -> None:
    """One page with a heat map of the mean net return for every pair of axes."""
    from itertools import combinations

    from db.errors import UsageError

    pairs = list(combinations(found.axes, 2))
    if not pairs:
        raise UsageError("heat maps need two swept parameters", hint="-p NAME=... twice")
    parts = [
        found.heatmap(x, y).to_html(full_html=False, include_plotlyjs=number == 0)
        for number, (x, y) in enumerate(pairs)
    ]
    title = printable(str(found.record["strategy"]))
    head = f"<!doctype html><meta charset='utf-8'><title>{title}</title>"
    file.write_text(head + "".join(parts), encoding="utf-8")
    say(f"{len(pairs)} heat maps in {file}")
