"""Buy the fall that follows a piece of news, rather than an earnings release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from backtest import BoolArray, EventPanel, Exits, Strategy, ever, first, news, param


@dataclass(frozen=True)
class NewsFade(Strategy):
    """Buy when the price falls by ``drop`` within ``window`` minutes after a news item.

    The window starts with the item's publication, measured from the last price before it.  It
    earns only if single headlines move prices further than they deserve, which is likelier for
    stale or repeated news (Tetlock 2011) than for the first report of a fact.
    """

    events: ClassVar = news()
    phases: ClassVar = ("pre", "regular", "post")
    interval: ClassVar = "1m"

    drop: float = param(0.03, ge=0, le=0.5, help="fall from the last price before the item")
    window: float = param(60.0, ge=1, le=1440, help="minutes after publication that count")
    exits: Exits = Exits(target=0.05, stop=0.05, hold=1)

    def entries(self, p: EventPanel) -> BoolArray:
        soon = (p.minutes > 0) & (p.minutes <= self.window)
        return first(soon & (p.close <= p.before * (1 - self.drop)))

    def setup(self, p: EventPanel) -> BoolArray:
        return ever(self.entries(p))
