"""What `ingest edgar` makes of a SEC that fails: what is stored then, and that it is completed."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from db.sources.fetching.line import Line
from db.sources.fetching.source import RefusedError, UnavailableError
from db.store import Store
from tests.db.sources.online.edgar_case import ask, at, came, edgar, read, run, told
from tests.fakes.edgar import Company, FakeEdgar, bomb, meta, report
from tests.fakes.faults import FOR_GOOD, Fault

MANY = 11
PAGES = ("company_tickers", "submissions/CIK", "-index-headers", "ex991-")
PASSING = ("429", "500", "502", "503", "timeout", "cut", "reset", "malformed", "half", "nothing")
PASSING += ("webpage",)


@pytest.fixture
def sec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEdgar]:
    """Knows Meta by three reports and Acme by eleven."""
    silent = "timeout" in request.node.name
    monkeypatch.setenv("EDGAR_HTTP_TIMEOUT", "0.5" if silent else "30")
    with FakeEdgar([meta(), acme()]) as fake:
        monkeypatch.setenv("EDGAR_BASE_URL", fake.url)
        monkeypatch.setenv("EDGAR_DATA_URL", fake.url)
        yield fake


def acme() -> Company:
    filings = [
        report(f"0000001234-22-{number:06d}", f"2022-{number:02d}-15 16:05:00", f"{words} {number}")
        for number, words in enumerate(["Acme Announces Results of Month"] * MANY, start=1)
    ]
    return Company(1234, "Acme Corp", ["ACME"], filings)


def all_of_meta(store: Store) -> bool:
    bodies = [body.rpartition("\n")[2] for (body,) in read(store, "body")]
    return len(store.events()) == 3 and bodies == [
        "Revenue was $29,010 million.",
        "Revenue was $33,671 million.",
        "Revenue was $32,165 million, a decrease of 4% year-over-year.",
    ]


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_within_the_attempts_leaves_no_trace(
    sec: FakeEdgar, fresh_store: Store, kind: str
) -> None:
    for page in PAGES:
        sec.faults.append(Fault(kind, times=2, path=page, delay=2))
    outcome = run(fresh_store)
    assert len(sec.faults) == 0
    assert outcome.complete
    assert came(outcome).rejected == 0
    assert all_of_meta(fresh_store)


def test_a_wait_that_the_server_asks_for_is_kept(sec: FakeEdgar, fresh_store: Store) -> None:
    sec.faults.append(Fault("429", times=1, path="-index-headers", retry_after=77))
    waits: list[float] = []
    run(fresh_store, source=edgar(waits=waits))
    assert max(waits) == 77
    assert all_of_meta(fresh_store)


def test_who_is_shut_out_waits_the_ten_minutes_that_the_page_names(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    sec.faults.append(Fault("shutout", times=1, path="ex991-"))
    waits: list[float] = []
    run(fresh_store, source=edgar(waits=waits))
    assert max(waits) == 600
    assert all_of_meta(fresh_store)


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        *(("429", "-index-headers"), ("cut", "-index-headers"), ("429", "ex991-")),
        *(("500", "ex991-"), ("503", "ex991-"), ("timeout", "ex991-"), ("cut", "ex991-")),
        *(("reset", "ex991-"), ("shutout", "ex991-")),
    ],
)
def test_what_stays_keeps_what_came_before_and_a_second_run_brings_the_rest(
    sec: FakeEdgar, fresh_store: Store, kind: str, page: str
) -> None:
    sec.faults.append(Fault(kind, FOR_GOOD, path=page, after=9, delay=2))
    outcome = run(fresh_store, ask("ACME"), source=edgar(attempts=2))
    assert list(outcome.failed) == ["ACME"]
    assert len(fresh_store.events()) == len(fresh_store.news()) == 8  # two times four
    sec.faults.clear()
    sec.requests.clear()
    outcome = run(fresh_store, ask("ACME"))
    assert outcome.complete
    assert len(fresh_store.events()) == len(fresh_store.news()) == MANY
    asked = {one.path for one in sec.requests if "-index-headers" in one.path}
    assert len(asked) == 3


@pytest.mark.parametrize("kind", ["401", "403", "undeclared"])
def test_a_refusal_ends_the_run_at_once(sec: FakeEdgar, fresh_store: Store, kind: str) -> None:
    sec.faults.append(Fault(kind, FOR_GOOD, path="-index-headers", after=5))
    outcome = run(fresh_store, ask("ACME"), ask("META"))
    assert isinstance(outcome.stopped, RefusedError)
    assert "EDGAR_IDENTITY" in outcome.stopped.hint
    assert sum("-index-headers" in one.path for one in sec.requests) == 6
    assert set(told(fresh_store, "symbol")) == {("ACME",)}
    assert len(fresh_store.events()) == 4
    sec.faults.clear()
    run(fresh_store, ask("ACME"), ask("META"))
    assert len(fresh_store.events()) == MANY + 3


def test_a_server_that_is_down_ends_the_run(sec: FakeEdgar, fresh_store: Store) -> None:
    sec.faults.append(Fault("503", FOR_GOOD))
    asks = [ask(symbol) for symbol in ("A", "B", "C", "D", "META")]
    outcome = run(fresh_store, *asks, source=edgar(attempts=1))
    assert isinstance(outcome.stopped, UnavailableError)
    assert len(outcome.failed) == 3
    sec.faults.clear()
    run(fresh_store)
    assert all_of_meta(fresh_store)


@pytest.mark.parametrize(
    "kind", ["malformed", "half", "nothing", "webpage", "moved", "404", "columns"]
)
def test_a_list_that_cannot_be_read_is_said_and_the_others_go_on(
    sec: FakeEdgar, fresh_store: Store, kind: str
) -> None:
    sec.faults.append(Fault(kind, FOR_GOOD, path="submissions/CIK0000001234"))
    outcome = run(fresh_store, ask("ACME"), ask("META"))
    assert outcome.stopped is None
    assert list(outcome.unknown if kind == "404" else outcome.failed) == ["ACME"]
    assert all_of_meta(fresh_store)
    sec.faults.clear()
    run(fresh_store, ask("ACME"), ask("META"))
    assert len(fresh_store.events()) == MANY + 3


def test_columns_that_are_missing_are_named(sec: FakeEdgar, fresh_store: Store) -> None:
    sec.faults.append(Fault("columns", FOR_GOOD, path="submissions/"))
    outcome = run(fresh_store)
    assert outcome.failed["META"].startswith("the company's page has no 'items' any more (try: ")


@pytest.mark.parametrize(
    "kind", ["malformed", "half", "nothing", "webpage", "moved", "404", "other"]
)
def test_a_header_that_cannot_be_read_is_rejected_and_the_other_filings_are_stored(
    sec: FakeEdgar, fresh_store: Store, kind: str
) -> None:
    sec.faults.append(Fault(kind, FOR_GOOD, path="0001326801-22-000016-index-headers"))
    outcome = run(fresh_store)
    assert outcome.complete
    assert told(fresh_store, "fiscal_period") == [("2021Q3",), ("2022Q4",)]
    reject = fresh_store.rejects().iloc[0]
    assert reject["column"] == "header"
    assert reject["value"] == "0001326801-22-000016-index-headers.html"
    assert "EDGAR" in reject["reason"]
    sec.faults.clear()
    run(fresh_store, refresh=True)
    assert all_of_meta(fresh_store)


@pytest.mark.parametrize(
    "kind", ["malformed", "nothing", "webpage", "404", "moved", "flood", "bomb"]
)
def test_a_press_release_that_cannot_be_had_costs_its_text_alone(
    sec: FakeEdgar, fresh_store: Store, kind: str
) -> None:
    sec.faults.append(Fault(kind, FOR_GOOD, path="ex991-000016"))
    said: list[str] = []
    outcome = run(fresh_store, say=said.append)
    assert outcome.complete
    assert said == ["0001326801-22-000016: EX-99.1 could not be read"]
    assert len(fresh_store.events()) == 3
    assert read(fresh_store, "title", "body")[1] == ("FORM 8-K item 2.02: Meta Platforms, Inc.", "")
    reject = fresh_store.rejects().iloc[0]
    assert (reject["column"], reject["value"]) == ("EX-99.1", "ex991-000016.htm")
    assert reject["reason"].startswith("0001326801-22-000016: EDGAR")


@pytest.mark.parametrize("page", ["-index-headers", "ex991-000010"])
def test_a_filing_of_these_days_that_is_not_there_yet_is_asked_for_again(
    sec: FakeEdgar, fresh_store: Store, page: str
) -> None:
    same_evening = at("2023-02-01 21:20")
    sec.faults.append(Fault("404", path=page, after=2 if "index" in page else 0))
    outcome = run(fresh_store, ask(until=same_evening), now=same_evening)
    assert "is new, and may be there later" in outcome.failed["META"]
    later = at("2023-02-01 21:40")
    assert run(fresh_store, ask(until=later), now=later).complete
    assert all_of_meta(fresh_store)


def test_half_a_press_release_is_kept_where_there_is_no_more(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    sec.faults.append(Fault("half", FOR_GOOD, path="ex991-000010"))
    said: list[str] = []
    run(fresh_store, say=said.append)
    assert said == ["0001326801-23-000010: it has no end"]
    assert read(fresh_store, "body")[-1][0].startswith("Exhibit 99.1")
    assert sum("ex991-000010" in one.path for one in sec.requests) == 3


def test_nothing_in_a_list_is_an_answer_and_no_failure(sec: FakeEdgar, fresh_store: Store) -> None:
    sec.faults.append(Fault("empty", path="submissions/"))
    outcome = run(fresh_store)
    assert outcome.complete
    assert came(outcome).empty == 1
    assert fresh_store.events().empty
    run(fresh_store, refresh=True)
    assert all_of_meta(fresh_store)


def test_a_ticker_that_vanishes_from_the_list_is_unknown_for_now(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    sec.faults.append(Fault("unlisted", path="company_tickers"))
    assert list(run(fresh_store).unknown) == ["META"]
    assert run(fresh_store).complete
    assert all_of_meta(fresh_store)


def test_a_filing_on_two_pages_is_stored_once(sec: FakeEdgar, fresh_store: Store) -> None:
    sec.page = 1
    sec.faults.append(Fault("duplicates", FOR_GOOD, path="-submissions-"))
    run(fresh_store)
    assert all_of_meta(fresh_store)
    assert sum("-index-headers" in one.path for one in sec.requests) == 3


def test_names_that_would_lead_elsewhere_are_not_followed(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    filing = sec.companies[1326801].filings[0]
    bad = replace(filing.documents[1], file="../../../../files/company_tickers.htm")
    sec.companies[1326801].filings[0] = replace(filing, documents=[filing.documents[0], bad])
    run(fresh_store)
    assert read(fresh_store, "title")[0] == ("FORM 8-K item 2.02: Meta Platforms, Inc.",)
    assert not [one for one in sec.requests if ".." in one.path]
    sec.companies[1326801].filings[0] = replace(filing, accession="0001/../../x")
    outcome = run(fresh_store, refresh=True)
    assert "another form" in outcome.failed["META"]


def test_a_bomb_is_refused_within_bounded_memory(sec: FakeEdgar) -> None:
    assert len(bomb()) < 1 << 20
    sec.faults.append(Fault("bomb", FOR_GOOD, path="ex991-"))
    source = edgar()
    list(source.fetch(ask("META", since="2023-05-01")))  # everything is imported now
    tracemalloc.start()
    try:
        list(source.fetch(ask()))
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


def test_an_answer_that_drips_is_given_up(sec: FakeEdgar, fresh_store: Store) -> None:
    hours = count(step=3600.0)
    source = edgar(attempts=1)
    line = Line(pace=8, attempts=1, sleep=lambda _: None, clock=lambda: next(hours))
    outcome = run(fresh_store, source=type(source)(replace(source.setup, line=line)))
    assert outcome.failed == {"META": "EDGAR sends too slowly"}


@pytest.mark.parametrize("kind", ["401", "500", "timeout", "reset", "webpage", "moved", "404"])
def test_no_error_says_who_asked(sec: FakeEdgar, fresh_store: Store, kind: str) -> None:
    sec.faults.append(Fault(kind, FOR_GOOD, path="submissions", delay=2))
    outcome = run(fresh_store, source=edgar(attempts=1, identity="Zoe Zander zz@example.com"))
    assert not outcome.complete
    said = f"{outcome.failed} {outcome.unknown} {outcome.stopped!r} {outcome.stopped}"
    assert "Zander" not in said
    assert "zz@" not in said
