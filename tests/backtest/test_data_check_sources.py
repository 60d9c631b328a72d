"""`data check`: what sources were asked for and had not, and where they contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backtest.data_check import COLUMNS, check
from db.batches import TextFact
from db.fetch_ledger import Answer, Stream
from tests.tiny_store import TinyStore, flat_days, guidance, headline, ny

ALL = ("pre", "regular", "post")


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def findings(tiny: TinyStore, kind: str) -> list[tuple[str, str, str]]:
    """(symbol, date, finding) of each finding of a kind."""
    frame = check(tiny.store)
    assert list(frame.columns) == COLUMNS
    rows = frame[frame["check"] == kind]
    return [tuple(row) for row in rows[["symbol", "date", "finding"]].to_numpy()]


def asked(tiny: TinyStore, symbol: str, since: str, until: str, **more: Any) -> None:
    """Note that all of a range came from "file", whatever is stored."""
    interval, phases = more.pop("interval", "1m"), more.pop("phases", ("regular",))
    stream = Stream("yahoo", more.pop("kind", "prices"), symbol, interval, phases)
    number = more.pop("instrument_id", tiny.store.resolve(symbol))
    answer = Answer(
        ny(since),
        ny(until),
        more.pop("status", "done"),
        stored_as=more.pop("stored_as", "file"),
        instrument_id=number,
    )
    tiny.store.note_fetch(stream, answer)


MINUTES = """
    2019-01-29 08:00  20
               09:30  20
               15:59  20
               16:30  20
    2019-01-30 09:30  20
               15:59  20
"""


def test_what_was_never_asked_for_is_not_missed(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    assert findings(tiny, "asked") == []


def test_what_came_is_not_missed(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    asked(tiny, "AMD", "2019-01-29 00:00", "2019-01-31 00:00")
    assert findings(tiny, "asked") == []


def test_a_phase_without_a_bar_is_found_by_day(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    asked(tiny, "AMD", "2019-01-29 00:00", "2019-02-01 00:00", phases=ALL)
    assert findings(tiny, "asked") == [
        (
            "AMD",
            "2019-01-30",
            "file had no 1m pre bars on 2 of 3 sessions asked for: 2019-01-30, 2019-01-31",
        ),
        (
            "AMD",
            "2019-01-31",
            "file had no 1m regular bars on 1 of 3 sessions asked for: 2019-01-31",
        ),
        (
            "AMD",
            "2019-01-30",
            "file had no 1m post bars on 2 of 3 sessions asked for: 2019-01-30, 2019-01-31",
        ),
    ]


def test_the_closing_auction_alone_is_no_evening(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES.replace("16:30", "16:00"))
    asked(tiny, "AMD", "2019-01-29 00:00", "2019-01-30 00:00", phases=("post",))
    (finding,) = findings(tiny, "asked")
    assert finding[:2] == ("AMD", "2019-01-29")


def test_many_days_are_counted_and_three_are_named(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    asked(tiny, "AMD", "2019-01-31 00:00", "2019-02-09 00:00")
    assert findings(tiny, "asked") == [
        (
            "AMD",
            "2019-01-31",
            (
                "file had no 1m regular bars on 7 of 7 sessions asked for: "
                "2019-01-31, 2019-02-01, 2019-02-04 and 4 more"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("since", "until", "missed"),
    [
        ("2019-02-04 09:30", "2019-02-04 16:00", True),
        ("2019-02-04 09:31", "2019-02-04 16:00", False),
        ("2019-02-04 09:30", "2019-02-04 15:59", False),
        ("2019-02-02 00:00", "2019-02-03 23:00", False),  # a weekend
    ],
)
def test_a_session_that_was_not_asked_for_whole_is_not_judged(
    tiny: TinyStore, since: str, until: str, missed: bool
) -> None:
    tiny.bars("AMD", MINUTES)
    asked(tiny, "AMD", since, until)
    assert bool(findings(tiny, "asked")) is missed


def test_a_session_asked_for_in_two_halves_was_asked_for_whole(tiny: TinyStore) -> None:
    """Somebody who updates every day at noon."""
    tiny.bars("AMD", MINUTES)
    for since, until in (("2019-02-05", "2019-02-06"), ("2019-02-04", "2019-02-05")):
        asked(tiny, "AMD", f"{since} 12:00", f"{until} 12:00")
    (finding,) = findings(tiny, "asked")
    assert finding[:2] == ("AMD", "2019-02-05")
    assert "on 1 of 1 sessions" in finding[2]


def test_halves_of_other_phases_do_not_make_a_whole(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    asked(tiny, "AMD", "2019-02-04 00:00", "2019-02-04 12:00", phases=ALL)
    asked(tiny, "AMD", "2019-02-04 12:00", "2019-02-05 00:00", phases=("post",))
    assert "regular" not in " ".join(text for *_, text in findings(tiny, "asked"))


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_a_request_that_failed_is_no_answer(tiny: TinyStore, status: str) -> None:
    tiny.bars("AMD", MINUTES)
    asked(tiny, "AMD", "2019-02-04 00:00", "2019-02-05 00:00", status=status)
    assert findings(tiny, "asked") == []


def test_an_answer_about_something_else_is_none_about_prices(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES)
    asked(tiny, "AMD", "2019-02-04 00:00", "2019-02-05 00:00", kind="news")
    assert findings(tiny, "asked") == []


def test_bars_of_another_source_do_not_stand_in(tiny: TinyStore) -> None:
    tiny.bars("AMD", MINUTES, source="other")
    asked(tiny, "AMD", "2019-01-29 00:00", "2019-01-31 00:00")
    (finding,) = findings(tiny, "asked")
    assert "file had no 1m regular bars on 2 of 2" in finding[2]


def test_days_are_looked_for_by_date(tiny: TinyStore) -> None:
    tiny.daily("AMD", "2019-01-29 20\n2019-01-31 20")
    asked(tiny, "AMD", "2019-01-29 00:00", "2019-02-01 00:00", interval="1d")
    (finding,) = findings(tiny, "asked")
    assert finding[1:] == (
        "2019-01-30",
        "file had no 1d regular bars on 1 of 3 sessions asked for: 2019-01-30",
    )


def test_a_half_day_s_evening_is_its_own(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-11-29 12:59 20\n16:59 20")
    asked(tiny, "AMD", "2019-11-29 00:00", "2019-11-29 17:00", phases=ALL)
    assert [text for *_, text in findings(tiny, "asked")] == [
        "file had no 1m pre bars on 1 of 1 sessions asked for: 2019-11-29"
    ]


def test_a_stock_of_which_nothing_at_all_came_is_named(tiny: TinyStore) -> None:
    """No instrument was made of it: there was nothing to make it for."""
    asked(tiny, "ZZZ", "2019-01-29 00:00", "2019-02-01 00:00")
    (finding,) = findings(tiny, "asked")
    assert finding[:2] == ("ZZZ", "2019-01-29")
    assert "on 3 of 3 sessions" in finding[2]


def test_what_was_asked_for_before_the_first_bar_came_counts_too(tiny: TinyStore) -> None:
    asked(tiny, "AMD", "2019-01-28 00:00", "2019-01-29 00:00")
    tiny.bars("AMD", MINUTES)
    asked(tiny, "AMD", "2019-01-29 00:00", "2019-01-30 00:00")
    (finding,) = findings(tiny, "asked")
    assert finding[:2] == ("AMD", "2019-01-28")
    assert "on 1 of 2 sessions" in finding[2]


def test_only_the_chosen_symbols_answers_are_looked_at(tiny: TinyStore) -> None:
    for name in ("AMD", "INTC"):
        tiny.bars(name, MINUTES)
        asked(tiny, name, "2019-02-04 00:00", "2019-02-05 00:00")
    frame = check(tiny.store, symbols=["INTC"])
    assert frame[frame["check"] == "asked"]["symbol"].tolist() == ["INTC"]


def two(tiny: TinyStore, one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What is found where two sources tell of one release: the texts alone."""
    base = {"when": "2019-01-29", "session": "post"}
    for source, fields in (("page", one), ("calendar", other)):
        tiny.release("AMD", **{**base, **fields}, source=source)
    return [text for _, _, text in findings(tiny, "sources")]


def test_sources_that_agree_are_not_mentioned(tiny: TinyStore) -> None:
    figures = {"eps_actual": 0.08, "revenue_actual": 1.42e9, "fiscal_period": "2018Q4"}
    exact = {**figures, "when": "2019-01-29 16:15:00", "session": None, "fiscal_period": "4Q18"}
    assert two(tiny, exact, figures) == []


def test_one_source_that_corrects_itself_is_no_disagreement(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", eps_actual=0.08)
    tiny.release("AMD", "2019-01-29", "pre", eps_actual=0.09, fetched=ny("2024-01-02 12:00"))
    assert findings(tiny, "sources") == []


def test_the_newest_words_are_compared(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", eps_actual=0.05, source="page")
    tiny.release("AMD", "2019-01-29", "post", eps_actual=0.08, source="calendar")
    later = ny("2024-01-02 12:00")
    tiny.release("AMD", "2019-01-29", "post", eps_actual=0.08, source="page", fetched=later)
    assert findings(tiny, "sources") == []


def test_another_day_is_found(tiny: TinyStore) -> None:
    found = two(tiny, {"when": "2019-01-28"}, {})
    assert found == ["released 2019-01-29 post (calendar), 2019-01-28 post (page)"]
    ((symbol, day, _),) = findings(tiny, "sources")
    assert (symbol, day) in {("AMD", "2019-01-28"), ("AMD", "2019-01-29")}


def test_an_evening_and_the_next_morning_are_found(tiny: TinyStore) -> None:
    """The most usual disagreement of all; the two meet at midnight, and agree on nothing."""
    assert two(tiny, {"when": "2019-01-30", "session": "pre"}, {}) == [
        "released 2019-01-29 post (calendar), 2019-01-30 pre (page)"
    ]


def test_a_morning_and_the_session_it_leads_to_are_found(tiny: TinyStore) -> None:
    assert len(two(tiny, {"session": "pre"}, {"session": "regular"})) == 1


def test_an_instant_outside_of_the_evening_is_found_and_one_at_its_edge_is_not(
    tiny: TinyStore,
) -> None:
    assert two(tiny, {"when": "2019-01-29 16:00:00", "session": None}, {}) == []


def test_an_instant_before_the_evening_is_found(tiny: TinyStore) -> None:
    found = two(tiny, {"when": "2019-01-29 15:59:59", "session": None}, {})
    assert found == ["released 2019-01-29 post (calendar), 2019-01-29 15:59:59 (page)"]


def test_a_whole_day_agrees_with_its_evening(tiny: TinyStore) -> None:
    assert two(tiny, {"session": ""}, {}) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("2018Q4", "4Q18", 0),
        ("2018Q4", "2019Q4", 1),
        ("2018Q4", "", 0),
        ("2018-12", "2018Q4", 0),  # the month it ends in: nobody knows the fiscal year
        ("Q4", "2018Q4", 0),  # no year to compare
        ("2018FY", "2018Q4", 0),
    ],
)
def test_periods_are_compared_as_what_they_mean(
    tiny: TinyStore, one: str, other: str, found: int
) -> None:
    texts = two(tiny, {"fiscal_period": one}, {"fiscal_period": other})
    assert len(texts) == found
    assert all(one in text and other in text for text in texts)


@pytest.mark.parametrize(("label", "found"), [("2018-12", 0), ("2018-09", 1)])
def test_months_are_compared_where_the_fiscal_year_is_known(
    tiny: TinyStore, label: str, found: int
) -> None:
    tiny.store.add_instrument("AMD", fiscal_year_end=9)
    assert len(two(tiny, {"fiscal_period": label}, {"fiscal_period": "2019Q1"})) == found


@pytest.mark.parametrize(
    ("name", "one", "other", "found"),
    [
        ("eps_actual", 0.08, 0.085, False),  # rounded to a cent
        ("eps_actual", 0.08, 0.09, True),
        ("eps_actual", 0.08, None, False),
        ("eps_actual", -0.08, 0.08, True),
        ("eps_estimate", 0.08, 0.10, True),
        ("revenue_actual", 1.42e9, 1.419e9, False),
        ("revenue_actual", 1.42e9, 1.40e9, True),
        ("revenue_estimate", 1.42e9, 1.40e9, True),
        ("revenue_actual", 0.0, 0.0, False),
    ],
)
def test_figures_may_differ_by_rounding(
    tiny: TinyStore, name: str, one: float, other: float | None, found: bool
) -> None:
    texts = two(tiny, {name: one}, {name: other})
    assert bool(texts) is found
    words = name.replace("eps", "EPS").replace("_actual", "").replace("_", " ")
    assert all(text.startswith(f"{words} ") for text in texts)


def test_three_sources_are_compared_in_pairs(tiny: TinyStore) -> None:
    for source, eps in (("a", 0.1), ("b", 0.2), ("c", 0.3)):
        tiny.release("AMD", "2019-01-29", "post", eps_actual=eps, source=source)
    assert [text for *_, text in findings(tiny, "sources")] == [
        "EPS 0.1 (a), 0.2 (b)",
        "EPS 0.1 (a), 0.3 (c)",
        "EPS 0.2 (b), 0.3 (c)",
    ]


def test_only_the_chosen_symbols_sources_are_compared(tiny: TinyStore) -> None:
    for name in ("AMD", "INTC"):
        for source, eps in (("a", 0.1), ("b", 0.2)):
            tiny.release(name, "2019-01-29", "post", eps_actual=eps, source=source)
    frame = check(tiny.store, symbols=["AMD"])
    assert frame[frame["check"] == "sources"]["symbol"].tolist() == ["AMD"]


def outlooks(tiny: TinyStore, *said: tuple[str, float | None, float | None]) -> list[Any]:
    tiny.release("AMD", "2019-01-29 16:05:00")
    for source, low, high in said:
        told = guidance("AMD", "2019-01-29 16:05:00", middle=0, low=low, high=high)
        tiny.take([told], source=source)
    return findings(tiny, "guidance")


def test_one_outlook_of_two_sources_is_no_finding(tiny: TinyStore) -> None:
    assert outlooks(tiny, ("a", 100.0, 110.0), ("b", 100.0, 110.0)) == []


def test_outlooks_that_differ_are_listed_with_their_sources(tiny: TinyStore) -> None:
    assert outlooks(tiny, ("a", 100.0, 110.0), ("b", 1.2e9, 1.2e9)) == [
        (
            "AMD",
            "2019-01-29",
            "revenue next: 100 to 110 USD (a), 1,200,000,000 USD (b)",
        )
    ]


def test_an_outlook_with_one_bound_is_equal_to_another_such(tiny: TinyStore) -> None:
    assert outlooks(tiny, ("a", 100.0, None), ("b", 100.0, None)) == []


def test_a_bound_that_is_missing_is_not_shown_as_a_number(tiny: TinyStore) -> None:
    ((_, _, text),) = outlooks(tiny, ("a", 100.0, None), ("b", None, 110.0))
    assert "nan" not in text
    assert text == "revenue next: at least 100 USD (a), at most 110 USD (b)"


def test_figures_that_rounding_alone_tells_apart_are_one(tiny: TinyStore) -> None:
    assert outlooks(tiny, ("a", 0.1 + 0.2, 0.4), ("b", 0.3, 0.4)) == []


def test_an_outlook_in_a_text_is_listed_with_its_item(tiny: TinyStore) -> None:
    outlook = TextFact("revenue", "guidance", 90.0, 95.0, "USD", period="next", symbol="AMD")
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([guidance("AMD", "2019-01-29 16:05:00", middle=105.0)], source="analysts")
    for hour in (17, 18):
        one = headline(f"Told at {hour}", f"2019-01-29 {hour}:00", "AMD", facts=[outlook])
        tiny.take([one], source="feed")
    ((_, _, text),) = findings(tiny, "guidance")
    assert text == "revenue next: 100 to 110 USD (analysts), 90 to 95 USD (feed, item 1)"


def test_a_store_without_answers_or_sources_has_none_of_these_findings(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days("2019-01-02", "2019-02-28", 20.0))
    tiny.release("AMD", "2019-01-29", "post", eps_actual=1.0)
    assert check(tiny.store).empty
