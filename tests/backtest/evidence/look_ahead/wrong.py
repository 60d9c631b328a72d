"""Strategies that use what nobody could have known: each is a few lines, and each is wrong.

``STORE`` is the store that those read which read one, set by the test.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

import backtest
from backtest import EventPanel, Exits, Store, Strategy, earnings, first, limit_on_open, on_open

STORE: Store | None = None


def store() -> Store:
    assert STORE is not None
    return STORE


def closes(p: EventPanel) -> np.ndarray:
    return np.asarray(p.close)


def last_close(p: EventPanel) -> np.ndarray:
    """The reaction session's close (N x 1)."""
    column = p.real.sum(axis=1) - 1
    return closes(p)[np.arange(len(p)), column][:, None]


@dataclass(frozen=True)
class Daily(Strategy):
    """Base of those on daily bars."""

    events: ClassVar = earnings()
    interval: ClassVar = "1d"
    exits: Exits = Exits(hold=1)


@dataclass(frozen=True)
class Minute(Strategy):
    """Base of those on minute bars."""

    events: ClassVar = earnings(session="post")
    phases: ClassVar = ("post", "pre", "regular")
    interval: ClassVar = "1m"
    exits: Exits = Exits(hold=1)


# Prices to come


@dataclass(frozen=True)
class OwnHigh(Minute):
    """Decides at a bar's open by how high the bar will go."""

    def entries(self, p: EventPanel) -> Any:
        return on_open(first(p.high >= p.open * 1.001))


@dataclass(frozen=True)
class CloseAtTheOpen(Daily):
    """Places its order before the open on the days that close higher."""

    def entries(self, p: EventPanel) -> Any:
        higher = last_close(p) > p.reference
        return limit_on_open(np.where(higher, np.asarray(p.reference) * 2, np.nan))


@dataclass(frozen=True)
class LimitAtTheLow(Daily):
    """Knows the day's low before the day."""

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(np.nanmin(np.asarray(p.low), axis=1) * 1.01)


@dataclass(frozen=True)
class TomorrowsOpen(Daily):
    """Buys at the close if tomorrow opens higher: the bars of the table go on."""

    def entries(self, p: EventPanel) -> Any:
        following = np.minimum(p.bar + 1, len(p.table) - 1)
        return p.table.open[following] > p.table.close[p.bar]


@dataclass(frozen=True)
class NextMinutesOpen(Minute):
    """Buys if the next bar opens higher; the next bar starts when this one ends."""

    def entries(self, p: EventPanel) -> Any:
        following = np.roll(np.asarray(p.open), -1, axis=1)
        return first(following > p.close)


@dataclass(frozen=True)
class CentredWindow(Minute):
    """Below a mean that is as much of the future as of the past."""

    def entries(self, p: EventPanel) -> Any:
        mean = pd.DataFrame(closes(p)).T.rolling(5, center=True, min_periods=1).mean().T
        return first(closes(p) < mean.to_numpy() * 0.999)


@dataclass(frozen=True)
class FilledBackwards(Minute):
    """A gap in a series is filled from what came after it."""

    def entries(self, p: EventPanel) -> Any:
        spread = pd.DataFrame(np.where(p.in_phase("regular"), closes(p), np.nan))
        return first(p.real & (spread.bfill(axis=1).to_numpy() > p.reference))


@dataclass(frozen=True)
class Standardised(Minute):
    """Standard scores over the whole window."""

    def entries(self, p: EventPanel) -> Any:
        x = closes(p)
        score = (x - np.nanmean(x, axis=1, keepdims=True)) / np.nanstd(x, axis=1, keepdims=True)
        return first(score < -1)


@dataclass(frozen=True)
class LastBar(Minute):
    """Buys the last bar of the session, as if one knew that none will follow."""

    def entries(self, p: EventPanel) -> Any:
        post = p.in_phase("post")
        return post & ~np.roll(post, -1, axis=1)


@dataclass(frozen=True)
class FillsOnTheSignalBar(Minute):
    """Decides at the open of the very bar whose close is the signal."""

    def entries(self, p: EventPanel) -> Any:
        return on_open(first(p.close <= p.reference * 0.99))


@dataclass(frozen=True)
class SamePrint(Daily):
    """Buys at the print that told it to."""

    same_print: ClassVar = True

    def entries(self, p: EventPanel) -> Any:
        return on_open(first(p.open <= p.reference * 0.98))


@dataclass(frozen=True)
class LaterSplits(Daily):
    """Companies that will split have risen."""

    def entries(self, p: EventPanel) -> Any:
        return p.real & (p.scale[:, None] > 1)


# Which events, and in which order


@dataclass(frozen=True)
class ByOutcome(Minute):
    """Only the events that end well."""

    def entries(self, p: EventPanel) -> Any:
        return first((p.close <= p.reference * 0.99) & (last_close(p) > p.reference))


@dataclass(frozen=True)
class ByLaterReturn(Daily):
    """Only those that rise in the ten days after."""

    def entries(self, p: EventPanel) -> Any:
        later = np.minimum(p.hi + 10, p.table.last_bar_end(p.rank) - 1)
        rises = p.table.close[later] > p.table.close[p.hi - 1]
        return p.real & rises[:, None]


@dataclass(frozen=True)
class RankedByFinalReturn(Daily):
    """An honest order, and slots for the winners."""

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * 1.5)

    def rank(self, p: EventPanel) -> Any:
        return last_close(p) / np.asarray(p.reference)


@dataclass(frozen=True)
class FullSampleQuantile(Daily):
    """The lowest third, of all years."""

    def entries(self, p: EventPanel) -> Any:
        move = closes(p) / np.asarray(p.reference)
        return p.real & (move < np.nanquantile(move, 0.33))


@dataclass(frozen=True)
class BestOfTheEvening(Daily):
    """Of those that report on one evening the one that will rise most."""

    def entries(self, p: EventPanel) -> Any:
        move = (last_close(p) / np.asarray(p.reference))[:, 0]
        best = pd.Series(move).groupby(p.sessions.reference_close).transform("max")
        return limit_on_open(np.where(move == best, np.asarray(p.reference)[:, 0] * 2, np.nan))


@dataclass(frozen=True)
class LastReleaseOfAll(Daily):
    """Buys only what reports no more: companies about to vanish."""

    def entries(self, p: EventPanel) -> Any:
        last = ~p.events["symbol"].duplicated(keep="last").to_numpy()
        return p.real & last[:, None]


# Content and news before they were known


@dataclass(frozen=True)
class EarningsBeforeRelease(Minute):
    """The figures of the release, before the release."""

    def entries(self, p: EventPanel) -> Any:
        beats = (p.events["eps_actual"] > p.events["eps_estimate"]).to_numpy()
        return first(p.real & beats[:, None])


@dataclass(frozen=True)
class NewsByEventTime(Minute):
    """Counts an item from the day it writes about, not from its publication."""

    def entries(self, p: EventPanel) -> Any:
        items = store().news()
        about = items.groupby("event_id").size()
        number = p.events["event_id"].map(about).fillna(0).to_numpy()
        return first(p.real & (number > 0)[:, None])


@dataclass(frozen=True)
class StoreWithoutAsOf(Minute):
    """Reads the store as it is today."""

    def entries(self, p: EventPanel) -> Any:
        events = store().events().set_index("event_id")
        beats = events["eps_actual"] > events["eps_estimate"]
        mine = p.events["event_id"].map(beats).fillna(False).to_numpy(dtype=bool)
        return first(p.real & mine[:, None])


@dataclass(frozen=True)
class GuidanceOfTheStore(Minute):
    """Guidance as it is in the store, whenever it came."""

    def entries(self, p: EventPanel) -> Any:
        said = store().guidance()
        above = said[said["low"] > said["consensus"]]["event_id"]
        return first(p.real & p.events["event_id"].isin(above).to_numpy()[:, None])


@dataclass(frozen=True)
class BarsOfTheStore(Daily):
    """Every bar of the store, to the last one."""

    def entries(self, p: EventPanel) -> Any:
        bars = store().bars("1d", source=p.table.source)
        final = pd.Series(bars.close, index=bars.instrument).groupby(level=0).last()
        rises = p.events["instrument_id"].map(final).to_numpy(float) > last_close(p)[:, 0]
        return p.real & rises[:, None]


@dataclass(frozen=True)
class ReactionsOfTheStore(Daily):
    """The base rates' own table, asked before the event."""

    def entries(self, p: EventPanel) -> Any:
        table = backtest.reactions(store(), interval="1d", source=p.table.source).frame
        rose = set(table.loc[table["day_close"] > 0, "event_id"])
        mine = p.events["event_id"].isin(rose).to_numpy()
        return limit_on_open(np.where(mine, np.asarray(p.reference)[:, 0] * 2, np.nan))


@dataclass(frozen=True)
class ReadsWhenMade(Minute):
    """Reads the store when it is made, and carries it along."""

    beats: set[int] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if STORE is not None:
            said = STORE.revisions()
            known = said[said["eps_actual"] > 0.0]
            object.__setattr__(self, "beats", set(known["event_id"]))

    def entries(self, p: EventPanel) -> Any:
        return first(p.real & p.events["event_id"].isin(self.beats).to_numpy()[:, None])


# What is remembered


_LEVEL: dict[str, float] = {}


@dataclass(frozen=True)
class GlobalCache(Minute):
    """A level from the first panel it is asked about, for all that follow."""

    def entries(self, p: EventPanel) -> Any:
        if "level" not in _LEVEL:
            _LEVEL["level"] = float(np.nanmedian(closes(p) / np.asarray(p.reference)))
        return first(p.close < p.reference * _LEVEL["level"])


_MEDIAN: float | None = None


@dataclass(frozen=True)
class GlobalName(Minute):
    """The same by a global name."""

    def entries(self, p: EventPanel) -> Any:
        global _MEDIAN  # noqa: PLW0603
        if _MEDIAN is None:
            _MEDIAN = float(np.nanmedian(closes(p) / np.asarray(p.reference)))
        return first(p.close < p.reference * _MEDIAN)


@dataclass(frozen=True)
class ClassCache(Minute):
    """The same on the class."""

    seen: ClassVar[list[float]] = []

    def entries(self, p: EventPanel) -> Any:
        if not self.seen:
            self.seen.append(float(np.nanmedian(closes(p) / np.asarray(p.reference))))
        return first(p.close < p.reference * self.seen[0])


@dataclass(frozen=True)
class InstanceCache(Minute):
    """The same on the object."""

    def entries(self, p: EventPanel) -> Any:
        if "level" not in vars(self):
            level = float(np.nanmedian(closes(p) / np.asarray(p.reference)))
            object.__setattr__(self, "level", level)
        return first(p.close < p.reference * vars(self)["level"])


@functools.cache
def surprise_of(event_id: int) -> float:
    """Cached by event, as if an event had always said the same."""
    said = store().revisions([event_id])
    return float(said["eps_actual"].max() - said["eps_estimate"].max())


@dataclass(frozen=True)
class ImpureMemo(Minute):
    """A memo of a function that is not pure."""

    def entries(self, p: EventPanel) -> Any:
        beats = np.array([surprise_of(int(one)) > 0 for one in p.events["event_id"]])
        return first(p.real & beats[:, None])


def level_keeper() -> Callable[[EventPanel], float]:
    level: float | None = None

    def keep(p: EventPanel) -> float:
        nonlocal level
        if level is None:
            level = float(np.nanmedian(closes(p) / np.asarray(p.reference)))
        return level

    return keep


KEEPER = level_keeper()


@dataclass(frozen=True)
class ClosureCache(Minute):
    """The same in a closure."""

    def entries(self, p: EventPanel) -> Any:
        return first(p.close < p.reference * KEEPER(p))


_ASKED: list[int] = []


@dataclass(frozen=True)
class CountsItsCalls(Minute):
    """Changes its mind the second time."""

    def entries(self, p: EventPanel) -> Any:
        _ASKED.append(len(p))
        return first(p.close < p.reference * (1 - 0.002 * len(_ASKED)))


@dataclass(frozen=True)
class DefaultArgument(Minute):
    """The same in a default argument."""

    def entries(self, p: EventPanel, seen: dict[str, float] = {}) -> Any:  # noqa: B006
        level = seen.setdefault("level", float(np.nanmedian(closes(p) / np.asarray(p.reference))))
        return first(p.close < p.reference * level)


@dataclass(frozen=True)
class ByItsName(Minute):
    """The same under a global name that the code only spells."""

    def entries(self, p: EventPanel) -> Any:
        space = globals()
        if "_spelled" not in space:
            space["_spelled"] = float(np.nanmedian(closes(p) / np.asarray(p.reference)))
        return first(p.close < p.reference * space["_spelled"])


# Not a function of its panel at all


@dataclass(frozen=True)
class Dice(Minute):
    """Another answer every time."""

    def entries(self, p: EventPanel) -> Any:
        return first(p.real & (np.random.random(p.close.shape) < 0.01))


@dataclass(frozen=True)
class BetterFills(Daily):
    """Makes the opens cheaper that it will be filled at."""

    def entries(self, p: EventPanel) -> Any:
        p.table.open[p.lo] *= 0.99
        return p.close > p.reference


@dataclass(frozen=True)
class EditsEvents(Daily):
    """Writes what it thinks into the events."""

    def entries(self, p: EventPanel) -> Any:
        p.events["precision"] = "checked"
        return p.close > p.reference


WRONG: list[type[Strategy]] = [
    one
    for one in list(vars().values())
    if isinstance(one, type) and issubclass(one, Strategy) and one not in (Strategy, Daily, Minute)
]
