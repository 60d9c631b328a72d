"""What online sources were asked for, and what came."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigId, UtcDateTime


class Fetch(Base):
    """One answer, or the lack of one: a kind of data about one subject in a range of instants.

    ``done`` means that all the source has from ``since`` to ``until`` is stored, ``rows`` being
    how much that was: none is an answer too.  ``unknown`` says that the source knows no such
    subject, ``failed`` that it could not be read.  ``options`` are those that change what comes,
    ``stored_as`` is the source that the store's rows name.
    """

    __tablename__ = "fetches"
    __table_args__ = (
        CheckConstraint("status IN ('done', 'unknown', 'failed')", name="status"),
        CheckConstraint("since <= until", name="range"),
        Index(None, "source", "kind", "subject", "bar_interval"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    source: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    stored_as: Mapped[str]
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instruments.id"))
    bar_interval: Mapped[str] = mapped_column(default="")
    phases: Mapped[str] = mapped_column(default="")
    options: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str]
    rows: Mapped[int] = mapped_column(BigId, default=0)
    note: Mapped[str] = mapped_column(default="")
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime)
