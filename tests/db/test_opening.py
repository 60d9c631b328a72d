"""A store opens, is upgraded, or says in one sentence why not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from db import schema
from db.errors import MissingExtraError, StoreError, UsageError
from db.location import locate
from db.store import Store
from tests.db import processes
from tests.db.build import bars, event, records
from tests.db.conftest import engine_of


def test_no_store_is_said_and_what_to_do(nowhere):
    target, place = nowhere
    with pytest.raises(StoreError, match=r"no store here.*\n.*backtest init"):
        Store.open(target, bars=place)
    assert not Path(place).exists()


def test_creating_twice_keeps_what_is_there(nowhere):
    target, place = nowhere
    with Store.open(target, bars=place, create=True) as store:
        store.ingest(bars("a.csv", [("AAA", "2020-01-02", 10)]))
    with Store.open(target, bars=place, create=True) as store:
        assert len(store.bars("1d")) == 1


def test_a_database_of_another_program_is_refused(nowhere):
    target, place = nowhere
    if "://" not in target:
        Path(target).mkdir(parents=True)
    engine = engine_of(target)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(text("CREATE TABLE customers (id INTEGER)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('77aa')"))
    engine.dispose()

    for create in (False, True):
        with pytest.raises(StoreError, match="belongs to something else"):
            Store.open(target, bars=place, create=create)
    engine = engine_of(target)
    with engine.connect() as connection:
        assert sorted(connection.dialect.get_table_names(connection)) == [
            "alembic_version", "customers"
        ]  # fmt: skip
    engine.dispose()


@pytest.mark.parametrize("damage", ["text", "cut", "zeros"])
def test_a_damaged_file_is_said_in_one_sentence(sqlite_place, damage):
    with sqlite_place.open() as store:
        store.ingest(records("e.csv", [event("AMD", "2020-01-29 21:05", raw="x" * 5000)]))
    path = Path(sqlite_place.target, "store.db")
    whole = path.read_bytes()
    path.write_bytes(
        {
            "text": b"symbol,date\n" * 500,
            "cut": whole[: len(whole) // 3],
            "zeros": whole[:100] + bytes(len(whole) - 100),
        }[damage]
    )
    for extra in path.parent.glob("store.db-*"):
        extra.unlink()

    with (
        pytest.raises(StoreError, match=re.escape(sqlite_place.target)),
        sqlite_place.open() as store,
    ):
        store.events()


def test_a_file_where_the_folder_should_be_is_said(tmp_path):
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store.open(tmp_path / "store", create=True)
    with pytest.raises(StoreError, match="no store here"):
        Store.open(tmp_path / "store")


def test_an_empty_database_file_is_no_store_yet(tmp_path):
    (tmp_path / "store.db").touch()
    with pytest.raises(StoreError, match="no store here yet"):
        Store.open(tmp_path)
    Store.open(tmp_path, create=True).close()


def test_sqlite_is_set_up_for_several_processes(sqlite_place):
    with sqlite_place.open() as store, store._database.read() as connection:
        pragmas = ("journal_mode", "foreign_keys", "busy_timeout")
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas}

    assert found == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "busy_timeout": 60_000,
    }


def test_foreign_keys_are_enforced(store):
    with (
        pytest.raises(StoreError, match=r"(?i)foreign key"),
        store._database.write("x") as connection,
    ):
        connection.execute(text("INSERT INTO symbols (instrument_id, symbol) VALUES (77, 'X')"))


def test_a_folder_that_was_copied_is_a_store(sqlite_place, tmp_path):
    with sqlite_place.open() as store:
        store.ingest(bars("a.csv", [("AAA", "2020-01-02", 10)]))
    shutil.copytree(sqlite_place.target, tmp_path / "copy")

    with Store.open(tmp_path / "copy") as store:
        assert len(store.bars("1d")) == 1


def test_readers_are_not_held_up_by_a_writer(place):
    with (
        place.open() as reader,
        place.open() as writer,
        writer._database.lock.hold(),
        writer._database.write("x"),
    ):
        assert reader.events().empty
        assert len(reader.bars("1d")) == 0
        Store.open(place.target, bars=str(place.bars)).close()


def test_a_second_writer_waits_and_then_says_why(place):
    with place.open() as one, place.open() as two, one._database.lock.hold():
        with two._database.lock.try_hold(0) as held:
            assert not held
        with (
            pytest.raises(StoreError, match="another import has been writing"),
            two._database.lock.hold(wait=0.1),
        ):
            pass
    with place.open() as two, two._database.lock.try_hold(0) as held:
        assert held


def test_two_processes_can_create_one_store(nowhere):
    target, place = nowhere
    children = [processes.start(processes.import_all, target, place) for _ in range(2)]
    for child in children:
        child.join()

    assert [child.exitcode for child in children] == [0, 0]
    with Store.open(target, bars=place) as store:
        assert len(store.batches()) == len(processes.work())


def test_the_place_comes_from_the_call_then_the_environment_then_the_working_folder(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    assert locate(None, None).folder == tmp_path / "store"
    assert locate(None, None).bars == str(tmp_path / "store" / "bars")
    monkeypatch.setenv("BACKTEST_STORE", str(tmp_path / "other"))
    monkeypatch.setenv("BACKTEST_BARS", "s3://bucket/bars/")
    assert locate(None, None).folder == tmp_path / "other"
    assert locate(None, None).bars == "s3://bucket/bars"
    assert locate("here", "there").folder == tmp_path / "here"
    assert locate("here", "there").bars == str(tmp_path / "there")
    assert locate(tmp_path / "x", None).folder == tmp_path / "x"


def test_urls_are_understood_and_passwords_not_shown():
    found = locate("postgres://me:secret@host/db", "bars")
    assert found.url.drivername == "postgresql+psycopg"
    assert found.folder is None
    assert "secret" not in found.shown
    with pytest.raises(UsageError, match="place for its bars"):
        locate("postgresql://host/db", None)
    with pytest.raises(UsageError, match="'mysql'"):
        locate("mysql://host/db", "bars")
    with pytest.raises(UsageError, match="'sqlite'"):
        locate("sqlite:///file.db", None)
    with pytest.raises(UsageError, match="cannot be read"):
        locate("://", "bars")


def test_a_server_that_does_not_answer_is_said(tmp_path):
    with pytest.raises(StoreError, match="check that the database server runs") as caught:
        Store.open(f"postgresql://me:secret@/db?host={tmp_path}", bars="bars")
    assert "secret" not in str(caught.value)


def test_without_psycopg_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtraError, match=r'pip install "aftershock\[postgres\]"'):
        Store.open("postgresql://host/db", bars="bars")


def test_opening_a_store_imports_no_table_library(empty_folder):
    """Opening must stay quick for commands that print a few rows."""
    code = (
        "import sys; from db.store import Store; Store.open(sys.argv[1]).close();"
        "heavy = {'pandas', 'deltalake', 'alembic', 'psycopg', 'vectorbt'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(empty_folder)],
        capture_output=True, text=True, check=True, cwd=Path(schema.__file__).parents[1],
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
