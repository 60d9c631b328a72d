"""Where a batch of Yahoo's came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from db.batches import ActionRecord, EventRecord, NewsRecord, Provenance


def provenance(
    source: str,
    origin: str,
    fetched_at: datetime,
    records: Sequence[ActionRecord | EventRecord | NewsRecord],
    options: Mapping[str, str] | None = None,
) -> Provenance:
    """Provenance with the SHA-256 of what the records say; when that was fetched is no part."""
    said = [{**asdict(record), "first_known_at": None} for record in records]
    text = json.dumps([source, said, dict(options or {})], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Provenance(source, origin, digest, fetched_at, dict(options or {}))
