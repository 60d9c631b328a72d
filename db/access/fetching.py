"""What online sources were asked for, and what came."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from db.access.door import Door

if TYPE_CHECKING:
    import pandas as pd

    from db.fetch_ledger import Answer, Stream


class Fetching(Door):
    """The memory of what was asked for: what an import asks for next follows from it."""

    def fetches(self) -> pd.DataFrame:
        """Every answer of an online source, one row each.

        Columns fetch_id, source, stored_as, kind, subject, instrument_id, interval, phases (with
        commas), since and until (UTC, half-open), status (done, unknown, failed), rows, note,
        fetched_at.  ``done`` with no rows is an answer too: there was nothing.
        """
        from db import fetch_ledger

        with self._database.read() as connection:
            return fetch_ledger.fetches(connection)

    def note_fetch(self, stream: Stream, answer: Answer) -> None:
        """Remember what became of a request."""
        from db import fetch_ledger

        with self._database.write("a fetch") as connection:
            fetch_ledger.record(connection, stream, answer, self._now())

    def answered(self, stream: Stream) -> list[tuple[datetime, datetime, datetime]]:
        """(since, until, fetched at) of each answer that a stream has, oldest first."""
        from db import fetch_ledger

        with self._database.read() as connection:
            return fetch_ledger.done(connection, stream)

    def streams(self) -> list[tuple[Stream, datetime]]:
        """Every stream ever answered, with the earliest instant asked for: what an update does."""
        from db import fetch_ledger

        with self._database.read() as connection:
            return fetch_ledger.streams(connection)

    def spans(self, symbol: str) -> list[tuple[str, str | None, str | None]]:
        """All symbols of the instrument that ``symbol`` names last, with their dates.

        (symbol, valid from, valid to) as ISO dates, both included, None open, oldest first; empty
        where the symbol names nothing.
        """
        from db.instruments import SymbolBook

        with self._database.read() as connection:
            return SymbolBook.load(connection).spans_of(symbol)
