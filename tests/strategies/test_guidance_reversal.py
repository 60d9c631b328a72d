"""A fall that contradicts the company's own outlook: META of January 2026, in small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest import Result, run
from tests.tiny_store import TinyStore, clock, guidance

DAY = "2019-01-29"
BARS = """
    2019-01-29 15:59 20.00
               16:06 19.60
               16:10 19.30        # -3.5 %
               16:11 19.32
    2019-01-30 04:00 19.20
               04:01 19.25
               09:30 20.00
               15:59 22.00
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        store.bars("META", BARS)
        yield store


def outcome(tiny: TinyStore, **params: object) -> Result:
    return run("guidance_reversal", tiny.store, params=params, record=False)


def status(result: Result) -> str:
    return str(result.events["status"].iloc[0])


def test_it_buys_the_fall_that_the_outlook_contradicts(tiny: TinyStore) -> None:
    tiny.release("META", f"{DAY} 16:05:00")
    tiny.take([guidance("META", f"{DAY} 16:05:00", middle=104.0)])
    trade = outcome(tiny).trades.iloc[0]
    assert clock(trade["decided_at"]) == f"{DAY} 16:11"
    assert trade["entry_mid"] == 19.32
    assert trade["guidance_revenue"] == pytest.approx(0.04)
    assert trade["reason"] == "target"


def test_an_outlook_known_by_session_alone_can_be_traded_in_the_morning(tiny: TinyStore) -> None:
    tiny.release("META", DAY, "post")
    tiny.take([guidance("META", DAY, "post", middle=104.0)])
    trade = outcome(tiny).trades.iloc[0]
    assert clock(trade["decided_at"]) == "2019-01-30 04:01"


@pytest.mark.parametrize(
    ("middle", "params", "reason"),
    [
        (100.0, {}, "not triggered"),
        (96.0, {}, "not triggered"),
        (104.0, {"margin": "0.05"}, "not triggered"),
        (104.0, {"drop": "0.1"}, "not triggered"),
        (104.0, {"metric": "eps"}, "content unknown at decision"),
    ],
)
def test_otherwise_the_funnel_says_why_not(
    tiny: TinyStore, middle: float, params: dict[str, str], reason: str
) -> None:
    tiny.release("META", f"{DAY} 16:05:00")
    tiny.take([guidance("META", f"{DAY} 16:05:00", middle=middle)])
    assert status(outcome(tiny, **params)) == reason


def test_without_guidance_its_content_is_unknown(tiny: TinyStore) -> None:
    tiny.release("META", f"{DAY} 16:05:00")
    assert status(outcome(tiny)) == "content unknown at decision"


def test_an_outlook_of_the_next_morning_is_no_reason_that_evening(tiny: TinyStore) -> None:
    tiny.release("META", f"{DAY} 16:05:00")
    tiny.take([guidance("META", "2019-01-30 08:00:00", middle=104.0)])
    result = outcome(tiny)
    assert len(result.trades) == 0
