"""Everything that a study is asked for, checked before anything is read."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from backtest.studies.abnormal import ESTIMATION, StudyOptions
from backtest.studies.conditions import Condition
from backtest.studies.matching import Calipers
from db.errors import UsageError, did_you_mean
from db.intervals import Interval

SPLITS = ("year", "quarter", "session", "surprise")


@dataclass(frozen=True)
class Options:
    """Settings of one study.  Raises UsageError for values that cannot be."""

    interval: Interval
    conditions: tuple[Condition, ...] = ()
    params: dict[str, Any] = field(default_factory=dict)
    since: datetime | None = None
    until: datetime | None = None
    symbols: tuple[str, ...] | None = None
    source: str | None = None
    gain: float = 0.10
    hold: int = 0
    strict_as_of: bool = False
    by: str | None = None
    confidence: float = 0.95
    placebo: bool = True
    calipers: Calipers = field(default_factory=Calipers)
    event_study: bool = True
    abnormal: StudyOptions = field(default_factory=StudyOptions)

    def __post_init__(self) -> None:
        if self.since and self.until and self.since >= self.until:
            raise UsageError(f"since {self.since:%Y-%m-%d} is not before {self.until:%Y-%m-%d}")
        if not (math.isfinite(self.gain) and 0 < self.gain < 10):
            raise UsageError(
                f"the gain must lie between 0 and 10, not {self.gain!r}",
                where="--gain",
                hint="a fraction: 0.10 is 10 %",
            )
        if isinstance(self.hold, bool) or int(self.hold) != self.hold or not 0 <= self.hold <= 250:
            raise UsageError(
                f"the hold is a whole number of sessions from 0 to 250, not {self.hold!r}",
                where="--hold",
            )
        if not 0 < self.confidence < 1:
            raise UsageError(f"confidence must lie between 0 and 1, not {self.confidence!r}")
        if self.by is not None and self.by not in SPLITS:
            hint = did_you_mean(self.by, SPLITS, kind="split")
            raise UsageError(f"cannot split by {self.by!r}", where="--by", hint=hint)
        texts = [str(one) for one in self.conditions]
        for text in texts:
            if texts.count(text) > 1:
                raise UsageError(f"the condition {text} is given twice", where="--condition")

    def command(self, strategy: str) -> str:
        """The line that asks for the same on the command line."""
        words = ["backtest", "study", *([strategy] if strategy else [])]
        for condition in self.conditions:
            words += ["--condition", str(condition)]
        for name, value in self.params.items():
            words += ["-p", f"{name}={value}"]
        words += ["--interval", self.interval.value]
        words += ["--source", self.source] if self.source else []
        words += ["--symbol", ",".join(self.symbols)] if self.symbols else []
        words += ["--since", self.since.isoformat()] if self.since else []
        words += ["--until", self.until.isoformat()] if self.until else []
        words += ["--gain", f"{self.gain:g}"] if self.gain != 0.10 else []
        words += ["--hold", str(self.hold)] if self.hold else []
        words += ["--by", self.by] if self.by else []
        words += ["--strict-as-of"] if self.strict_as_of else []
        return shlex.join([*words, *self._placebo_words(), *self._abnormal_words()])

    def _placebo_words(self) -> list[str]:
        if not self.placebo:
            return ["--no-placebo"]
        usual, mine, words = Calipers(), self.calipers, []
        words += ["--nights", str(mine.nights)] if mine.nights != usual.nights else []
        words += ["--size-caliper", f"{mine.size:g}"] if mine.size != usual.size else []
        if mine.volatility != usual.volatility:
            words += ["--volatility-caliper", f"{mine.volatility:g}"]
        return words

    def _abnormal_words(self) -> list[str]:
        if not self.event_study:
            return ["--no-event-study"]
        mine, words = self.abnormal, []
        words += ["--model", mine.model] if mine.model else []
        words += ["--market", mine.market] if mine.market else []
        # Factors given as a frame have no name.
        words += ["--factors", str(mine.factors)] if isinstance(mine.factors, str | Path) else []
        words += ["--factor-unit", mine.factor_unit] if mine.factor_unit != "percent" else []
        for option, spans in (
            ("--estimation", [mine.estimation] if mine.estimation != ESTIMATION else []),
            ("--window", [mine.window] if mine.window else []),
            ("--windows", list(mine.windows or ())),
        ):
            if spans:
                words += [option, ",".join(f"{first}:{last}" for first, last in spans)]
        words += ["--seed", str(mine.seed)] if mine.seed else []
        return words
