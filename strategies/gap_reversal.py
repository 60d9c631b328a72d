"""Buy the open after an earnings release if it gaps down: the daily form of the reversal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backtest import (
    EventPanel,
    Exits,
    LimitOnOpen,
    Strategy,
    earnings,
    limit_on_open,
    param,
)


@dataclass(frozen=True)
class GapReversal(Strategy):
    """Buy the reaction session's open if it is ``drop`` or more below the reference close.

    A limit-on-open order placed before the open, so nobody has to have seen the print that it
    buys.  It earns only if the opening auction sells too low: if the gap closes during the
    session more often than it widens, by more than the costs.
    """

    events: ClassVar = earnings()
    interval: ClassVar = "1d"

    drop: float = param(0.05, ge=0, le=0.9, help="gap below the reference close that is bought")
    exits: Exits = Exits(target=0.10, stop=0.06, hold=0)

    def entries(self, p: EventPanel) -> LimitOnOpen:
        return limit_on_open(p.reference * (1 - self.drop))
