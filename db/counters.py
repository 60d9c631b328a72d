"""The store's counters: ids given out once, and the version of its relational half."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from db.models import Counter


def take(connection: Connection, name: str) -> int:
    """The last number given out (0: none yet)."""
    return connection.scalars(select(Counter.value).where(Counter.name == name)).one()


def bump(connection: Connection, name: str, *, to: int | None = None) -> int:
    """Advance a counter by one, or to at least ``to``; returns its new value."""
    value = Counter.value + 1 if to is None else func.max(Counter.value, to)
    if to is not None and connection.dialect.name == "postgresql":
        value = func.greatest(Counter.value, to)
    changed = update(Counter).where(Counter.name == name).values(value=value)
    return connection.scalars(changed.returning(Counter.value)).one()
