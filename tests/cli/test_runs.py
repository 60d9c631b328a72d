import json

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def two_runs(tiny_cli: Cli) -> Cli:
    for drop in ("0.05", "0.08"):
        line = ("run", "gap_reversal", "--interval", "1d", "-p", f"drop={drop}")
        assert tiny_cli(*line).status == 0
    return tiny_cli


def test_runs_are_listed_newest_first(two_runs: Cli) -> None:
    assert [run["id"] for run in json.loads(two_runs("runs", "--json").out)] == [2, 1]
    assert "gap_reversal" in two_runs("runs").out


def test_a_stored_run_shows_what_it_showed_when_it_ran(two_runs: Cli) -> None:
    fresh = json.loads(two_runs("run", "gap_reversal", "--interval", "1d", "--json").out)
    stored = json.loads(two_runs("runs", "show", str(fresh["run"]), "--json").out)
    for part in ("sentences", "summary", "funnel", "trades", "stats", "base_rates"):
        assert stored[part] == fresh[part], part
    assert "Mean net return [%]" in two_runs("runs", "show", "1").out


def test_a_run_names_the_command_that_repeats_it(two_runs: Cli) -> None:
    stored = json.loads(two_runs("runs", "show", "2", "--json").out)
    words = stored["record"]["command"].split()
    assert words[0] == "backtest"
    again = json.loads(two_runs(*words[1:], "--json").out)
    assert again["summary"] == stored["summary"]


def test_the_difference_of_two_runs_names_what_was_set_and_what_came_of_it(two_runs: Cli) -> None:
    rows = json.loads(two_runs("runs", "diff", "1", "2", "--json").out)
    by_name = {row["what"]: (row["first"], row["second"]) for row in rows}
    assert by_name["params.drop"] == (0.05, 0.08)
    assert by_name["Trades"] == (1, 0)


def test_a_run_does_not_differ_from_itself(two_runs: Cli) -> None:
    assert two_runs("runs", "diff", "1", "1", "--json").out == "[]\n"


@pytest.mark.parametrize("line", ["runs show 99", "runs diff 1 99", "report 99"])
def test_a_run_that_is_not_there_is_wrong_use(line: str, two_runs: Cli) -> None:
    outcome = two_runs(*line.split())
    assert outcome.status == 2
    assert "99" in outcome.err
