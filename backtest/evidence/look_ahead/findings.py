"""What gave a strategy away, in words: the event, the bar, and what it decided with and without."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from backtest.evidence.look_ahead.evaluate import NEVER, Decided
from backtest.evidence.look_ahead.sample import Sample
from backtest.paths import IntArray
from db.calendar import calendar

TRUNCATED = "truncated"
POISONED = "poisoned"
DELAYED = "content delayed"
STATE = "state"
REPEATED = "repeated"
TAMPERED = "written into"
SAME_PRINT = "same print"
COLUMNS = (
    *("replay", "event_id", "symbol", "announced", "instant", "bar"),
    *("whole", "without", "says"),
)
"""Columns of the frame of findings."""


@dataclass(frozen=True)
class Finding:
    """One way in which a strategy used what it could not have known.

    Instants are texts in exchange time with their offset; what does not apply is empty.
    """

    replay: str
    says: str
    event_id: int | None = None
    symbol: str = ""
    announced: str = ""
    """When the event was released: the start of its interval."""
    instant: str = ""
    """The instant at which the replay ends."""
    bar: str = ""
    """Start of the bar that was decided on."""
    whole: str = ""
    """What it decided on the whole panel."""
    without: str = ""
    """What it decided where the future was missing or wild."""

    def to_record(self) -> dict[str, Any]:
        """As plain values, in the order of `COLUMNS`."""
        values = asdict(self)
        return {name: values[name] for name in COLUMNS}


def differing(whole: Decided, other: Decided, rows: np.ndarray, at: int | IntArray) -> np.ndarray:
    """Which rows of a replay (M) were decided otherwise by ``at`` than on the whole panel.

    ``rows`` are the replay's rows among those of ``whole``.
    """
    a, b = whole.by(at)[rows], other.by(at)
    both = a & b
    unlike = (whole.column[rows] != other.column) | (whole.at[rows] != other.at)
    unlike |= ~_close(whole.limit[rows], other.limit) | ~_close(whole.rank[rows], other.rank)
    found: np.ndarray = (a != b) | (both & unlike)
    return found


def _close(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Equal but for rounding: sums over arrays of another length may differ in the last digits."""
    found: np.ndarray = np.isclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)
    return found


def look_ahead(
    sample: Sample,
    replay: str,
    how: str,
    whole: Decided,
    other: Decided,
    rows: np.ndarray,
    at: int,
) -> Finding:
    """The finding for the first event that a replay decided otherwise."""
    unlike = np.flatnonzero(differing(whole, other, rows, at))
    when = np.minimum(whole.at[rows], other.at)[unlike]
    row = int(unlike[np.argmin(when)])
    event = int(rows[row])
    with_it = _decision(sample, event, whole, event, at)
    without = _decision(sample, event, other, row, at)
    names = _names(sample, event)
    bar = _bar(sample, event, _first_column(whole, event, other, row, at), whole.form)
    instant = local(sample, event, at)
    what = "news" if "news_id" in sample.panel.events.columns else "release"
    return Finding(
        replay=replay,
        says=f"{names['symbol']}, {what} of {names['announced'][:10]}, bar {bar}: {with_it} on "
        f"the whole panel, but {without} {how.format(instant=instant)}.",
        instant=instant,
        bar=bar,
        whole=with_it,
        without=without,
        **names,
    )


def raised(sample: Sample, replay: str, how: str, text: str, at: int) -> Finding:
    """The strategy raised on a replay and not on the whole panel."""
    instant = local(sample, 0, at)
    return Finding(
        replay=replay,
        says=f"It raises {text} {how.format(instant=instant)}, and not on the whole panel.",
        instant=instant,
        without=text,
    )


def _first_column(whole: Decided, event: int, other: Decided, row: int, at: int) -> int:
    """The earlier of the two deciding columns; -1 for orders placed before the open."""
    columns = [
        int(one.column[index])
        for one, index in ((whole, event), (other, row))
        if one.at[index] <= at and one.column[index] >= 0
    ]
    return min(columns, default=-1)


def _decision(sample: Sample, event: int, decided: Decided, row: int, at: int) -> str:
    if not decided.at[row] <= at:
        return "no order" if decided.form == "limit" else "no entry"
    if decided.form == "limit":
        text = f"a limit of {decided.limit[row]:.6g}"
    else:
        text = f"an entry decided {local(sample, event, int(decided.at[row]))}"
    rank = decided.rank[row]
    return text if np.isnan(rank) else f"{text} ranked {rank:.6g}"


def _names(sample: Sample, event: int) -> dict[str, Any]:
    row = sample.panel.events.iloc[event]
    announced = int(sample.panel.sessions.announced_from[event])
    return {
        "event_id": int(row["event_id"]),
        "symbol": str(row["symbol"]),
        "announced": local(sample, event, announced),
    }


def _bar(sample: Sample, event: int, column: int, form: str) -> str:
    """Start of the bar in exchange time; for orders before the open that of the reaction's."""
    if form == "limit" or column < 0:
        return local(sample, event, int(sample.panel.sessions.reaction_open[event]))
    return local(sample, event, int(sample.start[event, column]))


def local(sample: Sample, event: int, instant: int) -> str:
    """An instant as its exchange's clock shows it, with the offset; empty for the end of time."""
    zone = ZoneInfo(calendar(sample.panel.sessions.exchange[event]).tz)
    if instant >= NEVER - 1:
        return ""
    stamp = pd.Timestamp(instant, unit="us", tz="UTC").tz_convert(zone)
    return str(stamp.isoformat(" ", "seconds" if instant % 60_000_000 else "minutes"))
