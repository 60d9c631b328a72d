"""A repeated bar is found in whatever chunk and order it comes."""

from __future__ import annotations

from contextlib import closing
from math import isnan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from db.sources.files.duplicates import SeenBars

Bar = tuple[int, int, float]

_bars = st.tuples(
    st.integers(0, 3), st.integers(0, 5), st.sampled_from([1.0, 2.0, float("nan"), 0.0, -0.0])
)


def found(chunks: list[list[Bar]]) -> list[str]:
    verdicts = []
    with closing(SeenBars()) as seen:
        for chunk in chunks:
            symbols = np.array([bar[0] for bar in chunk], dtype=np.int64)
            slots = np.array([bar[1] for bar in chunk], dtype=np.int64)
            values = np.array([bar[2] for bar in chunk], dtype=np.float64)
            repeated, differing = seen.find(symbols, slots, (values, values))
            verdicts += [
                "new" if not again else "other" if differs else "same"
                for again, differs in zip(repeated.tolist(), differing.tolist(), strict=True)
            ]
    return verdicts


def expected(bars: list[Bar]) -> list[str]:
    first: dict[tuple[int, int], float] = {}
    verdicts = []
    for symbol, slot, value in bars:
        if (symbol, slot) not in first:
            first[symbol, slot] = value
            verdicts.append("new")
        else:
            before = first[symbol, slot]
            equal = before == value or (isnan(before) and isnan(value))
            verdicts.append("same" if equal else "other")
    return verdicts


@given(st.lists(st.lists(_bars, max_size=12), max_size=5))
def test_as_a_dictionary_would_find_them(chunks: list[list[Bar]]) -> None:
    assert found(chunks) == expected([bar for chunk in chunks for bar in chunk])


def test_the_first_of_several_decides() -> None:
    assert found([[(0, 1, 1.0)], [(0, 1, 2.0)], [(0, 1, 1.0), (0, 1, 2.0)]]) == [
        "new", "other", "same", "other"
    ]  # fmt: skip


def test_values_one_bit_apart_differ() -> None:
    low = 100.0
    assert found([[(0, 1, low), (0, 1, float(np.nextafter(low, 200)))]]) == ["new", "other"]


def test_a_slot_number_never_runs_into_the_symbol() -> None:
    assert found([[(0, 2**32 - 1, 1.0), (1, 0, 1.0), (1, 2**32 - 1, 1.0)]]) == ["new"] * 3
