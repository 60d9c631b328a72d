"""Buy an after-hours drop that contradicts the company's own outlook."""

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
class GuidanceReversal(Strategy):
    """Buy when the stock falls after hours although its guidance is above consensus.

    META on 28 January 2026: down at first on heavier spending, up 10.4 % the next day on its
    revenue outlook.  It earns only if the evening reads the wrong line first: if the outlook for
    ``metric`` weighs more by the next close than what the first sellers saw.
    """

    events: ClassVar = earnings(session="post")
    phases: ClassVar = ("post", "pre")
    interval: ClassVar = "1m"

    metric: str = param("revenue", help="guided metric that must be above consensus")
    margin: float = param(0.0, ge=0, le=1, help="guidance midpoint above consensus by this")
    drop: float = param(0.03, ge=0, le=0.5, help="fall from the reference close")
    exits: Exits = Exits(target=0.10, stop=0.06, hold=3)

    def _contradicts(self, p: EventPanel) -> BoolArray:
        fell = p.close <= p.reference * (1 - self.drop)
        return fell & (p.guidance(self.metric) > self.margin)

    def entries(self, p: EventPanel) -> BoolArray:
        return first(self._contradicts(p))

    def rank(self, p: EventPanel) -> FloatArray:
        return p.guidance(self.metric)

    def setup(self, p: EventPanel) -> BoolArray:
        return ever(self._contradicts(p) & p.in_phase(*self.phases))
