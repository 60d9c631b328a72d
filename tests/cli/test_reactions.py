import csv
import io
import json
import re

import pytest

from tests.cli.conftest import Cli

COLUMNS = re.findall(
    r"\w+",
    """
    symbol fiscal_period announced_from announced_to session reference_date reference_close
    last_before reaction_date post_low post_low_at post_high post_last pre_low pre_high pre_last
    gap day_low day_high day_close ret_1 ret_5 ret_20 mae_5 mfe_5
    """,
)


def test_a_reaction_has_every_measure_as_a_fraction(tiny_cli: Cli) -> None:
    out = tiny_cli("reactions", "--interval", "1m", "--csv").out
    (row,) = csv.DictReader(io.StringIO(out))
    assert [name for name in row if name in COLUMNS] == COLUMNS
    assert row["symbol"] == "AMD"
    assert row["reference_date"] == "2019-01-29"
    assert row["reaction_date"] == "2019-01-30"
    assert float(row["reference_close"]) == 20.0
    assert float(row["post_low"]) == pytest.approx(18.80 / 20 - 1)
    assert row["post_low_at"] == "2019-01-29T16:21:00-05:00"
    assert float(row["gap"]) == pytest.approx(18.60 / 20 - 1)
    assert float(row["day_close"]) == pytest.approx(20.80 / 20 - 1)
    assert row["pre_low"] == "", "no bars that morning"


def test_the_table_is_in_percent_and_the_funnel_adds_up(tiny_cli: Cli) -> None:
    outcome = tiny_cli("reactions", "--interval", "1d")
    assert "-7.0" in outcome.out
    assert "%" in outcome.out
    funnel = outcome.out.split("Where every event ended")[1]
    assert "no bars" in funnel
    assert "measured" in funnel


def test_the_events_left_out_are_listed_with_their_reason(tiny_cli: Cli) -> None:
    found = json.loads(tiny_cli("reactions", "--interval", "1d", "--left-out", "--json").out)
    assert [(event["symbol"], bool(event["reason"])) for event in found] == [("NONE", True)]


def test_symbols_and_days_choose_among_the_events(tiny_cli: Cli) -> None:
    line = ("reactions", "--interval", "1d", "--json")
    assert [r["symbol"] for r in json.loads(tiny_cli(*line, "--symbol", "UBER").out)] == ["UBER"]
    assert [r["symbol"] for r in json.loads(tiny_cli(*line, "--until", "2019-01-31").out)] == [
        "AMD"
    ]
