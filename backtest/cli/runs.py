"""``backtest runs``: the ledger of runs; one of them; what differs between two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtest.cli import context, options
from backtest.cli.tables import Column, form_of, print_json, show

if TYPE_CHECKING:
    from db.store import Store

group = typer.Typer(
    help="List the stored runs, show one, or compare two.",
    epilog="Example: backtest runs --limit 5",
    invoke_without_command=True,
)

TOP = 20
"""Combinations of a stored sweep that are shown, ranked as they were when it ran."""

RunId = Annotated[int, typer.Argument(metavar="ID", help="Its number in backtest runs.")]
LIST = (
    Column("id", "run"),
    Column("created_at", "when", "time"),
    Column("kind"),
    Column("strategy"),
    Column("interval"),
    Column("changed", wide=True),
)


@group.callback()
def runs(
    ctx: typer.Context,
    limit: options.Limit = options.LIMIT,
    as_json: options.Json = False,
    as_csv: options.Csv = False,
) -> None:
    """List the stored runs, newest first."""
    if ctx.invoked_subcommand is not None:
        return
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        frame = store.runs().sort_values("id", ascending=False)
        frame["changed"] = [_changed(params) for params in frame["params"]]
        frame["kind"] = [_kind(found) for found in frame["stats"]]
        show(frame, LIST, form=form, limit=limit, empty="no runs; backtest run STRATEGY makes one")


def _kind(found: Mapping[str, Any] | None) -> str:
    return str((found or {}).get("kind") or "run")


def _changed(params: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in params.items() if value is not None)


@group.command("show", epilog="Example: backtest runs show 1")
def show_one(run: RunId, as_json: options.Json = False) -> None:
    """Show a stored run or sweep: what it found and everything that would repeat it."""
    with context.open_store() as store:
        from backtest.cli.result import as_record, print_result
        from backtest.runs import is_sweep, load_result

        if is_sweep(store, run):
            _show_sweep(store, run, as_json=as_json)
            return
        result = load_result(store, run)
    if as_json:
        print_json(as_record(result))
    else:
        print_result(result)
        print_json(result.record)


def _show_sweep(store: Store, run: int, *, as_json: bool) -> None:
    from backtest.cli import sweep
    from backtest.sweeps.ledger import load_sweep

    found = load_sweep(store, run)
    rank, fewest = str(found.record["rank"]), int(found.record["min_trades"])
    best = found.best(rank, TOP, min_trades=fewest)
    if as_json:
        print_json(sweep.as_record(found, best))
    else:
        sweep.print_sweep(found, best)


@group.command(epilog="Example: backtest runs diff 1 2")
def diff(
    first: RunId, second: RunId, as_json: options.Json = False, as_csv: options.Csv = False
) -> None:
    """Show in what two runs differ: parameters, settings, data, results."""
    form = form_of(as_json=as_json, as_csv=as_csv)
    with context.open_store() as store:
        from backtest.runs import diff_runs, load_result

        frame = diff_runs(load_result(store, first), load_result(store, second))
    columns = (
        Column("part"),
        Column("what"),
        Column("first", str(first)),
        Column("second", str(second)),
    )
    show(frame, columns, form=form, limit=0, empty="the two runs are the same")
