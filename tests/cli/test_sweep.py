import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, Outcome

LINE = ("sweep", "gap_reversal", "--interval", "1d")
GRID = ("-p", "drop=0.05,0.08", "-p", "exits.stop=none,0.02", "-p", "exits.hold=0:2:1")


def record_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.status == 0, outcome.err
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def test_a_sweep_prints_the_best_and_their_accounts(
    tiny_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    outcome = tiny_cli(*LINE, *GRID, "--top", "4", "--accounts", "2")
    assert outcome.status == 0, outcome.err
    assert "12 combinations, 2 different entries" in outcome.out
    assert "with slots and cash" in outcome.out
    assert "recorded with 12 trials" in outcome.out
    table = outcome.out.split("\n\n")[2].splitlines()
    assert len(table) == 2 + 4
    assert table[0].split()[:3] == ["drop", "stop", "hold"]
    assert "none" in outcome.out


def test_json_and_csv_hold_every_combination_that_is_asked_for(tiny_cli: Cli) -> None:
    found = record_of(tiny_cli(*LINE, *GRID, "--json", "--top", "0", "--accounts", "1"))
    assert found["combinations"] == len(found["best"]) == 12
    assert len(found["accounts"]) == 1
    first = found["best"][0]
    assert first["drop"] == 0.05
    assert first["trades"] == 1
    table = tiny_cli(*LINE, *GRID, "--csv", "--top", "0", "--accounts", "0").out.splitlines()
    assert len(table) == 1 + 12
    assert table[0].startswith("combination,drop,exits.stop,exits.hold,trades,missed")


def test_a_combination_is_what_run_says_of_it(tiny_cli: Cli) -> None:
    swept = record_of(tiny_cli(*LINE, *GRID, "--json", "--top", "0", "--accounts", "0"))
    row = next(
        one
        for one in swept["best"]
        if (one["drop"], one["exits.stop"], one["exits.hold"]) == (0.05, 0.02, 1)
    )
    alone = tiny_cli(
        "run", *LINE[1:], "--json", "-p", "drop=0.05", "-p", "exits.stop=0.02", "-p", "exits.hold=1"
    )
    (trade,) = record_of(alone)["trades"]
    assert row["mean"] == pytest.approx(trade["return_net"], abs=1e-12)


def test_walking_forward_and_heat_maps(tiny_cli: Cli, tmp_path: Path) -> None:
    page = tmp_path / "maps.html"
    outcome = tiny_cli(*LINE, *GRID, "--heatmap", str(page))
    assert outcome.status == 0, outcome.err
    text = page.read_text(encoding="utf-8")
    assert text.count("heatmap") >= 3
    assert "3 heat maps" in outcome.err
    both = tiny_cli("sweep", "gap_reversal", "--interval", "1d", "-p", "drop=-0.9,0.0",
                    "--walk-forward", "train=3d,test=1d", "--min-trades", "0")  # fmt: skip
    assert both.status == 2
    assert "from 0 to 0.9" in both.err


@pytest.mark.parametrize(
    "options",
    [
        "-p drp=0.1,0.2",
        "-p drop=0.1:0.2",
        "-p drop",
        "-p drop=0.1,0.1",
        "-p drop=0.05,2",
        "-p drop=0.05,0.06 --rank luck",
        "-p drop=0.05,0.06 --walk-forward train=3y",
        "-p drop=0.05,0.06 --walk-forward train=9y,test=1y",
        "-p drop=0.05,0.06 --json --csv",
        "-p drop=0.05,0.06 --heatmap maps.html",
        "-p drop=0.05,0.06 --accounts -1",
        "-p drop=0:0.9:0.001 -p exits.stop=0.001:1:0.001 -p exits.hold=0:2000:1",
    ],
)
def test_wrong_use_is_refused(
    options: str, tiny_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = tiny_cli(*LINE, *options.split())
    assert outcome.status == 2, outcome.err
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
