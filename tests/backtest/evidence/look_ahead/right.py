"""Strategies that use what was known, in many ways: the check must pass them all."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from backtest import (
    EventPanel,
    FloatArray,
    Store,
    Strategy,
    earnings,
    ever,
    first,
    limit_on_open,
    news,
    on_open,
)
from backtest.panel.sessions import to_us
from backtest.registry import find_strategy
from tests.backtest.evidence.look_ahead.wrong import Daily, Minute

STORE: Store | None = None


@dataclass(frozen=True)
class Never(Daily):
    """Decides nothing."""

    def entries(self, p: EventPanel) -> Any:
        return np.zeros(p.real.shape, dtype=bool)


@dataclass(frozen=True)
class Always(Daily):
    """Buys every open."""

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * 2)

    def rank(self, p: EventPanel) -> FloatArray:
        return p.reference


@dataclass(frozen=True)
class ShortGap(Daily):
    """Sells opens that gap up; daily and short."""

    side: ClassVar = "short"
    events: ClassVar = earnings(session=("post", "pre"))

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * 1.02)


@dataclass(frozen=True)
class RedDay(Daily):
    """Buys after a reaction session that closed below its open."""

    def entries(self, p: EventPanel) -> Any:
        return first((p.close < p.open) & (p.volume > 0))

    def rank(self, p: EventPanel) -> Any:
        return 1 - p.close / p.reference

    def setup(self, p: EventPanel) -> Any:
        """A statistic over the whole window, which no decision reads."""
        return ever(p.close.running_min() < p.reference)


@dataclass(frozen=True)
class ExpandingQuantile(Daily):
    """The lowest third of all reactions that had closed before this one's reference close."""

    def entries(self, p: EventPanel) -> Any:
        column = p.real.sum(axis=1) - 1
        moves = np.asarray(p.close)[np.arange(len(p)), column] / np.asarray(p.reference)[:, 0] - 1
        limit = np.full(len(p), np.nan)
        for row, at in enumerate(p.sessions.reference_close):
            earlier = moves[p.sessions.reaction_close <= at]
            earlier = earlier[~np.isnan(earlier)]
            if len(earlier) >= 5:
                limit[row] = np.quantile(earlier, 0.33)
        return first(p.close / p.reference - 1 < limit[:, None])


@dataclass(frozen=True)
class Momentum(Daily):
    """Looks back fifteen bars in the table, for those that have as many."""

    def entries(self, p: EventPanel) -> Any:
        back = p.reference_bar - 15
        enough = back >= p.table.first_bar(p.rank)
        past = p.table.close[np.where(enough, back, p.reference_bar)]
        rose = enough & (p.table.close[p.reference_bar] > past)
        return limit_on_open(np.where(rose, np.asarray(p.reference)[:, 0], np.nan))


@dataclass(frozen=True)
class Quiet(Daily):
    """Low turnover before the release, from the paths."""

    def entries(self, p: EventPanel) -> Any:
        paths = p.paths
        mean = np.array(
            [
                np.nanmean(paths.volume[max(lead, at - 10) : at])
                for lead, at in zip(paths.lead, paths.first, strict=True)
            ]
        )
        return first(p.volume > 1.5 * (mean * np.asarray(1 / p.scale))[:, None])


@dataclass(frozen=True)
class OfTheEstimate(Daily):
    """Estimates stand before the release."""

    def entries(self, p: EventPanel) -> Any:
        some = p.events["eps_estimate"].notna().to_numpy()
        return limit_on_open(np.where(some, np.asarray(p.reference)[:, 0] * 0.99, np.nan))


@dataclass(frozen=True)
class CrowdedEvening(Daily):
    """Not on evenings on which many report: the schedule is known ahead."""

    def entries(self, p: EventPanel) -> Any:
        close = pd.Series(p.sessions.reference_close)
        crowd = close.map(close.value_counts()).to_numpy()
        return limit_on_open(np.where(crowd <= 2, np.asarray(p.reference)[:, 0], np.nan))


@dataclass(frozen=True)
class OpensOfTheDay(Minute):
    """Decides at opens, by opens."""

    def entries(self, p: EventPanel) -> Any:
        return on_open(first((p.open <= p.reference * 0.985) & p.in_phase("regular")))

    def rank(self, p: EventPanel) -> Any:
        return p.close.running_min()


@dataclass(frozen=True)
class OpenBelowTheLastClose(Minute):
    """Decides at an open against the close before."""

    def entries(self, p: EventPanel) -> Any:
        return on_open(first(p.open < p.close.lag(1) * 0.997))


@dataclass(frozen=True)
class TurnShort(Minute):
    """Sells the turn down from the evening's high."""

    side: ClassVar = "short"

    def entries(self, p: EventPanel) -> Any:
        high = p.high.running_max()
        return first((high >= p.reference * 1.01) & (p.close <= high * 0.995))


@dataclass(frozen=True)
class TrailingMean(Minute):
    """Below the mean of the last ten bars, by pandas."""

    def entries(self, p: EventPanel) -> Any:
        mean = pd.DataFrame(np.asarray(p.close)).T.rolling(10, min_periods=3).mean().T
        return first(np.asarray(p.close) < mean.to_numpy() * 0.99)


@dataclass(frozen=True)
class AfterNews(Minute):
    """Falls with a headline out."""

    def entries(self, p: EventPanel) -> Any:
        return first((p.news.count >= 1) & (p.close < p.before))

    def rank(self, p: EventPanel) -> Any:
        return p.news.sentiment


@dataclass(frozen=True)
class NewsItself(Minute):
    """News items as events."""

    events: ClassVar = news()

    def entries(self, p: EventPanel) -> Any:
        return first((p.minutes > 0) & (p.close < p.before * 0.998))


@dataclass(frozen=True)
class Outlook(Minute):
    """Guidance and surprise once they are known."""

    def entries(self, p: EventPanel) -> Any:
        return first((p.guidance("revenue") > 0) | (p.surprise > 0.02))

    def rank(self, p: EventPanel) -> Any:
        return p.surprise


@dataclass(frozen=True)
class KnownFigures(Minute):
    """Raw figures, only after the release's interval."""

    def entries(self, p: EventPanel) -> Any:
        beats = (p.events["eps_actual"] > p.events["eps_estimate"]).to_numpy()
        out = p.end >= p.sessions.announced_to[:, None]
        return first(p.real & out & beats[:, None])


@dataclass(frozen=True)
class StoreAsOf(Minute):
    """Asks the store what was known by the first of all reference closes."""

    def entries(self, p: EventPanel) -> Any:
        assert STORE is not None
        then = pd.Timestamp(int(p.sessions.reference_close.min()), unit="us", tz="UTC")
        known = STORE.events(as_of=then.to_pydatetime())
        estimated = known.loc[known["eps_estimate"].notna(), "event_id"]
        mine = p.events["event_id"].isin(estimated).to_numpy()
        return first(mine[:, None] & (p.close < p.reference * 0.99))


@dataclass(frozen=True)
class RevisionsAsOf(Minute):
    """Reads every revision, and uses each from when it was known."""

    def entries(self, p: EventPanel) -> Any:
        assert STORE is not None
        said = STORE.revisions([int(one) for one in p.events["event_id"]])
        said = said[said["eps_actual"] > said["eps_estimate"]]
        first_known = said.groupby("event_id")["first_known_at"].min()
        known = p.events["event_id"].map(first_known)
        at = to_us(known)
        told = known.notna().to_numpy()[:, None] & (p.end >= at[:, None])
        return first(told & p.real & (p.close < p.before))


@functools.cache
def threshold(hour: int) -> float:
    """Pure: the same hour, the same threshold."""
    return 0.99 if hour < 1 else 0.985


@dataclass(frozen=True)
class HarmlessMemo(Minute):
    """A memo of a pure function."""

    def entries(self, p: EventPanel) -> Any:
        hours = np.nan_to_num(np.asarray(p.minutes) // 60).astype(int)
        level = np.vectorize(threshold)(hours)
        return first(np.asarray(p.close) < np.asarray(p.reference) * level)


LOG: list[int] = []


@dataclass(frozen=True)
class KeepsALog(Minute):
    """Notes how often it was asked, and makes nothing of it."""

    def entries(self, p: EventPanel) -> Any:
        LOG.append(len(p))
        return first(p.close < p.reference * 0.99)


@dataclass(frozen=True)
class SeededLot(Minute):
    """Draws lots by the event's own number."""

    def entries(self, p: EventPanel) -> Any:
        drawn = [np.random.default_rng(int(one)).random() for one in p.events["event_id"]]
        return first((p.close < p.reference) & (np.array(drawn) < 0.5)[:, None])


@dataclass(frozen=True)
class TonightsBreadth(Minute):
    """Buys while most of tonight's others stand lower, each by its last bar that had ended."""

    def entries(self, p: EventPanel) -> Any:
        close, end = np.asarray(p.close), p.end
        mask = np.zeros(close.shape, dtype=bool)
        for at in np.unique(p.sessions.reference_close):
            rows = np.flatnonzero(p.sessions.reference_close == at)
            moves = close[rows] / np.asarray(p.reference)[rows]
            for row in rows:
                lower = np.zeros(close.shape[1])
                for other, move in zip(rows, moves, strict=True):
                    seen = np.searchsorted(end[other], end[row], side="right") - 1
                    lower += np.where(seen >= 0, move[np.maximum(seen, 0)] < 1, 0)
                mask[row] = lower > len(rows) / 2
        return first(mask & p.real & (close > np.asarray(p.reference) * 0.99))


RIGHT: list[Strategy] = [
    one()
    for one in list(vars().values())
    if isinstance(one, type) and issubclass(one, Strategy) and one not in (Strategy, Daily, Minute)
]
RIGHT += [
    find_strategy("gap_reversal").with_params({"drop": 0.02}),
    find_strategy("after_hours_reversal").with_params({"drop": 0.02, "rebound": 0.005}),
    find_strategy("earnings_drift").with_params({"surprise": 0.01}),
    find_strategy("guidance_reversal").with_params({"drop": 0.01}),
    find_strategy("news_fade").with_params({"drop": 0.005}),
]
