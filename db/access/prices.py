"""Bars: reading them and looking after their tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from db import horizon
from db.access.door import Door
from db.intervals import Interval

if TYPE_CHECKING:
    import pandas as pd

    from db.bars import Bars
    from db.maintenance import CleanReport


class Prices(Door):
    """What instruments traded at."""

    def bars(
        self,
        interval: Interval | str,
        *,
        instruments: Sequence[int] | None = None,
        since_us: int | None = None,
        until_us: int | None = None,
        source: str | None = None,
        version: int | None = None,
    ) -> Bars:
        """Bars of one source, sorted by (instrument, start).

        ``since_us <= start < until_us``, in microseconds since the epoch.  ``version`` reads the
        table as it was.  UsageError where several sources have what is asked for.
        """
        from db import maintenance
        from db.delta import reading

        wanted = reading.Wanted.of(instruments, since_us, until_us)
        table = self._table(Interval.parse(interval))
        adjusted = maintenance.adjustments(self._database, table.interval)
        bars = reading.read(table, adjusted, wanted, source, version)
        if horizon.horizon() is None:
            return bars
        return horizon.ended(bars, self._exchanges())

    def _exchanges(self) -> dict[int, str]:
        """The exchange of each instrument."""
        from db.records import listing

        with self._database.read() as connection:
            known = listing.instruments(connection)
        return dict(zip(known["instrument_id"], known["exchange"], strict=True))

    def bar_sources(self) -> pd.DataFrame:
        """Columns interval, source, adjusted, instruments, rows, first, last, version."""
        from db import maintenance

        return maintenance.bar_sources(self._database, self._table)

    def versions(self) -> dict[str, int]:
        """What would repeat a reading: the version of each bar table, and ``sql``."""
        from db import maintenance

        return maintenance.versions(self._database, self._table)

    def _recover(self) -> None:
        """Complete what a killed import left, unless a living one is at it."""
        from db import maintenance

        maintenance.recover(self._database, self._table)

    def compact(self) -> pd.DataFrame:
        """Merge small and overlapping files of bars; no answer changes.

        Columns table, files_before, files_after.
        """
        from db import maintenance

        return maintenance.compact(self._database, self._table, self._now)

    def clean(self, *, drop_versions: bool = False, dry_run: bool = False) -> CleanReport:
        """Delete files of bars that neither the current version nor a stored run needs.

        ``drop_versions`` keeps the current version alone and marks the runs that named others as
        not repeatable.  ``dry_run`` only says what would go.
        """
        from db import maintenance

        return maintenance.clean(
            self._database, self._table, self._now, drop_versions=drop_versions, dry_run=dry_run
        )
