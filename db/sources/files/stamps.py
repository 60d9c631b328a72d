"""One text to one date, clock time or offset; None where it is none.

Called once for each distinct text, so plain Python does.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from email.utils import parsedate_to_datetime

import numpy as np

from db.intervals import MINUTE, SECOND

CLOCK = r"\d{1,2}(?::\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?:\s?[AaPp]\.?[Mm]\.?)?"
"""A time of day as a regular expression (RE2 and Python): 9:30, 16:05:00.5, 4:05 PM."""

LONGEST_OFFSET = 14 * 60 * MINUTE
"""No zone is farther from UTC, in microseconds."""

_MAIL = re.compile(
    r"\s*([A-Za-z]{3},\s*)?\d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2}(:\d{2})? ?"
    r"([+-]\d{4}|GMT|UTC|UT)\s*"
)


def day_number(text: str, *, month_first: bool) -> int | None:
    if len(text) == 8 and text.isdigit():
        numbers = [int(text[:4]), int(text[4:6]), int(text[6:])]
    else:
        parts = re.split(r"[-/.]", text)
        numbers = [int(part) for part in parts]
        if len(parts[0]) != 4:
            year = numbers[2] if len(parts[2]) == 4 else _full_year(numbers[2])
            day_and_month = numbers[:2] if "." in text or not month_first else numbers[1::-1]
            numbers = [year, day_and_month[1], day_and_month[0]]
    try:
        return (date(*numbers) - date(1970, 1, 1)).days
    except ValueError:
        return None


def _full_year(two_digits: int) -> int:
    """As strptime has it: 69 to 99 are of the last century."""
    return two_digits + (1900 if two_digits >= 69 else 2000)


def clock_us(text: str) -> int | None:
    digits = re.match(r"(\d{1,2})(?::(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?", text)
    if digits is None:
        return None
    hour, minute, second = (int(group or 0) for group in digits.groups()[:3])
    half = text[digits.end() :].strip(" .").upper()[:1]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "P" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int((digits.group(4) or "0").ljust(6, "0")[:6])
    return hour * 60 * MINUTE + minute * MINUTE + second * SECOND + fraction


def column_clock_us(text: str) -> int | None:
    if re.fullmatch(r"\d{4}|\d{6}", text):
        text = ":".join(re.findall(r"\d{2}", text))
    if ":" not in text or not re.fullmatch(CLOCK, text):
        return None
    return clock_us(text)


def zone_us(text: str) -> int | None:
    if text in {"Z", "z", "UTC", "GMT"}:
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[2:])
    offset = (int(digits[:2]) * 60 + minutes) * MINUTE
    if minutes > 59 or offset > LONGEST_OFFSET:
        return None
    return -offset if text[0] == "-" else offset


def mail_date(text: str) -> tuple[int, int] | None:
    """Wall clock and instant in microseconds of an RFC 2822 date with a zone."""
    if not _MAIL.fullmatch(text):
        return None
    try:
        stamp = parsedate_to_datetime(text)
    except ValueError:
        return None
    offset = (stamp.utcoffset() or timedelta()) // timedelta(microseconds=1)
    wall = int(np.datetime64(stamp.replace(tzinfo=None), "us").astype(np.int64))
    return wall, wall - offset
