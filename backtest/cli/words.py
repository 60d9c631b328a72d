"""Text for a terminal: words typed there become values, values become words."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from db.errors import UsageError

NEW_YORK = "America/New_York"


def printable(text: str) -> str:
    """The text without control characters, which could move the cursor or colour the screen."""
    if text.isprintable():
        return text
    return "".join(
        c if c == "\n" or unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )


def symbols_of(values: Iterable[str] | None) -> list[str] | None:
    """``["amd,UBER", "F"]`` -> ``["AMD", "UBER", "F"]``; None where nothing was asked for."""
    names = [name.strip().upper() for value in values or () for name in value.split(",")]
    names = [name for name in names if name]
    return list(dict.fromkeys(names)) or None


def pairs_of(values: Iterable[str] | None, *, option: str) -> dict[str, str]:
    """``["drop=0.05"]`` -> ``{"drop": "0.05"}``; UsageError for anything that is not NAME=VALUE."""
    pairs: dict[str, str] = {}
    for value in values or ():
        name, equals, text = value.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} takes NAME=VALUE, not {value!r}")
        if name.strip() in pairs:
            raise UsageError(f"{option} {name.strip()} is given twice")
        pairs[name.strip()] = text.strip()
    return pairs


def instant(text: str | None, *, option: str, end_of_day: bool = False) -> datetime | None:
    """An instant from the command line, UTC.

    A date is its first moment in New York, or its last with ``end_of_day``; a time of day needs
    its offset from UTC, since a bare clock time would be a guess.
    """
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        midnight = datetime.combine(day, time(), tzinfo=ZoneInfo(NEW_YORK))
        if not end_of_day:
            return midnight.astimezone(UTC)
        following = datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(NEW_YORK))
        return following.astimezone(UTC) - timedelta(microseconds=1)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} takes a date or an instant, not {text!r}",
            hint=f"{option} 2020-11-05 or {option} 2020-11-05T16:05:00-05:00",
        ) from None
    if moment.tzinfo is None:
        raise UsageError(
            f"{option} {text} has no offset from UTC",
            hint=f"{option} {text}-05:00 for New York in winter, {option} {text}Z for UTC",
        )
    return moment.astimezone(UTC)


def date_of(text: str, *, option: str) -> date:
    """A calendar day from the command line."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} takes a date, not {text!r}", hint=f"{option} 2022-06-09"
        ) from None


def amount(low: float, high: float, unit: str = "") -> str:
    """``53.5 .. 56.5B USD``: a value or range as people write it; empty for none at all."""
    known = [value for value in (low, high) if not math.isnan(value)]
    if not known:
        return ""
    if unit == "ratio":
        shown = dict.fromkeys(f"{value * 100:.6g} %" for value in known)
        return " .. ".join(shown)
    scale, letter = next((pair for pair in _SCALES if max(map(abs, known)) >= pair[0]), (1.0, ""))
    shown = dict.fromkeys(f"{value / scale:,.6g}" for value in known)
    return f"{' .. '.join(shown)}{letter} {unit}".rstrip()


_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"))


def count(n: int, noun: str, plural: str = "") -> str:
    """``count(1, "row")`` -> ``"1 row"``, ``count(2000, "row")`` -> ``"2,000 rows"``."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"
