"""Buy an after-hours earnings drop once it turns."""

from __future__ import annotations

from collections.abc import Mapping
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
class AfterHoursReversal(Strategy):
    """Buy an after-hours earnings drop once the price turns up from its low.

    It earns only if the first reaction overshoots: if those who sell on the headline in a thin
    evening market are wrong more often than right, by more than four times the day's spread.
    On average they are right (Levi, Livnat, Zhang and Zhang), so look at the base rate first.
    """

    events: ClassVar = earnings(session="post")
    phases: ClassVar = ("post", "pre")
    interval: ClassVar = "1m"

    drop: float = param(0.05, ge=0, le=0.5, help="fall from the reference close that arms it")
    rebound: float = param(0.02, ge=0, le=0.5, help="rise from the running low that triggers it")
    ceiling: float = param(
        0.0, ge=-0.5, le=1, help="no entry above the reference close by more than this"
    )
    lows: bool = param(False, help="count single prints (lows), not closes alone")
    exits: Exits = Exits(target=0.10, stop=0.06, hold=5)

    def _low(self, p: EventPanel) -> FloatArray:
        # Closes by default: one stray print in a thin evening arms nothing.
        return (p.low if self.lows else p.close).running_min()

    def entries(self, p: EventPanel) -> BoolArray:
        low = self._low(p)
        armed = low <= p.reference * (1 - self.drop)
        turned = p.close >= low * (1 + self.rebound)
        return first(armed & turned & (p.close <= p.reference * (1 + self.ceiling)))

    def rank(self, p: EventPanel) -> FloatArray:
        return 1 - self._low(p) / p.reference

    def setup(self, p: EventPanel) -> BoolArray:
        evening = p.in_phase(*self.phases)
        return ever((self._low(p) <= p.reference * (1 - self.drop)) & evening)

    def why_not(self, p: EventPanel) -> Mapping[str, BoolArray]:
        level = p.reference * (1 - self.drop)
        evening = p.in_phase(*self.phases)
        printed = ever((p.low <= level) & evening)
        armed = self.setup(p)
        return {
            "fell this far in single prints, no bar closed there": printed & ~armed,
            "did not fall this far": ~armed,
            "fell, did not turn below the ceiling": armed,
        }
