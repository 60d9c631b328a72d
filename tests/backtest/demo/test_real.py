"""The real part of the demo: its prices are raw, its actions and its dates are facts."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from backtest.demo import real
from db.batches import BAR_SCHEMA
from db.calendar import calendar

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def prices() -> pd.DataFrame:
    chunks = [chunk.bars for chunk in real.daily_bars(now=NOW).chunks]
    table = pa.concat_tables(chunks)
    assert table.schema == BAR_SCHEMA
    frame = table.to_pandas()
    frame["date"] = frame["start"].dt.tz_convert("America/New_York").dt.date
    return frame.set_index(["symbol", "date"])


def test_five_companies_with_every_session_from_their_first_to_march_2013(
    prices: pd.DataFrame,
) -> None:
    batch = real.daily_bars(now=NOW)
    assert batch.rows_expected == len(prices) == 12_154
    assert prices.groupby("symbol").size().to_dict() == {
        "AAPL": 3270,
        "FB": 196,
        "GOOG": 2148,
        "IBM": 3270,
        "MSFT": 3270,
    }
    cal = calendar("XNYS")
    for symbol, frame in prices.groupby("symbol"):
        days = frame.index.get_level_values("date").to_numpy().astype("datetime64[D]")
        sessions = cal.index_of_dates(days)
        assert (np.diff(sessions) == 1).all(), symbol
        starts = frame["start"].dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        assert np.array_equal(starts.astype(np.int64), cal.opens[sessions]), symbol


def test_the_prices_are_raw_as_the_batch_says(prices: pd.DataFrame) -> None:
    """The levels jump at the splits, and a traded price of the day is in the file."""
    assert real.daily_bars(now=NOW).adjusted == "none"
    close = prices["close"]
    assert close["AAPL", date(2000, 6, 20)] == 101.25
    assert close["AAPL", date(2000, 6, 21)] == 55.63
    assert close["MSFT", date(2003, 2, 14)] == pytest.approx(48.30)
    assert close["MSFT", date(2003, 2, 18)] == 24.96
    assert close["GOOG", date(2004, 8, 19)] == pytest.approx(100.335, abs=0.01)


def test_the_prices_are_in_order(prices: pd.DataFrame) -> None:
    body = prices[["open", "close"]]
    assert (prices["low"] <= body.min(axis=1)).all()
    assert (prices["high"] >= body.max(axis=1)).all()
    assert (prices["low"] > 0).all()
    assert (prices["volume"] > 0).all()


def test_facebook_fell_and_recovered_on_2013_01_31(prices: pd.DataFrame) -> None:
    before = prices.loc[("FB", date(2013, 1, 30)), "close"]
    after = prices.loc[("FB", date(2013, 1, 31))]
    moves = [round(100 * (after[name] / before - 1), 1) for name in ("open", "low", "close")]
    assert moves == [-6.7, -8.0, -0.8]


def test_splits_and_dividends_are_what_the_companies_paid() -> None:
    actions = real.actions(now=NOW).records
    counts = Counter((action.symbol, action.kind) for action in actions)
    assert counts == {
        ("AAPL", "split"): 2,
        ("AAPL", "dividend"): 3,
        ("IBM", "dividend"): 52,
        ("MSFT", "split"): 1,
        ("MSFT", "dividend"): 37,
    }
    by_day = {(action.symbol, action.ex_date): action.value for action in actions}
    assert by_day["AAPL", date(2000, 6, 21)] == 2.0
    assert by_day["AAPL", date(2005, 2, 28)] == 2.0
    assert by_day["MSFT", date(2003, 2, 18)] == 2.0
    assert by_day["AAPL", date(2012, 8, 9)] == 2.65
    assert by_day["MSFT", date(2004, 11, 15)] == 3.08, "the special dividend of 3 dollars"
    assert by_day["IBM", date(2013, 2, 6)] == 0.85


def test_there_are_185_releases_each_on_a_session() -> None:
    records = real.earnings(now=NOW).records
    counts = Counter((record.symbol, record.session) for record in records)
    assert len(records) == 185
    assert counts == {
        ("AAPL", "post"): 48,
        ("FB", "post"): 3,
        ("GOOG", "post"): 33,
        ("GOOG", "regular"): 1,
        ("IBM", "post"): 50,
        ("MSFT", "post"): 50,
    }
    assert {record.precision for record in records} == {"session"}
    assert len({(record.symbol, record.announced_from) for record in records}) == 185
    assert [record.row for record in records] == list(range(1, 186))
    assert all(record.first_known_at is None for record in records)


def test_google_reported_by_accident_in_the_session() -> None:
    release = next(
        record for record in real.earnings(now=NOW).records if record.session == "regular"
    )
    assert release.symbol == "GOOG"
    # About 12:30 in New York, not known to the minute: the session is what is certain.
    assert release.announced_from == datetime(2012, 10, 18, 13, 30, tzinfo=UTC)
    assert release.announced_to < datetime(2012, 10, 18, 20, 0, tzinfo=UTC)
    assert (release.eps_estimate, release.eps_actual) == (0.27, 0.23)


def test_missing_figures_stay_missing() -> None:
    records = real.earnings(now=NOW).records
    missing = [record for record in records if record.eps_actual is None]
    assert len(missing) == 12
    assert {record.symbol for record in missing} == {"AAPL"}
    assert all(record.eps_estimate is None for record in missing)


def test_every_release_has_a_reference_close_and_a_reaction(prices: pd.DataFrame) -> None:
    cal = calendar("XNYS")
    days = {
        symbol: set(frame.index.get_level_values(1)) for symbol, frame in prices.groupby(level=0)
    }
    without = []
    for record in real.earnings(now=NOW).records:
        since = np.array([int(record.announced_from.timestamp()) * 1_000_000])
        until = np.array([int(record.announced_to.timestamp()) * 1_000_000])
        reference = cal.dates[cal.last_close_at_or_before(since)[0]].astype(object)
        reaction = cal.dates[cal.first_close_after(until)[0]].astype(object)
        if not {reference, reaction} <= days[record.symbol]:
            without.append((record.symbol, record.announced_from.date()))
    assert not without


def test_the_same_content_has_the_same_hash_whenever_it_is_read() -> None:
    for read in (real.daily_bars, real.actions, real.earnings):
        one, later = read(now=NOW), read(now=NOW + timedelta(days=1))
        assert one.provenance.content_hash == later.provenance.content_hash
        assert later.provenance.fetched_at == NOW + timedelta(days=1)


def test_the_table_holds_the_facts_it_was_made_from(real_data: Path) -> None:
    facts = (real_data / "demo" / "earnings_facts.csv").read_text().splitlines()[1:]
    assert facts == [record.raw for record in real.earnings(now=NOW).records]


def test_the_prices_agree_with_another_source(prices: pd.DataFrame, real_data: Path) -> None:
    """Raw daily bars of another vendor, in ten-thousandths of a dollar."""
    for symbol in ("aapl", "goog", "fb"):
        with zipfile.ZipFile(real_data / "symbol_changes" / f"{symbol}.zip") as archive:
            text = archive.read(archive.namelist()[0]).decode()
        theirs = {
            date(int(row[0][:4]), int(row[0][4:6]), int(row[0][6:8])): float(row[4]) / 10_000
            for row in csv.reader(io.StringIO(text))
        }
        ours = prices.loc[symbol.upper(), "close"]
        both = [day for day in ours.index if day in theirs]
        assert len(both) > 100, symbol
        off = np.array([theirs[day] / ours[day] - 1 for day in both])
        assert np.median(np.abs(off)) < 1e-3, symbol
        assert (np.abs(off) < 0.02).mean() > 0.99, symbol
