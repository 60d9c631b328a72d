"""Models of the normal return: what a stock would have returned without the event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from backtest.paths import FloatArray
from db.errors import DataError, UsageError, did_you_mean

RISK_FREE = "rf"
"""Column of a factor table that is the risk-free return and no factor."""
MISSING_CODES = (-99.99, -999.0)
"""How the French data library writes a value that it does not have."""


class Model(StrEnum):
    """What the abnormal return is measured against."""

    MARKET = "market"
    """R = a + b R_m + e (MacKinlay 1997, J. Econ. Lit. 35, eq. 3)."""
    MARKET_ADJUSTED = "market-adjusted"
    """R - R_m: the market model with a = 0 and b = 1, nothing estimated (Brown and Warner 1985)."""
    MEAN_ADJUSTED = "mean-adjusted"
    """R = a + e: the stock's own mean (Brown and Warner 1985, J. Financ. Econ. 14, eq. 1)."""
    FACTORS = "factors"
    """R - R_f = a + sum of b_j F_j + e (Fama and French 1993); without R_f, of R itself."""

    @classmethod
    def parse(cls, name: str) -> Model:
        """The model of that name; ``_`` and ``-`` are the same.  UsageError for another name."""
        try:
            return cls(name.replace("_", "-").lower())
        except ValueError:
            hint = did_you_mean(name, [m.value for m in cls], kind="model")
            raise UsageError(f"unknown model {name!r}", hint=hint) from None


@dataclass(frozen=True)
class NormalReturns:
    """What a model regresses on, by session (S); returns are fractions."""

    model: Model
    regressors: FloatArray
    """S x K, the constant first; K = 0 where nothing is estimated."""
    names: tuple[str, ...]
    """Of the K coefficients."""
    offset: FloatArray
    """S: what is expected whatever the coefficients, and regressed on nothing: the market's
    return (market-adjusted), the risk-free return (factors with one), else 0."""
    market: FloatArray
    """S: the market's return for buy-and-hold comparisons; NaN without a market."""

    @property
    def parameters(self) -> int:
        """K, the number of estimated coefficients."""
        return len(self.names)


def normal_returns(
    model: Model, index: pd.Index, market: pd.Series | None, factors: pd.DataFrame | None
) -> NormalReturns:
    """Regressors of ``model`` on the sessions of ``index`` (S).

    Raises UsageError where the model needs a market or factors that are not given, or factors
    that look like percent.
    """
    size = len(index)
    one, nothing = np.ones((size, 1)), np.zeros(size)
    returns = np.full(size, np.nan) if market is None else _finite(market.reindex(index))
    if model is Model.MEAN_ADJUSTED:
        return NormalReturns(model, one, ("alpha",), nothing, returns)
    if model is Model.FACTORS:
        if factors is None:
            raise UsageError("the factor model needs factors", hint="factors=read_factors(path)")
        table = factors.reindex(index)
        names = [str(name) for name in table.columns if str(name).lower() != RISK_FREE]
        if not names:
            raise UsageError("the factors have no column beside the risk-free return")
        _refuse_percent(factors[names])
        risk_free = [name for name in table.columns if str(name).lower() == RISK_FREE]
        offset = _finite(table[risk_free[0]]) if risk_free else nothing
        design = np.column_stack([one, _finite(table[names])])
        return NormalReturns(model, design, ("alpha", *names), offset, returns)
    if market is None:
        raise UsageError(
            f"the {model.value} model needs a market", hint="market=a column or Series"
        )
    if model is Model.MARKET_ADJUSTED:
        return NormalReturns(model, np.empty((size, 0)), (), returns, returns)
    return NormalReturns(
        model, np.column_stack([one, returns]), ("alpha", "beta"), nothing, returns
    )


def read_factors(
    source: str | Path | pd.DataFrame,
    *,
    columns: Sequence[str] | None = None,
    unit: Literal["percent", "fraction"] = "percent",
) -> pd.DataFrame:
    """Factor returns as fractions, indexed by date, ready for ``event_study(factors=...)``.

    ``source``: a Parquet or CSV file, or a frame, with a ``date`` column (or dates as index) and
    a column a factor; ``columns`` picks some (``rf`` is kept if it is there).  The files of the
    French data library are in percent, which is the default.  Names are lower case with ``_``;
    -99.99 and -999 are missing.

    Raises UsageError for an unknown column, DataError where the unit cannot be right.
    """
    if isinstance(source, pd.DataFrame):
        table = source.copy()
    else:
        path = Path(source)
        table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    table.columns = [str(c).strip().lower().replace("-", "_") for c in table.columns]
    if "date" in table:
        text = table.pop("date").astype(str)
        # The library writes 19630701.
        table.index = pd.DatetimeIndex(pd.to_datetime(text)).normalize().rename("date")
    if columns is not None:
        wanted = [str(c).lower().replace("-", "_") for c in columns]
        for name in wanted:
            if name not in table:
                hint = did_you_mean(name, map(str, table.columns), kind="factor")
                raise UsageError(f"no factor {name!r}", hint=hint)
        keep = [RISK_FREE] if RISK_FREE in table and RISK_FREE not in wanted else []
        table = table[[*wanted, *keep]]
    values = table.astype("float64")
    values = values.mask(values.isin(MISSING_CODES))
    if unit == "percent":
        values = values / 100
    spread = float(values.drop(columns=RISK_FREE, errors="ignore").std().max())
    if np.isfinite(spread) and 0 < spread < 2e-4:
        raise DataError(
            f"factors that vary by {spread:.1e} a day once divided by 100 were fractions already",
            where="factors",
            hint='--factor-unit fraction, or unit="fraction"',
        )
    _refuse_percent(values.drop(columns=RISK_FREE, errors="ignore"))
    return values.sort_index()


def _refuse_percent(factors: pd.DataFrame) -> None:
    # A day of a market has a standard deviation near 0.01; no factor's reaches 0.2.
    spread = float(factors.astype("float64").std().max())
    if spread > 0.2:
        raise DataError(
            f"factors that vary by {spread:.2f} a session are in percent, not fractions",
            where="factors",
            hint="--factor-unit percent, or unit='percent'; basis points have to be divided first",
        )


def _finite(values: pd.Series | pd.DataFrame) -> FloatArray:
    """As float64, infinities as missing."""
    array: npt.NDArray[Any] = values.to_numpy(dtype=np.float64)
    return np.where(np.isfinite(array), array, np.nan)
