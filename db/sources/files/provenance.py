"""Who said it, when it was read, and what makes two readings the same batch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from db.batches import Provenance
from db.errors import UsageError
from db.sources.files.source import Source

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def to_us(instant: datetime) -> int:
    """Microseconds since 1970; UsageError for a datetime without a zone."""
    if instant.tzinfo is None:
        raise UsageError(f"the time {instant} carries no zone", where="now")
    return (instant - EPOCH) // timedelta(microseconds=1)


def to_datetime(us: int) -> datetime:
    """An aware UTC datetime."""
    return EPOCH + timedelta(microseconds=us)


def provenance_of(
    source: Source, name: str | None, fetched_at: datetime, options: Mapping[str, str | None]
) -> Provenance:
    """Provenance of one file, with the SHA-256 of its bytes and of the options that were set."""
    said = {key: value for key, value in options.items() if value}
    said_by = name or "file"
    identity = json.dumps([source.sha256, said_by, said], sort_keys=True)
    digest = hashlib.sha256(identity.encode()).hexdigest()
    return Provenance(said_by, source.origin, digest, fetched_at, said)
