"""The check on the command line: what it prints, and the status that it ends with."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

GAP = ("gap_reversal", "--interval", "1d")
WRONG = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backtest import Strategy, earnings, limit_on_open


@dataclass(frozen=True)
class KnowsTheClose(Strategy):
    """Orders before the open what will close higher."""

    events: ClassVar = earnings()
    interval: ClassVar = "1d"

    def entries(self, p):
        reference = np.asarray(p.reference)[:, 0]
        return limit_on_open(np.where(p.close[:, 0] > p.open[:, 0], reference, np.nan))
'''


@pytest.fixture
def wrong(tmp_path: Path) -> str:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG)
    return f"{file}:KnowsTheClose"


BROKEN = """
from dataclasses import dataclass
from typing import ClassVar
from backtest import EventPanel, Strategy, earnings


@dataclass(frozen=True)
class Broken(Strategy):
    events: ClassVar = earnings()
    interval: ClassVar = "1d"

    def entries(self, p: EventPanel):
        BODY
"""


def test_an_honest_strategy_ends_with_status_0_and_a_table(tiny_cli: Cli) -> None:
    outcome = tiny_cli("check", *GAP)
    assert outcome.status == 0, outcome.err
    assert "Nothing found." in outcome.out
    assert "all that comes after an instant is missing" in outcome.out
    assert "one bar later" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_a_wrong_one_is_named_with_status_1(tiny_cli: Cli, wrong: str) -> None:
    outcome = tiny_cli("check", wrong)
    assert outcome.status == 1
    first = " ".join(outcome.out.split("\n\n")[1].split())
    assert first.startswith("AMD, release of 2019-01-29, bar 2019-01-30 09:30-05:00: a limit of 20")
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_json_holds_the_findings(tiny_cli: Cli, wrong: str) -> None:
    outcome = tiny_cli("check", wrong, "--json", "--instants", "all", "--events", "all")
    assert outcome.status == 1
    found = json.loads(outcome.out)
    assert found["found"]
    assert {row["replay"] for row in found["findings"]} == {"truncated", "poisoned"}
    assert found["record"]["events"] == found["record"]["events_total"]
    assert [row["when"] for row in found["speed"]] == ["as decided", "one bar later"]


@pytest.mark.parametrize("number", ["0", "some", "-3"])
def test_a_number_that_cannot_be_is_wrong_use(number: str, tiny_cli: Cli) -> None:
    outcome = tiny_cli("check", *GAP, "--instants", number)
    assert outcome.status == 2
    assert "a number from 1 on, or all" in outcome.err


def test_a_run_says_what_was_checked_and_keeps_it(tiny_cli: Cli) -> None:
    said = "Quick look-ahead check:"
    outcome = tiny_cli("run", *GAP)
    assert outcome.status == 0
    assert said in outcome.out
    assert said in tiny_cli("runs", "show", "1").out
    assert said not in tiny_cli("run", *GAP, "--no-check").out


def test_a_run_of_a_wrong_one_says_so_first_and_ends_with_status_1(
    tiny_cli: Cli, wrong: str
) -> None:
    outcome = tiny_cli("run", wrong)
    assert outcome.status == 1
    assert outcome.out.split("\n\n")[1].startswith("LOOKS AHEAD: AMD")
    assert "where every event ended" in outcome.out
    assert "LOOKS AHEAD" in tiny_cli("runs", "show", "1").out
    assert tiny_cli("run", wrong, "--no-check").status == 0


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("body", ["return 1 / 0", "raise SystemExit(0)"])
def test_a_strategy_that_raises_is_wrong_use_and_names_its_line(
    command: str, body: str, tiny_cli: Cli, tmp_path: Path
) -> None:
    text = BROKEN.replace("BODY", body)
    file = tmp_path / "broken.py"
    file.write_text(text, encoding="utf-8")
    line = text[: text.index(body)].count("\n") + 1
    outcome = tiny_cli(command, f"{file}:Broken")
    assert outcome.status == 2
    assert f"broken.py:{line}: Broken.entries raised" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_strategy_that_decides_nothing_is_not_called_clean(
    command: str, tiny_cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(BROKEN.replace("BODY", "return p.real & (p.close < 0)"), encoding="utf-8")
    outcome = tiny_cli(command, f"{file}:Broken")
    assert outcome.status == 0
    told = " ".join(outcome.out.split())
    assert "No event was decided" in told or "nothing was decided, so little" in told
    assert "instants, nothing found" not in told
