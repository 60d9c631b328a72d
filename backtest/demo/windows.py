"""Bars around each release: which slots print, at what prices and in what size."""

from __future__ import annotations

import numpy as np

from backtest.demo.bars import SimulatedBars, bridge_extremes, printed
from backtest.demo.grid import Grid
from backtest.demo.mid import Rows, SharedPaths, mid_paths, shared_paths
from backtest.demo.releases import generator
from backtest.demo.skeleton import NIGHT, POST, PRE, REGULAR, Skeleton, sides
from backtest.paths import BoolArray, FloatArray, IntArray

_BLOCK = 64
"""Releases drawn at once: small enough for the cache, and each block has its own stream."""

_TRADES_A_MINUTE = 6.0
"""Of a stock with four million shares a day, in regular hours."""
_QUIET = {PRE: 0.04, POST: 0.06}
"""Trades a minute in extended hours without news."""
_MORNING_AFTER = 0.25
"""The same in the morning after an evening release."""
_AT_RELEASE = 5.0
"""The same at a release, halving with the event's half-life."""
_AUCTION_VOLUME = 0.08
"""Of a day's usual volume; most of the rest spreads over the regular session."""
_RELEASE_VOLUME = 0.06
"""Of a day's usual volume, after a release and before its phase ends."""
_LOT = 150.0
"""Mean shares of a trade in extended hours without news."""
_VOLUME_NOISE = 0.6


def window_bars(sk: Skeleton) -> SimulatedBars:
    """All bars of the market's interval: reference session to ``sessions_after`` the reaction."""
    grid = Grid(sk.market.interval)
    shared = shared_paths(sk, grid, generator(sk.market.seed, 4))
    blocks = range(0, len(sk.releases), _BLOCK)
    return SimulatedBars.join(
        [
            _block_bars(sk, grid, shared, block_rows(sk, lo), generator(sk.market.seed, 5, number))
            for number, lo in enumerate(blocks)
        ]
    )


def block_rows(sk: Skeleton, lo: int) -> Rows:
    """The sessions of the block that starts with release ``lo``."""
    releases = np.arange(lo, min(lo + _BLOCK, len(sk.releases)))
    width = 2 + sk.market.sessions_after
    reference = sk.releases.reference[releases]
    first = np.arange(len(releases)) * width
    return Rows(
        releases=releases,
        release_row=first + sk.releases.premarket[releases],
        reaction_row=first + 1,
        instrument=np.repeat(sk.releases.instrument[releases], width),
        session=(reference[:, None] + np.arange(width)).ravel(),
    )


def _block_bars(
    sk: Skeleton, grid: Grid, shared: SharedPaths, rows: Rows, rng: np.random.Generator
) -> SimulatedBars:
    end, variance = mid_paths(sk, grid, shared, rows, rng)
    start = np.empty_like(end)
    start[:, 0] = sk.traded[rows.instrument, rows.session, NIGHT]
    start[:, 1:] = end[:, :-1]
    releases = sk.releases
    slot = releases.minute[rows.releases] // grid.step
    slot += np.where(releases.premarket[rows.releases], 0, grid.auction)
    # The price jumps at the instant of the release: its bar opens after the jump.
    start[rows.release_row, slot] += np.log1p(releases.jump[rows.releases])
    some, single = _which_print(sk, grid, rows, rng)
    cells = np.flatnonzero(some.ravel())
    row, column = np.divmod(cells, grid.width)
    last = end.ravel()[cells]
    # A lone print shows the price at its slot's end and nothing of what lay between.
    alone = single.ravel()[cells]
    first = np.where(alone, last, start.ravel()[cells])
    top, bottom = bridge_extremes(first, last, np.where(alone, 0.0, variance.ravel()[cells]), rng)
    return _print(sk, grid, rows, (row, column), (first, top, bottom, last), rng)


def _which_print(
    sk: Skeleton, grid: Grid, rows: Rows, rng: np.random.Generator
) -> tuple[BoolArray, BoolArray]:
    """R x K: slots with a bar, and those whose bar is a single trade (Poisson counts).

    Nothing here depends on the price, so that "there was a trade" says nothing about it.
    """
    rate = np.empty((len(rows.session), grid.width))
    busy = _TRADES_A_MINUTE * np.sqrt(sk.shares_a_day / 4e6)
    rate[:, grid.part(REGULAR)] = busy[rows.instrument][:, None]
    for part, quiet in _QUIET.items():
        rate[:, grid.part(part)] = quiet
    rate[rows.reaction_row, grid.part(PRE)] = _MORNING_AFTER
    releases = sk.releases
    for premarket, part in ((False, POST), (True, PRE)):
        mine = releases.premarket[rows.releases] == premarket
        crowd = grid.decay(part, releases.minute[rows.releases[mine]], sk.market.event_half_life)
        rate[rows.release_row[mine], grid.part(part)] += _AT_RELEASE * crowd
    rate *= grid.step
    none = np.exp(-rate)
    draw = rng.random(rate.shape)
    some = draw >= none
    single = some & (draw < none * (1 + rate))
    closing = grid.closing_slots(sk.half_days[rows.session])
    beyond = np.arange(grid.width)[None, :] > closing[:, None]
    beyond[:, grid.auction :] = False
    some &= ~beyond
    every = np.arange(len(closing))
    # Auctions open and close every session; the closing one's print stands at the close.
    for forced in (np.full_like(closing, grid.open), closing):
        some[every, forced] = True
        single[every, forced] = False
    some[:, grid.auction] = True
    single[:, grid.auction] = True
    return some, single


def _print(
    sk: Skeleton,
    grid: Grid,
    rows: Rows,
    cells: tuple[IntArray, IntArray],
    logs: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    rng: np.random.Generator,
) -> SimulatedBars:
    """Bars of the given cells (row, column), sorted by row and column."""
    row, column = cells
    stock, session = rows.instrument[row], rows.session[row]
    opening = column == grid.open
    closing = column == grid.closing_slots(sk.half_days[rows.session])[row]
    first, last = sides(len(row), rng), sides(len(row), rng)
    # Daily bars show the same first and last trades as these.
    first[opening] = sk.daily_sides[0][stock[opening], session[opening]]
    last[closing] = sk.daily_sides[1][stock[closing], session[closing]]
    in_hours = (column >= grid.open) & (column < grid.auction)
    market = sk.market
    spread = np.where(in_hours, 1.0, market.extended_spread_factor) * market.half_spread
    prints = printed(market, logs, (first, last), spread)
    lone = np.flatnonzero(logs[0] == logs[3])
    for values in (prints.high, prints.low, prints.close):
        values[lone] = prints.open[lone]
    auction = np.flatnonzero(column == grid.auction)
    official = prints.close[auction - 1]
    for values in (prints.open, prints.high, prints.low, prints.close):
        values[auction] = official
    return SimulatedBars(
        instrument=stock,
        start=grid.starts(sk.cal, sk.sessions[rows.session])[row, column],
        open=prints.open,
        high=prints.high,
        low=prints.low,
        close=prints.close,
        volume=_volumes(sk, grid, rows, row, column, rng),
        session=session,
        phase=grid.phases[column],
    )


def _volumes(
    sk: Skeleton, grid: Grid, rows: Rows, row: IntArray, column: IntArray, rng: np.random.Generator
) -> FloatArray:
    """Shares of each bar: whole, at least one, and unrelated to the price's path."""
    expected = np.empty((len(rows.session), grid.width))
    usual = sk.usual_volume[rows.instrument, rows.session]
    half = sk.half_days[rows.session]
    body = (1 - _AUCTION_VOLUME) * usual
    expected[:, grid.part(REGULAR)] = body[:, None] * grid.weights(REGULAR, half)
    expected[:, grid.part(PRE)] = _LOT
    expected[:, grid.part(POST)] = _LOT
    for premarket, part in ((False, POST), (True, PRE)):
        mine = sk.releases.premarket[rows.releases] == premarket
        at = rows.release_row[mine]
        minute = sk.releases.minute[rows.releases[mine]]
        crowd = grid.decay(part, minute, sk.market.event_half_life)
        crowd /= crowd.sum(axis=1, keepdims=True)
        expected[at, grid.part(part)] += _RELEASE_VOLUME * usual[at][:, None] * crowd
    expected[:, grid.auction] = _AUCTION_VOLUME * usual
    noise = np.exp(_VOLUME_NOISE * rng.standard_normal(len(row)) - _VOLUME_NOISE**2 / 2)
    return np.maximum(np.rint(expected[row, column] * noise), 1.0)
