"""A strategy's declaration: bounds, parameters from text, and slips that are refused."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from backtest import Exits, LimitOnOpen, Strategy, earnings, limit_on_open, news, param
from backtest.strategy import EventFilter, OnOpen, on_open, parameter_help
from db.errors import UsageError


@dataclass(frozen=True)
class Dip(Strategy):
    """Buy a dip."""

    drop: float = param(0.05, ge=0, le=0.5, help="fall that is bought")
    bars: int = param(3, ge=1)
    lows: bool = param(False, help="lows count too")
    metric: str = param("revenue", choices=("revenue", "eps"))
    cap: float | None = param(None)
    exits: Exits = Exits(target=0.1, stop=0.06, hold=5)


def test_parameters_are_the_fields_and_the_exits() -> None:
    assert Dip().params == {
        "exits.target": 0.1,
        "exits.stop": 0.06,
        "exits.trail": None,
        "exits.hold": 5,
        "exits.stops_in_extended_hours": False,
        "drop": 0.05,
        "bars": 3,
        "lows": False,
        "metric": "revenue",
        "cap": None,
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("drop", "0.08", 0.08),
        ("drop", "0", 0.0),
        ("drop", "0.5", 0.5),
        ("drop", " 5e-2 ", 0.05),
        ("bars", "7", 7),
        ("lows", "true", True),
        ("lows", "No", False),
        ("metric", "eps", "eps"),
        ("cap", "none", None),
        ("cap", "1.5", 1.5),
        ("exits.target", "none", None),
        ("exits.target", "0.2", 0.2),
        ("exits.hold", "0", 0),
        ("exits.stops_in_extended_hours", "yes", True),
    ],
)
def test_text_is_read_as_the_field_s_type(name: str, text: str, value: Any) -> None:
    changed = Dip().with_params({name: text}).params
    assert changed[name] == value
    assert type(changed[name]) is type(value)
    assert {k: v for k, v in changed.items() if k != name} == {
        k: v for k, v in Dip().params.items() if k != name
    }


def test_values_that_are_no_text_are_taken_as_they_are() -> None:
    changed = Dip().with_params({"drop": 0.1, "exits.stop": None, "exits.hold": 0})
    assert (changed.drop, changed.exits.stop, changed.exits.hold) == (0.1, None, 0)
    assert changed.exits.target == 0.1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"drop": "0.51"}, "drop must be a number from 0 to 0.5, not 0.51"),
        ({"drop": "-0.1"}, "from 0 to 0.5"),
        ({"drop": 5}, "fractions, not percent"),
        ({"drop": float("nan")}, "from 0 to 0.5"),
        ({"drop": "nan"}, "drop takes a float"),
        ({"drop": "inf"}, "drop takes a float"),
        ({"drop": "5%"}, "drop takes a float, not '5%'"),
        ({"drop": None}, "must be a number"),
        ({"drop": True}, "must be a number"),
        ({"bars": "0"}, "from 1 to any"),
        ({"bars": "2.5"}, "bars takes a int"),
        ({"lows": "maybe"}, "lows takes a bool"),
        ({"metric": "sales"}, "metric cannot be 'sales'"),
        ({"dorp": "0.1"}, r"Dip has no parameter 'dorp'(.|\n)*did you mean 'drop'\?"),
        ({"exits.taget": "0.1"}, r"did you mean 'exits.target'\?"),
        ({"exits.target": "0"}, "exits.target"),
        ({"exits.stop": "1.5"}, "exits.stop"),
        ({"exits.hold": "-1"}, "exits.hold"),
        ({"exits.hold": "1.5"}, "exits.hold takes a int"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Dip().with_params(values)


def test_bounds_hold_for_direct_construction_too() -> None:
    with pytest.raises(UsageError, match="drop must be a number"):
        Dip(drop=0.9)


def test_a_strategy_is_a_value() -> None:
    assert Dip(drop=0.1) == Dip().with_params({"drop": "0.1"})
    assert hash(Dip(drop=0.1)) == hash(Dip(drop=0.1))
    assert Dip(drop=0.1) != Dip(drop=0.2)
    assert "drop=0.1" in repr(Dip(drop=0.1))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Dip().drop = 0.2  # type: ignore[misc]


def test_every_parameter_is_described() -> None:
    rows = {row["name"]: row for row in parameter_help(Dip())}
    assert list(rows) == list(Dip().params)
    assert rows["drop"] == {
        "name": "drop",
        "default": 0.05,
        "ge": 0,
        "le": 0.5,
        "choices": (),
        "help": "fall that is bought",
    }
    assert all(rows[name]["help"] for name in rows if name.startswith("exits."))


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("side", "Long", "Slip.side is 'Long'"),
        ("side", "buy", "'long' or 'short'|\"long\" or \"short\""),
        ("phases", "post", "Slip.phases is 'post'"),
        ("phases", (), "Slip.phases"),
        ("phases", ("post", "premarket"), "premarket"),
        ("events", earnings, r"earnings\(\), earnings"),
    ],
)
def test_a_slip_in_a_class_attribute_does_not_become_other_trades(
    attribute: str, value: Any, message: str
) -> None:
    """Any side but "long" would else be sold short."""
    slip = dataclass(frozen=True)(type("Slip", (Strategy,), {attribute: value}))
    with pytest.raises(UsageError, match=message):
        slip()


def test_a_subclass_keeps_what_it_does_not_change() -> None:
    @dataclass(frozen=True)
    class Short(Dip):
        side: ClassVar = "short"

    assert Short(drop=0.2).params["drop"] == 0.2
    assert Short().side == "short"
    assert Dip().side == "long"


def test_event_filters_name_their_sessions() -> None:
    assert earnings() == EventFilter("earnings", ())
    assert earnings("post").sessions == ("post",)
    assert earnings(session=("pre", "post")).sessions == ("pre", "post")
    assert str(earnings("post")) == "earnings (post)"
    assert str(news()) == "news"
    with pytest.raises(UsageError, match=r"unknown session 'psot'(.|\n)*'post'"):
        earnings("psot")


def test_what_entries_may_return_is_arrays() -> None:
    assert isinstance(limit_on_open(np.array([1])), LimitOnOpen)
    assert limit_on_open(np.array([1])).price.dtype == np.float64
    assert isinstance(on_open(np.array([[1]])), OnOpen)
    assert on_open(np.array([[1]])).mask.dtype == np.bool_
