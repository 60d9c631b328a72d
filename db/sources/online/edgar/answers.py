"""EDGAR's answers, typed: companies, their lists of filings, headers, documents.

edgartools reads them.  What it cannot read is either half an answer, which another attempt may
complete, or a form that it does not know, and then the error names what is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from db.sources.fetching.source import UnavailableError, UnreadableAnswerError
from db.sources.online.edgar.library import library

T = TypeVar("T")

NEWER = 'a newer edgartools may know it: pip install --upgrade "edgartools<6"'

_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
_FILE = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)*", re.ASCII)
_PAGE = re.compile(r"CIK\d{10}-submissions-\d{3,4}\.json")
_DOCUMENT = re.compile(
    r"&lt;TYPE&gt;(?P<kind>[^\n&<]{1,40})\n(?:&lt;SEQUENCE&gt;\d*\s*)?"
    r"&lt;FILENAME&gt;(?P<file>[^\n&<]{1,200})",
    re.IGNORECASE,
)
_FILERS = re.compile(r"^\s*<(?:FILER|FILED-BY|SUBJECT-COMPANY)>", re.MULTILINE)
_END = re.compile(r"&lt;/SEC-DOCUMENT&gt;|</html>\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Listed:
    """A filing as a company's list has it; ``filed`` is the date that the SEC gave it."""

    accession: str
    form: str
    filed: date
    items: frozenset[str]
    primary: str


@dataclass(frozen=True)
class Page:
    """A file with older filings of a company, and the dates in it."""

    name: str
    first: date
    last: date


@dataclass(frozen=True)
class Company:
    """A company as EDGAR knows it; ``year_end`` is the month in which its fiscal year ends."""

    cik: int
    name: str
    tickers: Sequence[str]
    year_end: int | None
    filings: Sequence[Listed]
    pages: Sequence[Page]


@dataclass(frozen=True)
class Document:
    """One file of a filing: ``kind`` is ``8-K``, ``EX-99.1`` and the like."""

    kind: str
    file: str


@dataclass(frozen=True)
class Header:
    """The header of a filing.  ``accepted`` is New York clock time, without a zone."""

    accession: str
    form: str
    accepted: datetime
    filed: date
    period: date | None
    items: Sequence[str]
    documents: Sequence[Document]


class GarbledError(UnavailableError):
    """It came whole and is not what it should be; a second attempt often is."""


def parsed(body: bytes, read: Callable[[Any], T], what: str) -> T:
    """What edgartools' parsers make of an answer; UnreadableAnswerError names what is missing."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        page = body[:64].lstrip().lower().startswith((b"<!doctype", b"<html"))
        told = "a web page" if page else "something" if body.strip() else "nothing"
        raise GarbledError(f"EDGAR sent {told} instead of JSON") from None
    try:
        return read(data)
    except KeyError as error:
        missing = f"has no {error.args[0]!r} any more"
    except (ValueError, TypeError, AttributeError, IndexError) as error:
        missing = f"has another form than edgartools knows ({type(error).__name__})"
    raise UnreadableAnswerError(
        f"{what} {missing}",
        where="EDGAR",
        hint=NEWER,
    )


def company_of(data: Any) -> Company:
    parsed = library().data.parse_entity_submissions(data)
    year_end = str(parsed.fiscal_year_end or "")[:2]
    return Company(
        cik=parsed.cik,
        name=str(parsed.name),
        tickers=[str(ticker).upper() for ticker in parsed.tickers],
        year_end=int(year_end) if year_end.isdigit() and 1 <= int(year_end) <= 12 else None,
        filings=_listed(parsed.filings.data),
        pages=[
            Page(
                name=_safe(_PAGE, page["name"]),
                first=date.fromisoformat(page["filingFrom"]),
                last=date.fromisoformat(page["filingTo"]),
            )
            for page in parsed.files
        ],
    )


def filings_of(data: Any) -> list[Listed]:
    return _listed(library().data.extract_company_filings_table(data))


def _listed(table: Any) -> list[Listed]:
    """Rows of a list of filings; names that are none would become addresses, and are refused."""
    columns = ("accession_number", "form", "filing_date", "items", "primaryDocument")
    rows = zip(*(table[name].to_pylist() for name in columns), strict=True)
    return [
        Listed(
            accession=_safe(_ACCESSION, accession),
            form=str(form or "").strip().upper(),
            filed=filed,
            items=frozenset(part.strip() for part in (items or "").split(",") if part.strip()),
            primary=primary if _FILE.fullmatch(primary or "") else "",
        )
        for accession, form, filed, items, primary in rows
    ]


def _safe(pattern: re.Pattern[str], text: Any) -> str:
    if not isinstance(text, str) or not pattern.fullmatch(text):
        raise ValueError
    return text


def header_of(page: str) -> Header:
    """The header in a page's first comment, read by edgartools, and the files listed after it."""
    begin = page.find("<!--")
    end = page.find("-->", begin)
    if begin < 0 or end < 0 or not _END.search(page, end):
        raise GarbledError("EDGAR sent half a filing header")
    # Alone, since lxml can take hours over markup that is built to be nested badly; and up to the
    # filers, who are told by the company's page and whose oddities edgartools refuses.
    comment = f"<html><head>{_FILERS.split(page[begin:end], maxsplit=1)[0]}-->"
    try:
        read = library().headers.IndexHeaders.load(comment)
        accepted, filed = read.acceptance_datetime, read.filing_date
        return Header(
            accession=_safe(_ACCESSION, read.accession_number.strip()),
            form=read.form.strip().upper(),
            accepted=accepted,
            filed=date.fromisoformat(filed),
            period=_day(read.period),
            items=tuple(item.strip() for item in read.items),
            documents=_documents(page[end:]),
        )
    except (KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        failed = type(error).__name__
    raise UnreadableAnswerError(
        f"EDGAR sent a filing header that edgartools cannot read ({failed})",
        where="EDGAR",
        hint=NEWER,
    )


def _documents(listing: str) -> tuple[Document, ...]:
    found = _DOCUMENT.finditer(listing.replace("\r\n", "\n"))
    documents = [Document(one["kind"].strip().upper(), one["file"].strip()) for one in found]
    return tuple(one for one in documents if _FILE.fullmatch(one.file))


def _day(text: str | None) -> date | None:
    """``20230201`` as a date, None for what is no date."""
    try:
        return date.fromisoformat(text.strip()) if text else None
    except ValueError:
        return None


def text_of(body: bytes) -> str:
    """Filings are UTF-8, or what Windows wrote."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")
