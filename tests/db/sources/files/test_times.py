"""Times are read strictly and the same way whatever stands beside them."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import UsageError
from db.intervals import MINUTE
from db.sources.files.times import TimeParser, parse_clocks
from db.sources.files.zones import checked_zone, local_text, to_utc, to_wall


def read(cells: object, date_format: str | None = None) -> list[str | None]:
    """Each cell as ``wall`` or ``wall = utc``, None where it is no time."""
    array = cells if isinstance(cells, pa.Array) else pa.array(cells)
    times = TimeParser(date_format, where="file").parse(array)
    return [
        None if bad else _text(wall) + (f" = {_text(utc)}" if zoned else "")
        for wall, utc, zoned, bad in zip(times.wall, times.utc, times.zoned, times.bad, strict=True)
    ]


def _text(us: int) -> str:
    return str(np.datetime64(int(us), "us")).replace("T", " ").removesuffix(".000000")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-01-29", "2019-01-29 00:00:00"),
        ("20190129", "2019-01-29 00:00:00"),
        ("2019/1/29", "2019-01-29 00:00:00"),
        ("29.1.2019", "2019-01-29 00:00:00"),
        ("2019-01-29 16:05", "2019-01-29 16:05:00"),
        ("2019-01-29T16:05:07", "2019-01-29 16:05:07"),
        (" 2019-01-29 16:05:07.25 ", "2019-01-29 16:05:07.250000"),
        ("2019-01-29 4:05 PM", "2019-01-29 16:05:00"),
        ("2019-01-29 12:05 a.m.", "2019-01-29 00:05:00"),
        ("2019-01-29T16:05:07Z", "2019-01-29 16:05:07 = 2019-01-29 16:05:07"),
        ("2019-01-29 16:05:07-05:00", "2019-01-29 16:05:07 = 2019-01-29 21:05:07"),
        (
            "2019-01-29 16:05:07.123456789 +0530",
            "2019-01-29 16:05:07.123456 = 2019-01-29 10:35:07.123456",
        ),
        ("Mon, 07 Oct 2024 16:30:33 +0200", "2024-10-07 16:30:33 = 2024-10-07 14:30:33"),
        ("07 Oct 2024 16:30 GMT", "2024-10-07 16:30:00 = 2024-10-07 16:30:00"),
    ],
)
def test_forms_that_are_known(text: str, expected: str) -> None:
    assert read([text, "x"]) == [expected, None]


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "2019-02-30", "2019-13-01", "2019-01-29 24:00", "2019-01-29 16:60",
        "2019-01-29 16:05 ET", "2019-01-29 13:05 PM", "2019-01-29 16:05 +15:00", "0001-01-01",
        "2300-01-01", "29-01-2019", "Jan 29 2019", "1548777600", "Mon, 32 Oct 2024 16:30:33 +0200",
        "2019-01-29 1605", "99/99/99",
    ],
)  # fmt: skip
def test_forms_that_are_refused(text: str) -> None:
    assert read([text]) == [None]


_ISO = st.sampled_from(
    ["2019-01-29", "2019-01-29 16:05", "2019-01-29T16:05:07", "2019-01-29 16:05:07.5",
     "2019-01-29 16:05:07Z", "2019-01-29 16:05:07-05:00", "2019-01-29T16:05:07+0530",
     "2019-01-29 16", "2019-01-29 1605", "2019-02-29", "2019-01-29 16:05:07+99:00", "x", ""]
)  # fmt: skip


@given(st.lists(_ISO, min_size=1, max_size=6))
def test_a_cell_reads_the_same_whatever_stands_beside_it(texts: list[str]) -> None:
    assert read(texts) == [read([text, "x"])[0] for text in texts]


def test_slashed_dates_are_told_by_those_that_exist_in_one_order_alone() -> None:
    assert read(["1/2/12", "1/13/12"]) == ["2012-01-02 00:00:00", "2012-01-13 00:00:00"]
    assert read(["1/2/12", "13/1/12"]) == ["2012-02-01 00:00:00", "2012-01-13 00:00:00"]
    assert read(["2/2/12", "3/3/69"]) == ["2012-02-02 00:00:00", "1969-03-03 00:00:00"]


@pytest.mark.parametrize("texts", [["1/2/12"], ["1/2/12", "1/13/12", "13/1/12"]])
def test_slashed_dates_that_do_not_tell_are_an_error(texts: list[str]) -> None:
    with pytest.raises(UsageError, match="could be month first or day first") as error:
        read(texts)
    assert "--date-format" in error.value.hint


def test_the_order_found_in_the_first_chunk_holds_for_the_next() -> None:
    parser = TimeParser(None, where="file")
    parser.parse(pa.array(["1/13/2012"]))
    assert _text(parser.parse(pa.array(["1/2/2012"])).wall[0]) == "2012-01-02 00:00:00"
    undecided = TimeParser(None, where="file")
    undecided.parse(pa.array(["2/2/2012"]))
    assert _text(undecided.parse(pa.array(["13/2/2012"])).wall[0]) == "2012-02-13 00:00:00"


def test_a_format_that_is_said_is_the_only_one_read() -> None:
    assert read(["1/2/12", "2012-01-02", None], "%d/%m/%y") == ["2012-02-01 00:00:00", None, None]
    assert read(["02 Jan 2019 16:00 +0100"], "%d %b %Y %H:%M %z") == [
        "2019-01-02 15:00:00 = 2019-01-02 15:00:00"
    ]


@pytest.mark.parametrize("wrong", ["%Q", "%H:%M", "%Y-%m", "%", "Y-m-d", ""])
def test_a_format_that_cannot_work_is_an_error(wrong: str) -> None:
    with pytest.raises(UsageError, match=r"format|directive|stray"):
        TimeParser(wrong, where="file")


def test_counts_since_1970_need_a_word() -> None:
    expected = ["2019-01-29 16:00:00 = 2019-01-29 16:00:00", None]
    assert read(["1548777600", "x"], "epoch_s") == expected
    assert read(["1548777600000", "9" * 17], "epoch_ms") == expected
    assert read(pa.array([1548777600000000, None]), "epoch_us") == expected
    parser = TimeParser(None, where="file")
    assert "epoch_s" in parser.fault(0, "1548777600")


def test_columns_that_are_typed_already() -> None:
    at = datetime(2019, 1, 29, 16, 5)
    assert read(pa.array([at, None], pa.timestamp("ns"))) == ["2019-01-29 16:05:00", None]
    assert read(pa.array([at], pa.timestamp("s", "America/New_York"))) == [
        "2019-01-29 11:05:00 = 2019-01-29 16:05:00"
    ]
    assert read(pa.array([date(2019, 1, 29)])) == ["2019-01-29 00:00:00"]
    assert read(pa.array([20190129])) == ["2019-01-29 00:00:00"]
    assert read(pa.array(["2019-01-29"]).dictionary_encode()) == ["2019-01-29 00:00:00"]
    assert read(pa.array([1.5])) == [None]


def test_a_clock_column_beside_a_date_column() -> None:
    dates = pa.array(["2019-01-29"] * 6)
    clocks = pa.array(["16:05", "160507", "4:05 PM", "", "25:00", "x"])
    times = TimeParser(None, where="file").parse(dates, clocks)
    assert [_text(wall)[11:] for wall in times.wall[:4]] == [
        "16:05:00", "16:05:07", "16:05:00", "00:00:00"
    ]  # fmt: skip
    assert times.has_clock.tolist() == [True, True, True, False, False, False]
    assert times.bad.tolist() == [False] * 4 + [True] * 2


def test_clocks() -> None:
    clocks = parse_clocks(pa.array(["09:30", "0930", "9:30 am", "12:00 PM", "24:00", "930", None]))
    assert (clocks // MINUTE).tolist() == [570, 570, 570, 720, -1, -1, -1]


def test_a_midnight_tells_the_day_alone_where_a_program_wrote_dates() -> None:
    def alone(*texts: str) -> list[bool]:
        return TimeParser(None, where="file").parse(pa.array(texts)).dates_alone().tolist()

    assert alone("2019-01-29", "2019-01-29 16:05") == [True, False]
    assert alone("2019-01-29 00:00:00", "2019-01-29 16:05:00") == [True, False]
    assert alone("2019-01-29 00:00:00Z", "2019-01-30 00:00:00Z") == [True, True]
    assert alone("2019-01-29 00:00:00Z", "2019-01-29 16:05:00Z") == [False, False]


def wall(text: str) -> np.ndarray:
    return np.array([np.datetime64(text, "us").astype(np.int64)])


def test_the_hour_that_summer_time_skips_and_the_one_it_repeats() -> None:
    def told(text: str) -> tuple[bool, bool]:
        local = to_utc(wall(text), "America/New_York")
        return bool(local.skipped[0]), bool(local.repeated[0])

    assert told("2019-03-10 01:59") == (False, False)
    assert told("2019-03-10 02:00") == (True, False)
    assert told("2019-03-10 02:59") == (True, False)
    assert told("2019-03-10 03:00") == (False, False)
    assert told("2019-11-03 00:59") == (False, False)
    assert told("2019-11-03 01:00") == (False, True)
    assert told("2019-11-03 01:59") == (False, True)
    assert told("2019-11-03 02:00") == (False, False)


@pytest.mark.parametrize("tz", ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "UTC"])
def test_there_and_back(tz: str) -> None:
    for text in ("2019-01-29 16:05", "2019-07-29 16:05"):
        local = to_utc(wall(text), tz)
        assert to_wall(local.utc, tz).tolist() == wall(text).tolist()


def test_an_instant_is_shown_in_exchange_time_with_its_offset() -> None:
    at = int(wall("2019-01-29 21:05")[0])
    assert local_text(at, "America/New_York") == "2019-01-29 16:05:00-05:00"


def test_an_unknown_zone_is_answered_with_the_nearest() -> None:
    assert checked_zone("Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(UsageError, match="unknown time zone") as error:
        checked_zone("America/NewYork")
    assert "America/New_York" in error.value.hint
    with pytest.raises(UsageError):
        checked_zone("../../etc/passwd")
