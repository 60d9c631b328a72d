"""The simulated markets that are tested: their sizes, fixed before any rate was looked at.

Without reversals the mid-price is a martingale (``docs/simulated-market.md``).  Spread and tick
are 0 here, so that prints are the mid-price and the null is exact; splits and dividends, which
change no total return, are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from backtest.demo.market import SimulatedMarket
from db.errors import UsageError, did_you_mean
from db.intervals import Interval

_STRIDE = 1_000_000
"""Seeds that lie between those of two designs."""

_EXACT = SimulatedMarket(
    reversal_share=0.0, half_spread=0.0, tick=0.0, splits=0, dividend_share=0.0
)


@dataclass(frozen=True)
class Design:
    """One kind of market."""

    name: str
    place: int
    """Its seeds begin at ``place * _STRIDE``."""
    settings: SimulatedMarket

    def market(self, seed: int, number: int, reversal_share: float = 0.0) -> SimulatedMarket:
        """Market ``number`` of a run with ``seed``; the dial changes no random number."""
        own = seed * 100 * _STRIDE + self.place * _STRIDE + number
        return replace(self.settings, seed=own, reversal_share=reversal_share)


FULL = Design(
    "full",
    1,
    replace(
        _EXACT,
        n_symbols=40,
        n_quarters=8,
        evenings=10,
        warmup_sessions=140,
        interval=Interval.M5,
    ),
)
"""Two years of a short watch list; reports crowd into two weeks a quarter."""

FEW = Design(
    "few",
    2,
    replace(FULL.settings, n_quarters=2, evenings=7, off_season_share=0.0),
)
"""A quarter of that: few evenings, each with many releases."""

SEARCH = Design(
    "search",
    3,
    replace(
        _EXACT,
        n_symbols=40,
        n_quarters=20,
        evenings=10,
        warmup_sessions=10,
        interval=Interval.D1,
    ),
)
"""Five years, so that months are enough for the tests of a search."""

POWER = replace(FULL, name="power", place=4)
"""The full market with the dial turned; other seeds than the null's."""

DESIGNS = (FULL, FEW, SEARCH, POWER)


def design(name: str) -> Design:
    """The design of that name.  UsageError for another."""
    for one in DESIGNS:
        if one.name == name:
            return one
    hint = did_you_mean(name, [one.name for one in DESIGNS], kind="design")
    raise UsageError(f"no design {name!r}", hint=hint)
