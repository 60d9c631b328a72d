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
    """Counts what is done and shows itself once the work has lasted longer than `PATIENCE`.

    With the number done, how many a second, and, where the ``total`` is known, the time left.
    """

    def __init__(
        self,
        label: str,
        total: int | None,
        *,
        visible: bool,
        unit: str = "rows",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.label = label
        self.total = total
        self.unit = unit
        self.visible = visible
        self.clock = clock
        self.started = clock()
        self.done = 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def advance(self, rows: int) -> None:
        """That many more are done."""
        self.done += rows
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self.done)
        elif self.visible and self.clock() - self.started >= PATIENCE:
            self._show()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            ProgressColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(show_speed=False),
            TextColumn("{task.fields[speed]}"),
        ]
        if self.total is not None:
            columns.append(TimeRemainingColumn(compact=True))
        self._bar = Progress(
            *columns,
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
    """How many so far and how many a second, worked out when it is drawn."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter

    def __str__(self) -> str:
        seconds = max(self.meter.clock() - self.meter.started, 1e-9)
        rate = self.meter.done / seconds
        shown = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        return f"{self.meter.done:,} {self.meter.unit}, {shown}/s"


@contextmanager
def progress(
    label: str, total: int | None = None, *, unit: str = "rows"
) -> Iterator[Callable[[int], None]]:
    """Yields a function to be called with the number of ``unit`` just done."""
    meter = Meter(label, total, visible=sys.stderr.isatty(), unit=unit)
    try:
        yield meter.advance
    finally:
        meter.stop()
