"""Earnings announcements from files: when they were released, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.batches import EventRecord, RecordBatch
from db.calendar import calendar
from db.errors import UsageError
from db.sources.files import events
from db.sources.files.event_rows import fiscal_period
from tests.db.sources.files.tables import NEW_YORK, at_noon, stdin


def read(text: str, **options: Any) -> RecordBatch[EventRecord]:
    return events("-", stdin=stdin(text), now=at_noon, **options)


def released(text: str, **options: Any) -> list[tuple[str, str, str, str]]:
    """From and to (UTC), precision and session of each event."""
    return [
        (
            record.announced_from.strftime("%m-%d %H:%M:%S"),
            record.announced_to.strftime("%m-%d %H:%M:%S"),
            record.precision,
            record.session,
        )
        for record in read(text, **options).records
    ]


def test_labels_give_a_session() -> None:
    # 2019-07-03 closed at 13:00.
    text = "symbol,date,session\nA,2019-07-03,post\nA,2019-07-03,bmo\nA,2019-07-03,dmh\n"
    assert released(text) == [
        ("07-03 17:00:00", "07-04 04:00:00", "session", "post"),
        ("07-03 04:00:00", "07-03 13:30:00", "session", "pre"),
        ("07-03 13:30:00", "07-03 16:59:59", "session", "regular"),
    ]


@pytest.mark.parametrize(
    ("label", "session"),
    [
        ("pre", "pre"), ("BMO", "pre"), ("Before Market Open", "pre"), ("time-pre-market", "pre"),
        ("before open", "pre"), ("post", "post"), ("amc", "post"), ("After Close", "post"),
        ("after-hours", "post"), ("time-after-hours", "post"), ("during", "regular"),
        ("Regular", "regular"), ("dmh", "regular"), ("", ""), ("n/a", ""), ("TNS", ""), ("-", ""),
        ("time-not-supplied", ""),
    ],
)  # fmt: skip
def test_spellings_of_labels(label: str, session: str) -> None:
    ((_, _, precision, found),) = released(f"symbol,date,session\nA,2019-01-29,{label}\n")
    assert found == session
    assert precision == ("session" if session else "date")


@pytest.mark.parametrize("day", ["2019-07-04", "2019-07-06"])
def test_a_label_on_a_day_without_a_session_is_the_whole_day(day: str) -> None:
    ((begin, end, precision, session),) = released(f"symbol,date,session\nA,{day},post\n")
    assert (begin[6:], end[6:], precision, session) == ("04:00:00", "04:00:00", "date", "")


def test_a_label_that_is_a_guess_is_not_believed() -> None:
    text = "symbol,date,session,session_inferred\nA,2019-01-29,post,True\nA,2019-01-30,post,False\n"
    assert [row[2:] for row in released(text)] == [("date", ""), ("session", "post")]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("symbol,date\nA,2019-01-29 16:05\n", {"tz": NEW_YORK}),
        ("symbol,date\nA,2019-01-29T21:05:00Z\n", {}),
        ("symbol,date,time\nA,2019-01-29,16:05\n", {"tz": NEW_YORK}),
        ("symbol,date,time\nA,2019-01-29,4:05 PM\n", {"tz": NEW_YORK}),
        ("symbol,date,session,time\nA,2019-01-29,amc,16:05\n", {"tz": NEW_YORK}),
        ("symbol,date\nA,01/29/19 16:05\n", {"tz": NEW_YORK, "date_format": "%m/%d/%y %H:%M"}),
    ],
)
def test_a_clock_time_is_exact(text: str, options: Mapping[str, Any]) -> None:
    assert released(text, **options) == [("01-29 21:05:00", "01-29 21:05:00", "exact", "post")]


@pytest.mark.parametrize(
    ("clock", "session"),
    [("00:01", "pre"), ("09:29", "pre"), ("09:30", "regular"), ("15:59", "regular"),
     ("16:00", "post"), ("23:59", "post")],
)  # fmt: skip
def test_session_of_an_exact_time(clock: str, session: str) -> None:
    ((_, _, _, found),) = released(f"symbol,date,time\nA,2019-01-29,{clock}\n", tz=NEW_YORK)
    assert found == session


def test_clock_times_need_a_zone_and_dates_do_not() -> None:
    with pytest.raises(UsageError, match="carry no zone"):
        released("symbol,date,time\nA,2019-01-29,16:05\n")
    assert len(released("symbol,date,time\nA,2019-01-29,\n")) == 1


def test_times_the_clock_skipped_or_repeated_are_refused() -> None:
    batch = read("symbol,date\nA,2019-03-10 02:30\nA,2019-11-03 01:30\n", tz=NEW_YORK)
    assert ["exist" in reject.reason or "ambig" in reject.reason for reject in batch.rejects] == [
        True, True
    ]  # fmt: skip


def test_a_midnight_beside_clock_times_is_a_date() -> None:
    text = "symbol,date\nA,2019-01-29 00:00:00\nA,2019-01-30 16:05:00\n"
    assert [row[2] for row in released(text, tz=NEW_YORK)] == ["date", "exact"]


def test_what_cannot_be_read_is_refused() -> None:
    batch = read(
        "symbol,date,session,eps_est,eps,revenue,currency\n"
        "A,2019-01-29,post,0.1,0.2,1e9,usd\n"
        ",2019-01-29,post,,,,\n"
        "A,2019-02-30,post,,,,\n"
        "A,2019-01-29,teatime,,,,\n"
        'A,2019-01-29,post,"0,1",,,\n'
        "A,2019-01-29,post,,(0.12),,\n"
        "A,2019-01-29,post,,inf,,\n"
        "A,2019-01-29,post,,,1.2B,\n"
        "A,2019-01-29,post,,,,dollars\n"
        "A,2026-01-29,post,,,,\n"
        "A,2024-01-29,post,0.3,,,\n"
        "A,2024-01-29,post,0.3,0.4,,\n"
        "A,2019-01-29,25:00,,,,\n"
    )
    assert [(reject.row, reject.column) for reject in batch.rejects] == [
        (2, "symbol"), (3, "date"), (4, "session"), (5, "eps_est"), (6, "eps"), (7, "eps"),
        (8, "revenue"), (9, "currency"), (10, "date"), (12, "eps"), (13, "session"),
    ]  # fmt: skip
    reasons = {reject.row: reject.reason for reject in batch.rejects}
    assert "unknown session" in reasons[4]
    assert "decimal" in reasons[5]
    assert "future" in reasons[10]
    assert "actual figure for a release in the future" in reasons[12]
    first, scheduled = batch.records
    assert (first.eps_estimate, first.eps_actual, first.revenue_actual) == (0.1, 0.2, 1e9)
    assert (scheduled.row, scheduled.eps_estimate, scheduled.eps_actual) == (11, 0.3, None)
    assert first.currency == scheduled.currency == "USD"


def test_a_label_that_contradicts_the_clock_is_refused() -> None:
    batch = read("symbol,date,session,time\nA,2019-01-29,pre,16:05\n", tz=NEW_YORK)
    assert [reject.reason for reject in batch.rejects] == [
        "contradicts the time of day, which is post"
    ]


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2012Q4", "2012Q4"), ("FY2012Q4", "2012Q4"), ("2012-Q4", "2012Q4"), ("Q4 2012", "2012Q4"),
        ("q4 FY2012", "2012Q4"), ("2012-10", "2012-10"), ("2012-10-31", "2012-10"),
        ("12-Oct", ""), ("Q4", ""), ("NULL", ""), ("", ""), ("Oct-12", ""), ("2012-13", ""),
    ],
)  # fmt: skip
def test_only_labels_with_a_year_and_a_quarter_are_a_period(text: str, period: str) -> None:
    assert fiscal_period(text) == period


def test_a_mangled_label_is_kept_as_it_came() -> None:
    (record,) = read("symbol,date,qtr\nA,2012-11-19,12-Oct\n").records
    assert record.fiscal_period == ""
    assert record.raw == '{"symbol": "A", "date": "2012-11-19", "qtr": "12-Oct"}'


def test_when_it_was_first_known() -> None:
    batch = read(
        "symbol,date,first_known_at\n"
        "A,2019-01-29,2019-01-29T21:30:00Z\n"
        "A,2019-01-29,2019-01-29\n"
        "A,2019-01-29,\n"
        "A,2019-01-29,2030-01-01\n"
        "A,2019-01-29,soon\n"
    )
    assert [record.first_known_at for record in batch.records] == [
        datetime(2019, 1, 29, 21, 30, tzinfo=UTC),
        datetime(2019, 1, 30, 5, 0, tzinfo=UTC),
        None,
    ]
    assert [(reject.row, reject.column) for reject in batch.rejects] == [
        (4, "first_known_at"), (5, "first_known_at")
    ]  # fmt: skip


def test_parquet_with_types(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    table = {
        "ticker": ["A", "A"],
        "date": pa.array([date(2019, 1, 29), date(2019, 4, 30)]),
        "fiscal_period": pa.array([date(2018, 12, 31), None]),
        "eps": pa.array([0.1, None], pa.float32()),
        "eps_est": pa.array([1, None], pa.int32()),
    }
    pq.write_table(pa.table(table), path)
    first, second = events(path, now=at_noon).records
    assert (first.eps_actual, first.eps_estimate, first.fiscal_period) == (0.1, 1.0, "2018-12")
    assert (second.eps_actual, second.eps_estimate, second.fiscal_period) == (None, None, "")
    assert '"eps": "0.1"' in first.raw


def test_hostile_text_is_carried_or_refused() -> None:
    batch = read(
        'symbol,date,note\n"\'; DROP TABLE events; --",2019-01-29,<script>\n'
        'A\x00,2019-01-29,x\n"A\nB",2019-01-29,x\nA,2019-01-29,\x00\n'
    )
    assert [record.symbol for record in batch.records] == ["'; DROP TABLE events; --", "A"]
    assert "\\u0000" in batch.records[1].raw
    assert [(reject.row, reject.value) for reject in batch.rejects] == [
        (2, r"A\x00"), (3, r"A\nB")
    ]  # fmt: skip


def test_unknown_fields_are_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown field 'sesion'") as error:
        read("symbol,date\nA,2019-01-29\n", mapping={"sesion": "x"})
    assert error.value.hint == "did you mean 'session'?"


@given(
    st.dates(date(1995, 1, 1), date(2023, 12, 1)), st.sampled_from(["pre", "regular", "post", ""])
)
def test_the_interval_is_the_calendars(day: date, label: str) -> None:
    (record,) = read(f"symbol,date,session\nA,{day},{label}\n").records
    begin, end, precision = calendar("XNYS").release_interval(day, label)
    assert record.announced_from.timestamp() * 1e6 == begin
    assert record.announced_to.timestamp() * 1e6 == end
    assert record.precision == precision


_cell = st.one_of(
    st.sampled_from(
        ["A", "2019-01-29", "1/29/19", "post", "16:05", "x", "", "1", "59,9", "12-Oct"]
    ),
    st.text(max_size=5),
)


@given(st.lists(st.tuples(*[_cell] * 6), min_size=1, max_size=6))
def test_rows_of_any_cells_are_accepted_or_refused(table: list[tuple[str, ...]]) -> None:
    rows = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table]
    text = "symbol,date,session,eps,eps_est,qtr\n" + "\n".join(rows) + "\n"
    try:
        batch = read(text.encode("utf-8", "replace").decode(), tz=NEW_YORK)
    except UsageError as error:
        if "month first or day first" not in error.what:
            raise
        return
    numbers = sorted([r.row for r in batch.records] + [r.row for r in batch.rejects])
    assert numbers == list(range(1, len(table) + 1))


def test_two_times_of_day_that_differ_are_refused() -> None:
    text = "symbol,announced,time\nA,2019-01-29 16:05,16:06\nA,2019-01-29 16:05,16:05\n"
    batch = read(text, tz=NEW_YORK, mapping={"clock": "time"})
    assert [reject.row for reject in batch.rejects] == [1]
    assert [record.precision for record in batch.records] == ["exact"]
