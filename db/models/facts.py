"""What happened to companies: earnings events, guidance, corporate actions, news."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigId, UtcDateTime


class _Release:
    """A release time as an interval: equal ends where it is exact."""

    announced_from: Mapped[datetime] = mapped_column(UtcDateTime)
    announced_to: Mapped[datetime] = mapped_column(UtcDateTime)
    precision: Mapped[str]
    session: Mapped[str] = mapped_column(default="")


class _Known:
    """When we could first have known a fact, whether that is proven, and where it came from."""

    first_known_at: Mapped[datetime] = mapped_column(UtcDateTime)
    first_known_proven: Mapped[bool]
    ingested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[str]
    raw: Mapped[str] = mapped_column(default="")
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    row: Mapped[int] = mapped_column(BigId, default=0)


class Event(Base):
    """The identity of an earnings release; all that is said of it is in its revisions.

    ``instrument_id`` is null where the symbol named no instrument on that date.
    """

    __tablename__ = "events"
    __table_args__ = (Index(None, "instrument_id"), Index(None, "symbol"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kind: Mapped[str] = mapped_column(default="earnings")
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instruments.id"))
    symbol: Mapped[str]
    fiscal_period: Mapped[str] = mapped_column(default="")


class Revision(_Release, _Known, Base):
    """What one source said of one event, and from when on that could be known."""

    __tablename__ = "revisions"
    __table_args__ = (
        CheckConstraint("announced_from <= announced_to", name="interval"),
        CheckConstraint("precision IN ('exact', 'session', 'date')", name="precision"),
        Index(None, "event_id"),
        Index(None, "batch_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    fiscal_period: Mapped[str] = mapped_column(default="")
    eps_estimate: Mapped[float | None]
    eps_actual: Mapped[float | None]
    revenue_estimate: Mapped[float | None]
    revenue_actual: Mapped[float | None]
    currency: Mapped[str] = mapped_column(default="USD")


class Guidance(_Release, _Known, Base):
    """A company's outlook for one metric and period, as one source gave it.

    Its event is found by instrument and release time when it is read, so that it does not matter
    which of the two was imported first.
    """

    __tablename__ = "guidance"
    __table_args__ = (
        CheckConstraint("announced_from <= announced_to", name="interval"),
        CheckConstraint("precision IN ('exact', 'session', 'date')", name="precision"),
        Index(None, "instrument_id"),
        Index(None, "batch_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instruments.id"))
    symbol: Mapped[str]
    metric: Mapped[str]
    period: Mapped[str]
    low: Mapped[float | None]
    high: Mapped[float | None]
    unit: Mapped[str]
    consensus: Mapped[float | None]
    news_id: Mapped[int | None] = mapped_column(ForeignKey("news.id"))


class Action(Base):
    """A split or a cash dividend; a corrected one keeps its old row, marked as superseded.

    ``ordinal`` tells apart several payments of one kind that go ex on one date.
    """

    __tablename__ = "actions"
    __table_args__ = (
        CheckConstraint("kind IN ('split', 'dividend')", name="kind"),
        CheckConstraint("value > 0", name="value"),
        Index(None, "instrument_id", "ex_date"),
        Index(None, "batch_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instruments.id"))
    symbol: Mapped[str]
    kind: Mapped[str]
    ex_date: Mapped[date]
    ordinal: Mapped[int] = mapped_column(default=0)
    value: Mapped[float]
    source: Mapped[str]
    ingested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    raw: Mapped[str] = mapped_column(default="")
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    row: Mapped[int] = mapped_column(BigId, default=0)
    superseded_by: Mapped[int | None] = mapped_column(ForeignKey("batches.id"))


class News(Base):
    """One published item.

    ``published_at`` is when a reader could have had it: the end of the day where its
    ``published_precision`` is ``date``.
    ``cluster_id`` is the first item of those that say the same within 24 hours, itself included.
    """

    __tablename__ = "news"
    __table_args__ = (
        CheckConstraint("published_precision IN ('exact', 'date')", name="precision"),
        UniqueConstraint("content_hash"),
        Index(None, "url_key"),
        Index(None, "published_at"),
        Index(None, "batch_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    url: Mapped[str] = mapped_column(default="")
    url_key: Mapped[str] = mapped_column(default="")
    content_hash: Mapped[str]
    title: Mapped[str]
    title_key: Mapped[str]
    body: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_precision: Mapped[str] = mapped_column(default="exact")
    event_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    language: Mapped[str] = mapped_column(default="")
    provider: Mapped[str] = mapped_column(default="")
    item_id: Mapped[str] = mapped_column(default="", server_default=text("''"))
    sentiment: Mapped[float | None]
    cluster_id: Mapped[int | None] = mapped_column(BigId)
    source: Mapped[str]
    ingested_at: Mapped[datetime] = mapped_column(UtcDateTime)
    raw: Mapped[str] = mapped_column(default="")
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
    row: Mapped[int] = mapped_column(BigId, default=0)


class NewsLink(Base):
    """An item and an instrument it is about: ``how`` that was found, and how sure, from 0 to 1.

    Which event it is about follows from the two times, and is worked out when it is read.
    """

    __tablename__ = "news_links"
    __table_args__ = (UniqueConstraint("news_id", "symbol"), Index(None, "instrument_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    news_id: Mapped[int] = mapped_column(ForeignKey("news.id"))
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instruments.id"))
    symbol: Mapped[str]
    how: Mapped[str]
    confidence: Mapped[float] = mapped_column(default=1.0, server_default="1")
    batch_id: Mapped[int] = mapped_column(ForeignKey("batches.id"))
