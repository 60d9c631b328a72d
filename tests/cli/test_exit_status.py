"""Every command, in many fresh processes, ends with the status that it should.

Libraries that read the bars have been seen to kill a process at its very end, after its work was
done, in some runs and not in others: one run of a command proves nothing.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import typer

from backtest.cli.app import app
from tests.cli import tiny
from tests.cli.conftest import Process
from tests.fakes.web import Entry, rss

CASES = [
    # command, expected status, runs in `make test`
    ("--help", 0, 25),
    ("--version", 0, 1),
    ("events --symbl AMD", 2, 1),
    ("init", 0, 1),
    ("events", 0, 1),
    ("events --explain 1", 0, 1),
    ("news", 0, 1),
    ("data sources", 0, 25),
    ("data check", 1, 1),
    ("data compact", 0, 1),
    ("data clean --dry-run", 0, 1),
    ("strategies", 0, 1),
    ("strategies gap_reversal", 0, 1),
    ("reactions --interval 1d", 0, 10),
    ("reactions --interval 1m", 0, 1),
    ("study gap_reversal --interval 1d", 0, 1),
    ("study -c drop>=0.05 --interval 1m --estimation -9:-2", 0, 1),
    ("study -c day_close>=0.05 --interval 1d", 2, 1),
    ("run gap_reversal --interval 1d", 0, 1),
    ("run after_hours_reversal --interval 1m", 0, 1),
    ("run after_hours_reversal --interval 1d", 2, 1),
    ("runs", 0, 1),
    ("runs show 1", 0, 1),
    ("runs diff 1 2", 0, 1),
    ("report 1 -o r.html", 0, 1),
    ("ingest prices daily.csv --interval 1d", 0, 1),
    ("ingest prices daily.csv --interval 1d --source again", 0, 1),
    ("ingest prices daily.csv --interval 1d --dry-run", 0, 1),
    ("ingest events events.csv", 0, 1),
    ("ingest actions actions.csv", 0, 1),
    ("ingest news news.csv", 0, 1),
    ("ingest rejects", 0, 1),
    ("ingest article page.txt --published 2026-02-01", 0, 1),
    ("ingest feed feed.rss", 0, 1),
    ("ingest yahoo", 2, 1),
    ("ingest edgar AMD", 2, 1),
    ("ingest alpaca AMD", 2, 1),
    ("update", 0, 1),
    ("data fetches", 0, 1),
    ("data rename NOPE OTHER --on 2019-06-03", 2, 1),
    ("data describe AMD --fiscal-year-end 12", 0, 1),
    ("sweep gap_reversal --interval 1d --source file -p drop=0.05,0.06", 0, 1),
    ("check gap_reversal --interval 1d --source file", 0, 1),
    ("research nowhere", 2, 1),
    ("--store nowhere events", 1, 1),
    ("demo shown", 0, 1),
]


def commands(group: typer.Typer = app, prefix: str = "") -> set[str]:
    """Every command there is, as typed."""
    found = {
        f"{prefix}{(info.name or info.callback.__name__).replace('_', '-')}"
        for info in group.registered_commands
        if info.callback
    }
    for info in group.registered_groups:
        inner: Any = info.typer_instance
        found |= commands(inner, f"{info.name} ")
    return found


def test_every_command_is_among_the_cases() -> None:
    missing = [name for name in commands() if not any(line.startswith(name) for line, *_ in CASES)]
    assert missing == []


@pytest.fixture(scope="module")
def prepared(tiny_folder: Path, process: Process, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files, the store and two runs in it."""
    folder = tmp_path_factory.mktemp("prepared")
    shutil.copytree(tiny_folder / "store", folder / "store")
    tiny.write(folder)
    (folder / "page.txt").write_text("AMD reports.\n\nRevenue was $2 billion.\n")
    (folder / "feed.rss").write_text(rss([Entry("AMD reports", id="1")]))
    for drop in ("0.05", "0.06"):
        line = ("run", "gap_reversal", "--interval", "1d", "-p", f"drop={drop}")
        assert process(*line, cwd=folder).returncode == 0
    return folder


def ends(process: Process, folder: Path, line: str, times: int) -> list[tuple[int, bytes]]:
    done = [process(*line.split(), cwd=folder) for _ in range(times)]
    return [(one.returncode, one.stderr) for one in done]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("line", "status", "times"), CASES, ids=[line for line, *_ in CASES])
def test_a_command_ends_with_its_status(
    line: str, status: int, times: int, prepared: Path, process: Process
) -> None:
    outcomes = ends(process, prepared, line, times)
    assert [code for code, _ in outcomes] == [status] * times, outcomes[0][1].decode()
    assert not any(b"Traceback" in errors for _, errors in outcomes)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("line", "status", "times"), CASES, ids=[line for line, *_ in CASES])
def test_a_command_ends_with_its_status_25_times(
    line: str, status: int, times: int, prepared: Path, process: Process
) -> None:
    more = 25 - times
    assert [code for code, _ in ends(process, prepared, line, more)] == [status] * more
