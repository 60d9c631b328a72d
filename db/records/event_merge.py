"""Reading events: the revisions known at a time, merged into one row an event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Select, select

from db.models import Event, Instrument, Revision
from db.records.common import IN_CLAUSE, frame

FIELDS = ("eps_estimate", "eps_actual", "revenue_estimate", "revenue_actual")
COLUMNS = (
    "event_id",
    "instrument_id",
    "symbol",
    "exchange",
    "fiscal_period",
    "announced_from",
    "announced_to",
    "precision",
    "session",
    *FIELDS,
    "currency",
    "source",
    "first_known_at",
    "first_known_proven",
    "ingested_at",
    "revisions",
)
_BOUNDS = ("announced_from", "announced_to")
_RELEASE = ("announced_from", "announced_to", "precision", "session", "source")
_RANK = {"date": 0, "session": 1, "exact": 2}
_INSTANTS = ("announced_from", "announced_to", "first_known_at", "ingested_at")


def revisions(
    connection: Connection, event_ids: Sequence[int] | None, *, as_of: datetime | None = None
) -> pd.DataFrame:
    """Revisions in the order they were recorded, those known at ``as_of`` alone."""
    query = select(
        Revision.event_id,
        Revision.id.label("revision_id"),
        Revision.source,
        Revision.announced_from,
        Revision.announced_to,
        Revision.precision,
        Revision.session,
        Revision.fiscal_period,
        *(getattr(Revision, name) for name in FIELDS),
        Revision.currency,
        Revision.first_known_at,
        Revision.first_known_proven,
        Revision.ingested_at,
        Revision.raw,
        Revision.batch_id,
        Revision.row,
    ).order_by(Revision.id)
    query = only(query, Revision.event_id, event_ids)
    if as_of is not None:
        query = query.where(Revision.first_known_at <= as_of)
    table = frame(
        connection,
        query,
        instants=_INSTANTS,
        numbers=FIELDS,
        texts=("source", "precision", "session", "fiscal_period", "currency", "raw"),
        flags=("first_known_proven",),
    )
    table = table.astype(dict.fromkeys(("event_id", "revision_id", "batch_id", "row"), "int64"))
    return table if event_ids is None else table[table["event_id"].isin(list(event_ids))]


def only(query: Select[Any], column: Any, ids: Sequence[int] | None) -> Select[Any]:
    """Narrow a query to some ids where they are few; the caller filters where they are many."""
    if ids is None or len(ids) > IN_CLAUSE:
        return query
    return query.where(column.in_([int(one) for one in ids]))


def merged(
    connection: Connection, kind: str, as_of: datetime | None, about: ColumnElement[bool] | None
) -> pd.DataFrame:
    """One row an event of which anything was known at ``as_of``; columns are `COLUMNS`.

    ``about`` narrows the events.  The release interval is that of the most precise, then newest
    revision, cut by the intervals of other sources that overlap it; of every other field the
    newest revision that fills it counts.  ``first_known_at`` is since when all of the row could
    be known, and proven where all of it is.
    """
    query = (
        select(Event.id.label("event_id"), Event.instrument_id, Event.symbol, Instrument.exchange)
        .join(Instrument, Instrument.id == Event.instrument_id, isouter=True)
        .where(Event.kind == kind)
        .order_by(Event.id)
    )
    heads = frame(
        connection,
        query if about is None else query.where(about),
        ids=("instrument_id",),
        texts=("symbol",),
    ).astype({"event_id": "int64"})
    heads["exchange"] = heads["exchange"].fillna("XNYS").astype("str")
    wanted = None if about is None else heads["event_id"].tolist()
    table = heads.merge(_merge(revisions(connection, wanted, as_of=as_of)), on="event_id")
    return table[list(COLUMNS)].sort_values(["announced_from", "event_id"], ignore_index=True)


def _merge(said: pd.DataFrame) -> pd.DataFrame:
    """Merge revisions, vectorised over events."""
    newest_last = said.sort_values(["event_id", "first_known_at", "revision_id"], kind="stable")
    newest_last["fiscal_period"] = newest_last["fiscal_period"].where(
        newest_last["fiscal_period"] != "", None
    )
    by_event = newest_last.groupby("event_id", sort=False)
    # `last` takes, column by column, the last value that is not null.
    table = by_event[[*FIELDS, "fiscal_period", "currency", "ingested_at"]].last()
    table["fiscal_period"] = table["fiscal_period"].fillna("").astype("str")
    table["revisions"] = by_event.size()
    possible = newest_last[_possible(newest_last)]
    precise_last = possible.assign(rank=possible["precision"].map(_RANK)).sort_values(
        ["event_id", "rank"], kind="stable"
    )
    release = precise_last.drop_duplicates("event_id", keep="last").set_index("event_id")
    table[list(_RELEASE)] = release[list(_RELEASE)]
    bounds = _bounds(possible, release)
    table[list(_BOUNDS)] = bounds
    return table.join(_knowledge(newest_last, possible, release, bounds)).reset_index()


def _possible(said: pd.DataFrame) -> pd.Series[bool]:
    """Which revisions a proof that the release was out does not rule out.

    What could provably be read at the end of its interval (a filing's acceptance) was out by then,
    however precise another source is that lets the release begin later.  Of each source its last
    word counts.
    """
    last_word = ~said.duplicated(["event_id", "source"], keep="last")
    proof = said["first_known_proven"] & (said["first_known_at"] == said["announced_to"])
    proof &= last_word
    out_by = said["announced_to"].where(proof).groupby(said["event_id"]).transform("min")
    return ~(said["announced_from"] > out_by)


def _bounds(newest_last: pd.DataFrame, release: pd.DataFrame) -> pd.DataFrame:
    """The release interval of each event: the chosen one, cut by what other sources bound.

    Each source says that the release lies within its interval, so it lies where they overlap: a
    filing accepted at 16:05:10 ends an evening that a calendar leaves open.  An interval that
    does not meet the chosen one contradicts it and cuts nothing; one that says the whole day
    never widens, and what is exact needs no cutting.  Of each source its newest word counts.
    An evening and the next morning share midnight alone: they do not meet.
    """
    bounds = release[["announced_from", "announced_to", "precision"]]
    words = newest_last.drop_duplicates(["event_id", "source"], keep="last")
    said = words[["event_id", "announced_from", "announced_to"]].merge(
        bounds.reset_index(), on="event_id", suffixes=("", "_chosen")
    )
    meets = (said["announced_from"] < said["announced_to_chosen"]) & (
        said["announced_to"] > said["announced_from_chosen"]
    )
    cuts = said[meets & (said["precision"] != "exact")].groupby("event_id")
    latest, earliest = cuts["announced_from"].max(), cuts["announced_to"].min()
    # Three that meet the chosen one need not meet each other: then none of them cuts.
    together = latest.index[latest < earliest]
    bounds = bounds[list(_BOUNDS)].copy()
    bounds.loc[together, "announced_from"] = latest.loc[together]
    bounds.loc[together, "announced_to"] = earliest.loc[together]
    return bounds


def _knowledge(
    newest_last: pd.DataFrame,
    possible: pd.DataFrame,
    release: pd.DataFrame,
    bounds: pd.DataFrame,
) -> pd.DataFrame:
    """Since when a merged row could be known, and whether that is proven for all of it.

    A value that several revisions repeat is known since the first of them.
    """
    decisive = possible["precision"] == possible["event_id"].map(release["precision"])
    since = [_run_starts(possible[decisive], list(_BOUNDS))]
    since += [_cut_since(possible, release[side], bounds[side]) for side in _BOUNDS]
    since += [_run_starts(newest_last[newest_last[name].notna()], [name]) for name in FIELDS]
    by_event = pd.concat(since).groupby("event_id", sort=False)
    return pd.DataFrame(
        {
            "first_known_at": by_event["first_known_at"].max(),
            "first_known_proven": by_event["first_known_proven"].all(),
        }
    )


def _cut_since(
    newest_last: pd.DataFrame, chosen: pd.Series[Any], used: pd.Series[Any]
) -> pd.DataFrame:
    """Where a bound is not the chosen word's: since when a source's newest word has said it."""
    side = str(used.name)
    cut = used.index[used != chosen]
    rows = newest_last[newest_last["event_id"].isin(cut)]
    rows = rows.sort_values(["event_id", "source"], kind="stable")
    watched = rows[["event_id", "source", side]]
    starts = rows[(watched != watched.shift()).any(axis=1)]
    starts = starts.drop_duplicates(["event_id", "source"], keep="last")
    starts = starts.merge(used.rename("used"), left_on="event_id", right_index=True)
    saying = starts[starts[side] == starts["used"]]
    first = saying.sort_values("first_known_at", kind="stable").drop_duplicates("event_id")
    return first[["event_id", "first_known_at", "first_known_proven"]]


def _run_starts(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """For each event the first of the revisions that agree with its last one in ``columns``."""
    watched = rows[["event_id", *columns]]
    starts = rows[(watched != watched.shift()).any(axis=1)]
    return starts.drop_duplicates("event_id", keep="last")[
        ["event_id", "first_known_at", "first_known_proven"]
    ]


def nearest_event(
    table: pd.DataFrame,
    events: pd.DataFrame,
    column: str,
    within: timedelta,
    direction: Literal["nearest", "backward"] = "nearest",
) -> pd.Series[int]:
    """For each row the event of its instrument that begins nearest to ``column``; or null.

    ``backward``: the last that begins at or before it.
    """
    types = {"instrument_id": "int64"}
    left = table.dropna(subset=["instrument_id"]).sort_values(column)
    right = events.dropna(subset=["instrument_id"])
    found = pd.merge_asof(
        left[[column, "instrument_id"]].astype(types),
        right[["announced_from", "instrument_id", "event_id"]].astype(types),
        left_on=column,
        right_on="announced_from",
        by="instrument_id",
        direction=direction,
        tolerance=pd.Timedelta(within),
    )
    nearest = pd.Series(found["event_id"].to_numpy(), index=left.index)
    return nearest.reindex(table.index).astype("Int64")
