"""Dates as pages, feeds and people write them, with the precision that they really have.

A time counts only with its zone: ``2026-01-29 16:05`` may be in any of them, so it is the date
2026-01-29.  Midnight to the second counts as a date too, since that is how programs write dates
that have no time.  What can be read in two ways (``01/02/2026``) is not read.
"""

from __future__ import annotations

import re
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

EARLIEST = date(1990, 1, 1)
"""Nothing was published online before; such a date is a default of some program."""
NEW_YORK = ZoneInfo("America/New_York")
LONGEST = 120
_AHEAD = timezone(timedelta(hours=14))
"""Where a day begins first."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar jänner jan", "february februar feber feb", "march märz maerz mar mär",
            "april apr", "may mai", "june juni jun", "july juli jul", "august aug",
            "september sept sep", "october oktober oct okt", "november nov",
            "december dezember dec dez",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_HOURS = {
    "z": 0, "utc": 0, "gmt": 0, "ut": 0, "bst": 1, "mez": 1, "cet": 1, "mesz": 2, "cest": 2,
    "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
}  # fmt: skip
# "ET" and the like follow the clock of the place, summer time included.
_PLACES = {
    "et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver",
    "pt": "America/Los_Angeles", "eastern": "America/New_York", "pacific": "America/Los_Angeles",
}  # fmt: skip
_FILLERS = (
    r"mondays?|tuesdays?|wednesdays?|thursdays?|fridays?|saturdays?|sundays?|montag|dienstag|"
    r"mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|mon|tues?|wed|thur?s?|fri|sat|sun|"
    r"mo|di|mi|do|fr|sa|so|at|on|um|am|vom|den|der|the|of|uhr|h|time|"
    r"published|posted|date|datum|veröffentlicht|erschienen|stand|ersteller"
)
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATES = (
    re.compile(r"(?<!\d)(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<y>\d{4})/(?P<m>\d{1,2})/(?P<d>\d{1,2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\. ?(?P<y>\d{4})(?!\d)"),
    re.compile(
        rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[ -]*(?P<month>{_MONTH})\b\.?,?[ -]*"
        r"(?P<y>\d{4}|\d{2}(?= +\d\d?:))(?!\d)"
    ),
    re.compile(
        rf"\b(?P<month>{_MONTH})\b\.? *(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,? +(?P<y>\d{{4}})(?!\d)"
    ),
    re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?!\d)"),
)
_SLASHED = re.compile(r"(?<!\d)(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<y>\d{4})(?!\d)")
_CLOCK = re.compile(
    r"(?<![\d:.+-])(?P<h>\d{1,2})[:.](?P<min>\d\d)(?:[:.](?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?: ?(?P<half>[ap]\.? ?m\b\.?))?"
    r"|(?<!\d)(?P<compact>\d{6})(?=z|[+-]\d\d)"
    r"|(?<![\d:.])(?P<bare>\d{1,2}) ?(?P<whose>[ap]\.? ?m\b\.?)"
)
_OFFSET = re.compile(
    r"(?<![\d-])(?:utc|gmt)? ?(?P<sign>[+\u2212-]) ?(?P<h>\d{1,2})(?::?(?P<m>\d\d))?(?!\d)"
)
_LEFT_OVER = re.compile(rf"\b(?:{_FILLERS})\b\.?|[\s,;:|()\[\]/·•–—-]|(?<=\s)t(?=\s)|\.")


@dataclass(frozen=True)
class Published:
    """When something came out: ``at`` (UTC) where ``precision`` is ``exact``, else ``day``.

    ``known_at`` is when a reader could have had it, UTC: a date is over at its midnight in New
    York, so that nothing dated that day is used before.
    """

    day: date
    at: datetime | None = None

    @property
    def precision(self) -> Literal["exact", "date"]:
        return "date" if self.at is None else "exact"

    @property
    def known_at(self) -> datetime:
        if self.at is not None:
            return self.at
        return datetime.combine(self.day + timedelta(days=1), time(), NEW_YORK).astimezone(UTC)

    def fault(self, now: datetime) -> str:
        """Why this cannot be, in words; empty where it can."""
        if self.day < EARLIEST:
            return f"{self.day} is before {EARLIEST.year}"
        # A date is not ahead as long as it has begun anywhere: Tokyo writes tomorrow's.
        begin = self.at or datetime.combine(self.day, time(), _AHEAD)
        return f"{self.at or self.day} lies in the future" if begin > now else ""


def parse(text: str, *, midnight_is_time: bool = False) -> Published | None:
    """The one date that a text states, None for none, several or one that cannot be.

    ``midnight_is_time`` is for people, who write midnight only where they mean it.
    """
    rest = " ".join(text[: 2 * LONGEST].casefold().split())
    if not rest or len(rest) > LONGEST:
        return None
    named, rest = _take_zone_name(re.sub(r"(?<=\d)t(?=\d)", " ", rest))
    found = _take_date(rest)
    if found is None:
        return None
    day, rest = found
    clock, rest = _take_clock(rest)
    offset, rest = _take_offset(rest)
    words = _LEFT_OVER.sub(" ", rest).split()
    abbreviated = words.pop(0) if words and (words[0] in _HOURS or words[0] in _PLACES) else ""
    unzoned = words and offset is None and not abbreviated and clock is not None
    if words and not (unzoned and len(words) == 1 and words[0].isalpha() and len(words[0]) <= 5):
        return None
    if clock == time() and not midnight_is_time:
        clock = None
    return _placed(day, clock, offset or named or _abbreviated(abbreviated))


def _placed(day: date, clock: time | None, zone: tzinfo | None) -> Published:
    if clock is None or zone is None:
        return Published(day)
    local = datetime.combine(day, clock, zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return Published(day)  # the hour that exists twice, or not at all
    try:
        return Published(day, local.astimezone(UTC))
    except OverflowError:
        return Published(day)


def _take_date(rest: str) -> tuple[date, str] | None:
    for pattern in _DATES:
        match = pattern.search(rest)
        if match is None:
            continue
        parts = match.groupdict()
        month = _MONTHS[parts["month"]] if parts.get("month") else int(parts["m"])
        year = int(parts["y"])
        if year < 100:  # RFC 822
            year += 2000 if year < 69 else 1900
        return _dated(year, month, int(parts["d"]), rest, match)
    match = _SLASHED.search(rest)
    if match is None:
        return None
    first, second, year = (int(match[name]) for name in ("a", "b", "y"))
    if first > 12 >= second:
        return _dated(year, second, first, rest, match)
    if second > 12 >= first or first == second:
        return _dated(year, first, second, rest, match)
    return None


def _dated(
    year: int, month: int, day: int, rest: str, match: re.Match[str]
) -> tuple[date, str] | None:
    try:
        return date(year, month, day), f"{rest[: match.start()]} {rest[match.end() :]}"
    except ValueError:
        return None


def _take_clock(rest: str) -> tuple[time | None, str]:
    match = _CLOCK.search(rest)
    if match is None:
        return None, rest
    if match["compact"]:
        digits = match["compact"]
        hour, minute, second = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    else:
        hour = int(match["h"] or match["bare"])
        minute, second = int(match["min"] or 0), int(match["s"] or 0)
    half = (match["half"] or match["whose"] or "").strip()
    if half:
        if not 1 <= hour <= 12:
            return None, rest
        hour = hour % 12 + (12 if half[0] == "p" else 0)
    fraction = int((match["f"] or "0")[:6].ljust(6, "0"))
    try:
        clock = time(hour, minute, second, fraction)
    except ValueError:
        return None, rest
    return clock, f"{rest[: match.start()]} {rest[match.end() :]}"


def _take_offset(rest: str) -> tuple[tzinfo | None, str]:
    match = _OFFSET.search(rest)
    if match is None:
        return None, rest
    hours, minutes = int(match["h"]), int(match["m"] or 0)
    if hours > 14 or minutes > 59:
        return None, rest
    offset = timedelta(hours=hours, minutes=minutes)
    zone = timezone(-offset if match["sign"] != "+" else offset)
    return zone, f"{rest[: match.start()]} {rest[match.end() :]}"


def _take_zone_name(rest: str) -> tuple[tzinfo | None, str]:
    """A zone by its full name, such as America/New_York."""
    match = re.search(r"\b[a-z]+/[a-z_]+(?:/[a-z_]+)?\b", rest)
    if match is None:
        return None, rest
    known = {name.casefold(): name for name in zoneinfo.available_timezones()}
    if match[0] not in known:
        return None, rest
    return ZoneInfo(known[match[0]]), f"{rest[: match.start()]} {rest[match.end() :]}"


def _abbreviated(name: str) -> tzinfo | None:
    if name in _HOURS:
        return timezone(timedelta(hours=_HOURS[name]))
    return ZoneInfo(_PLACES[name]) if name in _PLACES else None
