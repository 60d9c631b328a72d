"""Studies: how often events end in a gain, beside nights without news, and abnormal returns."""

from backtest.studies.conditions import NAMES, OPERATORS, Condition, parse_condition
from backtest.studies.engine import study
from backtest.studies.result import Study

__all__ = ["NAMES", "OPERATORS", "Condition", "Study", "parse_condition", "study"]
