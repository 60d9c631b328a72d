"""The truth about reversals is what the dial says, and without them there is no edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from backtest.demo.releases import Kind, mean_drop
from backtest.demo.simulated import MarketArrays, SimulatedMarket, Simulation, simulated
from backtest.demo.skeleton import POST, PRE, REGULAR, Skeleton, draw_skeleton
from db.calendar import Phase
from db.intervals import Interval

FloatArray = npt.NDArray[np.float64]

# One large market with everything in it; prices unrounded, so that prints are mid-prices.
LARGE = SimulatedMarket(
    seed=11, n_symbols=400, n_quarters=8, interval=Interval.D1, tick=0, half_spread=0
)


def clustered_error(values: FloatArray, groups: npt.NDArray[np.int64]) -> float:
    """Standard error of the mean when values of one group move together."""
    _, group = np.unique(groups, return_inverse=True)
    sums = np.bincount(group, weights=values - values.mean())
    return float(np.sqrt((sums**2).sum()) / len(values))


def moves(sk: Skeleton, since: int, until: int, *, of: npt.NDArray[np.bool_]) -> FloatArray:
    """Simple returns of the mid-price from a part of the reference day to one of the reaction."""
    releases = sk.releases
    stock = releases.instrument[of]
    before = sk.ends[stock, releases.reference[of], since]
    return np.expm1(sk.ends[stock, releases.reaction[of], until] - before)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_the_share_of_reversals_is_the_dial(share: float) -> None:
    releases = draw_skeleton(replace(LARGE, reversal_share=share)).releases
    drops = ~releases.premarket & (releases.kind != Kind.FLAT)
    n = int(drops.sum())
    assert n > 800
    reverses = (releases.kind[drops] == Kind.REVERSES).mean()
    error = np.sqrt(share * (1 - share) / n)
    assert reverses == pytest.approx(share, abs=4 * error)
    assert not (releases.kind[releases.premarket] == Kind.REVERSES).any()


def test_drops_come_as_often_and_as_large_as_asked_for() -> None:
    releases = draw_skeleton(LARGE).releases
    drops = releases.kind != Kind.FLAT
    error = np.sqrt(LARGE.drop_rate * (1 - LARGE.drop_rate) / len(drops))
    assert drops.mean() == pytest.approx(LARGE.drop_rate, abs=4 * error)
    size = -releases.jump[drops]
    assert size.min() >= LARGE.drop_floor
    assert size.max() <= LARGE.drop_cap
    assert size.mean() == pytest.approx(mean_drop(LARGE), abs=4 * size.std() / np.sqrt(len(size)))
    assert releases.jump[~drops].min() > -LARGE.drop_floor


def test_releases_neither_raise_nor_lower_prices_on_average() -> None:
    jump = np.concatenate(
        [draw_skeleton(replace(LARGE, seed=seed)).releases.jump for seed in range(20)]
    )
    assert jump.mean() == pytest.approx(0, abs=4 * jump.std() / np.sqrt(len(jump)))
    assert jump.std() / np.sqrt(len(jump)) < 0.0005


def test_a_reversal_reaches_its_intended_close_on_average() -> None:
    sk = draw_skeleton(replace(LARGE, reversal_share=0.5))
    releases = sk.releases
    turned = releases.kind == Kind.REVERSES
    surprise = moves(sk, REGULAR, REGULAR, of=turned) - releases.intended[turned]
    error = clustered_error(surprise, releases.reaction[turned])
    assert error < 0.006
    assert surprise.mean() == pytest.approx(0, abs=4 * error)
    assert releases.intended[turned].mean() == pytest.approx(LARGE.reversal_gain, abs=0.005)


@pytest.mark.parametrize("since", [POST, REGULAR])
def test_without_reversals_a_drop_is_followed_by_nothing(since: int) -> None:
    """From the evening's end (drops) and from the reference close (all): no mean move."""
    values, groups = [], []
    for seed in range(12):
        sk = draw_skeleton(replace(LARGE, seed=seed, reversal_share=0))
        releases = sk.releases
        of = ~releases.premarket
        if since == POST:
            of &= releases.kind != Kind.FLAT
        values.append(moves(sk, since, REGULAR, of=of))
        groups.append(releases.reaction[of] + 10_000 * seed)
    move, group = np.concatenate(values), np.concatenate(groups)
    error = clustered_error(move, group)
    assert error < 0.002, "the test must be able to see an edge"
    assert move.mean() == pytest.approx(0, abs=4 * error)


@pytest.mark.parametrize(
    "name", ["market_vol", "daily_vol", "event_vol", "evening_shock", "reaction_shock"]
)
def test_no_kind_of_noise_moves_the_mean(name: str) -> None:
    """Each is made so strong that leaving out half its variance would show."""
    values, groups = [], []
    for seed in range(40):
        settings = replace(LARGE, seed=seed, n_symbols=60, reversal_share=0, vol_of_vol=0)
        sk = draw_skeleton(replace(settings, **{name: 0.3 if "vol" not in name else 0.2}))
        evening = ~sk.releases.premarket
        values.append(moves(sk, REGULAR, REGULAR, of=evening))
        groups.append(sk.releases.reaction[evening] + 10_000 * seed)
    move, group = np.concatenate(values), np.concatenate(groups)
    error = clustered_error(move, group)
    assert error < 0.005
    assert move.mean() == pytest.approx(0, abs=3 * error)


def test_with_reversals_a_drop_is_followed_by_the_dial_times_the_recovery() -> None:
    sk = draw_skeleton(replace(LARGE, reversal_share=0.25))
    releases = sk.releases
    of = ~releases.premarket & (releases.kind != Kind.FLAT)
    move = moves(sk, POST, REGULAR, of=of)
    error = clustered_error(move, releases.reaction[of])
    expected = np.expm1(releases.recovery[of] * (1 - LARGE.recovery_evening)).mean()
    assert expected > 6 * error
    assert move.mean() == pytest.approx(expected, abs=4 * error)


def test_dividends_leave_the_holder_as_rich_as_before() -> None:
    """The price falls on the ex-date by what is paid: price and cash have no mean move."""
    settings = replace(LARGE, dividend_share=1, dividend_yield=0.05, reversal_share=0, splits=0)
    market = simulated(settings)
    close = market.daily.close.reshape(settings.n_symbols, -1)
    total, days = [], []
    for action in market.skeleton.actions:
        before, after = close[action.instrument, action.session - 1 : action.session + 1]
        total.append((after + action.value) / before - 1)
        days.append(action.session)
    change = np.array(total)
    error = clustered_error(change, np.array(days))
    assert error < 0.002
    assert change.mean() == pytest.approx(0, abs=4 * error)


def bought_on_the_rebound(arrays: MarketArrays) -> tuple[FloatArray, FloatArray]:
    """A plain after-hours rule: the return to the reaction close of each trade, and its date.

    Down 5 % on an evening bar's close, up 2 % from the lowest close since: buy the next bar's
    open.
    """
    bars, releases = arrays.bars, arrays.releases
    day = bars.instrument * len(arrays.sessions) + bars.session
    returns, dates = [], []
    for event in np.flatnonzero(~releases.premarket):
        first = releases.instrument[event] * len(arrays.sessions) + releases.reference[event]
        evening = np.arange(*np.searchsorted(day, [first, first + 1]))
        reference = bars.close[evening[bars.phase[evening] == Phase.REGULAR][-1]]
        evening = evening[bars.phase[evening] == Phase.POST]
        low = np.minimum.accumulate(bars.close[evening]) if len(evening) else np.empty(0)
        turned = (low <= 0.95 * reference) & (bars.close[evening] >= 1.02 * low)
        if not turned[:-1].any():
            continue
        fill = bars.open[evening[np.argmax(turned) + 1]]
        following = np.arange(*np.searchsorted(day, [first + 1, first + 2]))
        leave = bars.close[following[bars.phase[following] == Phase.REGULAR][-1]]
        returns.append(leave / fill - 1)
        dates.append(releases.reference[event])
    return np.array(returns), np.array(dates)


def rebound_trades(share: float, seeds: range) -> tuple[FloatArray, float]:
    """Trades of the rule above in several markets, and the clustered error of their mean."""
    values, groups = [], []
    for seed in seeds:
        settings = SimulatedMarket(
            seed=seed,
            n_symbols=100,
            reversal_share=share,
            sessions_after=0,
            premarket_share=0,
            dividend_share=0,
            splits=0,
        )
        returns, dates = bought_on_the_rebound(simulated(settings).arrays())
        values.append(returns)
        groups.append(dates + 10_000 * seed)
    move = np.concatenate(values)
    return move, clustered_error(move, np.concatenate(groups))


def test_buying_the_rebound_earns_nothing_without_reversals_and_something_with_them() -> None:
    """The rule the program is about, on printed minute bars with spread and ticks."""
    none, error = rebound_trades(0.0, range(4))
    assert len(none) > 400
    assert error < 0.003, "the test must be able to see an edge"
    assert none.mean() == pytest.approx(0, abs=4 * error)
    some, other_error = rebound_trades(0.25, range(2))
    assert some.mean() > 6 * other_error


@pytest.mark.long
def test_buying_the_rebound_earns_nothing_in_a_hundred_markets() -> None:
    none, error = rebound_trades(0.0, range(100, 200))
    assert error < 0.0006
    assert none.mean() == pytest.approx(0, abs=4 * error)


def test_the_truth_frame_tells_each_release(default_market: Simulation) -> None:
    truth = default_market.truth
    market = default_market.market
    assert len(truth) == market.n_symbols * market.n_quarters
    assert not truth.duplicated(["symbol", "fiscal_period"]).any()
    assert set(truth["kind"]) == {"flat", "continues", "reverses"}
    evening = truth["session"] == "post"
    assert truth.loc[evening, "evening_low"].notna().all()
    assert truth.loc[~evening, "evening_low"].isna().all()
    dropped = evening & (truth["kind"] != "flat")
    # The first print after a drop is already down, give or take a few minutes' noise.
    assert (truth.loc[dropped, "evening_low"] < -0.02).all()
    assert (truth["turn_at"].notna() == (truth["kind"] == "reverses")).all()
    reverses = truth[truth["kind"] == "reverses"]
    assert (reverses["turn_at"] > reverses["announced_at"]).all()
    assert (reverses["intended_reaction"] >= 0).all()
    assert (truth["reference_date"] < truth["reaction_date"]).all()


def test_the_truth_agrees_with_the_printed_bars(default_market: Simulation) -> None:
    truth, market = default_market.truth, default_market
    close = market.daily.close.reshape(market.market.n_symbols, -1)
    releases = market.skeleton.releases
    change = market.skeleton.log_scale[releases.instrument, releases.reaction]
    change -= market.skeleton.log_scale[releases.instrument, releases.reference]
    printed = (
        close[releases.instrument, releases.reaction]
        / close[releases.instrument, releases.reference]
        / np.exp(change)
        - 1
    )
    assert truth["reaction"].to_numpy() == pytest.approx(printed, abs=0.005)


def test_evening_releases_come_one_to_ten_minutes_after_the_close(
    default_market: Simulation,
) -> None:
    truth = default_market.truth
    local = truth["announced_at"].dt.tz_convert("America/New_York")
    minute = local.dt.hour * 60 + local.dt.minute
    evening = truth["session"] == "post"
    # Two of the demo's half days have releases, after 13:00.
    early = local.dt.strftime("%Y-%m-%d").isin(["2023-07-03", "2023-11-24"])
    assert (early & evening).any()
    close = np.where(early, 13 * 60, 16 * 60)
    assert (minute - close)[evening].between(1, 10).all()
    assert minute[~evening].between(6 * 60, 8 * 60 + 30).all()
    assert 0.05 < (~evening).mean() < 0.25
    assert (minute.groupby(evening).nunique() > 5).all()


def test_reports_crowd_into_the_same_evenings(default_market: Simulation) -> None:
    """Without shared evenings there would be no clusters for an interval to respect."""
    sizes = default_market.truth.groupby("reaction_date").size()
    assert sizes.max() >= 5
    assert (sizes >= 2).mean() > 0.4


def test_pre_market_parts_are_in_place() -> None:
    """A drop before the open is in the price by the open, and nothing follows it."""
    sk = draw_skeleton(replace(LARGE, premarket_share=1, reversal_share=0.5))
    drops = sk.releases.kind != Kind.FLAT
    assert (moves(sk, POST, PRE, of=drops) < 0).mean() > 0.95
    assert (sk.releases.kind != Kind.REVERSES).all()
