"""Choosing on the past and judging on the future, against the same done by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest import run
from backtest.sweeps import Sweep, sweep
from backtest.sweeps.walk_forward import Length, Windows
from db.errors import UsageError
from db.store import Store
from tests.backtest.sweeps.markets import Gap, daily_market
from tests.tiny_store import TinyStore

GRID = {"drop": "-1,0", "exits.stop": "none,0.03", "exits.hold": "1,30,70"}
"""The longest holds run from one release into the months of the next."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with TinyStore(tmp_path_factory.mktemp("walk")) as tiny:
        daily_market(tiny)
        yield tiny.store


def walked(store: Store, windows: str, rank: str = "mean") -> Sweep:
    return sweep(
        Gap(), store, GRID, rank=rank, min_trades=0, walk=windows, accounts=0, record=False
    )


def midnight(day: pd.Timestamp) -> pd.Timestamp:
    return day.tz_localize("America/New_York")


@pytest.mark.parametrize("rank", ["mean", "median", "total", "sharpe"])
@pytest.mark.parametrize("purge", ["hold", "none"])
def test_each_fold_is_what_one_would_choose_by_hand(store: Store, rank: str, purge: str) -> None:
    found = walked(store, f"train=4m,test=3m,purge={purge}", rank)
    assert found.walk_forward is not None
    folds, trades = found.walk_forward.folds, found.walk_forward.trades
    signals = [
        run(Gap(), store, params=found.params(k), record=False).signals for k in range(len(found))
    ]
    purged_somewhere = 0
    for _, fold in folds.iterrows():
        turn = midnight(fold["train_to"])
        scores, kept = [], []
        for one in signals:
            inside = one["entry_at"].between(midnight(fold["train_from"]), turn, inclusive="left")
            closed = inside & ((one["exit_at"] <= turn) if purge == "hold" else True)
            net = one.loc[closed, "return_net"]
            kept.append((int(inside.sum()), int(closed.sum())))
            month = (
                one.loc[closed, "entry_at"].dt.tz_convert("America/New_York").dt.tz_localize(None)
            )
            first, last = fold["train_from"].to_period("M"), (fold["train_to"]).to_period("M")
            end = last if fold["train_to"].day > 1 else last - 1
            span = pd.period_range(first, end, freq="M")
            sums = net.groupby(month.dt.to_period("M")).sum().reindex(span, fill_value=0.0)
            score = {
                "mean": net.mean(),
                "median": net.median(),
                "total": net.sum(),
                "sharpe": sums.mean() / sums.std() * np.sqrt(12),
            }[rank]
            scores.append(score if len(net) or rank == "total" else np.nan)
        chosen = int(fold["combination"])
        assert fold[rank] == pytest.approx(np.nanmax(scores))
        assert scores[chosen] == pytest.approx(np.nanmax(scores))
        assert fold["train_trades"] == kept[chosen][1]
        assert fold["purged"] == kept[chosen][0] - kept[chosen][1]
        purged_somewhere += int(fold["purged"])
        one = signals[chosen]
        after = one["entry_at"].between(
            midnight(fold["test_from"]), midnight(fold["test_to"]), inclusive="left"
        )
        mine = trades[trades["fold"] == fold["fold"]]
        assert sorted(mine["event_id"]) == sorted(one.loc[after, "event_id"])
        both = mine.merge(one, on="event_id", suffixes=("", "_run"))
        np.testing.assert_allclose(both["return_net"], both["return_net_run"], rtol=1e-12)
        assert (both["entry_at"] == both["entry_at_run"]).all()
        assert (both["exit_at"] == both["exit_at_run"]).all()
        assert fold["test_trades"] == len(mine)
    assert len(folds) == 2
    assert trades["entry_at"].is_monotonic_increasing
    assert not trades["event_id"].duplicated().any()
    assert purge == "hold" or purged_somewhere == 0


def test_a_trade_still_open_when_the_test_begins_is_purged(store: Store) -> None:
    """Seventy sessions from May reach beyond the sixth of August, from February they do not."""
    counts = {}
    for purge in ("hold", "none"):
        found = sweep(
            Gap(drop=-1), store,
            {"exits.hold": "69,70", "exits.target": None, "exits.stop": None},
            walk=f"train=6m,test=3m,purge={purge}", min_trades=0, accounts=0, record=False,
        )  # fmt: skip
        assert found.walk_forward is not None
        fold = found.walk_forward.folds.iloc[0]
        counts[purge] = int(fold["train_trades"]), int(fold["purged"])
    assert counts == {"hold": (6, 6), "none": (12, 0)}


def test_an_embargo_moves_the_start_of_the_test(store: Store) -> None:
    plain = walked(store, "train=4m,test=3m").walk_forward
    moved = walked(store, "train=4m,test=3m,embargo=40d").walk_forward
    assert plain is not None
    assert moved is not None
    gap = moved.folds["test_from"] - moved.folds["train_to"]
    assert (gap == pd.Timedelta(days=40)).all()
    assert (moved.folds["test_to"][:1] == plain.folds["test_to"][:1]).all()
    for _, trade in moved.trades.iterrows():
        fold = moved.folds.set_index("fold").loc[trade["fold"]]
        assert trade["entry_at"] >= midnight(fold["test_from"])


def test_lengths_follow_the_calendar() -> None:
    day = np.datetime64("2019-01-31")
    assert Length.parse("train", "1m").after(day) == np.datetime64("2019-02-28")
    assert Length.parse("train", "1y").after(np.datetime64("2020-02-29")) == np.datetime64(
        "2021-02-28"
    )
    assert Length.parse("train", "14m").after(day) == np.datetime64("2020-03-31")
    assert Length.parse("test", "10d").after(day) == np.datetime64("2019-02-10")


def test_windows_are_read_from_one_line() -> None:
    windows = Windows.parse("train=3y, test=1y ,purge=hold,embargo=5d")
    assert windows == Windows(Length(months=36), Length(months=12), True, Length(days=5))
    assert Windows.parse("train=90d,test=1m,purge=none").purge is False


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("train=3y", "needs test"),
        ("test=1y", "needs train"),
        ("train=3y,test=1y,purge=all", "hold or none"),
        ("train=3,test=1y", "such as 3y"),
        ("train=3y,tst=1y", "did you mean 'test'"),
        ("train=3y,test", "train=3y,test=1y"),
        ("train=3y,train=2y,test=1y", "twice"),
        ("train=0d,test=1y", "must not be empty"),
    ],
)
def test_windows_that_cannot_be_are_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Windows.parse(text)


def test_events_that_end_before_the_first_test_are_an_error_with_the_dates(store: Store) -> None:
    with pytest.raises(UsageError, match=r"2019-02-06 to 2019-11-0\d.*2022-02-06"):
        walked(store, "train=3y,test=1y")
    with pytest.raises(UsageError, match="the embargo is as long as the test"):
        walked(store, "train=1m,test=1m,embargo=60d")


def test_nothing_to_choose_from_is_said(tmp_path: Path) -> None:
    with TinyStore(tmp_path) as tiny:
        daily_market(tiny, symbols=1)
        with pytest.raises(UsageError, match="no combination has a trade"):
            sweep(Gap(), tiny.store, {"drop": "0.4,0.5"}, walk="train=1m,test=1m", record=False)


def test_a_fold_without_a_trade_to_learn_from_chooses_nothing(tmp_path: Path) -> None:
    with TinyStore(tmp_path) as tiny:
        daily_market(tiny, symbols=2)
        found = sweep(
            Gap(drop=-1), tiny.store, {"exits.hold": "0,1"}, walk="train=2m,test=2m",
            min_trades=0, record=False, accounts=0,
        )  # fmt: skip
        assert found.walk_forward is not None
        folds = found.walk_forward.folds
        assert (folds["combination"] == -1).any()
        idle = folds[folds["combination"] == -1]
        assert (idle["test_trades"] == 0).all()
        assert "Walk-forward" in found.sentences[-1]
