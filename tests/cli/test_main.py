"""What holds for every command: exit statuses, errors on screen, options that stand anywhere."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backtest.cli.app import global_first
from tests.cli.conftest import Cli, Process


def test_without_a_command_it_explains_itself(cli: Cli) -> None:
    outcome = cli()
    assert outcome.status == 0
    assert "reactions" in outcome.out


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("reaction", "'reactions'"),
        ("events --symbl AMD", "'--symbol'"),
        ("run gap_reversl", "'gap_reversal'"),
        ("run gap_reversal -p drp=0.1", "'drop'"),
        ("run gap_reversal -p exits.targt=0.1", "'exits.target'"),
        ("strategies gap_revrsal", "'gap_reversal'"),
        ("run gap_reversal --interval 1min", "'1m'"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_nearest_one(
    line: str, nearest: str, tiny_cli: Cli
) -> None:
    outcome = tiny_cli(*line.split())
    assert outcome.status == 2
    assert outcome.out == ""
    assert "did you mean" in outcome.err
    assert nearest in outcome.err


def test_an_error_says_what_where_and_what_to_try_without_a_traceback(cli: Cli) -> None:
    outcome = cli("events")
    assert outcome.status == 1
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert "try: " in outcome.err
    assert "backtest init" in outcome.err
    assert "Traceback" not in outcome.err


def test_debug_shows_where_an_error_arose(process: Process, tmp_path: Path) -> None:
    done = process("--store", tmp_path / "none", "events", "--debug")
    assert done.returncode == 1
    assert b"Traceback" in done.stderr
    assert b"StoreError" in done.stderr


def test_an_error_is_red_where_there_is_colour(process: Process, tmp_path: Path) -> None:
    coloured = process("--store", tmp_path / "none", "events", FORCE_COLOR="1")
    plain = process("--store", tmp_path / "none", "events", FORCE_COLOR="")
    assert b"\x1b[1;31merror" in coloured.stderr
    assert b"\x1b" not in plain.stderr


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("events --store s --json", "--store s events --json"),
        ("events --debug", "--debug events"),
        ("run x --store=s -- --store", "--store=s run x -- --store"),
    ],
)
def test_global_options_may_stand_anywhere(line: str, expected: str) -> None:
    assert global_first(line.split()) == expected.split()


def test_a_global_option_without_its_value_is_wrong_use(cli: Cli) -> None:
    outcome = cli("events", "--store")
    assert outcome.status == 2
    assert "--store needs a value" in outcome.err


def test_the_version_is_the_package_s_own(cli: Cli, root: Path) -> None:
    version = cli("--version").out.split()[1]
    assert f'version = "{version}"' in (root / "pyproject.toml").read_text()


def test_a_reader_that_goes_away_is_no_error(root: Path, tmp_path: Path) -> None:
    """As with ``backtest strategies | head -0``."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "backtest", "strategies", "--csv"],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write)
    assert done.returncode == 141
    assert done.stderr == b""


def test_an_interrupt_ends_with_130_and_no_traceback(root: Path, tmp_path: Path) -> None:
    """While it waits for standard input, so that the signal meets it at work."""
    environment = {**os.environ, "PYTHONPATH": str(root), "BACKTEST_STORE": str(tmp_path / "s")}
    command = [sys.executable, "-m", "backtest"]
    subprocess.run([*command, "init"], env=environment, check=True, capture_output=True)
    script = (
        "import sys, signal\n"
        # Whoever starts the tests in the background may have them ignore it.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from backtest.cli import main\n"
        "class Reader:\n"
        "    def __getattr__(self, name):\n"
        "        signal.raise_signal(signal.SIGINT)\n"
        "        raise AttributeError(name)\n"
        "sys.stdin = Reader()\n"
        "main(['ingest', 'prices', '-', '--interval', '1d', '--symbol', 'AMD'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=False
    )
    assert signal.SIGINT
    assert done.returncode == 130
    assert done.stderr == b"interrupted\n"


def test_what_the_machine_refuses_is_an_error_and_no_traceback(
    tiny_cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    outcome = tiny_cli("init", "--store", tmp_path / "file" / "store")
    assert outcome.status == 1
    assert outcome.err.startswith("error: ")
    assert "Traceback" not in outcome.err
