"""News items from files: when they were known, and what they carry."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.batches import NewsRecord, RecordBatch
from db.errors import UsageError
from db.sources.files import news
from tests.db.sources.files.tables import at_noon, stdin

BERLIN = "Europe/Berlin"


def read(text: str, **options: Any) -> RecordBatch[NewsRecord]:
    return news("-", stdin=stdin(text), now=at_noon, **options)


@pytest.mark.parametrize(
    ("text", "tz", "at", "precision"),
    [
        ("2023-10-17T09:16:00+02:00", None, datetime(2023, 10, 17, 7, 16, tzinfo=UTC), "exact"),
        ('"Mon, 07 Oct 2023 16:30:33 +0200"', None,
         datetime(2023, 10, 7, 14, 30, 33, tzinfo=UTC), "exact"),
        ("2023-10-17 09:16", BERLIN, datetime(2023, 10, 17, 7, 16, tzinfo=UTC), "exact"),
        ("2023-10-17", BERLIN, datetime(2023, 10, 17, 22, 0, tzinfo=UTC), "date"),
        ("2023-10-29", BERLIN, datetime(2023, 10, 29, 23, 0, tzinfo=UTC), "date"),
        ("2023-10-17 00:00:00", BERLIN, datetime(2023, 10, 17, 22, 0, tzinfo=UTC), "date"),
    ],
)  # fmt: skip
def test_known_from(text: str, tz: str | None, at: datetime, precision: str) -> None:
    (record,) = read(f"published,title\n{text},x\n", tz=tz).records
    assert (record.published_at, record.published_precision) == (at, precision)


def test_a_column_that_says_utc_is_utc() -> None:
    (record,) = read("published_utc,title\n2023-10-17 09:16,x\n").records
    assert record.published_at == datetime(2023, 10, 17, 9, 16, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2023-10-17 09:16", "2023-10-17"])
def test_times_and_dates_need_a_zone(text: str) -> None:
    with pytest.raises(UsageError, match="carry no zone"):
        read(f"published,title\n{text},x\n")


def test_everything_is_carried() -> None:
    (record,) = read(
        "published,headline,link,summary,tickers,lang,publisher,event_time,score\n"
        '2023-10-17T09:16Z,"<b>A</b>, ""quoted""",https://x.org/a?b=c,"line\nline",'
        '"$AMD, nvda|AMD",'
        "EN,Wire,2023-10-16,-0.5\n",
        tz="America/New_York",
    ).records
    assert record == NewsRecord(
        title='<b>A</b>, "quoted"',
        published_at=datetime(2023, 10, 17, 9, 16, tzinfo=UTC),
        url="https://x.org/a?b=c",
        body="line\nline",
        language="en",
        provider="Wire",
        event_at=datetime(2023, 10, 16, 4, tzinfo=UTC),
        symbols=("AMD", "NVDA"),
        sentiment=-0.5,
        raw=record.raw,
        row=1,
    )
    assert json.loads(record.raw)["tickers"] == "$AMD, nvda|AMD"
    assert "summary" not in json.loads(record.raw)


def test_symbols_of_a_list_column(tmp_path: Path) -> None:
    path = tmp_path / "news.parquet"
    table = {
        "published": pa.array([datetime(2023, 1, 2, 3, tzinfo=UTC)] * 2),
        "title": ["a", "b"],
        "symbols": pa.array([["AMD", "NVDA"], None], pa.list_(pa.string())),
    }
    pq.write_table(pa.table(table), path)
    assert [record.symbols for record in news(path, now=at_noon).records] == [("AMD", "NVDA"), ()]
    lines = '{"published": "2023-01-02T03:00Z", "title": "a", "symbols": ["AMD", "NVDA"]}\n'
    assert read(lines).records[0].symbols == ("AMD", "NVDA")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "12345", "data:text/html,x", "a b"])
def test_only_web_addresses_become_one(address: str) -> None:
    (record,) = read(f'published,title,id\n2023-10-17T09:16Z,x,"{address}"\n').records
    assert record.url == ""


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",x,,", "published", "missing"),
        ("soon,x,,", "published", "not a date"),
        ("2024-01-02T12:00:01Z,x,,", "published", "future"),
        ("2023-10-17T09:16Z, ,,", "title", "missing"),
        ("2023-10-17T09:16Z,x\x00y,,", "title", "NUL"),
        ("2023-10-17T09:16Z,x," + "A" * 33 + ",", "symbols", "no symbol"),
        ("2023-10-17T09:16Z,x,[1,", "symbols", "no symbol"),
        ("2023-10-17T09:16Z,x,,good", "sentiment", "not a number"),
        ("2023-10-17T09:16Z,x,,inf", "sentiment", "not finite"),
    ],
)
def test_what_is_refused(row: str, column: str, reason: str) -> None:
    cells = row.split(",", 3)
    line = ",".join(f'"{cell}"' for cell in cells)
    batch = read(f"published,title,symbols,sentiment\n{line}\n2023-10-17T09:16Z,y,,\n")
    assert [record.title for record in batch.records] == ["y"]
    (reject,) = batch.rejects
    assert (reject.row, reject.column) == (1, column)
    assert reason in reject.reason


def test_todays_date_alone_is_known_tonight() -> None:
    batch = read("published,title\n2024-01-02,today\n2024-01-03,tomorrow\n", tz="UTC")
    assert [record.title for record in batch.records] == ["today"]
    assert [reject.row for reject in batch.rejects] == [2]


def test_a_million_letters_are_carried() -> None:
    (record,) = read(f"published,title,body\n2023-10-17T09:16Z,x,{'é' * 1_000_000}\n").records
    assert len(record.body) == 1_000_000
    assert len(record.raw) < 100


_cell = st.one_of(
    st.sampled_from(["2023-10-17", "2023-10-17T09:16Z", "AMD", "[]", '["a"]', "https://x.org", ""]),
    st.text(max_size=6),
)


@given(st.lists(st.tuples(*[_cell] * 6), min_size=1, max_size=6))
def test_rows_of_any_cells_are_accepted_or_refused(table: list[tuple[str, ...]]) -> None:
    names = ("published", "title", "symbols", "url", "sentiment", "event_at")
    text = "\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in table)
    try:
        batch = read(text, tz="UTC")
    except UsageError as error:
        if "month first or day first" not in error.what:
            raise
        return
    numbers = sorted([r.row for r in batch.records] + [r.row for r in batch.rejects])
    assert numbers == list(range(1, len(table) + 1))
