"""``backtest strategies``: which there are, and the parameters of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtest.cli import options
from backtest.cli.tables import Column, Form, form_of, print_json, show
from backtest.cli.words import printable

if TYPE_CHECKING:
    from backtest.strategy import Strategy

EXAMPLE = "backtest strategies gap_reversal"

LIST = (Column("name"), Column("events"), Column("side"), Column("summary", wide=True))
PARAMETERS = (
    Column("name"),
    Column("default"),
    Column("bounds"),
    Column("help", wide=True, wrap=True),
)


def strategies(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Its name, or FILE.py:Class.")
    ] = None,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """List the strategies, or show one with its parameters."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    if name is None:
        _list(form)
        return
    from backtest.registry import find_strategy

    _show(find_strategy(name), form)


def _list(form: Form) -> None:
    import pandas as pd

    from backtest.registry import list_strategies

    rows = [
        {
            "name": found.name,
            "events": str(found.cls.events),
            "side": found.cls.side,
            "summary": _prose(found.summary),
            "origin": found.origin,
        }
        for found in list_strategies()
    ]
    frame = pd.DataFrame(rows, columns=["name", "events", "side", "summary", "origin"])
    show(frame, LIST, form=form, limit=0)


def _show(strategy: Strategy, form: Form) -> None:
    import inspect

    import pandas as pd

    from backtest.strategy import parameter_help

    parameters = parameter_help(strategy)
    if form == "json":
        print_json(
            {
                "class": type(strategy).__name__,
                "events": str(strategy.events),
                "phases": strategy.phases,
                "side": strategy.side,
                "doc": inspect.getdoc(strategy),
                "parameters": parameters,
            }
        )
        return
    if form == "table":
        typer.echo(_prose(inspect.getdoc(strategy) or type(strategy).__name__))
        typer.echo(f"\nStarts at: {strategy.events}. Enters: {', '.join(strategy.phases)}.")
        typer.echo(f"Side: {strategy.side}.\n")
    frame = pd.DataFrame(
        [{**row, "default": _value(row["default"]), "bounds": _bounds(row)} for row in parameters]
    )
    show(frame[["name", "default", "bounds", "help"]], PARAMETERS, form=form, limit=0)


def _prose(doc: str) -> str:
    """A docstring without the marks that only a typesetter reads."""
    return printable(doc.replace("``", ""))


def _value(value: Any) -> str:
    return (
        "none" if value is None else str(value).lower() if isinstance(value, bool) else f"{value}"
    )


def _bounds(row: dict[str, Any]) -> str:
    if row["choices"]:
        return ", ".join(map(str, row["choices"]))
    low, high = row["ge"], row["le"]
    if low is None and high is None:
        return ""
    return f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
