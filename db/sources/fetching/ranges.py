"""Half-open ranges of instants: what of one is not covered by others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Range(NamedTuple):
    """From ``since`` up to but without ``until``."""

    since: datetime
    until: datetime


def missing(wanted: Range, covered: Iterable[Range]) -> list[Range]:
    """The parts of ``wanted`` that no range covers, in order of time."""
    gaps: list[Range] = []
    at = wanted.since
    for since, until in sorted(covered):
        if until <= max(at, since) or since >= wanted.until:
            continue
        if since > at:
            gaps.append(Range(at, since))
        at = max(at, until)
    if at < wanted.until:
        gaps.append(Range(at, wanted.until))
    return gaps
