"""Splits and dividends from files."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.batches import ActionRecord, RecordBatch
from db.errors import UsageError
from db.sources.files import actions
from tests.db.sources.files.tables import at_noon, stdin


def read(text: str, **options: Any) -> RecordBatch[ActionRecord]:
    return actions("-", stdin=stdin(text), now=at_noon, **options)


def told(text: str, **options: Any) -> list[tuple[str, str, date, float]]:
    return [(r.symbol, r.kind, r.ex_date, r.value) for r in read(text, **options).records]


def test_a_kind_and_a_value() -> None:
    text = (
        "symbol,ex_date,kind,value\n"
        "AAPL,2020-08-31,split,4:1\n"
        "AAPL,2020-08-07,Cash Dividend,0.82\n"
        "GE,2021-08-02,Reverse Split,1:8\n"
    )
    assert told(text) == [
        ("AAPL", "split", date(2020, 8, 31), 4.0),
        ("AAPL", "dividend", date(2020, 8, 7), 0.82),
        ("GE", "split", date(2021, 8, 2), 0.125),
    ]


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("5", 5.0), ("5:1", 5.0), ("5/1", 5.0), ("5-for-1", 5.0), ("5 for 1", 5.0), ("3:2", 1.5),
        ("5 : 1", 5.0), ("1.5", 1.5), ("0.125", 0.125), ("5 to 1", 5.0), ("1/20", 0.05),
    ],
)  # fmt: skip
def test_spellings_of_a_ratio(text: str, ratio: float) -> None:
    assert told(f"symbol,date,kind,value\nA,2020-08-31,split,{text}\n")[0][3] == ratio


def test_a_column_for_each_kind() -> None:
    batch = read(
        "Date,Close,Dividends,Stock Splits\n"
        "2020-08-28 00:00:00-04:00,1,0.0,0.0\n"
        "2020-08-31 00:00:00-04:00,1,0.0,4.0\n"
        "2020-11-06 00:00:00-05:00,1,0.205,\n"
        "2020-11-09 00:00:00-05:00,1,0.3,2\n"
        "2020-11-10 00:00:00-05:00,1,,1\n",
        symbol="aapl",
    )
    assert [(r.row, r.symbol, r.kind, str(r.ex_date), r.value) for r in batch.records] == [
        (2, "AAPL", "split", "2020-08-31", 4.0),
        (3, "AAPL", "dividend", "2020-11-06", 0.205),
        (4, "AAPL", "split", "2020-11-09", 2.0),
        (4, "AAPL", "dividend", "2020-11-09", 0.3),
    ]
    assert [(reject.row, reject.reason) for reject in batch.rejects] == [
        (1, "neither a split nor a dividend in this row"),
        (5, "neither a split nor a dividend in this row"),
    ]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",2020-08-31,split,4", "symbol", "missing"),
        ("A,soon,split,4", "date", "not a date"),
        ("A,2030-08-31,split,4", "date", "future"),
        ("A,2020-08-31,merger,4", "kind", "unknown kind"),
        ("A,2020-08-31,split,", "value", "missing"),
        ("A,2020-08-31,split,0", "value", "positive"),
        ("A,2020-08-31,split,-4", "value", "positive"),
        ("A,2020-08-31,split,4:0", "value", "positive"),
        ("A,2020-08-31,split,1", "value", "changes nothing"),
        ("A,2020-08-31,split,four", "value", "a split is written"),
        ("A,2020-08-31,split,inf", "value", "positive"),
        ("A,2020-08-31,dividend,-0.2", "value", "not negative"),
        ("A,2020-08-31,dividend,0", "value", "zero"),
        ('A,2020-08-31,dividend,"0,82"', "value", "decimal"),
        ("A,2020-08-31,dividend,4:1", "value", "not a number"),
        ("A,2020-08-31,dividend,inf", "value", "not finite"),
    ],
)
def test_what_is_refused(row: str, column: str, reason: str) -> None:
    batch = read(f"symbol,date,kind,value\n{row}\nB,2020-08-31,split,4\n")
    assert [record.symbol for record in batch.records] == ["B"]
    (reject,) = batch.rejects
    assert (reject.row, reject.column) == (1, column)
    assert reason in reject.reason


def test_an_announced_dividend_may_lie_ahead() -> None:
    assert told("symbol,date,kind,value\nA,2024-06-07,dividend,0.25\n")[0][2] == date(2024, 6, 7)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("symbol,date,amount", "whether a row is a split or a dividend"),
        ("symbol,date,kind", "no column looks like 'value'"),
        ("date,dividend", "no column looks like 'symbol'"),
        ("symbol,dividend", "no column looks like 'ex_date'"),
    ],
)
def test_columns_that_do_not_tell(header: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        read(f"{header}\n{','.join('1' for _ in header.split(','))}\n")
    assert "--map" in error.value.hint


def test_a_list_of_dividends_alone_takes_one_word() -> None:
    text = "symbol,date,amount\nA,2020-08-31,0.2\n"
    assert told(text, mapping={"dividend": "amount"}) == [("A", "dividend", date(2020, 8, 31), 0.2)]


_cell = st.one_of(
    st.sampled_from(["A", "2020-08-31", "split", "dividend", "4:1", "0", "1", "0.2", "-1", ""]),
    st.text(max_size=5),
)


@given(
    st.lists(st.tuples(_cell, _cell, _cell, _cell), min_size=1, max_size=6),
    st.sampled_from(["symbol,date,kind,value", "symbol,date,split,dividend"]),
)
def test_rows_of_any_cells_are_accepted_or_refused(
    table: list[tuple[str, ...]], header: str
) -> None:
    rows = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table]
    text = (header + "\n" + "\n".join(rows) + "\n").encode("utf-8", "replace").decode()
    try:
        batch = read(text)
    except UsageError as error:
        if "month first or day first" not in error.what:
            raise
        return
    accepted = {record.row for record in batch.records}
    refused = [reject.row for reject in batch.rejects]
    assert sorted([*accepted, *refused]) == list(range(1, len(table) + 1))
