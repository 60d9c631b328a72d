"""What a search amounts to, as numbers and as one plain sentence."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan, sqrt

import numpy as np

from backtest.evidence.overfitting.sharpe import (
    average_correlation,
    deflated_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    sharpe_ratios,
)
from backtest.paths import FloatArray
from db.errors import DataError, UsageError


@dataclass(frozen=True)
class Deflation:
    """A found Sharpe ratio beside what the search for it finds in noise.  NaN where undefined."""

    trials: int
    """Settings tried."""
    independent_trials: float
    """Settings that would be as wide a search if they were independent."""
    periods: int
    """Returns of the best setting."""
    periods_a_year: float
    sharpe: float
    """Of the best setting, annual."""
    noise: float
    """Annual Sharpe ratio that the best of a search as wide shows without an edge."""
    skewness: float
    kurtosis: float
    probabilistic: float
    """PSR: probability of a true Sharpe ratio above 0, had this been the only setting."""
    deflated: float
    """DSR: the same above ``noise``."""
    track_record: float
    """Years until PSR reaches 95 %; infinite for a Sharpe ratio of 0 or less."""
    backtest_length: float
    """Years of data below which so many settings show an annual Sharpe ratio of 1 in noise."""

    def sentence(self) -> str:
        """What it amounts to, in one plain sentence."""
        what = f"the best of {self.trials:,} settings"
        if self.trials == 1:
            what = "the only setting tried"
        if isnan(self.sharpe):
            return f"{what} has no Sharpe ratio: its returns do not vary, or are too few"
        found = f"{what}, with a Sharpe of {self.sharpe:.1f}"
        if isnan(self.deflated):
            return f"{found}, from too few returns to say how much of it is luck"
        if self.trials == 1:
            return f"{found}; the probability of one above 0 is {_percent(self.probabilistic)}"
        return (
            f"{found}; a search this wide finds a Sharpe of {self.noise:.1f} in noise; "
            f"after deflation {_percent(self.deflated)}"
        )

    def of_one(self, name: str) -> str:
        """The same of one setting of ``name``, the others being in the store's ledger."""
        if self.trials == 1:
            what = f"the only setting of {name} tried in this store"
        else:
            what = f"one of {self.trials:,} settings of {name} tried in this store"
        if isnan(self.deflated):
            return f"{what}; its returns do not vary, or are too few, to say how much is luck"
        if self.trials == 1:
            return (
                f"{what}: with a Sharpe of {self.sharpe:.1f} the probability of a true one above "
                f"0 is {_percent(self.probabilistic)}"
            )
        return (
            f"{what}: a search this wide finds a Sharpe of {self.noise:.1f} in noise, this one "
            f"has {self.sharpe:.1f}; after deflation {_percent(self.deflated)}"
        )

    def patience(self) -> str:
        """How long such returns would have to go on to be believed; empty where they have."""
        years = self.periods / self.periods_a_year
        if not isfinite(self.track_record) or self.track_record <= years:
            return ""
        needed = f"{self.track_record:.1f}" if self.track_record < 100 else "more than 100"
        return (
            f"such returns would have to go on for {needed} years to be told from luck at 95 %, "
            f"had this been the only setting; there are {years:.1f}"
        )


def deflate(
    returns: FloatArray,
    *,
    periods_a_year: float,
    best: int | None = None,
    trials: int | None = None,
    independent_trials: float | None = None,
) -> Deflation:
    """`Deflation` of a search whose settings returned ``returns`` (T periods x M settings).

    ``best``: column of the setting chosen (None: the highest Sharpe ratio).  ``trials``: settings
    tried under the hypothesis in all, if more than the M at hand (the ledger's count).  The
    variance of Sharpe ratios is that of the M columns that have one; ``independent_trials``
    replaces `effective_trials` from their average correlation.

    Raises UsageError for columns or counts that do not fit, DataError where no column has
    returns.
    """
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim == 1:
        x = x[:, None]
    if x.ndim != 2 or not x.size:
        raise DataError("no returns to deflate", where="deflate")
    if not periods_a_year > 0:
        raise UsageError(f"periods_a_year must be positive, not {periods_a_year!r}")
    columns = x.shape[1]
    count = columns if trials is None else int(trials)
    if count < columns:
        raise UsageError(f"{count} trials, but {columns} settings are at hand")
    if best is not None and not 0 <= best < columns:
        raise UsageError(f"no column {best} among {columns}")
    sharpes = sharpe_ratios(x)
    known = np.isfinite(sharpes)
    if best is None:
        best = int(np.argmax(np.where(known, sharpes, -np.inf)))
    wide = float(count)
    if independent_trials is not None:
        wide = float(independent_trials)
    elif count > 1:
        wide = effective_trials(average_correlation(_complete(x[:, known])), count)
    variance = float(sharpes[known].var(ddof=1)) if known.sum() > 1 else float("nan")
    return describe(
        x[:, best],
        trials=count,
        independent_trials=wide,
        variance=variance,
        periods_a_year=periods_a_year,
    )


def describe(
    returns: FloatArray,
    *,
    trials: int,
    periods_a_year: float,
    independent_trials: float | None = None,
    variance: float = float("nan"),
) -> Deflation:
    """`Deflation` of one setting's ``returns`` (T, NaN unknown), found by ``trials`` trials.

    ``variance``: of the trials' Sharpe ratios a period.  Where it is not known (NaN) that of a
    Sharpe ratio without an edge is taken, 1 / (T - 1), which is the noise of the estimate alone.
    """
    if trials < 1:
        raise UsageError(f"trials must be at least 1, not {trials}")
    wide = float(trials) if independent_trials is None else independent_trials
    m, year = moments(returns), sqrt(periods_a_year)
    if isnan(variance):
        variance = 1 / (m.n - 1) if m.n > 1 else float("nan")
    noise = expected_maximum_sharpe(wide, variance) if isfinite(variance) else float("nan")
    shape = (m.sharpe, m.n, m.skewness, m.kurtosis)
    judged = isfinite(m.sharpe) and m.n >= 4
    nan = float("nan")
    return Deflation(
        trials=trials,
        independent_trials=wide,
        periods=m.n,
        periods_a_year=periods_a_year,
        sharpe=m.sharpe * year,
        noise=noise * year,
        skewness=m.skewness,
        kurtosis=m.kurtosis,
        probabilistic=probabilistic_sharpe(*shape) if judged else nan,
        deflated=(deflated_sharpe(*shape, trials=wide, variance=variance) if judged else nan),
        track_record=(
            minimum_track_record(m.sharpe, m.skewness, m.kurtosis) / periods_a_year
            if judged
            else nan
        ),
        backtest_length=minimum_backtest_length(wide),
    )


def _complete(x: FloatArray) -> FloatArray:
    """Rows without a missing value, for correlations."""
    rows = x[np.isfinite(x).all(axis=1)]
    return rows if len(rows) > 2 else np.nan_to_num(x)


def _percent(share: float) -> str:
    if share < 0.005:
        return "under 1 %"
    if share > 0.995:
        return "over 99 %"
    return f"{share * 100:.0f} %"
