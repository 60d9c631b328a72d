"""What a sweep says of its own width: every figure against the statistic it comes from."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtest.evidence.overfitting import (
    adjust,
    deflate,
    overfitting_probability,
    superior_settings,
)
from backtest.sweeps import Sweep, load_sweep, sweep
from backtest.sweeps.luck import Luck, search_luck
from db.errors import MissingExtraError
from db.store import Store
from tests.backtest.sweeps.markets import Gap, daily_market
from tests.tiny_store import TinyStore

GRID = {"drop": "-1,0,0.03", "exits.stop": "none,0.02", "exits.hold": "0,1,5"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with TinyStore(tmp_path_factory.mktemp("luck")) as tiny:
        daily_market(tiny)
        yield tiny.store


@pytest.fixture(scope="module")
def found(store: Store) -> Sweep:
    return sweep(Gap(), store, GRID, accounts=0, min_trades=5)


def made(months: np.ndarray, **record: Any) -> Sweep:
    """A sweep that found these sums by month (months x combinations)."""
    count = months.shape[1]
    frame = pd.DataFrame(
        {"drop": np.arange(count) / 100, "trades": 50, "sharpe": months.mean(0) / months.std(0)}
    )
    return Sweep(
        record={"rank": "sharpe", "min_trades": 20, "base": {"exits.hold": 5}, **record},
        axes=("drop",),
        frame=frame,
        monthly=pd.DataFrame(months),
        monthly_trades=pd.DataFrame(np.full(months.shape, 2)),
        accounts=pd.DataFrame(),
        evaluations=count,
    )


def luck_of(found: Sweep) -> Luck:
    luck = found.luck
    assert luck is not None
    return luck


def test_every_figure_is_its_statistic_of_the_months() -> None:
    rng = np.random.default_rng(3)
    months = rng.normal(0.004, 0.02, (48, 12)) + rng.normal(0, 0.02, (48, 1))
    luck = luck_of(made(months))
    assert luck.deflation == deflate(months, periods_a_year=12)
    cut = overfitting_probability(months, blocks=16)
    assert (luck.overfitting, luck.loss, luck.blocks) == (cut.probability, cut.loss, 16)
    tested = superior_settings(months, reps=999)
    assert luck.block_months == tested.block
    expected = (tested.reality_check, tested.spa, tested.max_t)
    assert (luck.reality_check, luck.spa, luck.max_t) == expected
    p = stats.ttest_1samp(months, 0, alternative="greater").pvalue
    assert luck.alone == (p <= 0.05).sum()
    assert luck.false_discovery == (adjust(p, "bh") <= 0.05).sum()
    assert luck.family_wise == (tested.adjusted <= 0.05).sum()


def test_the_blocks_are_as_long_as_the_longest_hold() -> None:
    months = np.random.default_rng(4).normal(0, 0.02, (60, 5))
    assert luck_of(made(months, base={"exits.hold": 84})).block_months == 4.0


def test_an_edge_stands_and_noise_does_not() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 0.02, (60, 300))
    lost = luck_of(made(noise))
    assert lost.max_t > 0.05
    assert lost.family_wise == 0
    assert "is not told from luck" in lost.sentence
    assert lost.alone > 0
    noise[:, 17] += 0.03
    won = luck_of(made(noise))
    assert won.max_t < 0.01
    assert won.family_wise == 1
    assert won.deflation.deflated > 0.9 > lost.deflation.deflated
    assert won.overfitting < lost.overfitting


def test_trials_before_this_sweep_make_it_a_wider_search() -> None:
    months = np.random.default_rng(6).normal(0.003, 0.02, (60, 40))
    alone = made(months).deflation
    after = made(months, earlier_trials=1_000, earlier_independent_trials=600.0).deflation
    assert alone is not None
    assert after is not None
    assert (alone.trials, after.trials) == (40, 1_040)
    assert after.independent_trials == pytest.approx(alone.independent_trials + 600)
    assert after.deflated < alone.deflated
    assert "the best of 1,040 settings" in after.sentence()


def test_combinations_with_few_trades_are_trials_but_not_the_best(found: Sweep) -> None:
    few = found.frame["trades"] < 5
    assert few.any()
    luck = luck_of(found)
    assert luck.deflation.trials == len(found)
    assert luck.judged == int((~few).sum())
    assert luck.deflation.sharpe == pytest.approx(found.frame.loc[~few, "sharpe"].max())


def test_a_stored_sweep_tells_the_same(found: Sweep, store: Store) -> None:
    stored = load_sweep(store, found.record["id"])
    assert stored.deflation == found.deflation
    assert stored.luck == found.luck
    assert stored.sentences == found.sentences


def test_without_anything_to_judge_nothing_is_said(store: Store) -> None:
    idle = sweep(Gap(), store, {"drop": "0.4,0.5"}, accounts=0, record=False)
    assert idle.deflation is None
    assert idle.luck is None
    short = made(np.random.default_rng(1).normal(size=(3, 4)))
    assert short.luck is None
    alone = luck_of(made(np.random.default_rng(1).normal(size=(40, 1))))
    assert alone.deflation.trials == 1
    assert alone.blocks == 0


def test_without_the_extra_the_rest_is_told_and_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(name: str, needed_for: str) -> Any:
        raise MissingExtraError(name.partition(".")[0], extra="evidence", needed_for=needed_for)

    found = made(np.random.default_rng(2).normal(0, 0.02, (40, 8)))
    for module in ("superior", "corrections"):
        place = f"backtest.evidence.overfitting.{module}.evidence_module"
        monkeypatch.setattr(place, absent)
    luck = search_luck(found)
    assert luck is not None
    assert "aftershock[evidence]" in luck.missing
    assert np.isnan(luck.max_t)
    assert luck.sentence == ""
    assert not np.isnan(luck.overfitting)
    told = set(luck.table["what"])
    assert "overfitting [%]" in told
    assert not told & {"none false at 5 %", "greatest t p", "reality check p"}


def test_the_table_has_no_empty_line_and_reads_in_order() -> None:
    luck = luck_of(made(np.random.default_rng(8).normal(0, 0.02, (40, 8))))
    assert luck.table["value"].notna().all()
    assert luck.table["what"].iloc[0] == "settings tried"
    assert len(luck.table) == 15
    assert dataclasses.asdict(luck)["deflation"]["trials"] == 8
