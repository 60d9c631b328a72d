"""Instruments, events, news and corporate actions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from db import horizon
from db.access.door import Door

if TYPE_CHECKING:
    import pandas as pd

    from db.records.explaining import Explanation


class Facts(Door):
    """What is known of companies."""

    def instruments(self) -> pd.DataFrame:
        """One row each.

        Columns instrument_id, symbol (latest), name, exchange, currency, listed, delisted,
        fiscal_year_end (month, null where not known).
        """
        from db.records import listing

        with self._database.read() as connection:
            table = listing.instruments(connection)
        return horizon.blanked(table, "delisted")

    def symbols(self) -> pd.DataFrame:
        """Columns instrument_id, symbol, valid_from, valid_to: dates, both included, null open."""
        from db.records import listing

        with self._database.read() as connection:
            table = listing.symbols(connection)
        return horizon.blanked(horizon.dated(table, "valid_from"), "valid_to")

    def add_instrument(
        self,
        symbol: str,
        *,
        exchange: str = "XNYS",
        currency: str = "USD",
        name: str = "",
        valid_from: date | None = None,
        valid_to: date | None = None,
        listed: date | None = None,
        delisted: date | None = None,
        fiscal_year_end: int | None = None,
    ) -> int:
        """Add an instrument under a symbol, valid on the given dates; returns its id.

        ``fiscal_year_end`` is the month (1 to 12) in which its fiscal year ends.
        UsageError where the symbol names another instrument on any of these dates.
        """
        from db.instruments import add_instrument

        with self._turn(), self._database.write("an instrument") as connection:
            return add_instrument(
                connection,
                symbol,
                exchange=exchange,
                currency=currency,
                name=name,
                valid_from=valid_from,
                valid_to=valid_to,
                listed=listed,
                delisted=delisted,
                fiscal_year_end=fiscal_year_end,
            )

    def describe(
        self, symbol: str, *, name: str | None = None, fiscal_year_end: int | None = None
    ) -> int:
        """Set the name, or the month its fiscal year ends in, of an instrument; returns its id."""
        from db.instruments import describe

        with self._turn(), self._database.write("a description") as connection:
            return describe(connection, symbol, name=name, fiscal_year_end=fiscal_year_end)

    def rename(self, old: str, new: str, on: date) -> int:
        """From the date ``on`` the instrument ``old`` is called ``new``; returns its id."""
        from db.instruments import rename

        with self._turn(), self._database.write("a rename") as connection:
            return rename(connection, old, new, on)

    def resolve(self, symbol: str, on: date | None = None) -> int | None:
        """The instrument a symbol names on a date; without one, the latest it named."""
        from db.instruments import SymbolBook

        with self._database.read() as connection:
            return SymbolBook.load(connection).resolve(symbol, on)

    def resolve_many(
        self, symbols: Sequence[str], on: date | Sequence[date] | None = None
    ) -> list[int | None]:
        """`resolve` for many symbols, with one date for all or one for each."""
        from db.instruments import SymbolBook

        dates = [on] * len(symbols) if on is None or isinstance(on, date) else list(on)
        with self._database.read() as connection:
            book = SymbolBook.load(connection)
        return [book.resolve(symbol, day) for symbol, day in zip(symbols, dates, strict=True)]

    def events(
        self,
        *,
        symbols: Sequence[str] | None = None,
        since: date | datetime | None = None,
        until: date | datetime | None = None,
        as_of: datetime | None = None,
        kind: str = "earnings",
    ) -> pd.DataFrame:
        """One row an event of which anything was known at ``as_of`` (None: all that is known).

        ``since`` and ``until`` bound ``announced_from``, both included; dates are New York's.
        ``symbols`` selects the instruments that were ever called so.  The release interval comes
        from the most precise, then newest revision, every other field from the newest revision
        that fills it; ``first_known_at`` is since when all of that was known, and
        ``first_known_proven`` whether that is proven for all of it.
        """
        from db.records import reading

        with self._database.read() as connection:
            return reading.events(
                connection,
                symbols=symbols,
                since=since,
                until=until,
                as_of=horizon.bounded(as_of),
                kind=kind,
            )

    def revisions(self, event_ids: Sequence[int] | None = None) -> pd.DataFrame:
        """Everything that was ever said of events, one row a statement, in recorded order."""
        from db.records import reading

        with self._database.read() as connection:
            table = reading.revisions(connection, event_ids)
        return horizon.known(table, "first_known_at")

    def explain(self, event_id: int) -> Explanation:
        """Which release interval is used for an event, and what each source had to do with it.

        UsageError where there is no such event.
        """
        from db.records import explaining

        horizon.refuse("explain()")
        with self._database.read() as connection:
            return explaining.explain(connection, event_id)

    def guidance(
        self, event_ids: Sequence[int] | None = None, *, as_of: datetime | None = None
    ) -> pd.DataFrame:
        """Guidance with the event it came with (null: none near), as known at ``as_of``."""
        from db.records import reading

        with self._database.read() as connection:
            return reading.guidance(connection, event_ids, horizon.bounded(as_of))

    def news(
        self,
        *,
        symbols: Sequence[str] | None = None,
        since: date | datetime | None = None,
        until: date | datetime | None = None,
        as_of: datetime | None = None,
        sure: float = 0.0,
    ) -> pd.DataFrame:
        """One row an item and instrument.  ``published_at`` is when it could be known.

        That is the end of the day where only the date is known.  ``cluster_id`` is the first of
        the items that say the same within 24 hours: items with ``news_id == cluster_id`` count.
        ``link_how`` says how the instrument was found, ``link_confidence`` how sure that is; links
        less sure than ``sure`` are left out, their items are not.
        ``tells`` whether the item states figures.  ``event_id`` is the release the item is about:
        the one nearest to the time it writes of (to its publication, where it does not say), within
        24 hours, or, for an item that tells figures, the latest of the ten days before it; or null.
        """
        from db.records import reading

        with self._database.read() as connection:
            return reading.news(
                connection,
                symbols=symbols,
                since=since,
                until=until,
                as_of=horizon.bounded(as_of),
                sure=sure,
            )

    def text_facts(
        self, news_ids: Sequence[int] | None = None, *, as_of: datetime | None = None
    ) -> pd.DataFrame:
        """Figures that news items state, one row each, by publication (see `TextFact`).

        Columns fact_id, news_id, published_at (when it could be known), instrument_id (null: not
        told whose), company, symbol, metric, kind, unit, qualifier, basis, period, direction,
        sentence, low, high, change, consensus, previous, begin, end, source.
        """
        from db.records import reading

        with self._database.read() as connection:
            return reading.text_facts(connection, news_ids, horizon.bounded(as_of))

    def text_reactions(self, news_ids: Sequence[int] | None = None) -> pd.DataFrame:
        """How news items say that stocks moved (see `TextReaction`); told, never a price."""
        from db.records import statements

        with self._database.read() as connection:
            table = statements.reactions(connection, news_ids).reset_index(drop=True)
        return horizon.known(table, "published_at")

    def actions(self, *, symbols: Sequence[str] | None = None) -> pd.DataFrame:
        """Splits and dividends as last stated, by ex-date."""
        from db.records import reading

        with self._database.read() as connection:
            table = reading.actions(connection, symbols)
        return horizon.dated(table, "ex_date")
