"""Numbers are read strictly, and single precision gains no digits that nobody quoted."""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from db.sources.files.numeric import number_fault, shortest_decimals, to_numbers


@pytest.mark.parametrize("text", ["1.5", " 1.5 ", "+1.5", "1.5e0", "1.50", "15E-1", "01.5"])
def test_plain_numbers(text: str) -> None:
    assert to_numbers(pa.array([text])).values.tolist() == [1.5]


@pytest.mark.parametrize("text", ["", " ", "-", "--", "NaN", "nan", "NULL", "None", "n/a", "NA"])
def test_words_for_no_value(text: str) -> None:
    numbers = to_numbers(pa.array([text, "1"]))
    assert numbers.missing.tolist() == [True, False]
    assert not numbers.bad.any()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("59,9", "decimal"),
        ("1.234,5", "decimal"),
        ("1 234", "separator"),
        ("1,234.5", "comma"),
        ("1,234", "comma"),
        ("$59.9", "sign beside"),
        ("5.9 %", "sign beside"),
        ("(0.12)", "minus"),
        ("1.2M", "unit"),
        ("x", "not a number"),
        ("0x10", "not a number"),
        ("1_000", "not a number"),
        ("\u0661", "not a number"),
        ("1.5\n1.6", "quote"),
    ],
)
def test_what_is_no_number_says_why(text: str, hint: str) -> None:
    numbers = to_numbers(pa.array([text, "1"]))
    assert numbers.bad.tolist() == [True, False]
    assert np.isnan(numbers.values[0])
    assert hint in number_fault(text)


@given(st.lists(st.sampled_from(["1", "2.5", "x", "", "nan", "inf", "-inf", " 7", "1e400"])))
def test_a_cell_reads_the_same_whatever_stands_beside_it(texts: list[str]) -> None:
    together = to_numbers(pa.array(texts, pa.string()))
    for index, text in enumerate(texts):
        alone = to_numbers(pa.array([text]))
        assert alone.bad[0] == together.bad[index]
        np.testing.assert_array_equal(alone.values[0], together.values[index])


def test_columns_of_any_type() -> None:
    cases = {
        "integers": pa.array([3, None], pa.int64()),
        "unsigned": pa.array([3, None], pa.uint8()),
        "decimals": pa.array([decimal.Decimal("3.00"), None]),
        "half": pa.array(np.array([3.0, np.nan], np.float16)),
        "dictionary": pa.array(["3", None]).dictionary_encode(),
        "large text": pa.array(["3", ""], pa.large_string()),
    }
    for name, cells in cases.items():
        numbers = to_numbers(cells)
        assert numbers.values[0] == 3, name
        assert numbers.missing.tolist() == [False, True], name
    assert to_numbers(pa.array([True, None])).bad.tolist() == [True, False]
    assert to_numbers(pa.nulls(2)).missing.all()


def test_single_precision_reads_as_it_was_quoted() -> None:
    quoted = [29.516, 0.0096, 1234.5, 16777216.0, 0.1, 59.99, 838.2501, 2305660.5, 100000.0]
    assert shortest_decimals(np.array(quoted, np.float32)).tolist() == quoted


@given(st.integers(1, 999_999), st.integers(0, 5), st.booleans())
def test_six_digits_come_back_exactly(digits: int, decimals: int, negative: bool) -> None:
    value = digits / 10**decimals * (-1 if negative else 1)
    assert shortest_decimals(np.array([value], np.float32)).tolist() == [value]


@given(arrays.arrays(np.float32, st.integers(0, 20), elements=st.floats(width=32)))
def test_no_single_precision_value_is_changed(values: np.ndarray) -> None:
    result = shortest_decimals(values)
    np.testing.assert_array_equal(result.astype(np.float32), values)
