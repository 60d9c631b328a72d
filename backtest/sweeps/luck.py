"""How much of a sweep's best combination is the width of the search.

Everything here is computed from the sums by calendar month, in which holds that overlap fall
together; combinations with too few trades to be ranked are trials, but are not judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import comb, nan
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from backtest.evidence.overfitting.corrections import adjust
from backtest.evidence.overfitting.cscv import overfitting_probability
from backtest.evidence.overfitting.sharpe import (
    average_correlation,
    effective_trials,
    sharpe_ratios,
)
from backtest.evidence.overfitting.superior import superior_settings
from backtest.evidence.overfitting.verdict import Deflation, deflate
from backtest.paths import FloatArray
from backtest.sweeps.ranking import ranked
from db.errors import MissingExtraError

if TYPE_CHECKING:
    from backtest.sweeps.result import Sweep

LEAST_MONTHS = 4
"""Below them nothing is said of months."""
SIGNIFICANT = 0.05
SESSIONS_A_MONTH = 21
_SCORES = 20_000_000
"""Scores (splits x combinations) up to which more blocks are worth their time."""


@dataclass(frozen=True)
class Luck:
    """A search and what noise would have shown.  NaN where undefined or not computed."""

    deflation: Deflation
    judged: int
    """Combinations with enough trades."""
    overfitting: float
    """PBO: how often the best of one half of the time was no better than the median in the
    other."""
    loss: float
    """How often it lost money there."""
    blocks: int
    """Stretches the time was cut into for it; 0: not computed."""
    reality_check: float
    """White's p value: that the best earns nothing."""
    spa: float
    """Hansen's."""
    max_t: float
    """Romano and Wolf's, the one to trust where combinations are many and months few."""
    block_months: float
    """Mean length of the stretches that were drawn again for these three."""
    alone: int
    """Combinations that a one-sided t test of the months calls significant at 5 %."""
    false_discovery: int
    """Those left once the share of false discoveries is held to 5 % (Benjamini, Hochberg)."""
    family_wise: int
    """Those left once any false discovery at all is held to 5 % (Romano, Wolf)."""
    missing: str = ""
    """What was not computed, and why."""

    @property
    def table(self) -> pd.DataFrame:
        """``what, value, digits, note``, for reading: ``digits`` are worth printing."""
        d = self.deflation
        passing = f"of {self.judged:,} with enough trades"
        rows: list[tuple[str, float, int, str]] = [
            ("settings tried", d.trials, 0, "this sweep and all before it in this store"),
            ("independent settings", d.independent_trials, 0, "that would be as wide a search"),
            ("Sharpe of the best", d.sharpe, 2, "a year, from monthly sums"),
            ("Sharpe of the best in noise", d.noise, 2, "expected of a search as wide"),
            ("edge, alone [%]", 100 * d.probabilistic, 1, "had nothing else been tried"),
            ("edge, deflated [%]", 100 * d.deflated, 1, "probability after this search"),
            ("years needed, alone", d.track_record, 1, "to be 95 % sure of any edge"),
            ("years needed, searching", d.backtest_length, 1, "below: noise shows a Sharpe of 1"),
            ("overfitting [%]", 100 * self.overfitting, 1, "chosen, then below the median"),
            ("reality check p", self.reality_check, 3, "White"),
            ("superior ability p", self.spa, 3, "Hansen; too small over few months"),
            ("greatest t p", self.max_t, 3, "Romano, Wolf"),
            ("significant at 5 %, alone", self.alone, 0, passing),
            ("false discoveries at 5 %", self.false_discovery, 0, "Benjamini, Hochberg"),
            ("none false at 5 %", self.family_wise, 0, "Romano, Wolf"),
        ]
        frame = pd.DataFrame(rows, columns=["what", "value", "digits", "note"])
        kept = ~frame["value"].isna()
        if math.isnan(self.max_t):
            kept &= ~frame["what"].isin(["false discoveries at 5 %", "none false at 5 %"])
        return frame[kept].reset_index(drop=True)

    @property
    def sentence(self) -> str:
        """What the tests of the whole search amount to; empty where there are none."""
        if math.isnan(self.max_t):
            return ""
        verdict = "is told from luck" if self.max_t <= SIGNIFICANT else "is not told from luck"
        return (
            f"Among {self.judged:,} combinations the greatest t {verdict} (p {self.max_t:.3f}); "
            f"{self.family_wise:,} combinations stand when none may be false, "
            f"{self.false_discovery:,} when 5 % may, {self.alone:,} had they been looked at alone."
        )


def deflation_of(found: Sweep) -> Deflation | None:
    """The best combination's Sharpe ratio after this sweep and all before it.

    None where no combination has enough trades.
    """
    kept = judged(found)
    if not len(kept):
        return None
    months = found.monthly.to_numpy(dtype=np.float64)
    order = ranked(found.frame, str(found.record["rank"]), int(found.record["min_trades"]))
    # The first of the ranking that can be judged.
    chosen = order[np.isin(order, kept)][0]
    best = int(np.flatnonzero(kept == chosen)[0])
    before = int(found.record.get("earlier_trials", 0))
    wide = float(found.record.get("earlier_independent_trials", 0.0)) + independent(found)
    return deflate(
        months[:, kept],
        periods_a_year=12,
        best=best,
        trials=before + len(found),
        independent_trials=max(wide, 1.0),
    )


def independent(found: Sweep) -> float:
    """Independent settings that a sweep's are worth, by their months' average correlation."""
    months = found.monthly.to_numpy(dtype=np.float64)
    return effective_trials(average_correlation(months), len(found))


def judged(found: Sweep) -> np.ndarray:
    """Numbers of the combinations that have enough trades, and months that vary."""
    few = int(found.record["min_trades"])
    enough = found.frame["trades"].to_numpy() >= max(few, 2)
    months = found.monthly.to_numpy(dtype=np.float64)
    varies = np.isfinite(sharpe_ratios(months)) & (len(months) >= LEAST_MONTHS)
    return np.flatnonzero(enough & varies)


def search_luck(found: Sweep, *, reps: int = 999, seed: int = 0) -> Luck | None:
    """All statistics of the search; None where no combination can be judged."""
    deflation = deflation_of(found)
    if deflation is None:
        return None
    kept = judged(found)
    months = np.ascontiguousarray(found.monthly.to_numpy(dtype=np.float64)[:, kept])
    overfitting, loss, blocks = _overfitting(months)
    count = len(months)
    t = sharpe_ratios(months) * np.sqrt(count)
    p_values = stats.t.sf(t, count - 1)
    rest: dict[str, float] = {}
    discoveries, family, missing = 0, 0, ""
    try:
        tested = superior_settings(months, reps=reps, seed=seed)
        longest = _longest_hold(found) / SESSIONS_A_MONTH
        if longest > tested.block:
            tested = superior_settings(months, block=longest, reps=reps, seed=seed)
        rest = {
            "reality_check": tested.reality_check,
            "spa": tested.spa,
            "max_t": tested.max_t,
            "block_months": tested.block,
        }
        family = int((tested.adjusted <= SIGNIFICANT).sum())
        discoveries = int((adjust(p_values, "bh") <= SIGNIFICANT).sum())
    except MissingExtraError as error:
        missing = f"{error.what}; {error.hint}"
    return Luck(
        deflation=deflation,
        judged=len(kept),
        overfitting=overfitting,
        loss=loss,
        blocks=blocks,
        alone=int((p_values <= SIGNIFICANT).sum()),
        false_discovery=discoveries,
        family_wise=family,
        missing=missing,
        **(dict.fromkeys(("reality_check", "spa", "max_t", "block_months"), nan) | rest),
    )


def _overfitting(months: FloatArray) -> tuple[float, float, int]:
    """(PBO, share of losses, blocks) with as many blocks of two months as time allows."""
    count, columns = months.shape
    possible = [
        blocks
        for blocks in range(4, 17, 2)
        if count >= 2 * blocks and columns * comb(blocks, blocks // 2) <= _SCORES
    ]
    if columns < 2 or not possible:
        return nan, nan, 0
    found = overfitting_probability(months, blocks=possible[-1])
    return found.probability, found.loss, possible[-1]


def _longest_hold(found: Sweep) -> float:
    if "exits.hold" in found.axes:
        return float(found.frame["exits.hold"].max())
    return float(found.record["base"]["exits.hold"])
