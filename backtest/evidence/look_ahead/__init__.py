"""Does a strategy use what it could not have known?  Replays without the future tell.

`replay` asks a strategy again on panels that end at an instant: with everything after it missing
(`cut.at_instant`), with wild values in its place, with content withheld until its release's
interval ends, from a state in which nobody had asked it before (`state`), while every store shows
only what was known (`db.horizon`).  What it decided up to that instant must be the same.
`docs/look-ahead.md` says what this finds and what it cannot.
"""

from backtest.evidence.look_ahead.findings import COLUMNS, Finding
from backtest.evidence.look_ahead.quick import quick_check
from backtest.evidence.look_ahead.replays import Replays, replay
from backtest.evidence.look_ahead.sample import Sample, sample_of
from backtest.evidence.look_ahead.speed import speed_frame
from backtest.evidence.look_ahead.state import Memory

__all__ = [
    "COLUMNS",
    "Finding",
    "Memory",
    "Replays",
    "Sample",
    "quick_check",
    "replay",
    "sample_of",
    "speed_frame",
]
