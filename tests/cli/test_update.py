"""``backtest update``: what was brought once is brought up to date, as it was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.fetch_ledger import Answer, Stream
from db.sources.fetching.source import RefusedError, UnavailableError
from db.store import Store
from tests.cli.conftest import Cli
from tests.cli.plugged import plugged, rows
from tests.db.build import at, event
from tests.db.sources.fetching.scripted import Piece, World, days, midnight, said
from tests.fakes.web import Entry, FakeWeb, rss

WEEK = ("--since", "2024-01-02", "--until", "2024-01-05")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with plugged(monkeypatch) as found:
        yield found


def bring(cli: Cli, *words: str, source: str = "scripted") -> None:
    assert cli("ingest", source, *words, *WEEK).status == 0


def weeks(world: World, *symbols: str) -> None:
    """Two weeks of prices, of which the first is brought by `bring`."""
    for symbol in symbols:
        world.say(
            *("prices", symbol),
            days(symbol, "2024-01-02", "2024-01-05"),
            days(symbol, "2024-01-08", "2024-01-12"),
        )


def test_a_store_that_used_no_source_is_told_how_to(world: World, ready: Cli) -> None:
    outcome = ready("update")
    assert (outcome.status, outcome.out) == (0, "")
    assert "backtest ingest yahoo" in outcome.err
    assert world.asks == []


def test_what_is_missing_up_to_now_is_brought(world: World, ready: Cli) -> None:
    weeks(world, "AMD", "INTC")
    bring(ready, "AMD", "INTC", "--what", "prices")
    world.asks.clear()
    outcome = ready("update", "--json")
    assert outcome.status == 0
    assert rows(outcome)["scripted prices"]["added"] == 10
    assert [ask.subject for ask in world.asks] == ["AMD", "INTC"]
    for ask in world.asks:
        assert ask.since == at("2024-01-06 05:00")
        assert datetime.now(UTC) - ask.until < timedelta(minutes=5)
    assert "scripted: 2 symbols" in outcome.err


def test_each_kind_is_asked_for_as_it_was(world: World, ready: Cli) -> None:
    bring(ready, "AMD", "--what", "prices", "--interval", "1m", "--prepost")
    bring(ready, "INTC", "--what", "events,headlines")
    world.say("events", "INTC", said("2024-01-02", "2024-01-05", event("INTC", "2024-01-25 21:00")))
    bring(ready, "INTC", "--what", "events")
    world.asks.clear()
    assert ready("update").status == 0
    assert "AMD" not in {ask.subject for ask in world.asks}, "it never had an answer"
    assert ready("update", "--refresh").status == 0
    assert {(ask.kind, ask.interval, ask.phases) for ask in world.asks} == {("events", "", ())}


def test_interval_phases_and_options_are_repeated(
    world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    weeks(world, "AMD")
    bring(ready, "AMD", "--what", "prices", "--flavour", "odd", "--deep", "--url", "http://there")
    world.asks.clear()
    assert ready("update").status == 0
    assert world.asks[0].phases == ("regular",)
    assert world.setups[-1].options == {"flavour": "odd", "url": "http://usual", "deep": "true"}
    monkeypatch.setenv("SCRIPTED_URL", "http://mine")
    ready("update")
    assert world.setups[-1].options["url"] == "http://mine"


def test_options_that_differ_are_two_runs_counted_together(world: World, ready: Cli) -> None:
    weeks(world, "AMD", "INTC")
    bring(ready, "AMD", "--what", "prices")
    bring(ready, "INTC", "--what", "prices", "--flavour", "odd")
    outcome = ready("update", "--json")
    assert rows(outcome)["scripted prices"]["added"] == 10
    assert rows(outcome)["scripted prices"]["asked"] == 2


def test_bars_of_all_phases_are_not_asked_for_twice(world: World, ready: Cli) -> None:
    weeks(world, "AMD")
    world.say("prices", "AMD", Piece(midnight("2024-01-13"), midnight("2999-01-01")))
    bring(ready, "AMD", "--what", "prices")
    with_more = Stream("scripted", "prices", "AMD", "1d", ("pre", "regular", "post"), OPTIONS)
    note(ready, with_more)
    world.asks.clear()
    ready("update")
    assert [ask.phases for ask in world.asks] == [("pre", "regular", "post")]


OPTIONS = {"flavour": "plain", "deep": "false"}


def note(cli: Cli, stream: Stream) -> None:
    """What another program, or another version, left in the store's ledger."""
    import os

    with Store.open(os.environ["BACKTEST_STORE"]) as store:
        store.note_fetch(stream, Answer(at("2024-01-02 05:00"), at("2024-01-06 05:00"), "done"))


def test_a_second_update_asks_for_what_is_new_alone(world: World, ready: Cli) -> None:
    world.say("events", "AMD", said("2024-01-02", "2024-01-05", event("AMD", "2024-01-30 21:15")))
    bring(ready, "AMD", "--what", "events")
    world.asks.clear()
    outcome = ready("update", "--json")
    assert rows(outcome)["scripted events"]["fresh"] == 1
    assert world.asks == []
    ready("update", "--refresh")
    assert len(world.asks) == 1


def test_one_source_can_be_named(world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", "hunter2")
    weeks(world, "AMD")
    bring(ready, "AMD", "--what", "prices")
    bring(ready, "AMD", "--what", "prices", source="locked")
    outcome = ready("update", "--source", "locked", "--json")
    assert list(rows(outcome)) == ["locked prices"]
    wrong = ready("update", "--source", "scripte")
    assert wrong.status == 2
    assert "did you mean 'scripted'?" in wrong.err


def test_a_source_without_its_key_does_not_keep_the_others_from_coming(
    world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    weeks(world, "AMD")
    monkeypatch.setenv("SCRIPTED_KEY", "hunter2")
    bring(ready, "AMD", "--what", "prices", source="locked")
    monkeypatch.delenv("SCRIPTED_KEY")
    bring(ready, "AMD", "--what", "prices")
    outcome = ready("update", "--json")
    assert outcome.status == 1
    assert "SCRIPTED_KEY" in outcome.err
    assert list(rows(outcome)) == ["scripted prices"]


def test_a_source_that_this_version_does_not_have_is_said_to_be_left(
    world: World, ready: Cli
) -> None:
    note(ready, Stream("gone", "prices", "AMD", "1d", ("regular",)))
    weeks(world, "AMD")
    bring(ready, "AMD", "--what", "prices")
    outcome = ready("update", "--json")
    assert outcome.status == 1
    assert "no source 'gone'" in outcome.err
    assert rows(outcome)["scripted prices"]["asked"] == 1


def test_what_could_not_be_had_is_a_finding_and_comes_next_time(
    world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["backtest", "update"])
    weeks(world, "AMD", "INTC")
    bring(ready, "AMD", "INTC", "--what", "prices")
    world.script["prices", "AMD"].insert(0, UnavailableError("503"))
    outcome = ready("update", "--json")
    assert outcome.status == 1
    assert "AMD not had: 503" in outcome.err
    assert "to ask again for what is missing: backtest update" in outcome.err
    assert rows(outcome)["scripted prices"]["added"] == 5
    again = ready("update", "--json")
    assert again.status == 0
    assert rows(again)["scripted prices"]["added"] == 5


def test_a_source_that_refuses_ends_its_own_run_alone(
    world: World, ready: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", "hunter2")
    weeks(world, "AMD", "INTC")
    bring(ready, "AMD", "--what", "prices", source="locked")
    bring(ready, "INTC", "--what", "prices")
    world.script["prices", "AMD"].insert(0, RefusedError("403"))
    outcome = ready("update", "--json")
    assert outcome.status == 1
    assert "stopped: 403" in outcome.err
    assert rows(outcome)["scripted prices"]["added"] == 5


def test_without_a_store_there_is_nothing_to_update(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("update")
    assert outcome.status == 1
    assert "backtest init" in outcome.err
    assert not (tmp_path / "store").exists()


def test_a_feed_is_asked_again_at_its_address(ready: Cli) -> None:
    with FakeWeb() as web:
        url = web.at("/markets.rss", rss([Entry("AMD reports", id="1")]))
        assert ready("ingest", "feed", url, "--symbol", "AMD").status == 0
        web.at("/markets.rss", rss([Entry("AMD reports", id="1"), Entry("AMD falls", id="2")]))
        outcome = ready("update", "--json")
        assert outcome.status == 0, outcome.err
        tally = rows(outcome)["feed news"]
    assert (tally["added"], tally["unchanged"]) == (1, 1)
    assert "AMD falls" in ready("news", "--symbol", "AMD").out


def test_a_feed_that_cannot_be_scored_keeps_no_other_source_out(
    world: World, ready: Cli, tmp_path: Path
) -> None:
    weeks(world, "AMD")
    with Store.open(tmp_path / "store") as store:
        options = {"symbols": "", "sentiment": "nowhere:score", "source": ""}
        stream = Stream("feed", "news", "http://127.0.0.1:9/a.rss", options=options)
        now = datetime.now(UTC)
        store.note_fetch(stream, Answer(now, now, "done"))
    bring(ready, "AMD", "--what", "prices")
    outcome = ready("update", "--json")
    assert outcome.status == 1
    assert "nowhere" in outcome.err
    assert rows(outcome)["scripted prices"]["added"] == 5
