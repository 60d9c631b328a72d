"""The line: no faster than agreed, again after what may pass, and never for ever."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from db.sources.fetching.line import FIRST_WAIT, LONGEST_WAIT, Line
from db.sources.fetching.source import RefusedError, UnavailableError, UnknownSubjectError


@dataclass
class Time:
    """A clock that sleeping alone moves."""

    at: float = 100.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def line(self, pace: float = 1e9, **more: Any) -> Line:
        return Line(pace, sleep=self.sleep, clock=lambda: self.at, **more)


@dataclass
class Server:
    """Answers with each of these in turn: an error is raised, anything else is returned."""

    says: list[Any]
    asked_at: list[float] = field(default_factory=list)
    time: Time = field(default_factory=Time)

    def __call__(self) -> Any:
        self.asked_at.append(self.time.at)
        word = self.says.pop(0)
        if isinstance(word, Exception):
            raise word
        return word


DOWN = UnavailableError("503 Service Unavailable")


def test_an_answer_comes_back_at_once() -> None:
    time = Time()
    assert time.line().call(Server(["all"])) == "all"
    assert time.slept == []


def test_what_fails_for_now_is_asked_again() -> None:
    time = Time()
    line = time.line()
    assert line.call(Server([DOWN, DOWN, "all"], time=time)) == "all"
    assert line.requests == 3
    assert len([wait for wait in time.slept if wait > 0.5]) == 2


def test_waits_double_and_vary() -> None:
    time = Time()
    with pytest.raises(UnavailableError):
        time.line(attempts=9).call(Server([DOWN] * 9, time=time))
    waits = [wait for wait in time.slept if wait > 0.5]
    assert len(waits) == 8, "no wait after the last attempt"
    for number, wait in enumerate(waits):
        plain = min(FIRST_WAIT * 2**number, LONGEST_WAIT)
        assert plain <= wait <= 1.5 * plain
    assert len({wait / int(wait) for wait in waits}) > 1


def test_two_processes_do_not_return_together() -> None:
    def waits(seed: int) -> list[float]:
        time = Time()
        with pytest.raises(UnavailableError):
            time.line(_dice=random.Random(seed)).call(Server([DOWN] * 5, time=time))
        return time.slept

    assert waits(1) != waits(2)


def test_it_gives_up_with_the_last_error() -> None:
    time, errors = Time(), [UnavailableError(f"503, {n}") for n in range(3)]
    line = time.line(attempts=3)
    with pytest.raises(UnavailableError, match="503, 2"):
        line.call(Server([*errors, "never asked"], time=time))
    assert line.requests == 3


@pytest.mark.parametrize(
    "error", [RefusedError("403"), UnknownSubjectError("404"), ValueError("a mistake of ours")]
)
def test_what_will_not_pass_is_not_asked_again(error: Exception) -> None:
    time = Time()
    line = time.line()
    with pytest.raises(type(error)):
        line.call(Server([error, "never asked"], time=time))
    assert (line.requests, time.slept) == (1, [])


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        (30.0, 30.0, 30.0),
        (0.5, 1.0, 1.5),  # our own wait is longer
        (None, 1.0, 1.5),
        (-5.0, 1.0, 1.5),
        (86_400.0, 600.0, 600.0),  # a day is not waited
        (float("inf"), 600.0, 600.0),
        (float("nan"), 1.0, 1.5),
    ],
)
def test_a_server_s_own_wait_counts_where_it_is_longer(
    retry_after: float | None, least: float, most: float
) -> None:
    time = Time()
    error = UnavailableError("429", retry_after=retry_after)
    assert time.line().call(Server([error, "all"], time=time)) == "all"
    assert least <= time.slept[0] <= most


def test_the_person_is_told_of_each_wait_and_of_no_other() -> None:
    told: list[tuple[str, float]] = []
    time = Time()
    line = time.line(attempts=3, on_wait=lambda why, seconds: told.append((why, seconds)))
    line.call(Server(["all"], time=time))
    assert told == []
    with pytest.raises(UnavailableError):
        line.call(Server([DOWN] * 3, time=time))
    assert [why for why, _ in told] == ["503 Service Unavailable"] * 2
    assert [seconds for _, seconds in told] == [wait for wait in time.slept if wait > 0.5]


def test_requests_keep_their_pace() -> None:
    time = Time()
    line, server = time.line(pace=4.0), Server(["all"] * 5, time=time)
    for _ in range(5):
        line.call(server)
    assert server.asked_at == [100.0, 100.25, 100.5, 100.75, 101.0]


def test_time_that_passed_meanwhile_need_not_be_waited_again() -> None:
    time = Time()
    line, server = time.line(pace=4.0), Server(["all"] * 4, time=time)
    line.call(server)
    time.at += 10
    for _ in range(3):
        line.call(server)
    assert server.asked_at == [100.0, 110.0, 110.25, 110.5], "and no burst makes up for it"


def test_a_sleep_that_ends_too_early_does_not_quicken_the_pace() -> None:
    waits: list[float] = []
    line = Line(4.0, sleep=waits.append, clock=lambda: 100.0)
    for _ in range(4):
        line.call(Server(["all"]))
    assert waits == [0.25, 0.5, 0.75]


def test_repeated_requests_keep_the_pace_too() -> None:
    time = Time()
    line = time.line(pace=0.1)
    server = Server([DOWN, "all"], time=time)
    line.call(server)
    assert server.asked_at == [100.0, 110.0]
