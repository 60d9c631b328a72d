"""Instruments, imports and runs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import BIG, INSTANT, columns

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _bar_sources()
    _batches()
    _counters()
    _instruments()
    _runs()
    _store_info()
    _rejects()
    _run_frames()
    _symbols()
    _trials()


def downgrade() -> None:
    for table in (
        "trials",
        "symbols",
        "run_frames",
        "rejects",
        "store_info",
        "runs",
        "instruments",
        "counters",
        "batches",
        "bar_sources",
    ):
        op.drop_table(table)


def _bar_sources() -> None:
    op.create_table(
        "bar_sources",
        *columns(sa.String(), "bar_interval", "source", "adjusted"),
        sa.CheckConstraint(
            "adjusted IN ('none', 'splits', 'all')", name=op.f("ck_bar_sources_adjusted")
        ),
        sa.PrimaryKeyConstraint("bar_interval", "source", name="pk_bar_sources"),
    )


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        *columns(
            sa.String(), "kind", "source", "origin", "content_hash", "bar_interval", "adjusted"
        ),
        *columns(sa.JSON(), "options"),
        *columns(INSTANT, "fetched_at", "ingested_at"),
        *columns(sa.String(), "status"),
        *columns(BIG, "added", "revised", "unchanged", "rejected"),
        *columns(sa.JSON(), "pending", null=True),
        *columns(BIG, "table_version", null=True),
        sa.CheckConstraint("status IN ('pending', 'done')", name=op.f("ck_batches_status")),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.UniqueConstraint(
            "content_hash",
            "source",
            "kind",
            "bar_interval",
            name="uq_batches_content_hash_source_kind_bar_interval",
        ),
    )


def _counters() -> None:
    op.create_table(
        "counters",
        *columns(sa.String(), "name"),
        *columns(BIG, "value"),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )


def _instruments() -> None:
    op.create_table(
        "instruments",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        *columns(sa.String(), "name", "exchange", "currency"),
        *columns(sa.Date(), "listed", "delisted", null=True),
        sa.PrimaryKeyConstraint("id", name="pk_instruments"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        *columns(BIG, "id"),
        *columns(INSTANT, "created_at"),
        *columns(sa.String(), "strategy", "source_hash"),
        *columns(sa.JSON(), "params"),
        *columns(sa.String(), "bar_interval"),
        *columns(sa.JSON(), "store_versions"),
        *columns(sa.String(), "program_version"),
        *columns(BIG, "seed", null=True),
        *columns(sa.String(), "hypothesis"),
        *columns(BIG, "trials"),
        *columns(sa.JSON(), "settings", "stats", "funnel"),
        *columns(sa.Double(), "seconds", null=True),
        *columns(sa.Boolean(), "repeatable"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )


def _store_info() -> None:
    op.create_table(
        "store_info",
        *columns(sa.String(), "key", "value"),
        sa.PrimaryKeyConstraint("key", name="pk_store_info"),
    )


def _rejects() -> None:
    op.create_table(
        "rejects",
        *columns(BIG, "id", "batch_id"),
        *columns(sa.String(), "origin"),
        *columns(BIG, "row"),
        *columns(sa.String(), "column", "value", "reason"),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["batches.id"], name="fk_rejects_batch_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rejects"),
    )
    op.create_index("ix_rejects_batch_id", "rejects", ["batch_id"])


def _run_frames() -> None:
    op.create_table(
        "run_frames",
        *columns(BIG, "run_id"),
        *columns(sa.String(), "name"),
        *columns(sa.LargeBinary(), "data"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name="fk_run_frames_run_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_run_frames"),
    )


def _symbols() -> None:
    op.create_table(
        "symbols",
        *columns(BIG, "id", "instrument_id"),
        *columns(sa.String(), "symbol"),
        *columns(sa.Date(), "valid_from", "valid_to", null=True),
        sa.CheckConstraint(
            "valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to",
            name=op.f("ck_symbols_order"),
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name="fk_symbols_instrument_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_symbols"),
    )
    op.create_index("ix_symbols_instrument_id", "symbols", ["instrument_id"])
    op.create_index("ix_symbols_symbol", "symbols", ["symbol"])


def _trials() -> None:
    op.create_table(
        "trials",
        *columns(BIG, "id"),
        *columns(BIG, "run_id", null=True),
        *columns(sa.String(), "hypothesis"),
        *columns(BIG, "n_trials"),
        *columns(INSTANT, "created_at"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_trials_run_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
    )
    op.create_index("ix_trials_hypothesis", "trials", ["hypothesis"])
