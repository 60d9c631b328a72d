"""``backtest ingest SOURCE``: what is typed becomes requests, what came is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.batches import Reject
from db.sources.fetching.source import (
    RefusedError,
    UnavailableError,
    UnknownSubjectError,
    UnreadableAnswerError,
)
from tests.cli.conftest import Cli
from tests.cli.plugged import plugged, rows
from tests.db.build import event
from tests.db.sources.fetching.scripted import World, days, nothing, said

JANUARY = ("--since", "2024-01-02", "--until", "2024-01-05")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with plugged(monkeypatch) as found:
        yield found


def prices(world: World, *symbols: str) -> None:
    for symbol in symbols:
        world.say("prices", symbol, days(symbol, "2024-01-02", "2024-01-05"))


def test_prices_are_brought_once(world: World, ready: Cli) -> None:
    prices(world, "AMD")
    line = ("ingest", "scripted", "AMD", "--what", "prices", *JANUARY)
    first, again = ready(*line, "--json"), ready(*line)
    assert (first.status, first.err) == (0, "")
    assert rows(first)["prices"] == {
        "kind": "prices",
        "asked": 1,
        "fresh": 0,
        "empty": 0,
        "added": 4,
        "revised": 0,
        "unchanged": 0,
        "rejected": 0,
    }
    assert again.status == 0
    assert "had already" in again.out
    assert world.asked() == ["AMD prices 2024-01-02..2024-01-06"]
    assert "scripted-bars" in ready("data", "sources").out


def test_the_last_day_is_asked_for_whole_and_days_are_new_york_s(world: World, ready: Cli) -> None:
    prices(world, "AMD")
    ready("ingest", "scripted", "AMD", "--what", "prices", *JANUARY)
    (ask,) = world.asks
    assert ask.since == datetime(2024, 1, 2, 5, tzinfo=UTC)
    assert ask.until == datetime(2024, 1, 6, 5, tzinfo=UTC)


def test_without_a_beginning_a_source_s_own_history_is_asked_for(world: World, ready: Cli) -> None:
    ready("ingest", "scripted", "AMD", "--what", "prices")
    (ask,) = world.asks
    assert timedelta(days=29, hours=23) < ask.until - ask.since <= timedelta(days=31, minutes=5)
    assert datetime.now(UTC) - ask.until < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("2024-01-03T12:00-05:00", "2024-01-04T12:00-05:00"),
        ("2024-01-03T05:01Z", "2024-01-05T04:59Z"),
        ("2024-01-03", "2024-01-04"),
    ],
)
def test_a_range_that_begins_or_ends_in_a_day_is_one_of_whole_days(
    world: World, ready: Cli, since: str, until: str
) -> None:
    """Else the bar that it cuts in two lies in no request, then or ever after."""
    pieces = [("02", "02"), ("03", "04"), ("05", "05")]
    for first, last in pieces:
        world.say("prices", "AMD", days("AMD", f"2024-01-{first}", f"2024-01-{last}"))
    line = ("ingest", "scripted", "AMD", "--what", "prices")
    assert ready(*line, "--since", since, "--until", until).status == 0
    assert world.asked() == ["AMD prices 2024-01-03..2024-01-05"]
    assert ready(*line, *JANUARY).status == 0
    assert world.asked() == [
        "AMD prices 2024-01-02..2024-01-03",
        "AMD prices 2024-01-05..2024-01-06",
    ]


def test_usual_kinds_are_asked_for_unless_named(world: World, ready: Cli) -> None:
    ready("ingest", "scripted", "AMD", *JANUARY)
    assert [ask.kind for ask in world.asks] == ["prices", "events"]
    world.asks.clear()
    ready("ingest", "scripted", "AMD", *JANUARY, "--what", " headlines, prices ,headlines")
    assert [ask.kind for ask in world.asks] == ["headlines", "prices"]


def test_interval_and_phases_are_for_prices_alone(world: World, ready: Cli) -> None:
    ready("ingest", "scripted", "AMD", *JANUARY, "--interval", "1m", "--prepost")
    assert [(ask.interval, ask.phases) for ask in world.asks] == [
        ("1m", ("pre", "regular", "post")),
        ("", ()),
    ]
    world.asks.clear()
    ready("ingest", "scripted", "INTC", *JANUARY)
    assert (world.asks[0].interval, world.asks[0].phases) == ("1d", ("regular",))


def test_symbols_are_put_in_capitals_and_taken_once(world: World, ready: Cli) -> None:
    what = ("--what", "prices", *JANUARY)
    ready("ingest", "scripted", "amd,intc", "AMD", " nvda ", *what)
    assert [ask.subject for ask in world.asks] == ["AMD", "INTC", "NVDA"]


def test_a_universe_is_a_file_with_a_symbol_a_line(
    world: World, ready: Cli, tmp_path: Path
) -> None:
    """As Windows writes it: with a mark at its beginning and two characters at each line's end."""
    file = tmp_path / "universe.txt"
    file.write_bytes(b"\xef\xbb\xbfamd\r\n# chips\r\n\r\nINTC  # blue\r\n  nvda,\r\nAMD\r\nBRK.B")
    outcome = ready(
        *("ingest", "scripted", "META", "--universe", file, "--what", "prices", *JANUARY)
    )
    assert [ask.subject for ask in world.asks] == ["META", "AMD", "INTC", "NVDA", "BRK.B"]
    assert outcome.status == 0


@pytest.mark.parametrize("line", ["AMD INTC", "AMD,INTC", "AMD;Advanced Micro", "A" * 21])
def test_a_line_that_is_no_symbol_is_refused_with_its_number(
    world: World, ready: Cli, tmp_path: Path, line: str
) -> None:
    file = tmp_path / "universe.txt"
    file.write_text(f"META\n\n{line}\n")
    outcome = ready("ingest", "scripted", "--universe", file)
    assert outcome.status == 1
    assert "universe.txt, line 3" in outcome.err
    assert world.asks == []


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00A"])
def test_a_universe_that_cannot_be_read_is_an_error(
    world: World, ready: Cli, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "universe.txt"
    if content is not None:
        file.write_bytes(content)
    outcome = ready("ingest", "scripted", "--universe", file)
    assert (outcome.status, outcome.out) == (1, "")
    assert "cannot be read" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no symbols"),
        ((" , ",), "no symbols"),
        (("AMD", "--what", "price"), "did you mean 'prices'?"),
        (("AMD", "--what", ","), "--what names nothing"),
        (("AMD", "--interval", "hourly"), "known intervals: 1d, 1m"),
        (("AMD", "--interval", "1md"), "did you mean"),
        (("AMD", "--prepost"), "--interval 1m --prepost"),
        (("AMD", "--flavour", "plane"), "did you mean 'plain'?"),
        (("AMD", "--since", "2024-01-05", "--until", "2024-01-02"), "is not after --since"),
        (("AMD", "--since", "2999-01-01"), "--since"),
        (("AMD", "--since", "yesterday"), "--since takes a date"),
        (("AMD", "--until", "2024-01-02T10:00"), "has no offset"),
        (("AMD", "--flavor", "odd"), "--flavour"),
        (("AMD", "--json", "--csv"), "exclude each other"),
    ],
)
def test_wrong_use_is_status_2_with_what_to_try(
    world: World, ready: Cli, words: tuple[str, ...], said: str
) -> None:
    outcome = ready("ingest", "scripted", *words)
    assert (outcome.status, outcome.out) == (2, "")
    assert said in outcome.err
    assert "try:" in outcome.err or "is not after" in outcome.err
    assert world.asks == []


def test_an_unknown_source_is_answered_with_the_nearest(world: World, ready: Cli) -> None:
    outcome = ready("ingest", "scriptd", "AMD")
    assert outcome.status == 2
    assert "'scripted'" in outcome.err


def test_options_come_from_the_line_else_the_environment_else_the_source(
    world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(*words: str) -> dict[str, str]:
        assert ready("ingest", "scripted", "AMD", "--refresh", *JANUARY, *words).status == 0
        return dict(world.setups[-1].options)

    assert chosen() == {"flavour": "plain", "url": "http://usual", "deep": "false"}
    assert chosen("--flavour", "odd", "--deep")["deep"] == "true"
    monkeypatch.setenv("SCRIPTED_URL", "http://mine")
    assert chosen()["url"] == "http://mine"
    assert chosen("--url", "http://given")["url"] == "http://given"


def test_help_tells_what_a_source_declares(world: World, ready: Cli) -> None:
    listed = ready("ingest", "--help").out
    assert "scripted" in listed
    shown = " ".join(ready("ingest", "scripted", "--help").out.split())
    assert "Bring what a test has written down." in shown
    assert "prices: daily bars; events: releases; headlines: titles" in shown
    assert "1d|1m" in shown
    assert "plain|odd" in shown
    assert "Default: $SCRIPTED_URL" in shown
    assert "http://usual" in shown
    assert shown.endswith("Example: backtest ingest scripted AMD --since 2024-01-02")


def test_a_key_that_is_missing_is_named_and_one_that_is_there_is_not_shown(
    world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without = ready("ingest", "locked", "AMD", *JANUARY)
    assert without.status == 2
    assert "SCRIPTED_KEY" in without.err
    monkeypatch.setenv("SCRIPTED_KEY", "hunter2-is-my-key")
    prices(world, "AMD")
    world.say("events", "AMD", RefusedError("403"))
    outcome = ready("ingest", "locked", "AMD", *JANUARY, "--json")
    assert world.setups[-1].keys == {"secret": "hunter2-is-my-key"}
    assert "hunter2" not in outcome.out + outcome.err
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert files
    assert not any(b"hunter2" in path.read_bytes() for path in files)


def test_a_symbol_that_the_source_does_not_know_is_a_finding(world: World, ready: Cli) -> None:
    prices(world, "AMD")
    world.say("prices", "AMDD", UnknownSubjectError("no such symbol"))
    outcome = ready("ingest", "scripted", "AMDD", "AMD", "--what", "prices", *JANUARY, "--json")
    assert outcome.status == 1
    assert rows(outcome)["prices"]["added"] == 4
    assert "AMDD not known: no such symbol" in outcome.err
    assert "to ask again" not in outcome.err


@pytest.mark.parametrize("error", [UnavailableError("503"), UnreadableAnswerError("no column")])
def test_what_could_not_be_had_is_a_finding_and_how_to_go_on_is_said(
    world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    line = ["ingest", "scripted", "AMD", "--what", "prices", *JANUARY, "--flavour", "odd"]
    monkeypatch.setattr("sys.argv", ["/usr/bin/backtest", *line])
    world.say("prices", "AMD", error, days("AMD", "2024-01-02", "2024-01-05"))
    outcome = ready(*line)
    assert outcome.status == 1
    assert "AMD not had" in outcome.err
    assert f"to ask again for what is missing: backtest {' '.join(line)}" in outcome.err
    assert ready(*line).status == 0


def test_a_refusal_stops_and_says_that_what_came_is_stored(world: World, ready: Cli) -> None:
    prices(world, "AMD")
    world.say("prices", "INTC", RefusedError("the key was refused"))
    outcome = ready(
        *("ingest", "scripted", "AMD", "INTC", "META", "--what", "prices", *JANUARY, "--json")
    )
    assert outcome.status == 1
    assert rows(outcome)["prices"]["added"] == 4
    assert "stopped: the key was refused. What came is stored. To go on: " in outcome.err
    assert "META" not in [ask.subject for ask in world.asks]
    assert "to ask again" not in outcome.err


def test_ctrl_c_keeps_what_came_and_says_how_to_go_on(
    world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ["ingest", "scripted", "AMD", "INTC", "--what", "prices", *JANUARY]
    monkeypatch.setattr("sys.argv", ["backtest", *line])
    prices(world, "AMD")
    world.say("prices", "INTC", KeyboardInterrupt())
    outcome = ready(*line)
    assert outcome.status == 130
    assert f"stopped; what came is stored. To go on: backtest {' '.join(line)}" in outcome.err
    prices(world, "INTC")
    world.asked()
    assert ready(*line).status == 0
    assert [words[:4] for words in world.asked()] == ["INTC"]


def test_many_unknown_symbols_are_counted(world: World, ready: Cli) -> None:
    names = [f"S{n}" for n in range(13)]
    for name in names:
        world.say("prices", name, UnknownSubjectError("no such symbol"))
    outcome = ready("ingest", "scripted", *names, "--what", "prices", *JANUARY)
    assert outcome.err.count("not known: no such symbol") == 10
    assert "and 3 more symbols not known" in outcome.err


def test_hostile_text_of_a_source_does_not_reach_the_terminal(world: World, ready: Cli) -> None:
    nasty = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe [red]x[/red]"
    piece = days("AMD", "2024-01-02", "2024-01-05", notes=[nasty])
    world.say("prices", "AMD", piece)
    world.say("prices", "INTC", UnavailableError(nasty))
    world.say("prices", "META", RefusedError(nasty))
    outcome = ready("ingest", "scripted", "AMD", "INTC", "META", "--what", "prices", *JANUARY)
    assert outcome.err.count("gnp.exe [red]x[/red]") == 4
    assert not set(outcome.err) & {"\x1b", "\x07", "\u202e"}
    listed = ready("data", "fetches").out
    assert not set(listed) & {"\x1b", "\x07", "\u202e"}


def test_rejected_rows_are_counted_and_where_to_see_them_is_said(world: World, ready: Cli) -> None:
    bad = Reject("scripted AMD", 3, "open", "x", "not a number")
    world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-05", rejects=[bad]))
    outcome = ready("ingest", "scripted", "AMD", "--what", "prices", *JANUARY, "--json")
    assert (outcome.status, rows(outcome)["prices"]["rejected"]) == (0, 1)
    assert "backtest ingest rejects" in outcome.err
    assert "not a number" in ready("ingest", "rejects").out


def test_notes_of_a_source_are_said_beside_the_data(world: World, ready: Cli) -> None:
    world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-05", notes=["cut at 30 days"]))
    outcome = ready("ingest", "scripted", "AMD", "--what", "prices", *JANUARY, "--json")
    assert outcome.err == "cut at 30 days\n"
    assert rows(outcome)


def test_an_empty_answer_is_told_apart_from_none(world: World, ready: Cli) -> None:
    world.say("prices", "AMD", nothing("2024-01-02", "2024-01-05"))
    outcome = ready("ingest", "scripted", "AMD", "--what", "prices", *JANUARY, "--json")
    assert (outcome.status, rows(outcome)["prices"]["empty"]) == (0, 1)


def test_refresh_asks_again(world: World, ready: Cli) -> None:
    prices(world, "AMD")
    line = ("ingest", "scripted", "AMD", "--what", "prices", *JANUARY, "--json")
    ready(*line)
    assert rows(ready(*line, "--refresh"))["prices"]["unchanged"] == 4
    assert len(world.asked()) == 2


def test_csv_is_whole(world: World, ready: Cli) -> None:
    told = event("AMD", "2024-01-30 21:15", eps_estimate=0.77)
    world.say("events", "AMD", said("2024-01-02", "2024-01-05", told))
    out = ready("ingest", "scripted", "AMD", "--what", "events", *JANUARY, "--csv").out
    assert out.splitlines() == [
        "kind,asked,fresh,empty,added,revised,unchanged,rejected",
        "events,1,0,0,1,0,0,0",
    ]


def test_without_a_store_nothing_is_asked(world: World, cli: Cli) -> None:
    outcome = cli("ingest", "scripted", "AMD", *JANUARY)
    assert outcome.status == 1
    assert "backtest init" in outcome.err
    assert world.asks == []
