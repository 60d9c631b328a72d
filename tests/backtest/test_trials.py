"""How often somebody looked: what counts as a trial, and what a run says of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backtest import Result, run
from backtest.evidence.overfitting import describe
from backtest.runs import load_result
from backtest.sweeps import sweep
from backtest.trials import NOTHING, Tried, judge, tried_before
from tests.backtest.sweeps.markets import Gap, daily_market
from tests.tiny_store import TinyStore

GRID = {"drop": "-1,0,0.03", "exits.stop": "none,0.02"}


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        daily_market(store)
        yield store


def settings_tried(result: Result) -> int:
    assert result.luck is not None
    return result.luck.trials


def test_each_new_setting_is_a_trial_and_the_same_one_again_is_none(tiny: TinyStore) -> None:
    tried = [
        settings_tried(run(Gap(), tiny.store, params={"drop": drop}, seed=seed))
        for drop, seed in ((-1.0, 0), (0.0, 0), (0.0, 0), (-1.0, 0), (0.0, 1), (0.01, 0))
    ]
    # Another seed is another try: the luckiest draw of slots can be picked too.
    assert tried == [1, 2, 2, 2, 3, 4]
    assert tiny.store.count_trials("gap") == 6


def test_a_sweep_counts_with_all_its_combinations_but_once(tiny: TinyStore) -> None:
    for _ in range(2):
        found = sweep(Gap(), tiny.store, GRID, accounts=0)
        assert found.record["earlier_trials"] == 0
    assert settings_tried(run(Gap(), tiny.store)) == len(found) + 1
    again = sweep(Gap(), tiny.store, {"drop": "-0.5,0.2"}, accounts=0, min_trades=1)
    assert again.record["earlier_trials"] == len(found) + 1
    assert again.deflation is not None
    assert again.deflation.trials == len(found) + 1 + 2


def test_a_setting_that_runs_and_sweeps_share_is_one(tiny: TinyStore) -> None:
    inside = {"drop": 0.0, "exits.stop": 0.02}
    run(Gap(), tiny.store, params=inside)
    found = sweep(Gap(), tiny.store, GRID, accounts=0)
    assert (len(found), found.record["earlier_trials"]) == (6, 0)
    assert settings_tried(run(Gap(), tiny.store, params=inside)) == 6
    assert settings_tried(run(Gap(), tiny.store, params={"drop": 0.0})) == 7
    wider = sweep(Gap(), tiny.store, {"drop": "0,0.03,0.1", "exits.stop": "0.02"}, accounts=0)
    # Of the first sweep the two at drop 0 and 0.03 with a stop of 2 % come again.
    assert wider.record["earlier_trials"] == 4 + 1


def test_other_hypotheses_and_unrecorded_runs_count_for_nothing(tiny: TinyStore) -> None:
    run("gap_reversal", tiny.store)
    run(Gap(), tiny.store, params={"drop": 0.02}, record=False)
    assert settings_tried(run(Gap(), tiny.store)) == 1


def test_correlated_combinations_count_as_fewer_independent_ones(tiny: TinyStore) -> None:
    found = sweep(Gap(), tiny.store, GRID, accounts=0)
    months = found.monthly.to_numpy()
    correlation = np.corrcoef(months[:, months.std(axis=0) > 0].T)
    mean = correlation[np.triu_indices(len(correlation), 1)].mean()
    expected = mean + (1 - mean) * len(found)
    assert found.record["independent_trials"] == pytest.approx(expected)
    record = run(Gap(), tiny.store, record=False).record
    assert tried_before(tiny.store, record).independent == pytest.approx(expected)


def test_a_run_says_what_is_left_of_its_sharpe_ratio(tiny: TinyStore) -> None:
    alone = run(Gap(), tiny.store, record=False)
    equity = np.concatenate([[100_000.0], alone.equity["equity"].to_numpy()])
    expected = describe(equity[1:] / equity[:-1] - 1, trials=1, periods_a_year=252)
    assert alone.luck == expected
    assert any("The only setting of gap tried in this store" in s for s in alone.sentences)
    wide = replace(alone, luck=judge(alone, Tried(9_999, 400.0)))
    assert wide.luck is not None
    assert wide.luck.trials == 10_000
    assert wide.luck.independent_trials == 401
    assert wide.luck.deflated < wide.luck.probabilistic
    assert any("One of 10,000 settings of gap tried in this store" in s for s in wide.sentences)


def test_the_sentence_on_trials_reads_back_with_the_run(tiny: TinyStore) -> None:
    for drop in (-1.0, 0.0, 0.6):
        found = run(Gap(), tiny.store, params={"drop": drop} if drop <= 0.5 else {"drop": 0.5})
        assert load_result(tiny.store, found.record["id"]).sentences == found.sentences


def test_without_a_trade_nothing_is_said_of_luck(tiny: TinyStore) -> None:
    found = run(Gap(), tiny.store, params={"drop": 0.5})
    assert found.trades.empty
    assert not any("tried in this store" in sentence for sentence in found.sentences)
    assert Tried(0, 0.0) == NOTHING


def test_of_few_trades_it_is_said_that_they_are_few(tiny: TinyStore) -> None:
    one = run(Gap(), tiny.store, symbols=["S0"], params={"drop": -1.0})
    assert 0 < len(one.trades) < 10
    told = [s for s in one.sentences if "too few to say how much of it is luck" in s]
    assert len(told) == 1
    assert not any("tried in this store" in sentence for sentence in one.sentences)
