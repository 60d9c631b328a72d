"""The line to a source: no faster than it likes, again after a failure that may pass."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from db.sources.fetching.source import UnavailableError

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

ATTEMPTS = 5
FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0


@dataclass
class Line:
    """Paces requests to ``pace`` a second and repeats those that fail for now.

    Waits double from one second, with up to half as much again at random so that several
    processes do not return together; a server's Retry-After counts where it is longer.  After
    ``attempts`` the last `UnavailableError` is raised.  ``sleep`` and ``clock`` are in seconds.
    """

    pace: float
    attempts: int = ATTEMPTS
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    on_wait: Callable[[str, float], None] | None = None
    requests: int = 0
    _free_at: float = 0.0
    _dice: random.Random = field(default_factory=random.Random)

    def call(self, ask: Callable[[], T]) -> T:
        """What ``ask`` returns, asked as often as needed."""
        # It loads asyncio and tornado, which every command's help would wait for.
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        retrying = Retrying(
            retry=retry_if_exception_type(UnavailableError),
            stop=stop_after_attempt(self.attempts),
            wait=self._wait,
            sleep=self.sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        answer: T = retrying(self._paced, ask)
        return answer

    def _paced(self, ask: Callable[[], T]) -> T:
        ahead = self._free_at - self.clock()
        if ahead > 0:
            self.sleep(ahead)
        self._free_at = max(self.clock(), self._free_at) + 1 / self.pace
        self.requests += 1
        return ask()

    def _wait(self, state: RetryCallState) -> float:
        wait: float = min(FIRST_WAIT * 2.0 ** (state.attempt_number - 1), LONGEST_WAIT)
        wait *= 1 + self._dice.random() / 2
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, UnavailableError):
            wait = max(wait, min(error.retry_after or 0.0, 10 * LONGEST_WAIT))
        return wait

    def _tell(self, state: RetryCallState) -> None:
        """Say why and how long; not called after the last attempt, which nothing follows."""
        error = state.outcome.exception() if state.outcome else None
        if self.on_wait and isinstance(error, UnavailableError):
            self.on_wait(error.what, state.upcoming_sleep)
