"""What is loaded by the commands that must answer at once."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOADED = """
import json, sys
{statement}
json.dump(sorted({{name.split(".")[0] for name in sys.modules}}), sys.stderr)
"""
COMMAND = """
from backtest.cli import main
sys.argv = ["backtest", *{arguments!r}]
try:
    main()
except SystemExit as end:
    assert end.code in (0, None), end.code
"""
HEAVY = {"numpy", "pandas", "pyarrow", "sqlalchemy", "numba", "scipy", "plotly", "vectorbt"}


def modules_loaded(statement: str, root: Path) -> set[str]:
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(statement=statement)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize(
    "statement", ["import backtest", COMMAND.format(arguments=["--help"])], ids=["import", "help"]
)
def test_nothing_heavy_is_loaded_by(statement: str, root: Path) -> None:
    loaded = modules_loaded(statement, root)
    assert "backtest" in loaded
    assert loaded & HEAVY == set()


def test_events_are_listed_without_vectorbt(tmp_path: Path, root: Path) -> None:
    store = str(tmp_path / "store")
    modules_loaded(COMMAND.format(arguments=["--store", store, "init"]), root)
    loaded = modules_loaded(COMMAND.format(arguments=["--store", store, "events"]), root)
    assert "sqlalchemy" in loaded
    assert loaded & {"vectorbt", "numba", "plotly"} == set()
