"""The releases of the simulated market: when they come, what the price does, and their kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from backtest.demo.market import EVENING_CLOCK, MAX_TURN, OFF_SEASON, QUARTER, SimulatedMarket
from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray
from db.calendar import Calendar
from db.intervals import MINUTE, Interval

_SURPRISE_FLOOR = 0.02
"""Releases without a drop move the price by more than minus this."""
_GAMMA_SHAPE = 1.5


class Kind(IntEnum):
    """What the generator meant a release to do (the truth that a study tries to find)."""

    FLAT = 0
    """No drop: the price jumps by more than minus two percent."""
    CONTINUES = 1
    """A drop after which the price is a martingale: nothing brings it back but chance."""
    REVERSES = 2
    """An evening drop that turns within two hours and recovers by the reaction close."""

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, eq=False)
class Releases:
    """One entry a release (N), sorted by symbol, then quarter.

    Sessions count from the market's first one; minutes from the start of the phase in which the
    release comes; moves are simple returns.
    """

    instrument: IntArray
    quarter: IntArray
    reference: IntArray
    reaction: IntArray
    premarket: BoolArray
    minute: IntArray
    at: IntArray
    """The instant of the release, us UTC."""
    jump: FloatArray
    """Move of the price at the release."""
    kind: ByteArray
    """`Kind`."""
    turn: FloatArray
    """Minute at which a reversal turns; NaN for the others."""
    recovery: FloatArray
    """Log drift of a reversal from its turn to the reaction close; 0 for the others."""
    intended: FloatArray
    """Intended reaction close against the reference close: what noise and shocks surround."""

    def __len__(self) -> int:
        return len(self.instrument)

    @property
    def session(self) -> IntArray:
        """Session in whose hours the release comes."""
        return np.where(self.premarket, self.reaction, self.reference)


def generator(seed: int, *stream: int) -> np.random.Generator:
    """The random stream of one part of the market; parts never share one."""
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *stream])))


def draw_releases(
    market: SimulatedMarket, cal: Calendar, first: int, rng: np.random.Generator
) -> Releases:
    """Draw all releases; ``first`` is the calendar's index of the market's first session."""
    shape = (market.n_symbols, market.n_quarters)
    base = market.warmup_sessions + np.arange(market.n_quarters) * QUARTER
    late = rng.random(market.n_symbols) < market.off_season_share
    crowd = _crowded_evenings(market.evenings)
    evening = rng.choice(market.evenings, size=shape, p=crowd)
    reference = (base[None, :] + evening + OFF_SEASON * late[:, None]).ravel()
    instrument = np.repeat(np.arange(market.n_symbols), market.n_quarters)
    premarket = rng.random(len(instrument)) < market.premarket_share
    minute = _release_minutes(market, premarket, rng)
    session = first + reference + premarket
    phase_start = np.where(premarket, cal.pre_start[session], cal.closes[session])
    jump, drops = _jumps(market, len(instrument), rng)
    may_reverse = drops & ~premarket
    reverses = (rng.random(len(instrument)) < market.reversal_share) & may_reverse
    gain = market.reversal_gain + market.reversal_gain_sd * rng.standard_normal(len(instrument))
    gain = np.maximum(gain, 0.0)
    delay = np.minimum(2 + rng.exponential(market.turn_minutes, len(instrument)), MAX_TURN)
    kind = np.where(reverses, Kind.REVERSES, np.where(drops, Kind.CONTINUES, Kind.FLAT))
    return Releases(
        instrument=instrument.astype(np.int64),
        quarter=np.tile(np.arange(market.n_quarters, dtype=np.int64), market.n_symbols),
        reference=reference.astype(np.int64),
        reaction=(reference + 1).astype(np.int64),
        premarket=premarket,
        minute=minute,
        at=phase_start + minute * MINUTE,
        jump=jump,
        kind=kind.astype(np.int8),
        turn=np.where(reverses, minute + delay, np.nan),
        recovery=np.where(reverses, np.log1p(gain) - np.log1p(jump), 0.0),
        intended=np.where(reverses, gain, jump),
    )


def _crowded_evenings(n: int) -> FloatArray:
    """Chance of each evening of a season: few reports at its ends, many in its middle."""
    place = (np.arange(n) + 0.5) / n
    weight = place * (1 - place)
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _release_minutes(
    market: SimulatedMarket, premarket: BoolArray, rng: np.random.Generator
) -> IntArray:
    """Minutes after the close (1 to 10), or after 04:00 (06:00 to 08:30 by quarter hours)."""
    after_close = rng.integers(1, EVENING_CLOCK + 1, len(premarket))
    before_open = 120 + 15 * rng.integers(0, 11, len(premarket))
    minute = np.where(premarket, before_open, after_close)
    step = market.interval.microseconds // MINUTE if market.interval is not Interval.D1 else 1
    # No bar may start before a release and already trade at the price after it.
    return (-(-minute // step) * step).astype(np.int64)


def mean_drop(market: SimulatedMarket) -> float:
    """Mean size of a drop, the cap included."""
    scale = market.drop_mean - market.drop_floor
    if scale <= 0:
        return market.drop_floor
    reach = (market.drop_cap - market.drop_floor) / scale
    return market.drop_floor + scale * -float(np.expm1(-reach))


def _jumps(
    market: SimulatedMarket, n: int, rng: np.random.Generator
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Moves at the release and which of them are drops; their mean is zero.

    A shifted gamma for the rest makes up for the drops exactly, so that holding through a
    release earns nothing either.
    """
    drops = rng.random(n) < market.drop_rate
    scale = market.drop_mean - market.drop_floor
    size = np.minimum(market.drop_floor + scale * rng.standard_exponential(n), market.drop_cap)
    shift = min(_SURPRISE_FLOOR, market.drop_floor * 2 / 3)
    rest = market.drop_rate * mean_drop(market) / (1 - market.drop_rate)
    up = rng.standard_gamma(_GAMMA_SHAPE, n) * (rest + shift) / _GAMMA_SHAPE - shift
    return np.where(drops, -size, up), drops
