"""A result on screen: the sentences first, then the tables they are made of."""

from __future__ import annotations

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
)


def print_result(result: Result) -> None:
    """Everything a run has to say, on standard output."""
    import pandas as pd

    typer.echo(printable(f"{result.record['strategy']} ({result.record['command']})\n"))
    for sentence in result.sentences:
        typer.echo(f"  {printable(sentence)}")
    typer.echo()
    show(result.funnel, FUNNEL, limit=0)
    if len(result.trades):
        typer.echo()
        show(result.exit_reasons, REASONS, limit=0)
        typer.echo()
        numbers = pd.DataFrame(list(result.summary.items()), columns=["label", "value"])
        show(numbers, NUMBERS, limit=0)
    typer.echo()
    show(result.stats, STATISTICS, limit=0)
    _print_base_rates(result.base_rates)
    typer.echo(f"\nrun {result.record.get('id', 'not recorded')}")


def _print_base_rates(rates: pd.DataFrame) -> None:
    for outcome, rows in rates.groupby("outcome", sort=False):
        typer.echo()
        show(rows, BASE_RATES, limit=0, title=f"How often a stock {outcome}")


def as_record(result: Result) -> Mapping[str, Any]:
    """The result as JSON's own types: frames as lists of rows."""
    frames = ("funnel", "trades", "exit_reasons", "stats", "base_rates")
    return {
        "run": result.record.get("id"),
        "record": plain(result.record),
        "sentences": result.sentences,
        "summary": plain(result.summary),
        **{name: plain(getattr(result, name).to_dict("records")) for name in frames},
        "other_seeds": plain(result.other_seeds),
    }
