"""The account as vectorbt keeps it: the same money, and one record a trade."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.account.allocation import allocate
from backtest.account.ledger import build_ledger
from backtest.account.portfolio import (
    Account,
    LedgerError,
    keep_account,
    measure_returns,
    reconcile,
    vectorbt_portfolio,
)
from backtest.settings import AccountSettings
from tests.backtest.account.cases import NAN, Order, at, candidates, marks
from tests.backtest.account.cases_random import MARKS, orders

CLOSES = (100.0, 200.0, 300.0)


def keep(table: Sequence[Order], *, cash: float = 1000.0, slots: int = 2) -> Account:
    settings = AccountSettings(cash=cash, slots=slots)
    return keep_account(candidates(table), marks(table, CLOSES), settings)


def trades(account: Account) -> pd.DataFrame:
    return pd.DataFrame(account.portfolio.trades.values)


def ledger_rows(account: Account, values: pd.Series) -> list[tuple[float, float]]:
    """(minute, value) of each ledger row."""
    start = np.datetime64(at(0), "us")
    stamps = values.index.tz_localize(None).to_numpy().astype("datetime64[us]")
    minutes = ((stamps - start) / np.timedelta64(1, "m")).tolist()
    return list(zip(minutes, values.tolist(), strict=True))


LONG = Order(
    key=1,
    instrument=1,
    decided=10,
    released=290,
    entry=(11, 10.0),
    exit=(290, 11.0),
    commission=0.01,
    closes=(12.0, 9.0),
    dividends=((130.0, 0.5), (130.0, 0.25), (230.0, 1.0)),
)


def test_a_long_with_dividends_is_one_trade_with_cash_on_the_ex_dates() -> None:
    account = keep([LONG], slots=1)
    shares = 1000 / (10 * 1.01)
    (record,) = trades(account).to_dict("records")
    assert record["size"] == pytest.approx(shares, rel=1e-12)
    assert record["entry_price"] == pytest.approx(10.0, rel=1e-12)
    assert record["exit_price"] == 11.0
    assert record["pnl"] == pytest.approx(shares * (1 + 1.75 - 0.1 - 0.11), rel=1e-11)
    assert (record["direction"], record["status"]) == (0, 1)
    sold = shares * 11 * 0.99
    expected = [
        (11, 0),
        (100, 0),
        (130, shares * 0.75),
        (200, shares * 0.75),
        (230, shares * 1.75),
        (290, shares * 1.75 + sold),
        (300, shares * 1.75 + sold),
    ]
    cash = ledger_rows(account, account.portfolio.cash())
    assert [minute for minute, _ in cash] == [minute for minute, _ in expected]
    assert [c for _, c in cash] == pytest.approx([c for _, c in expected], abs=1e-6)
    assert account.equity.tolist() == pytest.approx(
        [shares * 12, shares * (9 + 0.75), shares * 1.75 + sold], rel=1e-9
    )
    # On the ex-date itself the price known is the last close without the dividend.
    value = dict(ledger_rows(account, account.portfolio.value()))
    assert value[130] == pytest.approx(shares * 12, rel=1e-9)


def test_a_short_with_dividends_is_one_trade_and_pays_them_on_the_ex_dates() -> None:
    short = replace(LONG, side=-1, borrow=0.02)
    account = keep([short], slots=1)
    shares = 1000 / (10 * 1.01)
    (record,) = trades(account).to_dict("records")
    assert record["size"] == pytest.approx(shares, rel=1e-12)
    assert record["entry_price"] == 10.0
    assert record["exit_price"] == pytest.approx(11.0, rel=1e-12)
    assert record["pnl"] == pytest.approx(shares * (-1 - 1.75 - 0.1 - 0.11 - 0.2), rel=1e-11)
    assert (record["direction"], record["status"]) == (1, 1)
    cash = dict(ledger_rows(account, account.portfolio.cash()))
    proceeds = 1000 + shares * 9.9
    assert cash[100] == pytest.approx(proceeds, rel=1e-9)
    assert cash[130] == pytest.approx(proceeds - shares * 0.75, rel=1e-9)
    assert cash[230] == pytest.approx(proceeds - shares * 1.75, rel=1e-9)
    assert account.equity.iloc[0] == pytest.approx(proceeds - shares * 12, rel=1e-9)


def test_a_dividend_comes_in_although_the_cash_is_exactly_zero() -> None:
    held = Order(1, 1, 10, 290, (11, 10.0), (290, 10.0), dividends=((130.0, 1.0),))
    account = keep([held], slots=1)
    assert account.allocation.cash.tolist() == [0.0, 100.0, 1100.0]
    assert account.equity.tolist() == pytest.approx([1000.0, 1100.0, 1100.0], rel=1e-9)


def test_exits_come_before_entries_and_the_mark_comes_last() -> None:
    first = Order(1, 1, 10, 100, (11, 10.0), (100, 20.0))
    second = Order(2, 2, 100, 250, (100, 5.0), (250, 6.0), closes=(4.0, 4.0))
    account = keep([first, second], slots=1)
    records = trades(account)
    assert records["size"].tolist() == [100.0, 400.0]
    # Three rows at 100: the exit, the entry, the mark, a nanosecond apart.
    index = account.portfolio.value().index
    assert index.is_unique
    assert index.is_monotonic_increasing
    at_100 = [i for i, stamp in enumerate(index) if stamp.value // 1000 == at(100)]
    assert records["exit_idx"].tolist()[0] == at_100[0]
    assert records["entry_idx"].tolist()[1] == at_100[1]
    assert len(at_100) == 3
    assert account.equity.tolist() == pytest.approx([1600.0, 1600.0, 2400.0])


def test_a_trade_of_no_duration_is_over_before_its_slot_is_used_again() -> None:
    brief = Order(1, 1, 10, 20, (20, 10.0), (20, 9.0))
    then = Order(2, 2, 20, 90, (20, 10.0), (90, 10.0))
    account = keep([brief, then], slots=1)
    assert trades(account)["pnl"].tolist() == pytest.approx([-100.0, 0.0])
    assert account.equity.tolist() == pytest.approx([900.0] * 3)


def test_a_gap_in_the_closes_is_valued_at_the_last_price() -> None:
    held = Order(1, 1, 10, 290, (11, 10.0), (290, 12.0), closes=(NAN, NAN))
    assert keep([held], slots=1).equity.tolist() == pytest.approx([1000.0, 1000.0, 1200.0])


def test_a_short_may_take_the_cash_below_zero() -> None:
    short = Order(1, 1, 10, 150, (11, 10.0), (150, 100.0), side=-1, closes=(50.0,))
    long = Order(2, 2, 10, 290, (11, 10.0), (290, 10.0))
    account = keep([short, long])
    assert account.equity.tolist() == [-1000.0, -3500.0, -3500.0]
    assert account.portfolio.cash().min() == -4000.0


def test_no_orders_make_a_flat_account() -> None:
    account = keep([Order(1, 1, 10, 20)])
    assert account.equity.tolist() == [1000.0] * 3
    assert trades(account).empty


def test_equity_is_a_daily_series_at_the_closes_in_utc() -> None:
    account = keep([LONG])
    assert str(account.equity.index.dtype) == "datetime64[us, UTC]"
    assert account.equity.index[0] == pd.Timestamp("2019-01-01T01:40Z")
    assert account.equity.iloc[-1] == pytest.approx(account.allocation.final_equity)
    assert str(account.portfolio.value().index.dtype) == "datetime64[ns, UTC]"
    # One row of the ledger is no span of time: vectorbt must not make a Sharpe ratio of it.
    assert account.portfolio.wrapper.freq is None


@given(table=orders(), slots=st.integers(1, 4))
def test_vectorbt_agrees_at_every_close_and_on_every_trade(table: list[Order], slots: int) -> None:
    settings = AccountSettings(cash=1000.0, slots=slots)
    # Raises LedgerError at the first difference.
    account = keep_account(candidates(table), marks(table, MARKS), settings)
    ours = account.allocation
    scale = max(1000.0, np.abs(ours.equity).max())
    assert np.abs(account.equity.to_numpy() - ours.equity).max() <= 1e-8 * scale
    records = trades(account)
    assert len(records) == len(ours.traded)
    assert records["pnl"].sum() == pytest.approx(ours.final_equity - 1000.0, abs=1e-6)
    assert not records.duplicated(["col", "entry_idx"]).any()


@given(table=orders(sides=(1,)), slots=st.integers(1, 4))
def test_vectorbts_cash_is_never_below_zero_without_short_sales(
    table: list[Order], slots: int
) -> None:
    settings = AccountSettings(cash=1000.0, slots=slots)
    account = keep_account(candidates(table), marks(table, MARKS), settings)
    assert account.portfolio.cash().min() >= -1e-5


def _wrong_pnl(account: Account) -> dict[str, np.ndarray]:
    return {"pnl": account.allocation.pnl + 1e-3}


def _wrong_equity(account: Account) -> dict[str, np.ndarray]:
    return {"equity": account.allocation.equity + np.array([0.0, 1e-3, 0.0])}


def _wrong_cash(account: Account) -> dict[str, np.ndarray]:
    return {"cash": account.allocation.cash - 1e-3}


@pytest.mark.parametrize(
    ("wrong", "said", "where"),
    [
        (_wrong_pnl, "trade has pnl", "event 1"),
        (_wrong_equity, "equity is", "close of 2019-01-01T03:20:00.000000Z"),
        (_wrong_cash, "cash is", "close of 2019-01-01T01:40:00.000000Z"),
    ],
)
def test_a_difference_between_the_two_accounts_is_an_error(wrong, said: str, where: str) -> None:
    table, settings = [LONG], AccountSettings(cash=1000.0, slots=2)
    rows, closes = candidates(table), marks(table, CLOSES)
    account = keep_account(rows, closes, settings)
    ledger = build_ledger(rows, closes, account.allocation, settings)
    other = replace(account.allocation, **wrong(account))
    with pytest.raises(LedgerError, match=said) as error:
        reconcile(account.portfolio, rows, closes, other, ledger, settings)
    assert error.value.where == where


def test_a_trade_that_only_one_of_the_two_accounts_has_is_an_error() -> None:
    settings = AccountSettings(cash=1000.0, slots=2)
    rows, closes = candidates([LONG]), marks([LONG], CLOSES)
    allocation = allocate(rows, closes, settings)
    ledger = build_ledger(rows, closes, allocation, settings)
    empty = keep([Order(1, 1, 10, 20)])
    with pytest.raises(LedgerError, match="0 trades, the allocation 1"):
        reconcile(empty.portfolio, rows, closes, allocation, ledger, settings)


def test_vectorbt_refuses_to_spend_cash_that_is_not_there() -> None:
    settings = AccountSettings(cash=1000.0, slots=1)
    rows, closes = candidates([LONG]), marks([LONG], CLOSES)
    ledger = build_ledger(rows, closes, allocate(rows, closes, settings), settings)
    assert vectorbt_portfolio(ledger, settings).trades.count().sum() == 1
    with pytest.raises(LedgerError, match="refused an order"):
        vectorbt_portfolio(replace(ledger, size=ledger.size * 1.01), settings)


RETURNS = np.array([-0.02, 0.01, 0.0, 0.03, -0.01, 0.005, -0.004, 0.02])


def test_measures_are_the_textbook_formulas_at_252_sessions_a_year() -> None:
    measured = measure_returns(RETURNS)
    growth = np.cumprod(1 + RETURNS)
    path = np.concatenate([[1.0], growth])
    assert measured.total == pytest.approx(growth[-1] - 1, rel=1e-12)
    assert measured.annual == pytest.approx(growth[-1] ** (252 / 8) - 1, rel=1e-12)
    deviation = RETURNS.std(ddof=1)
    assert measured.volatility == pytest.approx(deviation * np.sqrt(252), rel=1e-12)
    assert measured.sharpe == pytest.approx(RETURNS.mean() / deviation * np.sqrt(252), rel=1e-12)
    losses = np.sqrt((np.minimum(RETURNS, 0) ** 2).mean())
    assert measured.sortino == pytest.approx(RETURNS.mean() / losses * np.sqrt(252), rel=1e-12)
    # The first day's loss is a drawdown from the starting cash.
    deepest = (path / np.maximum.accumulate(path) - 1).min()
    assert measured.max_drawdown == pytest.approx(deepest, rel=1e-12)
    assert deepest == pytest.approx(-0.02)


def test_measures_without_risk_or_without_returns_are_unknown() -> None:
    flat = measure_returns(np.zeros(5))
    assert (flat.total, flat.volatility, flat.max_drawdown) == (0.0, 0.0, 0.0)
    assert np.isnan([flat.sharpe, flat.sortino]).all()
    assert np.isnan(measure_returns(np.empty(0)).total)
    assert np.isnan(measure_returns(np.array([0.1, NAN])).sharpe)


def test_importing_the_module_imports_neither_vectorbt_nor_pandas() -> None:
    code = (
        "import sys; from backtest.account import benchmark, portfolio, statistics;"
        "print(sorted({'vectorbt', 'pandas', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
