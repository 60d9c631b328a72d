"""A web service over the line: what is asked again, what is given up, and how much is borne."""

from __future__ import annotations

import gzip
import itertools
from datetime import UTC, datetime

import pytest

from db.errors import BacktestError, UsageError
from db.sources.fetching.line import ATTEMPTS, Line
from db.sources.fetching.source import (
    RefusedError,
    UnavailableError,
    UnknownSubjectError,
    UnreadableAnswerError,
)
from db.sources.fetching.web import LARGEST, Web, wait_asked
from tests.fakes.faults import FOR_GOOD, Fault
from tests.fakes.server import FakeServer, Request, Response

NOW = datetime(2026, 3, 12, 18, 0, tzinfo=UTC)


class Echo(FakeServer):
    """Answers with what it was asked, or with the ``response`` that is set."""

    response: Response | None = None

    def answer(self, request: Request, fault: Fault | None) -> Response:
        return self.response or Response.json({"path": request.path, "query": dict(request.query)})


def web(**options: object) -> Web:
    line = Line(pace=1e9, sleep=lambda seconds: None, clock=lambda: 0.0)
    return Web(line, **{"title": "Echo", "timeout": 5.0, **options})


def test_an_answer_is_its_json() -> None:
    with Echo() as echo:
        answer = web().get(f"{echo.url}/days", {"from": "2026-01-02"})
    assert answer == {"path": "/days", "query": {"from": "2026-01-02"}}


@pytest.mark.parametrize(
    ("status", "error", "requests"),
    [
        (400, UnreadableAnswerError, 1),
        (401, RefusedError, 1),
        (403, RefusedError, 1),
        (404, UnknownSubjectError, 1),
        (408, UnavailableError, ATTEMPTS),
        (410, UnknownSubjectError, 1),
        (429, UnavailableError, ATTEMPTS),
        (500, UnavailableError, ATTEMPTS),
        (504, UnavailableError, ATTEMPTS),
    ],
)
def test_each_status_has_its_meaning(
    status: int, error: type[BacktestError], requests: int
) -> None:
    with Echo() as echo:
        echo.response = Response.json({"message": "because"}, status=status)
        with pytest.raises(error):
            web().get(echo.url)
        assert len(echo.requests) == requests


def test_a_service_may_say_no_in_its_own_way() -> None:
    def judge(status: int, told: str) -> BacktestError | None:
        return UnknownSubjectError("not listed") if (status, told) == (400, "ticker?") else None

    with Echo() as echo:
        echo.response = Response.json({"error": "ticker?"}, status=400)
        with pytest.raises(UnknownSubjectError, match="not listed"):
            web(judge=judge).get(echo.url)


@pytest.mark.parametrize("body", [b"", b"<html>Log in", b'{"cut": ', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_is_asked_again_and_then_given_up(body: bytes) -> None:
    with Echo() as echo:
        echo.response = Response(body)
        with pytest.raises(UnreadableAnswerError, match="however often"):
            web().get(echo.url)
        assert len(echo.requests) == ATTEMPTS


def test_a_bomb_is_not_unpacked_to_its_end() -> None:
    with Echo() as echo:
        bomb = gzip.compress(b"0" * (LARGEST + (1 << 20)))
        echo.response = Response(bomb, headers={"Content-Encoding": "gzip"})
        with pytest.raises(UnreadableAnswerError, match="more than 64 MB"):
            web().get(echo.url)
        assert len(echo.requests) == 1


def test_a_trickle_is_given_up() -> None:
    ticks = itertools.count(0.0, 60.0)
    line = Line(pace=1e9, sleep=lambda seconds: None, clock=lambda: next(ticks))
    with Echo() as echo, pytest.raises(UnavailableError, match="too slowly"):
        Web(line, title="Echo", timeout=5.0).get(echo.url)


@pytest.mark.parametrize("kind", ["timeout", "reset", "cut"])
def test_a_connection_that_fails_is_made_again(kind: str) -> None:
    with Echo() as echo:
        echo.faults.append(Fault(kind, times=FOR_GOOD, delay=1.0))
        with pytest.raises(UnavailableError):
            web(timeout=0.2).get(echo.url)
        assert len(echo.requests) == ATTEMPTS
        echo.faults.clear()
        assert web().get(echo.url)


def test_what_is_no_address_is_said() -> None:
    with pytest.raises(UsageError, match="no address"):
        web().get("http://[::1")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Thu, 12 Mar 2026 18:01:30 GMT"}, 90.0),
        ({"Retry-After": "Thu, 12 Mar 2026 17:00:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "²"}, None),
        ({"X-RateLimit-Reset": "1773338460", "X-RateLimit-Remaining": "0"}, 60.0),
        ({"X-RateLimit-Reset": "1773338460", "X-RateLimit-Remaining": "9"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_server_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_asked(headers, NOW) == seconds
