"""Prices as they were traded, out of prices that Yahoo adjusted for splits as of the fetch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

import numpy as np

from db.calendar import DateArray
from db.sources.files.arrow import FloatArray

_SINGLE = 1.2e-7
"""Relative error of Yahoo's prices: they were single precision once."""
_SIXTH = 0.6e-6
"""Absolute error of Yahoo's adjusted figures: they have six decimals."""
_DECIMALS = range(2, 7)


def split_factors(days: DateArray, splits: Mapping[date, float]) -> FloatArray:
    """By what Yahoo divided the prices of each day, (days,): the splits that came after it."""
    order = sorted(day for day, ratio in splits.items() if math.isfinite(ratio) and ratio > 0)
    ratios = np.array([splits[day] for day in order], dtype=np.float64)
    # after[i] is what the i-th and all later splits make of one share.
    after = np.append(np.cumprod(ratios[::-1])[::-1], 1.0)
    dates = np.array(order, dtype="datetime64[D]")
    return np.asarray(after[np.searchsorted(dates, days, side="right")])


def as_traded(adjusted: FloatArray, factors: FloatArray) -> FloatArray:
    """Prices or amounts before splits: the shortest decimals within Yahoo's rounding.

    The same bar fetched before and after a split gives the same double that way, since what was
    paid is a whole number of cents or of some small part of one.
    """
    raw = adjusted * factors
    noise = np.abs(raw) * _SINGLE + _SIXTH * factors
    settled = np.round(raw, _DECIMALS[-1])
    for decimals in reversed(_DECIMALS):
        shorter = np.round(raw, decimals)
        settled = np.where(np.abs(shorter - raw) <= noise, shorter, settled)
    return np.asarray(settled)


def shares_traded(adjusted: FloatArray, factors: FloatArray) -> FloatArray:
    """Volumes before splits, whole shares.

    After a reverse split Yahoo's are known to one new share alone, which is several old ones.
    """
    return np.round(adjusted / factors)
