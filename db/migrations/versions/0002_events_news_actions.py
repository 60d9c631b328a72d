"""Events, guidance, corporate actions and news."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import BIG, INSTANT, columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _actions()
    _events()
    _news()
    _guidance()
    _news_links()
    _revisions()


def downgrade() -> None:
    for table in (
        "revisions",
        "news_links",
        "guidance",
        "news",
        "events",
        "actions",
    ):
        op.drop_table(table)


def _actions() -> None:
    op.create_table(
        "actions",
        *columns(BIG, "id"),
        *columns(BIG, "instrument_id", null=True),
        *columns(sa.String(), "symbol", "kind"),
        *columns(sa.Date(), "ex_date"),
        *columns(sa.Integer(), "ordinal"),
        *columns(sa.Double(), "value"),
        *columns(sa.String(), "source"),
        *columns(INSTANT, "ingested_at"),
        *columns(sa.String(), "raw"),
        *columns(BIG, "batch_id", "row"),
        *columns(BIG, "superseded_by", null=True),
        sa.CheckConstraint("kind IN ('split', 'dividend')", name=op.f("ck_actions_kind")),
        sa.CheckConstraint("value > 0", name=op.f("ck_actions_value")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_actions_batch_id"),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name="fk_actions_instrument_id"
        ),
        sa.ForeignKeyConstraint(["superseded_by"], ["batches.id"], name="fk_actions_superseded_by"),
        sa.PrimaryKeyConstraint("id", name="pk_actions"),
    )
    op.create_index("ix_actions_batch_id", "actions", ["batch_id"])
    op.create_index("ix_actions_instrument_id_ex_date", "actions", ["instrument_id", "ex_date"])


def _events() -> None:
    op.create_table(
        "events",
        *columns(BIG, "id"),
        *columns(sa.String(), "kind"),
        *columns(BIG, "instrument_id", null=True),
        *columns(sa.String(), "symbol", "fiscal_period"),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name="fk_events_instrument_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_instrument_id", "events", ["instrument_id"])
    op.create_index("ix_events_symbol", "events", ["symbol"])


def _news() -> None:
    op.create_table(
        "news",
        *columns(BIG, "id"),
        *columns(sa.String(), "url", "url_key", "content_hash", "title", "title_key", "body"),
        *columns(INSTANT, "published_at"),
        *columns(sa.String(), "published_precision"),
        *columns(INSTANT, "event_at", null=True),
        *columns(sa.String(), "language", "provider"),
        *columns(sa.Double(), "sentiment", null=True),
        *columns(BIG, "cluster_id", null=True),
        *columns(sa.String(), "source"),
        *columns(INSTANT, "ingested_at"),
        *columns(sa.String(), "raw"),
        *columns(BIG, "batch_id", "row"),
        sa.CheckConstraint(
            "published_precision IN ('exact', 'date')", name=op.f("ck_news_precision")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_news_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_news"),
        sa.UniqueConstraint("content_hash", name="uq_news_content_hash"),
    )
    op.create_index("ix_news_batch_id", "news", ["batch_id"])
    op.create_index("ix_news_published_at", "news", ["published_at"])
    op.create_index("ix_news_url_key", "news", ["url_key"])


def _guidance() -> None:
    op.create_table(
        "guidance",
        *columns(BIG, "id"),
        *columns(BIG, "instrument_id", null=True),
        *columns(sa.String(), "symbol", "metric", "period"),
        *columns(sa.Double(), "low", "high", null=True),
        *columns(sa.String(), "unit"),
        *columns(sa.Double(), "consensus", null=True),
        *columns(BIG, "news_id", null=True),
        *columns(INSTANT, "announced_from", "announced_to"),
        *columns(sa.String(), "precision", "session"),
        *columns(INSTANT, "first_known_at"),
        *columns(sa.Boolean(), "first_known_proven"),
        *columns(INSTANT, "ingested_at"),
        *columns(sa.String(), "source", "raw"),
        *columns(BIG, "batch_id", "row"),
        sa.CheckConstraint("announced_from <= announced_to", name=op.f("ck_guidance_interval")),
        sa.CheckConstraint(
            "precision IN ('exact', 'session', 'date')", name=op.f("ck_guidance_precision")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_guidance_batch_id"),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name="fk_guidance_instrument_id"
        ),
        sa.ForeignKeyConstraint(["news_id"], ["news.id"], name="fk_guidance_news_id"),
        sa.PrimaryKeyConstraint("id", name="pk_guidance"),
    )
    op.create_index("ix_guidance_batch_id", "guidance", ["batch_id"])
    op.create_index("ix_guidance_instrument_id", "guidance", ["instrument_id"])


def _news_links() -> None:
    op.create_table(
        "news_links",
        *columns(BIG, "id", "news_id"),
        *columns(BIG, "instrument_id", null=True),
        *columns(sa.String(), "symbol", "how"),
        *columns(BIG, "batch_id"),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_news_links_batch_id"),
        sa.ForeignKeyConstraint(
            ["instrument_id"], ["instruments.id"], name="fk_news_links_instrument_id"
        ),
        sa.ForeignKeyConstraint(["news_id"], ["news.id"], name="fk_news_links_news_id"),
        sa.PrimaryKeyConstraint("id", name="pk_news_links"),
        sa.UniqueConstraint("news_id", "symbol", name="uq_news_links_news_id_symbol"),
    )
    op.create_index("ix_news_links_instrument_id", "news_links", ["instrument_id"])


def _revisions() -> None:
    op.create_table(
        "revisions",
        *columns(BIG, "id", "event_id"),
        *columns(sa.String(), "fiscal_period"),
        *columns(
            sa.Double(),
            "eps_estimate",
            "eps_actual",
            "revenue_estimate",
            "revenue_actual",
            null=True,
        ),
        *columns(sa.String(), "currency"),
        *columns(INSTANT, "announced_from", "announced_to"),
        *columns(sa.String(), "precision", "session"),
        *columns(INSTANT, "first_known_at"),
        *columns(sa.Boolean(), "first_known_proven"),
        *columns(INSTANT, "ingested_at"),
        *columns(sa.String(), "source", "raw"),
        *columns(BIG, "batch_id", "row"),
        sa.CheckConstraint("announced_from <= announced_to", name=op.f("ck_revisions_interval")),
        sa.CheckConstraint(
            "precision IN ('exact', 'session', 'date')", name=op.f("ck_revisions_precision")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_revisions_batch_id"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_revisions_event_id"),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
    )
    op.create_index("ix_revisions_batch_id", "revisions", ["batch_id"])
    op.create_index("ix_revisions_event_id", "revisions", ["event_id"])
