"""Creating a store's tables, bringing older ones up to date, refusing newer ones."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, inspect, select, text

from db.database import Database
from db.errors import StoreError
from db.models import Counter, StoreInfo

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0003"
"""The revision this program reads and writes; a test holds it equal to the newest migration."""

COUNTERS = ("batch", "instrument", "sql")
_INIT_HINT = "backtest init"


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for the packaged migrations, bound to ``connection``."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "db:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def create(database: Database) -> None:
    """Bring an empty database to `HEAD`; StoreError where it holds something else."""
    with (
        database.translated(),
        database.lock.hold(),
        database.write("creating the tables") as connection,
    ):
        if revision(connection) is not None:
            return
        _refuse_foreign(database, connection)
        _upgrade(connection)
        connection.execute(insert(StoreInfo), [{"key": "store_id", "value": uuid.uuid4().hex}])
        connection.execute(insert(Counter), [{"name": name, "value": 0} for name in COUNTERS])


def check(database: Database) -> None:
    """Make sure the database is a store of this version; upgrades an older one in place.

    StoreError: no store, another program's database, or one written by a newer version.
    """
    with database.read() as connection:
        found = revision(connection)
        if found is None:
            _refuse_foreign(database, connection)
            raise StoreError(
                "there is no store here yet", where=database.location.shown, hint=_INIT_HINT
            )
    if found == HEAD:
        return
    if found not in _known_revisions():
        raise StoreError(
            f"the store was written by a newer version (its schema is {found}, this program "
            f"knows up to {HEAD})",
            where=database.location.shown,
            hint="pip install --upgrade aftershock",
        )
    with (
        database.translated(),
        database.lock.hold(),
        database.write("upgrading the tables") as connection,
    ):
        _upgrade(connection)


def store_id(connection: Connection) -> str:
    """The identity that ties the bar tables to this database."""
    return connection.scalars(select(StoreInfo.value).where(StoreInfo.key == "store_id")).one()


def revision(connection: Connection) -> str | None:
    """The schema's revision, or None in a database that is not a store."""
    tables = inspect(connection)
    if not (tables.has_table("alembic_version") and tables.has_table("store_info")):
        return None
    rows = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return str(rows[0]) if rows else None


def _refuse_foreign(database: Database, connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if tables:
        raise StoreError(
            f"this database belongs to something else (it has a table {sorted(tables)[0]!r})",
            where=database.location.shown,
            hint="name another folder, or an empty database",
        )


def _upgrade(connection: Connection) -> None:
    from alembic import command

    command.upgrade(alembic_config(connection), "head")


def _known_revisions() -> set[str]:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    return {script.revision for script in scripts.walk_revisions()}
