"""The coarse path of every stock: its log mid-price at each phase's end, drawn first of all.

Minute bars are drawn later as bridges between these points, so the same market has the same
closes whatever bars are made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtest.demo.market import QUARTER, SimulatedMarket
from backtest.demo.releases import Releases, draw_releases, generator
from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray
from db.calendar import Calendar, calendar
from db.errors import UsageError
from db.intervals import MINUTE

NIGHT, PRE, REGULAR, POST = range(4)
"""Parts of a session's time in their order: the night before it and its three phases."""

SHARES = np.array([0.13, 0.05, 0.78, 0.04])
"""Share of a day's variance in each part."""

_FULL_DAY = 390 * MINUTE
_REACTION_FADE = 0.4


@dataclass(frozen=True, eq=False)
class Shocks:
    """Log returns before their mean correction: stocks n, sessions T, parts 4."""

    market: FloatArray
    """T x 4, market factor."""
    market_variance: FloatArray
    """T x 4."""
    own: FloatArray
    """n x T x 4, beside the market."""
    own_variance: FloatArray
    """n x T x 4."""
    evening: FloatArray
    """T: shared by all that report in the session's evening."""
    reaction: FloatArray
    """T: shared by all whose reaction session it is."""
    after: FloatArray
    """N: each release's own, from it to the end of its phase."""


@dataclass(frozen=True, eq=False)
class Action:
    """A split or dividend of stock ``instrument`` that goes ex at a session's start."""

    instrument: int
    session: int
    kind: str
    value: float


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A market before its bars: T sessions of n stocks (log prices, mid, not rounded)."""

    market: SimulatedMarket
    cal: Calendar
    sessions: IntArray
    """T: indices into the calendar."""
    releases: Releases
    beta: FloatArray
    shocks: Shocks
    ends: FloatArray
    """n x T x 4: log price at each part's end, as if there were no splits and dividends."""
    log_scale: FloatArray
    """n x T: what splits and dividends so far add to the log of the price as traded."""
    actions: tuple[Action, ...]
    shares_a_day: FloatArray
    """n: usual daily volume before splits."""

    @cached_property
    def half_days(self) -> BoolArray:
        """T: sessions that close early."""
        hours = self.cal.closes[self.sessions] - self.cal.opens[self.sessions]
        return np.asarray(hours < _FULL_DAY)

    @cached_property
    def traded(self) -> FloatArray:
        """N x T x 4: log price at each part's end, as traded."""
        return self.ends + self.log_scale[:, :, None]

    @cached_property
    def daily_sides(self) -> tuple[ByteArray, ByteArray]:
        """N x T each: side of the day's first and last regular trade (-1 bid, 1 ask)."""
        rng = generator(self.market.seed, 6)
        shape = self.log_scale.shape
        first, last = sides(self.log_scale.size, rng), sides(self.log_scale.size, rng)
        return first.reshape(shape), last.reshape(shape)

    @cached_property
    def usual_volume(self) -> FloatArray:
        """N x T: mean shares of each session; moves with volatility, doubles with a split."""
        variance = self.shocks.own_variance[:, :, NIGHT]
        usual = np.broadcast_to(variance.mean(axis=1, keepdims=True), variance.shape)
        ones = np.ones_like(variance)
        restless = np.sqrt(np.divide(variance, usual, out=ones, where=usual > 0))
        shares = self.shares_a_day[:, None] * restless
        for action in self.actions:
            if action.kind == "split":
                shares[action.instrument, action.session :] *= action.value
        shares[:, self.half_days] *= 0.5
        return np.asarray(shares)


def sides(count: int, rng: np.random.Generator) -> ByteArray:
    """-1 or 1 for each trade: at the bid or the ask, by the toss of a coin."""
    return rng.integers(0, 2, count, dtype=np.int8) * np.int8(2) - np.int8(1)


def draw_skeleton(market: SimulatedMarket) -> Skeleton:
    """Draw the coarse path; raises UsageError where the calendar ends before the market."""
    cal = calendar("XNYS")
    first = int(cal.first_session_on_or_after(np.array([market.start], dtype="datetime64[D]"))[0])
    if first + market.n_sessions >= len(cal):
        raise UsageError(
            f"{market.n_sessions} sessions from {market.start} reach beyond the calendar, "
            f"which ends on {cal.dates[-1]}",
            where="SimulatedMarket.start",
            hint="start earlier, or ask for fewer quarters",
        )
    sessions = np.arange(first, first + market.n_sessions, dtype=np.int64)
    releases = draw_releases(market, cal, first, generator(market.seed, 1))
    rng = generator(market.seed, 2)
    n = market.n_symbols
    beta = rng.uniform(0.6, 1.5, n)
    shares_a_day = np.clip(4e6 * np.exp(0.8 * rng.standard_normal(n)), 4e5, 4e7)
    first_price = rng.uniform(np.log(20), np.log(150), n)
    shocks = _draw_shocks(market, cal, sessions, releases, rng)
    steps = _log_returns(market, beta, shocks, releases)
    path = np.cumsum(steps.reshape(n, -1), axis=1).reshape(steps.shape)
    ends = first_price[:, None, None] + path
    log_scale, actions = _draw_actions(market, ends, releases, generator(market.seed, 3))
    return Skeleton(
        market=market,
        cal=cal,
        sessions=sessions,
        releases=releases,
        beta=beta,
        shocks=shocks,
        ends=ends,
        log_scale=log_scale,
        actions=actions,
        shares_a_day=shares_a_day,
    )


def _draw_shocks(
    market: SimulatedMarket,
    cal: Calendar,
    sessions: IntArray,
    releases: Releases,
    rng: np.random.Generator,
) -> Shocks:
    n, t = market.n_symbols, len(sessions)
    volatility = _volatility_factors(market, n + 1, t, rng)
    shares = np.tile(SHARES, (t, 1))
    shares[:, REGULAR] *= (cal.closes[sessions] - cal.opens[sessions]) / _FULL_DAY
    market_variance = (market.market_vol * volatility[0])[:, None] ** 2 * shares
    level = market.daily_vol * np.exp(0.25 * rng.standard_normal(n))
    own_day = (level[:, None] * volatility[1:]) ** 2 * _reaction_factor(market, releases, n, t)
    own_variance = own_day[:, :, None] * shares
    return Shocks(
        market=rng.standard_normal((t, 4)) * np.sqrt(market_variance),
        market_variance=market_variance,
        own=rng.standard_normal((n, t, 4)) * np.sqrt(own_variance),
        own_variance=own_variance,
        evening=rng.standard_normal(t) * market.evening_shock,
        reaction=rng.standard_normal(t) * market.reaction_shock,
        after=rng.standard_normal(len(releases)) * market.event_vol,
    )


def _volatility_factors(
    market: SimulatedMarket, rows: int, t: int, rng: np.random.Generator
) -> FloatArray:
    """Rows x T: exp of a first-order autoregression, with a mean square of one."""
    noise = rng.standard_normal((t, rows))
    keep = market.vol_persistence
    fresh = np.sqrt(1 - keep**2)
    for day in range(1, t):
        noise[day] = keep * noise[day - 1] + fresh * noise[day]
    spread = market.vol_of_vol
    return np.asarray(np.exp(spread * noise.T - spread**2))


def _reaction_factor(market: SimulatedMarket, releases: Releases, n: int, t: int) -> FloatArray:
    """N x T: variance of each session as a multiple of the usual; fades after a reaction."""
    factor = np.ones((n, t))
    for later in range(3):
        day = np.minimum(releases.reaction + later, t - 1)
        factor[releases.instrument, day] = 1 + (market.reaction_vol**2 - 1) * _REACTION_FADE**later
    return factor


def _log_returns(
    market: SimulatedMarket, beta: FloatArray, shocks: Shocks, releases: Releases
) -> FloatArray:
    """N x T x 4: log returns of the mid-price over each part.

    Each normal term loses half its variance, so that its exponential has mean one.
    """
    step = beta[:, None, None] * shocks.market
    step += shocks.own
    step -= 0.5 * (beta[:, None, None] ** 2 * shocks.market_variance + shocks.own_variance)
    step += market.annual_drift / 252 * SHARES
    stock, session = releases.instrument, releases.session
    part = np.where(releases.premarket, PRE, POST)
    step[stock, session, part] += np.log1p(releases.jump) + shocks.after - 0.5 * market.event_vol**2
    early = market.recovery_evening * releases.recovery
    step[stock, session, part] += early
    step[stock, releases.reaction, REGULAR] += releases.recovery - early
    tonight = ~releases.premarket
    step[stock[tonight], session[tonight], POST] += (
        shocks.evening[session[tonight]] - 0.5 * market.evening_shock**2
    )
    step[stock, releases.reaction, REGULAR] += (
        shocks.reaction[releases.reaction] - 0.5 * market.reaction_shock**2
    )
    return step


def _draw_actions(
    market: SimulatedMarket, ends: FloatArray, releases: Releases, rng: np.random.Generator
) -> tuple[FloatArray, tuple[Action, ...]]:
    """Splits and dividends, and what they do to the log of the price as traded.

    A dividend is a fraction of the close before its ex-date, in whole cents; the price falls by
    the same fraction of itself, so that price and cash together stay a martingale.
    """
    n, t = ends.shape[:2]
    change = np.zeros((n, t))
    actions: list[Action] = []
    split_at = set()
    for stock in np.sort(rng.choice(n, market.splits, replace=False)):
        mine = np.flatnonzero(releases.instrument == stock)
        session = int(releases.reaction[rng.choice(mine)]) + 2
        split_at.add((int(stock), session))
        change[stock, session] = -np.log(2)
        actions.append(Action(int(stock), session, "split", 2.0))
    payers = np.flatnonzero(rng.random(n) < market.dividend_share)
    days = rng.integers(1, QUARTER, (market.n_quarters, len(payers)))
    for quarter in range(market.n_quarters):
        for stock, day in zip(payers, days[quarter], strict=True):
            session = market.warmup_sessions + quarter * QUARTER + int(day)
            if (int(stock), session) in split_at:
                continue
            close = np.exp(ends[stock, session - 1, REGULAR] + change[stock, :session].sum())
            cash = round(float(close) * market.dividend_yield, 2)
            if cash <= 0:
                continue
            change[stock, session] = np.log1p(-cash / close)
            actions.append(Action(int(stock), session, "dividend", cash))
    return np.cumsum(change, axis=1), tuple(actions)
