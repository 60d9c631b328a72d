"""Every test that the program offers, and whether theory says that it holds on these markets.

What should hold, and why the others should not, was written down before any rate was looked at.
Of afterwards are `FOUND`, why a test that should hold lay outside the band, and the condition of
the difference of base rates (``docs/evidence.md`` says what it was before).

A new test is one line here: a quick test of the project asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from calibration import judges as j
from calibration import views as v
from calibration.sample import Sample

LEVEL = 0.05
BAND = (0.035, 0.065)
"""Rates at `LEVEL` of tests that hold: three standard errors of 2,000 markets to either side."""


class Expect(StrEnum):
    """What a test's rate at 5 % should be."""

    HOLDS = "yes"
    AT_MOST = "at most"
    NO = "no"


@dataclass(frozen=True)
class Test:
    """One test."""

    __test__ = False  # its name begins with Test, but it holds none for pytest to collect

    name: str
    judge: Callable[[Any, int], v.Found | v.Interval]
    """(view, seed) -> what it says."""
    why: str
    """Why it should not hold where it should not."""
    holds: tuple[str, ...] = ()
    """Views in which it should hold."""
    at_most: tuple[str, ...] = ()
    """Views in which it should reject 5 % or less."""

    def expect(self, view: str) -> Expect:
        """What the rate in a view should be."""
        if view in self.holds:
            return Expect.HOLDS
        return Expect.AT_MOST if view in self.at_most else Expect.NO


@dataclass(frozen=True)
class Group:
    """Tests of the same views: a table."""

    name: str
    views: Mapping[str, tuple[str, Callable[[Sample], Any]]]
    """Name -> (heading, how it is made of a market)."""
    tests: tuple[Test, ...]
    designs: tuple[str, ...] = ("full", "few")


INDEPENDENT = "takes events of one evening for independent"
NO_VARIANCE = "assumes that the event brings no variance of its own"
ABSENT = "looks for the correlation in the estimation window, where the evening's shock is absent"
MEDIAN = "tests the median, and the jumps are skewed; " + INDEPENDENT
RANKS = "assumes the event day's ranks are like any day's, and the jumps are skewed and wide"
HELD_TOGETHER = "with hold 5, trades of different evenings hold the same sessions"
SEARCHED = "ignores the search"
DAYS = tuple(v.WINDOWS)
NOUGHT = ("evening_0", "gap_0")
ALL_TRADES = ("evening_0", "evening_5", "gap_0", "gap_5")
RATES = ("drops_above_open", "all_above_open", "all_big_gains")

STUDY = (
    Test("cross_sectional_t", j.of_study("cross_sectional_t"), INDEPENDENT),
    Test("crude_dependence", j.of_study("crude_dependence"), NO_VARIANCE),
    Test("patell", j.of_study("patell"), f"{NO_VARIANCE}; {INDEPENDENT}"),
    Test("patell_adjusted", j.of_study("patell_adjusted"), NO_VARIANCE),
    Test("bmp", j.of_study("bmp"), INDEPENDENT),
    Test("kolari_pynnonen", j.of_study("kolari_pynnonen"), ABSENT),
    Test("skewness_hall", j.of_study("skewness_hall"), INDEPENDENT),
    Test("skewness_johnson", j.of_study("skewness_johnson"), INDEPENDENT),
    Test("corrado_rank", j.of_study("corrado_rank"), RANKS),
    Test("corrado_zivney_rank", j.of_study("corrado_zivney_rank"), RANKS),
    Test("corrado_zivney_sign", j.of_study("corrado_zivney_sign"), MEDIAN),
    Test("grank_t", j.of_study("grank_t"), f"ranks: the jumps are skewed; {ABSENT}"),
    Test("grank_z", j.of_study("grank_z"), f"ranks: the jumps are skewed; {INDEPENDENT}"),
    Test("sign", j.of_study("sign"), MEDIAN),
    Test("generalised_sign", j.of_study("generalised_sign"), MEDIAN),
    Test("wilcoxon", j.of_study("wilcoxon"), f"assumes symmetry; {INDEPENDENT}"),
    Test("date_clustered", j.of_study("date_clustered"), "", holds=DAYS),
    Test("bootstrap", j.of_study("bootstrap"), "", holds=DAYS),
    Test("wild_bootstrap", j.of_study("wild_bootstrap"), "", holds=DAYS),
    Test("date_clustered_scar", j.of_study("date_clustered_scar"), "", holds=DAYS),
    Test("independent", j.of_study("independent"), f"{NO_VARIANCE}; {INDEPENDENT}"),
    Test("patell_scar", j.of_study("patell_scar"), f"{NO_VARIANCE}; {INDEPENDENT}"),
    Test("bmp_csar", j.of_study("bmp_csar"), INDEPENDENT),
    Test("bmp_uncorrected", j.of_study("bmp_uncorrected"), INDEPENDENT),
    Test("kolari_pynnonen_csar", j.of_study("kolari_pynnonen_csar"), ABSENT),
    Test("kolari_pynnonen_uncorrected", j.of_study("kolari_pynnonen_uncorrected"), ABSENT),
    Test(
        "kolari_pynnonen_estimation",
        j.kolari_pynnonen_estimation,
        "pairs='estimation': two quarters of one company have nearly the same residuals",
    ),
    Test("generalised_sign_pooled", j.of_study("generalised_sign_pooled"), MEDIAN),
    Test("bhar_market_t", j.of_study("bhar_market_t"), INDEPENDENT),
    Test("bhar_market_hall", j.of_study("bhar_market_hall"), INDEPENDENT),
    Test("bhar_market_johnson", j.of_study("bhar_market_johnson"), INDEPENDENT),
    Test("bhar_model_t", j.of_study("bhar_model_t"), INDEPENDENT),
    Test("bhar_model_hall", j.of_study("bhar_model_hall"), INDEPENDENT),
    Test("bhar_model_johnson", j.of_study("bhar_model_johnson"), INDEPENDENT),
)

MEAN_TRADE = (
    Test("as_if_independent", j.as_if_independent, INDEPENDENT),
    Test("clustered_test", j.clustered, HELD_TOGETHER, holds=NOUGHT),
    Test("cluster_bootstrap_pairs", j.pairs, HELD_TOGETHER, holds=NOUGHT),
    Test("cluster_bootstrap_wild", j.wild, HELD_TOGETHER, holds=NOUGHT),
    Test("overlapping_test", j.overlapping, "", holds=ALL_TRADES),
    Test(
        "block_bootstrap",
        j.blocks,
        "percentiles of few stretches: with hold 5 there are about two in each season",
        holds=NOUGHT,
    ),
)

SHARES = (
    Test("base_rate_clustered", j.clustered_rate, "", holds=RATES),
    Test("base_rate_wilson", j.wilson, INDEPENDENT),
)

LUCK = (
    Test("reality_check", j.reality_check, "", holds=("sweep",)),
    Test("max_t", j.max_t, "", holds=("sweep",)),
    Test("spa", j.spa("spa"), "takes each setting's deviation as known; 60 months are few"),
    Test("spa_upper", j.spa("spa_upper"), "the same"),
    Test("spa_lower", j.spa("spa_lower"), "a lower bound: settings that lost are left out"),
    Test("deflated_sharpe", j.deflated, "", at_most=("sweep",)),
    Test("bonferroni", j.corrected("bonferroni"), "", at_most=("sweep",)),
    Test("holm", j.corrected("holm"), "", at_most=("sweep",)),
    Test("bh", j.corrected("bh"), "", at_most=("sweep",)),
    Test("by", j.corrected("by"), "", at_most=("sweep",)),
    Test("probabilistic_sharpe_of_best", j.best_alone, SEARCHED),
    Test("least_p_of_all", j.least_p, SEARCHED),
)

GROUPS = (
    Group(
        "event_study",
        {
            "day_0": ("day 0", lambda s: v.studied(s, "day_0")),
            "days_0_to_5": ("days 0 to 5", lambda s: v.studied(s, "days_0_to_5")),
        },
        STUDY,
    ),
    Group(
        "mean_trade",
        {
            "evening_0": ("evening, hold 0", lambda s: s.evening_0),
            "evening_5": ("evening, hold 5", lambda s: s.evening_5),
            "gap_0": ("gap, hold 0", lambda s: s.gap_0),
            "gap_5": ("gap, hold 5", lambda s: s.gap_5),
        },
        MEAN_TRADE,
    ),
    Group(
        "account",
        {"account": ("evening, hold 5", lambda s: s.account_returns)},
        (Test("probabilistic_sharpe", j.sharpe_above_zero, "", holds=("account",)),),
    ),
    Group(
        "base_rates",
        {
            "drops_above_open": ("drops that close above their open", v.drops_above_open),
            "all_above_open": ("releases that close above their open", v.all_above_open),
            "all_big_gains": ("releases that gain 10 %", v.all_big_gains),
        },
        SHARES,
    ),
    Group(
        "difference",
        {"first_price": ("drops less the others", v.above_first_price)},
        (Test("difference_clustered", j.difference, "", holds=("first_price",)),),
    ),
    Group("search", {"sweep": ("100 settings", lambda s: s.search)}, LUCK, designs=("search",)),
)

VALUES: Mapping[str, tuple[str, Callable[[Any], float]]] = {
    "pbo": ("search", lambda s: j.overfitting(s.search)),
}
"""What is no test, whose mean is told: name -> (design, value of a market)."""

POWER = (
    ("mean_trade.evening_0.clustered_test", "mean trade, after-hours rule"),
    ("mean_trade.gap_0.clustered_test", "mean trade, gap rule"),
    ("event_study.day_0.date_clustered", "event study, day 0"),
    ("difference.first_price.difference_clustered", "base rate: drops against others"),
)
"""Honest tests whose power is drawn, and what to call them."""

_QUARTERS = (
    "Too careful. The estimation window holds the company's two releases before; a part of their "
    "moves is in the intercept and is taken off again on each of the six days, so that quarters "
    "of one company are negatively correlated and every error comes out about a tenth too large"
)
_OVERLAP = (
    f"{_QUARTERS}. And windows of different evenings overlap without sharing anything, once the "
    "market is taken out: the variance is the larger of two estimates, and only windows of which "
    "no two overlap are counted."
)
FOUND: Mapping[str, str] = {
    "event_study.days_0_to_5.date_clustered": _OVERLAP,
    "event_study.days_0_to_5.date_clustered_scar": _OVERLAP,
    "event_study.days_0_to_5.wild_bootstrap": f"{_QUARTERS}.",
    "search.sweep.max_t": (
        "Too bold. Releases crowd into one month of three, so that some 20 of the 60 months carry "
        "nearly all the variance, and a deviation that every draw estimates anew from so few is "
        "unsteady."
    ),
}
"""Key of a test that should hold and lay outside the band -> why, as found afterwards."""

NO_TESTS = {
    "disjoint_holds": "counts",
    "clustered_mean": "the interval of clustered_test",
    "Estimate": "a result",
    "Deflation": "a result",
    "Moments": "a result",
    "Overfitting": "a result",
    "Superiority": "a result",
    "average_correlation": "an ingredient of deflated_sharpe",
    "deflate": "computes deflated_sharpe",
    "describe": "computes deflated_sharpe",
    "effective_trials": "an ingredient of deflated_sharpe",
    "expected_maximum_sharpe": "an ingredient of deflated_sharpe",
    "long_run_deviation": "an ingredient of spa",
    "minimum_backtest_bound": "a length, not a test",
    "minimum_backtest_length": "a length, not a test",
    "minimum_track_record": "probabilistic_sharpe, solved for the length",
    "moments": "an ingredient of probabilistic_sharpe",
    "sharpe_error": "an ingredient of probabilistic_sharpe",
    "sharpe_ratios": "an ingredient of deflated_sharpe",
    "overlapping_products": "an ingredient of overlapping_test",
}
"""Public names of `inference` and `overfitting` that reject nothing, and what they are."""

TESTED_BY = {
    "block_bootstrap": ("block_bootstrap",),
    "cluster_bootstrap": ("cluster_bootstrap_pairs", "cluster_bootstrap_wild"),
    "clustered_test": ("clustered_test",),
    "overlapping_test": ("overlapping_test",),
    "adjust": ("bonferroni", "holm", "bh", "by"),
    "deflated_sharpe": ("deflated_sharpe",),
    "overfitting_probability": ("pbo",),
    "probabilistic_sharpe": ("probabilistic_sharpe", "probabilistic_sharpe_of_best"),
    "superior_settings": ("reality_check", "spa", "spa_lower", "spa_upper", "max_t"),
}
"""The other public names of `inference` and `overfitting`: the tests here that call them."""


def entries(design: str) -> Iterator[tuple[str, Group, str, Test]]:
    """(key, group, view, test) of everything that is counted on markets of a design."""
    for group in GROUPS:
        if design not in group.designs:
            continue
        for view in group.views:
            for test in group.tests:
                yield f"{group.name}.{view}.{test.name}", group, view, test


def expectation(key: str) -> Expect:
    """What the test of that key should do."""
    name, view, test = key.split(".")
    group = next(one for one in GROUPS if one.name == name)
    return next(one for one in group.tests if one.name == test).expect(view)
