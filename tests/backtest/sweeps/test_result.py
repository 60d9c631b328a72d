"""What a sweep shows: the best, heat maps, months; and what the ledger keeps of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from backtest import run
from backtest.sweeps import Sweep, load_sweep, sweep
from backtest.sweeps.result import monthly_sharpe
from db.errors import UsageError
from db.store import Store
from tests.backtest.sweeps.markets import Gap, daily_market
from tests.tiny_store import TinyStore

GRID = {"drop": "-1,0,0.03", "exits.stop": "none,0.02", "exits.hold": "0,1,5"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with TinyStore(tmp_path_factory.mktemp("result")) as tiny:
        daily_market(tiny)
        yield tiny.store


@pytest.fixture(scope="module")
def found(store: Store) -> Sweep:
    return sweep(Gap(), store, GRID, accounts=1, walk="train=5m,test=3m,purge=hold")


def test_the_frame_has_a_row_a_combination_with_its_parameters(found: Sweep) -> None:
    assert len(found) == len(found.frame) == 18
    assert found.axes == ("drop", "exits.stop", "exits.hold")
    assert list(found.frame.columns[:3]) == list(found.axes)
    assert found.frame["exits.hold"].tolist() == [0, 1, 5] * 6
    assert found.frame["exits.stop"].isna().sum() == 9
    params = found.params(4)
    assert (params["drop"], params["exits.stop"], params["exits.hold"]) == (-1.0, 0.02, 1)
    assert params["exits.target"] == 0.05
    assert found.params(0)["exits.stop"] is None


def test_the_best_come_first_and_few_trades_last(found: Sweep) -> None:
    best = found.best("mean", top=18, min_trades=10)
    enough = best["trades"] >= 10
    assert enough.any()
    assert not enough.all()
    assert enough.is_monotonic_decreasing
    for part in (best[enough], best[~enough]):
        assert part["mean"].dropna().is_monotonic_decreasing
    assert len(found.best("trades", top=3)) == 3
    assert found.best(top=0).empty
    with pytest.raises(UsageError, match="did you mean 'sharpe'"):
        found.best("sharp")


def test_missing_values_are_never_the_best(found: Sweep) -> None:
    best = found.best("profit_factor", top=18, min_trades=0)["profit_factor"]
    assert best.isna().sum() == 0 or best.isna().is_monotonic_increasing


def test_the_sharpe_ratio_is_that_of_the_monthly_sums(found: Sweep) -> None:
    assert [f"{month:%Y-%m}" for month in found.monthly.index] == [
        f"2019-{month:02d}" for month in range(2, 12)
    ]
    months = found.monthly[4].to_numpy()
    expected = months.mean() / months.std(ddof=1) * np.sqrt(12)
    assert found.frame["sharpe"][4] == pytest.approx(expected)
    assert (found.monthly_trades.sum() == found.frame["trades"]).all()
    assert set(np.flatnonzero(found.monthly_trades[4])) <= {0, 3, 6, 9}


def test_months_without_spread_have_no_sharpe_ratio() -> None:
    monthly = np.array([[0.1, 0.0, 0.3], [0.1, 0.0, -0.1], [0.1, 0.0, 0.1]])
    ratio = monthly_sharpe(monthly)
    assert np.isnan(ratio[:2]).all()
    assert ratio[2] == pytest.approx(0.1 / 0.2 * np.sqrt(12))
    assert np.isnan(monthly_sharpe(monthly[:1])).all()


def test_a_heat_map_shows_the_median_over_the_other_parameters(found: Sweep) -> None:
    trace = found.heatmap("exits.hold", "drop").data[0]
    assert list(trace["x"]) == ["0", "1", "5"]
    assert list(trace["y"]) == ["-1", "0", "0.03"]
    mine = found.frame[(found.frame["drop"] == 0) & (found.frame["exits.hold"] == 1)]
    assert len(mine) == 2
    assert trace["z"][1][1] == pytest.approx(mine["mean"].median())
    fixed = found.heatmap("exits.hold", "drop", "trades", at={"exits.stop": None}).data[0]
    row = found.frame[found.frame["exits.stop"].isna() & (found.frame["drop"] == 0)]
    assert list(fixed["z"][1]) == row["trades"].tolist()
    assert list(found.heatmap("exits.hold", "exits.stop").data[0]["y"]) == ["none", "0.02"]


def test_a_heat_map_of_what_is_not_there_is_refused(found: Sweep) -> None:
    with pytest.raises(UsageError, match="did you mean 'drop'"):
        found.heatmap("drp", "exits.hold")
    with pytest.raises(UsageError, match="two different"):
        found.heatmap("drop", "drop")
    with pytest.raises(UsageError, match="did you mean 'mean'"):
        found.heatmap("drop", "exits.hold", "men")
    with pytest.raises(UsageError, match=r"no exits.stop=0\.5"):
        found.heatmap("drop", "exits.hold", at={"exits.stop": 0.5})


def test_the_ledger_keeps_the_sweep_and_counts_its_trials(found: Sweep, store: Store) -> None:
    assert store.count_trials("gap") == 18
    stored = load_sweep(store, found.record["id"])
    pd.testing.assert_frame_equal(stored.frame, found.frame)
    pd.testing.assert_frame_equal(stored.monthly, found.monthly, check_freq=False)
    pd.testing.assert_frame_equal(stored.monthly_trades, found.monthly_trades, check_freq=False)
    pd.testing.assert_frame_equal(stored.accounts, found.accounts)
    assert stored.walk_forward is not None
    assert found.walk_forward is not None
    pd.testing.assert_frame_equal(stored.walk_forward.folds, found.walk_forward.folds)
    assert stored.sentences == found.sentences
    assert stored.params(0) == found.params(0)
    run(Gap(), store)
    assert store.count_trials("gap") == 19
    with pytest.raises(UsageError, match="a single run"):
        load_sweep(store, int(store.runs()["id"].max()))


def test_the_record_repeats_the_sweep(found: Sweep) -> None:
    command = found.record["command"]
    assert command.startswith("backtest sweep ")
    for words in ("-p drop=-1,0,0.03", "-p exits.stop=none,0.02", "-p exits.hold=0,1,5"):
        assert words in command
    assert command.endswith("--walk-forward train=5m,test=3m,purge=hold")
    assert found.record["store_versions"]
    assert found.record["params"]["exits.hold"] == "0,1,5"


def test_a_parameter_set_for_the_sweep_is_in_its_command_and_an_axis_only_once(
    store: Store,
) -> None:
    made = sweep(
        Gap(drop=0.02), store, {"drop": "0,0.01", "exits.target": 0.5}, accounts=0, record=False
    )
    assert made.record["command"].count("drop=") == 1
    assert "-p exits.target=0.5" in made.record["command"]
    assert "id" not in made.record


def test_a_sweep_says_what_it_amounts_to(found: Sweep) -> None:
    assert "18 combinations, 3 different entries" in repr(found)
    assert "<table" in found._repr_html_()
    assert any("Walk-forward" in text for text in found.sentences)


def test_settings_that_cannot_be_are_refused_before_anything_is_read(store: Store) -> None:
    for options, says in (
        ({"rank": "luck"}, "cannot rank by 'luck'"),
        ({"accounts": -1}, "must not be negative"),
        ({"walk": "train=3y"}, "needs test"),
        ({"max_memory": 10}, "GB are allowed"),
    ):
        with pytest.raises(UsageError, match=says):
            sweep(Gap(), store, GRID, record=False, **options)  # type: ignore[arg-type]
