"""Asking EDGAR: each question is one request over the line, its answer typed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from db.errors import DataError
from db.sources.fetching.source import Setup, UnreadableAnswerError
from db.sources.online.edgar.answers import (
    NEWER,
    Company,
    GarbledError,
    Header,
    Listed,
    Page,
    company_of,
    filings_of,
    header_of,
    parsed,
    text_of,
)
from db.sources.online.edgar.exhibit import is_whole
from db.sources.online.edgar.identity import checked_identity
from db.sources.online.edgar.library import instead_of_its_own, library, manager_for

T = TypeVar("T")

CANONICAL = "https://www.sec.gov"
"""Where filings are for everyone, whatever mirror they were fetched from."""

_SITE = "<title>SEC.gov |"
"""Pages of the site itself begin so: what a maintenance or a block shows in place of a filing."""


class NotThereError(DataError):
    """EDGAR has nothing at this address."""


class Client:
    """Asks EDGAR as ``identity``; ``setup.line`` paces and repeats."""

    def __init__(self, setup: Setup) -> None:
        self._line = setup.line
        self._identity = checked_identity(setup.options.get("identity", ""))
        self._manager = manager_for(setup, self._identity)

    def tickers(self) -> Mapping[str, int]:
        """The company number of each ticker that the SEC lists today.

        Asked for rather than taken from the table that edgartools carries: tickers change hands.
        """

        def read(data: Any) -> dict[str, int]:
            return {str(row["ticker"]).upper(): int(row["cik_str"]) for row in data.values()}

        url = f"{_base()}/files/company_tickers.json"
        return self._ask(url, lambda body: parsed(body, read, "the list of tickers"))

    def company(self, cik: int) -> Company:
        """A company and its newest filings; NotThereError where there is no such number."""
        url = f"{_data()}/submissions/CIK{cik:010d}.json"
        return self._ask(url, lambda body: parsed(body, company_of, "the company's page"))

    def older(self, page: Page) -> Sequence[Listed]:
        """The filings of one of a company's older pages."""
        url = f"{_data()}/submissions/{page.name}"
        return self._ask(
            url, lambda body: parsed(body, filings_of, "an older page of the company's filings")
        )

    def header(self, cik: int, accession: str) -> Header:
        """The header of a filing, with the list of its files.

        From the page made of the header alone: the whole submission can have 100 MB.
        """
        url = f"{_folder(_base(), cik, accession)}/{accession}-index-headers.html"

        def read(body: bytes) -> Header:
            header = header_of(text_of(body))
            if header.accession != accession:
                raise GarbledError(f"EDGAR sent the header of {header.accession[:25]!r}")
            return header

        return self._ask(url, read)

    def document(self, cik: int, accession: str, file: str) -> tuple[str, str]:
        """One file of a filing, markup and all, and a note where it has no end.

        Some are filed without one: what ends early however often it is asked for is as filed.
        """
        last = ""

        def read(body: bytes) -> str:
            nonlocal last
            text = text_of(body)
            if not text.strip() or _SITE in text[:2_000]:
                raise GarbledError("EDGAR sent " + ("a web page" if text.strip() else "nothing"))
            last = text
            if not is_whole(text):
                raise GarbledError("EDGAR sent half a document")
            return text

        try:
            return self._ask(f"{_folder(_base(), cik, accession)}/{file}", read), ""
        except UnreadableAnswerError:
            if not last:
                raise
        return last, "it has no end"

    def _ask(self, url: str, read: Callable[[bytes], T]) -> T:
        """What ``read`` makes of the answer, asked for as often as the line sees fit."""
        edgar = library()

        def once() -> T:
            with instead_of_its_own(edgar, self._manager):
                body = edgar.requests.get_with_retry(url, identity=self._identity).content
            return read(body)

        try:
            return self._line.call(once)
        except GarbledError as error:
            what = error.what
        raise UnreadableAnswerError(
            f"{what}, however often it was asked",
            where=url,
            hint=NEWER,
        )


def document_address(cik: int, accession: str, file: str) -> str:
    """Where everyone finds a file of a filing."""
    return f"{_folder(CANONICAL, cik, accession)}/{file}"


def _folder(base: str, cik: int, accession: str) -> str:
    return f"{base}/Archives/edgar/data/{cik}/{accession.replace('-', '')}"


def _base() -> str:
    """Edgartools' own variables, but read at each request and not when it is imported."""
    return os.environ.get("EDGAR_BASE_URL", CANONICAL).rstrip("/")


def _data() -> str:
    return os.environ.get("EDGAR_DATA_URL", "https://data.sec.gov").rstrip("/")
