"""Statistics of the daily equity, and the benchmark beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backtest.account import statistics as labels
from backtest.account.portfolio import keep_account
from backtest.account.statistics import (
    account_statistics,
    daily_returns,
    drawdown_sessions,
    statistics,
    statistics_table,
)
from backtest.settings import AccountSettings
from db.errors import DataError
from tests.backtest.account.cases import Order, candidates, marks

EQUITY = np.array([100.0, 120.0, 90.0, 99.0, 120.0, 132.0])


def test_returns_start_from_the_starting_cash() -> None:
    expected = [0.25, 0.2, -0.25, 0.1, 120 / 99 - 1, 0.1]
    assert daily_returns(EQUITY, 80.0).tolist() == pytest.approx(expected)


def test_returns_are_unknown_once_nothing_is_left() -> None:
    returns = daily_returns(np.array([50.0, -10.0, 20.0]), 100.0)
    assert returns[:2].tolist() == pytest.approx([-0.5, -1.2])
    assert np.isnan(returns[2])


@pytest.mark.parametrize(
    ("equity", "sessions"),
    [
        pytest.param([100, 120, 90, 99, 120, 132], 3, id="regained"),
        pytest.param([100, 120, 119, 120, 60, 70], 2, id="to the end"),
        pytest.param([100, 120, 120, 60, 120, 120], 2, id="from the peak's last day"),
        pytest.param([90, 100, 110, 105, 110, 120], 2, id="from the starting cash"),
        pytest.param([100, 101, 101, 102, 103, 104], 0, id="none"),
    ],
)
def test_the_deepest_drawdown_lasts_from_its_peak_until_it_is_regained(
    equity: list[float], sessions: int
) -> None:
    assert drawdown_sessions(np.array(equity, dtype=np.float64), 100.0) == sessions


def test_every_statistic_by_hand() -> None:
    stats = statistics(
        EQUITY,
        100.0,
        invested=EQUITY * np.array([0.0, 0.5, 0.5, 0.5, 0.0, 0.0]),
        in_market=np.array([False, True, True, True, True, False]),
    )
    r = np.array([0.0, 0.2, -0.25, 0.1, 120 / 99 - 1, 0.1])
    assert stats == pytest.approx(
        {
            labels.SESSIONS: 6,
            labels.FINAL_EQUITY: 132.0,
            labels.TOTAL_RETURN: 32.0,
            labels.ANNUAL_RETURN: (1.32 ** (252 / 6) - 1) * 100,
            labels.VOLATILITY: r.std(ddof=1) * math.sqrt(252) * 100,
            labels.SHARPE: r.mean() / r.std(ddof=1) * math.sqrt(252),
            labels.SORTINO: r.mean() / math.sqrt(0.25**2 / 6) * math.sqrt(252),
            labels.MAX_DRAWDOWN: -25.0,
            labels.DRAWDOWN_DURATION: 3,
            labels.EXPOSURE: 25.0,
            labels.TIME_IN_MARKET: 400 / 6,
        }
    )


def test_every_label_carries_a_unit() -> None:
    stats = statistics(EQUITY, 100.0)
    assert all("[" in label for label in stats if label != labels.SESSIONS)


def test_an_account_that_lost_everything_has_a_total_and_no_rates() -> None:
    stats = statistics(np.array([50.0, -10.0, 20.0]), 100.0, invested=np.ones(3))
    assert stats[labels.TOTAL_RETURN] == pytest.approx(-80.0)
    assert all(
        math.isnan(stats[label])
        for label in (labels.ANNUAL_RETURN, labels.SHARPE, labels.MAX_DRAWDOWN, labels.EXPOSURE)
    )


@pytest.mark.parametrize("equity", [[], [100.0, math.nan], [math.inf]])
def test_equity_with_gaps_is_refused(equity: list[float]) -> None:
    with pytest.raises(DataError, match="gaps"):
        statistics(np.array(equity), 100.0)


def test_the_table_has_both_side_by_side() -> None:
    held = Order(1, 1, 10, 290, (11, 10.0), (290, 12.0), closes=(11.0, 11.0))
    account = keep_account(
        candidates([held]), marks([held], (100, 200, 300)), AccountSettings(cash=1000.0, slots=1)
    )
    table = statistics_table(
        account_statistics(account), statistics(np.array([1000.0, 1100.0, 1210.0]), 1000.0)
    )
    assert table.columns.tolist() == ["label", "strategy", "benchmark"]
    rows = table.set_index("label")
    assert rows.loc[labels.TOTAL_RETURN].tolist() == pytest.approx([20.0, 21.0])
    assert rows.loc[labels.EXPOSURE, "strategy"] == pytest.approx(200 / 3)
    assert math.isnan(rows.loc[labels.EXPOSURE, "benchmark"])
    assert rows.loc[labels.TIME_IN_MARKET, "strategy"] == 100.0
