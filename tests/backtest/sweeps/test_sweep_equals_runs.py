"""A sweep's every row is what `backtest.run` says of that combination alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest import Strategy, run
from backtest.result import Result
from backtest.sweeps import Sweep, sweep
from db.store import Store
from tests.backtest.sweeps.markets import (
    Gap,
    GapShort,
    Turn,
    TurnShort,
    daily_market,
    minute_market,
)
from tests.tiny_store import TinyStore


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with TinyStore(tmp_path_factory.mktemp("daily")) as tiny:
        daily_market(tiny)
        yield tiny.store


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with TinyStore(tmp_path_factory.mktemp("minutes")) as tiny:
        minute_market(tiny)
        yield tiny.store


COUNTS = ("trades", "missed", "ambiguous", "data_ended")


def expected(result: Result) -> dict[str, float]:
    """The columns of a sweep, from the fills of a run."""
    net = result.signals["return_net"].to_numpy(np.float64)
    gross = result.signals["return_gross"].to_numpy(np.float64)
    lost = result.funnel["reason"].str.startswith("missed fill")
    n, nan = len(net), float("nan")
    losses = -net[net < 0].sum()
    return {
        "trades": n,
        "missed": int(result.funnel.loc[lost, "events"].sum()),
        "ambiguous": int(result.signals["ambiguous"].sum()),
        "data_ended": int((result.signals["reason"] == "data_ended").sum()),
        "mean": net.mean() if n else nan,
        "median": float(np.median(net)) if n else nan,
        "std": net.std(ddof=1) if n > 1 else nan,
        "win_rate": (net > 0).mean() if n else nan,
        "profit_factor": net[net > 0].sum() / losses if losses else nan,
        "expectancy": net.mean() * 5_000 if n else nan,
        "big_gains": (gross >= 0.1 - 1e-9).mean() if n else nan,
        "mean_gross": gross.mean() if n else nan,
        "total": net.sum(),
    }


def monthly_of(result: Result) -> pd.Series:
    at = result.signals["entry_at"].dt.tz_convert("America/New_York").dt.strftime("%Y-%m")
    return result.signals["return_net"].groupby(at).sum()


def assert_rows_are_runs(
    found: Sweep, strategy: Strategy, store: Store, *, most: int = 9, **options: Any
) -> None:
    """Some rows, spread over the grid: a run takes a hundred times as long as the sweep."""
    numbers = Random(len(found)).sample(range(len(found)), min(most, len(found)))
    for number in numbers:
        row = found.frame.loc[number]
        result = run(strategy, store, params=found.params(number), record=False, **options)
        wanted = expected(result)
        for name, value in wanted.items():
            if name in COUNTS:
                assert row[name] == value, (number, name)
            else:
                np.testing.assert_allclose(
                    row[name], value, rtol=1e-12, atol=1e-12, err_msg=f"{number} {name}"
                )
        months = found.monthly[number]
        for month, value in monthly_of(result).items():
            assert months.loc[f"{month}-01"] == pytest.approx(value, abs=1e-12)
        assert months.sum() == pytest.approx(wanted["total"], abs=1e-12)
        assert found.monthly_trades[number].sum() == wanted["trades"]


@pytest.mark.parametrize("strategy", [Gap(), GapShort()], ids=["long", "short"])
def test_daily_bars(strategy: Strategy, daily: Store) -> None:
    grid = {
        "drop": "-1,0,0.02",
        "exits.stop": "none,0.04",
        "exits.trail": [None, 0.03],
        "exits.target": "0.05,none",
        "exits.hold": "0,3",
    }
    found = sweep(strategy, daily, grid, accounts=0, record=False)
    assert found.evaluations == 3
    assert (found.frame["trades"] > 5).any()
    assert found.frame["ambiguous"].max() > 0
    assert_rows_are_runs(found, strategy, daily)


@pytest.mark.parametrize("strategy", [Turn(), TurnShort()], ids=["long", "short"])
def test_minute_bars_with_extended_hours(strategy: Strategy, minutes: Store) -> None:
    grid = {
        "move": "0.005,0.03",
        "exits.stop": "none,0.02",
        "exits.trail": "none,0.02",
        "exits.target": "0.03",
        "exits.hold": "0,2",
        "exits.stops_in_extended_hours": "true,false",
    }
    found = sweep(strategy, minutes, grid, accounts=0, record=False)
    assert found.frame["missed"].max() > 0
    assert found.frame["trades"].max() > 5
    assert_rows_are_runs(found, strategy, minutes)


def test_settings_are_those_of_a_run(daily: Store) -> None:
    from backtest import Costs

    options: dict[str, Any] = {
        "since": pd.Timestamp("2019-03-01", tz="UTC").to_pydatetime(),
        "symbols": ["S0", "S1", "S4"],
        "costs": Costs(commission=0.002, half_spread=0.001, slippage=0),
        "min_price": 15.0,
    }
    found = sweep(Gap(), daily, {"exits.hold": "0,1,4"}, accounts=0, record=False, **options)
    assert 0 < found.frame["trades"].max() < 9
    assert_rows_are_runs(found, Gap(), daily, **options)


def test_one_combination_is_a_sweep_too(daily: Store) -> None:
    found = sweep(Gap(), daily, {"drop": 0.01}, record=False)
    assert len(found) == 1
    result = run(Gap(drop=0.01), daily, record=False)
    assert found.frame["mean"][0] == pytest.approx(result.signals["return_net"].mean())
    assert "-p drop=0.01" in found.record["command"]


def test_a_sweep_without_any_trade_is_a_result(daily: Store) -> None:
    found = sweep(Gap(), daily, {"drop": "0.4,0.5"}, record=False)
    assert (found.frame["trades"] == 0).all()
    assert found.frame[["mean", "median", "std", "sharpe"]].isna().all(axis=None)
    assert (found.monthly == 0).all(axis=None)
    assert "0 have 20 trades" in found.sentences[0]
    assert found.accounts["account_trades"].tolist() == [0, 0]


def test_returns_that_hardly_differ_keep_their_deviation(daily: Store) -> None:
    """All but reach one target: the sum of squares alone would lose the digits."""
    grid = {"drop": -1, "exits.target": "0.0001,0.0002", "exits.stop": None, "exits.hold": 5}
    found = sweep(Gap(), daily, grid, accounts=0, record=False)
    assert_rows_are_runs(found, Gap(), daily)


def test_the_account_of_the_best_is_that_of_a_run(daily: Store) -> None:
    grid = {"drop": "-1,0", "exits.hold": "1,5"}
    options: dict[str, Any] = {"slots": 3, "cash": 9_000.0, "seed": 4}
    found = sweep(
        Gap(), daily, grid, accounts=2, rank="mean", min_trades=0, record=False, **options
    )
    assert (
        found.accounts["combination"].tolist() == found.best("mean", 2, min_trades=0).index.tolist()
    )
    for _, row in found.accounts.iterrows():
        params = found.params(int(row["combination"]))
        result = run(Gap(), daily, params=params, record=False, **options)
        stats = result.stats.set_index("label")["strategy"]
        assert row["account_trades"] == len(result.trades)
        assert row["trades"] == len(result.signals)
        assert row["no_slot"] + row["already_held"] == len(result.signals) - len(result.trades)
        mean, each = result.trades["return_net"].mean(), result.signals["return_net"].mean()
        assert row["account_mean"] == pytest.approx(mean)
        assert row["difference"] == pytest.approx(mean - each)
        assert row["account_return"] * 100 == pytest.approx(stats["Total return [%]"])
        assert row["account_sharpe"] == pytest.approx(stats.filter(like="Sharpe").iloc[0])
    assert (found.accounts["no_slot"] > 0).any()


def test_a_hold_whose_stock_is_halted_for_months_gets_a_panel_of_its_own(tmp_path: Path) -> None:
    """Bars around the releases alone are read: a run of the short hold never sees the new year."""
    with TinyStore(tmp_path) as tiny:
        minute_market(tiny, symbols=1)
        last = "2019-11-05"
        bars = "".join(
            f"{day} {clock} {price}\n"
            for day, clock, price in (
                (last, "15:58", "20.00"),
                (last, "15:59", "20.00"),
                (last, "16:30", "21.00"),
                (last, "16:31", "21.00"),
                ("2019-11-06", "09:30", "21.00"),
                ("2020-02-03", "09:30", "15.00"),
                ("2020-02-03", "15:59", "15.00"),
            )
        )
        tiny.bars("HALT", bars)
        tiny.release("HALT", last, "post")
        grid = {"exits.hold": "1,60", "exits.stop": "none,0.2", "move": "0.01,0.02"}
        found = sweep(Turn(), tiny.store, grid, accounts=0, record=False)
        assert found.frame["data_ended"].tolist() != [found.frame["data_ended"][0]] * 8
        assert_rows_are_runs(found, Turn(), tiny.store)
