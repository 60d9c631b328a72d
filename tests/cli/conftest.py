"""The command line as a person calls it, in this process and in one of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from backtest.cli import status_of
from tests.cli import tiny


@dataclass(frozen=True)
class Outcome:
    """What one command left behind."""

    status: int
    out: str
    err: str


Cli = Callable[..., Outcome]
Process = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """``cli("events", "--json")`` on a store of the test's own; no terminal, 80 columns."""
    monkeypatch.setenv("BACKTEST_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        status = status_of([str(argument) for argument in arguments])
        return Outcome(status, *capsys.readouterr())

    return call


@pytest.fixture
def ready(cli: Cli) -> Cli:
    """The same with an empty store already made."""
    assert cli("init").status == 0
    return cli


@pytest.fixture(scope="session")
def process(root: Path) -> Process:
    """``process("events", cwd=folder)``: a command in a process of its own."""

    def call(
        *arguments: str | Path, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "backtest", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(root), **environment},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=120,
        )

    return call


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of `tests.cli.tiny` and a store made of them; for reading alone."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny.write(folder)
    target = ("--store", str(folder / "store"))
    for line in tiny.IMPORTS:
        words = [str(folder / word) if word in tiny.FILES else word for word in line.split()]
        assert status_of([*target, *words]) == 0, line
    return folder


@pytest.fixture
def tiny_cli(cli: Cli, tiny_folder: Path, tmp_path: Path) -> Cli:
    """``cli`` on a copy of the tiny store, free to be written to."""
    shutil.copytree(tiny_folder / "store", tmp_path / "store")
    return cli
