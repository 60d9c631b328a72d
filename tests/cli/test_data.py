import json
from pathlib import Path

from tests.cli import tiny
from tests.cli.conftest import Cli

SPLIT = "ticker,date,open,high,low,close,volume\n" + "".join(
    f"ABC,{day},{p},{p},{p},{p},1000\n"
    for day, p in ((day, 100.0 if day < "2019-03-01" else 25.0) for day in tiny.DAYS)
)


def test_sources_say_what_prices_there_are(tiny_cli: Cli) -> None:
    found = json.loads(tiny_cli("data", "sources", "--json").out)
    assert {(row["interval"], row["source"], row["adjusted"]) for row in found} == {
        ("1d", "file", "none"),
        ("1m", "minutes", "none"),
    }


def test_a_finding_is_exit_status_1(tiny_cli: Cli) -> None:
    outcome = tiny_cli("data", "check", "--json")
    assert outcome.status == 1
    assert json.loads(outcome.out)


def test_a_split_that_no_action_explains_is_found_and_gone_once_it_is_imported(
    ready: Cli, tmp_path: Path
) -> None:
    (tmp_path / "abc.csv").write_text(SPLIT)
    (tmp_path / "splits.csv").write_text("symbol,date,kind,value\nABC,2019-03-01,split,4\n")
    ready("ingest", "prices", tmp_path / "abc.csv", "--interval", "1d")
    (finding,) = json.loads(ready("data", "check", "--json").out)
    assert (finding["check"], finding["symbol"]) == ("split", "ABC")
    ready("ingest", "actions", tmp_path / "splits.csv")
    outcome = ready("data", "check", "--json")
    assert (outcome.status, outcome.out) == (0, "[]\n")


def test_compaction_and_cleaning_change_no_answer(tiny_cli: Cli) -> None:
    line = ("reactions", "--interval", "1d", "--csv")
    before = tiny_cli(*line).out
    assert tiny_cli("data", "compact").status == 0
    assert tiny_cli("data", "clean").status == 0
    assert tiny_cli(*line).out == before


def test_a_dry_run_of_cleaning_deletes_nothing(tiny_cli: Cli, tmp_path: Path) -> None:
    def files() -> set[Path]:
        return set((tmp_path / "store" / "bars").rglob("*.parquet"))

    tiny_cli("data", "compact")
    before = files()
    outcome = tiny_cli("data", "clean", "--drop-versions", "--dry-run")
    assert outcome.status == 0
    assert "would be deleted" in outcome.err
    assert files() == before
