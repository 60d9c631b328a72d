"""A whole run: nothing is lost on the way, and nothing but its settings decides the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from backtest import Costs, EventPanel, Exits, Result, Strategy, earnings, limit_on_open, param, run
from backtest.registry import list_strategies
from db.batches import ActionRecord
from db.errors import DataError, UsageError
from tests.tiny_store import TinyStore, clock, flat_days, ny, release

DAYS = flat_days("2019-01-02", "2019-01-29", 20.0)
AFTER = "2019-01-31 20\n2019-02-01 20"


@dataclass(frozen=True)
class AnyOpen(Strategy):
    """Buys every open that is not far above the close before."""

    above: float = param(1.0)
    exits: Exits = Exits(hold=0)

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * (1 + self.above))


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def market(tiny: TinyStore, reactions: dict[str, str], order: Sequence[str] | None = None) -> None:
    """Daily bars of companies that all report on 2019-01-29 after the close."""
    for symbol in order or list(reactions):
        tiny.daily(symbol, f"{DAYS}\n2019-01-30 {reactions[symbol]}\n{AFTER}")
    for symbol in order or list(reactions):
        tiny.release(symbol, "2019-01-29", "post")


def statuses(result: Result) -> dict[str, str]:
    return dict(zip(result.events["symbol"], result.events["status"], strict=True))


def funnel(result: Result) -> dict[str, int]:
    return dict(zip(result.funnel["reason"], result.funnel["events"], strict=True))


GAPS = {"A": "18 19 17.8 18.9", "B": "18 19 17.8 18.5", "C": "20 21 19 20", "D": "18 18 16 17"}


# Nothing disappears


def test_every_event_ends_in_one_place_and_the_counts_add_up(tiny: TinyStore) -> None:
    market(tiny, GAPS)
    tiny.store.add_instrument("LATE", valid_from=ny("2024-01-01").date())
    tiny.take(
        [
            release("A", "2019-01-15", "pre", fiscal_period="before"),
            release("NOBARS", "2019-01-29", "post"),
            release("LATE", "2019-01-29", "post"),
            release("A", "2031-01-29", "post", fiscal_period="future"),
            release("A", "1988-01-29", "post", fiscal_period="past"),
        ]
    )
    result = run("gap_reversal", tiny.store, interval="1d", record=False)
    assert len(result.events) == len(tiny.store.events()) == result.events_total == 9
    assert funnel(result) == {
        "no instrument": 1,
        "no bars": 1,
        "outside the price history": 2,
        "not triggered": 2,
        "trade": 3,
    }
    assert result.funnel["events"].sum() == 9
    assert result.funnel["left"].iloc[-1] == 3
    assert result.events["event_id"].is_unique
    traded = set(result.events.loc[result.events["status"] == "trade", "event_id"])
    assert traded == set(result.trades["event_id"])


def test_one_trade_by_hand(tiny: TinyStore) -> None:
    """Bought at 18.00 for 5,000 with 1 bp on top, sold at 18.90 less 5 + 2 bp and 1 bp."""
    market(tiny, {"A": GAPS["A"]})
    result = run("gap_reversal", tiny.store, record=False)
    trade = result.trades.iloc[0]
    shares = 5000 / (18 * 1.0001)
    leave = 18.9 * (1 - 0.0007)
    assert trade["shares"] == pytest.approx(shares)
    assert trade["exit_price"] == pytest.approx(leave)
    pnl = shares * (leave * (1 - 0.0001) - 18 * 1.0001)
    assert trade["pnl"] == pytest.approx(pnl)
    assert trade["return_net"] == pytest.approx((leave - 18 - 0.0001 * (leave + 18)) / 18)
    assert trade["return_gross"] == pytest.approx(18.9 / 18 - 1)
    assert result.equity["equity"].iloc[-1] == pytest.approx(100_000 + pnl)
    assert result.summary["Trades"] == 1
    assert result.summary["Mean net return [%]"] == pytest.approx(trade["return_net"] * 100)
    assert np.isnan(result.summary["Mean net return, low 95 % by date [%]"])
    # The marks run from the reference close to the exit's.
    assert [clock(at) for at in result.equity.index] == ["2019-01-29 16:00", "2019-01-30 16:00"]
    assert result.equity["equity"].iloc[0] == 100_000
    value = float(np.asarray(result.portfolio.value())[-1])
    assert value == pytest.approx(100_000 + pnl)


def test_the_break_even_cost_makes_the_mean_trade_nothing(tiny: TinyStore) -> None:
    market(tiny, GAPS)
    first = run("gap_reversal", tiny.store, record=False)
    extra = first.summary["Break-even cost, extra a side [bp]"] / 10_000
    trades = first.trades
    paid = 1 + trades["exit_price"] / trades["entry_price"]
    assert (trades["return_net"] - extra * paid).mean() == pytest.approx(0, abs=1e-12)


def test_no_trade_at_all_is_a_result(tiny: TinyStore) -> None:
    market(tiny, {"C": GAPS["C"]})
    result = run("gap_reversal", tiny.store)
    assert len(result.trades) == len(result.signals) == 0
    assert "No trade: none of 1 events came through" in result.sentences[0]
    assert (result.equity["equity"] == 100_000).all()
    assert result.exit_reasons.empty
    assert np.isnan(result.summary["Break-even cost, extra a side [bp]"])
    assert "No trade" in repr(result)
    assert "not triggered" in result._repr_html_()
    assert result.plot() is not None


def test_a_run_in_which_no_event_can_be_measured_is_a_result(tiny: TinyStore) -> None:
    tiny.daily("A", DAYS)
    tiny.take([release("NOBARS", "2019-01-29", "post"), release("A", "2030-01-29", "post")])
    for strategy in [found.name for found in list_strategies()]:
        if strategy == "news_fade":
            continue
        result = run(strategy, tiny.store, interval="1d")
        expected = {"no bars": 1, "outside the price history": 1}
        others = {"other kind of event", *expected}
        assert set(funnel(result)) <= others
        assert sum(funnel(result).values()) == 2
        assert len(result.equity) == 1
        assert (result.base_rates["events"] == 0).all()


def test_events_far_in_the_future_alone_are_a_result(tiny: TinyStore) -> None:
    tiny.daily("A", DAYS)
    tiny.release("A", "2099-01-29 17:00")
    assert funnel(run("gap_reversal", tiny.store)) == {"outside the price history": 1}


def test_a_store_without_events_says_so(tiny: TinyStore) -> None:
    tiny.daily("A", DAYS)
    with pytest.raises(DataError, match=r"no earnings events(.|\n)*ingest events"):
        run("gap_reversal", tiny.store)


def test_a_store_without_bars_says_so(tiny: TinyStore) -> None:
    tiny.release("A", "2019-01-29", "post")
    with pytest.raises(DataError, match=r"no bars(.|\n)*ingest prices"):
        run("gap_reversal", tiny.store)


def test_a_selection_without_events_says_so(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    with pytest.raises(DataError, match="none of the store's 1 earnings events"):
        run("gap_reversal", tiny.store, since=ny("2020-01-01"))
    with pytest.raises(UsageError, match="no time zone"):
        run("gap_reversal", tiny.store, since=ny("2020-01-01").replace(tzinfo=None))
    with pytest.raises(UsageError, match="no instrument is or was called 'AA'"):
        run("gap_reversal", tiny.store, symbols=["AA"])


def test_an_instrument_with_a_single_bar_is_no_trouble(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    tiny.daily("ONE", "2019-01-30 50")
    tiny.release("ONE", "2019-01-29", "post")
    assert statuses(run("gap_reversal", tiny.store, record=False)) == {
        "A": "trade",
        "ONE": "outside the price history",
    }


# Slots and draws


def test_more_candidates_than_slots_are_drawn_by_lot(tiny: TinyStore) -> None:
    """The three gaps get their order in at 9:28 with C, whose limit is missed."""
    market(tiny, GAPS)
    result = run("gap_reversal", tiny.store, slots=2, record=False)
    assert sum(funnel(result).values()) == 4
    assert funnel(result)["not triggered"] == 1
    assert len(result.trades) + funnel(result).get("no slot", 0) == 3
    assert len(result.signals) == 3
    assert len(result.other_seeds) == 20
    assert len(set(np.round(result.other_seeds, 9))) > 1
    if funnel(result).get("no slot"):
        assert any("had no place in the account" in text for text in result.sentences)
    assert any("drawn by lot" in text for text in result.sentences)
    seeds = [run("gap_reversal", tiny.store, slots=2, seed=s, record=False) for s in (1, 2, 3)]
    finals = [r.equity["equity"].iloc[-1] / 100_000 - 1 for r in seeds]
    assert finals == pytest.approx(list(result.other_seeds[:3]))


def test_enough_slots_leave_nothing_to_the_draw(tiny: TinyStore) -> None:
    market(tiny, GAPS)
    assert len(run("gap_reversal", tiny.store, slots=4, record=False).other_seeds) == 0


def comparable(result: Result) -> pd.DataFrame:
    """Trades without the numbers that the store gave them, in an order of their own."""
    ids = ["trade_id", "event_id", "instrument_id"]
    return result.trades.drop(columns=ids).sort_values("symbol", ignore_index=True)


def test_the_same_run_twice_is_the_same(tiny: TinyStore) -> None:
    market(tiny, GAPS)
    first = run("gap_reversal", tiny.store, slots=2, record=False)
    again = run("gap_reversal", tiny.store, slots=2, record=False)
    pd.testing.assert_frame_equal(first.trades, again.trades)
    pd.testing.assert_frame_equal(first.equity, again.equity)
    assert first.summary == pytest.approx(again.summary, nan_ok=True)


def test_the_order_of_the_imports_changes_nothing(tmp_path: Path) -> None:
    """Ids follow the imports; who gets the slots must not."""
    found = []
    for number, order in enumerate(list(permutations(GAPS))[::5]):
        with TinyStore(tmp_path, f"store {number}") as tiny:
            market(tiny, GAPS, order)
            found.append(run("gap_reversal", tiny.store, slots=2, record=False))
    for other in found[1:]:
        pd.testing.assert_frame_equal(comparable(found[0]), comparable(other))
        pd.testing.assert_frame_equal(found[0].equity, other.equity)
        assert statuses(found[0]) == statuses(other)
        assert funnel(found[0]) == funnel(other)
        np.testing.assert_allclose(found[0].other_seeds, other.other_seeds)


# Sides, costs and filters


@dataclass(frozen=True)
class ShortOpen(AnyOpen):
    """Sells every open short that is not far below the close before."""

    side: ClassVar = "short"
    above: float = param(-0.5)


def test_a_short_earns_what_falls_and_pays_its_fee(tiny: TinyStore) -> None:
    market(tiny, {"A": "20 20.5 17.5 18", "B": "17.9 18 17.5 18"})
    result = run(ShortOpen(), tiny.store, record=False)
    assert statuses(result) == {"A": "trade", "B": "short sale restricted"}
    trade = result.trades.iloc[0]
    assert trade["side"] == "short"
    assert trade["return_gross"] == pytest.approx(0.10)
    days = 6.5 / 24
    leave = 18 * 1.0007
    net = (20 - leave - 0.0001 * (20 + leave)) / 20 - 0.01 * days / 365
    assert trade["return_net"] == pytest.approx(net)
    assert result.equity["equity"].iloc[-1] == pytest.approx(100_000 + trade["pnl"])
    assert result.record["side"] == "short"
    assert "below the reference close" in result.base_rates["outcome"][0]


def test_costs_are_what_was_asked_for(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    free = Costs(commission=0, half_spread=0, slippage=0)
    trade = run("gap_reversal", tiny.store, costs=free, record=False).trades.iloc[0]
    assert trade["return_net"] == trade["return_gross"] == pytest.approx(0.05)


def test_dividends_are_credited_while_held_and_levels_fall(tiny: TinyStore) -> None:
    """Held over an ex-date of 1.00: the open of 17.20 is no fall, and no stop of 6 %."""
    tiny.daily("A", f"{DAYS}\n2019-01-30 18\n2019-01-31 17.2 17.3 17.1 17.2\n2019-02-01 17")
    tiny.release("A", "2019-01-29", "post")
    tiny.dividend("A", "2019-01-31", 1.0)
    tiny.dividend("A", "2019-01-30", 0.5)  # ex on the day it is bought: not ours
    params = {"exits.hold": 1, "exits.stop": 0.06}
    result = run("gap_reversal", tiny.store, params=params, record=False)
    trade = result.trades.iloc[0]
    assert trade["reason"] == "hold"
    assert trade["dividends"] == 1.0
    assert trade["return_gross"] == pytest.approx((17.2 + 1.0) / 18 - 1)
    assert result.equity["equity"].iloc[-1] == pytest.approx(100_000 + trade["pnl"])


def test_a_split_while_held_is_no_loss_and_prices_are_as_traded_before_it(
    tiny: TinyStore,
) -> None:
    tiny.daily("A", f"{DAYS}\n2019-01-30 18\n2019-01-31 9.5 9.6 9.4 9.5\n2019-02-01 9.5")
    tiny.release("A", "2019-01-29", "post")
    tiny.split("A", "2019-01-31", 2)
    trade = run("gap_reversal", tiny.store, params={"exits.hold": 1}, record=False).trades.iloc[0]
    assert trade["reference_close"] == 20
    assert trade["entry_price"] == 18
    assert trade["exit_mid"] == pytest.approx(19)


def test_a_split_overnight_is_no_gap(tiny: TinyStore) -> None:
    market(tiny, {"A": "9.9 10 9.8 9.9"})
    tiny.split("A", "2019-01-30", 2)
    assert statuses(run("gap_reversal", tiny.store, record=False)) == {"A": "not triggered"}


def test_filtered_events_are_in_the_funnel(tiny: TinyStore) -> None:
    market(tiny, GAPS)
    tiny.daily("PENNY", "\n".join(line.replace("20.0", "0.5") for line in DAYS.split("\n"))
               + "\n2019-01-30 0.4\n2019-01-31 0.4")  # fmt: skip
    tiny.release("PENNY", "2019-01-29", "post")
    result = run("gap_reversal", tiny.store, min_price=5, record=False)
    assert funnel(result) == {"price below the minimum": 1, "not triggered": 1, "trade": 3}
    money = run("gap_reversal", tiny.store, min_dollar_volume=1e9, record=False)
    # Nineteen sessions before the event are too few to tell.
    assert funnel(money) == {"dollar volume below the minimum": 5}
    assert money.orders == 0


def test_filters_refuse_adjusted_prices(tiny: TinyStore) -> None:
    tiny.daily("A", f"{DAYS}\n2019-01-30 18\n{AFTER}", adjusted="all")
    tiny.release("A", "2019-01-29", "post")
    assert len(run("gap_reversal", tiny.store, record=False).trades) == 1
    with pytest.raises(UsageError, match="--min-price needs prices as traded"):
        run("gap_reversal", tiny.store, min_price=5)


def test_fully_adjusted_prices_get_no_credit(tiny: TinyStore) -> None:
    tiny.daily("A", f"{DAYS}\n2019-01-30 18\n2019-01-31 18\n2019-02-01 18", adjusted="all")
    tiny.release("A", "2019-01-29", "post")
    tiny.take([ActionRecord("A", "dividend", ny("2019-01-31 12:00").date(), 1.0)])
    trade = run("gap_reversal", tiny.store, params={"exits.hold": 1}, record=False).trades.iloc[0]
    assert trade["dividends"] == 0


# Knowledge


def test_back_filled_events_are_marked_and_counted(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    tiny.daily("B", f"{DAYS}\n2019-01-30 18\n{AFTER}")
    tiny.release("B", "2019-01-29", "post", known="2019-01-10 12:00")
    tiny.daily("E", f"{DAYS}\n2019-01-30 18\n{AFTER}")
    tiny.release("E", "2019-01-29", "post", fetched=ny("2019-01-20 12:00"), source="live")
    result = run("gap_reversal", tiny.store, record=False)
    assumed = dict(zip(result.trades["symbol"], result.trades["assumed"], strict=True))
    # E was fetched nine days before it happened: nobody has to assume that it was known.
    assert assumed == {"A": True, "B": False, "E": False}
    assert result.summary["Trades on assumed knowledge"] == 1
    assert any("--strict-as-of assumes nothing" in text for text in result.sentences)
    strict = run("gap_reversal", tiny.store, strict_as_of=True, record=False)
    assert statuses(strict) == {"A": "event not known in time", "B": "trade", "E": "trade"}
    assert strict.summary["Trades on assumed knowledge"] == 0


def test_a_proven_schedule_and_figures_of_later_are_marked_by_what_was_used(
    tiny: TinyStore,
) -> None:
    """The gap needs the schedule alone, the drift the figures, whose time nobody proves."""
    tiny.daily("A", f"{DAYS}\n2019-01-30 18\n{AFTER}")
    tiny.release("A", "2019-01-29", "post", known="2019-01-10 12:00", eps_estimate=1.0)
    tiny.release("A", "2019-01-29", "post", source="later", eps_actual=1.5)
    for name, assumed in (("gap_reversal", False), ("earnings_drift", True)):
        result = run(name, tiny.store, record=False)
        assert result.trades["assumed"].tolist() == [assumed]
    strict = run("gap_reversal", tiny.store, strict_as_of=True, record=False)
    assert strict.trades["assumed"].tolist() == [False]


# The benchmark


def test_the_benchmark_is_the_same_symbols_or_the_one_named(tiny: TinyStore) -> None:
    market(tiny, {"A": "18 22.5 18 22"})
    tiny.daily("SPY", f"{flat_days('2019-01-02', '2019-01-29', 200.0)}\n2019-01-30 210\n"
               "2019-01-31 210")  # fmt: skip
    own = run("gap_reversal", tiny.store, record=False)
    assert own.equity["benchmark"].iloc[-1] == pytest.approx(110_000)
    spy = run("gap_reversal", tiny.store, benchmark="SPY", record=False)
    assert spy.equity["benchmark"].iloc[-1] == pytest.approx(105_000)
    assert spy.stats.set_index("label").loc["Total return [%]", "benchmark"] == pytest.approx(5.0)
    with pytest.raises(UsageError, match="the benchmark 'QQQ' is not in the store"):
        run("gap_reversal", tiny.store, benchmark="QQQ")
    tiny.store.add_instrument("QQQ")
    with pytest.raises(UsageError, match="no 1d bars of the benchmark 'QQQ'"):
        run("gap_reversal", tiny.store, benchmark="QQQ")


def test_the_benchmark_knows_no_price_before_the_listing(tiny: TinyStore) -> None:
    """Two events a month apart; B trades only from the second one on, at four times its start."""
    later = flat_days("2019-01-31", "2019-03-08", 20.0)
    tiny.daily("A", f"{DAYS}\n2019-01-30 18\n{later}")
    tiny.daily("B", flat_days("2019-02-20", "2019-03-05", 50.0) + "\n2019-03-06 40\n2019-03-07 40")
    tiny.release("A", "2019-01-29", "post")
    tiny.release("B", "2019-03-05", "post")
    equity = run("gap_reversal", tiny.store, record=False).equity["benchmark"]
    # All of it in A until 20 February (20 -> 20), half of it in B from then on (50 -> 40).
    assert equity[equity.index < ny("2019-02-20")].iloc[-1] == pytest.approx(100_000)
    assert equity.iloc[-1] == pytest.approx(90_000)


def test_dividends_belong_to_the_benchmark_too(tiny: TinyStore) -> None:
    market(tiny, {"A": "19 19 19 19"})
    tiny.dividend("A", "2019-01-30", 1.0)
    result = run("gap_reversal", tiny.store, record=False)
    assert result.equity["benchmark"].iloc[-1] == pytest.approx(100_000)


# Two exchanges, and the clock


def test_two_exchanges_share_one_account(tiny: TinyStore) -> None:
    """Marks are New York's closes; Frankfurt's positions are valued at what had closed by then."""
    tiny.store.add_instrument("SAP", exchange="XETR", currency="EUR")
    tiny.daily(
        "SAP",
        f"{flat_days('2019-01-02', '2019-01-29', 90.0, 'XETR')}\n2019-01-30 80 81 79 80\n"
        "2019-01-31 82 83 81 82\n2019-02-01 84",
        exchange="XETR",
    )
    market(tiny, {"A": "18 19 17.8 18.9", "B": "18 19 17.8 18.9"})
    tiny.take([release("SAP", "2019-01-29 18:00:00", exchange="XETR")])
    params = {"exits.hold": 2, "exits.target": "none", "exits.stop": "none"}
    result = run("gap_reversal", tiny.store, params=params, record=False)
    assert statuses(result) == {"A": "trade", "B": "trade", "SAP": "trade"}
    sap = result.trades.set_index("symbol").loc["SAP"]
    assert clock(sap["entry_at"], "Europe/Berlin") == "2019-01-30 09:00"
    assert clock(sap["exit_at"], "Europe/Berlin") == "2019-02-01 17:30"
    equity = result.equity["equity"]
    parts = result.trades.set_index("symbol")["shares"]
    at_second = ny("2019-01-31 16:00")
    held = parts["SAP"] * 82 + (parts["A"] + parts["B"]) * 20
    spent = 3 * 5000
    assert equity[at_second] == pytest.approx(100_000 - spent + held)


def test_a_mark_in_frankfurt_does_not_know_new_york_s_close(tiny: TinyStore) -> None:
    """At 17:30 in Frankfurt, 11:30 in New York, the close of that day is hours away."""
    for symbol in ("SAP", "BMW"):
        tiny.store.add_instrument(symbol, exchange="XETR", currency="EUR")
        tiny.daily(symbol, flat_days("2019-01-02", "2019-02-08", 90.0, "XETR"), exchange="XETR")
    tiny.take([release(s, "2019-01-29 18:00:00", exchange="XETR") for s in ("SAP", "BMW")])
    market(tiny, {"A": "18 19 17.8 18"})
    tiny.daily("A", "2019-01-31 30 31 29 30\n2019-02-01 40")
    params = {"exits.hold": 2, "exits.target": "none", "exits.stop": "none"}
    result = run("gap_reversal", tiny.store, params=params, record=False)
    assert result.record["exchange_tz"] == "Europe/Berlin"
    shares = result.trades["shares"].sum()
    by_day = {clock(at, "Europe/Berlin")[:10]: value for at, value in
              result.equity["equity"].items()}  # fmt: skip
    invested = 100_000 - 5000
    assert by_day["2019-01-30"] == pytest.approx(invested + shares * 18, rel=1e-6)  # the entry
    assert by_day["2019-01-31"] == pytest.approx(invested + shares * 18, rel=1e-6)
    assert by_day["2019-02-01"] == pytest.approx(invested + shares * 30, rel=1e-6)


def test_the_clock_is_passed_in(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    at = ny("2026-01-28 12:00")
    result = run("gap_reversal", tiny.store, now=lambda: at, record=False)
    assert result.record["created_at"] == at


def test_every_step_is_told(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    told: list[str] = []
    run("gap_reversal", tiny.store, on_step=told.append)
    assert told == [
        "reading events and bars",
        "deciding",
        "filling orders",
        "keeping the account",
        "measuring",
        "replaying without the future",
        "writing the run to the ledger",
    ]


def test_a_version_that_was_read_is_what_a_run_names(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    assert run("gap_reversal", tiny.store, record=False).record["store_versions"] == (
        tiny.store.versions()
    )


def test_unknown_names_are_refused(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    with pytest.raises(UsageError, match="did you mean 'gap_reversal'"):
        run("gap_reversl", tiny.store)
    with pytest.raises(UsageError, match="did you mean 'drop'"):
        run("gap_reversal", tiny.store, params={"dorp": 1})
    with pytest.raises(UsageError, match="unknown interval"):
        run("gap_reversal", tiny.store, interval="7m")
    with pytest.raises(UsageError, match="slots"):
        run("gap_reversal", tiny.store, slots=0)
    with pytest.raises(UsageError, match="there are no 1d bars of source 'fle'"):
        run("gap_reversal", tiny.store, source="fle")


@dataclass(frozen=True)
class OnlyMornings(AnyOpen):
    events: ClassVar = earnings(session="pre")


def test_a_strategy_s_own_filter_is_in_the_funnel(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    tiny.release("A", "2019-01-15", "pre", fiscal_period="x")
    assert funnel(run(OnlyMornings(), tiny.store, record=False)) == {
        "other kind of event": 1,
        "trade": 1,
    }
