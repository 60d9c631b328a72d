"""Finer bars decide what one bar left open, and only what they can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from backtest import EventPanel, Exits, Strategy, first, limit_on_open, run
from db.errors import UsageError
from tests.tiny_store import TinyStore

DAILY = """
    2019-01-29 100
    2019-01-30  95 106 85 100   # from a fill at 95: target 104.5, stop 89.3, both touched
    2019-01-31 100
"""
DAY = "2019-01-30 "


@dataclass(frozen=True)
class Gap(Strategy):
    exits: Exits = Exits(target=0.10, stop=0.06, hold=0)

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference)


@dataclass(frozen=True)
class ShortGap(Gap):
    side: ClassVar = "short"
    exits: Exits = Exits(target=0.06, stop=0.10, hold=0)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        store.daily("AMD", DAILY)
        store.release("AMD", "2019-01-29", "post")
        yield store


def trade(tiny: TinyStore, minutes: str, strategy: Any = Gap, **options: Any) -> dict[str, Any]:
    """The one trade, after minute bars of the same source were put beside the daily one."""
    tiny.bars("AMD", "2019-01-29 15:59 100\n" + minutes + "\n2019-01-31 15:59 100")
    result = run(strategy, tiny.store, interval="1d", resolve="1m", record=False, **options)
    assert len(result.trades) == 1
    found = dict(result.trades.iloc[0])
    return found | {"settled": result.summary["Resolved by finer bars"]}


def test_without_finer_bars_the_stop_is_first_and_the_other_outcome_stated(
    tiny: TinyStore,
) -> None:
    result = run(Gap, tiny.store, interval="1d", record=False)
    only = result.trades.iloc[0]
    assert (only["reason"], only["ambiguous"]) == ("stop", True)
    assert only["return_net"] < -0.05
    assert only["return_other"] > 0.09
    assert result.summary["Ambiguous trades"] == 1


def test_the_target_was_first(tiny: TinyStore) -> None:
    found = trade(tiny, DAY + "09:30 95\n10:00 100 106 100 105\n11:00 85\n15:59 100")
    assert (found["reason"], found["ambiguous"], found["settled"]) == ("target", False, 1)
    assert found["exit_price"] == pytest.approx(104.5)
    assert found["return_gross"] == pytest.approx(0.10)
    # A target pays commission alone: a basis point of each side's price.
    assert found["return_net"] == pytest.approx(0.10 - 0.0001 * 2.1)
    assert found["return_other"] == found["return_net"]


def test_the_stop_was_first(tiny: TinyStore) -> None:
    found = trade(tiny, DAY + "09:30 95\n10:00 90 90 85 88\n11:00 106\n15:59 100")
    assert (found["reason"], found["ambiguous"], found["settled"]) == ("stop", False, 1)
    assert found["exit_mid"] == pytest.approx(89.3)
    assert found["return_other"] == found["return_net"]


def test_a_minute_that_touches_both_decides_nothing(tiny: TinyStore) -> None:
    found = trade(tiny, DAY + "09:30 95\n10:00 100 106 85 100\n15:59 100")
    assert (found["reason"], found["ambiguous"], found["settled"]) == ("stop", True, 0)
    assert found["return_other"] > 0.09


@pytest.mark.parametrize(("opened", "reason"), [(106, "target"), (85, "stop")])
def test_a_minute_that_opens_beyond_one_level_touched_that_first(
    tiny: TinyStore, opened: float, reason: str
) -> None:
    found = trade(tiny, DAY + f"09:30 95\n10:00 {opened} 106 85 100\n15:59 100")
    assert (found["reason"], found["ambiguous"]) == (reason, False)


def test_minutes_that_touch_neither_decide_nothing(tiny: TinyStore) -> None:
    """The daily bar knows of prints that the minute bars do not hold."""
    found = trade(tiny, DAY + "09:30 95\n15:59 100")
    assert (found["reason"], found["ambiguous"], found["settled"]) == ("stop", True, 0)


def test_the_evening_does_not_decide_what_a_regular_bar_left_open(tiny: TinyStore) -> None:
    found = trade(tiny, DAY + "08:00 106\n09:30 95\n10:00 90 90 85 88\n11:00 106\n15:59 100")
    assert (found["reason"], found["settled"]) == ("stop", 1)


def test_a_level_touched_exactly_is_touched(tiny: TinyStore) -> None:
    found = trade(tiny, DAY + "09:30 95\n10:00 100 104.5 100 101\n11:00 85\n15:59 100")
    assert found["reason"] == "target"


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [
        ("09:30 95\n10:00 95 95 89 90\n11:00 106\n15:59 100", "target"),
        ("09:30 95\n10:00 95 105 95 100\n11:00 85\n15:59 100", "stop"),
    ],
)
def test_a_short_is_decided_in_the_mirror(tiny: TinyStore, minutes: str, reason: str) -> None:
    """From 95 the target lies at 89.30 and the stop at 104.50."""

    @dataclass(frozen=True)
    class AnyGap(ShortGap):
        def entries(self, p: EventPanel) -> Any:
            return limit_on_open(p.reference * 0.9)

    found = trade(tiny, DAY + minutes, AnyGap)
    assert (found["reason"], found["ambiguous"]) == (reason, False)
    assert (found["return_net"] > 0) == (reason == "target")


def test_finer_bars_of_another_source_do_not_count(tiny: TinyStore) -> None:
    tiny.bars("AMD", DAY + "09:30 95", source="other")
    with pytest.raises(UsageError, match="no 1m bars of source 'file'"):
        run(Gap, tiny.store, interval="1d", resolve="1m", record=False)


def test_finer_bars_of_another_adjustment_do_not_compare(tmp_path: Path) -> None:
    with TinyStore(tmp_path, "adjusted") as tiny:
        tiny.daily("AMD", DAILY, adjusted="all")
        tiny.bars("AMD", DAY + "09:30 95\n15:59 100")
        tiny.release("AMD", "2019-01-29", "post")
        with pytest.raises(UsageError, match="do not compare"):
            run(Gap, tiny.store, interval="1d", resolve="1m", record=False)


def test_only_finer_bars_can_decide(tiny: TinyStore) -> None:
    with pytest.raises(UsageError, match="not finer"):
        run(Gap, tiny.store, interval="1d", resolve="1d", record=False)


@dataclass(frozen=True)
class Evening(Strategy):
    """Bought within an evening bar of half an hour, held with stops that do not sleep."""

    phases: ClassVar = ("post",)
    exits: Exits = Exits(target=0.05, stop=0.05, hold=0, stops_in_extended_hours=True)

    def entries(self, p: EventPanel) -> Any:
        return first(p.close <= 95)


@pytest.mark.parametrize(
    ("high", "reason"),
    [
        (100.0, "stop"),  # the bid, 20 bp lower, never got to the target of 99.94
        (100.3, "target"),
    ],
)
def test_in_the_evening_the_bid_has_to_reach_the_target(
    tmp_path: Path, high: float, reason: str
) -> None:
    with TinyStore(tmp_path, "evening") as tiny:
        tiny.bars(
            "AMD",
            """
            2019-01-29 15:30 100
                       16:00 95
                       16:30 95
                       17:00 95 101 90 95
            2019-01-30 15:30 95
            """,
            interval="30m",
        )
        tiny.bars(
            "AMD",
            f"""
            2019-01-29 15:59 100
                       17:05 95 {high} 95 95
                       17:10 95 95 90 92
                       17:20 101
            2019-01-30 15:59 95
            """,
        )
        tiny.release("AMD", "2019-01-29", "post")
        result = run(Evening, tiny.store, interval="30m", resolve="1m", record=False)
        only = result.trades.iloc[0]
        assert (only["reason"], only["ambiguous"]) == (reason, False)
