"""The simulated bars are what real ones would be: repeatable, valid, consistent, thin."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from backtest.demo.bars import SimulatedBars, bridge_extremes
from backtest.demo.grid import Grid
from backtest.demo.mid import mid_paths, shared_paths
from backtest.demo.simulated import SimulatedMarket, Simulation, simulated
from backtest.demo.skeleton import POST, PRE, REGULAR
from backtest.demo.windows import block_rows
from db.calendar import Phase, calendar
from db.intervals import MINUTE, Interval

PRICES = ("open", "high", "low", "close")


def same(one: SimulatedBars, other: SimulatedBars) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(value, getattr(other, name)) for name, value in vars(one).items()
    )


def by_day(market: Simulation, bars: SimulatedBars) -> np.ndarray:
    return bars.instrument * market.market.n_sessions + bars.session


@pytest.fixture(scope="module", params=["1m", "5m"])
def market(request: pytest.FixtureRequest, small: SimulatedMarket) -> Simulation:
    return simulated(replace(small, interval=Interval.parse(request.param)))


def test_the_same_seed_gives_the_same_market_to_the_last_bit(small: SimulatedMarket) -> None:
    one, other = simulated(small), simulated(small)
    other.daily  # noqa: B018 - asked for in another order on purpose
    assert same(one.windows, other.windows)
    assert same(one.daily, other.daily)
    assert one.events == other.events
    assert one.news == other.news
    assert one.truth.equals(other.truth)


def test_another_seed_gives_another_market(small: SimulatedMarket) -> None:
    one, other = simulated(small), simulated(replace(small, seed=4))
    assert not np.array_equal(one.daily.close, other.daily.close)
    assert not np.array_equal(one.skeleton.releases.at, other.skeleton.releases.at)
    assert one.events.provenance.content_hash != other.events.provenance.content_hash


def test_the_dial_changes_nothing_but_the_releases_that_reverse(small: SimulatedMarket) -> None:
    none, some = (simulated(replace(small, reversal_share=s)) for s in (0.0, 0.5))
    before, after = none.truth, some.truth
    turned = (after["kind"] == "reverses").to_numpy()
    assert 0 < turned.sum() < len(turned)
    assert (before.loc[turned, "kind"] == "continues").all()
    untouched = ["symbol", "announced_at", "session", "jump"]
    assert before[untouched].equals(after[untouched])
    assert after.loc[~turned, "reaction"].to_numpy() == pytest.approx(
        before.loc[~turned, "reaction"].to_numpy(), abs=1e-12
    )
    # The release's first print is the same too: a reversal turns later.
    assert (after.loc[turned, "turn_at"] > after.loc[turned, "announced_at"]).all()


def test_every_bar_is_in_order_whole_and_on_the_tick(market: Simulation) -> None:
    for bars in (market.windows, market.daily):
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low > 0).all()
        assert (bars.volume >= 1).all()
        assert (bars.volume == np.rint(bars.volume)).all()
        for name in PRICES:
            values = getattr(bars, name)
            assert np.array_equal(values, np.round(values, 2)), name


def test_bars_are_sorted_on_the_grid_and_inside_the_phases(market: Simulation) -> None:
    bars, interval = market.windows, market.market.interval
    cal = calendar("XNYS")
    order = np.lexsort((bars.start, bars.instrument))
    assert np.array_equal(order, np.arange(len(bars)))
    assert len(np.unique(np.stack([bars.instrument, bars.start]), axis=1).T) == len(bars)
    assert (bars.start % interval.microseconds == 0).all()
    assert np.array_equal(cal.phases(bars.start, interval), bars.phase)
    assert (bars.phase != Phase.CLOSED).all()
    assert np.array_equal(cal.session_of(bars.start), market.skeleton.sessions[bars.session])


def test_half_days_end_at_one_and_their_evening_at_five(default_market: Simulation) -> None:
    bars, sk = default_market.windows, default_market.skeleton
    half = np.flatnonzero(sk.half_days)
    seen = half[np.isin(half, bars.session)]
    assert len(seen), "the demo's market shows half days"
    for session in seen:
        mine = bars.take(bars.session == session)
        close = sk.cal.closes[sk.sessions[session]]
        local = (mine.start - sk.cal.local_midnights(sk.cal.dates[sk.sessions[[session]]])) / MINUTE
        regular = local[mine.phase == Phase.REGULAR]
        assert (regular.min(), regular.max()) == (9 * 60 + 30, 13 * 60 - 1)
        assert (mine.phase[mine.start == close] == Phase.AUCTION).all()
        assert local.max() < 17 * 60


def test_a_release_on_a_half_day_comes_after_its_early_close() -> None:
    # The only evening of the only season: Friday 2022-11-25, closed at 13:00.
    settings = SimulatedMarket(
        n_symbols=5,
        n_quarters=1,
        start=date(2022, 11, 22),
        warmup_sessions=2,
        evenings=1,
        off_season_share=0,
        premarket_share=0,
    )
    market = simulated(settings)
    truth = market.truth
    assert set(truth["reference_date"].dt.date) == {date(2022, 11, 25)}
    local = truth["announced_at"].dt.tz_convert("America/New_York")
    assert (local.dt.hour == 13).all()
    assert local.dt.minute.between(1, 10).all()
    bars = market.windows
    evening = bars.take((bars.session == 2) & (bars.phase == Phase.POST))
    assert evening.start.max() < market.skeleton.cal.post_end[market.skeleton.sessions[2]]
    assert np.isfinite(truth["evening_low"]).all()


def test_daily_bars_are_the_sum_of_the_minutes(market: Simulation) -> None:
    windows, daily = market.windows, market.daily
    checked = 0
    for day in np.unique(by_day(market, windows))[::7]:
        inside = windows.take(by_day(market, windows) == day)
        regular = inside.take(inside.phase == Phase.REGULAR)
        bar = daily.take(by_day(market, daily) == day)
        assert bar.open == regular.open[0]
        assert bar.close == regular.close[-1]
        assert bar.high == regular.high.max()
        assert bar.low == regular.low.min()
        assert bar.volume == inside.volume.sum()
        checked += 1
    assert checked > 30


def test_closes_do_not_depend_on_the_bars_made_of_the_market(small: SimulatedMarket) -> None:
    made = [simulated(replace(small, interval=Interval.parse(i))) for i in ("1m", "1d")]
    assert np.array_equal(made[0].daily.close, made[1].daily.close)
    assert np.array_equal(made[0].daily.open, made[1].daily.open)
    assert len(made[1].windows) == 0


def test_minute_paths_meet_the_coarse_path_at_the_end_of_every_phase(market: Simulation) -> None:
    """Else prices would leap overnight, and the evening's mean move would not be the right one."""
    sk = market.skeleton
    grid = Grid(market.market.interval)
    rows = block_rows(sk, 0)
    rng = np.random.default_rng(0)
    end, variance = mid_paths(sk, grid, shared_paths(sk, grid, rng), rows, rng)
    for part in (PRE, REGULAR, POST):
        there = sk.traded[rows.instrument, rows.session, part]
        assert end[:, grid.part(part).stop - 1] == pytest.approx(there, abs=1e-10)
    # Off the releases, a session's variance is the skeleton's, spread over its slots.
    quiet = np.setdiff1d(np.arange(len(end)), [*rows.release_row, *rows.reaction_row])
    stock, session = rows.instrument[quiet], rows.session[quiet]
    expected = sk.shocks.own_variance[stock, session, PRE:].sum(axis=1)
    expected += sk.beta[stock] ** 2 * sk.shocks.market_variance[session, PRE:].sum(axis=1)
    assert variance[quiet].sum(axis=1) == pytest.approx(expected, rel=1e-9)


def test_the_minute_at_the_close_holds_the_auction_alone(market: Simulation) -> None:
    bars, closes = market.windows, market.skeleton.cal.closes[market.skeleton.sessions]
    at_close = np.flatnonzero(bars.start == closes[bars.session])
    days = len(np.unique(by_day(market, bars)))
    assert len(at_close) == days
    for name in PRICES:
        assert np.array_equal(getattr(bars, name)[at_close], bars.close[at_close - 1]), name
    assert (bars.phase[at_close - 1] == Phase.REGULAR).all()
    assert np.median(bars.volume[at_close]) > 10 * np.median(bars.volume)


def test_extended_hours_are_thin_but_for_the_evening_of_a_release(
    default_market: Simulation,
) -> None:
    bars, releases = default_market.windows, default_market.skeleton.releases
    tonight = ~releases.premarket
    width = default_market.market.n_sessions
    release_days = releases.instrument[tonight] * width + releases.reference[tonight]
    post = bars.take(bars.phase == Phase.POST)
    busy = np.isin(by_day(default_market, post), release_days)
    days = len(np.unique(by_day(default_market, bars)))
    assert 5 < (~busy).sum() / (days - tonight.sum()) < 30
    assert 60 < busy.sum() / tonight.sum() < 200
    regular = (bars.phase == Phase.REGULAR).sum() / days
    assert 330 < regular < 390


def test_a_lone_print_has_one_price(market: Simulation) -> None:
    pre = market.windows.take(market.windows.phase == Phase.PRE)
    assert (pre.high == pre.low).mean() > 0.5


def test_no_bar_shows_the_reaction_before_the_release() -> None:
    """With nothing else moving, every print before it is the old price, every later one new."""
    still = SimulatedMarket(
        n_symbols=20,
        n_quarters=2,
        drop_rate=0.9,
        reversal_share=0,
        market_vol=0,
        daily_vol=0,
        event_vol=0,
        evening_shock=0,
        reaction_shock=0,
        half_spread=0,
        tick=0,
        dividend_share=0,
        splits=0,
    )
    for interval in (Interval.M1, Interval.M5):
        market = simulated(replace(still, interval=interval))
        bars, releases = market.windows, market.skeleton.releases
        for event in range(len(releases)):
            stock, first = releases.instrument[event], releases.reference[event]
            mine = bars.take(
                (bars.instrument == stock) & (bars.session >= first) & (bars.session < first + 8)
            )
            late = mine.start >= releases.at[event]
            old = mine.open[0]
            assert mine.low[~late] == pytest.approx(old, rel=1e-12)
            assert mine.high[~late] == pytest.approx(old, rel=1e-12)
            assert mine.open[late] == pytest.approx(old * (1 + releases.jump[event]), rel=1e-12)
            assert mine.close[late] == pytest.approx(mine.open[late], rel=1e-12)


def test_bridge_extremes_follow_the_reflection_principle() -> None:
    """P(max >= m) = exp(-2 (m - a)(m - b) / v) for a bridge from a to b."""
    n, variance = 200_000, 0.04
    rng = np.random.default_rng(1)
    first, last = np.zeros(n), np.full(n, 0.1)
    top, bottom = bridge_extremes(first, last, np.full(n, variance), rng)
    for level in (0.15, 0.25, 0.4):
        expected = np.exp(-2 * level * (level - 0.1) / variance)
        error = np.sqrt(expected * (1 - expected) / n)
        assert (top >= level).mean() == pytest.approx(expected, abs=4 * error)
        assert (bottom <= 0.1 - level).mean() == pytest.approx(expected, abs=4 * error)
