"""The run loop: what is missing is asked for, what came is kept, whatever happens."""

from __future__ import annotations

import shutil
import signal
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db.batches import Reject
from db.fetch_ledger import Stream
from db.sources.fetching.run import PATIENCE, Bringing, Outcome, Tally
from db.sources.fetching.source import (
    Ask,
    Reach,
    RefusedError,
    UnavailableError,
    UnknownSubjectError,
    UnreadableAnswerError,
)
from db.store import Store
from tests.db.build import event, news
from tests.db.conftest import Place
from tests.db.processes import start
from tests.db.sources.fetching import crashing
from tests.db.sources.fetching.scripted import (
    Scripted,
    World,
    days,
    midnight,
    nothing,
    said,
    scripted,
)

NOW = datetime(2024, 2, 1, 17, 0, tzinfo=UTC)
DOWN = UnavailableError("503")


@dataclass
class Bench:
    """A store, a script, a clock, and what was said while things were brought."""

    store: Store
    world: World
    now: datetime = NOW
    notes: list[str] = field(default_factory=list)
    done: list[Ask] = field(default_factory=list)

    def clock(self) -> datetime:
        return self.now

    def bring(self, *asks: Ask, **more: Any) -> Outcome:
        return self.work(**more).run(asks)

    def work(self, **more: Any) -> Bringing:
        source = scripted(self.clock)
        more = {"say": self.notes.append, "progress": self.done.append, **more}
        return Bringing(self.store, source, self.clock, **more)

    def closes(self) -> dict[str, float]:
        """Close by date, of all instruments."""
        if self.store.bar_sources().empty:
            return {}
        bars = self.store.bars("1d")
        stamps = [datetime.fromtimestamp(int(at) / 1e6, UTC) for at in bars.start]
        return {f"{at:%m-%d}": close for at, close in zip(stamps, bars.close, strict=True)}

    def answers(self) -> list[tuple[str, str, str, int]]:
        """(subject, first day, status, rows) of each line of the ledger."""
        table = self.store.fetches()
        rows = zip(table["subject"], table["since"], table["status"], table["rows"], strict=True)
        return [(subject, f"{since:%m-%d}", status, n) for subject, since, status, n in rows]


@pytest.fixture
def bench(sqlite_place: Place, monkeypatch: pytest.MonkeyPatch) -> Any:
    world = World()
    monkeypatch.setattr(Scripted, "world", world)
    found: list[Bench] = []
    with sqlite_place.open(now=lambda: found[0].now) as store:
        found.append(Bench(store, world))
        yield found[0]


def prices(symbol: str, first: str, last: str, **more: Any) -> Ask:
    """All of some days; ``last`` included."""
    until = midnight(last) + timedelta(days=1)
    return Ask("prices", symbol, midnight(first), until, "1d", ("regular",), **more)


def snapshot(symbol: str) -> Ask:
    return Ask("events", symbol, midnight("2024-01-01"), midnight("2024-02-01"))


RELEASE = event("AMD", "2024-01-30 21:15", eps_estimate=0.77)


def test_all_is_brought_once(bench: Bench) -> None:
    bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-05"))
    first = bench.bring(prices("AMD", "2024-01-02", "2024-01-05"))
    again = bench.bring(prices("AMD", "2024-01-02", "2024-01-05"))

    assert first.complete
    assert first.of("prices") == Tally(asked=1, added=4)
    assert again.of("prices") == Tally(asked=1, fresh=1)
    assert bench.world.asked() == ["AMD prices 2024-01-02..2024-01-06"]
    assert list(bench.closes()) == ["01-02", "01-03", "01-04", "01-05"]


def test_only_what_is_missing_on_both_sides_is_asked_for(bench: Bench) -> None:
    bench.world.say(
        *("prices", "AMD"),
        days("AMD", "2024-01-08", "2024-01-09"),
        days("AMD", "2024-01-10", "2024-01-12"),
        days("AMD", "2024-01-15", "2024-01-19"),
    )
    bench.bring(prices("AMD", "2024-01-10", "2024-01-12"))
    bench.world.asked()

    outcome = bench.bring(prices("AMD", "2024-01-08", "2024-01-19"))

    assert bench.world.asked() == [
        "AMD prices 2024-01-08..2024-01-10",
        "AMD prices 2024-01-13..2024-01-20",
    ]
    assert outcome.of("prices").added == 6
    assert len(bench.closes()) == 9


def test_a_night_and_a_weekend_are_not_asked_for(bench: Bench) -> None:
    bench.world.say("prices", "AMD", days("AMD", "2024-01-05", "2024-01-05"))
    bench.bring(prices("AMD", "2024-01-05", "2024-01-05"))
    bench.world.asked()
    assert bench.bring(prices("AMD", "2024-01-05", "2024-01-07")).of("prices").fresh == 1
    bench.bring(prices("AMD", "2024-01-05", "2024-01-08"))
    assert bench.world.asked() == ["AMD prices 2024-01-06..2024-01-09"]


def test_the_future_is_not_asked_for(bench: Bench) -> None:
    bench.world.say("prices", "AMD", days("AMD", "2024-01-30", "2024-02-09"))
    ask = prices("AMD", "2024-01-30", "2024-02-09")
    bench.bring(ask)
    assert [one.until for one in bench.world.asks] == [NOW]
    bench.world.asked()
    assert bench.bring(prices("AMD", "2024-02-05", "2024-02-09")).of("prices").fresh == 1
    assert bench.world.asked() == []


def test_a_stop_in_the_middle_keeps_what_came_and_the_next_run_asks_for_the_rest(
    bench: Bench,
) -> None:
    bench.world.say(
        *("prices", "AMD"),
        days("AMD", "2024-01-02", "2024-01-05"),
        DOWN,
        days("AMD", "2024-01-08", "2024-01-12"),
    )
    outcome = bench.bring(prices("AMD", "2024-01-02", "2024-01-12"))

    assert (outcome.failed, outcome.stopped, outcome.complete) == ({"AMD": "503"}, None, False)
    assert list(bench.closes()) == ["01-02", "01-03", "01-04", "01-05"]
    assert bench.answers() == [("AMD", "01-02", "done", 4), ("AMD", "01-02", "failed", 0)]

    bench.world.asked()
    assert bench.bring(prices("AMD", "2024-01-02", "2024-01-12")).complete
    assert bench.world.asked() == ["AMD prices 2024-01-06..2024-01-13"]
    assert len(bench.closes()) == 9


@pytest.mark.parametrize(
    "error", [UnavailableError("cut"), UnreadableAnswerError("no column 'Close'")]
)
def test_what_one_subject_lacks_does_not_keep_the_others_from_coming(
    bench: Bench, error: Any
) -> None:
    bench.world.say("prices", "AMD", error)
    bench.world.say("prices", "INTC", days("INTC", "2024-01-02", "2024-01-02"))
    outcome = bench.bring(*(prices(one, "2024-01-02", "2024-01-02") for one in ("AMD", "INTC")))
    assert outcome.failed == {"AMD": error.what}
    assert (outcome.unknown, outcome.stopped) == ({}, None)
    assert outcome.of("prices").added == 1


def test_an_unknown_subject_is_told_apart_and_covers_nothing(bench: Bench) -> None:
    ask = prices("AMDD", "2024-01-02", "2024-01-02")
    bench.world.say("prices", "AMDD", UnknownSubjectError("no such symbol"))
    outcome = bench.bring(ask)
    assert (outcome.unknown, outcome.failed) == ({"AMDD": "no such symbol"}, {})
    assert bench.answers() == [("AMDD", "01-02", "unknown", 0)]
    assert bench.store.fetches()["note"].tolist() == ["no such symbol"]

    bench.world.say("prices", "AMDD", UnknownSubjectError("no such symbol", hint="--cik"))
    assert bench.bring(ask).unknown == {"AMDD": "no such symbol (try: --cik)"}

    bench.world.say("prices", "AMDD", days("AMDD", "2024-01-02", "2024-01-02"))
    assert bench.bring(ask).of("prices").added == 1


def test_a_refusal_ends_the_run_at_once(bench: Bench) -> None:
    bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-02"))
    bench.world.say("prices", "INTC", RefusedError("the key was refused"))
    symbols = ("AMD", "INTC", "META")
    outcome = bench.bring(*(prices(one, "2024-01-02", "2024-01-02") for one in symbols))
    assert isinstance(outcome.stopped, RefusedError)
    assert outcome.of("prices") == Tally(asked=2, added=1)
    assert [ask[:4] for ask in bench.world.asked()] == ["AMD ", "INTC"]


def names(count: int) -> list[str]:
    return [f"S{n}" for n in range(count)]


def test_a_source_that_is_down_is_left_alone_after_some_subjects(bench: Bench) -> None:
    for name in names(5):
        bench.world.say("prices", name, UnavailableError(f"429 for {name}"))
    outcome = bench.bring(*(prices(name, "2024-01-02", "2024-01-02") for name in names(5)))
    assert outcome.stopped is not None
    assert len(bench.world.asked()) == PATIENCE
    assert set(outcome.failed) == set(names(PATIENCE))


def test_an_answer_in_between_shows_that_it_is_not_down(bench: Bench) -> None:
    for name in names(5):
        steps = [UnavailableError("429")] if name != "S2" else []
        bench.world.say("prices", name, *steps)
    outcome = bench.bring(*(prices(name, "2024-01-02", "2024-01-02") for name in names(5)))
    assert outcome.stopped is None
    assert set(outcome.failed) == {"S0", "S1", "S3", "S4"}


def test_what_need_not_be_asked_does_not_show_that_a_source_works(bench: Bench) -> None:
    """A run that is resumed has much already: it must not try every symbol of a dead source."""
    for name in names(6):
        bench.world.say("prices", name, days(name, "2024-01-02", "2024-01-02"))
        bench.bring(prices(name, "2024-01-02", "2024-01-02"))
        bench.world.say("headlines", name, UnavailableError("429"))
    bench.world.asked()
    asks = []
    for name in names(6):
        asks += [
            news_of(name, "2024-01-02", "2024-01-03"),
            prices(name, "2024-01-02", "2024-01-02"),
        ]
    assert bench.bring(*asks).stopped is not None
    assert len(bench.world.asked()) == PATIENCE


def test_one_bad_subject_with_many_kinds_is_not_a_source_that_is_down(bench: Bench) -> None:
    for kind in ("prices", "events", "headlines"):
        bench.world.say(kind, "BAD", UnavailableError("500"))
    bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-02"))
    outcome = bench.bring(
        prices("BAD", "2024-01-02", "2024-01-02"),
        snapshot("BAD"),
        news_of("BAD", "2024-01-02", "2024-01-03"),
        prices("AMD", "2024-01-02", "2024-01-02"),
    )
    assert outcome.stopped is None
    assert list(bench.closes()) == ["01-02"]


def news_of(symbol: str, first: str, last: str) -> Ask:
    return Ask("headlines", symbol, midnight(first), midnight(last))


def test_a_claim_to_know_the_future_is_not_believed(bench: Bench) -> None:
    bench.world.say("prices", "AMD", nothing("2024-01-30", "2024-02-09"))
    bench.bring(prices("AMD", "2024-01-30", "2024-02-09"))
    assert [until for _, until, _ in bench.store.answered(AMD_DAYS)] == [NOW]
    bench.now = NOW + timedelta(days=4)
    bench.bring(prices("AMD", "2024-01-30", "2024-02-09"))
    assert len(bench.world.asked()) == 2


AMD_DAYS = Stream("scripted", "prices", "AMD", "1d", ("regular",))


def test_no_rows_are_an_answer_too(bench: Bench) -> None:
    bench.world.say("prices", "AMD", nothing("2024-01-02", "2024-01-05"))
    outcome = bench.bring(prices("AMD", "2024-01-02", "2024-01-05"))
    assert outcome.of("prices") == Tally(asked=1, empty=1)
    assert outcome.complete
    assert bench.answers() == [("AMD", "01-02", "done", 0)]
    assert bench.bring(prices("AMD", "2024-01-02", "2024-01-05")).of("prices").fresh == 1


def test_rejects_are_counted_and_kept(bench: Bench) -> None:
    bad = Reject("scripted AMD", 3, "open", "x", "not a number")
    bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-03", rejects=[bad]))
    outcome = bench.bring(prices("AMD", "2024-01-02", "2024-01-03"))
    assert outcome.of("prices") == Tally(asked=1, added=2, rejected=1)
    assert bench.store.rejects()["reason"].tolist() == ["not a number"]


def test_refresh_asks_again_and_revises_what_changed(bench: Bench) -> None:
    bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-03", 10.0))
    ask = prices("AMD", "2024-01-02", "2024-01-03")
    bench.bring(ask)
    bench.world.script.clear()
    bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-03", 11.0))
    assert bench.bring(ask, refresh=True).of("prices") == Tally(asked=1, revised=2)
    assert bench.closes() == {"01-02": 11.0, "01-03": 11.0}


def test_what_returns_to_an_earlier_value_is_taken_at_its_word(bench: Bench) -> None:
    ask = prices("AMD", "2024-01-02", "2024-01-03")
    for hour, close in enumerate((10.0, 11.0, 10.0)):
        bench.now = NOW + timedelta(hours=hour)
        bench.world.script.clear()
        bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-03", close))
        bench.bring(ask, refresh=True)
    assert bench.closes() == {"01-02": 10.0, "01-03": 10.0}


def test_a_record_that_returns_to_an_earlier_value_is_a_revision(bench: Bench) -> None:
    for day, estimate in enumerate((0.77, 0.80, 0.77)):
        bench.now = NOW + timedelta(days=day)
        bench.world.script.clear()
        told = replace(RELEASE, eps_estimate=estimate)
        bench.world.say("events", "AMD", said("2024-01-01", "2024-02-01", told))
        bench.bring(snapshot("AMD"))
    assert bench.store.revisions()["eps_estimate"].tolist() == [0.77, 0.80, 0.77]
    assert bench.store.events()["eps_estimate"].tolist() == [0.77]


@pytest.mark.parametrize(
    ("later", "asked"),
    [(timedelta(hours=11, minutes=59), 0), (timedelta(hours=12), 1)],
)
def test_what_says_all_it_knows_is_asked_again_after_half_a_day(
    bench: Bench, later: timedelta, asked: int
) -> None:
    bench.world.say("events", "AMD", said("2024-01-01", "2024-02-01", RELEASE))
    bench.bring(snapshot("AMD"))
    bench.world.asked()
    bench.now = NOW + later
    tally = bench.bring(snapshot("AMD")).of("events")
    assert len(bench.world.asked()) == asked
    assert (tally.fresh, tally.unchanged) == (1 - asked, asked)
    bench.bring(snapshot("AMD"), refresh=True)
    assert len(bench.world.asked()) == 1


def test_a_snapshot_that_was_cut_short_is_asked_again_at_once(bench: Bench) -> None:
    other = event("AMD", "2023-10-31 20:15", eps_estimate=0.68)
    bench.world.say(
        *("events", "AMD"),
        said("2024-01-01", "2024-02-01", RELEASE),
        DOWN,
        said("2024-01-01", "2024-02-01", other),
    )
    assert bench.bring(snapshot("AMD")).failed == {"AMD": "503"}
    assert len(bench.store.events()) == 1
    outcome = bench.bring(snapshot("AMD"))
    assert outcome.complete
    assert outcome.of("events") == Tally(asked=1, added=1, unchanged=1)
    assert len(bench.store.events()) == 2
    assert bench.bring(snapshot("AMD")).of("events").fresh == 1


def test_an_empty_snapshot_is_an_answer(bench: Bench) -> None:
    bench.world.say("events", "AMD", nothing("2024-01-01", "2024-02-01"))
    bench.bring(snapshot("AMD"))
    assert bench.bring(snapshot("AMD")).of("events").fresh == 1


def test_a_source_s_reach_cuts_the_request_and_says_so_once(bench: Bench) -> None:
    bench.world.reach = Reach(midnight("2024-01-10"), "two weeks of days")
    for name in ("AMD", "INTC"):
        bench.world.say("prices", name, days(name, "2024-01-10", "2024-01-12"))
    outcome = bench.bring(*(prices(n, "2024-01-02", "2024-01-12") for n in ("AMD", "INTC")))
    assert bench.world.asked() == [
        "AMD prices 2024-01-10..2024-01-13",
        "INTC prices 2024-01-10..2024-01-13",
    ]
    assert outcome.complete
    assert bench.notes == ["two weeks of days: nothing before 2024-01-10 can be had"]


def test_what_lies_before_the_reach_altogether_is_not_asked_for(bench: Bench) -> None:
    bench.world.reach = Reach(midnight("2024-01-10"), "two weeks of days")
    outcome = bench.bring(prices("AMD", "2024-01-02", "2024-01-05"))
    assert bench.world.asked() == []
    assert len(bench.notes) == 1
    assert outcome.of("prices").fresh == 0, "it is not had already: it cannot be had"


def test_a_reach_is_not_mentioned_where_the_store_has_what_lies_before_it(bench: Bench) -> None:
    bench.world.say(
        *("prices", "AMD"),
        days("AMD", "2024-01-02", "2024-01-12"),
        days("AMD", "2024-01-15", "2024-01-19"),
    )
    bench.bring(prices("AMD", "2024-01-02", "2024-01-12"))
    bench.world.asked()
    bench.world.reach = Reach(midnight("2024-01-10"), "two weeks of days")
    bench.bring(prices("AMD", "2024-01-02", "2024-01-19"))
    assert bench.world.asked() == ["AMD prices 2024-01-13..2024-01-20"]
    assert bench.notes == []


def test_notes_are_said_once_and_kept_with_each_answer(bench: Bench) -> None:
    for name in ("AMD", "INTC"):
        piece = days(name, "2024-01-02", "2024-01-02", notes=["late by a day", "in dollars"])
        bench.world.say("prices", name, piece)
    bench.bring(*(prices(name, "2024-01-02", "2024-01-02") for name in ("AMD", "INTC")))
    assert bench.notes == ["late by a day", "in dollars"]
    assert bench.store.fetches()["note"].tolist() == ["late by a day; in dollars"] * 2


def test_progress_is_told_of_every_request_as_it_was_given(bench: Bench) -> None:
    bench.world.say("prices", "AMD", UnknownSubjectError("no such symbol"))
    asks = [prices(name, "2024-01-02", "2024-01-02") for name in ("AMD", "INTC")]
    bench.bring(*asks)
    assert bench.done == asks


def test_a_renamed_instrument_is_asked_for_as_it_is_called_today(bench: Bench) -> None:
    """And each row is stored under the symbol of its day."""
    bench.store.add_instrument("FB")
    bench.store.rename("FB", "META", date(2024, 1, 9))
    bench.world.say("prices", "META", days("META", "2024-01-08", "2024-01-10"))
    outcome = bench.bring(prices("FB", "2024-01-08", "2024-01-10"))
    assert bench.world.asked() == ["META prices 2024-01-08..2024-01-11"]
    assert bench.notes == ["FB is called META today, and is asked for as such"]
    assert (outcome.complete, outcome.of("prices").added) == (True, 3)
    assert set(bench.store.bars("1d").instrument.tolist()) == {bench.store.resolve("FB")}
    assert bench.bring(prices("META", "2024-01-08", "2024-01-10")).of("prices").fresh == 1


def test_what_was_brought_under_the_old_name_is_not_asked_for_again(bench: Bench) -> None:
    bench.world.say("prices", "FB", days("FB", "2024-01-08", "2024-01-08"))
    bench.bring(prices("FB", "2024-01-08", "2024-01-08"))
    bench.store.rename("FB", "META", date(2024, 1, 9))
    bench.world.asked()
    bench.world.say("prices", "META", days("META", "2024-01-09", "2024-01-10"))
    bench.bring(prices("META", "2024-01-08", "2024-01-10"))
    assert bench.world.asked() == ["META prices 2024-01-09..2024-01-11"]
    assert list(bench.closes()) == ["01-08", "01-09", "01-10"]


def test_an_old_symbol_s_answers_count_for_its_own_days_alone(bench: Bench) -> None:
    """Nobody had told the store of the rename: of the days after it there came nothing."""
    bench.world.say(
        *("prices", "FB"),
        days("FB", "2024-01-08", "2024-01-08"),
        nothing("2024-01-09", "2024-01-12"),
    )
    bench.bring(prices("FB", "2024-01-08", "2024-01-12"))
    bench.store.rename("FB", "META", date(2024, 1, 9))
    bench.world.say("prices", "META", days("META", "2024-01-09", "2024-01-12"))
    bench.world.asked()
    bench.bring(prices("META", "2024-01-08", "2024-01-12"))
    assert bench.world.asked() == ["META prices 2024-01-09..2024-01-13"]
    assert len(bench.closes()) == 5


def test_other_options_and_phases_are_other_streams(bench: Bench) -> None:
    bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-02"))
    ask = prices("AMD", "2024-01-02", "2024-01-02")
    bench.bring(ask, options={"feed": "iex"})
    bench.bring(ask, options={"feed": "sip"})
    bench.bring(replace(ask, phases=("pre", "regular", "post")), options={"feed": "sip"})
    assert len(bench.world.asked()) == 3
    bench.bring(ask, options={"feed": "sip"})
    assert bench.world.asked() == []


def test_a_stock_s_rows_are_said_to_come_from_what_the_batches_name(bench: Bench) -> None:
    bench.world.say("prices", "AMD", days("AMD", "2024-01-02", "2024-01-02"))
    bench.bring(prices("AMD", "2024-01-02", "2024-01-02"))
    row = bench.store.fetches().iloc[0]
    assert (row["source"], row["stored_as"]) == ("scripted", "scripted-bars")
    assert row["instrument_id"] == bench.store.resolve("AMD")
    assert bench.store.bar_sources()["source"].tolist() == [row["stored_as"]]


def test_batches_are_prepared_before_they_are_stored(bench: Bench) -> None:
    title = news("AMD beats", "2024-01-02 21:00", "AMD")
    bench.world.say("headlines", "AMD", said("2024-01-02", "2024-01-03", title))

    def prepare(batch: Any) -> Any:
        return replace(batch, records=[replace(one, language="en") for one in batch.records])

    bench.bring(news_of("AMD", "2024-01-02", "2024-01-03"), prepare=prepare)
    assert bench.store.news()["language"].tolist() == ["en"]


def test_what_two_sources_brought_is_put_together() -> None:
    whole, bars, other = Outcome(), Outcome(), Outcome()
    bars.of("prices").added = 3
    bars.failed["AMD"] = "503"
    other.of("prices").added = 4
    other.of("prices").asked = 2
    other.unknown["XX"] = "no such symbol"
    refusal = RefusedError("no")
    other.stopped = refusal
    for part in (bars, other):
        whole.join("alpaca", part)
    assert whole.kinds == {"alpaca prices": Tally(asked=2, added=7)}
    assert (whole.failed, whole.unknown) == ({"AMD": "503"}, {"XX": "no such symbol"})
    assert whole.stopped is refusal
    assert not whole.complete


@pytest.mark.parametrize(
    "kinds",
    [("headlines", "events"), pytest.param(("prices",), marks=pytest.mark.long)],
)
def test_a_kill_at_every_durable_write_of_a_run_loses_and_doubles_nothing(
    sqlite_place: Place, empty_folder: Path, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    """Also between storing a part and noting that it came."""
    seen = set()
    for crash_at in range(1, 60):
        folder = tmp_path / f"killed-{crash_at}"
        shutil.copytree(empty_folder, folder)
        here = Place(str(folder), folder / "bars")
        child = start(crashing.bring_all, here.target, str(here.bars), kinds, crash_at)
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        with here.open(now=lambda: crashing.LATER) as store:
            first = kinds[0]
            seen.add((crashing.held(store, first), len(store.fetches())))
            assert crashing.bring_into(store, kinds).complete
            for kind in kinds:
                assert crashing.held(store, kind) == sum(crashing.ROWS[kind])
            again = crashing.bring_into(store, kinds)
            assert all(again.of(kind).fresh == 1 for kind in kinds)
    else:
        pytest.fail("the enumeration did not end")
    part, rest = crashing.ROWS[first]
    assert seen >= {(0, 0), (part, 0), (part, 1), (part + rest, 1), (part + rest, 2)}
