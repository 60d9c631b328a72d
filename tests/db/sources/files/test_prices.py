"""Bars from files: what goes in, what is refused and why."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.batches import BAR_SCHEMA
from db.calendar import calendar
from db.errors import BacktestError, DataError, UsageError
from db.sources.files import csv_rows, parquet_rows, prices
from tests.db.sources.files.tables import NEW_YORK, at_noon, import_prices, import_text, stdin

# 2019-07-03 was a half day, the 4th a holiday, the 6th a Saturday.
MINUTES = {"interval": "1m", "tz": NEW_YORK}


def test_daily_bars_start_at_their_sessions_open() -> None:
    got = import_text(
        """date,open,high,low,close,volume
           2019-01-29,19.5,19.6,19.1,19.24,1000
           2019-07-03,31.0,31.5,30.9,31.2,900
        """.replace(" ", "")
    )
    assert got.bars.schema == BAR_SCHEMA
    assert got.starts() == ["2019-01-29 14:30", "2019-07-03 13:30"]
    assert got.column("symbol") == ["AMD", "AMD"]
    assert got.column("close") == [19.24, 31.2]
    assert got.column("volume") == [1000.0, 900.0]
    assert got.rejects == []


@pytest.mark.parametrize(
    "stamp",
    [
        "2019-01-29", "20190129", "2019-01-29 00:00:00", "2019-01-29T00:00:00Z",
        "2019-01-29 00:00:00-05:00", "2019-01-29T05:00:00Z", "2019-01-29 09:30:00-05:00",
        "2019-01-29T14:30:00Z", "2019-01-29 09:30",
    ],
)  # fmt: skip
def test_a_day_may_be_written_as_a_date_a_midnight_or_the_open(stamp: str) -> None:
    got = import_text(f"date,o,h,l,c\n{stamp},1,1,1,1\n")
    assert got.starts() == ["2019-01-29 14:30"]


def test_a_daily_bar_at_another_time_is_refused() -> None:
    got = import_text("date,o,h,l,c\n2019-01-29 16:00,1,1,1,1\n")
    assert got.refused() == [(1, "date", "2019-01-29 16:00")]
    assert "midnight or the session's open" in got.reasons()[1]


def test_minute_bars_keep_their_start_and_a_missing_volume_is_unknown() -> None:
    got = import_text(
        "ts,open,high,low,close,volume\n"
        "2019-01-29 04:00,1,1,1,1,5\n"
        "2019-01-29 16:00,1,1,1,1,\n"
        "2019-01-29 19:59,1,1,1,1,nan\n"
        "2019-07-29 09:30,1,1,1,1,0\n",
        **MINUTES,
    )
    assert got.starts() == [
        "2019-01-29 09:00", "2019-01-29 21:00", "2019-01-30 00:59", "2019-07-29 13:30"
    ]  # fmt: skip
    assert got.column("volume") == [5.0, None, None, 0.0]


def test_bars_without_a_volume_column() -> None:
    got = import_text("date,open,high,low,close\n2019-01-29,1,1,1,1\n")
    assert got.column("volume") == [None]


def test_stamps_with_an_offset_need_no_zone_and_ignore_it() -> None:
    text = "ts,o,h,l,c\n2019-01-29T14:30:00Z,1,1,1,1\n2019-01-29 09:31:00-05:00,1,1,1,1\n"
    for tz in (None, "Asia/Tokyo"):
        got = import_text(text, interval="1m", tz=tz)
        assert got.starts() == ["2019-01-29 14:30", "2019-01-29 14:31"]


def test_stamps_without_an_offset_need_a_zone() -> None:
    with pytest.raises(UsageError, match="'ts' carry no zone") as error:
        import_text("ts,o,h,l,c\n2019-01-29 09:30,1,1,1,1\n", interval="1m")
    assert "--tz" in error.value.hint


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        ("2019-01-29 03:59", "outside the hours of XNYS (04:00 to 20:00"),
        ("2019-01-29 20:00", "outside the hours of XNYS (04:00 to 20:00"),
        ("2019-07-03 17:00", "outside the hours of XNYS (04:00 to 17:00"),
        ("2019-07-04 10:00", "no session on 2019-07-04"),
        ("2019-07-06 10:00", "no session on 2019-07-06"),
        ("2019-01-29 09:30:30", "no 1m bar starts at"),
        ("2019-03-10 02:30", "does not exist in America/New_York"),
        ("2019-11-03 01:30", "is ambiguous in America/New_York"),
        ("2019-02-30 10:00", "not a date or time"),
        ("yesterday", "not a date or time"),
        ("", "time is missing"),
        ("1970-01-05 10:00", "outside the calendar of XNYS"),
        ("2024-01-02 09:30", "in the future"),
        ("2024-01-02 06:59:30", "no 1m bar starts"),
    ],
)
def test_a_start_at_which_no_bar_can_be(stamp: str, reason: str) -> None:
    got = import_text(
        f"ts,o,h,l,c\n2019-01-29 09:30,1,1,1,1\n{stamp},1,1,1,1\n2019-01-29 09:31,1,1,1,1\n",
        **MINUTES,
    )
    assert got.refused() == [(2, "ts", stamp)]
    assert reason in got.reasons()[2]
    assert len(got.bars) == 2


def test_a_bar_that_still_runs_is_refused() -> None:
    text = "ts,o,h,l,c\n2024-01-02 06:58,1,1,1,1\n2024-01-02 06:59,1,1,1,1\n"
    now = datetime(2024, 1, 2, 11, 59, 30, tzinfo=UTC)
    got = import_text(text, now=lambda: now, **MINUTES)
    assert got.starts() == ["2024-01-02 11:58"]
    assert "unfinished: the bar ends at 2024-01-02 07:00:00-05:00" in got.reasons()[2]
    daily = import_text(
        "date,o,h,l,c\n2024-01-02,1,1,1,1\n", now=lambda: datetime(2024, 1, 2, 18, tzinfo=UTC)
    )
    assert "unfinished: the bar ends at 2024-01-02 16:00:00-05:00" in daily.reasons()[1]


def test_hour_bars_follow_the_phases() -> None:
    starts = ["04:00", "09:00", "09:30", "10:30", "15:30", "16:00", "19:00", "10:00", "15:00"]
    rows = "".join(f"2019-01-29 {start},1,1,1,1\n" for start in starts)
    got = import_text("ts,o,h,l,c\n" + rows, interval="1h", tz=NEW_YORK)
    assert [value for _, _, value in got.refused()] == ["2019-01-29 10:00", "2019-01-29 15:00"]
    assert "counted from 09:30" in got.reasons()[8]


def test_five_minute_bars_follow_the_clock() -> None:
    rows = "".join(f"2019-07-03 {m},1,1,1,1\n" for m in ("09:25", "09:30", "09:33", "13:00"))
    got = import_text("ts,o,h,l,c\n" + rows, interval="5m", tz=NEW_YORK)
    assert [row for row, _, _ in got.refused()] == [3]


def test_another_exchange_has_its_own_hours() -> None:
    rows = "".join(f"2024-01-02 {m},1,1,1,1\n" for m in ("08:59", "09:00", "17:29", "17:30"))
    got = import_text(
        "ts,o,h,l,c\n" + rows,
        interval="1m",
        tz="Europe/Berlin",
        exchange="XETR",
        now=lambda: datetime(2024, 1, 3, tzinfo=UTC),
    )
    assert got.starts() == ["2024-01-02 08:00", "2024-01-02 16:29"]


@pytest.mark.parametrize(
    ("cells", "column", "reason"),
    [
        ("59,9;60;59;59;1", "o", "decimal"),
        ("10;10;10;10;1,234", "v", "comma"),
        ("$10;10;10;10;1", "o", "sign"),
        ("10;;10;10;1", "h", "missing"),
        ("10;10;NaN;10;1", "l", "missing"),
        ("10;10;10;inf;1", "c", "not finite"),
        ("10;10;0;10;1", "l", "zero or negative"),
        ("-10;10;10;10;1", "o", "zero or negative"),
        ("10;10;10;10;-1", "v", "negative"),
        ("10;10;10;10;inf", "v", "not finite"),
        ("10;10;10;x;1", "c", "not a number"),
        ("10;9;8;10;1", "h", "out of order: open 10, high 9, low 8, close 10"),
        ("10;12;11;10;1", "l", "out of order"),
        ("1;12;9;10;1", "o", "out of order"),
        ("10;12;9;100;1", "c", "out of order"),
    ],
)
def test_numbers_that_no_bar_can_have(cells: str, column: str, reason: str) -> None:
    got = import_text(f"date;o;h;l;c;v\n2019-01-28;9;9;9;9;9\n2019-01-29;{cells}\n")
    assert [(row, where) for row, where, _ in got.refused()] == [(2, column)]
    assert reason in got.reasons()[2]
    assert len(got.bars) == 1


def test_rounding_of_single_precision_is_no_disorder() -> None:
    just_above = 10.0 * (1 + 9e-7)
    got = import_text(f"date,o,h,l,c\n2019-01-29,{just_above},10,10,10\n")
    assert (len(got.bars), got.rejects) == (1, [])
    clearly = import_text(f"date,o,h,l,c\n2019-01-29,{10.0 * (1 + 2e-6)},10,10,10\n")
    assert len(clearly.rejects) == 1


def test_of_equal_bars_the_first_is_kept() -> None:
    got = import_text(
        "date,o,h,l,c\n"
        "2019-01-29,x,1,1,1\n"  # refused for itself, so it is not the first
        "2019-01-29,1,1,1,1\n"
        "2019-01-29,1,1,1,1\n"
        "2019-01-29 09:30,2,2,2,2\n"
    )
    assert got.column("open") == [1.0]
    reasons = got.reasons()
    assert "not a number" in reasons[1]
    assert "the same bar came before" in reasons[3]
    assert "with other values, came first" in reasons[4]


def test_equal_bars_are_found_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_PARSED_AT_ONCE", 64)
    days = [f"2019-01-{day}" for day in (28, 29, 30, 31)]
    rows = (
        "".join(f"{sym},{day},1,1,1,1\n" for day in days for sym in "AB") + "A,2019-01-29,1,1,1,1\n"
    )
    got = import_text("symbol,date,o,h,l,c\n" + rows, symbol=None)
    assert (len(got.bars), [row for row, _, _ in got.refused()]) == (8, [9])


def test_symbols_from_a_column_a_name_or_an_option(tmp_path: Path) -> None:
    row = "2019-01-29,1,1,1,1\n"
    plain = tmp_path / "brk.b.csv"
    plain.write_text("date,o,h,l,c\n" + row)
    assert import_prices(plain, symbol_from_name=True).column("symbol") == ["BRK.B"]
    assert import_prices(plain, symbol="X").column("symbol") == ["X"]
    with pytest.raises(UsageError, match="no column looks like a symbol"):
        import_prices(plain)
    columns = import_text(f"x,ticker,date,o,h,l,c\nAA,BB,{row}", symbol=None)
    assert columns.column("symbol") == ["BB"]
    said = import_text(f"x,ticker,date,o,h,l,c\nAA,BB,{row}", symbol=None, symbol_column="x")
    assert said.column("symbol") == ["AA"]


def test_symbols_as_they_are_spelled() -> None:
    rows = "".join(f"{s},2019-01-29,1,1,1,1\n" for s in (" amd ", "BACpL", "BRK/B", "", "x" * 33))
    got = import_text("ticker,date,o,h,l,c\n" + rows, symbol=None)
    assert got.column("symbol") == ["AMD", "BACpL", "BRK/B"]
    assert got.reasons() == {
        4: "the symbol is missing",
        5: "a symbol has at most 32 characters",
    }


def test_date_and_clock_in_two_columns() -> None:
    got = import_text(
        "<TICKER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n"
        "AMD,20190129,160500,1,1,1,1,7\n"
        "AMD,20190129,x,1,1,1,1,7\n",
        symbol=None,
        **MINUTES,
    )
    assert got.starts() == ["2019-01-29 21:05"]
    assert len(got.rejects) == 1


def test_parquet_of_every_width(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = {
        "ticker": pa.array(["A", "B"]).dictionary_encode(),
        "date": pa.array([date(2019, 1, 29)] * 2),
        "open": pa.array(np.array([29.516, 1.1], np.float32)),
        "high": pa.array([30, 2], pa.int16()),
        "low": pa.array([29.0, 1.0]),
        "close": pa.array(["29.5", "1.5"], pa.large_string()),
        "volume": pa.array([2**40, None], pa.int64()),
    }
    pq.write_table(pa.table(table), path)
    got = import_prices(path)
    assert got.bars.schema == BAR_SCHEMA
    assert got.column("open") == [29.516, 1.1]
    assert got.column("high") == [30.0, 2.0]
    assert got.column("close") == [29.5, 1.5]
    assert got.column("volume") == [float(2**40), None]


def test_rejects_show_typed_cells_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table(
            {
                "ts": pa.array([datetime(2019, 7, 4, 9, 30), datetime(2019, 7, 5, 9, 30)]),
                "o": pa.array(np.array([1.1, -1.1], np.float32)),
                "h": [2.0, 2.0],
                "l": [1.0, 1.0],
                "c": [1.0, 1.0],
            }
        ),
        path,
    )
    got = import_prices(path, symbol="A", **MINUTES)
    assert got.refused() == [(1, "ts", "2019-07-04 09:30:00.000000"), (2, "o", "-1.1")]


def test_chunks_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_rows, "CHUNK_ROWS", 100)
    path = tmp_path / "a.parquet"
    count = 390
    starts = np.datetime64("2019-01-29T14:30", "us") + np.arange(count) * np.timedelta64(60, "s")
    ones = np.ones(count)
    table = {"ts": starts, "o": ones, "h": ones, "l": ones, "c": ones}
    pq.write_table(pa.table(table), path)
    (batch,) = prices(path, interval="1m", tz="UTC", symbol="A", now=at_noon)
    assert [len(chunk.bars) for chunk in batch.chunks] == [100, 100, 100, 90]
    assert batch.rows_expected == count


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    days = calendar("XNYS").dates[3000:7000]
    symbols = [f"S{number}" for number in range(250)]
    count = len(days) * len(symbols)
    ones = np.ones(count)
    table = {
        "symbol": np.repeat(symbols, len(days)),
        "date": np.tile(days.astype("datetime64[us]"), len(symbols)),
        **dict.fromkeys("ohlcv", ones),
    }
    pq.write_table(pa.table(table), path)
    (batch,) = prices(path, interval="1d", now=at_noon)
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for chunk in batch.chunks:
        rows += len(chunk.bars)
        most = max(most, pa.total_allocated_bytes() - before)
    assert rows == count
    assert most < count * 6 * 8 / 2  # half of what the numbers alone would take


def test_one_batch_a_file_each_with_its_provenance(tmp_path: Path) -> None:
    files = []
    for name in ("A", "B"):
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text("date,o,h,l,c\n2019-01-29,1,1,1,1\n")
    batches = list(prices(files, interval="1d", symbol_from_name=True, adjusted="all", now=at_noon))
    assert [batch.provenance.origin for batch in batches] == [str(file) for file in files]
    assert {batch.adjusted for batch in batches} == {"all"}
    provenance = batches[0].provenance
    assert provenance.fetched_at == at_noon()
    assert provenance.source == "file"
    assert provenance.options["columns"] == "time=date, open=o, high=h, low=l, close=c"
    # The bytes are the same; what they mean is not.
    assert provenance.content_hash != batches[1].provenance.content_hash


def test_the_same_file_read_the_same_way_is_the_same_batch(tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    path.write_text("date,o,h,l,c\n2019-01-29,1,1,1,1\n")

    def content_hash(**options: object) -> str:
        return import_prices(path, symbol="A", **options).batch.provenance.content_hash

    same = content_hash()
    assert content_hash() == same
    others = [
        content_hash(adjusted="all"),
        content_hash(source="vendor"),
        content_hash(tz="UTC"),
        content_hash(mapping={"close": "h", "high": "c"}),
    ]
    assert len({same, *others}) == 5


def test_a_missing_file_is_told_before_anything_is_read(tmp_path: Path) -> None:
    good = tmp_path / "A.csv"
    good.write_text("date,o,h,l,c\n2019-01-29,1,1,1,1\n")
    with pytest.raises(UsageError, match="no such file"):
        prices([good, tmp_path / "B.csv"], interval="1d", symbol="A")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"interval": "7m"}, "unknown interval"),
        ({"tz": "Mars"}, "unknown time zone"),
        ({"adjusted": "split"}, "unknown adjustment"),
        ({"exchange": "NOWHERE"}, "no calendar"),
        ({"symbol_column": "x"}, "two ways"),
        ({"mapping": {"symbol": "x"}}, "two ways"),
        ({"symbol": "\n"}, "no symbol"),
        ({"date_format": "%Q"}, "directive"),
        ({"symbol": None, "symbol_from_name": True}, "has no name"),
    ],
)
def test_options_that_cannot_be_are_told_at_once(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        prices("-", **{"interval": "1d", "symbol": "A", **options})


def test_no_files() -> None:
    with pytest.raises(UsageError, match="no files"):
        prices([], interval="1d")


def test_a_file_that_is_cut_off_in_a_quote_stops_the_batch() -> None:
    with pytest.raises(DataError, match="never closed"):
        import_text('date,o,h,l,c\n2019-01-29,1,1,1,"1\n2019-01-30,1,1,1,1\n')


_price = st.one_of(
    st.sampled_from(["1", "2", "1.5", "0", "-1", "", "nan", "inf", "59,9", "1e400", "x", "1e308"]),
    st.floats().map(str),
    st.text(max_size=4),
)
_stamp = st.one_of(
    st.sampled_from(
        ["2019-01-29", "2019-01-30", "2019-07-04", "2019-01-29 09:30", "2019-03-10 02:30",
         "1/29/19", "29/1/19", "9999-12-31", "0001-01-01", "20190129", "", "1548777600"]
    ),
    st.text(max_size=6),
)  # fmt: skip


@given(
    table=st.lists(
        st.tuples(st.sampled_from(["A", "B", ""]), _stamp, _price, _price, _price, _price, _price),
        min_size=1,
        max_size=8,
    ),
    interval=st.sampled_from(["1d", "1m", "1h"]),
)
def test_rows_of_any_cells_are_accepted_or_refused(
    table: list[tuple[str, ...]], interval: str
) -> None:
    rows = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table]
    text = "symbol,date,open,high,low,close,volume\n" + "\n".join(rows) + "\n"
    try:
        got = import_text(text.encode("utf-8", "replace"), symbol=None, interval=interval, tz="UTC")
    except UsageError as error:
        if "month first or day first" not in error.what:
            raise
        return
    assert got.rows_read == len(table)
    assert [reject.row for reject in got.rejects] == sorted({r.row for r in got.rejects})
    lows, highs = np.array(got.column("low")), np.array(got.column("high"))
    assert (lows > 0).all()
    assert (lows <= highs * (1 + 1e-6)).all()


@given(st.binary(max_size=200), st.sampled_from([b"", b"date,o,h,l,c\n", b'{"date":', b"PAR1"]))
def test_any_bytes_raise_nothing_but_our_own_errors(data: bytes, begin: bytes) -> None:
    try:
        got = import_text(begin + data)
    except BacktestError:
        return
    assert got.rows_read > 0


def test_hostile_cells_are_shown_harmlessly() -> None:
    cells = ["'; DROP TABLE bars; --", "<script>alert(1)</script>", "\x00\x1b[2J", "x" * (1 << 20)]
    rows = "".join(f'2019-01-29,1,1,1,"{cell}"\n' for cell in cells)
    got = import_text("date,o,h,l,c\n" + rows)
    values = [value for _, _, value in got.refused()]
    assert values[:3] == [cells[0], cells[1], r"\x00\x1b[2J"]
    assert len(values[3]) == 201


def test_standard_input_of_each_format() -> None:
    csv = "date,o,h,l,c\n2019-01-29,1,1,1,1\n"
    lines = '{"date": "2019-01-29", "o": 1, "h": 1, "l": 1.0, "c": 1}\n'
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"date": ["2019-01-29"], **{name: [1] for name in "ohlc"}}), sink)
    for data in (csv, lines, sink.getvalue().to_pybytes()):
        (batch,) = prices("-", interval="1d", symbol="A", now=at_noon, stdin=stdin(data))
        assert sum(len(chunk.bars) for chunk in batch.chunks) == 1


_LATE = 2**62
_COLUMNS = [
    pa.array([1, 2]),
    pa.array([-_LATE, _LATE], pa.timestamp("ms")),
    pa.array([-_LATE, _LATE], pa.timestamp("us", "America/New_York")),
    pa.array([1548777600, None], pa.timestamp("ms", "Nowhere/AtAll")),
    pa.array([2**31 - 1, 17_925], pa.int32()).view(pa.date32()),
    pa.array([1548720000000, None]).view(pa.date64()),
    pa.array([1, 2], pa.duration("s")),
    pa.array([1, 2], pa.time32("s")),
    pa.array([[1], None]),
    pa.array([{"a": "x"}, None]),
    pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
    pa.array([b"\xff", b"x"]),
    pa.array([b"\xff", b"x"], pa.binary()).dictionary_encode(),
    pa.array(["A", None]).dictionary_encode(),
    pa.array([True, None]),
    pa.nulls(2),
    pa.array([0.5, float("nan")], pa.float16()),
    pa.array([2**64 - 1, 0], pa.uint64()),
]


@pytest.mark.parametrize("cells", _COLUMNS, ids=lambda cells: str(cells.type))
@pytest.mark.parametrize("field", ["symbol", "date", "open", "volume"])
def test_columns_of_any_type_are_accepted_or_refused(
    cells: pa.Array, field: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.parquet"
    table = {
        "symbol": pa.array(["A", "B"]),
        "date": pa.array(["2019-01-29"] * 2),
        **{name: pa.array([1.0, 1.0]) for name in ("open", "high", "low", "close", "volume")},
        field: cells,
    }
    pq.write_table(pa.table(table), path)
    got = import_prices(path, tz="UTC")
    assert got.rows_read == 2


def test_text_that_is_no_utf8_inside_a_list_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    symbols = pa.ListArray.from_arrays([0, 1], pa.array([b"\xff"]).view(pa.string()))
    table = {"symbol": symbols, "date": ["2019-01-29"], **{name: [1.0] for name in "ohlc"}}
    pq.write_table(pa.table(table), path)
    with pytest.raises(DataError, match="UTF8"):
        import_prices(path)
