import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, Outcome

LINE = ("study", "--interval", "1d")


def record_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.status == 0, outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def test_a_study_fits_the_screen_and_says_both_outcomes(tiny_cli: Cli) -> None:
    outcome = tiny_cli(*LINE, "--condition", "drop>=0.05", "--condition", "session=post")
    assert outcome.status == 0, outcome.err
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "Chosen: 1, by drop>=0.05, session=post" in " ".join(outcome.out.split())
    assert "above the reference close" in outcome.out
    assert "first price that could be had" in outcome.out
    assert "as if independent" in outcome.out
    assert "not 20 daily returns before" in outcome.out  # AMD reports in January
    assert "not enough history" in outcome.out
    assert "Where every event ended" in outcome.out


def test_json_holds_every_frame_and_csv_the_rates(tiny_cli: Cli) -> None:
    conditions = ("-c", "drop>=0.05", "--by", "session")
    found = record_of(tiny_cli(*LINE, *conditions, "--json"))
    assert found["record"]["conditions"] == ["drop>=0.05"]
    (event,) = found["events"]
    assert event["symbol"] == "AMD"
    assert event["from_reference"] == pytest.approx(0.04)
    assert event["from_first"] == pytest.approx(20.80 / 18.60 - 1)
    assert [row["group"] for row in found["splits"]] == ["post", "post"]
    assert found["unmatched"][0]["reason"] == "not 20 daily returns before"
    assert found["event_study"]["dropped"][0]["reason"] == "not enough history"
    table = tiny_cli(*LINE, *conditions, "--csv").out.splitlines()
    assert table[0].startswith("outcome,group,events,dates,with_outcome,share,low,high,")
    assert len(table) == 1 + len(found["rates"])


def test_a_strategy_and_the_parts_that_can_be_left_out(tiny_cli: Cli) -> None:
    outcome = tiny_cli(
        "study", "gap_reversal", "--interval", "1d", "-p", "drop=0.06", "--no-placebo",
        "--no-event-study", "--json",
    )  # fmt: skip
    found = record_of(outcome)
    assert found["record"]["group"] == "filled"
    assert (found["placebo"], found["event_study"]) == ([], None)
    assert {row["group"] for row in found["rates"]} == {"all measurable events", "filled"}
    assert found["funnel"][-1]["events"] == 1
    assert tiny_cli(*shlex.split(found["record"]["command"])[1:]).status == 0


def test_minutes_by_phase(tiny_cli: Cli) -> None:
    outcome = tiny_cli("study", "-c", "drop>=0.05", "--interval", "1m", "--estimation", "-10:-2")
    assert outcome.status == 0, outcome.err
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_windows_with_a_minus_are_read(tiny_cli: Cli) -> None:
    outcome = tiny_cli(
        *LINE, "-c", "session=post", "--estimation", "-12:-6", "--window", "-5:8",
        "--windows", "-1:1,0,1:5", "--model", "mean-adjusted", "--json",
    )  # fmt: skip
    found = record_of(outcome)
    caar = found["event_study"]["caar"]
    again = tiny_cli(*shlex.split(found["record"]["command"])[1:], "--json")
    assert record_of(again)["event_study"]["caar"] == caar
    assert [(row["start"], row["end"]) for row in caar] == [(-1, 1), (0, 0), (1, 5)]


def test_the_figure_is_one_page_whose_text_is_escaped(tiny_cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "study.html"
    outcome = tiny_cli(*LINE, "-c", "drop>=0.05", "--figure", str(file))
    assert outcome.status == 0, outcome.err
    text = file.read_text(encoding="utf-8")
    assert "drop&gt;=0.05" in text
    assert "src=" not in text.split("<script")[0]
    assert f"figures in {file}" in outcome.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("", "a study of which events?"),
        ("-c day_close>=0.1", "looking ahead"),
        ("-c dorp>=0.1", "did you mean 'drop'"),
        ("-c drop>=5", "0.05 is 5 %"),
        ("-c drop>=0.05 --window x", "FROM:TO"),
        ("-c drop>=0.05 --model magic", "unknown model"),
        ("-c drop>=0.05 --factors nowhere.csv", "there is no file"),
        ("-c drop>=0.05 --by moon", "cannot split"),
        ("-c drop>=0.05 --window 0:5 --windows 6:9", "not inside"),
        ("-c drop>=0.05 -p drop=0.1", "need a strategy"),
        ("-c drop>=0.05 --json --csv", "exclude each other"),
        ("gap_revresal", "did you mean"),
    ],
)
def test_wrong_use_is_refused(options: str, says: str, tiny_cli: Cli) -> None:
    outcome = tiny_cli(*LINE, *options.split())
    assert outcome.status == 2, outcome.err
    assert outcome.out == ""
    assert says in outcome.err
