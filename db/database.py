"""Engine and transactions: the one place that talks to a database driver."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from db.crashpoints import crashpoint
from db.errors import MissingExtraError, StoreError
from db.location import Location
from db.locks import AdvisoryWriterLock, FileWriterLock, WriterLock

BUSY_SECONDS = 60


class Database:
    """Reads and writes in transactions; every failure of the driver becomes a `StoreError`."""

    def __init__(self, location: Location) -> None:
        self.location = location
        self.engine = _engine(location)
        self.lock: WriterLock = (
            FileWriterLock(location.folder / "writer.lock")
            if location.folder
            else AdvisoryWriterLock(self.engine)
        )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view of the database for the length of the block."""
        with self.translated(), self.engine.connect() as pooled:
            # SQLite's transactions are like that by themselves.
            level = {"isolation_level": "REPEATABLE READ"} if self.location.is_postgres else {}
            connection = pooled.execution_options(**level)
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, name: str) -> Iterator[Connection]:
        """One transaction: all of the block, or nothing of it.  ``name`` is for crash tests."""
        with self.translated():
            with self.engine.connect() as pooled:
                connection = pooled.execution_options(aftershock_immediate=True)
                with connection.begin():
                    yield connection
                    crashpoint(f"before {name}")
            crashpoint(f"after {name}")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what SQLAlchemy raises into a `StoreError` that names the store."""
        try:
            yield
        except DBAPIError as error:
            raise StoreError(
                _first_line(error.orig), where=self.location.shown, hint=_hint(error)
            ) from error
        except SQLAlchemyError as error:
            raise StoreError(_first_line(error), where=self.location.shown) from error

    def close(self) -> None:
        self.engine.dispose()


def _engine(location: Location) -> Engine:
    if location.is_postgres:
        try:
            return create_engine(location.url, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                error.name or "psycopg", extra="postgres", needed_for="a store in PostgreSQL"
            ) from error
    engine = create_engine(location.url)
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # Python's own handling would not open a transaction before DDL or SELECT.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "foreign_keys = ON",
        "journal_mode = WAL",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer that starts as a reader cannot wait for another writer: it fails at once.
    immediate = connection.get_execution_options().get("aftershock_immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _first_line(error: Any) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _hint(error: DBAPIError) -> str:
    text = str(error.orig).lower()
    if "not a database" in text or "malformed" in text:
        return "the file is damaged or belongs to another program; restore a copy of the folder"
    if "locked" in text:
        return "another process is writing; run this again when it has finished"
    if "connect" in text or "password" in text:
        return "check that the database server runs and that the URL is right"
    return ""
