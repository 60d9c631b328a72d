"""A progress bar with rows a second, on standard error, only where somebody can see it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE = 1.0
"""Seconds after which work is long enough to be shown."""


class Meter:
    """Counts rows and shows itself once the work has lasted longer than `PATIENCE`."""

    def __init__(
        self,
        label: str,
        total: int | None,
        *,
        visible: bool,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.label = label
        self.total = total
        self.visible = visible
        self.clock = clock
        self.started = clock()
        self.done = 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def advance(self, rows: int) -> None:
        """That many more rows are done."""
        self.done += rows
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self.done)
        elif self.visible and self.clock() - self.started >= PATIENCE:
            self._show()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(show_speed=False),
            TextColumn("{task.fields[speed]}"),
            console=Console(stderr=True),
            transient=True,
            get_time=self.clock,
        )
        self._task = self._bar.add_task(
            self.label, total=self.total, completed=self.done, speed=_Speed(self)
        )
        self._bar.start()

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class _Speed:
    """Rows so far and rows a second, worked out when it is drawn."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def __str__(self) -> str:
        seconds = max(self.meter.clock() - self.meter.started, 1e-9)
        return f"{self.meter.done:,} rows, {self.meter.done / seconds:,.0f} rows/s"


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Yields a function to be called with the number of rows just done."""
    meter = Meter(label, total, visible=sys.stderr.isatty())
    try:
        yield meter.advance
    finally:
        meter.stop()
