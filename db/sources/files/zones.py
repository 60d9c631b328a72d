"""Wall clocks to instants: which zone, and the two hours a year in which that has no answer."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from db.errors import UsageError, did_you_mean
from db.sources.files.arrow import BoolArray, IntArray


@dataclass(frozen=True)
class Localised:
    """``utc`` in microseconds (meaningless where a mask is set), (rows,) all three.

    ``repeated``: the hour that the end of summer time runs through twice.  ``skipped``: the hour
    that its beginning leaves out.
    """

    utc: IntArray
    repeated: BoolArray
    skipped: BoolArray


def checked_zone(tz: str) -> str:
    """The name of a time zone that exists; UsageError with the nearest one otherwise."""
    known = zoneinfo.available_timezones()
    if tz in known:
        return tz
    raise UsageError(
        f"unknown time zone {tz!r}", where="--tz", hint=did_you_mean(tz, known, kind="time zone")
    )


def to_utc(wall: IntArray, tz: str) -> Localised:
    """Wall-clock microseconds in ``tz`` to instants."""
    stamps = pd.DatetimeIndex(wall.view("datetime64[us]"))
    local = stamps.tz_localize(tz, ambiguous="NaT", nonexistent="NaT")
    utc = _microseconds(local)
    unanswered = np.asarray(local.isna())
    skipped = np.zeros(len(wall), dtype=np.bool_)
    if unanswered.any():
        # What is still unanswered when the skipped hour is pushed forward is the repeated one.
        again = stamps[unanswered].tz_localize(tz, ambiguous="NaT", nonexistent="shift_forward")
        skipped[unanswered] = ~np.asarray(again.isna())
    return Localised(utc, unanswered & ~skipped, skipped)


def to_wall(utc: IntArray, tz: str) -> IntArray:
    """Instants to wall-clock microseconds in ``tz``."""
    stamps = pd.DatetimeIndex(utc.view("datetime64[us]"), tz="UTC").tz_convert(tz)
    return np.asarray(stamps.tz_localize(None).to_numpy().astype("datetime64[us]").view(np.int64))


def _microseconds(stamps: pd.DatetimeIndex) -> IntArray:
    naive = stamps.tz_convert("UTC").tz_localize(None)
    return np.asarray(naive.to_numpy().astype("datetime64[us]").view(np.int64))


def local_text(utc: int, tz: str) -> str:
    """An instant as a person at the exchange would write it, with its offset."""
    instant = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=utc)
    return instant.astimezone(zoneinfo.ZoneInfo(tz)).isoformat(sep=" ", timespec="seconds")
