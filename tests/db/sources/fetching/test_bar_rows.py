"""A service's bars to a batch: what is over, what was asked for, and columns of any kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from db.calendar import calendar
from db.intervals import Interval
from db.sources.fetching.bar_rows import BarAsk, bar_batch, finished_until
from db.sources.fetching.source import UnreadableAnswerError

NAMES = {field: field for field in ("time", "open", "high", "low", "close", "volume")}
NOW = datetime(2026, 3, 12, 18, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def row(time: str, price: Any = 20.0, **other: Any) -> dict[str, Any]:
    prices = dict.fromkeys(("open", "high", "low", "close"), price)
    return {"time": time, **prices, "volume": 100, **other}


def minutes(rows: list[Any]) -> tuple[list[float], list[str], int]:
    """Closes, reasons and count of a day's bars."""
    day = utc("2026-01-05 05:00"), utc("2026-01-06 05:00")
    ask = BarAsk("META", Interval.M1, *day, calendar())
    batch, count = bar_batch(rows, NAMES, ask, source="x", origin="here", fetched_at=NOW)
    if batch is None:
        return [], [], count
    (chunk,) = batch.chunks
    return chunk.bars["close"].to_pylist(), [one.reason for one in chunk.rejects], count


@pytest.mark.parametrize(
    ("instant", "interval", "until"),
    [
        ("2026-01-05 15:07:30", "1m", "2026-01-05 15:07"),
        ("2026-01-05 15:07:30", "5m", "2026-01-05 15:05"),
        ("2026-01-05 15:07:30", "1h", "2026-01-05 14:30"),  # counted from 9:30 in New York
        ("2026-01-05 14:10:00", "1h", "2026-01-05 14:00"),  # the half hour before the open
        ("2026-01-05 21:00:00", "1h", "2026-01-05 21:00"),  # the close: the last bar is over
        ("2026-01-06 03:00:00", "1h", "2026-01-06 03:00"),  # a night
        ("2026-01-04 15:07:30", "1m", "2026-01-04 15:07:30"),  # a Sunday
        ("2025-11-28 17:59:00", "1d", "2025-11-28 05:00"),  # a half day that ends at 13:00
        ("2025-11-28 18:00:00", "1d", "2025-11-28 18:00"),
        ("2026-01-05 12:00:00", "1d", "2026-01-05 05:00"),
    ],
)
def test_bars_are_over_up_to_the_one_that_runs(instant: str, interval: str, until: str) -> None:
    found = finished_until(utc(instant), Interval.parse(interval), calendar())
    assert found == utc(until)


def test_no_rows_are_no_batch() -> None:
    assert minutes([]) == ([], [], 0)
    assert minutes([row("2026-01-07T15:00:00Z")]) == ([], [], 0)  # another day


def test_numbers_may_come_as_text_or_mixed() -> None:
    rows = [
        row("2026-01-05T15:00:00Z", "20.5"),
        row("2026-01-05T15:01:00Z", 21),
        row("2026-01-05T15:02:00+00:00", 21.5),
        row("2026-01-05T10:03:00-05:00", 22.0),
    ]
    assert minutes(rows) == ([20.5, 21.0, 21.5, 22.0], [], 4)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"close": [1]}, "not a number"),
        ({"close": {"a": 1}}, "not a number"),
        ({"close": True}, "not a number"),
        ({"close": float("inf")}, "a price is not finite"),
        ({"close": 10**400}, "a price is not finite"),
        ({"close": 99.0}, "out of order: open 20, high 20, low 20, close 99"),
        ({"time": "2026-01-05T15:00:00"}, "the time carries no zone"),
        ({"time": None}, "the time is missing"),
        ({"time": "noon"}, "not a date or time that is known"),
    ],
)
def test_one_bad_row_is_one_reject(bad: dict[str, Any], reason: str) -> None:
    good, other = row("2026-01-05T15:01:00Z"), row("2026-01-05T15:00:00Z")
    closes, reasons, count = minutes([{**other, **bad}, good])
    assert (closes, count) == ([20.0], 2)
    assert reasons[0].startswith(reason)


def test_what_came_twice_is_told_from_what_came_changed() -> None:
    rows = [row("2026-01-05T15:00:00Z", price) for price in (20.0, 20.0, 21.0)]
    closes, reasons, _ = minutes(rows)
    assert closes == [20.0]
    assert reasons == [
        "came twice: the first was kept",
        "came twice, with other values: the first was kept",
    ]


def test_a_missing_volume_is_unknown_not_zero() -> None:
    ask = BarAsk("META", Interval.M1, utc("2026-01-05"), utc("2026-01-06"), calendar())
    rows = [row("2026-01-05T15:00:00Z", volume=None), row("2026-01-05T15:01:00Z")]
    batch, _ = bar_batch(rows, NAMES, ask, source="x", origin="here", fetched_at=NOW)
    assert batch is not None
    assert next(batch.chunks).bars["volume"].to_pylist() == [None, 100.0]


def test_a_service_that_gives_no_volume_at_all_is_read_without() -> None:
    ask = BarAsk("META", Interval.M1, utc("2026-01-05"), utc("2026-01-06"), calendar())
    names = {field: name for field, name in NAMES.items() if field != "volume"}
    rows = [row("2026-01-05T15:00:00Z")]
    batch, _ = bar_batch(rows, names, ask, source="x", origin="here", fetched_at=NOW)
    assert batch is not None
    assert next(batch.chunks).bars["volume"].to_pylist() == [None]


def test_the_same_content_has_the_same_hash_and_another_one_has_not() -> None:
    ask = BarAsk("META", Interval.M1, utc("2026-01-05"), utc("2026-01-06"), calendar())

    def digest(price: float, hour: int) -> str:
        batch, _ = bar_batch(
            [row("2026-01-05T15:00:00Z", price)],
            NAMES,
            ask,
            source="x",
            origin="here",
            fetched_at=NOW.replace(hour=hour),
        )
        assert batch is not None
        return batch.provenance.content_hash

    assert digest(20.0, 18) == digest(20.0, 19)
    assert digest(20.0, 18) != digest(20.01, 18)


@pytest.mark.parametrize("rows", [["text"], [row("2026-01-05T15:00:00Z"), None], [[1, 2]]])
def test_rows_that_are_no_objects_are_not_read(rows: list[Any]) -> None:
    with pytest.raises(UnreadableAnswerError, match="no longer objects"):
        minutes(rows)
