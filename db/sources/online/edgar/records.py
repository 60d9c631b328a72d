"""A filing as records: the release it bounds, and the press release in it as news."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.batches import EventRecord, NewsRecord, Provenance, RecordBatch, Reject
from db.calendar import Calendar
from db.sources.files.texts import shown
from db.sources.online.edgar.answers import Company, Document, Header
from db.sources.online.edgar.client import document_address
from db.sources.online.edgar.exhibit import Text, fiscal_period, headline
from db.sources.online.edgar.release import accepted_at, bound_of, public_at
from db.text.plain import clean_line

PROVIDER = "SEC EDGAR"
RESULTS = frozenset(("2.02", "12"))
"""Items under which results of operations are reported; 12 until August 2004."""


@dataclass(frozen=True)
class Refusal:
    """What of a filing cannot be had: the part, its file, the reason."""

    part: str
    file: str
    reason: str


@dataclass(frozen=True)
class Filing:
    """One filing with what was read of it; ``document`` is the one that ``text`` is from.

    ``row`` is its place among those asked for together.
    """

    row: int
    company: Company
    header: Header
    document: Document | None
    text: Text
    refused: Refusal | None = None

    @property
    def public(self) -> datetime:
        """When it could first be read (UTC)."""
        return public_at(self.header)

    @property
    def address(self) -> str:
        """Where everyone finds the document, or else the filing."""
        accession = self.header.accession
        file = self.document.file if self.document else f"{accession}-index.html"
        return document_address(self.company.cik, accession, file)

    @property
    def title(self) -> str:
        """The press release's headline, or what was filed by whom."""
        is_exhibit = self.document is not None and self.document.kind.startswith("EX-99")
        said = headline(self.text.body) if is_exhibit else ""
        items = ", ".join(item for item in self.header.items if not item.startswith("9."))
        about = f" item {items}" if items else ""
        return said or clean_line(f"FORM {self.header.form}{about}: {self.company.name}")

    @property
    def is_release(self) -> bool:
        """Whether it reports results for the first time; an amendment corrects what is out."""
        return not self.header.form.endswith("/A") and bool(RESULTS & set(self.header.items))

    def raw(self) -> str:
        """What the header says, as JSON; clock times as they stand there, New York's."""
        header = self.header
        return json.dumps(
            {
                "accession": header.accession,
                "cik": self.company.cik,
                "company": clean_line(self.company.name),
                "form": header.form,
                "items": list(header.items),
                "accepted_new_york": header.accepted.isoformat(),
                "filed": header.filed.isoformat(),
                "period": header.period.isoformat() if header.period else None,
                "url": self.address,
                **({"note": self.text.note} if self.text.note else {}),
            }
        )


def event_of(filing: Filing, symbol: str, calendar: Calendar) -> EventRecord:
    """The release that a filing bounds; it proves by when its content was known."""
    bound = bound_of(filing.header, calendar)
    return EventRecord(
        symbol=symbol,
        announced_from=bound.begin,
        announced_to=bound.end,
        precision=bound.precision,
        session=bound.session,
        fiscal_period=fiscal_period(filing.title, filing.header.filed, filing.company.year_end),
        first_known_at=bound.end,
        raw=filing.raw(),
        row=filing.row,
    )


def news_of(filing: Filing, symbol: str) -> NewsRecord:
    """The press release, known since the filing could be read."""
    return NewsRecord(
        title=filing.title,
        published_at=filing.public,
        url=filing.address,
        body=filing.text.body,
        provider=PROVIDER,
        event_at=accepted_at(filing.header),
        symbols=(symbol,),
        item_id=filing.header.accession,
        raw=filing.raw(),
        row=filing.row,
    )


@dataclass(frozen=True)
class Origin:
    """Who says it, what was asked for, and when."""

    source: str
    text: str
    fetched_at: datetime
    options: dict[str, str]

    def reject(self, refusal: Refusal, row: int) -> Reject:
        """What is not stored of the filing at this place among those asked for together."""
        return Reject(self.text, row, refusal.part, shown(refusal.file), refusal.reason)

    def batch(self, records: Sequence[Any], rejects: Sequence[Reject] = ()) -> RecordBatch[Any]:
        """Records of one kind; the hash is over what they say."""
        said = [repr(one) for one in (*records, *rejects)]
        identity = json.dumps([self.source, self.options, said], sort_keys=True)
        digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
        provenance = Provenance(self.source, self.text, digest, self.fetched_at, self.options)
        return RecordBatch(provenance, list(records), list(rejects))
