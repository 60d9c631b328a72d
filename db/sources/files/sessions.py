"""Release sessions as files spell them: a label, a clock time, or nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from db.batches import SessionLabel
from db.sources.files.arrow import BoolArray, IntArray
from db.sources.files.stamps import column_clock_us

_SPELLINGS: dict[SessionLabel, str] = {
    "pre": (
        "pre bmo bto before premarket beforemarket beforeopen beforemarketopen beforetheopen "
        "beforemarketopens beforetrading timepremarket premarketopen preopen"
    ),
    "post": (
        "post amc after postmarket aftermarket afterclose aftermarketclose aftertheclose "
        "aftermarketcloses afterhours aftertrading timeafterhours postclose"
    ),
    "regular": (
        "regular during dmh dmt duringmarket duringmarkethours duringtrading duringtradinghours "
        "intraday rth open"
    ),
    "": (
        "unknown none null nan na tns tas tbd notsupplied timenotsupplied unspecified "
        "notavailable unsupplied"
    ),
}
_LABELS: dict[str, SessionLabel] = {
    spelling: label for label, spellings in _SPELLINGS.items() for spelling in spellings.split()
}


@dataclass(frozen=True)
class Moments:
    """When in the day, one entry a row.

    ``clock`` is microseconds since midnight or -1; ``known`` is False for a text that is neither
    a label nor a clock time.
    """

    labels: list[SessionLabel]
    clock: IntArray
    known: BoolArray


def read_moments(texts: Sequence[str]) -> Moments:
    """Labels and clock times of one column."""
    read = {text: _moment(text) for text in set(texts)}
    found = [read[text] for text in texts]
    return Moments(
        [moment[0] if moment else "" for moment in found],
        np.array([moment[1] if moment else -1 for moment in found], dtype=np.int64),
        np.array([moment is not None for moment in found], dtype=np.bool_),
    )


def _moment(text: str) -> tuple[SessionLabel, int] | None:
    clock = column_clock_us(text)
    if clock is not None:
        return "", clock
    bare = re.sub(r"[^a-z]+", "", text.lower())
    if not bare and not re.search(r"\w", text):
        return "", -1
    label = _LABELS.get(bare)
    return None if label is None or re.search(r"\d", text) else (label, -1)


def session_fault(_: int, text: str) -> str:
    """Why a cell names no session, for its reject."""
    if re.match(r"\s*\d{1,2}:\d{2}", text):
        return "not a clock time that is known: write 16:05 or 4:05 PM, the zone in --tz"
    return "unknown session: one of pre, post, regular (bmo, amc, dmh, ...), a time, or nothing"
