import io
import json
import sys
from pathlib import Path

import pytest

from tests.cli import tiny
from tests.cli.conftest import Cli

BAD_BARS = """\
date,open,high,low,close
2019-01-02,10,11,9,10
2019-01-03,10,9,11,10
2019-01-05,10,11,9,10
2019-01-07,-1,11,9,10
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tiny.write(tmp_path)
    return tmp_path


def test_what_was_read_and_how_is_said(ready: Cli, folder: Path) -> None:
    outcome = ready("ingest", "prices", folder / "daily.csv", "--interval", "1d", "--json")
    assert outcome.status == 0
    (report,) = json.loads(outcome.out)
    assert report["added"] == 2 * len(tiny.DAYS)
    assert report["rejected"] == 0
    assert "symbol=ticker" in outcome.err, "the guess"


def test_the_same_file_again_adds_nothing_and_says_so(ready: Cli, folder: Path) -> None:
    line = ("ingest", "prices", folder / "daily.csv", "--interval", "1d", "--json")
    ready(*line)
    (report,) = json.loads(ready(*line).out)
    assert report["note"] == "imported before"
    sources = json.loads(ready("data", "sources", "--json").out)
    assert [source["rows"] for source in sources] == [2 * len(tiny.DAYS)]


def test_a_dry_run_writes_nothing(ready: Cli, folder: Path) -> None:
    line = ("ingest", "prices", folder / "daily.csv", "--interval", "1d", "--dry-run", "--json")
    (report,) = json.loads(ready(*line).out)
    assert report["added"] == 2 * len(tiny.DAYS)
    assert report["note"] == "dry run"
    assert ready("data", "sources", "--json").out == "[]\n"


def test_bad_rows_are_kept_with_their_reasons_and_the_rest_goes_in(
    ready: Cli, tmp_path: Path
) -> None:
    (tmp_path / "AMD.csv").write_text(BAD_BARS)
    line = ("ingest", "prices", tmp_path / "AMD.csv", "--interval", "1d", "--symbol-from-name")
    outcome = ready(*line)
    assert outcome.status == 0
    assert "backtest ingest rejects" in outcome.err
    rejects = json.loads(ready("ingest", "rejects", "--json").out)
    assert [(reject["row"], reject["column"]) for reject in rejects] == [
        (2, "high"),
        (3, "date"),
        (4, "open"),
    ] or {reject["row"] for reject in rejects} == {2, 3, 4}
    assert all(reject["reason"] and reject["value"] for reject in rejects)
    assert {Path(reject["origin"]).name for reject in rejects} == {"AMD.csv"}


def test_a_file_of_which_nothing_could_be_used_is_a_finding(ready: Cli, tmp_path: Path) -> None:
    (tmp_path / "AMD.csv").write_text("date,open,high,low,close\n2019-01-05,10,11,9,10\n")
    line = ("ingest", "prices", tmp_path / "AMD.csv", "--interval", "1d", "--symbol", "AMD")
    assert ready(*line).status == 1


def test_a_file_that_cannot_be_read_does_not_keep_the_others_out(ready: Cli, folder: Path) -> None:
    (folder / "broken.parquet").write_bytes(b"this is not Parquet at all")
    outcome = ready(
        *("ingest", "prices", folder / "broken.parquet", folder / "daily.csv"),
        *("--interval", "1d", "--json"),
    )
    assert outcome.status == 1
    assert "broken.parquet" in outcome.err
    assert json.loads(outcome.out)[0]["added"] == 2 * len(tiny.DAYS)


def test_standard_input_is_a_file(ready: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(tiny.daily().encode())))
    outcome = ready("ingest", "prices", "-", "--interval", "1d", "--json")
    assert json.loads(outcome.out)[0]["added"] == 2 * len(tiny.DAYS)


def test_columns_are_mapped_by_name(ready: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b,c,d,e\n2019-01-02,10,11,9,10\n")
    line = ("ingest", "prices", tmp_path / "x.csv", "--interval", "1d", "--symbol", "AMD")
    assert ready(*line).status == 2
    mapped = ready(*line, "--map", "time=a,open=b,high=c", "--map", "low=d,close=e", "--json")
    assert mapped.status == 0
    assert json.loads(mapped.out)[0]["added"] == 1


@pytest.mark.parametrize(
    "options",
    [
        "--interval 1d --symbol AMD --symbol-column ticker",
        "--interval 7m",
        "--interval 1d --adjusted some",
        "--interval 1d --map open",
        "--interval 1d --exchange XXXX",
        "--interval 1m --tz America/New_Yrk --symbol AMD",
        "--interval 1m --symbol AMD",
        "--interval 1d --json --csv",
        "",
    ],
)
def test_wrong_use_is_refused_before_anything_is_written(
    options: str, ready: Cli, folder: Path
) -> None:
    name = "minutes.csv" if "1m" in options else "daily.csv"
    outcome = ready("ingest", "prices", folder / name, *options.split())
    assert outcome.status == 2, outcome.err
    assert outcome.err.startswith("error: ") or "error: " in outcome.err
    assert ready("data", "sources", "--json").out == "[]\n"


def test_events_actions_and_news_come_from_files(ready: Cli, folder: Path) -> None:
    for kind, added in (("events", 3), ("actions", 1), ("news", 2)):
        outcome = ready("ingest", kind, folder / f"{kind}.csv", "--json")
        assert outcome.status == 0, outcome.err
        assert json.loads(outcome.out)[0]["added"] == added


def test_rejects_can_be_told_apart_by_import(ready: Cli, tmp_path: Path) -> None:
    for name in ("AMD", "UBER"):
        (tmp_path / f"{name}.csv").write_text(BAD_BARS)
        ready(
            "ingest", "prices", tmp_path / f"{name}.csv", "--interval", "1d", "--symbol-from-name"
        )
    everything = json.loads(ready("ingest", "rejects", "--json").out)
    first = everything[0]["batch_id"]
    chosen = json.loads(ready("ingest", "rejects", "--batch", str(first), "--json").out)
    assert 0 < len(chosen) < len(everything)
    assert {reject["batch_id"] for reject in chosen} == {first}
