"""Fiscal periods as sources write them, told apart and put into one form (``2025Q4``)."""

from __future__ import annotations

import re
from functools import lru_cache

_QUARTER = re.compile(
    r"""^\s*(?:FY|F)?\s*(?:
        (?P<year1>(?:19|20)\d\d)\s*[-/ ]?\s*(?:FQ|Q)(?P<quarter1>[1-4])     # 2025Q4, 2025-Q4
      | (?:FQ|Q)(?P<quarter2>[1-4])\s*[-/ ]?\s*(?:FY)?\s*'?(?P<year2>(?:19|20)?\d\d)   # Q4 2025
      | (?P<quarter3>[1-4])Q\s*'?(?P<year3>(?:19|20)?\d\d)                   # 4Q25
    )\s*$""",
    re.VERBOSE | re.IGNORECASE,
)
_MONTH = re.compile(r"^\s*(?P<year>(?:19|20)\d\d)[-/](?P<month>0?[1-9]|1[0-2])(?:[-/]\d\d?)?\s*$")
_PIVOT = 70
"""Years of two digits are those from 1970 to 2069, as everywhere."""


@lru_cache(maxsize=4096)
def canonical_period(label: str, fiscal_year_end: int | None = None) -> str:
    """``Q4 2025``, ``4Q25``, ``2025-Q4`` -> ``2025Q4``; what is not understood stays as it is.

    ``2025-12``, the month in which a quarter ends, needs ``fiscal_year_end``, the month in which
    the fiscal year does; the fiscal year is named by the calendar year in which it ends.
    """
    found = _QUARTER.match(label)
    if found:
        parts = [value for value in found.groups() if value is not None]
        quarter, year = sorted(parts, key=len)
        return f"{int(year) if len(year) == 4 else _century(int(year)) + int(year)}Q{quarter}"
    month = _MONTH.match(label)
    if month and fiscal_year_end:
        return quarter_of(int(month["year"]), int(month["month"]), fiscal_year_end)
    return label.strip()


def _century(year: int) -> int:
    return 1900 if year >= _PIVOT else 2000


def quarter_of(year: int, month: int, fiscal_year_end: int) -> str:
    """The fiscal quarter in which a calendar month lies: (2025, 12, 9) -> ``2026Q1``."""
    into_year = (month - fiscal_year_end - 1) % 12
    return f"{year + (month > fiscal_year_end)}Q{into_year // 3 + 1}"
