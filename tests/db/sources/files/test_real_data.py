"""The real files: every row is accounted for, and each refused one is refused for its fault."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from db.sources.files import events, news
from tests.db.sources.files.tables import NEW_YORK, import_prices


def test_minute_bars(real_data: Path) -> None:
    rows = {"AAPL": 367_417, "AMD": 365_510, "AMZN": 250_995, "NVDA": 288_165}
    rows |= {"SHOP": 215_891, "TSLA": 330_004, "UBER": 221_436}
    refused = {}
    for symbol, count in rows.items():
        file = real_data / "intraday_1m" / f"{symbol}.parquet"
        got = import_prices(file, interval="1m", tz=NEW_YORK, symbol_from_name=True)
        assert got.rows_read == got.batch.rows_expected == count
        refused |= {(symbol, reject.row): reject.reason for reject in got.rejects}
    # One bar two minutes after the evening's end.
    assert list(refused) == [("UBER", 34_039)]
    assert "20:02:00-04:00 is outside the hours" in refused["UBER", 34_039]


def test_adjusted_daily_bars(real_data: Path) -> None:
    first, second = (
        import_prices(real_data / "daily_adjusted" / name, adjusted="all")
        for name in ("daily_2013_2015.parquet", "daily_2015_2017.parquet")
    )
    assert (first.rows_read, second.rows_read) == (1_763_346, 1_878_492)
    # Ten rows in which one price is off by a factor of ten.
    assert {reject.column for reject in first.rejects} == {"open", "high", "close"}
    assert all(reject.reason.startswith("out of order") for reject in first.rejects)
    assert (len(first.rejects), len(second.rejects)) == (10, 0)
    # Single precision comes out as it was quoted.
    assert first.column("open")[0] == 29.516


def test_raw_daily_bars(real_data: Path) -> None:
    got = import_prices(real_data / "daily_raw" / "daily_raw.parquet")
    reasons = Counter(reject.reason for reject in got.rejects)
    assert got.rows_read == 195_179
    assert reasons == {
        "XNYS had no session on 2015-04-03": 10,
        "XNYS had no session on 2015-05-25": 9,
        "XNYS had no session on 2015-07-03": 9,
        "a price is zero or negative": 11,
    }


def test_earnings(real_data: Path) -> None:
    batch = events(real_data / "earnings" / "earnings_2012_2019.csv")
    assert (len(batch.records), len(batch.rejects)) == (72_970, 0)
    kinds = Counter((record.precision, record.session) for record in batch.records)
    # 250 lie on days without a session: weekends, holidays, the storm of October 2012.
    assert kinds == {("session", "post"): 38_653, ("session", "pre"): 34_067, ("date", ""): 250}
    for name, count in (("earnings/intraday_events_2019_2020", 55), ("demo/earnings_facts", 185)):
        batch = events(real_data / f"{name}.csv")
        assert (len(batch.records), len(batch.rejects)) == (count, 0)
        assert {record.precision for record in batch.records} == {"session"}


def test_headlines(real_data: Path) -> None:
    for name, tz, count in (
        ("headlines_en.parquet", None, 9_989),
        ("headlines_de.csv", "Europe/Berlin", 454),
        ("ntv_wirtschaft_rss_de.csv", None, 83),
    ):
        batch = news(real_data / "news" / name, tz=tz)
        assert (len(batch.records), len(batch.rejects)) == (count, 0)
        assert {record.published_precision for record in batch.records} == {"exact"}
