"""Panels made without a store give the trades that a run over a store gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest import run
from backtest.execution import Exits
from calibration.markets import DESIGNS, FEW, design
from calibration.panels import FREE, release_frame
from calibration.sample import Sample
from db.errors import UsageError
from db.store import Store
from strategies.after_hours_reversal import AfterHoursReversal
from strategies.gap_reversal import GapReversal

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return Sample(replace(FEW.market(5, 0), n_symbols=20))


@pytest.fixture(scope="module")
def store(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store.open(tmp_path_factory.mktemp("market") / "store", create=True, now=lambda: NOW)
    simulation = sample.simulation
    for symbol in sample.market.symbols:
        made.add_instrument(symbol, name=f"SIMULATED {symbol}")
    for batch in (simulation.bars("1d"), simulation.bars("5m"), simulation.events):
        made.ingest(batch)
    return made


def test_trades_and_account_are_those_of_a_run(store: Store, sample: Sample) -> None:
    strategy = AfterHoursReversal(drop=0.03, rebound=0.01, exits=Exits(hold=5))
    done = run(strategy, store, interval="5m", costs=FREE, record=False, now=lambda: NOW)
    assert sample.evening_5.gross == pytest.approx(in_order(done.signals), abs=1e-12)
    equity = done.equity["equity"].to_numpy()
    earned = equity[1:] / equity[:-1] - 1
    mine = sample.account_returns
    assert np.prod(1 + mine) == pytest.approx(equity[-1] / 100_000)
    assert mine[mine != 0] == pytest.approx(earned[earned != 0], abs=1e-12)


def test_trades_on_daily_bars_are_those_of_a_run(store: Store, sample: Sample) -> None:
    strategy = GapReversal(exits=Exits(hold=5))
    done = run(strategy, store, interval="1d", costs=FREE, record=False, now=lambda: NOW)
    assert sample.gap_5.gross == pytest.approx(in_order(done.signals), abs=1e-12)


def in_order(signals: pd.DataFrame) -> np.ndarray:
    """Returns of the filled ones, by the time of the release."""
    filled = signals[signals["return_gross"].notna()]
    assert len(filled) > 2
    return filled["return_gross"].to_numpy()


def test_the_null_has_no_spread_no_tick_and_no_reversal() -> None:
    for one in DESIGNS:
        market = one.market(1, 0)
        assert (market.reversal_share, market.half_spread, market.tick) == (0, 0, 0)
        assert market.annual_drift == 0


def test_markets_have_seeds_of_their_own_but_for_the_dial() -> None:
    seeds = [one.market(seed, k).seed for one in DESIGNS for seed in (0, 1) for k in (0, 1999)]
    assert len(set(seeds)) == len(seeds)
    power = design("power")
    assert power.market(1, 7, 0.3).seed == power.market(1, 7).seed


def test_a_design_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no design 'ful'"):
        design("ful")


def test_releases_come_in_the_order_of_time(sample: Sample) -> None:
    frame = release_frame(sample.simulation.skeleton.releases, sample.market.symbols)
    assert frame["announced_from"].is_monotonic_increasing
    assert len(frame) == 40
