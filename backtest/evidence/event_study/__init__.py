"""Event studies: abnormal returns around events, and the tests that the literature uses."""

from backtest.evidence.event_study.abnormal import AbnormalReturns
from backtest.evidence.event_study.battery import CLUSTERED, TESTS, VARIANTS
from backtest.evidence.event_study.correlation import CrossCorrelation, residual_correlation
from backtest.evidence.event_study.inputs import (
    equal_weighted,
    returns_by_phase,
    session_returns,
    study_events,
)
from backtest.evidence.event_study.models import Model, read_factors
from backtest.evidence.event_study.phases import (
    PhaseStudy,
    event_study_by_phase,
    overnight_and_day,
    phase_returns,
)
from backtest.evidence.event_study.study import EventStudy, event_study

__all__ = [
    "CLUSTERED",
    "TESTS",
    "VARIANTS",
    "AbnormalReturns",
    "CrossCorrelation",
    "EventStudy",
    "Model",
    "PhaseStudy",
    "equal_weighted",
    "event_study",
    "event_study_by_phase",
    "overnight_and_day",
    "phase_returns",
    "read_factors",
    "residual_correlation",
    "returns_by_phase",
    "session_returns",
    "study_events",
]
