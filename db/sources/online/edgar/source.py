"""What can be asked of EDGAR, and how its filings become parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from db.errors import DataError, UsageError
from db.sources.fetching.source import (
    Ask,
    Kind,
    Option,
    Part,
    Reach,
    Setup,
    Source,
    UnavailableError,
    UnknownSubjectError,
    UnreadableAnswerError,
)
from db.sources.online.edgar.identity import checked_identity

if TYPE_CHECKING:
    from db.batches import Reject
    from db.sources.online.edgar.answers import Company, Document, Header, Listed
    from db.sources.online.edgar.client import Client
    from db.sources.online.edgar.exhibit import Text
    from db.sources.online.edgar.records import Filing, Refusal

SETTLES = timedelta(minutes=10)
"""A filing may be that late on its company's list: the newest minutes are asked for again."""
SLACK = timedelta(days=7)
"""A filing that was dated back can be read that much later than its date says; none is earlier."""
NEW = timedelta(days=3)
"""Within these what cannot be had is asked for again in the next run, and later given up."""
TOGETHER = 4
"""Filings stored at a time."""
_READABLE = (".htm", ".html", ".txt")
_PRESS_RELEASE = ("EX-99.1", "EX-99.01", "EX-99")
_ITEM_2_02 = datetime(2004, 8, 23, tzinfo=UTC)


class Edgar(Source):
    """Asks the SEC's EDGAR, which is open to everyone who says who he is."""

    name = "edgar"
    title = "When results were filed with the SEC, and the press releases filed with them."
    example = "backtest ingest edgar META --since 2023-01-01"
    kinds = (Kind("filings", "times of releases, and press releases as news"),)
    options = (
        Option("form", "form of the filings; amendments (8-K/A) come with it", default="8-K"),
        Option(
            "item",
            "items of an 8-K, several with commas, or all; 2.02 is results of operations",
            default="2.02",
        ),
        Option("cik", "numbers of companies whose ticker the SEC no longer lists: TWTR=1418091"),
        Option(
            "identity",
            "your name and mail address: the SEC asks every program to say who uses it, and "
            'answers none that does not ("Ada Example ada@example.com"); stored nowhere',
            env="EDGAR_IDENTITY",
            required=True,
            kept=False,
        ),
    )
    pace = 8.0  # the SEC shuts out who asks more than ten times a second
    history = timedelta(days=5 * 365)

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._form = self._option("form").strip().upper()
        self._items = _items(self._option("item")) if self._form == "8-K" else frozenset()
        self._numbers = _numbers(self._option("cik"))
        checked_identity(self._option("identity"))

    def reach(self, kind: str, interval: str) -> Reach:
        """Item 2.02 has a first day; EDGAR's own is in 1993."""
        if self._items == {"2.02"}:
            return Reach(_ITEM_2_02, "there is no item 2.02 before 23 August 2004 (see item 12)")
        return Reach()

    def fetch(self, ask: Ask) -> Iterator[Part]:
        """Some filings at a time, by their filing date; see `Source.fetch`."""
        if ask.kind != "filings":
            raise UsageError(f"EDGAR has no {ask.kind!r}")
        company = self._company(ask.subject)
        known = min(ask.until, self.setup.now() - SETTLES)
        since = ask.since
        for some, following in _groups(self._listed(company, ask)):
            part = self._part(ask, company, some)
            until = min(_midnight(following), known) if following else known
            until = max(until, since)
            yield Part(since, until, part.batches, part.rows, part.notes)
            since = until
        if since < known:
            yield Part(since, known)

    def _company(self, subject: str) -> Company:
        """The company behind a ticker, as the SEC lists it today or ``--cik`` says."""
        from db.sources.online.edgar.client import NotThereError

        ticker = subject.strip().upper().replace(".", "-").replace("/", "-")
        number = self._numbers.get(subject.strip().upper()) or self._tickers.get(ticker)
        if number is None:
            raise UnknownSubjectError(
                f"the SEC lists no company with the ticker {ticker} today",
                where=subject,
                hint=f"--cik {ticker}=NUMBER where it is listed no more, or by another ticker",
            )
        try:
            return self._client.company(number)
        except NotThereError:
            raise UnknownSubjectError(
                f"EDGAR knows no company with the number {number}", where=subject
            ) from None

    def _listed(self, company: Company, ask: Ask) -> list[Listed]:
        """The filings that may belong to the answer, each once, oldest first."""
        first, last = _date(ask.since - SLACK), _date(ask.until)
        listed = list(company.filings)
        for page in company.pages:
            if page.first <= last and page.last >= first:
                listed += self._client.older(page)
        wanted = {
            one.accession: one
            for one in listed
            if one.form in (self._form, f"{self._form}/A")
            and first <= one.filed <= last
            and (not self._items or self._items & one.items)
        }
        return sorted(wanted.values(), key=lambda one: (one.filed, one.accession))

    def _part(self, ask: Ask, company: Company, some: Sequence[Listed]) -> Part:
        """What became of some filings; those outside of the range are left for their own."""
        from db.calendar import calendar
        from db.sources.online.edgar.records import Filing, Origin, Refusal, event_of, news_of

        asked = f"{self._form} {','.join(sorted(self._items))}".strip()
        dates = f"{some[0].filed:%Y-%m-%d}..{some[-1].filed:%Y-%m-%d}"
        origin = Origin(
            self.name,
            f"edgar {ask.subject} {asked} {dates}",
            self.setup.now(),
            {name: self._option(name) for name in ("form", "item")},
        )
        filings: list[Filing] = []
        rejects: list[Reject] = []
        for row, listed in enumerate(some, start=1):
            found = self._filing(ask, company, listed, row)
            refused = found if found is None or isinstance(found, Refusal) else found.refused
            if refused is not None:
                rejects.append(origin.reject(refused, row))
            if isinstance(found, Filing):
                filings.append(found)
        events = [event_of(one, ask.subject, calendar()) for one in filings if one.is_release]
        news = [news_of(one, ask.subject) for one in filings]
        batches = [origin.batch(events)] if events else []
        batches += [origin.batch(news, rejects)] if news or rejects else []
        notes = [f"{one.header.accession}: {one.text.note}" for one in filings if one.text.note]
        return Part(ask.since, ask.until, batches, len(filings) or len(rejects), notes)

    def _filing(
        self, ask: Ask, company: Company, listed: Listed, row: int
    ) -> Filing | Refusal | None:
        """A filing with its text, why it cannot be had, or None where it is out of the range."""
        from db.sources.online.edgar.client import NotThereError
        from db.sources.online.edgar.exhibit import Text
        from db.sources.online.edgar.records import Filing, Refusal
        from db.sources.online.edgar.release import public_at

        try:
            header = self._client.header(company.cik, listed.accession)
        except (NotThereError, UnreadableAnswerError) as error:
            self._wait_for_the_new(listed, error)
            if listed.filed < _date(ask.since):
                return None
            return Refusal("header", f"{listed.accession}-index-headers.html", error.what)
        if not ask.since <= public_at(header) < ask.until:
            return None
        document = told_in(header, listed)
        if document is None:
            return Filing(row, company, header, None, Text("", "it has no text that can be read"))
        text, refused = self._text(company, listed, document)
        return Filing(row, company, header, document, text, refused)

    def _text(
        self, company: Company, listed: Listed, document: Document
    ) -> tuple[Text, Refusal | None]:
        """The words of a document, or why they are missing: a release is known without them."""
        from db.sources.online.edgar.client import NotThereError
        from db.sources.online.edgar.exhibit import Text, read_text
        from db.sources.online.edgar.records import Refusal

        try:
            markup, note = self._client.document(company.cik, listed.accession, document.file)
        except (NotThereError, UnreadableAnswerError) as error:
            self._wait_for_the_new(listed, error)
            refused = Refusal(document.kind, document.file, f"{listed.accession}: {error.what}")
            return Text("", f"{document.kind} could not be read"), refused
        text = read_text(markup)
        return Text(text.body, text.note or note), None

    def _wait_for_the_new(self, listed: Listed, error: DataError) -> None:
        """A list can be ahead of its files: a filing of these days may just not be there yet."""
        if self.setup.now() - _midnight(listed.filed) < NEW:
            raise UnavailableError(
                f"{error.what}; {listed.accession} is new, and may be there later",
                where=error.where,
            )

    @cached_property
    def _client(self) -> Client:
        from db.sources.online.edgar.client import Client

        return Client(self.setup)

    @cached_property
    def _tickers(self) -> Mapping[str, int]:
        return self._client.tickers()

    def _option(self, name: str) -> str:
        default = next(option.default for option in self.options if option.name == name)
        return self.setup.options.get(name) or default


def told_in(header: Header, listed: Listed) -> Document | None:
    """The file that tells the news: exhibit 99.1, another 99, or the report itself."""
    from db.sources.online.edgar.answers import Document

    readable = [one for one in header.documents if one.file.lower().endswith(_READABLE)]
    exhibits = [one for one in readable if one.kind.startswith("EX-99")]
    first = [one for one in exhibits if one.kind in _PRESS_RELEASE]
    report = [one for one in readable if one.kind == header.form]
    if not report and listed.primary.lower().endswith(_READABLE):
        report = [Document(header.form, listed.primary)]
    return next(iter((*first, *exhibits, *report)), None)


def _groups(listed: Sequence[Listed]) -> Iterator[tuple[list[Listed], date | None]]:
    """Filings some at a time, never parting a day, with the date of the next one."""
    some: list[Listed] = []
    for filed, of_a_day in groupby(listed, key=lambda one: one.filed):
        if len(some) >= TOGETHER:
            yield some, filed
            some = []
        some.extend(of_a_day)
    if some:
        yield some, None


def _date(instant: datetime) -> date:
    from db.sources.online.edgar.release import NEW_YORK

    return instant.astimezone(NEW_YORK).date()


def _midnight(day: date) -> datetime:
    from db.sources.online.edgar.release import NEW_YORK

    return datetime.combine(day, time.min, NEW_YORK).astimezone(UTC)


def _items(text: str) -> frozenset[str]:
    """``2.02,9.01`` as a set; empty for all."""
    items = frozenset(part for part in re.split(r"[\s,;]+", text) if part)
    if {one.lower() for one in items} <= {"all", "any"}:
        return frozenset()
    wrong = sorted(one for one in items if not re.fullmatch(r"\d{1,2}(?:\.\d\d)?", one))
    if wrong:
        raise UsageError(
            f"{wrong[0]!r} is no item of an 8-K",
            where="--item",
            hint="--item 2.02, several with commas: 2.02,7.01, or all",
        )
    return items


def _numbers(text: str) -> dict[str, int]:
    """``TWTR=1418091,FB=1326801`` as a mapping."""
    numbers: dict[str, int] = {}
    for pair in filter(None, re.split(r"[\s,;]+", text)):
        ticker, _, number = pair.partition("=")
        if not ticker or not re.fullmatch(r"(?:CIK)?\d{1,10}", number, re.IGNORECASE):
            raise UsageError(
                f"{pair[:40]!r} is not TICKER=NUMBER",
                where="--cik",
                hint="--cik TWTR=1418091; the SEC's company search tells the number",
            )
        numbers[ticker.upper()] = int(number.upper().removeprefix("CIK"))
    return numbers
