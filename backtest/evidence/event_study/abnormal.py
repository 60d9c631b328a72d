"""Abnormal returns of events: estimation, forecast error, cumulation, buy and hold."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from backtest.evidence.event_study.models import NormalReturns
from backtest.evidence.event_study.windows import NO_VARIATION, SINGULAR, Window, Windows
from backtest.evidence.extras import evidence_module
from backtest.paths import BoolArray, FloatArray, IntArray
from db.errors import UsageError


@dataclass(frozen=True)
class AbnormalReturns:
    """N events, M estimation days, L event days, K coefficients; fractions, NaN missing.

    Definitions, by event i with M_i returns in the estimation window:

    - sigma_i^2 = sum of squared residuals / (M_i - K) (Patell 1976, J. Account. Res. 14).
    - Forecast error of day t: sigma_i^2 (1 + x_t' (X'X)^-1 x_t); for the market model this is
      1 + 1/M_i + (R_mt - mean)^2 / sum (R_m - mean)^2 (Patell 1976, eq. 6).
    - Forecast error of a sum over L days, whose errors share the estimated coefficients:
      sigma_i^2 (L + w' (X'X)^-1 w), w = sum of x_t (Salinger 1992, J. Financ. Quant. Anal. 27).
    - Market-adjusted returns have no coefficients: sigma_i^2 is the mean square, and there is no
      forecast error.  (Packages that take M_i - 1 or M_i - 2 there divide by what was not
      estimated.)
    """

    first: int
    """Offset of the first event day."""
    parameters: int
    """K."""
    day0: IntArray
    """N: row of day 0."""
    estimation_rows: IntArray
    """N x M: rows of the estimation days, by which residuals are aligned on the calendar."""
    estimation: FloatArray
    """N x M residuals."""
    event: FloatArray
    """N x L abnormal returns."""
    returns: FloatArray
    """N x L."""
    expected: FloatArray
    """N x L normal returns of the model."""
    market: FloatArray
    """N x L."""
    design: FloatArray
    """N x L x K regressors of the event days."""
    inverse: FloatArray
    """N x K x K, (X'X)^-1."""
    coefficients: FloatArray
    """N x K."""
    sigma: FloatArray
    """N: residual standard deviation."""
    n_estimation: IntArray
    """N: M_i."""

    def __len__(self) -> int:
        return len(self.sigma)

    @property
    def last(self) -> int:
        """Offset of the last event day."""
        return self.first + int(self.event.shape[1]) - 1

    @property
    def df(self) -> IntArray:
        """N: M_i - K."""
        return self.n_estimation - self.parameters

    @property
    def day_error(self) -> FloatArray:
        """N x L: standard deviation of the forecast error of each day."""
        return self.sigma[:, None] * np.sqrt(1 + _quadratic(self.design, self.inverse[:, None]))

    @property
    def standardised(self) -> FloatArray:
        """N x L: SAR, abnormal returns over their forecast error (Patell 1976, eq. 7)."""
        return self.event / self.day_error

    def columns(self, window: Window) -> slice:
        """Columns of the event days of ``window``.  UsageError where it reaches outside."""
        low, high = window
        if not self.first <= low <= high <= self.last:
            raise UsageError(f"window {window} is not inside {(self.first, self.last)}")
        return slice(low - self.first, high - self.first + 1)

    def car(self, window: Window) -> FloatArray:
        """N: cumulative abnormal return, NaN for an event with a missing day in it."""
        return np.asarray(self.event[:, self.columns(window)].sum(axis=1))

    def car_error(self, window: Window) -> FloatArray:
        """N: standard deviation of the forecast error of `car`."""
        days = self.columns(window)
        total = self.design[:, days].sum(axis=1)
        length = days.stop - days.start
        return np.asarray(self.sigma * np.sqrt(length + _quadratic(total, self.inverse)))

    def scar(self, window: Window) -> FloatArray:
        """N: CAR over the forecast error of the sum (Salinger 1992; Kolari and Pynnonen 2011)."""
        return self.car(window) / self.car_error(window)

    def csar(self, window: Window) -> FloatArray:
        """N: sum of the standardised abnormal returns (Patell 1976, eq. 9, before scaling)."""
        return np.asarray(self.standardised[:, self.columns(window)].sum(axis=1))

    def bhar(self, window: Window, *, against: str = "market") -> FloatArray:
        """N: buy-and-hold abnormal return, compounded return less compounded benchmark.

        ``against``: ``market`` (Barber and Lyon 1997, J. Financ. Econ. 43, eq. 2) or ``model``
        (the model's expected returns compounded).
        """
        days = self.columns(window)
        benchmarks = {"market": self.market, "model": self.expected}
        if against not in benchmarks:
            raise UsageError(f"no benchmark {against!r}", hint="one of market, model")
        held = np.prod(1 + self.returns[:, days], axis=1)
        return np.asarray(held - np.prod(1 + benchmarks[against][:, days], axis=1))

    def take(self, keep: BoolArray) -> AbnormalReturns:
        """The events of the mask ``keep`` (N)."""
        changes: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            changes[field.name] = value[keep] if isinstance(value, np.ndarray) else value
        return AbnormalReturns(**changes)


def estimate(cut: Windows, normal: NormalReturns) -> tuple[AbnormalReturns, list[str]]:
    """Fit the model in each event's estimation window and forecast its event window.

    Also, for each event (N), why it cannot be used, or "".  Least squares by statsmodels.
    """
    n, days = cut.estimation.shape
    k = normal.parameters
    residuals = np.full((n, days), np.nan)
    coefficients = np.full((n, k), np.nan)
    inverse = np.full((n, k, k), np.nan)
    reasons = [""] * n
    ols: Any = None
    if k:
        module = "statsmodels.regression.linear_model"
        ols = evidence_module(module, "an event study").OLS
    for i in range(n):
        known = np.isfinite(cut.estimation[i])
        rows = cut.estimation_rows[i, known]
        y = cut.estimation[i, known] - normal.offset[rows]
        if not k:
            residuals[i, known] = y
        else:
            x = normal.regressors[rows]
            if np.linalg.matrix_rank(x) < k:
                reasons[i] = SINGULAR
                continue
            fitted = ols(y, x).fit()
            residuals[i, known] = fitted.resid
            coefficients[i], inverse[i] = fitted.params, fitted.normalized_cov_params
        # What is left of returns that never change is rounding.
        scale = np.abs(cut.estimation[i, known]).max()
        if np.nanmax(np.abs(residuals[i])) <= 1e-12 * max(scale, 1e-12):
            reasons[i] = NO_VARIATION
    count = np.isfinite(residuals).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = np.sqrt(np.nansum(residuals**2, axis=1) / (count - k))
    design = normal.regressors[cut.event_rows]
    expected = normal.offset[cut.event_rows] + np.einsum("nlk,nk->nl", design, coefficients)
    return (
        AbnormalReturns(
            first=cut.window[0],
            parameters=k,
            day0=cut.day0,
            estimation_rows=cut.estimation_rows,
            estimation=residuals,
            event=cut.event - expected,
            returns=cut.event,
            expected=expected,
            market=normal.market[cut.event_rows],
            design=design,
            inverse=inverse,
            coefficients=coefficients,
            sigma=sigma,
            n_estimation=count,
        ),
        reasons,
    )


def _quadratic(x: FloatArray, inverse: FloatArray) -> FloatArray:
    """Quadratic form x' (X'X)^-1 x along the last axis; 0 where there are no coefficients."""
    return np.asarray(np.einsum("...j,...jk,...k->...", x, inverse, x))
