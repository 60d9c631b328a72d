"""Stores to test on: the same tests run on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text, update

from db.models import Base, Counter
from db.store import Store
from tests.db.postgres import Server, running_server

NOW = datetime(2024, 1, 2, 12, 30, tzinfo=UTC)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """Where a store is, and how to open it (again)."""

    target: str
    bars: Path

    @property
    def is_postgres(self) -> bool:
        return "://" in self.target

    def open(self, *, now: Callable[[], datetime] = lambda: NOW) -> Store:
        return Store.open(self.target, bars=str(self.bars), now=now)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's folder as `Store.open(create=True)` leaves it, to copy from."""
    folder = tmp_path_factory.mktemp("empty") / "store"
    Store.open(folder, create=True).close()
    return folder


@pytest.fixture(scope="session")
def database(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database as `Store.open(create=True)` leaves it, emptied before every test.

    A database of its own for each test would take half a second to copy.
    """
    url = postgres.create("store")
    Store.open(url, bars=str(tmp_path_factory.mktemp("bars")), create=True).close()
    engine = create_engine(url)
    yield engine
    engine.dispose()


def _empty(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                "WHERE datname = 'store' AND pid <> pg_backend_pid()"))  # fmt: skip
        for table in reversed(Base.metadata.sorted_tables):
            if table.name not in ("store_info", "counters"):
                connection.execute(table.delete())
        connection.execute(update(Counter).values(value=0))


@pytest.fixture
def sqlite_place(empty_folder: Path, tmp_path: Path) -> Place:
    folder = tmp_path / "store"
    shutil.copytree(empty_folder, folder)
    return Place(str(folder), folder / "bars")


@pytest.fixture
def postgres_place(database: Engine, tmp_path: Path) -> Place:
    _empty(database)
    return Place(database.url.render_as_string(hide_password=False), tmp_path / "bars")


@pytest.fixture
def new_database(postgres: Server) -> Iterator[str]:
    """The URL of a database without a table."""
    name = f"new_{next(_numbers)}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    """An empty store, once on each database."""
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.open() as opened:
        yield opened


@pytest.fixture
def fresh(place: Place, request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Place]:
    """Makes empty stores of the same kind as ``place``, one after the other."""

    def make() -> Place:
        folder = tmp_path / f"fresh-{next(_numbers)}"
        if place.is_postgres:
            _empty(request.getfixturevalue("database"))
            return Place(place.target, folder)
        shutil.copytree(request.getfixturevalue("empty_folder"), folder)
        return Place(str(folder), folder / "bars")

    return make


@pytest.fixture(params=["sqlite", "postgres"])
def nowhere(request, tmp_path) -> tuple[str, str]:
    """Target and bars of a store that is not there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "new" / "store"), str(tmp_path / "new" / "store" / "bars")
    return request.getfixturevalue("new_database"), str(tmp_path / "bars")


def engine_of(target: str):
    return create_engine(target if "://" in target else f"sqlite:///{target}/store.db")
