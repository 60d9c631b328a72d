"""What `ingest edgar` brings from a SEC that answers: releases, their texts, nothing twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from db.batches import EventRecord, Provenance, RecordBatch
from db.errors import MissingExtraError, UsageError
from db.sources.fetching.line import Line
from db.sources.fetching.registry import kept, make
from db.sources.online.edgar import library as door
from db.store import Store
from tests.db.sources.online.edgar_case import (
    IDENTITY,
    NOW,
    ask,
    at,
    came,
    edgar,
    read,
    run,
    told,
)
from tests.fakes.edgar import Company, Document, FakeEdgar, meta, report, wrapped

TEXT = "Revenue was $1,000 million, an increase of 10% year-over-year."


@pytest.fixture
def sec(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEdgar]:
    with FakeEdgar([meta()]) as fake:
        monkeypatch.setenv("EDGAR_BASE_URL", fake.url)
        monkeypatch.setenv("EDGAR_DATA_URL", fake.url)
        yield fake


def acme(*filings: object, **more: object) -> Company:
    return Company(1234, "Acme Corp", ["ACME"], list(filings), **more)  # type: ignore[arg-type]


def known(sec: FakeEdgar, *filings: object) -> None:
    """The SEC knows Acme as well, by these filings."""
    sec.companies[1234] = acme(*filings)


def paths(sec: FakeEdgar) -> list[str]:
    return [request.path.rpartition("/")[2] for request in sec.requests]


# -- what is in the store ---------------------------------------------------------------------


def test_a_report_bounds_its_release_from_the_day_it_names_to_its_acceptance(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    outcome = run(fresh_store)
    assert outcome.stopped is None
    assert told(
        fresh_store, "symbol", "announced_from", "announced_to", "precision", "session"
    ) == [
        ("META", "2021-10-25 04:00:00", "2021-10-25 20:05:41", "date", ""),
        ("META", "2022-02-02 05:00:00", "2022-02-02 21:05:17", "date", ""),
        ("META", "2023-02-01 05:00:00", "2023-02-01 21:05:12", "date", ""),
    ]
    assert told(fresh_store, "fiscal_period", "first_known_at", "first_known_proven", "source") == [
        ("2021Q3", "2021-10-25 20:05:41", True, "edgar"),
        ("2021Q4", "2022-02-02 21:05:17", True, "edgar"),
        ("2022Q4", "2023-02-01 21:05:12", True, "edgar"),
    ]


def test_a_press_release_is_news_with_its_text_address_and_number(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    run(fresh_store)
    item = fresh_store.news().iloc[-1]
    assert item["title"] == "Meta Reports Fourth Quarter and Full Year 2022 Results"
    assert item["body"].startswith("Exhibit 99.1\nPRESS RELEASE\nMeta Reports")
    assert item["body"].endswith("Revenue was $32,165 million, a decrease of 4% year-over-year.")
    assert item["url"] == (
        "https://www.sec.gov/Archives/edgar/data/1326801/000132680123000010/ex991-000010.htm"
    )
    assert (item["provider"], item["item_id"]) == ("SEC EDGAR", "0001326801-23-000010")
    assert item["published_at"] == item["event_at"] == at("2023-02-01 21:05:12")
    assert (item["symbol"], item["link_how"], item["source"]) == ("META", "given", "edgar")


def test_the_header_counts_and_not_the_mark_of_another_zone_in_the_list(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    """The list says 2023-02-01T16:05:12.000Z, five hours before it was."""
    run(fresh_store)
    raw = json.loads(fresh_store.revisions()["raw"].iloc[-1])
    assert raw["accepted_new_york"] == "2023-02-01T16:05:12"
    assert told(fresh_store, "announced_to")[-1] == ("2023-02-01 21:05:12",)


def test_clocks_that_change_within_the_range_are_followed(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    known(
        sec,
        report("0000001234-23-000001", "2023-03-10 16:05:00", "Acme Reports Results of the Year"),
        report("0000001234-23-000002", "2023-03-20 16:05:00", "Acme Reports Results of the Day"),
        report("0000001234-22-000009", "2022-11-04 16:05:00", "Acme Reports Results of the Fall"),
        report("0000001234-22-000010", "2022-11-14 16:05:00", "Acme Reports Results of the Month"),
    )
    run(fresh_store, ask("ACME"))
    assert told(fresh_store, "announced_from", "announced_to") == [
        ("2022-11-04 04:00:00", "2022-11-04 20:05:00"),
        ("2022-11-14 05:00:00", "2022-11-14 21:05:00"),
        ("2023-03-10 05:00:00", "2023-03-10 21:05:00"),
        ("2023-03-20 04:00:00", "2023-03-20 20:05:00"),
    ]


@pytest.mark.parametrize(
    ("accepted", "public"),
    [
        ("2023-03-01 17:29:59", "2023-03-01 22:29:59"),
        ("2023-03-01 17:30:00", "2023-03-02 11:00:00"),  # shown at 6:00 of the next day
        ("2023-03-03 18:02:00", "2023-03-06 11:00:00"),  # a Friday
    ],
)
def test_what_is_accepted_after_half_past_five_is_known_the_next_business_day(
    sec: FakeEdgar, fresh_store: Store, accepted: str, public: str
) -> None:
    known(sec, report("0000001234-23-000001", accepted, "Acme Reports First Quarter Results"))
    run(fresh_store, ask("ACME"))
    assert told(fresh_store, "announced_to", "first_known_at") == [(public, public)]
    assert read(fresh_store, "published_at") == [(public,)]
    event_at = read(fresh_store, "event_at")[0][0]
    assert event_at == f"{datetime.fromisoformat(accepted) + timedelta(hours=5)}"


@pytest.mark.parametrize(
    ("accepted", "period", "begins", "session"),
    [
        ("2023-03-01 08:00:00", date(2023, 3, 1), "2023-03-01 05:00:00", "pre"),
        ("2023-03-01 09:30:00", date(2023, 3, 1), "2023-03-01 05:00:00", "pre"),
        ("2023-03-01 09:30:01", date(2023, 3, 1), "2023-03-01 05:00:00", ""),
        ("2023-03-01 08:00:00", date(2023, 2, 28), "2023-02-28 05:00:00", ""),
        ("2023-03-01 16:05:00", date(2023, 2, 27), "2023-02-27 05:00:00", ""),
        # A quarter's last day is no day of a report: four business days are the deadline.
        ("2023-03-01 16:05:00", date(2022, 12, 31), "2023-02-23 05:00:00", ""),
        ("2023-03-01 16:05:00", date(2024, 3, 1), "2023-02-23 05:00:00", ""),
        ("2023-03-01 16:05:00", None, "2023-02-23 05:00:00", ""),
    ],
)
def test_the_day_that_a_report_names_begins_the_interval(
    sec: FakeEdgar,
    fresh_store: Store,
    accepted: str,
    period: date | None,
    begins: str,
    session: str,
) -> None:
    known(
        sec, report("0000001234-23-000001", accepted, "Acme Reports Record Results", period=period)
    )
    run(fresh_store, ask("ACME"))
    precision = "session" if session else "date"
    assert told(fresh_store, "announced_from", "session", "precision") == [
        (begins, session, precision)
    ]


def calendar_says(store: Store, begin: str, end: str, session: str) -> None:
    """Another source knows the part of the day."""
    record = EventRecord("ACME", at(begin), at(end), "session", session)  # type: ignore[arg-type]
    provenance = Provenance("calendar", "calendar", session, NOW)
    store.ingest(RecordBatch(provenance, [record]))


def test_with_a_calendar_that_says_after_the_close_five_minutes_are_left(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    known(sec, report("0000001234-23-000001", "2023-03-01 16:05:12", "Acme Reports Record Results"))
    calendar_says(fresh_store, "2023-03-01 21:00", "2023-03-02 05:00", "post")
    run(fresh_store, ask("ACME"))
    assert told(fresh_store, "announced_from", "announced_to", "session", "revisions") == [
        ("2023-03-01 21:00:00", "2023-03-01 21:05:12", "post", 2)
    ]
    roles = {role.source: role.role for role in fresh_store.explain(1).roles}
    assert roles["calendar"].startswith("chosen")
    assert "not later" in roles["edgar"]


def test_on_a_half_day_the_evening_begins_at_one(sec: FakeEdgar, fresh_store: Store) -> None:
    known(sec, report("0000001234-22-000001", "2022-11-25 13:05:00", "Acme Reports Record Results"))
    calendar_says(fresh_store, "2022-11-25 18:00", "2022-11-26 05:00", "post")
    run(fresh_store, ask("ACME"))
    assert told(fresh_store, "announced_from", "announced_to") == [
        ("2022-11-25 18:00:00", "2022-11-25 18:05:00")
    ]


def test_an_amendment_is_news_and_no_second_release(sec: FakeEdgar, fresh_store: Store) -> None:
    known(
        sec,
        report("0000001234-23-000001", "2023-03-01 16:05:00", "Acme Reports First Quarter Results"),
        report("0000001234-23-000002", "2023-03-20 09:00:00", form="8-K/A"),
    )
    run(fresh_store, ask("ACME"))
    assert told(fresh_store, "announced_to") == [("2023-03-01 21:05:00",)]
    assert read(fresh_store, "title") == [
        ("Acme Reports First Quarter Results",),
        ("FORM 8-K/A item 2.02: Acme Corp",),
    ]


def test_other_items_are_asked_for_by_name_and_are_no_releases(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    known(
        sec,
        report("0000001234-23-000001", "2023-03-01 16:05:00", "Acme Reports Record Results"),
        report("0000001234-23-000002", "2023-03-20 09:00:00", items=("5.02", "7.01")),
        report("0000001234-23-000003", "2023-03-21 09:00:00", items=("1.01",)),
    )
    run(fresh_store, ask("ACME"), source=edgar(item="2.02,7.01"))
    assert read(fresh_store, "title") == [
        ("Acme Reports Record Results",),
        ("FORM 8-K item 5.02, 7.01: Acme Corp",),
    ]
    assert len(fresh_store.events()) == 1
    run(fresh_store, ask("ACME"), source=edgar(item="all"))
    assert len(fresh_store.news()) == 3
    run(fresh_store, ask("ACME"), source=edgar(form="10-Q"))
    assert len(fresh_store.news()) == 3


def test_without_an_exhibit_the_report_itself_is_read(sec: FakeEdgar, fresh_store: Store) -> None:
    told_inside = wrapped("8-K", "r.htm", "<html><p>On March 1 Acme announced sales.</p></html>")
    known(
        sec,
        replace(report("0000001234-23-000001", "2023-03-01 16:05:00"), documents=[told_inside]),
        replace(report("0000001234-23-000002", "2023-03-20 16:05:00"), documents=[]),
    )
    said: list[str] = []
    run(fresh_store, ask("ACME"), say=said.append)
    assert read(fresh_store, "title", "body") == [
        ("FORM 8-K item 2.02: Acme Corp", "On March 1 Acme announced sales."),
        ("FORM 8-K item 2.02: Acme Corp", ""),
    ]
    assert said == ["0000001234-23-000002: it has no text that can be read"]


def test_the_press_release_is_read_and_not_the_slides(sec: FakeEdgar, fresh_store: Store) -> None:
    filing = report("0000001234-23-000001", "2023-03-01 16:05:00", "Acme Reports Record Results")
    others = [
        wrapped("EX-99.2", "slides.htm", "<html><p>Slides for the call on results</p></html>"),
        Document("EX-99.1", "a.pdf", b"%PDF-1.4"),
        *filing.documents,
    ]
    known(sec, replace(filing, documents=others))
    run(fresh_store, ask("ACME"))
    assert read(fresh_store, "title") == [("Acme Reports Record Results",)]


# -- who is asked for --------------------------------------------------------------------------


def test_a_company_with_two_tickers_has_one_item_linked_to_both(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    google = report("0001652044-23-000001", "2023-02-02 16:01:00", "Alphabet Announces Results Now")
    sec.companies[1652044] = Company(1652044, "Alphabet Inc.", ["GOOGL", "GOOG"], [google])
    run(fresh_store, ask("GOOGL"), ask("GOOG"))
    news = fresh_store.news()
    assert (news["news_id"].nunique(), set(news["symbol"])) == (1, {"GOOG", "GOOGL"})
    assert sorted(told(fresh_store, "symbol")) == [("GOOG",), ("GOOGL",)]


def test_a_class_of_shares_is_found_by_either_spelling(sec: FakeEdgar, fresh_store: Store) -> None:
    sec.companies[7] = Company(7, "Berkshire", ["BRK-B"], [])
    assert run(fresh_store, ask("BRK.B"), ask("BRK-B")).unknown == {}


def test_a_renamed_company_is_asked_for_by_its_ticker_of_today(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    fresh_store.add_instrument("FB")
    fresh_store.rename("FB", "META", date(2022, 6, 9))
    said: list[str] = []
    run(fresh_store, ask("FB"), say=said.append)
    assert said == ["FB is called META today, and is asked for as such"]
    assert fresh_store.events()["instrument_id"].nunique() == 1
    assert set(read(fresh_store, "symbol", "published_at")) == {
        ("FB", "2021-10-25 20:05:41"),
        ("FB", "2022-02-02 21:05:17"),
        ("META", "2023-02-01 21:05:12"),
    }


def test_an_unknown_ticker_leaves_the_others_alone(sec: FakeEdgar, fresh_store: Store) -> None:
    outcome = run(fresh_store, ask("NOPE"), ask("META"))
    (why,) = outcome.unknown.values()
    assert why.startswith("the SEC lists no company with the ticker NOPE today (try: --cik NOPE=")
    assert outcome.stopped is None
    assert len(fresh_store.events()) == 3


def test_a_company_that_is_listed_no_more_is_asked_for_by_number(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    filing = report(
        "0001418091-22-000001", "2022-07-22 08:00:00", "Twitter Announces Results Today"
    )
    sec.companies[1418091] = Company(1418091, "Twitter", [], [filing])
    assert run(fresh_store, ask("TWTR")).unknown
    source = edgar(cik="TWTR=1418091,GONE=5")
    outcome = run(fresh_store, ask("TWTR"), ask("GONE"), source=source)
    assert outcome.unknown == {"GONE": "EDGAR knows no company with the number 5"}
    assert told(fresh_store, "symbol", "session") == [("TWTR", "pre")]


# -- what is asked, and how often ----------------------------------------------------------------


def test_every_request_on_the_wire_is_one_that_the_line_counted(sec: FakeEdgar) -> None:
    source = edgar()
    parts = list(source.fetch(ask()))
    assert [part.rows for part in parts] == [3]
    assert source.setup.line.requests == len(sec.requests) == 8
    assert {request.headers["user-agent"] for request in sec.requests} == {IDENTITY}


def test_the_pace_is_kept(sec: FakeEdgar) -> None:
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    line = Line(pace=edgar().pace, sleep=sleep, clock=lambda: now)
    source = edgar()
    list(type(source)(replace(source.setup, line=line)).fetch(ask()))
    assert now == pytest.approx((len(sec.requests) - 1) / 8)


def test_a_second_run_asks_for_no_filing_again(sec: FakeEdgar, fresh_store: Store) -> None:
    run(fresh_store)
    sec.requests.clear()
    later = NOW + timedelta(days=1)
    outcome = run(fresh_store, ask(until=later), now=later)
    assert paths(sec) == ["company_tickers.json", "CIK0001326801.json"]
    assert (came(outcome).added, len(fresh_store.events())) == (0, 3)


def test_asking_again_for_everything_changes_nothing(sec: FakeEdgar, fresh_store: Store) -> None:
    run(fresh_store)
    outcome = run(fresh_store, refresh=True)
    tally = came(outcome)
    assert (tally.added, tally.revised, tally.unchanged) == (0, 0, 6)
    assert (len(fresh_store.revisions()), len(fresh_store.news())) == (3, 3)


def test_the_newest_minutes_are_asked_for_again(sec: FakeEdgar, fresh_store: Store) -> None:
    """A list may show a filing minutes after it was accepted."""
    now = at("2023-03-01 21:08")
    run(fresh_store, ask("META", until=now), now=now)
    sec.companies[1326801].filings.append(
        report("0001326801-23-000099", "2023-03-01 16:05:00", "Meta Reports Results of the Day")
    )
    later = now + timedelta(minutes=30)
    run(fresh_store, ask("META", until=later), now=later)
    assert told(fresh_store, "announced_to")[-1] == ("2023-03-01 21:05:00",)


def test_older_pages_are_asked_for_where_the_range_needs_them(
    sec: FakeEdgar, fresh_store: Store
) -> None:
    sec.page = 1
    run(fresh_store, ask(since="2022-06-01"))
    assert not [path for path in paths(sec) if "submissions-" in path]
    run(fresh_store, ask(since="2022-01-01"))
    assert [path for path in paths(sec) if "submissions-" in path] == [
        "CIK0001326801-submissions-001.json"
    ]
    run(fresh_store)
    assert len(fresh_store.events()) == len(fresh_store.news()) == 3


def test_parts_cover_the_range_without_gaps_and_never_the_future(sec: FakeEdgar) -> None:
    known(
        sec,
        *(
            report(f"0000001234-22-{day:06d}", f"2022-03-{day:02d} 16:05:00", f"Acme Results {day}")
            for day in range(1, 12)
        ),
    )
    whole = ask("ACME", until=NOW + timedelta(days=9))
    parts = list(edgar().fetch(whole))
    assert [part.rows for part in parts] == [4, 4, 3]
    assert [part.since for part in parts] == [whole.since, *(part.until for part in parts[:-1])]
    assert parts[0].until == at("2022-03-05 05:00")
    assert parts[-1].until == NOW - timedelta(minutes=10)


def test_nothing_filed_is_an_answer(sec: FakeEdgar, fresh_store: Store) -> None:
    known(sec)
    outcome = run(fresh_store, ask("ACME"))
    assert outcome.complete
    assert (came(outcome).empty, len(fresh_store.events())) == (1, 0)


# -- who asks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", ["", "Ada", "ada@example.com", "Ada\nX: y", "Jörg j@x.org"])
def test_an_identity_is_required_and_explained(identity: str) -> None:
    with pytest.raises(UsageError, match="the SEC asks") as caught:
        edgar(identity=identity)
    assert "EDGAR_IDENTITY" in caught.value.hint


def test_the_identity_comes_from_the_environment_and_is_not_kept() -> None:
    kind = type(edgar())
    made = make(kind, options={}, environment={"EDGAR_IDENTITY": IDENTITY}, now=lambda: NOW)
    assert made.setup.options["identity"] == IDENTITY
    assert kept(made) == {"form": "8-K", "item": "2.02", "cik": ""}
    with pytest.raises(UsageError, match="the SEC asks every program to say who uses it"):
        make(kind, options={}, environment={}, now=lambda: NOW)


def test_the_identity_reaches_no_part_of_the_store(sec: FakeEdgar, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store", create=True) as store:
        run(store, ask(), ask("NOPE"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"ada@example.com" in path.read_bytes()]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"item": "earnings"}, "'earnings' is no item of an 8-K"),
        ({"cik": "TWTR"}, "'TWTR' is not TICKER=NUMBER"),
        ({"cik": "TWTR=../1"}, "is not TICKER=NUMBER"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words.replace(".", r"\.")):
        edgar(**options)


# -- manners ---------------------------------------------------------------------------------------

SCRIPT = """
import sys
from db.sources.online.edgar import SOURCE
assert not {"edgar", "httpx", "pandas"} & set(sys.modules)
from tests.db.sources.online.edgar_case import ask, edgar
print(sum(part.rows for part in edgar().fetch(ask())))
"""


def test_it_prints_nothing_and_writes_nothing_into_the_home_folder(
    sec: FakeEdgar, tmp_path: Path, root: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if "EDGAR_LOCAL" not in name}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=root,
        env={**environment, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_edgartools_is_named_with_its_extra(
    sec: FakeEdgar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "edgar", None)
    door.library.cache_clear()
    try:
        with pytest.raises(MissingExtraError, match=r"aftershock\[edgar\]"):
            next(edgar().fetch(ask()))
    finally:
        monkeypatch.undo()
        door.library.cache_clear()


def test_a_notebooks_own_use_of_edgartools_keeps_its_ways(sec: FakeEdgar) -> None:
    library = door.library()
    theirs = library.http.HTTP_MGR
    list(edgar().fetch(ask()))
    assert library.http.HTTP_MGR is theirs
    assert "mounts" not in theirs.httpx_params


def test_times_are_aware(sec: FakeEdgar) -> None:
    for part in edgar().fetch(ask()):
        assert part.since.tzinfo is UTC
        for batch in part.batches:
            assert batch.provenance.fetched_at == NOW
            assert batch.provenance.options == {"form": "8-K", "item": "2.02"}
