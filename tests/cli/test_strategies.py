import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

OWN = """\
from dataclasses import dataclass
from backtest import EventPanel, Strategy, on_open, param
from backtest.paths import BoolArray

@dataclass(frozen=True)
class Mine(Strategy):
    '''Buy on every dip of an own kind.'''

    dip: float = param(0.5, ge=0, le=1, help="how deep")

    def entries(self, p: EventPanel) -> BoolArray:
        return p.close < p.reference
"""


def test_the_built_in_ones_are_listed_with_their_idea(cli: Cli) -> None:
    found = json.loads(cli("strategies", "--json").out)
    names = [strategy["name"] for strategy in found]
    assert names == sorted(names)
    assert {
        "after_hours_reversal",
        "gap_reversal",
        "earnings_drift",
        "guidance_reversal",
        "news_fade",
    } <= set(names)
    assert all(strategy["summary"] for strategy in found)


def test_one_is_shown_with_its_parameters_bounds_and_help(cli: Cli) -> None:
    found = json.loads(cli("strategies", "gap_reversal", "--json").out)
    by_name = {row["name"]: row for row in found["parameters"]}
    assert by_name["drop"]["help"]
    assert by_name["drop"]["ge"] == 0
    assert "exits.target" in by_name
    table = cli("strategies", "gap_reversal").out
    assert "exits.target" in table
    assert "``" not in table


def test_one_of_your_own_is_found_in_the_local_folder(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    assert "Buy on every dip" in cli("strategies").out
    assert "0..1" in cli("strategies", "mine").out
    assert "how deep" in cli("strategies", "strategies/mine.py:Mine").out
