"""A hook before and after every durable write, by which tests end the process there.

With ``BACKTEST_CRASH_AT=n`` in the environment the process kills itself with SIGKILL at its n-th
durable boundary; without it nothing happens.  That lets the kill test enumerate every state an
import can be interrupted in instead of hoping that random moments hit them.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass


@dataclass
class _Countdown:
    reached: int = 0


_countdown = _Countdown()


def crashpoint(name: str) -> None:
    """Mark a boundary of a durable write; ``name`` says which to a reader of the code."""
    wanted = os.environ.get("BACKTEST_CRASH_AT")
    if not wanted:
        return
    _countdown.reached += 1
    if _countdown.reached == int(wanted):
        os.kill(os.getpid(), signal.SIGKILL)
