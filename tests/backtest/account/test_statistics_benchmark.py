"""Buy and hold: equal parts at first sight, and nothing known ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backtest.account.benchmark import buy_and_hold
from db.errors import DataError

NAN = float("nan")


def table(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.float64)


def test_equal_parts_are_held_and_never_rebalanced() -> None:
    closes = table((10, 5), (20, 5), (20, 10))
    assert buy_and_hold(closes, cash=100.0).tolist() == [100.0, 150.0, 200.0]


def test_the_equity_is_cash_until_the_first_price() -> None:
    closes = table((NAN, NAN), (10, NAN), (11, NAN))
    assert buy_and_hold(closes, cash=100.0).tolist() == pytest.approx([100.0, 100.0, 110.0])


def test_a_late_listing_gets_an_equal_part_from_all_in_proportion() -> None:
    # A doubles to 100, B halves to 25; C comes at equity 125 and gets a third of it.
    closes = table((10, 10, NAN), (20, 5, 7), (20, 5, 14))
    equity = buy_and_hold(closes, cash=100.0)
    assert equity.tolist() == pytest.approx([100.0, 125.0, 125.0 + 125.0 / 3])


def test_a_delisted_instrument_keeps_its_last_price() -> None:
    closes = table((10, 10), (5, 10), (NAN, 20), (NAN, 20))
    assert buy_and_hold(closes, cash=100.0).tolist() == [100.0, 75.0, 125.0, 125.0]


def test_dividends_are_reinvested_at_the_close() -> None:
    closes = table((10,), (9,), (18,))
    paid = table((5,), (1,), (0,))
    # What goes ex at the first close is not ours; 9 and 1 keep the 100; then the price doubles.
    assert buy_and_hold(closes, dividends=paid, cash=100.0).tolist() == [100.0, 100.0, 200.0]


def test_a_dividend_without_a_close_waits_for_the_next() -> None:
    closes = table((10,), (NAN,), (8,))
    paid = table((0,), (1,), (1,))
    equity = buy_and_hold(closes, dividends=paid, cash=100.0)
    assert equity.tolist() == pytest.approx([100.0, 100.0, 100.0])


@given(
    closes=hnp.arrays(
        np.float64,
        st.tuples(st.integers(1, 8), st.integers(1, 4)),
        elements=st.sampled_from([NAN, 1.0, 2.0, 5.0]),
    ),
    cut=st.integers(1, 8),
)
def test_what_comes_later_changes_nothing_before(closes: np.ndarray, cut: int) -> None:
    whole = buy_and_hold(closes)
    assert np.array_equal(buy_and_hold(closes[:cut]), whole[:cut])
    assert (whole > 0).all()


@pytest.mark.parametrize(
    ("closes", "paid"),
    [
        (table((10,), (0,)), None),
        (table((10,), (np.inf,)), None),
        (table((10,), (11,)), table((0,))),
        (table((10,), (11,)), table((0,), (-1,))),
        (np.ones(3), None),
    ],
)
def test_impossible_tables_are_refused(closes: np.ndarray, paid: np.ndarray | None) -> None:
    with pytest.raises(DataError):
        buy_and_hold(closes, dividends=paid)
