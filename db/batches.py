"""Typed batches: what every importer returns and the store's one ingest path takes.

An importer never writes to the store.  It reads a source, checks each row, and yields a batch of
accepted records beside the rejected ones; `Store.ingest` writes both, once, however often it is
called with the same content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Generic, Literal, TypeVar

import pyarrow as pa

from db.intervals import Interval

Precision = Literal["exact", "session", "date"]
SessionLabel = Literal["pre", "regular", "post", ""]
Adjustment = Literal["none", "splits", "all"]

_PRICES = ("open", "high", "low", "close")
_BAR_TYPES: dict[str, pa.DataType] = {
    "symbol": pa.string(),
    "start": pa.timestamp("us", tz="UTC"),
    **dict.fromkeys(_PRICES, pa.float64()),
    "volume": pa.float64(),  # null where the source gives none
}
BAR_SCHEMA = pa.schema(_BAR_TYPES)


@dataclass(frozen=True)
class Provenance:
    """Where a batch came from.

    ``content_hash`` is the SHA-256 of the bytes read *and* of the options that change their
    meaning (time zone, mapping, adjustment), so that the same file read the same way is the same
    batch.  ``origin`` is what a person would recognise: a path, a URL, ``-`` for standard input.
    """

    source: str
    origin: str
    content_hash: str
    fetched_at: datetime
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reject:
    """One refused row: ``row`` counts from 1 at the first line of data."""

    origin: str
    row: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class BarChunk:
    """Some accepted bars in `BAR_SCHEMA` order and the rejects found beside them."""

    bars: pa.Table
    rejects: Sequence[Reject] = ()


@dataclass(frozen=True)
class BarBatch:
    """Bars of one file, streamed: ``chunks`` is consumed once and never held whole."""

    provenance: Provenance
    interval: Interval
    adjusted: Adjustment
    chunks: Iterator[BarChunk]
    rows_expected: int | None = None


@dataclass(frozen=True)
class EventRecord:
    """What one source says of one earnings release.

    ``announced_from``/``announced_to`` (UTC) bound the release: equal for ``exact``.
    ``first_known_at`` is None where the source does not prove when it could have been known; the
    store then takes the fetch time and marks it unproven.
    """

    symbol: str
    announced_from: datetime
    announced_to: datetime
    precision: Precision
    session: SessionLabel
    fiscal_period: str = ""
    eps_estimate: float | None = None
    eps_actual: float | None = None
    revenue_estimate: float | None = None
    revenue_actual: float | None = None
    currency: str = "USD"
    first_known_at: datetime | None = None
    raw: str = ""
    row: int = 0


@dataclass(frozen=True)
class GuidanceRecord:
    """A company's own outlook for one metric and period, in single units of ``unit``."""

    symbol: str
    metric: str
    period: str
    low: float | None
    high: float | None
    unit: str
    consensus: float | None
    announced_from: datetime
    announced_to: datetime
    precision: Precision
    session: SessionLabel
    first_known_at: datetime | None = None
    raw: str = ""
    row: int = 0


@dataclass(frozen=True)
class ActionRecord:
    """A split (``value`` new shares for one old) or a cash dividend (``value`` per share)."""

    symbol: str
    kind: Literal["split", "dividend"]
    ex_date: date
    value: float
    raw: str = ""
    row: int = 0


FactMetric = Literal["revenue", "net_income", "eps", "capex", "users", "margin"]
FactKind = Literal["reported", "guidance"]


@dataclass(frozen=True)
class TextFact:
    """A figure that a text states of a company.

    ``low`` and ``high`` are in single units of ``unit`` (a currency, ``users``, ``ratio``), equal
    for one value and None where only a ``change`` (a fraction) is stated.  ``period`` is fiscal
    (``2025Q4``, ``2025FY``) and empty where it cannot be told.  ``company`` is as the sentence
    writes it, ``symbol`` the instrument that is meant, where that is known.  ``begin`` and ``end``
    are the places of ``sentence`` in the text that was read, in characters.
    """

    metric: FactMetric
    kind: FactKind
    low: float | None
    high: float | None
    unit: str
    change: float | None = None
    basis: Literal["yoy", "qoq", ""] = ""
    period: str = ""
    consensus: float | None = None
    direction: Literal["above", "below", "in line", ""] = ""
    previous: float | None = None
    qualifier: Literal["about", "over", "under", ""] = ""
    company: str = ""
    symbol: str = ""
    sentence: str = ""
    begin: int = 0
    end: int = 0


@dataclass(frozen=True)
class TextReaction:
    """How a text says that the stock moved; told, never a price.  ``size`` is a fraction."""

    move: Literal["rose", "fell", "flat"]
    size: float | None
    session: SessionLabel
    sentence: str = ""
    begin: int = 0
    end: int = 0


SURE = 0.8
"""From this confidence on an instrument that was read out of a text counts as meant by it."""


@dataclass(frozen=True)
class FoundLink:
    """An instrument found in a text: ``how``, and how sure from 0 to 1."""

    symbol: str
    how: str
    confidence: float


@dataclass(frozen=True)
class NewsRecord:
    """One published item.  ``published_precision`` ``date`` means known at that day's end.

    ``symbols`` are those that the source names, ``found`` those that were read out of the text.
    ``item_id`` is the source's own number.  ``facts`` and ``reactions`` are what the text says.
    """

    title: str
    published_at: datetime
    published_precision: Literal["exact", "date"] = "exact"
    url: str = ""
    body: str = ""
    language: str = ""
    provider: str = ""
    event_at: datetime | None = None
    symbols: Sequence[str] = ()
    found: Sequence[FoundLink] = ()
    item_id: str = ""
    facts: Sequence[TextFact] = ()
    reactions: Sequence[TextReaction] = ()
    sentiment: float | None = None
    raw: str = ""
    row: int = 0


Record = TypeVar("Record", EventRecord, GuidanceRecord, ActionRecord, NewsRecord)


@dataclass(frozen=True)
class RecordBatch(Generic[Record]):
    """All records of one kind from one file."""

    provenance: Provenance
    records: Sequence[Record]
    rejects: Sequence[Reject] = ()


@dataclass(frozen=True)
class IngestReport:
    """What became of a batch; ``added + revised + unchanged + rejected`` is what was read."""

    batch_id: int
    origin: str
    added: int
    revised: int
    unchanged: int
    rejected: int
    already_imported: bool = False
