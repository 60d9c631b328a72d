"""Bar intervals and the one unit of time used in arrays: microseconds since the epoch, UTC."""

from __future__ import annotations

from enum import Enum

from db.errors import UsageError, did_you_mean

MICROSECOND = 1
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE


class Interval(Enum):
    """Length of a bar, as written on the command line."""

    M1 = "1m"
    M2 = "2m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    D1 = "1d"

    @property
    def is_daily(self) -> bool:
        return self is Interval.D1

    @property
    def microseconds(self) -> int:
        """Nominal length; a daily bar's true length is its session's."""
        return _MINUTES[self.value] * MINUTE

    @classmethod
    def parse(cls, text: str | Interval) -> Interval:
        """``"5m"`` -> ``Interval.M5``; UsageError names the known ones."""
        if isinstance(text, Interval):
            return text
        try:
            return cls(text.strip().lower())
        except ValueError:
            known = [member.value for member in cls]
            raise UsageError(
                f"unknown interval {text!r}", hint=did_you_mean(text, known, kind="interval")
            ) from None


_MINUTES = {"1m": 1, "2m": 2, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "1d": 24 * 60}
