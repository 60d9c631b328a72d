"""The settings of the simulated market, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from db.errors import UsageError
from db.intervals import Interval

SOURCE = "simulated"
"""Source name of everything that comes from the simulated market."""

QUARTER = 63
"""Sessions between two reports of one company."""

OFF_SEASON = 25
"""Sessions by which the off-season companies report later."""

EVENING_CLOCK = 10
"""Evening releases come 1 to this many minutes after the close."""

MAX_TURN = 120
"""Minutes after its release by which every reversal has turned."""

_SHARES = (
    "drop_rate",
    "reversal_share",
    "premarket_share",
    "off_season_share",
    "recovery_evening",
    "dividend_share",
)
_SCALES = (
    "reversal_gain_sd",
    "market_vol",
    "daily_vol",
    "vol_of_vol",
    "event_vol",
    "evening_shock",
    "reaction_shock",
    "tick",
    "half_spread",
    "dividend_yield",
)


@dataclass(frozen=True)
class SimulatedMarket:
    """Parameters of one simulated market; the process is in ``docs/simulated-market.md``.

    Shares are fractions, volatilities are standard deviations of log returns.  The same settings
    give the same market to the last bit.  Markets that differ in ``reversal_share`` alone share
    all their randomness: the same evenings fall by the same amounts, and only those whose draw
    lies between the two shares change their fate.

    Raises UsageError for a setting out of its bounds.
    """

    seed: int = 7
    n_symbols: int = 40
    n_quarters: int = 8
    start: date = date(2022, 1, 3)
    warmup_sessions: int = 60
    """Sessions before the first season (an event study's estimation window needs more)."""
    tail_sessions: int = 30
    """Sessions after the last quarter."""
    evenings: int = 18
    """Sessions in which a quarter's reports crowd."""
    off_season_share: float = 0.15
    """Companies that report ``OFF_SEASON`` sessions after the others."""
    interval: Interval = Interval.M1
    """Bars around events: 1 or 5 minutes; 1d makes daily bars alone."""
    sessions_after: int = 6
    """Sessions after the reaction session that have bars of ``interval``."""

    drop_rate: float = 0.35
    """Share of releases on which the stock falls by ``drop_floor`` or more at once."""
    drop_floor: float = 0.03
    drop_mean: float = 0.07
    """Mean of the fall before ``drop_cap`` cuts it: floor plus an exponential."""
    drop_cap: float = 0.30
    reversal_share: float = 0.25
    """The dial: share of evening drops that turn and recover.  0 leaves no edge at all."""
    reversal_gain: float = 0.08
    """Mean intended reaction close of a reversal, against the reference close."""
    reversal_gain_sd: float = 0.03
    turn_minutes: float = 20.0
    """Mean minutes from the release to the turn."""
    recovery_minutes: int = 60
    """Length of the evening part of a recovery."""
    recovery_evening: float = 0.4
    """Share of a recovery that comes in the evening; the rest comes in the reaction session."""
    premarket_share: float = 0.15
    """Share of releases before the open; their drops never reverse."""

    market_vol: float = 0.009
    """Daily volatility of the market factor."""
    daily_vol: float = 0.014
    """Median daily volatility of a stock beside the market."""
    vol_persistence: float = 0.97
    vol_of_vol: float = 0.40
    """Standard deviation of the log of the volatility factors."""
    event_vol: float = 0.02
    """Extra volatility after a release until its evening or morning ends."""
    event_half_life: float = 20.0
    """Minutes in which that extra variance, and the crowd of prints, halve."""
    reaction_vol: float = 2.0
    """Volatility in the reaction session as a multiple of the usual; fades in three sessions."""
    evening_shock: float = 0.008
    """Shock shared by all that report the same evening, spread over that evening."""
    reaction_shock: float = 0.012
    """Shock shared by all that react in the same session, spread over its regular hours."""
    annual_drift: float = 0.0
    """Mean log return a year of every stock; 0 keeps every price a martingale."""

    tick: float = 0.01
    """Price step, one over a whole number; 0 leaves prices unrounded."""
    half_spread: float = 0.0005
    """Half of the bid-ask spread in regular hours, as a fraction of the price."""
    extended_spread_factor: float = 4.0
    dividend_share: float = 0.25
    """Companies that pay a dividend every quarter."""
    dividend_yield: float = 0.004
    """Cash paid a quarter, as a fraction of the close before the ex-date."""
    splits: int = 2
    """Two-for-one splits, each two sessions after some reaction session."""

    def __post_init__(self) -> None:
        for name in _SHARES:
            _bound(name, getattr(self, name), 0, 1)
        for name in _SCALES:
            _bound(name, getattr(self, name), 0, 1)
        _bound("seed", self.seed, 0, 2**63)
        _bound("n_symbols", self.n_symbols, 1, 5000)
        _bound("n_quarters", self.n_quarters, 1, 80)
        _bound("warmup_sessions", self.warmup_sessions, 2, 2520)
        _bound("tail_sessions", self.tail_sessions, 0, 2520)
        _bound("sessions_after", self.sessions_after, 0, 20)
        _bound("evenings", self.evenings, 1, self._room_for_evenings())
        _bound("drop_floor", self.drop_floor, 0.001, 0.5)
        _bound("drop_cap", self.drop_cap, self.drop_floor, 0.9)
        _bound("drop_mean", self.drop_mean, self.drop_floor, self.drop_cap)
        _bound("drop_rate", self.drop_rate, 0, 0.9)
        _bound("reversal_gain", self.reversal_gain, 0, 1)
        _bound("turn_minutes", self.turn_minutes, 1, MAX_TURN)
        _bound("recovery_minutes", self.recovery_minutes, 5, 240 - EVENING_CLOCK - MAX_TURN)
        _bound("vol_persistence", self.vol_persistence, 0, 0.9999)
        _bound("event_half_life", self.event_half_life, 1, 240)
        _bound("reaction_vol", self.reaction_vol, 1, 10)
        _bound("annual_drift", self.annual_drift, -1, 1)
        _bound("extended_spread_factor", self.extended_spread_factor, 0, 100)
        _bound("splits", self.splits, 0, self.n_symbols)
        if self.interval not in (Interval.M1, Interval.M5, Interval.D1):
            raise UsageError(
                f"the simulated market has no bars of {self.interval.value}",
                where="SimulatedMarket.interval",
                hint="one of 1m, 5m, 1d",
            )
        if self.tick and abs(1 / self.tick - round(1 / self.tick)) > 1e-9:
            raise UsageError(
                f"tick must be one over a whole number, not {self.tick!r}",
                where="SimulatedMarket.tick",
                hint="0.01, 0.05, 0.25, or 0 for unrounded prices",
            )

    def _room_for_evenings(self) -> int:
        """Windows of one company never overlap, and the last ends within the market."""
        window = self.sessions_after + 3
        late = OFF_SEASON if self.off_season_share else 0
        return min(QUARTER - window, QUARTER + self.tail_sessions - window - late)

    @property
    def n_sessions(self) -> int:
        """Sessions of the whole market."""
        return self.warmup_sessions + self.n_quarters * QUARTER + self.tail_sessions

    @property
    def symbols(self) -> list[str]:
        """SIM001, SIM002, ..."""
        width = max(3, len(str(self.n_symbols)))
        return [f"SIM{i + 1:0{width}d}" for i in range(self.n_symbols)]

    @property
    def label(self) -> str:
        """What to print wherever something from this market is shown."""
        return (
            f"SIMULATED market (seed {self.seed}, "
            f"{self.reversal_share:.0%} of evening drops made to reverse)"
        )


def _bound(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise UsageError(
            f"{name} must lie between {low:g} and {high:g}, not {value!r}",
            where=f"SimulatedMarket.{name}",
        )
