"""What online sources were asked for, what texts state, and fiscal years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import BIG, INSTANT, columns

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instruments", sa.Column("fiscal_year_end", sa.Integer(), nullable=True))
    op.add_column(
        "news", sa.Column("item_id", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    op.add_column(
        "news_links", sa.Column("confidence", sa.Double(), nullable=False, server_default="1")
    )
    _fetches()
    _text_facts()
    _text_reactions()


def downgrade() -> None:
    for table in ("text_reactions", "text_facts", "fetches"):
        op.drop_table(table)
    op.drop_column("news_links", "confidence")
    op.drop_column("news", "item_id")
    op.drop_column("instruments", "fiscal_year_end")


def _fetches() -> None:
    op.create_table(
        "fetches",
        *columns(BIG, "id"),
        *columns(sa.String(), "source", "kind", "subject", "stored_as"),
        *columns(BIG, "instrument_id", null=True),
        *columns(sa.String(), "bar_interval", "phases"),
        *columns(sa.JSON(), "options"),
        *columns(INSTANT, "since", "until"),
        *columns(sa.String(), "status"),
        *columns(BIG, "rows"),
        *columns(sa.String(), "note"),
        *columns(INSTANT, "fetched_at"),
        sa.CheckConstraint(
            "status IN ('done', 'unknown', 'failed')", name=op.f("ck_fetches_status")
        ),
        sa.CheckConstraint("since <= until", name=op.f("ck_fetches_range")),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name="fk_fetches_instrument_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_fetches"),
    )
    op.create_index(
        "ix_fetches_source_kind_subject_bar_interval",
        "fetches",
        ["source", "kind", "subject", "bar_interval"],
    )


def _text_facts() -> None:
    op.create_table(
        "text_facts",
        *columns(BIG, "id"),
        *columns(BIG, "instrument_id", null=True),
        *columns(sa.String(), "symbol", "company", "metric", "kind"),
        *columns(sa.Double(), "low", "high", null=True),
        *columns(sa.String(), "unit", "qualifier"),
        *columns(sa.Double(), "change", null=True),
        *columns(sa.String(), "basis", "period"),
        *columns(sa.Double(), "consensus", null=True),
        *columns(sa.String(), "direction"),
        *columns(sa.Double(), "previous", null=True),
        *columns(BIG, "news_id"),
        *columns(sa.String(), "sentence"),
        *columns(sa.Integer(), "begin", "end"),
        sa.CheckConstraint("kind IN ('reported', 'guidance')", name=op.f("ck_text_facts_kind")),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name="fk_text_facts_instrument_id"
        ),
        sa.ForeignKeyConstraint(["news_id"], ["news.id"], name="fk_text_facts_news_id"),
        sa.PrimaryKeyConstraint("id", name="pk_text_facts"),
    )
    op.create_index("ix_text_facts_news_id", "text_facts", ["news_id"])


def _text_reactions() -> None:
    op.create_table(
        "text_reactions",
        *columns(BIG, "id"),
        *columns(sa.String(), "move"),
        *columns(sa.Double(), "size", null=True),
        *columns(sa.String(), "session"),
        *columns(BIG, "news_id"),
        *columns(sa.String(), "sentence"),
        *columns(sa.Integer(), "begin", "end"),
        sa.CheckConstraint("move IN ('rose', 'fell', 'flat')", name=op.f("ck_text_reactions_move")),
        sa.ForeignKeyConstraint(["news_id"], ["news.id"], name="fk_text_reactions_news_id"),
        sa.PrimaryKeyConstraint("id", name="pk_text_reactions"),
    )
    op.create_index("ix_text_reactions_news_id", "text_reactions", ["news_id"])
