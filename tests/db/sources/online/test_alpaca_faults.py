"""Alpaca out of order: what is stored after each fault, and that a second run completes it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from db.errors import MissingExtraError, UsageError
from db.sources.fetching.line import ATTEMPTS
from db.sources.fetching.source import Ask, RefusedError, UnavailableError
from db.store import Store
from tests.db.sources.online.alpaca_run import NOW, AlpacaRun, day, utc
from tests.fakes.alpaca import FakeAlpaca, news_item
from tests.fakes.faults import FOR_GOOD, Fault
from tests.fakes.market import Stock

DAYS = ("2026-01-30", "2026-02-03")
"""A Friday and the Monday after it: two parts, since a month ends between them."""
IN_HOURS = 390
PASSING = ("429", "500", "502", "503", "cut", "reset", "timeout", "malformed", "nothing", "html")


@pytest.fixture
def fake() -> Iterator[FakeAlpaca]:
    with FakeAlpaca([Stock("META"), Stock("AMD")], now=lambda: NOW, page=200) as server:
        yield server


@pytest.fixture
def run(fake: FakeAlpaca, fresh_store: Store) -> AlpacaRun:
    return AlpacaRun(fake, fresh_store, options={"timeout": "0.25"})


def bring(run: AlpacaRun, symbol: str = "META"):
    return run.prices(symbol, *DAYS, phases=("regular",))


def count(run: AlpacaRun) -> int:
    return 0 if run.store.bar_sources().empty else len(run.stored().start)


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_leaves_no_trace(run: AlpacaRun, kind: str) -> None:
    run.fake.faults.append(Fault(kind, times=2, after=1, delay=1.0))
    outcome = bring(run)
    assert outcome.complete
    assert count(run) == 2 * IN_HOURS
    assert run.store.rejects().empty
    tokens = run.asked("page_token")
    assert len(tokens) == 8 + 2  # four pages a day; the one that failed alone was asked again
    assert tokens[1] == tokens[2] == tokens[3] != tokens[4]


@pytest.mark.parametrize("kind", PASSING)
def test_what_stays_keeps_the_parts_before_it_and_a_second_run_completes(
    run: AlpacaRun, kind: str
) -> None:
    run.fake.faults.append(Fault(kind, times=FOR_GOOD, after=5, delay=1.0))
    outcome = bring(run)
    assert list(outcome.failed) == ["META"]
    assert count(run) == IN_HOURS
    assert len(run.fake.requests) == 5 + ATTEMPTS  # the line's, and none of the library's own
    run.fake.faults.clear()
    run.fake.requests.clear()
    assert bring(run).complete
    assert count(run) == 2 * IN_HOURS
    assert set(run.asked("start")) == {"2026-02-01T05:00:00+00:00"}


def test_the_wait_that_is_asked_for_is_kept(run: AlpacaRun) -> None:
    run.fake.faults.append(Fault("429", retry_after=47))
    bring(run)
    assert max(run.waits) == 47


def test_a_source_that_is_down_is_left_after_some_subjects(run: AlpacaRun) -> None:
    run.fake.faults.append(Fault("429", times=FOR_GOOD))
    asks = [
        Ask("prices", f"S{number}", day(DAYS[0]), day(DAYS[1]), "1m", ("regular",))
        for number in range(10)
    ]
    outcome = run.bring(*asks)
    assert isinstance(outcome.stopped, UnavailableError)
    assert len(run.fake.requests) == 3 * ATTEMPTS


@pytest.mark.parametrize("status", ["401", "403"])
def test_a_refusal_ends_the_run_at_once(run: AlpacaRun, status: str) -> None:
    run.fake.faults.append(Fault(status, times=FOR_GOOD))
    asks = [
        Ask("prices", symbol, day(DAYS[0]), day(DAYS[1]), "1m", ("regular",))
        for symbol in ("META", "AMD")
    ]
    outcome = run.bring(*asks)
    assert isinstance(outcome.stopped, RefusedError)
    assert "check the keys" in outcome.stopped.hint
    assert len(run.fake.requests) == 1
    run.fake.faults.clear()
    assert run.bring(*asks).complete
    assert count(run) == 4 * IN_HOURS


def test_wrong_keys_are_refused(run: AlpacaRun) -> None:
    run.environment["APCA_API_SECRET_KEY"] = "another-secret-than-the-one"
    outcome = bring(run)
    assert isinstance(outcome.stopped, RefusedError)
    assert "forbidden" in str(outcome.stopped)


def test_missing_keys_are_said_before_anything_is_asked(run: AlpacaRun) -> None:
    run.environment.clear()
    with pytest.raises(UsageError, match="APCA_API_KEY_ID or ALPACA_API_KEY"):
        bring(run)
    assert run.fake.requests == []


def test_a_missing_library_is_said_with_what_to_install(
    run: AlpacaRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "alpaca", None)
    with pytest.raises(MissingExtraError, match=r"aftershock\[alpaca\]"):
        bring(run)


def test_the_other_names_of_the_keys_do_as_well(run: AlpacaRun) -> None:
    key, secret = run.environment.values()
    run.environment = {"ALPACA_API_KEY": key, "ALPACA_SECRET_KEY": secret}
    assert bring(run).complete


def test_a_consolidated_tape_that_is_always_too_recent_is_a_refusal(run: AlpacaRun) -> None:
    run.fake.free = True
    run.fake.now = lambda: utc("2026-03-12 12:00")  # its clock is six hours behind
    outcome = run.prices("META", "2026-03-12", "2026-03-13")
    assert isinstance(outcome.stopped, RefusedError)
    assert len(run.fake.requests) == 2


def test_an_empty_answer_is_covered_with_nothing(run: AlpacaRun) -> None:
    run.fake.faults.append(Fault("empty", times=2))
    outcome = bring(run)
    assert outcome.complete
    assert (count(run), outcome.of("prices").empty) == (0, 2)
    bring(run)
    assert len(run.fake.requests) == 2


def test_changed_columns_are_named_and_nothing_is_covered(run: AlpacaRun) -> None:
    run.fake.faults.append(Fault("columns", times=FOR_GOOD))
    outcome = bring(run)
    assert outcome.failed["META"] == "the bars have no 'c' any more, which held the close"
    assert count(run) == 0
    run.fake.faults.clear()
    assert bring(run).complete
    assert count(run) == 2 * IN_HOURS


def test_a_page_that_comes_twice_is_stored_once(run: AlpacaRun) -> None:
    run.fake.faults.append(Fault("duplicate", after=1))
    outcome = bring(run)
    prices = outcome.of("prices")
    assert (prices.added, prices.rejected) == (2 * IN_HOURS, 35)  # the other 165 were not asked for
    assert set(run.store.rejects()["reason"]) == {"came twice: the first was kept"}


def test_pages_without_an_end_are_given_up(run: AlpacaRun) -> None:
    run.fake.faults.append(Fault("endless", times=FOR_GOOD))
    outcome = bring(run)
    assert outcome.failed["META"] == "Alpaca's pages have no end"
    assert (count(run), len(run.fake.requests)) == (0, 2)
    run.fake.faults.clear()
    assert bring(run).complete
    assert count(run) == 2 * IN_HOURS


def test_an_answer_of_another_form_is_not_understood(run: AlpacaRun) -> None:
    run.options["url"] = run.fake.url + "/elsewhere"
    outcome = bring(run)
    assert "endpoint not found" in outcome.unknown["META"]


@pytest.mark.parametrize("kind", ["news", "actions"])
@pytest.mark.parametrize("fault", ["429", "cut", "malformed", "timeout"])
def test_records_survive_the_same_faults(run: AlpacaRun, kind: str, fault: str) -> None:
    run.fake.stocks = {"META": Stock("META", dividends=[(day("2026-02-02").date(), 0.5)])}
    run.fake.news = [news_item(7, ["META"], "Meta rose", utc("2026-02-02 12:00"))]
    ask = Ask(kind, "META", day("2026-02-01"), day("2026-02-28"))
    run.fake.faults.append(Fault(fault, times=FOR_GOOD, delay=1.0))
    assert list(run.bring(ask).failed) == ["META"]
    run.fake.faults.clear()
    run.fake.faults.append(Fault(fault, times=2, delay=1.0))
    assert run.bring(ask).of(kind).added == 1


@pytest.mark.parametrize(("kind", "name"), [("news", "'headline'"), ("actions", "'ex_date'")])
def test_records_with_changed_columns_are_not_read(run: AlpacaRun, kind: str, name: str) -> None:
    run.fake.news = [news_item(7, ["META"], "Meta rose", utc("2026-02-02 12:00"))]
    run.fake.faults.append(Fault("columns"))
    outcome = run.bring(Ask(kind, "META", day("2026-02-01"), day("2026-02-28")))
    assert name in outcome.failed["META"]
