"""Overfitting: what a search of many settings finds by luck alone."""

from backtest.evidence.overfitting.corrections import adjust
from backtest.evidence.overfitting.cscv import Overfitting, overfitting_probability
from backtest.evidence.overfitting.sharpe import (
    Moments,
    average_correlation,
    deflated_sharpe,
    effective_trials,
    expected_maximum_sharpe,
    minimum_backtest_bound,
    minimum_backtest_length,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
    sharpe_error,
    sharpe_ratios,
)
from backtest.evidence.overfitting.superior import (
    Superiority,
    long_run_deviation,
    superior_settings,
)
from backtest.evidence.overfitting.verdict import Deflation, deflate, describe

__all__ = [
    "Deflation",
    "Moments",
    "Overfitting",
    "Superiority",
    "adjust",
    "average_correlation",
    "deflate",
    "deflated_sharpe",
    "describe",
    "effective_trials",
    "expected_maximum_sharpe",
    "long_run_deviation",
    "minimum_backtest_bound",
    "minimum_backtest_length",
    "minimum_track_record",
    "moments",
    "overfitting_probability",
    "probabilistic_sharpe",
    "sharpe_error",
    "sharpe_ratios",
    "superior_settings",
]
