"""Import runs: what was read from where, what was refused, and the counters of the store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigId, UtcDateTime


class StoreInfo(Base):
    """Facts about the store itself; ``store_id`` ties its bar tables to this database."""

    __tablename__ = "store_info"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Counter(Base):
    """Numbers given out once: ``batch`` and ``instrument`` ids, and ``sql``, the version."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int] = mapped_column(BigId)


class Batch(Base):
    """One import of one file.

    A batch of bars is ``pending`` from before its Delta commit until its counts are copied from
    that commit; every other batch is written ``done`` in one transaction.
    """

    __tablename__ = "batches"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'done')", name="status"),
        UniqueConstraint("content_hash", "source", "kind", "bar_interval"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    kind: Mapped[str]
    source: Mapped[str]
    origin: Mapped[str]
    content_hash: Mapped[str]
    bar_interval: Mapped[str] = mapped_column(default="")
    adjusted: Mapped[str] = mapped_column(default="")
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ingested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(default="done")
    added: Mapped[int] = mapped_column(BigId, default=0)
    revised: Mapped[int] = mapped_column(BigId, default=0)
    unchanged: Mapped[int] = mapped_column(BigId, default=0)
    rejected: Mapped[int] = mapped_column(BigId, default=0)
    pending: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    table_version: Mapped[int | None] = mapped_column(BigId)


class RejectedRow(Base):
    """One refused row of a batch; ``row`` counts from 1, 0 where only the bar is known."""

    __tablename__ = "rejects"
    __table_args__ = (Index(None, "batch_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id", ondelete="CASCADE"))
    origin: Mapped[str]
    row: Mapped[int] = mapped_column(BigId)
    column: Mapped[str]
    value: Mapped[str]
    reason: Mapped[str]


class BarSource(Base):
    """How one source's bars of one interval are adjusted; it never changes."""

    __tablename__ = "bar_sources"
    __table_args__ = (CheckConstraint("adjusted IN ('none', 'splits', 'all')", name="adjusted"),)

    bar_interval: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    adjusted: Mapped[str]
