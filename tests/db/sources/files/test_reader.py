"""Every row of a file comes back with its number, or as a reject with its number."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.errors import BacktestError, DataError
from db.sources.files import csv_rows, json_rows, parquet_rows
from db.sources.files.numeric import Numbers, to_numbers
from db.sources.files.reader import open_rows
from db.sources.files.texts import to_texts
from tests.db.sources.files.tables import rows_of, stdin


def test_ragged_rows_are_rejects_and_the_others_go_in() -> None:
    assert list(rows_of("a,b\n1,2\n3\n\n4,5,6\n7,8\n")) == [
        (1, ["1", "2"]),
        (2, "has 1 cells, the header 2"),
        (3, "has 3 cells, the header 2"),
        (4, ["7", "8"]),
    ]


def test_a_last_row_that_is_cut_off_is_a_reject() -> None:
    assert list(rows_of("a,b\n1,2\n3"))[1] == (2, "has 1 cells, the header 2")


@pytest.mark.parametrize("last", ['3,"cut', '"cut', '3,4,"cut'])
def test_a_last_cell_that_is_cut_off_inside_its_quotes_is_a_reject(last: str) -> None:
    assert list(rows_of(f"a,b\n1,2\n{last}"))[1] == (2, "the file ends inside a quoted cell")


@pytest.mark.parametrize("row", ['1,"2', '"1', '1,2,"3'])
def test_a_quote_that_swallows_the_rest_of_the_file_is_an_error(row: str) -> None:
    with pytest.raises(DataError, match="quote opened in row 2 is never closed"):
        list(rows_of(f"a,b\n1,2\n{row}\n3,4\n5,6\n"))


def test_quoted_cells_may_hold_separators_quotes_and_line_breaks() -> None:
    assert list(rows_of('a,b\n"x,""y""\nz",2\n3,4\n')) == [
        (1, ['x,"y"\nz', "2"]),
        (2, ["3", "4"]),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a;b\n1;2\n",
        "a\tb\n1\t2\n",
        "a|b\n1|2\n",
        "\ufeffa,b\r\n1,2\r\n",
        "\n\na,b\n1,2",
        "a,b\r1,2",
    ],
)
def test_other_separators_marks_and_line_ends(text: str) -> None:
    assert list(rows_of(text)) == [(1, ["1", "2"])]


def test_a_header_with_a_name_twice_is_read() -> None:
    rows = open_rows("-", stdin=stdin("a,a\n1,2\n"))
    assert list(rows.names) == ["a", "a"]
    assert list(rows_of("a,a\n1,2\n")) == [(1, ["1", "2"])]


@pytest.mark.parametrize("text", ["a,b", "a,b\n", "a,b\n\n\n"])
def test_a_header_without_rows_is_an_error(text: str) -> None:
    with pytest.raises(DataError, match=r"columns \(a, b\) but not one row"):
        list(rows_of(text))


def test_a_file_in_which_no_row_fits_is_given_up() -> None:
    with pytest.raises(DataError, match="none of the first 10,000 rows fits"):
        list(rows_of("a,b\n" + "1\n" * 20_000))


def test_a_cell_of_a_megabyte_is_carried_whole() -> None:
    ((_, cells),) = rows_of("a,b\n1," + "x" * (1 << 20) + "\n")
    assert [len(cell) for cell in cells] == [1, 1 << 20]


def test_a_row_too_long_for_memory_is_an_error() -> None:
    with pytest.raises(DataError, match="cannot be read as CSV"):
        list(rows_of("a,b\n1,2\n3," + "x" * (40 << 20) + "\n5,6\n"))


def test_numbers_go_on_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_PARSED_AT_ONCE", 64)
    lines = [f"{n},x" if n % 7 else f"{n}" for n in range(1, 200)]
    found = list(rows_of("a,b\n" + "\n".join(lines) + "\n"))
    assert [number for number, _ in found] == list(range(1, 200))
    for number, cells in found:
        assert cells == ([str(number), "x"] if number % 7 else "has 1 cells, the header 2")


_cells = st.text(alphabet='ab1 ,;"\n\r\té', max_size=6)


@given(st.lists(st.tuples(_cells, _cells), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_what_a_csv_writer_wrote_comes_back(table: list[tuple[str, str]], line_end: str) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerow(("first", "second"))
    writer.writerows(table)
    assert list(rows_of(text.getvalue())) == [
        (number, list(cells)) for number, cells in enumerate(table, start=1)
    ]


@given(st.text(alphabet='ab1 ,"\n\r\0é', max_size=40))
def test_rows_and_rejects_of_any_text_are_numbered_without_a_gap(text: str) -> None:
    try:
        numbers = [number for number, _ in rows_of("a,b\n" + text)]
    except BacktestError:
        return
    assert numbers == list(range(1, len(numbers) + 1))


def test_json_lines_keep_numbers_as_they_are_written() -> None:
    assert list(rows_of('{"a": 1.50, "b": 1e999}\n\n{"b": null, "a": true}\n')) == [
        (1, ["1.50", "1e999"]),
        (2, ["true", None]),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x", "not JSON"),
        ('{"a": 1', "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"a": "\\ud800"}', "surrogate"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_object_is_a_reject(line: str, reason: str) -> None:
    first, second, third = rows_of('{"a": "x"}\n' + line + '\n{"a": "y"}\n')
    assert (first, third) == ((1, ["x"]), (3, ["y"]))
    assert second[0] == 2
    assert reason in str(second[1])


def test_a_key_that_comes_late_is_an_error_rather_than_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_rows, "_CHUNK_ROWS", 2)
    with pytest.raises(DataError, match=r"row 3 has a key 'volume'"):
        list(rows_of('{"a": 1}\n{"a": 2}\n{"a": 3, "volume": 4}\n'))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.text(max_size=5)), min_size=1))
def test_what_a_json_writer_wrote_comes_back(objects: list[dict[str, str]]) -> None:
    names = list(dict.fromkeys(name for found in objects for name in found))
    text = "\n".join(json.dumps(found) for found in objects)
    assert list(rows_of(text)) == [
        (number, [found.get(name) for name in names]) for number, found in enumerate(objects, 1)
    ]


def test_parquet_keeps_types_and_numbers_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_rows, "CHUNK_ROWS", 4)
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a.b": range(10), "c": [0.5] * 10}), path, row_group_size=3)
    chunks = list(open_rows(str(path)).chunks([0]))
    assert [row for chunk in chunks for row in chunk.rows.tolist()] == list(range(1, 11))
    assert [cell for chunk in chunks for cell in chunk.column(0).to_pylist()] == list(range(10))
    assert max(len(chunk.rows) for chunk in chunks) <= 4


def test_parquet_without_rows_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="not one row"):
        list(open_rows(str(path)).chunks())


def test_damaged_parquet_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": list(range(5000))}), path)
    whole = path.read_bytes()
    for damaged in (whole[:-10], b"PAR1", whole[:200] + b"\xff" * 400 + whole[600:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="damaged or cut short"):
            list(open_rows(str(path)).chunks())


def test_parquet_with_text_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    text = pa.array([b"\xff\xfe"]).view(pa.string())
    pq.write_table(pa.table({"a": text}), path)
    with pytest.raises(DataError, match="UTF8"):
        list(open_rows(str(path)).chunks())


_json_cell = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["2019-01-29", "2019-01-29T16:05:00Z", "1.5", "A", "", "x[{\\\n", "é\u2028"]),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=1),
)


@given(
    st.lists(
        st.one_of(
            st.dictionaries(st.sampled_from("abc"), _json_cell).map(json.dumps),
            st.sampled_from(["{}", "x", '{"a": 1} {"a": 2}', '{"a": 1, "a": 2}', '{"a": 01}']),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_the_quick_reading_of_json_lines_is_the_careful_one(lines: list[str]) -> None:
    def read(*, careful: bool) -> list[object]:
        with pytest.MonkeyPatch.context() as patch:
            if careful:
                patch.setattr(json_rows.JsonRows, "_quick", lambda *_: None)
            rows = open_rows("-", stdin=stdin("\n".join(["{}", *lines])))
            chunks = list(rows.chunks(range(len(rows.names))))
        cells = [
            [to_texts(chunk.column(i)), comparable(to_numbers(chunk.column(i)))]
            for chunk in chunks
            for i in range(len(rows.names))
        ]
        return [chunks[0].rows.tolist(), [r.row for r in chunks[0].rejects], cells]

    def comparable(numbers: Numbers) -> list[object]:
        return [repr(numbers.values.tolist()), numbers.bad.tolist(), numbers.missing.tolist()]

    quick, careful = read(careful=False), read(careful=True)
    assert quick[:2] == careful[:2]
    for quick_cells, careful_cells in zip(quick[2], careful[2], strict=True):
        assert quick_cells[1] == careful_cells[1]
        for one, other in zip(quick_cells[0], careful_cells[0], strict=True):
            # 1.50 and 1e2 come back as 1.5 and 100.
            assert one == other or float(one) == float(other)
