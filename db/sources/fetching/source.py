"""What every online source is: what it can be asked, how it answers, and how it can fail.

A source turns one `Ask` into `Part`s: typed batches with the range that they cover.  It never
writes to the store and never decides what is missing: `db.sources.fetching.run` asks it for what
the store lacks, stores each part as it comes, and notes what was asked and what came.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from db.errors import BacktestError, DataError

if TYPE_CHECKING:
    from db.batches import BarBatch, RecordBatch
    from db.sources.fetching.line import Line

ALL_PHASES = ("pre", "regular", "post")


class UnavailableError(BacktestError):
    """It may work later: a time-out, a cut connection, 429, 5xx, or an answer cut short.

    ``retry_after`` is how long the server asks to wait, in seconds.
    """

    def __init__(
        self, what: str, *, where: str = "", hint: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.retry_after = retry_after


class RefusedError(BacktestError):
    """The source will not answer at all: wrong keys, a ban, a limit that waiting did not lift."""


class UnknownSubjectError(DataError):
    """The source knows no such symbol or page; the others can still be asked."""


class UnreadableAnswerError(DataError):
    """The answer came whole and is not what this source is known to say."""


@dataclass(frozen=True)
class Kind:
    """One kind of data that a source has.

    ``snapshot`` kinds say all they know at every request; the others are asked for a range.
    """

    name: str
    help: str
    snapshot: bool = False
    default: bool = True


@dataclass(frozen=True)
class Option:
    """An option of one source on the command line; ``kept`` ones are repeated by an update.

    ``env`` names the environment variable that may give it.
    """

    name: str
    help: str
    default: str = ""
    choices: Sequence[str] = ()
    flag: bool = False
    env: str = ""
    required: bool = False
    kept: bool = True


@dataclass(frozen=True)
class Key:
    """A secret, read from the first of these environment variables that is set; never kept."""

    name: str
    env: Sequence[str]
    help: str


@dataclass(frozen=True)
class Ask:
    """One kind of data about one subject in a half-open range of instants (UTC).

    ``subject`` is the symbol that the source uses today, or an address.  ``interval`` and
    ``phases`` are for prices.
    """

    kind: str
    subject: str
    since: datetime
    until: datetime
    interval: str = ""
    phases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """Some of an answer: all that the source has from ``since`` to ``until`` (UTC, half-open).

    ``rows`` is how many rows came; none is an answer too.  ``notes`` are said to the person.
    """

    since: datetime
    until: datetime
    batches: Sequence[BarBatch | RecordBatch[Any]] = ()
    rows: int = 0
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Reach:
    """How far back a source goes for one kind and interval, and why, in words."""

    since: datetime | None = None
    because: str = ""


@dataclass(frozen=True)
class Setup:
    """What a source is made with: its options and keys, the clock, and the line it asks over."""

    line: Line
    now: Callable[[], datetime]
    options: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)


class Source(ABC):
    """A place that has data; subclasses declare what they are in class attributes."""

    name: ClassVar[str]
    """Names the command and, unless the batches say otherwise, the source in the store."""
    title: ClassVar[str]
    """One sentence for the command's help."""
    example: ClassVar[str]
    """A command line that works."""
    kinds: ClassVar[Sequence[Kind]]
    intervals: ClassVar[Sequence[str]] = ()
    """Lengths of bars, the usual one first; empty where there are no prices."""
    options: ClassVar[Sequence[Option]] = ()
    keys: ClassVar[Sequence[Key]] = ()
    pace: ClassVar[float] = 2.0
    """Requests a second that the source is content with."""
    history: ClassVar[timedelta] = timedelta(days=365)
    """How far back is asked where nobody says since when."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup

    def stored_as(self, kind: str) -> str:
        """What the store's rows of this kind name as their source, as the batches do."""
        return self.name

    def reach(self, kind: str, interval: str) -> Reach:
        """How far back this source goes; by default nothing is known of a limit."""
        return Reach()

    @abstractmethod
    def fetch(self, ask: Ask) -> Iterator[Part]:
        """Answer in parts, oldest first, each of which can be stored by itself.

        Every request goes through ``self.setup.line.call``.  Raises `UnavailableError`,
        `RefusedError`, `UnknownSubjectError` or `UnreadableAnswerError`, whatever library stands
        behind; text of a key never gets into an error.
        """
