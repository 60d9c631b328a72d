"""A result on screen: the sentences first, then the tables they are made of."""

from __future__ import annotations

import dataclasses
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import typer

from backtest.cli.tables import Column, plain, show
from backtest.cli.words import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from backtest.result import Result

FUNNEL = (
    Column("reason", "where every event ended", wide=True, wrap=True),
    Column("events", kind="count"),
    Column("share", kind="percent", digits=1),
    Column("left", "left over", "count"),
)
ALWAYS_TOLD = ("Trades", "Mean net return [%]", "Win rate [%]", "Ambiguous trades")
ONLY_WITH = {
    "Mean net return, target first in those [%]": "Ambiguous trades",
    "Mean net return, those at -30 % [%]": "Data ended while held",
}
REASONS = (
    Column("reason", "exit"),
    Column("trades", kind="count"),
    Column("mean_return", "mean net return", "percent"),
)
NUMBERS = (Column("label", "trades", wide=True), Column("value", "", "figure"))
STATISTICS = (
    Column("label", "account", wide=True),
    Column("strategy", kind="figure"),
    Column("benchmark", kind="figure"),
)
BASE_RATES = (
    Column("group", "base rate among", wide=True),
    Column("events", kind="count"),
    Column("dates", kind="count"),
    Column("share", kind="percent", digits=1),
    Column("low", "95 % low", "percent", digits=1),
    Column("high", "95 % high", "percent", digits=1),
    # Wilson's interval, which takes companies of one evening for independent ones.
    Column("independent", "as if independent", spare=True),
)


def print_result(result: Result) -> None:
    """Everything a run has to say, on standard output."""
    import pandas as pd

    record = result.record
    typer.echo(
        printable(f"{record['strategy']} on {record['interval']} bars of {record['source']}\n")
    )
    width = shutil.get_terminal_size().columns
    for sentence in result.sentences:
        typer.echo(textwrap.fill(printable(sentence), width, subsequent_indent="  "))
    typer.echo()
    show(result.funnel, FUNNEL, limit=0)
    if len(result.trades):
        typer.echo()
        show(result.exit_reasons, REASONS, limit=0)
        typer.echo()
        # What never happened in this run is not worth a line; the JSON has every number.
        told = {k: v for k, v in result.summary.items() if v or k in ALWAYS_TOLD}
        for other, count in ONLY_WITH.items():
            if not result.summary.get(count):
                told.pop(other, None)
        numbers = pd.DataFrame(list(told.items()), columns=["label", "value"])
        show(numbers, NUMBERS, limit=0)
    typer.echo()
    show(result.stats, STATISTICS, limit=0)
    _print_base_rates(result.base_rates)
    number = record.get("id")
    if number is not None:
        typer.echo(f"\nrun {number}: backtest runs show {number}, backtest report {number}")


def _print_base_rates(rates: pd.DataFrame) -> None:
    for outcome, rows in rates.groupby("outcome", sort=False):
        typer.echo()
        bounds = zip(rows["low_independent"], rows["high_independent"], strict=True)
        told = rows.assign(independent=[f"{100 * a:.1f} to {100 * b:.1f} %" for a, b in bounds])
        show(told, BASE_RATES, limit=0, title=f"How often a stock {outcome}")


def as_record(result: Result) -> Mapping[str, Any]:
    """The result as JSON's own types: frames as lists of rows."""
    frames = ("funnel", "trades", "exit_reasons", "stats", "base_rates")
    return {
        "run": result.record.get("id"),
        "record": plain(result.record),
        "sentences": result.sentences,
        "summary": plain(result.summary),
        "luck": None if result.luck is None else plain(dataclasses.asdict(result.luck)),
        **{name: plain(getattr(result, name).to_dict("records")) for name in frames},
        "other_seeds": plain(result.other_seeds),
    }
