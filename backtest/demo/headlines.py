"""News about the simulated companies; what it says follows the price and never leads it."""

from __future__ import annotations

import numpy as np

from backtest.demo.facts import instant
from backtest.demo.market import SOURCE
from backtest.demo.releases import Kind, generator
from backtest.demo.skeleton import Skeleton
from db.batches import NewsRecord
from db.intervals import MINUTE

_TOLD = 0.4
"""Share of drops that a headline reports a few minutes later."""

_FALLS = (
    "{symbol} slides after quarterly report",
    "Shares of {symbol} sink as margins disappoint",
    "{symbol} tumbles in late trading",
    "Investors punish {symbol} for cautious tone",
    "{symbol} stock drops, analysts point to spending",
    "Late trading: {symbol} under pressure after numbers",
    "{symbol} falls although sales grew",
    "Results of {symbol} leave shareholders cold",
)
_QUIET = (
    "{symbol} opens a second plant",
    "Chief financial officer of {symbol} to speak at conference",
    "{symbol} wins supply contract",
    "Regulator closes inquiry into {symbol}",
    "{symbol} renews credit line",
    "{symbol} names new head of research",
)
_HOSTILE = 'Rumour site prints "<script>alert(1)</script>" as the name of {symbol} & its rival'


def news_records(sk: Skeleton) -> list[NewsRecord]:
    """Headlines after some drops, some about nothing, and one that no page should execute.

    Each lies in a session that has bars around a release.  The price does not move on them.
    """
    rng = generator(sk.market.seed, 9)
    releases = sk.releases
    told = rng.random(len(releases)) < _TOLD
    delay = rng.integers(2, 9, len(releases)) * MINUTE
    mood = np.round(rng.uniform(-0.9, -0.3, len(releases)), 2)
    items: list[tuple[int, int, str, float | None]] = []
    for i in np.flatnonzero(told & (releases.kind != Kind.FLAT)):
        at = int(releases.at[i] + delay[i])
        title = _FALLS[len(items) % len(_FALLS)]
        items.append((at, int(releases.instrument[i]), title, float(mood[i])))
    quiet = rng.permutation(len(releases))[: max(len(_QUIET), len(releases) // 20)]
    for place, i in enumerate(quiet):
        session = sk.sessions[releases.reaction[i]]
        at = int(sk.cal.opens[session] + rng.integers(30, 180) * MINUTE)
        title = _QUIET[place % len(_QUIET)]
        items.append((at, int(releases.instrument[i]), title, 0.2))
    at, stock, _, _ = items[-1]
    items.append((at + 7 * MINUTE, stock, _HOSTILE, None))
    symbols = sk.market.symbols
    return [
        NewsRecord(
            title="SIMULATED: " + title.format(symbol=symbols[stock]),
            published_at=instant(at),
            url=f"https://news.simulated.invalid/{number + 1:05d}",
            body="Made up by the simulated market; no such company exists.",
            language="en",
            provider=SOURCE,
            event_at=instant(at),
            symbols=(symbols[stock],),
            sentiment=sentiment,
            raw=f"SIMULATED news {number + 1}",
            row=number + 1,
        )
        for number, (at, stock, title, sentiment) in enumerate(sorted(items, key=_in_time))
    ]


def _in_time(item: tuple[int, int, str, float | None]) -> tuple[int, int, str]:
    return item[:3]
