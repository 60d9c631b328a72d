"""A horizon: within the block, every reading of any store shows only what was known by then.

    with known_until(instant):
        store.events()          # as of the instant
        store.events(as_of=t)   # as of t, or of the instant where t is later

The look-ahead check replays a strategy so: code that reads the store without ``as_of`` then sees
less than it did, and gives itself away.  It holds for the current thread of control (a context
variable); outside the block nothing changes.  Listings that describe the store and not the market
(`Store.bar_sources`, `Store.versions`, `Store.batches` and the like) are left as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from db.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from db.bars import Bars

_HORIZON: ContextVar[datetime | None] = ContextVar("horizon", default=None)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEW_YORK = ZoneInfo("America/New_York")


@contextmanager
def known_until(instant: datetime | None) -> Iterator[None]:
    """Within the block stores show what was known by ``instant``; None lifts an outer horizon.

    Raises UsageError for an instant without a time zone.
    """
    if instant is not None and instant.utcoffset() is None:
        raise UsageError(f"the horizon {instant.isoformat()} has no time zone")
    token = _HORIZON.set(instant)
    try:
        yield
    finally:
        _HORIZON.reset(token)


def horizon() -> datetime | None:
    """The instant up to which readings show anything; None: everything."""
    return _HORIZON.get()


def bounded(as_of: datetime | None) -> datetime | None:
    """The ``as_of`` of a reading, no later than the horizon.

    A date or a naive datetime is left to the reading, which refuses it.
    """
    limit = horizon()
    if limit is None:
        return as_of
    if as_of is None:
        return limit
    aware = hasattr(as_of, "utcoffset") and as_of.utcoffset() is not None
    return min(as_of, limit) if aware else as_of


def known(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows that were known by the horizon, by the instants in ``column``."""
    limit = horizon()
    if limit is None:
        return table
    return table[table[column] <= limit].reset_index(drop=True)


def dated(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The same by dates, which are known from the day in New York on; a missing one stays."""
    day = _day()
    if day is None:
        return table
    return table[[not _after(value, day) for value in table[column]]].reset_index(drop=True)


def blanked(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """All rows, without the dates of ``column`` that still lay ahead."""
    day = _day()
    if day is None:
        return table
    ahead = np.array([_after(value, day) for value in table[column]], dtype=np.bool_)
    return table.assign(**{column: table[column].where(~ahead, None)})


def ended(bars: Bars, exchange_of: Mapping[int, str]) -> Bars:
    """The bars that had ended by the horizon; ``exchange_of`` maps instrument ids."""
    from db.calendar import calendar

    limit = horizon()
    if limit is None or not len(bars):
        return bars
    instant = (limit - _EPOCH) // (datetime.resolution)
    exchanges = np.array([exchange_of[int(one)] for one in np.unique(bars.instrument)], object)
    owner = np.searchsorted(np.unique(bars.instrument), bars.instrument)
    kept = np.zeros(len(bars), dtype=np.bool_)
    for name in sorted(set(exchanges)):
        mine = np.flatnonzero(exchanges[owner] == name)
        ends = calendar(name).bar_ends(bars.start[mine], bars.interval)
        kept[mine] = ends <= instant
    arrays = {
        spec.name: getattr(bars, spec.name)[kept]
        for spec in dataclasses.fields(bars)
        if isinstance(getattr(bars, spec.name), np.ndarray)
    }
    return dataclasses.replace(bars, **arrays)


def refuse(what: str) -> None:
    """UsageError where a horizon is set: the reading cannot be limited to what was known."""
    if horizon() is not None:
        raise UsageError(
            f"{what} tells all that is known today, so a strategy must not read it",
            hint="use a reading with as_of=",
        )


def _day() -> date | None:
    limit = horizon()
    return None if limit is None else limit.astimezone(_NEW_YORK).date()


def _after(value: object, day: date) -> bool:
    """Whether a date of a table (or nothing at all) lies after ``day``."""
    import pandas as pd

    if pd.isna(value):  # type: ignore[call-overload]
        return False
    return bool(pd.Timestamp(value).date() > day)  # type: ignore[arg-type]
