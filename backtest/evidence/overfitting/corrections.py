"""P values of many tests at once, corrected for their number (by statsmodels)."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from backtest.evidence.extras import evidence_module
from backtest.paths import FloatArray
from db.errors import UsageError, did_you_mean

Method = Literal["bonferroni", "holm", "bh", "by"]
_NAMES = {"bonferroni": "bonferroni", "holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}


def adjust(p_values: FloatArray, method: Method = "holm") -> FloatArray:
    """Adjusted p values (n, in the order given); NaN is a test not made and stays NaN.

    - ``bonferroni``, ``holm`` (Holm 1979, Scand. J. Stat. 6): no false discovery at all, however
      the tests depend on each other.
    - ``bh`` (Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57): share of false discoveries,
      for independent or positively dependent tests.
    - ``by`` (Benjamini and Yekutieli 2001, Ann. Stat. 29): the same under any dependence.

    Romano and Wolf's, which uses the dependence itself, is `superior_settings(...).adjusted`.
    Raises UsageError for an unknown method or values outside [0, 1].
    """
    if method not in _NAMES:
        hint = did_you_mean(str(method), get_args(Method), kind="correction")
        raise UsageError(f"unknown correction {method!r}", hint=hint)
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise UsageError(f"p values must be one-dimensional, not {p.shape}")
    known = ~np.isnan(p)
    if ((p[known] < 0) | (p[known] > 1)).any():
        raise UsageError("p values must lie between 0 and 1")
    out = np.full(len(p), np.nan)
    if known.any():
        multiple = evidence_module("statsmodels.stats.multitest", "a correction").multipletests
        out[known] = multiple(p[known], method=_NAMES[method])[1]
    return out
