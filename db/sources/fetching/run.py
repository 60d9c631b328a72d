"""Bringing what a store lacks: asks a source, stores each part as it comes, notes what came.

Whatever happens (a kill, a refusal, a closed laptop), all parts stored so far stay, and the same
call asks only for the rest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from db.batches import IngestReport
from db.errors import BacktestError, DataError
from db.fetch_ledger import Answer, Stream
from db.records.common import NEW_YORK
from db.sources.fetching.naming import Batch, Names
from db.sources.fetching.open_hours import holds_a_bar
from db.sources.fetching.ranges import Range, missing
from db.sources.fetching.source import (
    Ask,
    Part,
    RefusedError,
    Source,
    UnavailableError,
    UnknownSubjectError,
)

if TYPE_CHECKING:
    from db.store import Store

FRESH = timedelta(hours=12)
"""What says all it knows at every request is not asked again within this time."""
PATIENCE = 3
"""Subjects in a row that could not be had before a source is taken to be down."""


@dataclass
class Tally:
    """What came of one kind of data: requests and rows."""

    asked: int = 0
    fresh: int = 0
    """Requests of which the store had everything already."""
    empty: int = 0
    """Answers with nothing in them."""
    added: int = 0
    revised: int = 0
    unchanged: int = 0
    rejected: int = 0

    def take(self, report: IngestReport) -> None:
        """Add what became of one batch."""
        self.added += report.added
        self.revised += report.revised
        self.unchanged += report.unchanged
        self.rejected += report.rejected

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{name: n + getattr(other, name) for name, n in vars(self).items()})


@dataclass
class Outcome:
    """What a run brought, and what it could not."""

    kinds: dict[str, Tally] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    """Subjects that the source does not know, and why that is thought."""
    failed: dict[str, str] = field(default_factory=dict)
    """Subjects of which something could not be had this time, and why."""
    stopped: BacktestError | None = None
    """Why the run ended before its last subject."""

    def of(self, kind: str) -> Tally:
        """The tally of one kind of data."""
        return self.kinds.setdefault(kind, Tally())

    def join(self, name: str, other: Outcome) -> None:
        """Add what another source brought, its kinds under its ``name``."""
        for kind, tally in other.kinds.items():
            self.kinds[f"{name} {kind}"] = self.of(f"{name} {kind}") + tally
        self.unknown.update(other.unknown)
        self.failed.update(other.failed)
        self.stopped = self.stopped or other.stopped

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for is there."""
        return self.stopped is None and not self.unknown and not self.failed


@dataclass
class Bringing:
    """One run over a source; `bring` is its short form.

    ``prepare`` is applied to every batch before it is stored (reading facts out of texts);
    ``say`` gets notes for the person, each once; ``progress`` is called when a request is done.
    """

    store: Store
    source: Source
    now: Callable[[], datetime]
    refresh: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Batch], Batch] | None = None
    progress: Callable[[Ask], None] | None = None
    say: Callable[[str], None] | None = None
    outcome: Outcome = field(default_factory=Outcome)
    _said: set[str] = field(default_factory=set)
    _answered: bool = False
    """Whether the source has said anything to the request in work."""

    def run(self, asks: Sequence[Ask]) -> Outcome:
        """Bring what is missing of each; stops where the source refuses or seems to be down."""
        missed: set[str] = set()
        for ask in asks:
            self.outcome.of(ask.kind).asked += 1
            self._answered = False
            error = self._one(ask)
            if self.progress:
                self.progress(ask)
            if isinstance(error, UnavailableError):
                missed.add(ask.subject)
            elif self._answered:
                missed.clear()
            if isinstance(error, RefusedError) or len(missed) >= PATIENCE:
                self.outcome.stopped = error
                break
        return self.outcome

    def _one(self, ask: Ask) -> BacktestError | None:
        """Bring one; what could not be had is noted and returned."""
        today = self.now().astimezone(NEW_YORK).date()
        names = Names(self.store, ask.subject, today)
        if names.current != ask.subject:
            self._tell(f"{ask.subject} is called {names.current} today, and is asked for as such")
            ask = replace(ask, subject=names.current)
            names = Names(self.store, ask.subject, today)
        stream = self._stream(ask)
        for since, until in self._lacking(ask, stream, names):
            try:
                self._bring(replace(ask, since=since, until=until), stream, names)
                self._answered = True
            except (UnavailableError, RefusedError, DataError) as error:
                self._answered = isinstance(error, DataError)
                return self._miss(ask, stream, error)
        return None

    def _stream(self, ask: Ask) -> Stream:
        return Stream(
            self.source.name, ask.kind, ask.subject, ask.interval, ask.phases, self.options
        )

    def _lacking(self, ask: Ask, stream: Stream, names: Names) -> list[Range]:
        """The ranges to ask for; where the store has all, that is counted."""
        now = self.now()
        wanted = Range(ask.since, min(ask.until, now))
        gaps = [wanted] if wanted.since < wanted.until else []
        if gaps and not self.refresh:
            if self._is_snapshot(ask.kind):
                fetched = [at for *_, at in self.store.answered(stream)]
                gaps = [] if fetched and now - max(fetched) < FRESH else gaps
            else:
                gaps = missing(wanted, self._covered(stream, names))
        gaps = self._with_bars(ask, gaps)
        self.outcome.of(ask.kind).fresh += not gaps
        if self._is_snapshot(ask.kind):
            return gaps
        return self._with_bars(ask, self._within_reach(ask, gaps))

    def _with_bars(self, ask: Ask, gaps: list[Range]) -> list[Range]:
        """The gaps that can hold what is asked for: nights hold no bars."""
        if ask.kind != "prices":
            return gaps
        exchange = self.source.setup.options.get("exchange") or "XNYS"
        return [gap for gap in gaps if holds_a_bar(gap, ask.interval, ask.phases, exchange)]

    def _covered(self, stream: Stream, names: Names) -> list[Range]:
        """What was answered, under earlier symbols as far as they were the instrument's."""
        found = [Range(*answer[:2]) for answer in self.store.answered(stream)]
        for symbol, begin, end in names.earlier():
            for since, until, _ in self.store.answered(replace(stream, subject=symbol)):
                found.append(Range(max(since, begin), min(until, end)))
        return [one for one in found if one.since < one.until]

    def _within_reach(self, ask: Ask, gaps: list[Range]) -> list[Range]:
        """The gaps without what the source no longer has, which is said."""
        reach = self.source.reach(ask.kind, ask.interval)
        if reach.since is None or not gaps or gaps[0].since >= reach.since:
            return gaps
        self._tell(f"{reach.because}: nothing before {reach.since:%Y-%m-%d} can be had")
        return [
            Range(max(since, reach.since), until) for since, until in gaps if until > reach.since
        ]

    def _is_snapshot(self, kind: str) -> bool:
        return any(one.snapshot for one in self.source.kinds if one.name == kind)

    def _bring(self, ask: Ask, stream: Stream, names: Names) -> None:
        tally = self.outcome.of(ask.kind)
        whole = self._is_snapshot(ask.kind)
        answers = []
        for part in self.source.fetch(ask):
            for batch in part.batches:
                tally.take(self._store(names.translate(batch)))
            for note in part.notes:
                self._tell(note)
            tally.empty += part.rows == 0
            answers.append(self._answer(ask, part))
            if not whole:
                self.store.note_fetch(stream, answers.pop())
        # A snapshot that was cut short is no snapshot: one that is noted is not asked again soon.
        for answer in answers:
            self.store.note_fetch(stream, answer)

    def _store(self, batch: Batch) -> IngestReport:
        batch = _of_this_fetch(batch)
        return self.store.ingest(self.prepare(batch) if self.prepare else batch)

    def _answer(self, ask: Ask, part: Part) -> Answer:
        # What is not over yet is not known, whatever a source claims: it would never be asked.
        until = max(part.since, min(part.until, self.now()))
        return Answer(
            part.since,
            until,
            "done",
            rows=part.rows,
            note="; ".join(part.notes),
            stored_as=self.source.stored_as(ask.kind),
            instrument_id=self.store.resolve(ask.subject),
        )

    def _miss(self, ask: Ask, stream: Stream, error: BacktestError) -> BacktestError:
        """Remember what could not be had; nothing is covered by that."""
        unknown = isinstance(error, UnknownSubjectError)
        missed = self.outcome.unknown if unknown else self.outcome.failed
        why = f"{error.what} (try: {error.hint})" if error.hint else error.what
        missed[ask.subject] = why
        answer = Answer(ask.since, ask.until, "unknown" if unknown else "failed", note=why)
        self.store.note_fetch(stream, answer)
        return error

    def _tell(self, note: str) -> None:
        if self.say and note not in self._said:
            self._said.add(note)
            self.say(note)


def bring(
    store: Store, source: Source, asks: Sequence[Ask], *, now: Callable[[], datetime], **more: Any
) -> Outcome:
    """Bring what ``store`` lacks of ``asks``; see `Bringing` for ``more``."""
    return Bringing(store, source, now, **more).run(asks)


def _of_this_fetch(batch: Batch) -> Batch:
    """The batch as one of its own fetch.

    A source that says today what it said the day before yesterday, and something else in
    between, has said something new: the store compares what is said, not the files.
    """
    source = batch.provenance
    text = f"{source.content_hash} {source.fetched_at.isoformat()}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    return replace(batch, provenance=replace(source, content_hash=digest))
