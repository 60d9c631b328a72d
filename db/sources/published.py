"""What articles and feeds share: when an item came out, and which batch it makes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime

from db.batches import NewsRecord, Provenance, Reject
from db.errors import UsageError
from db.sources.files.symbols import checked_symbol
from db.text.dates import Published, parse

HINT = "--published 2026-01-29T16:05-05:00, or --published 2026-01-29 where only the day is known"


def given(published: str | date | datetime | None, now: datetime) -> Published | None:
    """What the caller says; UsageError for what is no date, without a zone, or cannot be."""
    if published is None:
        return None
    if isinstance(published, datetime):
        if published.utcoffset() is None:
            raise UsageError(f"{published.isoformat()} has no time zone", where="--published")
        said: Published | None = Published(published.date(), published.astimezone(UTC))
    elif isinstance(published, date):
        said = Published(published)
    else:
        said = parse(published, midnight_is_time=True)
        if said is not None and said.at is None and ":" in published:
            raise UsageError(
                f"{published!r} has a time and no time zone",
                where="--published",
                hint=f"{published.strip()} America/New_York, or with its offset, or the day alone",
            )
    if said is None:
        raise UsageError(
            f"{published!r} is no date that can be read", where="--published", hint=HINT
        )
    fault = said.fault(now)
    if fault:
        raise UsageError(fault, where="--published")
    return said


def chosen(candidates: Sequence[tuple[str, str]]) -> tuple[str, str, Published] | None:
    """The first of several statements that is a date, made precise by another of that day.

    A page may say ``2026-01-29`` to machines and "29.01.2026, 22:05 Uhr MEZ" to people.
    """
    read = [(place, words, parse(words)) for place, words in candidates]
    dated = [(place, words, said) for place, words, said in read if said is not None]
    if not dated:
        return None
    first = dated[0]
    precise = (one for one in dated if one[2].at is not None and one[2].day == first[2].day)
    return first if first[2].at is not None else next(precise, first)


def symbols_of(symbols: Sequence[str]) -> tuple[str, ...]:
    """Symbols that the caller names, cleaned; UsageError for what is none."""
    return tuple(dict.fromkeys(checked_symbol(symbol) for symbol in symbols))


def provenance(
    source: str,
    origin: str,
    fetched_at: datetime,
    options: Mapping[str, str],
    records: Sequence[NewsRecord],
    rejects: Sequence[Reject],
) -> Provenance:
    """Identified by what was read and by the options, not by when or by a page's adverts."""
    said = {name: value for name, value in options.items() if value}
    content = [source, said, [asdict(one) for one in records], [asdict(one) for one in rejects]]
    text = json.dumps(content, sort_keys=True, default=_plain)
    return Provenance(source, origin, hashlib.sha256(text.encode()).hexdigest(), fetched_at, said)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
