"""Post-earnings-announcement drift: buy after a large positive surprise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backtest import (
    BoolArray,
    EventPanel,
    Exits,
    FloatArray,
    Strategy,
    earnings,
    ever,
    first,
    param,
)


@dataclass(frozen=True)
class EarningsDrift(Strategy):
    """Buy once a surprise of at least ``surprise`` is known, and hold for weeks.

    It earns only if the market underreacts to earnings news (Ball and Brown 1968; Bernard and
    Thomas 1989): if prices go on in the surprise's direction after everybody could read it.
    The estimate must be the one that stood before the release; back-filled ones often are not.
    """

    events: ClassVar = earnings()

    surprise: float = param(
        0.10, ge=0, le=10, help="(EPS - estimate) / |estimate| that is bought, as a fraction"
    )
    exits: Exits = Exits(hold=20)

    def entries(self, p: EventPanel) -> BoolArray:
        return first(p.surprise >= self.surprise)

    def rank(self, p: EventPanel) -> FloatArray:
        return p.surprise

    def setup(self, p: EventPanel) -> BoolArray:
        return ever(p.surprise >= self.surprise)
