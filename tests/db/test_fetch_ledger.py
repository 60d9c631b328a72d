"""The memory of what online sources were asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest

from db.errors import StoreError
from db.fetch_ledger import Answer, Stream
from tests.db.build import at
from tests.db.conftest import NOW, Place

ALL = ("pre", "regular", "post")
AMD = Stream("yahoo", "prices", "AMD", "1m", ("regular",))
JAN, FEB = at("2024-01-02 14:30"), at("2024-02-01 14:30")


def answer(since: datetime = JAN, until: datetime = FEB, **more: Any) -> Answer:
    return Answer(since, until, more.pop("status", "done"), **more)


def test_an_answer_is_read_back_as_it_was_noted(store: Any) -> None:
    number = store.add_instrument("AMD")
    stream = replace(AMD, phases=ALL, options={"feed": "sip"})
    store.note_fetch(
        stream, answer(rows=390, note="cut", stored_as="yahoo-raw", instrument_id=number)
    )
    row = store.fetches().iloc[0].to_dict()
    assert row == {
        "fetch_id": row["fetch_id"],
        "source": "yahoo",
        "stored_as": "yahoo-raw",
        "kind": "prices",
        "subject": "AMD",
        "instrument_id": number,
        "interval": "1m",
        "phases": "pre,regular,post",
        "since": JAN,
        "until": FEB,
        "status": "done",
        "rows": 390,
        "note": "cut",
        "fetched_at": NOW,
    }
    assert store.answered(stream) == [(JAN, FEB, NOW)]


def test_what_an_answer_leaves_out_has_its_usual_value(store: Any) -> None:
    store.note_fetch(Stream("yahoo", "news", "AMD"), answer())
    row = store.fetches().iloc[0]
    assert (row["stored_as"], row["interval"], row["phases"], row["note"]) == ("yahoo", "", "", "")
    assert row["instrument_id"] is pd.NA


def test_an_empty_ledger_has_the_same_columns(store: Any) -> None:
    empty = store.fetches()
    store.note_fetch(AMD, answer())
    pd.testing.assert_series_equal(empty.dtypes, store.fetches().dtypes)
    assert str(empty["since"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    "other",
    [
        replace(AMD, source="alpaca"),
        replace(AMD, kind="news"),
        replace(AMD, subject="INTC"),
        replace(AMD, interval="5m"),
        replace(AMD, phases=ALL),
        replace(AMD, phases=("post",)),
        replace(AMD, options={"feed": "sip"}),
    ],
)
def test_an_answer_to_something_else_is_none(store: Any, other: Stream) -> None:
    store.note_fetch(AMD, answer())
    assert store.answered(other) == []
    assert len(store.answered(AMD)) == 1


def test_more_phases_than_asked_for_are_an_answer(store: Any) -> None:
    store.note_fetch(replace(AMD, phases=ALL), answer())
    assert len(store.answered(AMD)) == 1
    assert len(store.answered(replace(AMD, phases=("pre", "post")))) == 1


def test_phases_are_words_not_letters() -> None:
    stream = replace(AMD, phases=("re",))
    assert not stream.holds("regular", {})
    assert not AMD.holds("", {})
    assert replace(AMD, phases=()).holds("", {})


def test_other_options_are_another_stream_in_whatever_order_they_are_written(store: Any) -> None:
    store.note_fetch(replace(AMD, options={"a": "1", "b": "2"}), answer())
    assert len(store.answered(replace(AMD, options={"b": "2", "a": "1"}))) == 1
    assert store.answered(replace(AMD, options={"a": "1"})) == []
    assert store.answered(replace(AMD, options={"a": "1", "b": "2", "c": "3"})) == []


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_what_failed_covers_nothing(store: Any, status: str) -> None:
    store.note_fetch(AMD, answer(status=status, note="503"))
    assert store.answered(AMD) == []
    assert store.streams() == []
    assert store.fetches()[["status", "note"]].to_numpy().tolist() == [[status, "503"]]


def test_answers_come_in_the_order_in_which_they_were_noted(place: Place) -> None:
    times = [NOW, NOW + timedelta(hours=1)]
    clock = iter(times)
    with place.open(now=lambda: next(clock)) as store:
        store.note_fetch(AMD, answer(FEB, FEB + timedelta(days=1)))
        store.note_fetch(AMD, answer())
        assert [(since, at) for since, _, at in store.answered(AMD)] == [
            (FEB, times[0]),
            (JAN, times[1]),
        ]


def test_streams_are_what_an_update_asks_for_each_with_its_earliest_instant(store: Any) -> None:
    wide = replace(AMD, phases=ALL, options={"feed": "sip"})
    plain = Stream("yahoo", "news", "AMD")
    for stream, since in ((AMD, FEB), (wide, FEB), (AMD, JAN), (plain, FEB), (AMD, FEB)):
        store.note_fetch(stream, answer(since, since + timedelta(days=1)))
    store.note_fetch(replace(AMD, subject="INTC"), answer(status="failed"))
    assert store.streams() == [(AMD, JAN), (wide, FEB), (plain, FEB)]


def test_an_instant_of_another_zone_is_the_same_instant(store: Any) -> None:
    tokyo = timezone(timedelta(hours=9))
    store.note_fetch(AMD, answer(JAN.astimezone(tokyo), FEB.astimezone(tokyo)))
    assert store.answered(AMD) == [(JAN, FEB, NOW)]
    assert store.answered(AMD)[0][0].tzinfo is UTC


@pytest.mark.parametrize(
    "wrong",
    [
        answer(FEB, JAN),
        answer(status="perhaps"),
        answer(instrument_id=999),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(store: Any, wrong: Answer) -> None:
    with pytest.raises(StoreError):
        store.note_fetch(AMD, wrong)
    assert store.fetches().empty


def test_the_ledger_outlives_the_process(place: Place) -> None:
    with place.open() as store:
        store.note_fetch(AMD, answer())
    with place.open() as store:
        assert store.answered(AMD) == [(JAN, FEB, NOW)]
        assert store.streams() == [(AMD, JAN)]


def test_spans_are_all_names_of_the_instrument_oldest_first(store: Any) -> None:
    store.add_instrument("META", valid_to=at("2022-01-30 00:00").date())
    store.add_instrument("FB")
    store.rename("FB", "META", at("2022-06-09 00:00").date())
    expected = [("FB", None, "2022-06-08"), ("META", "2022-06-09", None)]
    assert store.spans("FB") == store.spans("META") == expected
    assert store.spans("NONE") == []
