"""The tables: what migrations make is what the models say, and older stores are brought there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from db import schema
from db.errors import StoreError
from db.models import Base
from db.store import Store
from tests.db.build import event, records
from tests.db.conftest import engine_of


def test_the_migrated_schema_is_that_of_the_models(nowhere):
    target, place = nowhere
    Store.open(target, bars=place, create=True).close()

    engine = engine_of(target)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        differences = compare_metadata(context, Base.metadata)
        checks = {
            name
            for table in Base.metadata.tables
            for name in (
                c["name"] for c in context.impl.dialect.get_check_constraints(connection, table)
            )
        }
    engine.dispose()

    assert differences == []
    # Alembic does not compare check constraints.
    assert checks == {
        constraint.name
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name.startswith("ck_")
    }


def test_the_newest_migration_is_the_one_this_program_expects():
    scripts = ScriptDirectory.from_config(schema.alembic_config())
    assert scripts.get_current_head() == schema.HEAD
    assert scripts.get_bases() == ["0001"]


def test_migrations_can_be_taken_back(nowhere):
    target, place = nowhere
    Store.open(target, bars=place, create=True).close()
    engine = engine_of(target)
    with engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "base")
        left = connection.dialect.get_table_names(connection)
    engine.dispose()

    assert left == ["alembic_version"]


def test_an_older_store_is_upgraded_when_it_opens(nowhere, monkeypatch, tmp_path):
    """A further migration is put beside the others in a copy of the package's folder."""
    target, place = nowhere
    with Store.open(target, bars=place, create=True) as store:
        store.ingest(records("e.csv", [event("AMD", "2020-01-29 21:05")]))
    copy = tmp_path / "migrations"
    shutil.copytree(Path(schema.__file__).parent / "migrations", copy)
    (copy / "versions" / "9999_notes.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision, down_revision, branch_labels, depends_on = '9999', '0003', None, None\n"
        "def upgrade():\n"
        "    with op.batch_alter_table('events') as events:\n"
        "        events.add_column(sa.Column('note', sa.String(), server_default='new'))\n"
        "def downgrade():\n    pass\n"
    )
    original = schema.alembic_config

    def with_copy(connection=None):
        config = original(connection)
        config.set_main_option("script_location", str(copy))
        return config

    monkeypatch.setattr(schema, "alembic_config", with_copy)
    monkeypatch.setattr(schema, "HEAD", "9999")

    with Store.open(target, bars=place) as store:
        assert store.events()["symbol"].tolist() == ["AMD"]
    engine = engine_of(target)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT note FROM events")).scalars().all() == ["new"]
    engine.dispose()

    monkeypatch.undo()
    with pytest.raises(StoreError, match=r"newer version \(its schema is 9999, .* up to 0003\)"):
        Store.open(target, bars=place)
