"""``backtest report``: a run as one HTML file that opens offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from backtest.cli import context
from backtest.cli.errors import say

EXAMPLE = "backtest report 1 -o report.html"


def report(
    run: Annotated[
        int | None,
        typer.Argument(metavar="RUN", help="Its number in backtest runs; the newest if left out."),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write it.")
    ] = Path("report.html"),
) -> None:
    """Write a run's report as one HTML file.

    It opens offline: figures, trades with their charts, and the record of the run.
    """
    with context.open_store() as store:
        from backtest.report.build import report_data
        from backtest.report.page import write_report
        from backtest.runs import load_result

        result = load_result(store, run)
        written = write_report(report_data(result, store=store), output)
    say(f"the report of run {result.record['id']} is in {written}")
