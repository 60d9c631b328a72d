"""Every command explains itself, and its help ends in a line that runs."""

import resource
import shlex
import shutil
from contextlib import nullcontext
from pathlib import Path

import pytest

from db.store import Store
from tests.cli import tiny
from tests.cli.conftest import Cli, Process
from tests.cli.test_exit_status import commands
from tests.fakes.services import services
from tests.fakes.web import ARTICLE_EN, Entry, article, rss

SEEN_ELSEWHERE = {
    "demo": "test_exit_status runs it; it takes seconds",
    "research": "test_research runs it against a stand-in: Jupyter would wait for its user",
}
EXAMPLE_FILES = {
    "AMD.csv": "date,open,high,low,close,volume\n2019-01-02,10,11,9,10,1000\n",
    "earnings.csv": tiny.EVENTS,
    "splits.csv": tiny.ACTIONS,
    "headlines.csv": tiny.NEWS,
    "meta.html": article("Meta beats", ARTICLE_EN),
    "markets.rss": rss([Entry("Meta beats expectations", id="1")]),
}
KNOWN = {"data rename": ("FB",), "data describe": ("AAPL",)}
"""Instruments that an example names and the small store does not have."""


def example_of(cli: Cli, command: str) -> list[str]:
    lines = cli(*command.split(), "--help").out.strip().splitlines()
    label, _, line = lines[-1].strip().partition(": ")
    assert label == "Example", lines[-1]
    words = shlex.split(line)
    assert words[0] == "backtest"
    return words[1:]


@pytest.mark.parametrize("command", sorted(commands()))
def test_help_fits_the_screen_and_explains_every_option(command: str, cli: Cli) -> None:
    outcome = cli(*command.split(), "--help")
    assert outcome.status == 0
    assert max(map(len, outcome.out.splitlines())) <= 80
    options = [line for line in outcome.out.splitlines() if line.startswith("  -")]
    assert all(len(line.split("  ")) > 2 for line in options if len(line) < 30)


@pytest.mark.parametrize("command", sorted(commands() - SEEN_ELSEWHERE.keys()))
def test_the_example_at_the_end_of_the_help_runs(
    command: str, tiny_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for symbol in KNOWN.get(command, ()):
        with Store.open(tmp_path / "store") as store:
            store.add_instrument(symbol)
    for name, text in EXAMPLE_FILES.items():
        (tmp_path / name).write_text(text)
    for drop in ("0.05", "0.06"):
        if command.startswith(("runs", "report")):
            tiny_cli("run", "gap_reversal", "--interval", "1d", "-p", f"drop={drop}")
    if command == "run":
        # One interval alone in the store need not be named.
        shutil.rmtree(tmp_path / "store")
        tiny.write(tmp_path)
        tiny_cli("init")
        tiny_cli("ingest", "prices", "daily.csv", "--interval", "1d")
        tiny_cli("ingest", "events", "events.csv")
    example = example_of(tiny_cli, command)
    with services() if command.startswith("ingest ") else nullcontext({}) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        outcome = tiny_cli(*example)
    assert outcome.status == 0, outcome.err


def test_help_answers_at_once(process: Process) -> None:
    """Under the 0.3 s that a person notices, in processor time: the machine may be busy."""
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < 0.3
