"""The grammar of conditions: what is read, what equal means, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from backtest.studies import NAMES, Condition, parse_condition
from db.errors import UsageError


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("drop>=0.05", Condition("drop", ">=", 0.05)),
        (" gap <= -0.05 ", Condition("gap", "<=", -0.05)),
        ("session=post", Condition("session", "=", "post")),
        ("SESSION!=Pre", Condition("session", "!=", "pre")),
        ("news==0", Condition("news", "=", 0.0)),
        ("guidance.revenue>0", Condition("guidance", ">", 0.0, "revenue")),
        ("price>=5", Condition("price", ">=", 5.0)),
    ],
)
def test_what_is_read(text: str, read: Condition) -> None:
    assert parse_condition(text) == read
    assert parse_condition(str(read)) == read


def test_equal_counts_with_the_tolerance_of_all_levels() -> None:
    """From 20.00 to 19.00 doubles make less than 5 %."""
    fall = np.array([1 - 19.0 / 20.0, 0.05, 0.049, np.nan])
    assert parse_condition("drop>=0.05").holds(fall).tolist() == [True, True, False, False]
    assert parse_condition("drop>0.05").holds(fall).tolist() == [False, False, False, False]
    assert parse_condition("drop=0.05").holds(fall).tolist() == [True, True, False, False]
    assert parse_condition("drop!=0.05").holds(fall).tolist() == [False, False, True, False]
    assert parse_condition("drop<0.05").holds(fall).tolist() == [False, False, True, False]
    gap = np.array([19.0 / 20.0 - 1])
    assert parse_condition("gap<=-0.05").holds(gap).all()
    assert not parse_condition("gap<-0.05").holds(gap).any()


@pytest.mark.parametrize("name", ["day_close", "ret_5", "mae_5", "mfe_5", "day_high", "return"])
def test_an_outcome_cannot_be_chosen_by(name: str) -> None:
    with pytest.raises(UsageError, match=r"is an outcome: choosing events by it is looking ahead"):
        parse_condition(f"{name}>=0.1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dorp>=0.05", "did you mean 'drop'"),
        ("moon=full", "names: drop, low"),
        ("drop", "NAME OPERATOR VALUE"),
        ("drop~5", "operators: >="),
        ("drop>=5", "0.05 is 5 %"),
        ("drop>=x", "compared with a number"),
        ("drop>=inf", "compared with a number"),
        ("session>=post", "never >="),
        ("session=pots", "did you mean 'post'"),
        ("guidance>0", "guidance of what"),
        ("drop.x>0", "no condition"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_condition(text)


def test_every_name_is_described() -> None:
    assert all(NAMES.values())


def test_which_conditions_an_order_for_the_open_can_state() -> None:
    buys = {text: parse_condition(text).at_most for text in ("gap<=-0.05", "drop>=0.05", "gap>=0")}
    assert buys == {"gap<=-0.05": True, "drop>=0.05": True, "gap>=0": False}
    assert parse_condition("gap>=0.05").at_least
    assert not parse_condition("volatility>=0.05").at_most
