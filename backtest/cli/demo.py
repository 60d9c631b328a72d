"""``backtest demo``: from nothing to a report, with real and with simulated prices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtest.cli.steps import steps

EXAMPLE = "backtest demo my-demo"


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Where to put the store and the report; a temporary one if left out."),
    ] = None,
) -> None:
    """Make a store to try things on, run two strategies, report.

    Daily prices are real, minute prices are simulated and say so.
    """
    from backtest.cli.result import print_result
    from backtest.demo.show import run_demo

    with steps() as on_step:
        done = run_demo(folder, on_step=on_step)
    for result in done.results.values():
        print_result(result)
        typer.echo()
    typer.echo("What the store holds")
    for line in done.summary.lines:
        typer.echo(f"  {line}")
    typer.echo("\nLook at")
    for path in done.reports.values():
        typer.echo(f"  {path}")
    typer.echo("\nGo on with")
    typer.echo(f"  export BACKTEST_STORE={done.store}")
    typer.echo("  backtest reactions --interval 1m --symbol SIM001")
    typer.echo("  backtest run after_hours_reversal -p drop=0.04 -p exits.target=none")
