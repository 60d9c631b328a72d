"""Dates as people and programs write them, and what is not guessed of them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from db.text.dates import Published, parse

AT = datetime(2026, 1, 29, 21, 5, tzinfo=UTC)
DAY = date(2026, 1, 29)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-29T21:05:00Z",
        "2026-01-29T21:05:00.000+00:00",
        "2026-01-29T16:05-0500",
        "20260129T210500Z",
        "2026-01-29T22:05:00+01:00[Europe/Berlin]",
        "2026-01-29 16:05 America/New_York",
        "Thu, 29 Jan 2026 21:05:00 GMT",
        "Thu, 29 Jan 26 16:05:00 EST",
        "29 January 2026, 22:05 UTC+1",
        "Jan. 29, 2026, 4:05 p.m. ET",
        "January 29, 2026 at 4:05 PM EST",
        "29.01.2026, 22:05 Uhr MEZ",
        "Donnerstag, 29. Januar 2026, 22.05 Uhr MEZ",
        "Veröffentlicht am 29.01.2026 um 22:05 Uhr (MEZ)",
    ],
)
def test_an_instant_with_its_zone_is_exact(text):
    assert parse(text) == Published(DAY, AT)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-29",
        "2026/01/29",
        "20260129",
        "29.01.2026",
        "29. Januar 2026",
        "Jan 29, 2026",
        "29th January 2026",
        "01/29/2026",
        "2026-01-29+01:00",
        "2026-01-29T16:05:00",
        "29.01.2026, 22:05 Uhr",
        "Thu, 29 Jan 2026 21:05:00 XYZ",
        "Thu, 29 Jan 2026 00:00:00 GMT",
    ],
)
def test_what_lacks_a_time_or_its_zone_is_a_date(text):
    assert parse(text) == Published(DAY)


@pytest.mark.parametrize(
    "text",
    [
        "", "soon", "yesterday", "01/02/2026", "2026-02-30", "2026-13-01", "29.13.2026",
        "2026-01-29T25:00:00Z", "2026-01-28 and 2026-01-29", "Updated January 29, 2026",
        "1769720700", "a" * 500, "29. 2026", "2026-01-29 was a good day for shares",
    ],
)  # fmt: skip
def test_what_is_no_date_or_two_is_not_read(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2025-11-02 00:59 ET", 4), ("2025-11-02 01:30 EST", 6), ("2025-11-02 02:00 ET", 7)],
)
def test_the_night_of_the_clock_change_has_instants(text, hour):
    assert parse(text) == Published(date(2025, 11, 2), datetime(2025, 11, 2, hour, int(text[14:16]),
                                                                tzinfo=UTC))  # fmt: skip


@pytest.mark.parametrize("text", ["2025-11-02 01:30 ET", "2026-03-08 02:30 America/New_York"])
def test_hours_that_exist_twice_or_never_are_dates(text):
    assert parse(text).precision == "date"


def test_midnight_counts_as_a_time_where_a_person_writes_it():
    assert parse("2026-01-29T00:00Z", midnight_is_time=True).precision == "exact"


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (date(2026, 1, 29), datetime(2026, 1, 30, 5, tzinfo=UTC)),
        (date(2026, 7, 3), datetime(2026, 7, 4, 4, tzinfo=UTC)),
        (date(2025, 11, 2), datetime(2025, 11, 3, 5, tzinfo=UTC)),  # a day of 25 hours
        (date(2026, 3, 8), datetime(2026, 3, 9, 4, tzinfo=UTC)),  # and of 23
    ],
)
def test_a_date_is_known_at_its_midnight_in_new_york(day, known):
    assert Published(day).known_at == known


@pytest.mark.parametrize(
    ("said", "now", "fault"),
    [
        (Published(DAY, AT), AT, ""),
        (Published(DAY, AT), AT.replace(minute=4), "lies in the future"),
        (Published(DAY), AT, ""),  # ends later, but has begun
        (Published(DAY), datetime(2026, 1, 28, 10, tzinfo=UTC), ""),  # has begun on Kiritimati
        (Published(DAY), datetime(2026, 1, 28, 9, 59, tzinfo=UTC), "lies in the future"),
        (Published(date(1989, 12, 31)), AT, "before 1990"),
    ],
)
def test_dates_that_cannot_be_have_a_reason(said, now, fault):
    assert fault in said.fault(now)
    assert bool(fault) == bool(said.fault(now))
