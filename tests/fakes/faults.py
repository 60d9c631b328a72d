"""Faults that a fake server shows on request.

A fake keeps a queue of them; each request takes the first that fits.  Those of `TRANSPORT` are
played by `tests.fakes.server` itself, every other kind is handed to the fake's own ``answer``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

FOR_GOOD = -1

STATUS = {"401": 401, "403": 403, "404": 404, "429": 429, "500": 500, "502": 502, "503": 503}
TRANSPORT = (*STATUS, "timeout", "cut", "reset", "malformed", "nothing")
"""``timeout`` waits ``delay`` seconds, ``cut`` ends in the middle of the body, ``reset`` before
the first byte; ``malformed`` is half an answer that pretends to be whole, ``nothing`` no body."""


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, for how many requests (`FOR_GOOD`: all), and for which.

    ``path`` has to occur in the request's host, path and query.  ``after`` lets that many fitting
    requests pass before.  ``retry_after`` and ``delay`` are in seconds.
    """

    kind: str
    times: int = 1
    path: str = ""
    after: int = 0
    retry_after: float | None = None
    delay: float = 5.0


class Faults:
    """The queue, safe to fill while the server answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: list[Fault] = []

    def append(self, fault: Fault) -> None:
        with self._lock:
            self._queue.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._queue)

    def take(self, target: str) -> Fault | None:
        """The fault that this request meets; it is spent when its ``times`` are over."""
        with self._lock:
            for place, fault in enumerate(self._queue):
                if fault.path not in target:
                    continue
                if fault.after:
                    self._queue[place] = replace(fault, after=fault.after - 1)
                    continue
                if fault.times == 1:
                    del self._queue[place]
                elif fault.times != FOR_GOOD:
                    self._queue[place] = replace(fault, times=fault.times - 1)
                return fault
        return None
