"""Whole columns of times at once: what Arrow has typed already, epochs, and plain ISO 8601 text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from db.intervals import DAY
from db.sources.files.arrow import BoolArray, Cells, IntArray, pc
from db.sources.files.stamps import LONGEST_OFFSET

_FIRST_YEAR, _LAST_YEAR = 1900, 2199
FIRST_US = int(np.datetime64(f"{_FIRST_YEAR}-01-02", "us").astype(np.int64))
LAST_US = int(np.datetime64(f"{_LAST_YEAR}-12-31", "us").astype(np.int64))
NOTHING = np.iinfo(np.int64).min

_MICROSECONDS = {"day": DAY, "s": 1_000_000, "ms": 1000, "us": 1, "ns": 1}
_ZONED_LENGTHS = pa.array([20, 24, 25], pa.int32())
_PLAIN_LENGTHS = pa.array([10, 16, 19, *range(21, 27)], pa.int32())


@dataclass(frozen=True)
class Times:
    """One column of times, (rows,) each.

    ``wall`` is the clock as written, in microseconds; ``utc`` the instant, valid where ``zoned``.
    ``has_clock`` is set where the cell names a time of day; ``bad`` where it is no time at all.
    """

    wall: IntArray
    utc: IntArray
    zoned: BoolArray
    has_clock: BoolArray
    bad: BoolArray

    def dates_alone(self) -> BoolArray:
        """Rows that tell the day and not the time of day.

        A midnight counts as that too where the cell has no zone, or where the whole column is at
        midnight: that is how programs write dates.  Where it does mislead, the row counts as
        known later than it was, never earlier.
        """
        midnight = self.wall % DAY == 0
        if bool(midnight[~self.bad].all()):
            return np.ones(len(midnight), dtype=np.bool_)
        return np.asarray(~self.has_clock | (midnight & ~self.zoned))


def complete(
    wall: IntArray, utc: IntArray, zoned: BoolArray, has_clock: BoolArray, bad: BoolArray
) -> Times:
    """Refuse what no market has seen; it would only overflow later."""
    bad = bad | (wall < FIRST_US) | (wall > LAST_US)
    return Times(np.where(bad, 0, wall), np.where(bad, 0, utc), zoned & ~bad, has_clock & ~bad, bad)


def none(count: int) -> Times:
    no, zero = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.int64)
    return Times(zero, zero, no, no, ~no)


def typed(cells: Cells) -> Times:
    """Arrow timestamps (with a zone or without) and dates of any unit."""
    is_date = pa.types.is_date(cells.type)
    count = len(cells)
    unit = "day" if pa.types.is_date32(cells.type) else cells.type.unit
    per_unit = _MICROSECONDS[unit]
    counts = pc.cast(pc.cast(cells, pa.int32()) if unit == "day" else cells, pa.int64())
    bad = np.asarray(counts.is_null())
    numbers = counts.fill_null(0).to_numpy(zero_copy_only=False)
    if unit == "ns":
        numbers = numbers // 1000
    # What would overflow is refused before it can.
    bad |= np.abs(numbers) > LAST_US // per_unit
    utc = np.where(bad, 0, numbers) * per_unit
    tz = None if is_date else cells.type.tz
    wall = utc
    if tz is not None:
        try:
            stamps = pc.local_timestamp(pa.array(utc).cast(pa.timestamp("us", tz)))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # a zone that does not exist
            return none(count)
        wall = pc.cast(stamps, pa.int64()).to_numpy(zero_copy_only=False)
    return complete(wall, utc, np.full(count, tz is not None), np.full(count, not is_date), bad)


def since_epoch(cells: Cells, unit: int) -> Times:
    texts = pc.utf8_trim_whitespace(pc.cast(cells, pa.string()))
    whole = pc.match_substring_regex(texts, r"^-?\d{1,16}$")
    counts = pc.cast(pc.if_else(whole, texts, None), pa.int64())
    bad = np.asarray(counts.is_null())
    numbers = counts.fill_null(0).to_numpy(zero_copy_only=False)
    bad |= np.abs(numbers) > LAST_US // unit
    utc = np.where(bad, 0, numbers) * unit
    yes = np.ones(len(cells), dtype=np.bool_)
    return complete(utc, utc, yes, yes, bad)


def plain_iso(cells: Cells) -> Times | None:
    """A column of nothing but naive ISO stamps, in one go; None when it is not that."""
    lengths = pc.utf8_length(cells)
    if not pc.all(pc.is_in(lengths, value_set=_PLAIN_LENGTHS)).as_py():
        return None
    try:
        stamps = pc.cast(cells, pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    has_clock = np.asarray(pc.greater(lengths, 10))
    times = typed(stamps)
    return Times(times.wall, times.utc, times.zoned, has_clock & ~times.bad, times.bad)


def zoned_iso(cells: Cells) -> Times | None:
    """A column of nothing but ISO stamps to the second with an offset; None when it is not that."""
    if not pc.all(pc.is_in(pc.utf8_length(cells), value_set=_ZONED_LENGTHS)).as_py():
        return None
    try:
        utc_cells = pc.cast(cells, pa.timestamp("us", "UTC"))
        wall_cells = pc.cast(pc.utf8_slice_codeunits(cells, 0, 19), pa.timestamp("us"))
    except pa.ArrowInvalid:
        return None
    utc, wall = (
        pc.cast(stamps, pa.int64()).to_numpy(zero_copy_only=False)
        for stamps in (utc_cells, wall_cells)
    )
    if len(wall) and np.abs(wall - utc).max() > LONGEST_OFFSET:
        return None
    yes = np.ones(len(wall), dtype=np.bool_)
    return complete(wall, utc, yes, yes, ~yes)
