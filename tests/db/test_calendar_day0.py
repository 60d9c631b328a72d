"""The session in which a release first counts, against answers that others worked out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.panel.sessions import event_sessions
from db.calendar import calendar
from tests.tiny_store import ny, release_interval

NYSE = calendar()


def sessions_of(since: list[pd.Timestamp], until: list[pd.Timestamp], precision: str) -> list:
    """(reference, reaction, day 0) of releases, as dates."""
    events = pd.DataFrame(
        {
            "exchange": "XNYS",
            "announced_from": pd.DatetimeIndex(since).as_unit("us"),
            "announced_to": pd.DatetimeIndex(until).as_unit("us"),
            "precision": precision,
        }
    )
    found = event_sessions(events)
    columns = (found.reference, found.reaction, found.day0)
    return list(zip(*([str(day) for day in NYSE.dates[c]] for c in columns), strict=True))


@pytest.mark.parametrize(
    ("release", "reference", "reaction", "why"),
    [
        ("2024-02-01 16:00:00", "2024-02-01", "2024-02-02", "at the close: the close is made"),
        ("2024-02-01 15:59:59", "2024-01-31", "2024-02-01", "a second before the close"),
        ("2024-02-01 09:30:00", "2024-01-31", "2024-02-01", "at the open"),
        ("2024-02-03 10:00:00", "2024-02-02", "2024-02-05", "a Saturday"),
        ("2024-02-16 17:00:00", "2024-02-16", "2024-02-20", "the eve of a long weekend"),
        ("2024-03-29 08:30:00", "2024-03-28", "2024-04-01", "Good Friday"),
        ("2023-11-24 13:00:00", "2023-11-24", "2023-11-27", "a half day's close"),
        ("2001-09-11 08:46:00", "2001-09-10", "2001-09-17", "the market never opened"),
        ("2012-10-26 16:15:00", "2012-10-26", "2012-10-31", "before hurricane Sandy"),
        ("2025-01-08 16:30:00", "2025-01-08", "2025-01-10", "before a day of mourning"),
        ("2024-11-04 15:59:00", "2024-11-01", "2024-11-04", "the first Monday of winter time"),
    ],
)
def test_a_release_lies_between_two_closes(
    release: str, reference: str, reaction: str, why: str
) -> None:
    at = pd.Timestamp(ny(release))
    assert sessions_of([at], [at], "exact") == [(reference, reaction, reaction)], why


@pytest.mark.parametrize(
    ("day", "session", "reference", "reaction", "day0"),
    [
        ("2024-02-01", "pre", "2024-01-31", "2024-02-01", "2024-02-01"),
        ("2024-02-01", "regular", "2024-01-31", "2024-02-01", "2024-02-01"),
        ("2024-02-01", "post", "2024-02-01", "2024-02-02", "2024-02-02"),
        # a date alone: the close before it, the session after it, but day 0 on it
        ("2024-02-01", "", "2024-01-31", "2024-02-02", "2024-02-01"),
        ("2024-02-03", "post", "2024-02-02", "2024-02-05", "2024-02-05"),
        ("2024-02-19", "pre", "2024-02-16", "2024-02-20", "2024-02-20"),
    ],
)
def test_a_label_lies_between_two_closes(
    day: str, session: str, reference: str, reaction: str, day0: str
) -> None:
    since, until, precision, _ = release_interval(day, session)
    found = sessions_of([pd.Timestamp(since)], [pd.Timestamp(until)], precision)
    assert found == [(reference, reaction, day0)]


def test_reference_timestamps(real_data: Path) -> None:
    table = pd.read_csv(real_data / "reference" / "c9_day0_calendar" / "expected_day0.csv")
    assert len(table) == 39
    at = []
    for text, zone in zip(table["timestamp"], table["tz"], strict=True):
        stamp = pd.Timestamp(text)
        at.append((stamp if stamp.tzinfo else stamp.tz_localize(zone)).tz_convert("UTC"))
    expected = zip(
        table["last_price_before"], table["first_close_after"], table["day0"], strict=True
    )
    assert sessions_of(at, at, "exact") == list(expected)


def test_reference_dates_without_a_time(real_data: Path) -> None:
    table = pd.read_csv(real_data / "reference" / "c9_day0_calendar" / "expected_date_only.csv")
    for row in table.itertuples():
        bounds = {label: release_interval(row.event_date, label) for label in ("pre", "post", "")}
        found = {
            label: sessions_of([pd.Timestamp(b[0])], [pd.Timestamp(b[1])], b[2])[0][2]
            for label, b in bounds.items()
        }
        # A label on a day without a session is the bare date, whose day 0 is the next session.
        assert found == {
            "pre": row.bmo,
            "post": row.amc,
            "": row.unknown_time_same_or_next,
        }, row.event_date


def test_reference_session_offsets(real_data: Path) -> None:
    table = pd.read_csv(
        real_data / "reference" / "c9_day0_calendar" / "expected_session_offsets.csv"
    )
    day0 = NYSE.index_of_dates(table["day0"].to_numpy(dtype="datetime64[D]"))
    found = NYSE.dates[day0 + table["offset"].to_numpy()]
    assert [str(day) for day in found] == list(table["session"])
    assert (np.diff(NYSE.dates).astype(int) > 0).all()
