"""What news items say: figures of companies and moves of their stocks, as text states them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigId


class _Place:
    """The sentence that says so, and where it stands in the item's body, in characters."""

    news_id: Mapped[int] = mapped_column(ForeignKey("news.id"))
    sentence: Mapped[str]
    begin: Mapped[int]
    end: Mapped[int]


class StatedFact(_Place, Base):
    """A figure that an item states; see `db.batches.TextFact`.

    ``instrument_id`` is null where the text does not tell whose figure it is.
    """

    __tablename__ = "text_facts"
    __table_args__ = (
        CheckConstraint("kind IN ('reported', 'guidance')", name="kind"),
        Index(None, "news_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    instrument_id: Mapped[int | None] = mapped_column(ForeignKey("instruments.id"))
    symbol: Mapped[str]
    company: Mapped[str]
    metric: Mapped[str]
    kind: Mapped[str]
    low: Mapped[float | None]
    high: Mapped[float | None]
    unit: Mapped[str]
    qualifier: Mapped[str]
    change: Mapped[float | None]
    basis: Mapped[str]
    period: Mapped[str]
    consensus: Mapped[float | None]
    direction: Mapped[str]
    previous: Mapped[float | None]


class StatedReaction(_Place, Base):
    """How an item says that the stock moved; see `db.batches.TextReaction`."""

    __tablename__ = "text_reactions"
    __table_args__ = (
        CheckConstraint("move IN ('rose', 'fell', 'flat')", name="move"),
        Index(None, "news_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    move: Mapped[str]
    size: Mapped[float | None]
    session: Mapped[str]
