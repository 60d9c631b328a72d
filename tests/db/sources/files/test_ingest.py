"""Files into a store: what went in can be read, what did not is listed, twice adds nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from db.batches import IngestReport
from db.errors import DataError
from db.sources.files import actions, events, news, prices
from db.store import Store
from tests.db.sources.files.tables import NEW_YORK, at_noon

BARS = """ts,open,high,low,close,volume
2019-01-29 15:59,19.20,19.25,19.19,19.24,1000
2019-01-29 16:15,18.20,18.20,18.01,18.10,
2019-01-29 21:00,18.20,18.20,18.01,18.10,5
2019-01-29 16:16,18.20,18.1O,18.01,18.10,5
"""


def ingest_bars(store: Store, path: Path, **options: Any) -> IngestReport:
    (batch,) = prices(
        path, interval="1m", tz=NEW_YORK, symbol_from_name=True, now=at_noon, **options
    )
    return store.ingest(batch)


def counts(report: IngestReport) -> tuple[int, int, int, int]:
    return report.added, report.revised, report.unchanged, report.rejected


@pytest.fixture
def amd(tmp_path: Path) -> Path:
    path = tmp_path / "AMD.csv"
    path.write_text(BARS)
    return path


def test_bars_go_in_and_the_refused_ones_are_listed(fresh_store: Store, amd: Path) -> None:
    assert counts(ingest_bars(fresh_store, amd)) == (2, 0, 0, 2)
    bars = fresh_store.bars("1m")
    assert bars.close.tolist() == [19.24, 18.10]
    assert [datetime.fromtimestamp(us / 1e6, UTC).hour for us in bars.start.tolist()] == [20, 21]
    rejects = fresh_store.rejects()
    assert rejects["row"].tolist() == [3, 4]
    assert rejects["column"].tolist() == ["ts", "high"]
    assert rejects["value"].tolist() == ["2019-01-29 21:00", "18.1O"]
    assert set(rejects["origin"]) == {str(amd)}


def test_the_same_file_twice_adds_nothing(fresh_store: Store, amd: Path) -> None:
    ingest_bars(fresh_store, amd)
    again = ingest_bars(fresh_store, amd)
    assert again.already_imported
    assert (again.added, again.revised) == (0, 0)
    assert len(fresh_store.bars("1m").start) == 2


def test_a_corrected_file_revises(fresh_store: Store, amd: Path) -> None:
    ingest_bars(fresh_store, amd)
    amd.write_text(BARS.replace("18.1O", "18.20").replace("19.24,1000", "19.23,1000"))
    assert counts(ingest_bars(fresh_store, amd)) == (1, 1, 1, 1)
    assert fresh_store.bars("1m").close.tolist() == [19.23, 18.10, 18.10]


def test_a_file_that_breaks_off_leaves_the_store_as_it_was(fresh_store: Store, amd: Path) -> None:
    amd.write_text(BARS + '2019-01-29 16:17,1,1,1,1,"5\n2019-01-29 16:18,1,1,1,1,5\n')
    with pytest.raises(DataError, match="never closed"):
        ingest_bars(fresh_store, amd)
    assert fresh_store.bar_sources().empty


def test_events_actions_and_news(fresh_store: Store, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("symbol,date,session,eps_est,eps\nAMD,1/29/19,amc,0.09,0.08\nAMD,1/32/19,,,\n")
    assert counts(fresh_store.ingest(events(path, now=at_noon))) == (1, 0, 0, 1)
    found = fresh_store.events()
    assert found["symbol"].tolist() == ["AMD"]
    assert found["precision"].tolist() == ["session"]
    assert found["eps_actual"].tolist() == [0.08]
    assert '"date": "1/29/19"' in fresh_store.revisions()["raw"].iloc[0]

    path = tmp_path / "actions.csv"
    path.write_text("symbol,date,split\nAMD,2000-08-22,2:1\n")
    assert counts(fresh_store.ingest(actions(path, now=at_noon))) == (1, 0, 0, 0)
    split = fresh_store.actions().iloc[0]
    assert (split["kind"], split["value"]) == ("split", 2.0)
    assert date.fromisoformat(str(split["ex_date"])[:10]) == date(2000, 8, 22)

    path = tmp_path / "news.csv"
    path.write_text('published,title,ticker\n2019-01-29T21:15:00Z,"AMD\'s <b>quarter</b>",AMD\n')
    assert counts(fresh_store.ingest(news(path, now=at_noon))) == (1, 0, 0, 0)
    item = fresh_store.news().iloc[0]
    assert (item["symbol"], item["title"]) == ("AMD", "AMD's <b>quarter</b>")


def test_what_was_guessed_is_kept_with_the_batch(fresh_store: Store, amd: Path) -> None:
    ingest_bars(fresh_store, amd)
    batch = fresh_store.batches().iloc[0]
    assert "open=open" in str(batch["options"])
    assert batch["origin"] == str(amd)
