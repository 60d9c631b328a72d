import json
from typing import Any

import pytest

from tests.cli.conftest import Cli, Outcome


def record_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.status == 0, outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def test_a_run_prints_the_funnel_the_trades_and_the_account(tiny_cli: Cli) -> None:
    outcome = tiny_cli("run", "gap_reversal", "--interval", "1d")
    assert outcome.status == 0, outcome.err
    assert "where every event ended" in outcome.out
    assert "no bars" in outcome.out
    assert "Mean net return [%]" in outcome.out
    assert "Break-even cost" in outcome.out
    assert "benchmark" in outcome.out
    assert "base rate among" in outcome.out
    assert "run 1" in outcome.out
    assert max(map(len, outcome.out.splitlines()[2:])) <= 200


def test_json_holds_the_same_and_counts_every_event(tiny_cli: Cli) -> None:
    found = record_of(tiny_cli("run", "gap_reversal", "--interval", "1d", "--json"))
    assert sum(row["events"] for row in found["funnel"]) == 3
    (trade,) = found["trades"]
    assert trade["symbol"] == "AMD"
    assert trade["reason"] == "target"
    assert found["summary"]["Trades"] == 1


def test_parameters_are_set_by_name_nested_ones_with_a_dot(tiny_cli: Cli) -> None:
    line = ("run", "gap_reversal", "--interval", "1d", "--json")
    assert record_of(tiny_cli(*line, "-p", "drop=0.08"))["trades"] == []
    held = record_of(tiny_cli(*line, "-p", "exits.target=none", "-p", "exits.stop=none"))
    assert held["trades"][0]["reason"] == "hold"
    assert held["record"]["params"]["exits.target"] is None


def test_settings_reach_the_run(tiny_cli: Cli) -> None:
    line = ("run", "gap_reversal", "--interval", "1d", "--json")
    free = record_of(tiny_cli(*line, "--commission", "0", "--half-spread", "0", "--slippage", "0"))
    (trade,) = free["trades"]
    assert trade["return_net"] == pytest.approx(trade["return_gross"])
    small = record_of(tiny_cli(*line, "--cash", "1000", "--slots", "2", "--seed", "7"))
    assert small["record"]["seed"] == 7
    assert small["trades"][0]["shares"] < trade["shares"]
    for filtered in (("--min-price", "50"), ("--min-dollar-volume", "1e12")):
        assert record_of(tiny_cli(*line, *filtered))["trades"] == []
    assert record_of(tiny_cli(*line, "--strict-as-of"))["trades"] == []
    assert record_of(tiny_cli(*line, "--symbols", "UBER"))["trades"] == []
    assert record_of(tiny_cli(*line, "--since", "2019-02-01"))["trades"] == []
    assert len(record_of(tiny_cli(*line, "--until", "2019-01-29"))["trades"]) == 1
    assert record_of(tiny_cli(*line, "--benchmark", "UBER"))["trades"]


def test_extended_hours_are_traded_where_there_are_bars(tiny_cli: Cli) -> None:
    found = record_of(
        tiny_cli("run", "after_hours_reversal", "--interval", "1m", "--source", "minutes", "--json")
    )
    (trade,) = found["trades"]
    assert trade["entry_phase"] == "post"


def test_daily_bars_cannot_serve_the_evening_and_the_error_says_so(tiny_cli: Cli) -> None:
    outcome = tiny_cli("run", "after_hours_reversal", "--interval", "1d")
    assert outcome.status == 2
    assert "extended-hours bars" in outcome.err


@pytest.mark.parametrize(
    "options",
    [
        "-p drop",
        "-p drop=2",
        "-p drop=x",
        "-p drop=0.1 -p drop=0.2",
        "--since yesterday",
        "--since 2019-03-01 --until 2019-01-01",
        "--cash 0",
        "--slots 0",
        "--slots many",
        "--commission 2",
        "--resolve 1d",
        "--benchmark NOBODY",
        "--interval 5m",
    ],
)
def test_wrong_use_is_refused(options: str, tiny_cli: Cli) -> None:
    outcome = tiny_cli("run", "gap_reversal", *options.split())
    assert outcome.status == 2, outcome.err
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert tiny_cli("runs", "--json").out == "[]\n", "nothing was recorded"
