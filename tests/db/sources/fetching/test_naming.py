"""A source knows today's symbol; what it brings is stored under the symbol of each day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from db.batches import BarBatch, BarChunk, GuidanceRecord, RecordBatch, Reject
from db.intervals import Interval
from db.sources.fetching.naming import Names
from tests.db.build import FETCHED, action, bar_table, event, news, provenance, records

CHANGE = date(2022, 6, 9)


@pytest.fixture
def renamed(store: Any) -> Any:
    store.add_instrument("FB")
    store.rename("FB", "META", CHANGE)
    return store


def bars(*rows: Any) -> BarBatch:
    chunks = [BarChunk(bar_table(rows[:1]), [REJECT]), BarChunk(bar_table(rows[1:]))]
    return BarBatch(provenance("bars"), Interval.M1, "none", iter(chunks))


REJECT = Reject("yahoo META", 1, "open", "x", "not a number")


def symbols(batch: Any) -> list[str]:
    if isinstance(batch, BarBatch):
        return [name for chunk in batch.chunks for name in chunk.bars["symbol"].to_pylist()]
    return [record.symbol for record in batch.records]


def test_a_symbol_nobody_knows_is_its_own_name(store: Any) -> None:
    names = Names(store, "ZZZ")
    assert (names.current, names.on(CHANGE), list(names.earlier())) == ("ZZZ", "ZZZ", [])


def test_both_names_lead_to_today_s(renamed: Any) -> None:
    assert Names(renamed, "FB").current == Names(renamed, "META").current == "META"


@pytest.mark.parametrize(
    ("day", "expected"),
    [("1990-01-01", "FB"), ("2022-06-08", "FB"), ("2022-06-09", "META"), ("2030-01-01", "META")],
)
def test_each_day_has_its_name(renamed: Any, day: str, expected: str) -> None:
    assert Names(renamed, "META").on(date.fromisoformat(day)) == expected


def test_a_symbol_renamed_twice_has_three_names(renamed: Any) -> None:
    renamed.rename("META", "MTV", date(2023, 1, 3))
    names = Names(renamed, "FB")
    days = [date(2022, 6, 8), date(2023, 1, 2), date(2023, 1, 3)]
    assert [names.on(day) for day in days] == ["FB", "META", "MTV"]
    assert names.current == "MTV"


def test_earlier_names_count_for_their_own_days(renamed: Any) -> None:
    """New York's midnights: June 9 began at 4:00 UTC."""
    (found,) = Names(renamed, "META").earlier()
    assert found[0] == "FB"
    assert found[1].year == 1
    assert found[2] == datetime(2022, 6, 9, 4, tzinfo=UTC)


def test_a_symbol_that_another_company_took_over_is_that_company_s(store: Any) -> None:
    """METV was called META until January 2022; Meta Platforms since June."""
    store.add_instrument("META", valid_to=date(2022, 1, 30))
    store.add_instrument("FB")
    store.rename("FB", "META", CHANGE)
    names = Names(store, "META")
    assert names.current == "META"
    assert names.on(date(2022, 1, 3)) == "FB"


def test_bars_are_named_by_their_day_in_new_york(renamed: Any) -> None:
    batch = bars(
        ("META", "2022-06-08 19:59", 1.0),
        ("META", "2022-06-08 23:59", 1.0),  # the evening of the 8th
        ("META", "2022-06-09 03:59", 1.0),  # a minute before midnight there
        ("META", "2022-06-09 04:00", 1.0),
    )
    translated = Names(renamed, "META").translate(batch)
    assert symbols(translated) == ["FB", "FB", "FB", "META"]


def test_bars_keep_everything_but_their_name(renamed: Any) -> None:
    rows = [("META", "2022-06-08 19:59", 1.0), ("META", "2022-06-09 19:59", 2.0, None)]
    chunks = list(Names(renamed, "META").translate(bars(*rows)).chunks)
    for chunk, row in zip(chunks, rows, strict=True):
        plain = bar_table([row])
        assert chunk.bars.schema == plain.schema
        assert chunk.bars.drop_columns("symbol") == plain.drop_columns("symbol")
    assert chunks[0].rejects == [REJECT]


def test_no_bars_are_translated_to_none(renamed: Any) -> None:
    empty = BarBatch(provenance("bars"), Interval.M1, "none", iter([BarChunk(bar_table([]))]))
    assert symbols(Names(renamed, "META").translate(empty)) == []


def test_bars_are_read_one_chunk_at_a_time(renamed: Any) -> None:
    taken = []

    def chunks() -> Any:
        for number in range(3):
            taken.append(number)
            yield BarChunk(bar_table([("META", "2022-06-08 19:59", 1.0)]))

    batch = BarBatch(provenance("bars"), Interval.M1, "none", chunks())
    next(Names(renamed, "META").translate(batch).chunks)
    assert taken == [0]


def guidance(announced: datetime) -> GuidanceRecord:
    return GuidanceRecord(
        *("META", "revenue", "2022Q3", 1.0, 2.0, "USD", None),
        announced_from=announced,
        announced_to=announced,
        precision="exact",
        session="",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (event("META", "2022-06-08 21:00"), event("META", "2022-06-09 21:00")),
        # The evening of the 8th ends at 4:00 UTC of the 9th.
        (
            event("META", "2022-06-08 20:00", "2022-06-09 04:00"),
            event("META", "2022-06-09 04:00", "2022-06-09 13:30"),
        ),
        (action("META", "2022-06-08", 0.5), action("META", "2022-06-09", 0.5)),
        (
            guidance(datetime(2022, 6, 9, 3, tzinfo=UTC)),
            guidance(datetime(2022, 6, 9, 4, tzinfo=UTC)),
        ),
    ],
)
def test_records_are_named_by_their_day(renamed: Any, before: Any, after: Any) -> None:
    batch = records("r", [before, after])
    translated = Names(renamed, "META").translate(batch)
    assert isinstance(translated, RecordBatch)
    assert symbols(translated) == ["FB", "META"]
    assert translated.records == [replace(before, symbol="FB"), after]
    assert translated.provenance.fetched_at == FETCHED


def test_a_record_of_another_company_keeps_its_symbol(renamed: Any) -> None:
    batch = records("r", [event("SNAP", "2022-06-01 21:00")])
    assert symbols(Names(renamed, "META").translate(batch)) == ["SNAP"]


def test_news_is_named_by_the_day_it_was_published(renamed: Any) -> None:
    early = news("One", "2022-06-08 12:00", "SNAP", "META")
    late = news("Two", "2022-06-09 12:00", "META", "SNAP")
    twice = news("Three", "2022-06-08 12:00", "FB", "META")
    found = Names(renamed, "META").translate(records("n", [early, late, twice])).records
    assert [list(item.symbols) for item in found] == [["SNAP", "FB"], ["META", "SNAP"], ["FB"]]


def test_an_instrument_of_one_name_is_left_as_it_came(store: Any) -> None:
    store.add_instrument("AMD")
    batch = bars(("AMD", "2022-06-08 19:59", 1.0))
    assert Names(store, "AMD").translate(batch) is batch


def test_a_rename_to_come_has_not_happened_yet(renamed: Any) -> None:
    eve, day = date(2022, 6, 8), date(2022, 6, 9)
    assert Names(renamed, "META", eve).current == "FB"
    assert Names(renamed, "META", day).current == "META"
