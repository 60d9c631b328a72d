"""The tests themselves, as one-line functions of a view: each calls the program's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from backtest.evidence.base_rates import base_rate
from backtest.evidence.event_study import TESTS, residual_correlation
from backtest.evidence.event_study.parametric import boehmer_musumeci_poulsen, cross_sectional
from backtest.evidence.inference import (
    Estimate,
    block_bootstrap,
    cluster_bootstrap,
    clustered_test,
    overlapping_test,
)
from backtest.evidence.overfitting import adjust, moments, probabilistic_sharpe
from backtest.evidence.overfitting.corrections import Method
from backtest.paths import FloatArray
from calibration.panels import Trades
from calibration.sample import REPS
from calibration.search import Search
from calibration.views import Found, Interval, Rate, Studied


def of_study(name: str) -> Callable[[Studied, int], Found]:
    """A test of the event study, or one of its variants."""
    return lambda view, _: (view.tests if name in TESTS else view.variants)[name]


def kolari_pynnonen_estimation(view: Studied, _: int) -> Found:
    """`kolari_pynnonen` with ``pairs="estimation"``, as in the literature."""
    ar = view.values
    history = residual_correlation(ar.estimation, ar.estimation_rows)
    found = boehmer_musumeci_poulsen(ar.scar(view.window), correlation=history.mean)
    return Found(found.p_value, float(np.sign(found.statistic)))


def as_if_independent(t: Trades, _: int) -> Found:
    """Student's t of the mean trade."""
    found = cross_sectional(t.gross)
    return Found(found.p_value, float(np.sign(found.statistic)))


def clustered(t: Trades, _: int) -> Found:
    """`clustered_test` by reaction session."""
    return _of(clustered_test(t.gross, t.reaction))


def overlapping(t: Trades, _: int) -> Found:
    """`overlapping_test` from the reaction session to the last held."""
    return _of(overlapping_test(t.gross, t.reaction, t.last))


def pairs(t: Trades, seed: int) -> Found:
    """`cluster_bootstrap` of whole reaction sessions."""
    return _of(cluster_bootstrap(t.gross, t.reaction, method="pairs", reps=REPS, seed=seed))


def wild(t: Trades, seed: int) -> Found:
    """`cluster_bootstrap` of their signs."""
    return _of(cluster_bootstrap(t.gross, t.reaction, method="wild", reps=REPS, seed=seed))


def blocks(t: Trades, seed: int) -> Found:
    """`block_bootstrap` with blocks as long as the hold."""
    return _of(block_bootstrap(t.gross, t.reaction, block=t.hold + 1, reps=REPS, seed=seed))


def sharpe_above_zero(returns: FloatArray, _: int) -> Found:
    """PSR of the account's daily returns, against 0."""
    m = moments(returns)
    return Found(1 - probabilistic_sharpe(m.sharpe, m.n, m.skewness, m.kurtosis))


def wilson(view: Rate, _: int) -> Interval:
    """`base_rate` as if events were independent."""
    found = base_rate(view.hit, view.reaction)
    return Interval(found.low_independent, found.high_independent, found.k, found.n)


def clustered_rate(view: Rate, _: int) -> Interval:
    """`base_rate` clustered by date."""
    found = base_rate(view.hit, view.reaction)
    return Interval(found.low, found.high, found.k, found.n)


def difference(view: Rate, _: int) -> Found:
    """Share of events with the condition less that of the others, clustered by date.

    Each event's value is the difference plus its part in the difference's error (the influence
    function of two means), so that `clustered_test` of the values tests the difference.
    """
    hit, inside = view.hit.astype(np.float64), view.condition
    n, n_in = len(hit), int(inside.sum())
    if n_in in (0, n):
        return Found(float("nan"))
    with_it, without = hit[inside].mean(), hit[~inside].mean()
    part = np.where(inside, (hit - with_it) * n / n_in, -(hit - without) * n / (n - n_in))
    return _of(clustered_test(with_it - without + part, view.reaction))


def reality_check(view: Search, _: int) -> Found:
    """White's."""
    return Found(view.superiority.reality_check)


def spa(bound: str) -> Callable[[Search, int], Found]:
    """Hansen's: ``spa``, ``spa_lower`` or ``spa_upper``."""
    return lambda view, _: Found(float(getattr(view.superiority, bound)))


def max_t(view: Search, _: int) -> Found:
    """The least of Romano and Wolf's p values."""
    return Found(view.superiority.max_t)


def deflated(view: Search, _: int) -> Found:
    """DSR of the best setting."""
    return Found(1 - view.deflation.deflated)


def best_alone(view: Search, _: int) -> Found:
    """PSR of the best setting, as if it had been the only one."""
    return Found(1 - view.deflation.probabilistic)


def least_p(view: Search, _: int) -> Found:
    """The least p value of all settings, uncorrected."""
    return Found(float(np.nanmin(view.p_values)))


def corrected(method: Method) -> Callable[[Search, int], Found]:
    """The least p value of all settings after `adjust`."""
    return lambda view, _: Found(float(np.nanmin(adjust(view.p_values, method))))


def overfitting(view: Search) -> float:
    """PBO."""
    return view.overfitting.probability


def _of(found: Estimate) -> Found:
    return Found(found.p_value, float(np.sign(found.mean)))
