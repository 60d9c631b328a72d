"""Drift after a surprise: bought once the surprise is known, and not before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest import run
from tests.tiny_store import TinyStore, clock, flat_days, release

DAY = "2019-01-29"


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        for symbol in ("A", "B", "C", "D"):
            store.daily(symbol, flat_days("2019-01-02", "2019-04-30", 20.0))
        yield store


def test_it_buys_large_surprises_at_the_next_open(tiny: TinyStore) -> None:
    tiny.take(
        [
            release("A", DAY, "post", eps_estimate=1.0, eps_actual=1.2),
            release("B", DAY, "post", eps_estimate=1.0, eps_actual=1.05),
            release("C", DAY, "post", eps_estimate=1.0),
            release("D", DAY, "post", eps_estimate=1.0, eps_actual=1.1),
        ]
    )
    result = run("earnings_drift", tiny.store, record=False)
    status = dict(zip(result.events["symbol"], result.events["status"], strict=True))
    assert status == {
        "A": "trade",
        "B": "not triggered",
        "C": "content unknown at decision",
        "D": "trade",
    }
    trade = result.trades.set_index("symbol").loc["A"]
    # Daily bars know it at the reaction session's close; the next open is what can be bought.
    assert clock(trade["decided_at"]) == "2019-01-30 16:00"
    assert clock(trade["entry_at"]) == "2019-01-31 09:30"
    assert trade["surprise"] == pytest.approx(0.2)
    assert trade["rank"] == pytest.approx(0.2)
    assert trade["assumed"]
    assert trade["late_estimate"]
    said = "used an estimate that is not point in time: it was fetched after the release."
    assert [one for one in result.sentences if one.endswith(said)]


def test_an_estimate_of_before_the_release_is_point_in_time(tiny: TinyStore) -> None:
    tiny.release("A", DAY, "post", eps_estimate=1.0, known="2019-01-20 12:00")
    tiny.release("A", DAY, "post", eps_actual=1.2)
    result = run("earnings_drift", tiny.store, record=False)
    assert result.trades["late_estimate"].tolist() == [False]
    assert not [one for one in result.sentences if "point in time" in one]


def test_it_holds_for_twenty_sessions(tiny: TinyStore) -> None:
    tiny.release("A", DAY, "post", eps_estimate=1.0, eps_actual=1.2)
    trade = run("earnings_drift", tiny.store, record=False).trades.iloc[0]
    assert clock(trade["exit_at"]) == "2019-02-28 16:00"
    assert trade["reason"] == "hold"


def test_the_larger_surprise_gets_the_last_slot(tiny: TinyStore) -> None:
    tiny.take(
        [
            release("A", DAY, "post", eps_estimate=1.0, eps_actual=1.2),
            release("B", DAY, "post", eps_estimate=1.0, eps_actual=1.4),
            release("C", DAY, "post", eps_estimate=1.0, eps_actual=1.3),
        ]
    )
    result = run("earnings_drift", tiny.store, slots=1, record=False)
    assert result.trades["symbol"].tolist() == ["B"]
    assert len(result.signals) == 3
    assert (result.signals["slot"] >= 0).sum() == 1
    assert result.funnel.set_index("reason")["events"].to_dict() == {"no slot": 2, "trade": 1}
    assert len(result.other_seeds) == 0  # the rank decided, not the draw


def test_strict_knowledge_leaves_nothing_of_what_was_back_filled(tiny: TinyStore) -> None:
    tiny.take(
        [
            release("A", DAY, "post", eps_estimate=1.0, eps_actual=1.2),
            release(*("B", DAY, "post"), eps_estimate=1.0, eps_actual=1.2, known=f"{DAY} 16:05:00"),
        ]
    )
    result = run("earnings_drift", tiny.store, strict_as_of=True, record=False)
    status = dict(zip(result.events["symbol"], result.events["status"], strict=True))
    assert status == {"A": "content unknown at decision", "B": "trade"}
    assert result.trades["assumed"].tolist() == [False]
    assert result.summary["Trades on assumed knowledge"] == 0
