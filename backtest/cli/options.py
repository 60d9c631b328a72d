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
Cash = Annotated[float, typer.Option(help="Starting cash.")]
Slots = Annotated[int, typer.Option(help="Positions held at one time.")]
Seed = Annotated[int, typer.Option(help="Decides among equally good candidates of one instant.")]
Commission = Annotated[
    float | None, typer.Option(help="Fraction of the notional, a side. [default: 0.0001]")
]
HalfSpread = Annotated[
    float | None,
    typer.Option(help="Fraction of the price, times 4 in extended hours. [default: 0.0005]"),
]
Slippage = Annotated[
    float | None, typer.Option(help="Fraction of the price, a side. [default: 0.0002]")
]
MinPrice = Annotated[float | None, typer.Option(help="Least reference close, as traded.")]
MinDollarVolume = Annotated[
    float | None, typer.Option(help="Least mean dollar volume of the 20 days before.")
]
StrictAsOf = Annotated[
    bool,
    typer.Option("--strict-as-of", help="Use only what is proven to have been known then."),
]
LIMIT = ROWS_SHOWN
