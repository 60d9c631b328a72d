"""The writer lock: one import at a time decides what is new and commits it.

Readers never take it.  Both kinds vanish with the process that holds them, so that a killed
import blocks nobody.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from db.errors import StoreError

WAIT_SECONDS = 600.0
_ADVISORY_KEY = 0x5354_4F52_4557  # any constant: advisory locks are private to one database
_LOCK_NOT_AVAILABLE = "55P03"


class WriterLock(ABC):
    """Mutual exclusion between the writers of one store, across processes."""

    @abstractmethod
    @contextmanager
    def try_hold(self, wait: float) -> Iterator[bool]:
        """Hold the lock for the block; yields False where it stayed taken for ``wait`` seconds."""

    @contextmanager
    def hold(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Hold the lock for the block; StoreError when another writer keeps it longer."""
        with self.try_hold(wait) as held:
            if not held:
                raise StoreError(
                    f"another import has been writing for {wait:.0f} seconds",
                    hint="wait until it has finished, then run this again",
                )
            yield


class FileWriterLock(WriterLock):
    """A locked file in the store's folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def try_hold(self, wait: float) -> Iterator[bool]:
        from filelock import FileLock, Timeout

        lock = FileLock(self._path)
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()


class AdvisoryWriterLock(WriterLock):
    """PostgreSQL's advisory lock, which a connection of its own holds meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def try_hold(self, wait: float) -> Iterator[bool]:
        with self._engine.connect() as pooled:
            connection = pooled.execution_options(isolation_level="AUTOCOMMIT")
            try:
                yield _acquired(connection, wait)
            finally:
                _release(connection)


def _acquired(connection: Connection, wait: float) -> bool:
    key = {"key": _ADVISORY_KEY}
    if wait <= 0:
        return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key))
    limit = {"limit": f"{int(wait * 1000)}ms"}
    connection.execute(text("SELECT set_config('lock_timeout', :limit, false)"), limit)
    try:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), key)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            return False
        raise
    return True


def _release(connection: Connection) -> None:
    """Let go, and leave nothing on a connection that others will use."""
    try:
        connection.execute(text("SELECT pg_advisory_unlock_all()"))
        connection.execute(text("RESET lock_timeout"))
    except SQLAlchemyError:  # the server is gone, and the lock with it
        connection.invalidate()
