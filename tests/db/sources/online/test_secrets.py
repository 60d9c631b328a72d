"""Keys reach neither the store nor the log, neither a report nor an error, whole or in part."""

from __future__ import annotations

import logging
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from backtest.cli import status_of
from db.errors import BacktestError, UsageError
from db.sources.fetching.line import Line
from db.sources.fetching.registry import kept, make, sources
from db.sources.fetching.source import Ask, RefusedError, UnreadableAnswerError
from db.sources.fetching.web import Web, hide
from db.store import Store
from tests.db.sources.online.alpaca_run import AlpacaRun, day, utc
from tests.fakes.alpaca import ENVIRONMENT, KEY_ID, SECRET, FakeAlpaca, news_item
from tests.fakes.faults import FOR_GOOD, Fault
from tests.fakes.market import Stock
from tests.fakes.server import FakeServer, Request, Response

KEYS = (KEY_ID, SECRET)
STRETCH = 6
"""So many characters of a key in a row would be too many."""


def leaks(text: str) -> list[str]:
    """Stretches of a key that a text holds."""
    lower = text.lower()
    pieces = [key[at : at + STRETCH] for key in KEYS for at in range(len(key) - STRETCH + 1)]
    return [piece for piece in pieces if piece.lower() in lower]


def everything_in(folder: Path) -> str:
    """All that a store's folder says: its names, its bytes, and the cells behind compression."""
    parts: list[str] = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        parts += [str(file.relative_to(folder)), file.read_bytes().decode("latin-1")]
        if file.suffix == ".parquet":
            table = pq.ParquetFile(file).read()
            parts += [str(table.to_pylist()), str(table.schema.metadata)]
        elif file.suffix == ".db":
            with closing(sqlite3.connect(file)) as database:
                parts += list(database.iterdump())
    return "\n".join(parts)


@pytest.fixture
def fake() -> Iterator[FakeAlpaca]:
    with FakeAlpaca([Stock("META", dividends=[(day("2026-01-06").date(), 0.5)])]) as server:
        server.news = [news_item(1, ["META"], "Meta rose", utc("2026-01-05 12:00"))]
        yield server


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that any library logs."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.parametrize(
    ("fault", "status"),
    [("", 0), ("echo", 1), ("echo-data", 1), ("columns", 1), ("401", 1), ("404", 1)],
)
def test_a_run_of_the_command_leaves_no_key_anywhere(
    fake: FakeAlpaca,
    fault: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    log: pytest.LogCaptureFixture,
) -> None:
    folder = tmp_path / "store"
    for name, value in {**ENVIRONMENT, "APCA_API_DATA_URL": fake.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("BACKTEST_STORE", str(folder))
    assert status_of(["init"]) == 0
    if fault:
        fake.faults.append(Fault(fault, times=FOR_GOOD))
    ingest = ["ingest", "alpaca", "META", "--since", "2026-01-05", "--until", "2026-01-07"]
    assert status_of([*ingest, "--interval", "1h", "--prepost"]) == status
    for listing in (["data", "fetches"], ["ingest", "rejects"], ["data", "check"]):
        status_of(listing)
    said = capsys.readouterr()
    assert fake.requests, "the fake was asked, so the keys were sent"
    assert "/v2/stocks/bars" in log.text, "the libraries' own log is among what is searched"
    stored = everything_in(folder)
    assert "alpaca" in stored
    assert leaks(said.out + said.err) == []
    assert leaks(log.text) == []
    assert leaks(stored) == []


@pytest.mark.parametrize("fault", ["429", "500", "timeout", "cut", "reset", "malformed", "html"])
def test_no_wait_and_no_failure_says_a_key(
    fake: FakeAlpaca, fault: str, fresh_store: Store, log: pytest.LogCaptureFixture
) -> None:
    run = AlpacaRun(fake, fresh_store, options={"timeout": "0.2"})
    source = run.source()
    waits: list[str] = []
    source.setup.line.on_wait = lambda why, seconds: waits.append(why)
    fake.faults.append(Fault(fault, times=FOR_GOOD, delay=1.0))
    ask = Ask("prices", "META", day("2026-01-05"), day("2026-01-06"), "1m", ("regular",))
    with pytest.raises(BacktestError) as caught:
        list(source.fetch(ask))
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + "".join(waits)
    assert waits
    assert leaks(told + log.text) == []


class _Parrot(FakeServer):
    """Says in its refusals what it was sent."""

    def __init__(self, status: int, *, elsewhere: str = "") -> None:
        super().__init__()
        self.status, self.elsewhere = status, elsewhere

    def answer(self, request: Request, fault: Fault | None) -> Response:
        words = {"message": f"bad key {KEY_ID} / {SECRET[:-9]} / {SECRET.upper()}"}
        refusal = Response.json(words, status=self.status)
        if self.elsewhere:
            return Response(refusal.body, self.status, {"Location": self.elsewhere})
        return refusal


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 503])
def test_a_refusal_that_repeats_the_keys_is_told_without_them(status: int) -> None:
    line = Line(pace=1e9, sleep=lambda seconds: None)
    with _Parrot(status) as parrot:
        web = Web(line, title="Parrot", keys=KEYS, timeout=5.0)
        with pytest.raises(BacktestError) as caught:
            web.get(f"{parrot.url}/{SECRET[:12]}", headers={"X-Key": SECRET})
    error: BaseException | None = caught.value
    assert leaks("".join(traceback.format_exception(caught.value))) == []
    while error is not None:  # nor does anything hang on to it
        assert leaks(f"{error!r} {vars(error)}") == []
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_keys_do_not_follow_a_redirect(status: int) -> None:
    line = Line(pace=1e9, sleep=lambda seconds: None)
    with _Parrot(200) as other, _Parrot(status, elsewhere=other.url) as parrot:
        web = Web(line, title="Parrot", keys=KEYS, timeout=5.0)
        with pytest.raises(UnreadableAnswerError):
            web.get(parrot.url, headers={"X-Key": SECRET})
        assert other.requests == []


def test_an_answer_that_holds_a_key_is_not_read() -> None:
    line = Line(pace=1e9, sleep=lambda seconds: None)
    with _Parrot(200) as parrot:
        web = Web(line, title="Parrot", keys=KEYS, timeout=5.0)
        with pytest.raises(UnreadableAnswerError, match="sent a key back"):
            web.get(parrot.url)


@pytest.mark.parametrize("url", ["http://data.example", "ftp://data.example", "data.example", ""])
def test_keys_are_sent_to_nothing_but_https_and_this_machine(url: str) -> None:
    web = Web(Line(pace=1e9), title="Parrot", keys=KEYS, timeout=5.0)
    with pytest.raises(UsageError) as caught:
        web.get(url)
    assert leaks(str(caught.value)) == []


def test_a_password_in_the_address_is_not_shown(fake: FakeAlpaca, fresh_store: Store) -> None:
    address = fake.url.replace("127.0.0.1", "someone:hunter2hunter2@127.0.0.1")
    run = AlpacaRun(fake, fresh_store, options={"url": address})
    fake.faults.append(Fault("404", times=FOR_GOOD))
    outcome = run.prices("META", "2026-01-05", "2026-01-06")
    assert "hunter2" not in str(outcome)
    with pytest.raises(BacktestError) as caught:
        list(run.source().fetch(Ask("news", "META", day("2026-01-05"), day("2026-01-06"))))
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_no_source_shows_or_keeps_what_it_was_made_with() -> None:
    keyed = [kind for kind in sources().values() if kind.keys]
    assert keyed, "there are sources with keys"
    for kind in keyed:
        environment = {name: SECRET for key in kind.keys for name in key.env}
        required = {option.name: "x" for option in kind.options if option.required}
        source = make(
            kind, options=required, environment=environment, now=lambda: datetime.now(UTC)
        )
        assert leaks(f"{source!r} {source.setup!r} {kept(source)}") == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"key {SECRET} is bad", "key [key] is bad"),
        (f"{SECRET[:8]}...", "[key]..."),
        (f"...{SECRET[-7:].upper()}", "...[key]"),
        (SECRET * 2, "[key]"),
        ("nothing of it", "nothing of it"),
        (SECRET[:5], SECRET[:5]),
        ("", ""),
    ],
)
def test_stretches_of_a_key_are_hidden(text: str, shown: str) -> None:
    assert hide(text, KEYS) == shown


def test_wrong_keys_are_not_shown_either(fake: FakeAlpaca, fresh_store: Store) -> None:
    run = AlpacaRun(fake, fresh_store)
    run.environment["APCA_API_SECRET_KEY"] = "anotherSecretOfNobody0123"
    stopped = run.prices("META", "2026-01-05", "2026-01-06").stopped
    assert isinstance(stopped, RefusedError)
    assert "anotherSecret" not in "".join(traceback.format_exception(stopped))
