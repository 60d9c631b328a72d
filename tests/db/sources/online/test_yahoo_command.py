"""``backtest ingest yahoo`` in a process of its own: faults, secrets of no one, and kills."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db.intervals import Interval
from db.store import Store
from tests.fakes.faults import FOR_GOOD, Fault
from tests.fakes.market import Stock
from tests.fakes.server import Request, Response
from tests.fakes.yahoo import FakeYahoo
from tests.fakes.yahoo_records import news_item, quarterly

TODAY = datetime.now(UTC).date()
SINCE = TODAY - timedelta(days=60)
SYMBOLS = [f"{first}{second}X" for first in "ABCDEFGH" for second in "KLMNO"]


class Patient(FakeYahoo):
    """Lets a test wait until so many more questions have come."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._left = 0
        self._lock = threading.Lock()
        self._reached = threading.Event()

    def expect(self, questions: int) -> None:
        with self._lock:
            self._left = questions
            self._reached.clear()

    def came(self, seconds: float) -> bool:
        return self._reached.wait(seconds)

    def answer(self, request: Request, fault: Fault | None) -> Response:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self._reached.set()
        return super().answer(request, fault)


@pytest.fixture
def fake() -> Iterator[Patient]:
    with Patient([Stock(symbol) for symbol in SYMBOLS]) as server:
        for symbol in SYMBOLS:
            last = TODAY + timedelta(days=90)
            server.releases += quarterly(symbol, TODAY - timedelta(days=400), last, today=TODAY)
            title = f"{symbol} makes news"
            server.news.append(news_item(symbol, 1, title, server.now() - timedelta(hours=3)))
        yield server


@pytest.fixture
def environment(root: Path, tmp_path: Path, fake: Patient) -> dict[str, str]:
    """A home that cannot be written, and Yahoo on this machine."""
    no_folder = tmp_path / "home"
    no_folder.write_text("")
    variables = {
        "PYTHONPATH": str(root),
        "BACKTEST_STORE": str(tmp_path / "store"),
        "BACKTEST_YAHOO_URL": fake.url,
        "HOME": str(no_folder / "nobody"),
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return {**kept, **variables}


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command(environment: dict[str, str], tmp_path: Path) -> Command:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            backtest(*arguments),
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=150,
        )

    run("init")
    return run


def backtest(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "backtest", *arguments]


def tallies(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {row["kind"]: row for row in json.loads(done.stdout)}


def test_everything_of_two_symbols_and_nothing_again(command: Command, fake: Patient) -> None:
    ingest = ("ingest", "yahoo", "AKX", "ALX", "--since", str(SINCE), "--json")

    first = command(*ingest)
    asked = len(fake.requests)
    second = command(*ingest)

    assert first.returncode == 0, first.stderr
    assert {kind: row["added"] > 0 for kind, row in tallies(first).items()} == {
        "prices": True,
        "actions": False,
        "earnings": True,
        "news": True,
    }
    assert second.returncode == 0, second.stderr
    assert {row["added"] for row in tallies(second).values()} == {0}
    assert len(fake.requests) == asked
    for done in (first, second):
        assert "Traceback" not in done.stderr
        assert "Warning" not in done.stderr


def test_a_file_of_symbols_one_of_which_is_unknown(
    command: Command, tmp_path: Path, fake: Patient
) -> None:
    universe = tmp_path / "universe.txt"
    universe.write_text("AKX # first\nNOPE\nALX\n")

    done = command(
        "ingest", "yahoo", "--universe", str(universe), "--what", "prices", "--since", str(SINCE)
    )

    assert done.returncode == 1
    assert "NOPE" in done.stderr
    assert "Traceback" not in done.stderr
    with Store.open(tmp_path / "store") as store:
        assert sorted(store.instruments()["symbol"]) == ["AKX", "ALX"]


def test_a_server_that_stumbles_once_is_asked_again(command: Command, fake: Patient) -> None:
    fake.faults.append(Fault("503", times=2, path="period1"))

    done = command("ingest", "yahoo", "AKX", "--what", "prices", "--since", str(SINCE), "--json")

    assert done.returncode == 0, done.stderr
    assert "503" in done.stderr
    assert tallies(done)["prices"]["added"] > 30


def test_a_refusal_keeps_what_came_and_says_how_to_go_on(
    command: Command, fake: Patient, tmp_path: Path
) -> None:
    ingest = ("ingest", "yahoo", "AKX", "ALX", "AMX", "--what", "prices", "--since", str(SINCE))
    fake.faults.append(Fault("403", times=FOR_GOOD, path="chart/ALX"))

    refused = command(*ingest)

    assert refused.returncode == 1
    assert "To go on: backtest ingest yahoo" in refused.stderr
    with Store.open(tmp_path / "store") as store:
        assert list(store.instruments()["symbol"]) == ["AKX"]
    fake.faults.clear()
    assert command(*ingest).returncode == 0
    with Store.open(tmp_path / "store") as store:
        assert len(store.instruments()) == 3


def test_help_needs_no_yahoo(command: Command, fake: Patient) -> None:
    done = command("ingest", "yahoo", "--help")

    assert done.returncode == 0
    assert "--prepost" in done.stdout
    assert not fake.requests


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(
    command: Command, environment: dict[str, str], fake: Patient, tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    kinds = "prices,actions,earnings"
    ingest = ("ingest", "yahoo", *SYMBOLS, "--since", str(SINCE), "--what", kinds)
    kills = 0
    finished = False
    while kills < 12 and not finished:
        fake.expect(dice.randint(2, 36))
        process = subprocess.Popen(
            backtest(*ingest),
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while process.poll() is None and not fake.came(0.2):
            pass
        try:  # somewhere in the time that a symbol takes: a question, a write, a pause
            process.wait(dice.random())
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        status = process.wait(60)
        assert status in (0, -9)
        finished = status == 0
    assert kills >= 6
    done = command(*ingest, "--json")

    assert done.returncode == 0, done.stderr
    _check_whole(tmp_path / "store", fake)
    # What was stored before a kill is not asked for again: at most the symbol in work is.
    questions = Counter(
        request.path.rpartition("/")[2]
        for request in fake.requests
        if "/chart/" in request.path and "period1" in request.query
    )
    assert sum(questions.values()) <= len(SYMBOLS) + kills
    again = command(*ingest, "--json")
    assert {row["added"] for row in tallies(again).values()} == {0}


def _check_whole(place: Path, fake: FakeYahoo) -> None:
    """Each bar and each release that there was is in the store, once, and none besides."""
    with Store.open(place) as store:
        assert sorted(store.instruments()["symbol"]) == sorted(SYMBOLS)
        owner = store.instruments().set_index("instrument_id")["symbol"]
        bars = store.bars("1d")
        stored = Counter(
            (owner[instrument], start, close)
            for instrument, start, close in zip(
                bars.instrument.tolist(), bars.start.tolist(), bars.close.tolist(), strict=True
            )
        )
        newest = max(start for _, start, _ in stored)
        since = datetime.combine(SINCE, datetime.min.time(), UTC) + timedelta(hours=12)
        until = datetime.fromtimestamp(newest / 1e6, UTC) + timedelta(seconds=1)
        expected = Counter(
            (symbol, int(bar.start.timestamp() * 1e6), bar.close)
            for symbol, stock in fake.stocks.items()
            for bar in stock.bars(Interval.D1, since, until)
        )
        assert stored == expected
        events = store.events()
        assert Counter(events["symbol"]) == Counter(one.symbol for one in fake.releases)
        said = store.revisions()[["event_id", "source", "announced_from"]]
        assert not said.duplicated().any()
        assert set(said["source"]) == {"yahoo-calendar", "yahoo-page"}
