import json
from typing import Any

import pandas as pd
import pytest

from backtest.cli.tables import Column, cell, form_of, plain, show
from db.errors import UsageError

COLUMNS = (
    Column("symbol"),
    Column("at", kind="time"),
    Column("move", kind="percent", digits=1),
    Column("rows", kind="count"),
    Column("title", wide=True),
)


@pytest.fixture
def frame() -> pd.DataFrame:
    at = pd.to_datetime(["2019-01-29T21:15:00Z", None, "2019-07-30T08:00:00Z"])
    return pd.DataFrame(
        {
            "symbol": ["AMD", "UBER", "SAP"],
            "exchange": ["XNYS", "XNYS", "XETR"],
            "at": at,
            "day": pd.to_datetime(["2019-01-29", None, "2019-07-30"]),
            "move": [-0.064, float("nan"), 0.1],
            "rows": pd.array([1234567, None, 0], dtype="Int64"),
            "title": ["[red]no markup[/red]", "x" * 200, "\x1b[2Jwiped"],
        }
    )


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")


def shown(capsys: pytest.CaptureFixture[str], *args: Any, **options: Any) -> tuple[str, str]:
    show(*args, **options)
    return capsys.readouterr()


def test_a_table_fits_in_eighty_columns(
    frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = shown(capsys, frame, COLUMNS)
    assert max(map(len, out.splitlines())) <= 80
    assert "…" in out, "the long title gave way"


def test_a_table_shows_exchange_time_with_its_offset_and_labelled_percents(
    frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = shown(capsys, frame, COLUMNS)
    assert "2019-01-29 16:15-05:00" in out
    assert "2019-07-30 10:00+02:00" in out, "Frankfurt's own time"
    assert "move %" in out
    assert "-6.4" in out
    assert "1,234,567" in out


def test_a_cell_is_text_and_never_a_command_to_the_terminal(
    frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = shown(capsys, frame, COLUMNS)
    assert "[red]no" in out
    assert "\x1b" not in out


def test_json_has_every_column_and_null_for_what_is_missing(
    frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = shown(capsys, frame, COLUMNS[:1], form="json")
    first, second, third = json.loads(out)
    assert first["at"] == "2019-01-29T16:15:00-05:00"
    assert first["day"] == "2019-01-29"
    assert first["rows"] == 1234567
    assert second["at"] is second["move"] is second["rows"] is second["day"] is None
    assert third["rows"] == 0


def test_csv_reads_back_to_the_same_numbers(
    frame: pd.DataFrame, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    frame["move"] = [1 / 3, float("nan"), 1e-17]
    out, _ = shown(capsys, frame, COLUMNS, form="csv")
    (tmp_path / "x.csv").write_text(out)
    back = pd.read_csv(tmp_path / "x.csv")
    assert list(back.columns) == list(frame.columns)
    pd.testing.assert_series_equal(back["move"], frame["move"])
    assert pd.to_datetime(back["at"], utc=True)[0] == frame["at"][0]


def test_rows_beyond_the_limit_are_counted_and_exports_know_no_limit(
    frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = shown(capsys, frame, COLUMNS, limit=1)
    assert "AMD" in out
    assert "UBER" not in out
    assert err.startswith("2 more rows")
    out, err = shown(capsys, frame, COLUMNS, limit=0)
    assert "SAP" in out
    assert err == ""
    out, _ = shown(capsys, frame, COLUMNS, form="csv", limit=1)
    assert "SAP" in out


def test_an_empty_frame_is_said_on_standard_error_and_empty_in_json(
    frame: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    none = frame.iloc[:0]
    assert shown(capsys, none, COLUMNS, empty="no events") == ("", "no events\n")
    assert shown(capsys, none, COLUMNS, form="json") == ("[]\n", "")
    assert shown(capsys, none, COLUMNS, form="csv")[0].startswith("symbol,exchange,at")


def test_one_form_at_a_time() -> None:
    with pytest.raises(UsageError):
        form_of(as_json=True, as_csv=True)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("inf"), None),
        (pd.NaT, None),
        (pd.NA, None),
        ({"a": (1, float("nan"))}, {"a": [1, None]}),
        (pd.Series([1.5]).to_numpy()[0], 1.5),
        (True, True),
    ],
)
def test_plain_values_are_those_that_json_knows(value: object, expected: object) -> None:
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_a_missing_number_is_an_empty_cell() -> None:
    assert cell(float("nan"), Column("x", kind="number")) == ""
    assert cell(-0.0512, Column("x", kind="percent")) == "-5.12"


def test_spare_columns_give_way_from_the_right_and_only_as_many_as_need_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({name: ["x" * 20] for name in ("first", "second", "third", "fourth")})
    columns = [
        Column("first"),
        Column("second", spare=True),
        Column("third", spare=True),
        Column("fourth"),
    ]
    for width, told in ((90, "first second third fourth"), (80, "first second fourth")):
        monkeypatch.setenv("COLUMNS", str(width))
        show(frame, columns)
        printed = capsys.readouterr().out.splitlines()
        assert printed[0].split() == told.split()
        assert all(len(line) <= width for line in printed)
    monkeypatch.setenv("COLUMNS", "50")
    show(frame, columns)
    assert capsys.readouterr().out.splitlines()[0].split() == ["first", "fourth"]
