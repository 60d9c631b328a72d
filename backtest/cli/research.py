"""``backtest research``: Jupyter in the folder of notebooks, with the store bound."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from backtest.cli import context
from backtest.cli.errors import say
from db.errors import MissingExtraError, UsageError

EXAMPLE = "backtest --store my-store research"


def research(
    folder: Annotated[
        Path, typer.Argument(help="The folder with the notebooks.", show_default=True)
    ] = Path("notebooks"),
) -> None:
    """Open the notebooks in Jupyter, with the store bound.

    In them backtest.open_store() is this store.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise MissingExtraError("jupyterlab", extra="research", needed_for="backtest research")
    if not folder.is_dir():
        raise UsageError(
            "there is no such folder", where=str(folder), hint="backtest research FOLDER"
        )
    environment = dict(os.environ)
    if context.settings.store or "BACKTEST_STORE" in os.environ:
        target = context.settings.store or os.environ["BACKTEST_STORE"]
        # Jupyter runs in the notebooks' folder: a relative path would mean another place there.
        environment["BACKTEST_STORE"] = target if "://" in target else str(Path(target).resolve())
    if context.settings.bars:
        environment["BACKTEST_BARS"] = context.settings.bars
    say(f"starting Jupyter in {folder}; Ctrl-C ends it")
    done = subprocess.run(
        [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}"],
        env=environment,
        check=False,
    )
    raise typer.Exit(done.returncode)
