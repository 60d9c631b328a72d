"""Fiscal periods as sources write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.periods import canonical_period, quarter_of

WRITTEN = [
    *("2025Q4", "2025-Q4", "2025 Q4", "2025/Q4", "2025q4", "FY2025Q4", "FY2025 Q4", "F2025Q4"),
    *("2025FQ4", "Q4 2025", "Q42025", "Q4-2025", "Q4/2025", "q4 2025", "FQ4 2025", "Q4 FY2025"),
    *("Q4 FY25", "Q4'25", "Q4 '25", "Q425", "4Q25", "4Q2025", "4Q '25", "  2025Q4  "),
]


@pytest.mark.parametrize("label", WRITTEN)
def test_all_ways_to_write_a_quarter_are_one(label: str) -> None:
    assert canonical_period(label) == "2025Q4"


@given(st.integers(1970, 2069), st.integers(1, 4))
def test_a_year_of_two_digits_is_the_nearer_one(year: int, quarter: int) -> None:
    expected = f"{year}Q{quarter}"
    for label in (f"{quarter}Q{year % 100:02}", f"Q{quarter}'{year % 100:02}", expected):
        assert canonical_period(label) == expected


@given(st.integers(1900, 2099), st.integers(1, 4))
def test_what_is_in_its_form_stays_in_it(year: int, quarter: int) -> None:
    label = f"{year}Q{quarter}"
    assert canonical_period(canonical_period(label)) == label
    assert canonical_period(label, 9) == label, "a label is not shifted by the fiscal year"


@pytest.mark.parametrize(
    "label",
    [
        *("", "Q4", "2025", "2025FY", "FY2025", "2025Q5", "2025Q0", "Q4 20255", "next", "2025H1"),
        *("12/2025", "2025-13", "2025-00", "Q4 2025 results", "12025Q4", "2025-1234"),
    ],
)
def test_what_is_not_understood_stays_as_it_is(label: str) -> None:
    assert canonical_period(label, 12) == label
    assert canonical_period(f" {label} ") == label


@pytest.mark.parametrize(
    ("label", "year_end", "expected"),
    [
        ("2025-12", 12, "2025Q4"),
        ("2025-12", 9, "2026Q1"),  # Apple
        ("2025-09", 9, "2025Q4"),
        ("2025-9", 9, "2025Q4"),
        ("2025-09-27", 9, "2025Q4"),
        ("2025/09", 9, "2025Q4"),
        ("2025-10", 1, "2026Q3"),  # Nvidia
        ("2026-01", 1, "2026Q4"),
        ("2025-06", 6, "2025Q4"),  # Microsoft
        ("2025-12", None, "2025-12"),
    ],
)
def test_a_month_is_a_quarter_where_the_fiscal_year_is_known(
    label: str, year_end: int | None, expected: str
) -> None:
    assert canonical_period(label, year_end) == expected


@given(st.integers(1990, 2030), st.integers(1, 12), st.integers(1, 12))
def test_quarters_follow_one_another_month_by_month(year: int, month: int, year_end: int) -> None:
    """The slow way: walk from the first month of the fiscal year that ends in ``year_end``."""
    begin = (year, month)
    quarters = []
    walk_year, walk_month = year - 2, year_end % 12 + 1  # a month after a year's end
    if year_end == 12:
        walk_year, walk_month = year - 1, 1
    for step in range(48):
        at = (walk_year + (walk_month - 1 + step) // 12, (walk_month - 1 + step) % 12 + 1)
        fiscal = (walk_year + (year_end != 12)) + step // 12
        quarters.append((at, f"{fiscal}Q{step % 12 // 3 + 1}"))
    assert quarter_of(year, month, year_end) == dict(quarters)[begin]
