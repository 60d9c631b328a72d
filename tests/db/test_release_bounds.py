"""The release interval: the most precise word, cut by what other sources bound."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records.event_merge import merged
from tests.db.build import FETCHED, at, event, records

# New York's January 29: midnight, open, close and the next midnight, in UTC.
MIDNIGHT, OPEN, CLOSE, NEXT = (
    "2020-01-29 05:00",
    "2020-01-29 14:30",
    "2020-01-29 21:00",
    "2020-01-30 05:00",
)
NEXT_OPEN = "2020-01-30 14:30"
BEFORE = "2020-01-28 05:00"


def say(store: Any, source: str, since: str, until: str, *, day: int = 0, **fields: Any) -> None:
    """One source's word, fetched ``day`` days after the first."""
    told = event("AMD", since, until, **fields)
    store.ingest(
        records(
            f"{source} {since} {until} {day}",
            [told],
            source=source,
            fetched_at=FETCHED + timedelta(days=day),
        )
    )


def exact(store: Any, source: str, when: str, *, day: int = 0) -> None:
    say(store, source, when, when, precision="exact", session="", day=day)


def interval(store: Any, **asked: Any) -> tuple[str, str, str]:
    """(from, to, precision) of the one event."""
    (row,) = store.events(**asked).to_dict("records")
    return (
        f"{row['announced_from']:%Y-%m-%d %H:%M}",
        f"{row['announced_to']:%Y-%m-%d %H:%M}",
        row["precision"],
    )


def test_a_filing_ends_an_evening_that_a_calendar_leaves_open(store: Any) -> None:
    say(store, "calendar", CLOSE, NEXT)
    say(store, "edgar", MIDNIGHT, "2020-01-29 21:05")
    assert interval(store) == (CLOSE, "2020-01-29 21:05", "session")


def test_the_order_in_which_words_come_does_not_matter(store: Any) -> None:
    words = [
        ("calendar", CLOSE, NEXT),
        ("edgar", MIDNIGHT, "2020-01-29 21:30"),
        ("wire", "2020-01-29 20:55", "2020-01-29 21:10"),
    ]
    found = set()
    for number, order in enumerate(permutations(words)):
        for day, (source, since, until) in enumerate(order):
            told = event(f"S{number}", since, until)
            name = f"{number} {source}"
            when = FETCHED + timedelta(days=day)
            store.ingest(records(name, [told], source=source, fetched_at=when))
    for row in store.events().itertuples():
        found.add((row.announced_from, row.announced_to))
    assert found == {(at(CLOSE), at("2020-01-29 21:10"))}


def test_an_exact_word_stands(store: Any) -> None:
    exact(store, "wire", "2020-01-29 21:15")
    say(store, "calendar", CLOSE, NEXT, day=1)
    assert interval(store) == ("2020-01-29 21:15", "2020-01-29 21:15", "exact")


def test_an_exact_word_stands_even_where_a_filing_was_accepted_before(store: Any) -> None:
    exact(store, "wire", "2020-01-29 21:15")
    say(store, "edgar", CLOSE, "2020-01-29 21:05", day=1)
    assert interval(store) == ("2020-01-29 21:15", "2020-01-29 21:15", "exact")


def test_a_whole_day_never_widens(store: Any) -> None:
    say(store, "calendar", CLOSE, NEXT)
    say(store, "page", MIDNIGHT, NEXT, precision="date", session="", day=1)
    assert interval(store) == (CLOSE, NEXT, "session")


def test_a_day_in_another_time_zone_cuts_as_well(store: Any) -> None:
    """UTC's January 29 is over at 19:00 in New York."""
    say(store, "calendar", CLOSE, NEXT)
    say(store, "page", "2020-01-29 00:00", "2020-01-30 00:00", precision="date", session="")
    assert interval(store) == (CLOSE, "2020-01-30 00:00", "session")


@pytest.mark.parametrize("newest", ["evening", "morning"])
def test_an_evening_and_the_next_morning_contradict_each_other(store: Any, newest: str) -> None:
    """They meet at midnight alone: nothing was released at that very instant."""
    words = {"evening": (CLOSE, NEXT, "post"), "morning": (NEXT, NEXT_OPEN, "pre")}
    order = sorted(words, key=lambda name: name == newest)
    for day, name in enumerate(order):
        since, until, session = words[name]
        say(store, name, since, until, session=session, day=day)
    since, until, _ = words[newest]
    assert interval(store) == (since, until, "session")


def test_the_day_before_does_not_cut_the_morning_to_its_first_instant(store: Any) -> None:
    say(store, "page", MIDNIGHT, NEXT, precision="date", session="")
    say(store, "calendar", NEXT, NEXT_OPEN, session="pre", day=1)
    assert interval(store) == (NEXT, NEXT_OPEN, "session")


def test_a_morning_and_the_hours_that_follow_contradict_each_other(store: Any) -> None:
    close = "2020-01-29 20:59"
    say(store, "one", MIDNIGHT, OPEN, session="pre")
    say(store, "two", OPEN, close, session="regular", day=1)
    assert interval(store) == (OPEN, close, "session")


def test_another_day_cuts_nothing(store: Any) -> None:
    say(store, "calendar", CLOSE, NEXT)
    say(store, "page", "2020-01-28 05:00", "2020-01-29 05:00", precision="date", session="")
    assert interval(store) == (CLOSE, NEXT, "session")


def test_words_that_contradict_each_other_do_not_cut_either(store: Any) -> None:
    """Both meet the evening, and not each other: one of them is wrong, and who knows which."""
    say(store, "one", "2020-01-29 20:00", "2020-01-29 22:00", precision="date", session="")
    say(store, "two", "2020-01-29 23:00", NEXT, precision="date", session="")
    say(store, "calendar", CLOSE, NEXT, day=1)
    assert interval(store) == (CLOSE, NEXT, "session")


def test_words_that_meet_in_one_instant_do_not_make_an_instant(store: Any) -> None:
    say(store, "one", CLOSE, "2020-01-29 22:00", precision="date", session="")
    say(store, "two", "2020-01-29 22:00", NEXT, precision="date", session="")
    say(store, "calendar", CLOSE, NEXT, day=1)
    assert interval(store) == (CLOSE, NEXT, "session")


def test_of_each_source_the_newest_word_counts(store: Any) -> None:
    say(store, "edgar", MIDNIGHT, "2020-01-29 21:05")
    say(store, "edgar", MIDNIGHT, "2020-01-29 21:45", day=1)
    say(store, "calendar", CLOSE, NEXT, day=2)
    assert interval(store) == (CLOSE, "2020-01-29 21:45", "session")


def test_what_was_not_known_yet_cuts_nothing(store: Any) -> None:
    say(store, "calendar", CLOSE, NEXT)
    say(store, "edgar", MIDNIGHT, "2020-01-29 21:05", day=2)
    assert interval(store, as_of=FETCHED + timedelta(days=1)) == (CLOSE, NEXT, "session")
    assert interval(store, as_of=FETCHED + timedelta(days=2))[1] == "2020-01-29 21:05"


def test_a_row_is_known_since_all_that_cut_it_was(store: Any) -> None:
    """Read as of that instant, the interval is the same; just before, it is another."""
    say(store, "calendar", CLOSE, NEXT)
    day = {"precision": "date", "session": ""}
    say(store, "page", "2020-01-29 00:00", "2020-01-30 00:00", day=2, **day)
    (row,) = store.events().to_dict("records")
    known = row["first_known_at"]
    assert known == FETCHED + timedelta(days=2)
    assert interval(store, as_of=known) == interval(store)
    assert interval(store, as_of=known - timedelta(microseconds=1)) != interval(store)


def test_one_event_s_bounds_are_not_another_s(store: Any) -> None:
    say(store, "calendar", CLOSE, NEXT)
    other = event("INTC", MIDNIGHT, "2020-01-29 21:05")
    store.ingest(records("intc", [other], source="edgar"))
    assert store.events(symbols=["AMD"])["announced_to"].tolist() == [at(NEXT)]


HOUR = st.integers(0, 12)
WORD = st.tuples(HOUR, HOUR, st.sampled_from(["date", "session", "exact"]))


@given(words=st.lists(WORD, min_size=1, max_size=4))
def test_the_interval_lies_within_the_chosen_one_and_is_as_long_as_can_be(
    words: list[tuple[int, int, str]],
) -> None:
    """Against a model in whole hours: one word a source, the last the newest."""
    import pandas as pd

    from db.records.event_merge import _bounds

    base = at("2020-01-29 12:00")
    rows = []
    for number, (one, other, precision) in enumerate(words):
        begin, end = sorted((one, other))
        end = begin if precision == "exact" else end + 1
        rows.append((1, f"s{number}", begin, end, precision))
    said = pd.DataFrame(rows, columns=["event_id", "source", "begin", "end", "precision"])
    for name, hours in (("announced_from", "begin"), ("announced_to", "end")):
        said[name] = [base + timedelta(hours=n) for n in said[hours]]
    rank = {"date": 0, "session": 1, "exact": 2}
    best = max(rows, key=lambda row: (rank[row[4]], row[1]))
    release = said[said["source"] == best[1]].set_index("event_id")
    (found,) = _bounds(said, release).to_dict("records")

    begin, end = best[2], best[3]
    if best[4] != "exact":
        inside = set(range(begin, end))
        said_hours = [set(range(r[2], r[3])) for r in rows]
        common = set.intersection(inside, *(one for one in said_hours if one & inside))
        if common:
            begin, end = min(common), max(common) + 1
    assert found["announced_from"] == base + timedelta(hours=begin)
    assert found["announced_to"] == base + timedelta(hours=end)


def test_an_empty_store_has_no_event(store: Any) -> None:
    with store._database.read() as connection:
        assert merged(connection, "earnings", None, None).empty


def test_a_filing_that_was_out_rules_out_a_source_that_lets_the_release_begin_later(
    store: Any,
) -> None:
    accepted = "2020-01-29 13:00"  # 08:00 in New York
    say(
        store, "edgar", MIDNIGHT, accepted, precision="date", session="",
        first_known_at=at(accepted),
    )  # fmt: skip
    say(store, "page", CLOSE, NEXT, day=1)
    assert interval(store) == (MIDNIGHT, accepted, "date")


def test_a_source_may_correct_what_it_had_proven_itself(store: Any) -> None:
    first = "2020-01-28 21:05"
    say(store, "wire", first, first, precision="exact", session="", first_known_at=at(first))
    exact(store, "wire", "2020-01-29 21:05", day=1)
    assert interval(store) == ("2020-01-29 21:05", "2020-01-29 21:05", "exact")
