"""The declarative base, its naming rules, and the one column type for instants."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import BigInteger, DateTime, Dialect, Integer, MetaData, String
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from db.errors import UsageError

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""Row ids: 64 bits everywhere; SQLite numbers rows by itself only where it reads INTEGER."""


class NaiveDatetimeError(UsageError, DontWrapMixin):
    """A datetime without a time zone was given where an instant is stored."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: stored as UTC, given and returned with a time zone.

    PostgreSQL keeps it as ``timestamptz``; SQLite as text that sorts as it should.  A naive
    datetime raises `NaiveDatetimeError`: nobody can tell later which zone it was meant in.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None or value.utcoffset() is None:
            raise NaiveDatetimeError(
                f"datetime {value.isoformat()} has no time zone",
                hint="give an aware datetime, such as datetime(..., tzinfo=timezone.utc)",
            )
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class SafeText(TypeDecorator[str]):
    """Text from anywhere.  What PostgreSQL or UTF-8 cannot hold becomes U+FFFD.

    That is NUL and lone surrogates, as damaged files contain them.  Both databases keep the same.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\x00" not in value):
            return value
        text = value.replace("\x00", "\ufffd")
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Base(DeclarativeBase):
    """Base of every model; constraints are named by rule, so that migrations can name them."""

    type_annotation_map: ClassVar = {str: SafeText}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
