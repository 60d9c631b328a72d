"""SEC EDGAR, as far as filings of one company are asked for: tickers, lists, headers, documents.

By hand::

    python -m tests.fakes.edgar --port 8009
    EDGAR_BASE_URL=http://127.0.0.1:8009 EDGAR_DATA_URL=http://127.0.0.1:8009 \\
        EDGAR_IDENTITY="Ada Example ada@example.com" backtest ingest edgar META --since 2022-01-01
"""

from __future__ import annotations

import argparse
import gzip
import sys
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache
from html import escape
from typing import Any

from tests.fakes.faults import Fault
from tests.fakes.server import FakeServer, Request, Response

CUTOFF = 17, 30
"""What is accepted later gets the next business day's date."""
COLUMNS = (
    *("accessionNumber", "filingDate", "reportDate", "acceptanceDateTime", "act", "form"),
    *("fileNumber", "filmNumber", "items", "size", "isXBRL", "isInlineXBRL"),
    *("primaryDocument", "primaryDocDescription"),
)
TOO_OFTEN = "<h1>You've Exceeded the SEC's Traffic Limit</h1> Request Rate Threshold Exceeded"
UNDECLARED = "<h1>Your Request Originates from an Undeclared Automated Tool</h1>"
WEB_PAGE = "<!DOCTYPE html>\n<html><head><title>SEC.gov | Maintenance</title></head>soon</html>"
_ADDRESS = dict.fromkeys(
    ("street1", "street2", "city", "stateOrCountry", "zipCode", "stateOrCountryDescription"), ""
)


@dataclass(frozen=True)
class Document:
    """One file of a filing."""

    kind: str
    file: str
    body: str | bytes

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else self.body.encode()


@dataclass(frozen=True)
class Filing:
    """A filing; ``accepted`` is New York clock time and ``period`` the date of the report."""

    accession: str
    accepted: datetime
    documents: Sequence[Document] = ()
    form: str = "8-K"
    items: tuple[str, ...] = ("2.02", "9.01")
    period: date | None = None
    dated: date | None = None

    @property
    def filed(self) -> date:
        """The date that the SEC gives it."""
        day = self.accepted.date()
        if self.dated is None and (self.accepted.hour, self.accepted.minute) >= CUTOFF:
            day += timedelta(days=1)
            while day.weekday() > 4:
                day += timedelta(days=1)
        return self.dated or day


@dataclass
class Company:
    """A company; ``year_end`` is a month and a day."""

    cik: int
    name: str
    tickers: list[str]
    filings: list[Filing] = field(default_factory=list)
    former: tuple[str, ...] = ()
    year_end: str = "1231"


class FakeEdgar(FakeServer):
    """Knows the companies it is given; lists hold ``page`` filings, newest first.

    Answers nobody who gives no mail address.  Its own faults: ``shutout``, ``undeclared``,
    ``webpage``, ``half`` (and well packed), ``columns``, ``duplicates``, ``empty``, ``unlisted``,
    ``other`` (another filing's header), ``moved`` (to itself), ``bomb`` (200 MB of blanks in a
    gzip), ``flood`` (40 MB).
    """

    def __init__(
        self, companies: Iterable[Company] = (), *, page: int = 1000, port: int = 0
    ) -> None:
        super().__init__(port=port)
        self.companies = {company.cik: company for company in companies}
        self.page = page

    def answer(self, request: Request, fault: Fault | None) -> Response:
        kind = fault.kind if fault else ""
        agent = request.headers.get("user-agent", "")
        if kind == "undeclared" or "@" not in agent:
            return Response.text(UNDECLARED, status=403, kind="text/html")
        if kind == "shutout":
            return Response.text(TOO_OFTEN, status=403, kind="text/html")
        if kind == "webpage":
            return Response.text(WEB_PAGE, kind="text/html")
        if kind == "bomb":
            return Response(bomb(), 200, {"Content-Encoding": "gzip"})
        if kind == "moved":
            return Response(b"", 301, {"Location": request.path})
        if kind == "flood":
            return Response(b"<html>" + b"flood " * 7_000_000 + b"</html>")
        found = self._found(request.path, kind)
        if kind == "half":
            found = replace(found, body=found.body[: len(found.body) // 2])
        return self._packed(request, found)

    def _found(self, path: str, kind: str) -> Response:
        parts = path.strip("/").split("/")
        if path == "/files/company_tickers.json":
            return Response.json(self._tickers(kind))
        if parts[0] == "submissions" and len(parts) == 2:
            return self._submissions(parts[1], kind)
        if parts[:3] == ["Archives", "edgar", "data"] and len(parts) == 6:
            return self._file(int(parts[3]), parts[4], parts[5], kind)
        return _not_there()

    def _packed(self, request: Request, response: Response) -> Response:
        """Gzip for who takes it, as the SEC asks one to."""
        if "gzip" not in request.headers.get("accept-encoding", "") or response.status != 200:
            return response
        headers = {**response.headers, "Content-Encoding": "gzip"}
        return Response(gzip.compress(response.body, 1), response.status, headers)

    def _tickers(self, kind: str) -> dict[str, Any]:
        rows = [
            {"cik_str": company.cik, "ticker": ticker, "title": company.name}
            for company in self.companies.values()
            for ticker in company.tickers
            if kind != "unlisted"
        ]
        return {str(number): row for number, row in enumerate(rows)}

    def _submissions(self, name: str, kind: str) -> Response:
        company = self.companies.get(int(name[3:13])) if name[3:13].isdigit() else None
        if company is None:
            return _not_there()
        filings = sorted(company.filings, key=lambda one: one.accepted, reverse=True)
        pages = [filings[at : at + self.page] for at in range(0, len(filings), self.page)] or [[]]
        if "-submissions-" in name:
            number = int(name.rpartition("-")[2].partition(".")[0])
            if number >= len(pages):
                return _not_there()
            page = pages[number] + (pages[number - 1] if kind == "duplicates" else [])
            return Response.json(_columns(page, kind))
        return Response.json(_company(company, [] if kind == "empty" else pages[0], pages, kind))

    def _file(self, cik: int, folder: str, name: str, kind: str) -> Response:
        company = self.companies.get(cik)
        filings = company.filings if company else []
        filing = next((one for one in filings if one.accession.replace("-", "") == folder), None)
        if company is None or filing is None:
            return _not_there()
        if name == f"{filing.accession}-index-headers.html":
            shown = filings[filings.index(filing) - 1] if kind == "other" else filing
            return Response.text(header_page(company, shown), kind="text/html")
        found = next((one for one in filing.documents if one.file == name), None)
        if found is None:
            return _not_there()
        return Response(found.data, 200, {"Content-Type": "text/html"})


@cache
def bomb() -> bytes:
    """A small gzip of a large page."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    blanks = b" " * (1 << 20)
    parts = [packing.compress(b"<html>"), *(packing.compress(blanks) for _ in range(200))]
    return b"".join([*parts, packing.flush()])


def _not_there() -> Response:
    return Response.text("<Error><Code>NoSuchKey</Code></Error>", status=404, kind="text/xml")


def _company(
    company: Company, recent: list[Filing], pages: list[list[Filing]], kind: str
) -> dict[str, Any]:
    files = [
        {
            "name": f"CIK{company.cik:010d}-submissions-{number:03d}.json",
            "filingCount": len(page),
            "filingFrom": min(one.filed for one in page).isoformat(),
            "filingTo": max(one.filed for one in page).isoformat(),
        }
        for number, page in enumerate(pages)
        if number
    ]
    names = [
        {"name": name, "from": "2005-05-06T00:00:00.000Z", "to": "2021-10-28T00:00:00.000Z"}
        for name in company.former
    ]
    texts = dict.fromkeys(
        (
            *("entityType", "sic", "sicDescription", "ein", "description", "website", "category"),
            *("investorWebsite", "stateOfIncorporation", "stateOfIncorporationDescription"),
            *("phone", "flags"),
        ),
        "",
    )
    return {
        **texts,
        "cik": f"{company.cik:010d}",
        "name": company.name,
        "tickers": company.tickers,
        "exchanges": ["Nasdaq"] * len(company.tickers),
        "fiscalYearEnd": company.year_end,
        "insiderTransactionForOwnerExists": 0,
        "insiderTransactionForIssuerExists": 1,
        "addresses": {"mailing": _ADDRESS, "business": _ADDRESS},
        "formerNames": names,
        "filings": {"recent": _columns(recent, kind), "files": files},
    }


def _columns(filings: list[Filing], kind: str) -> dict[str, list[Any]]:
    rows = [_row(filing) for filing in filings]
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    if kind == "columns":
        columns["itemList"] = columns.pop("items")
    return columns


def _row(filing: Filing) -> dict[str, Any]:
    return {
        "accessionNumber": filing.accession,
        "filingDate": filing.filed.isoformat(),
        "reportDate": filing.period.isoformat() if filing.period else "",
        # New York's clock, with the mark of another zone: so it stands there for many companies.
        "acceptanceDateTime": filing.accepted.isoformat(timespec="milliseconds") + "Z",
        "act": "34",
        "form": filing.form,
        "fileNumber": "001-35551",
        "filmNumber": "23577111",
        "items": ",".join(filing.items),
        "size": 250_000,
        "isXBRL": 1,
        "isInlineXBRL": 1,
        "primaryDocument": filing.documents[0].file if filing.documents else "",
        "primaryDocDescription": filing.form,
    }


def header_page(company: Company, filing: Filing) -> str:
    """The page made of a filing's header: once as a comment, once to be seen."""
    lines = [
        f"<SEC-HEADER>{filing.accession}.hdr.sgml : {filing.filed:%Y%m%d}",
        f"<ACCEPTANCE-DATETIME>{filing.accepted:%Y%m%d%H%M%S}",
        f"<ACCESSION-NUMBER>{filing.accession}",
        f"<TYPE>{filing.form}",
        f"<PUBLIC-DOCUMENT-COUNT>{len(filing.documents)}",
        *([f"<PERIOD>{filing.period:%Y%m%d}"] if filing.period else []),
        *(f"<ITEMS>{item}" for item in filing.items),
        f"<FILING-DATE>{filing.filed:%Y%m%d}",
        f"<DATE-OF-FILING-DATE-CHANGE>{filing.filed:%Y%m%d}",
        *("<FILER>", "<COMPANY-DATA>", f"<CONFORMED-NAME>{company.name}"),
        *(f"<CIK>{company.cik:010d}", f"<FISCAL-YEAR-END>{company.year_end}", "</COMPANY-DATA>"),
        *("<FILING-VALUES>", f"<FORM-TYPE>{filing.form}", "<ACT>34", "<FILE-NUMBER>001-35551"),
        *("<FILM-NUMBER>23577111", "</FILING-VALUES>"),
        *("<BUSINESS-ADDRESS>", "<STREET1>1 MAIN ST", "<CITY>MENLO PARK", "<STATE>CA"),
        *("<ZIP>94025", "<PHONE>650-543-4800", "</BUSINESS-ADDRESS>"),
        *("<MAIL-ADDRESS>", "<STREET1>1 MAIN ST", "<CITY>MENLO PARK", "</MAIL-ADDRESS>"),
        *(f"<FORMER-COMPANY>\n<FORMER-CONFORMED-NAME>{one}" for one in company.former[:1]),
        *(["<DATE-CHANGED>20050506\n</FORMER-COMPANY>"] if company.former else []),
        *("</FILER>", "</SEC-HEADER>"),
    ]
    shown = [f"<SEC-DOCUMENT>{filing.accession}-index.html : {filing.filed:%Y%m%d}", *lines[:2]]
    for number, document in enumerate(filing.documents, start=1):
        shown += ["<DOCUMENT>", f"<TYPE>{document.kind}", f"<SEQUENCE>{number}"]
        shown += [f"<FILENAME>{document.file}", f"<DESCRIPTION>{document.kind}", "<TEXT>"]
        shown += [f"@{document.file}@{number}@", "</DOCUMENT>"]
    shown.append("</SEC-DOCUMENT>")
    return (
        f"<HTML><HEAD><TITLE>SEC EDGAR Submission {filing.accession}</TITLE>\n<!--\n"
        + "\n".join(lines)
        + "\n-->\n</HEAD><BODY>\n<PRE>"
        + "\n".join(_line(line) for line in shown)
        + "</PRE></BODY></HTML>\n"
    )


def _line(line: str) -> str:
    if not line.startswith("@"):
        return escape(line)
    file, number = line.strip("@").split("@")
    return f'<a href="{file}">Document {number} - file: {file}</a><br>'


def wrapped(kind: str, file: str, body: str) -> Document:
    """A document between the lines that EDGAR puts around it."""
    text = (
        f"<DOCUMENT>\n<TYPE>{kind}\n<SEQUENCE>2\n<FILENAME>{file}\n<DESCRIPTION>{kind}\n<TEXT>\n"
        f"{body}\n</TEXT>\n</DOCUMENT>\n"
    )
    return Document(kind, file, text)


def press_release(headline: str, *paragraphs: str) -> str:
    """A press release as it is filed."""
    words = "".join(f"<p>{escape(one)}</p>\n" for one in paragraphs)
    return (
        "<HTML><HEAD><TITLE>EX-99.1</TITLE><style>p {margin: 0}</style></HEAD>\n<BODY>\n"
        "<p>Exhibit 99.1</p>\n<div><b>PRESS RELEASE</b></div>\n"
        f"<p align=center><b>{escape(headline)}</b></p>\n{words}</BODY></HTML>"
    )


def report(accession: str, accepted: str, headline: str = "", *said: str, **more: Any) -> Filing:
    """A report of results accepted at a New York clock time, with its press release."""
    at = datetime.fromisoformat(accepted)
    file = f"ex991-{accession[-6:]}.htm"
    documents = [wrapped("8-K", f"form8k-{accession[-6:]}.htm", "<html><p>Item 2.02</p></html>")]
    if headline:
        documents.append(wrapped("EX-99.1", file, press_release(headline, *said)))
    return Filing(accession, at, documents, **{"period": at.date(), **more})


def meta() -> Company:
    """A few true acceptance times of Meta's, with made-up texts."""
    told = "Revenue was $32,165 million, a decrease of 4% year-over-year."
    return Company(
        1326801,
        "Meta Platforms, Inc.",
        ["META"],
        [
            report(
                "0001326801-21-000065",
                "2021-10-25 16:05:41",
                "Facebook Reports Third Quarter 2021 Results",
                "Revenue was $29,010 million.",
            ),
            report(
                "0001326801-22-000016",
                "2022-02-02 16:05:17",
                "Meta Reports Fourth Quarter and Full Year 2021 Results",
                "Revenue was $33,671 million.",
            ),
            report(
                "0001326801-23-000010",
                "2023-02-01 16:05:12",
                "Meta Reports Fourth Quarter and Full Year 2022 Results",
                told,
            ),
        ],
        former=("Facebook Inc",),
    )


def _main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="A fake of SEC EDGAR on this machine.")
    parser.add_argument("--port", type=int, default=0)
    fake = FakeEdgar([meta()], port=parser.parse_args(arguments).port)
    print(f"export EDGAR_BASE_URL={fake.url} EDGAR_DATA_URL={fake.url}")
    print('export EDGAR_IDENTITY="Ada Example ada@example.com"', flush=True)
    fake.serve_by_hand()


if __name__ == "__main__":
    _main(sys.argv[1:])
