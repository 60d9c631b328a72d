"""What the tests are given: parts of a `Sample`, one for each column of a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from backtest.evidence.event_study import AbnormalReturns
from backtest.evidence.event_study.battery import Settings, results_frame
from backtest.paths import BoolArray, FloatArray, IntArray
from calibration.sample import Sample

WINDOWS = {"day_0": (0, 0), "days_0_to_5": (0, 5)}
"""Windows tested: the reaction session, and the week from it on."""
GAP = 0.03
"""Prices at least this far below the reference close are drops."""
BIG = 0.10


@dataclass(frozen=True)
class Found:
    """What a test says of one market."""

    p_value: float
    """NaN where the test is not defined."""
    direction: float = float("nan")
    """Sign of what was found, NaN for tests that have none."""


@dataclass(frozen=True)
class Interval:
    """A 95 % interval of a share, and the share itself: k of n."""

    low: float
    high: float
    k: int
    n: int


@dataclass(frozen=True, eq=False)
class Studied:
    """An event study's tests of one window, by name."""

    values: AbnormalReturns
    settings: Settings
    window: tuple[int, int]

    @cached_property
    def tests(self) -> dict[str, Found]:
        """`battery.TESTS`."""
        return _by_name(results_frame(self.values, [self.window], self.settings, variants=False))

    @cached_property
    def variants(self) -> dict[str, Found]:
        """`battery.VARIANTS`."""
        return _by_name(results_frame(self.values, [self.window], self.settings, variants=True))


@dataclass(frozen=True, eq=False)
class Rate:
    """An outcome of events (n), the reaction session of each, and who meets the condition."""

    hit: BoolArray
    reaction: IntArray
    condition: BoolArray


def studied(sample: Sample, view: str) -> Studied:
    """The sample's event study, tested over a window of `WINDOWS`."""
    return Studied(sample.study.values, sample.study.settings, WINDOWS[view])


def _by_name(frame: pd.DataFrame) -> dict[str, Found]:
    rows = zip(frame["test"], frame["p_value"], frame["statistic"], frame["n"], strict=True)
    return {
        str(name): Found(float(p), _direction(str(name), float(statistic), int(n)))
        for name, p, statistic, n in rows
    }


def _direction(name: str, statistic: float, n: int) -> float:
    # W+ is a sum of ranks: its middle is n (n + 1) / 4.
    return float(np.sign(statistic - n * (n + 1) / 4 if name == "wilcoxon" else statistic))


def drops_above_open(sample: Sample) -> Rate:
    """Drops that close above their open."""
    opened, close, reference, reaction = _reaction(sample)
    down = opened <= reference * (1 - GAP)
    return Rate((close > opened)[down], reaction[down], np.ones(int(down.sum()), dtype=np.bool_))


def all_above_open(sample: Sample) -> Rate:
    """Releases that close above their open."""
    opened, close, _, reaction = _reaction(sample)
    return Rate(close > opened, reaction, np.ones(len(close), dtype=np.bool_))


def all_big_gains(sample: Sample) -> Rate:
    """Releases that close 10 % or more above the reference close."""
    _, close, reference, reaction = _reaction(sample)
    return Rate(close >= reference * (1 + BIG), reaction, np.ones(len(close), dtype=np.bool_))


def above_first_price(sample: Sample) -> Rate:
    """Evening releases that close above their first price; the condition is a drop by then.

    The first price is the close of the first bar that ends after the release, whatever came
    later: nothing is chosen by what it did afterwards.  Releases without such a bar before the
    reaction session are left out.
    """
    panel = sample.evening
    after = panel.end > panel.sessions.announced_from[:, None]
    evening = after & panel.real & panel.in_phase("post", "pre")
    there = np.flatnonzero(evening.any(axis=1))
    price = np.asarray(panel.close)[there, evening.argmax(axis=1)[there]]
    t = panel.table
    close, reference = t.close[panel.hi - 1][there], t.close[panel.reference_bar][there]
    return Rate(close > price, panel.sessions.reaction[there], price <= reference * (1 - GAP))


def _reaction(sample: Sample) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    """(open, close, reference close, reaction session) of all releases, from daily bars."""
    panel = sample.daily
    t, last = panel.table, panel.hi - 1
    reference = t.close[panel.reference_bar]
    return t.open[last], t.close[last], reference, panel.sessions.reaction
