"""Options that several commands share, spelled once."""

from __future__ import annotations

from typing import Annotated

import typer

from backtest.cli.tables import ROWS_SHOWN

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")]
Limit = Annotated[
    int, typer.Option("--limit", min=0, help="Rows of the table on screen; 0 shows all.")
]
Symbols = Annotated[
    list[str] | None,
    typer.Option(
        "--symbol",
        "--symbols",
        metavar="SYMBOL",
        help="Only these; several by comma or by repeating the option.",
    ),
]
Since = Annotated[
    str | None,
    typer.Option("--since", metavar="DATE", help="From this New York day, or instant, on."),
]
Until = Annotated[
    str | None,
    typer.Option("--until", metavar="DATE", help="Up to and with this New York day, or instant."),
]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="INSTANT", help="Only what was known then."),
]
IntervalName = Annotated[
    str | None,
    typer.Option("--interval", metavar="1m|5m|...|1d", help="Length of the bars."),
]
Source = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="Where the bars came from.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "-p",
        "--param",
        metavar="NAME=VALUE",
        help="A parameter of the strategy, such as drop=0.05 or exits.target=0.1.",
    ),
]
LIMIT = ROWS_SHOWN
