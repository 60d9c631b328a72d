"""Instruments and the symbols they were known by."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.models.base import Base, BigId


class Instrument(Base):
    """Something that trades.  Its id never changes, whatever it is called.

    ``fiscal_year_end`` is the month in which its fiscal year ends; null is not known.
    """

    __tablename__ = "instruments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(default="")
    exchange: Mapped[str] = mapped_column(default="XNYS")
    currency: Mapped[str] = mapped_column(default="USD")
    listed: Mapped[date | None]
    delisted: Mapped[date | None]
    fiscal_year_end: Mapped[int | None]


class SymbolSpan(Base):
    """A symbol and the dates, both inclusive, on which it named one instrument.

    A null bound is open.  Spans of one symbol never overlap, so that a symbol and a date name at
    most one instrument.
    """

    __tablename__ = "symbols"
    __table_args__ = (
        CheckConstraint(
            "valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to", name="order"
        ),
        Index(None, "symbol"),
        Index(None, "instrument_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    instrument_id: Mapped[int] = mapped_column(ForeignKey("instruments.id"))
    symbol: Mapped[str]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
