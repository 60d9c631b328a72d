"""Why an event's release interval is what it is: what each source says, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, select

from db.errors import UsageError
from db.models import Event
from db.records import event_merge

_WORDS = {
    "exact": "an instant",
    "session": "a part of the day",
    "date": "no part of the day is told",
}
_CHOSEN = "chosen: {}; the most precise, then the newest"
_CONTRADICTS = "contradicts it, and is not used"


@dataclass(frozen=True)
class Role:
    """What one source's newest word on the release time did to the interval that is used."""

    source: str
    announced_from: datetime
    announced_to: datetime
    precision: str
    role: str


@dataclass(frozen=True)
class Explanation:
    """The release interval that is used (UTC), and the part of each source in it."""

    event_id: int
    symbol: str
    announced_from: datetime
    announced_to: datetime
    precision: str
    session: str
    roles: tuple[Role, ...]


def explain(connection: Connection, event_id: int) -> Explanation:
    """See `Store.explain`."""
    known = event_merge.merged(connection, _kind(connection, event_id), None, Event.id == event_id)
    if known.empty:
        raise UsageError(
            f"there is no event {event_id}", hint="backtest events lists their numbers"
        )
    row = known.iloc[0]
    said = event_merge.revisions(connection, [event_id])
    order = ["first_known_at", "revision_id"]
    said = said.sort_values(order, kind="stable")
    same = (said["source"] == row["source"]) & (said["precision"] == row["precision"])
    chosen = said.index[same][-1]
    newest = said.drop_duplicates("source", keep="last").index
    # Its source may be less precise by now: what is used must be seen all the same.
    words = said.loc[(said.index == chosen) | said.index.isin(newest)]
    roles = tuple(
        Role(
            str(word["source"]),
            word["announced_from"],
            word["announced_to"],
            str(word["precision"]),
            _CHOSEN.format(_WORDS[word["precision"]]) if place == chosen else _role(word, row),
        )
        for place, word in words.iterrows()
    )
    return Explanation(
        event_id,
        str(row["symbol"]),
        row["announced_from"],
        row["announced_to"],
        str(row["precision"]),
        str(row["session"]),
        roles,
    )


def _kind(connection: Connection, event_id: int) -> str:
    found = connection.scalar(select(Event.kind).where(Event.id == event_id))
    return str(found or "earnings")


def _role(word: pd.Series, row: pd.Series) -> str:
    """One sentence on what a word that was not chosen did."""
    begin, end = word["announced_from"], word["announced_to"]
    first, last = row["announced_from"], row["announced_to"]
    if first == last:
        if begin > last or end < first:
            return _CONTRADICTS
        return "agrees" if begin == end else "agrees, less precisely"
    if begin >= last or end <= first:
        return _CONTRADICTS
    if (begin, end) == (first, last):
        return "says the same"
    if begin == first:
        return "bounds it: not earlier"
    return "bounds it: not later" if end == last else "agrees, less precisely"
