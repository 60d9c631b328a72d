from pathlib import Path

import pytest

from tests.cli.conftest import Cli


def test_a_folder_that_is_not_there_is_wrong_use(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("research", tmp_path / "none")
    assert outcome.status == 2
    assert "none" in outcome.err


def test_without_jupyter_it_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    outcome = cli("research", tmp_path)
    assert outcome.status == 2
    assert 'pip install "aftershock[research]"' in outcome.err


def test_jupyter_gets_the_store_by_its_full_path(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The program that would be Jupyter is one that prints what it was given."""
    seen = tmp_path / "seen"
    script = tmp_path / "jupyter"
    script.write_text(f'#!/bin/sh\necho "$BACKTEST_STORE $*" > {seen}\n')
    script.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(script))
    monkeypatch.chdir(tmp_path)
    assert cli("research", tmp_path, "--store", "mine").status == 0
    store, *arguments = seen.read_text().split()
    assert store == str(tmp_path / "mine")
    assert arguments == ["-m", "jupyterlab", f"--notebook-dir={tmp_path}"]
