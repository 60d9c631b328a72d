"""Mid-prices around each release: bridges between the skeleton's points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.demo.grid import Grid
from backtest.demo.skeleton import POST, PRE, REGULAR, SHARES, Skeleton
from backtest.paths import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class SharedPaths:
    """Log paths that stocks share, from each part's start, without mean correction."""

    market: FloatArray
    """T x K."""
    evening: FloatArray
    """T x slots of the evening."""
    reaction: FloatArray
    """T x regular slots."""


@dataclass(frozen=True, eq=False)
class Rows:
    """The sessions of one block's windows: one row a release and session (R)."""

    releases: IntArray
    """B: the block's releases."""
    release_row: IntArray
    """B: row of the session in whose hours each release comes."""
    reaction_row: IntArray
    """B: row of each reaction session."""
    instrument: IntArray
    session: IntArray
    """Counted from the market's first session."""


def bridge(
    weights: FloatArray, variance: FloatArray, total: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Brownian paths (rows x slots) that end at ``total``.

    ``weights`` (rows x slots) is each slot's share of a row's ``variance`` and sums to 1.
    """
    path = rng.standard_normal(weights.shape)
    path *= np.sqrt(weights)
    path *= np.sqrt(variance)[:, None]
    np.cumsum(path, axis=1, out=path)
    path += np.cumsum(weights, axis=1) * (total - path[:, -1])[:, None]
    return path


def shared_paths(sk: Skeleton, grid: Grid, rng: np.random.Generator) -> SharedPaths:
    """Draw what all stocks share, in all sessions."""
    shocks, half = sk.shocks, sk.half_days
    market = np.empty((len(half), grid.width))
    for part in (PRE, REGULAR, POST):
        market[:, grid.part(part)] = bridge(
            grid.weights(part, half), shocks.market_variance[:, part], shocks.market[:, part], rng
        )
    every = np.ones(len(half))
    return SharedPaths(
        market=market,
        evening=bridge(
            grid.weights(POST, half), every * sk.market.evening_shock**2, shocks.evening, rng
        ),
        reaction=bridge(
            grid.weights(REGULAR, half), every * sk.market.reaction_shock**2, shocks.reaction, rng
        ),
    )


def mid_paths(
    sk: Skeleton, grid: Grid, shared: SharedPaths, rows: Rows, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """R x K: log mid-price as traded at each slot's end, and its diffusion's variance there."""
    shocks, stock, session = sk.shocks, rows.instrument, rows.session
    half = sk.half_days[session]
    end = np.empty((len(session), grid.width))
    variance = np.empty_like(end)
    for part in (PRE, REGULAR, POST):
        columns = grid.part(part)
        weights = grid.weights(part, half)
        own = shocks.own_variance[stock, session, part]
        total = own + sk.beta[stock] ** 2 * shocks.market_variance[session, part]
        path = bridge(weights, own, shocks.own[stock, session, part], rng)
        path += sk.beta[stock][:, None] * shared.market[session, columns]
        drift = sk.market.annual_drift / 252 * SHARES[part] - 0.5 * total
        path += drift[:, None] * np.cumsum(weights, axis=1)
        path += sk.traded[stock, session, part - 1][:, None]
        end[:, columns] = path
        variance[:, columns] = weights * total[:, None]
    _add_release(sk, grid, shared, rows, end, variance, rng)
    _add_reaction(sk, grid, shared, rows, end, variance)
    return end, variance


def _add_release(
    sk: Skeleton,
    grid: Grid,
    shared: SharedPaths,
    rows: Rows,
    end: FloatArray,
    variance: FloatArray,
    rng: np.random.Generator,
) -> None:
    """The jump, what follows it in its phase, and the evening's common shock."""
    market, releases = sk.market, sk.releases
    for premarket, part in ((False, POST), (True, PRE)):
        mine = releases.premarket[rows.releases] == premarket
        which, at = rows.releases[mine], rows.release_row[mine]
        if not len(which):
            continue
        columns = grid.part(part)
        minute = releases.minute[which]
        weights = grid.decay(part, minute, market.event_half_life)
        weights /= weights.sum(axis=1, keepdims=True)
        spread = np.full(len(which), market.event_vol**2)
        path = bridge(weights, spread, sk.shocks.after[which], rng)
        path -= 0.5 * market.event_vol**2 * np.cumsum(weights, axis=1)
        now = grid.minutes(part)[None, :]
        path += np.where(now > minute[:, None], np.log1p(releases.jump[which])[:, None], 0.0)
        turned = np.clip((now - releases.turn[which][:, None]) / market.recovery_minutes, 0, 1)
        early = market.recovery_evening * releases.recovery[which]
        path += np.where(np.isnan(turned), 0.0, turned) * early[:, None]
        added = market.event_vol**2 * weights
        if not premarket:
            session = rows.session[at]
            share = grid.weights(POST, sk.half_days[session])
            path += shared.evening[session]
            path -= 0.5 * market.evening_shock**2 * np.cumsum(share, axis=1)
            added = added + market.evening_shock**2 * share
        end[at, columns] += path
        variance[at, columns] += added


def _add_reaction(
    sk: Skeleton,
    grid: Grid,
    shared: SharedPaths,
    rows: Rows,
    end: FloatArray,
    variance: FloatArray,
) -> None:
    """The reaction session's common shock and the rest of a recovery."""
    market, at = sk.market, rows.reaction_row
    session = rows.session[at]
    columns = grid.part(REGULAR)
    share = grid.weights(REGULAR, sk.half_days[session])
    path = shared.reaction[session] - 0.5 * market.reaction_shock**2 * np.cumsum(share, axis=1)
    slots = grid.closing_slots(sk.half_days[session]) + 1 - grid.open
    done = np.minimum(np.arange(1, share.shape[1] + 1)[None, :] / slots[:, None], 1.0)
    rest = (1 - market.recovery_evening) * sk.releases.recovery[rows.releases]
    path += done * rest[:, None]
    end[at, columns] += path
    variance[at, columns] += market.reaction_shock**2 * share
