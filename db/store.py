"""The store: the one door to everything that is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from db import batch_log, schema
from db.access.facts import Facts
from db.access.fetching import Fetching
from db.access.ledger import Ledger
from db.access.prices import Prices
from db.database import Database
from db.errors import StoreError
from db.location import Location, locate

if TYPE_CHECKING:
    from db.batches import BarBatch, IngestReport, RecordBatch


def utcnow() -> datetime:
    """The current instant; the default of every ``now=``."""
    return datetime.now(UTC)


class Store(Facts, Prices, Ledger, Fetching):
    """Events, news, prices, imports and runs, in a folder or behind a pair of URLs.

    Open it with `Store.open`, as a context manager or with `close`.  Every method opens its own
    transaction; several processes may use one store at once.  Failures of the database or of the
    files raise `StoreError`, wrong arguments `UsageError`.
    """

    @classmethod
    def open(
        cls,
        target: str | Path | None = None,
        *,
        bars: str | None = None,
        create: bool = False,
        now: Callable[[], datetime] = utcnow,
    ) -> Store:
        """Open a store, creating it first where ``create`` is set.

        ``target`` is a folder, or the URL of a PostgreSQL database with a folder or object-store
        URL as ``bars``; where they are None, BACKTEST_STORE and BACKTEST_BARS say, then
        ``./store``.  An older store is upgraded.  What a killed import left is completed.

        StoreError: no store there (and ``create`` is False), a damaged one, or a newer one.
        """
        location = locate(target, bars)
        _prepare_folder(location, create=create)
        database = Database(location)
        try:
            if create:
                schema.create(database)
            schema.check(database)
            with database.read() as connection:
                store_id = schema.store_id(connection)
                interrupted = batch_log.has_pending(connection)
            store = cls(database, store_id, now)
            if interrupted:
                store._recover()
        except BaseException:
            database.close()
            raise
        return store

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self._database.location.shown!r})"

    def ingest(
        self,
        batch: BarBatch | RecordBatch[Any],
        *,
        progress: Callable[[int], None] | None = None,
        dry_run: bool = False,
    ) -> IngestReport:
        """Import a batch: all of it or, if the process dies, nothing.

        The same content a second time adds nothing.  Bars that say something else about a known
        key revise it, in a new version of the table; records that do become revisions beside the
        old ones.  ``progress`` is called with the number of further rows read.  ``dry_run``
        reports what would happen and changes nothing.

        A symbol not seen before becomes an instrument.  Bars of a symbol that names nothing on
        their date are rejected; other records are kept without an instrument.
        """
        from db.batches import BarBatch
        from db.records.ingest import ingest as ingest_records

        if not isinstance(batch, BarBatch):
            with self._turn():
                return ingest_records(
                    self._database, batch, now=self._now, progress=progress, dry_run=dry_run
                )
        from db.delta.ingest import BarIngest

        bars = BarIngest(self._database, self._table, self._now)
        return bars.run(batch, progress=progress, dry_run=dry_run)


def _prepare_folder(location: Location, *, create: bool) -> None:
    """Make the folder, or say that there is no store in it."""
    folder = location.folder
    if folder is None:
        return
    if create:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"the folder cannot be made: {error.strerror}", where=str(folder)
            ) from error
    elif not (folder / "store.db").exists():
        raise StoreError("there is no store here", where=str(folder), hint="backtest init")
