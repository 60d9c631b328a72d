"""What the simulated market is made of: actions, volatility, shared evenings, settings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from backtest.demo.simulated import MarketArrays, SimulatedMarket, Simulation, simulated
from db.errors import UsageError
from db.intervals import Interval

PRICES = ("open", "high", "low", "close")


@pytest.fixture(scope="module", params=["1m", "5m"])
def market(request: pytest.FixtureRequest, small: SimulatedMarket) -> Simulation:
    return simulated(replace(small, interval=Interval.parse(request.param)))


@pytest.fixture(scope="module")
def arrays(market: Simulation) -> MarketArrays:
    return market.arrays()


def test_splits_and_dividends_show_in_raw_prices_and_as_actions(
    default_market: Simulation,
) -> None:
    market = default_market
    close = market.daily.close.reshape(market.market.n_symbols, -1)
    dates = market.skeleton.cal.dates[market.skeleton.sessions]
    splits = [action for action in market.actions.records if action.kind == "split"]
    assert len(splits) == market.market.splits
    for split in splits:
        stock = market.market.symbols.index(split.symbol)
        day = int(np.flatnonzero(dates == np.datetime64(split.ex_date))[0])
        assert close[stock, day] / close[stock, day - 1] == pytest.approx(0.5, abs=0.06)
    dividends = [action for action in market.actions.records if action.kind == "dividend"]
    assert dividends
    for dividend in dividends:
        stock = market.market.symbols.index(dividend.symbol)
        day = int(np.flatnonzero(dates == np.datetime64(dividend.ex_date))[0])
        share = dividend.value / close[stock, day - 1]
        cents = 0.006 / close[stock, day - 1]
        assert share == pytest.approx(market.market.dividend_yield, abs=cents)
        change = market.skeleton.log_scale[stock, day] - market.skeleton.log_scale[stock, day - 1]
        assert np.expm1(change) == pytest.approx(-share, rel=0.01)


def test_volatility_clusters() -> None:
    """The size of one day's return predicts the size of the next, unless that is turned off."""

    def memory(vol_of_vol: float) -> float:
        settings = SimulatedMarket(
            n_symbols=400,
            n_quarters=1,
            warmup_sessions=120,
            interval=Interval.D1,
            vol_of_vol=vol_of_vol,
        )
        # The sessions before the first season.
        close = simulated(settings).daily.close.reshape(400, -1)[:, :120]
        size = np.abs(np.diff(np.log(close), axis=1))
        size /= size.mean(axis=1, keepdims=True)
        return float(np.corrcoef(size[:, :-1].ravel(), size[:, 1:].ravel())[0, 1])

    assert memory(0.4) > 0.08
    assert abs(memory(0.0)) < 0.02


def test_companies_that_report_the_same_evening_move_together() -> None:
    settings = SimulatedMarket(
        n_symbols=300, n_quarters=4, interval=Interval.D1, market_vol=0, evening_shock=0.02
    )
    market = simulated(settings)
    releases, sk = market.skeleton.releases, market.skeleton
    after = sk.ends[releases.instrument, releases.reaction, 2] - np.where(
        releases.premarket,
        sk.ends[releases.instrument, releases.reaction, 1],
        sk.ends[releases.instrument, releases.reference, 3],
    )
    same_day = releases.reaction[:, None] == releases.reaction[None, :]
    np.fill_diagonal(same_day, False)
    product = np.outer(after - after.mean(), after - after.mean()) / after.var()
    assert product[same_day].mean() > 0.05
    assert abs(product[~same_day & ~np.eye(len(after), dtype=bool)].mean()) < 0.01


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("reversal_share", 1.5),
        ("reversal_share", -0.1),
        ("drop_rate", 1.0),
        ("tick", 0.03),
        ("interval", Interval.H1),
        ("n_symbols", 0),
        ("evenings", 60),
        ("drop_mean", 0.01),
    ],
)
def test_settings_out_of_bounds_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"SimulatedMarket.{name}"):
        replace(SimulatedMarket(), **{name: value})


def test_a_market_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(UsageError, match="beyond the calendar"):
        simulated(SimulatedMarket(start=date(2034, 1, 1)))


def test_bars_of_another_interval_are_refused_with_what_there_is(
    default_market: Simulation,
) -> None:
    with pytest.raises(UsageError, match="no 5m bars"):
        default_market.bars("5m")


def test_the_batches_stream_all_bars_with_their_symbols(market: Simulation) -> None:
    for interval in (market.market.interval, Interval.D1):
        batch = market.bars(interval)
        chunks = [chunk.bars for chunk in batch.chunks]
        read = market.as_read(interval)
        assert sum(chunk.num_rows for chunk in chunks) == batch.rows_expected == len(read)
        assert batch.adjusted == "none"
        symbols = np.concatenate([chunk.column("symbol").to_numpy() for chunk in chunks])
        expected = np.array(market.market.symbols, dtype=object)[read.instrument]
        assert (symbols == expected).all()
        starts = np.concatenate([chunk.column("start").to_numpy() for chunk in chunks])
        assert np.array_equal(starts.astype("datetime64[us]").astype(np.int64), read.start)


def test_arrays_hold_the_whole_market(market: Simulation, arrays: MarketArrays) -> None:
    assert len(arrays.daily) == market.market.n_symbols * len(arrays.sessions)
    assert len(arrays.releases) == market.market.n_symbols * market.market.n_quarters
    assert arrays.market_return.shape == arrays.sessions.shape
    close = arrays.daily.close.reshape(market.market.n_symbols, -1)
    moves = close[:, 1:60] / close[:, :59] - 1
    assert np.corrcoef(moves.mean(axis=0), arrays.market_return[1:60])[0, 1] > 0.8
