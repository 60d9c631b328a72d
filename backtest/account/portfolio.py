"""The account as vectorbt keeps it: the one module that imports vectorbt.

vectorbt 1.2 has no types, takes a second to import and warns about pandas' plans; all of that
stays in here.  Everything it says of the account is checked against `backtest.account.allocation`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.account.allocation import Allocation, allocate
from backtest.account.candidates import Candidates
from backtest.account.ledger import Ledger, build_ledger
from backtest.account.marks import Marks
from backtest.paths import FloatArray, IntArray
from backtest.settings import AccountSettings
from db.errors import BacktestError

if TYPE_CHECKING:
    import pandas as pd

SESSIONS_A_YEAR = 252
_AGREE = 1e-9
"""Relative difference from our own arithmetic that doubles may make."""


class LedgerError(BacktestError):
    """vectorbt's account and ours disagree: a fault of this program, never of the data."""


@dataclass(frozen=True, eq=False)
class Account:
    """One backtest's account."""

    allocation: Allocation
    settings: AccountSettings
    portfolio: Any
    """`vectorbt.Portfolio`: a column a slot, shared cash, an irregular index of fills and marks.
    It has no `freq`, since one row is no span of time: rates a year are `measure_returns`'s."""
    equity: pd.Series[float]
    """vectorbt's value at each regular close (index: datetime64[us, UTC])."""


@dataclass(frozen=True)
class ReturnMeasures:
    """Measures of daily returns, as fractions, 252 sessions a year; NaN where undefined."""

    total: float
    annual: float
    """Compound."""
    volatility: float
    """A year; sample standard deviation."""
    sharpe: float
    """A year, risk-free rate 0."""
    sortino: float
    """A year; mean over the root mean square of the losses, all sessions counted."""
    max_drawdown: float
    """0 or negative."""


def keep_account(
    candidates: Candidates, marks: Marks, settings: AccountSettings | None = None
) -> Account:
    """Allocate the slots, keep the account in vectorbt, and check that the two agree.

    Raises UsageError where the marks end before the last exit, LedgerError where vectorbt's
    trades, cash or equity differ from `allocate`'s by more than rounding.
    """
    settings = settings or AccountSettings()
    allocation = allocate(candidates, marks, settings)
    ledger = build_ledger(candidates, marks, allocation, settings)
    portfolio = vectorbt_portfolio(ledger, settings)
    value = reconcile(portfolio, candidates, marks, allocation, ledger, settings)
    return Account(allocation, settings, _in_utc(portfolio), daily_series(value, marks.at))


def reconcile(
    portfolio: Any,
    candidates: Candidates,
    marks: Marks,
    allocation: Allocation,
    ledger: Ledger,
    settings: AccountSettings,
) -> FloatArray:
    """Return vectorbt's equity at each mark (M), once its trades, cash and equity are ours.

    Raises LedgerError naming the first difference.
    """
    with _quiet_vectorbt():
        _check_trades(portfolio.trades.values, candidates, allocation, ledger)
        value = np.asarray(portfolio.value(), dtype=np.float64)[ledger.mark_row]
        cash = np.asarray(portfolio.cash(), dtype=np.float64)
    _check_marks("equity", value, allocation.equity, marks, settings, ledger)
    _check_marks("cash", cash[ledger.mark_row], allocation.cash, marks, settings, ledger)
    if not ledger.has_shorts and cash.min() < -_AGREE * settings.cash - ledger.slack:
        raise LedgerError(f"cash fell to {cash.min()!r} without a short sale", where="account")
    return value


def daily_series(values: FloatArray, marks: IntArray) -> pd.Series[float]:
    """``values`` (M) at the regular closes ``marks`` (M, us UTC)."""
    import pandas as pd

    index = pd.DatetimeIndex(marks.astype("datetime64[us]"), name="close").tz_localize("UTC")
    return pd.Series(values, index=index, name="equity")


def measure_returns(returns: FloatArray) -> ReturnMeasures:
    """Measure simple returns from one regular close to the next (n), by vectorbt's accessor."""
    import pandas as pd

    vbt = _vectorbt()
    if not len(returns) or not np.isfinite(returns).all():
        return ReturnMeasures(*[float("nan")] * 6)

    def accessor(values: FloatArray) -> Any:
        # The series has a row a session, whatever the clock says: one session is one "day".
        series = pd.Series(values, dtype="float64")
        year = pd.Timedelta(days=SESSIONS_A_YEAR)
        return vbt.returns.accessors.ReturnsSRAccessor(series, freq="1D", year_freq=year)

    def number(value: float) -> float:
        # vectorbt answers infinity where it divides by no risk at all.
        return float(value) if np.isfinite(value) else float("nan")

    with _quiet_vectorbt():
        acc = accessor(returns)
        # vectorbt's drawdown starts at the first return's end; a first loss is a loss too.
        fall = accessor(np.concatenate([[0.0], returns])).max_drawdown(engine="rust")
        return ReturnMeasures(
            total=number(acc.total(engine="rust")),
            annual=number(acc.annualized(engine="rust")),
            volatility=number(acc.annualized_volatility(engine="rust")),
            sharpe=number(acc.sharpe_ratio(engine="rust")),
            sortino=number(acc.sortino_ratio(engine="rust")),
            max_drawdown=number(fall),
        )


def _vectorbt() -> Any:
    with _quiet_vectorbt():
        import vectorbt
    return vectorbt


@contextmanager
def _quiet_vectorbt() -> Iterator[None]:
    """Let vectorbt 1.2 call pandas by names that pandas 4 will drop: it is not ours to change."""
    from pandas.errors import Pandas4Warning

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=Pandas4Warning, module=r"vectorbt\.")
        yield


def vectorbt_portfolio(ledger: Ledger, settings: AccountSettings) -> Any:
    """The ledger as a `vectorbt.Portfolio`.  Raises LedgerError where it refuses an order.

    Its index is UTC without saying so: vectorbt turns an index with a zone into objects at every
    step, which takes ten times as long as the account itself.
    """
    import pandas as pd

    vbt = _vectorbt()
    index = pd.DatetimeIndex(ledger.at_ns.astype("datetime64[ns]"), name="time")
    columns = pd.RangeIndex(settings.slots, name="slot")
    # Who gets the cash is decided, so vectorbt must refuse an order rather than shrink it; but
    # it also refuses every purchase, a dividend's speck included, at a balance of exactly 0, and
    # cannot go below it as an account with short positions may.  It runs with a little more
    # cash, or with what the shorts need; `reconcile` checks the cash of the account itself.
    headroom = settings.cash * 1e-3
    if ledger.has_shorts:
        headroom += max(0.0, -_lowest_cash(ledger, settings))
    with _quiet_vectorbt():
        try:
            portfolio = vbt.Portfolio.from_orders(
                pd.DataFrame(ledger.close, index=index, columns=columns),
                size=ledger.size,
                size_type="amount",
                direction="both",
                price=ledger.price,
                fees=ledger.fees,
                fixed_fees=ledger.fixed_fees,
                slippage=0.0,
                min_size=0.0,
                allow_partial=False,
                raise_reject=True,
                init_cash=settings.cash + headroom,
                cash_sharing=True,
                group_by=True,
                max_orders=max(ledger.orders, 1),
                # One record a trade: its dividends' specks are orders of the same position.
                trades_type="positions",
                engine="rust",
            )
        except vbt.portfolio.enums.RejectedOrderError as error:
            raise LedgerError(f"vectorbt refused an order: {error}", where="account") from error
        return portfolio.replace(init_cash=np.array([settings.cash]))


def _in_utc(portfolio: Any) -> Any:
    """The same portfolio with an index that says that it is UTC."""
    with _quiet_vectorbt():
        index = portfolio.wrapper.index.tz_localize("UTC")
        close = portfolio.close.set_axis(index, axis=0)
        return portfolio.replace(wrapper=portfolio.wrapper.replace(index=index), close=close)


def _lowest_cash(ledger: Ledger, settings: AccountSettings) -> float:
    size = np.nan_to_num(ledger.size)
    value = size * np.nan_to_num(ledger.price)
    flow = -(value + np.abs(value) * ledger.fees + ledger.fixed_fees * (size != 0))
    # Within a row, what goes out may go before what comes in.
    out = settings.cash + np.cumsum(flow.sum(axis=1)) - np.maximum(flow, 0).sum(axis=1)
    return float(out.min())


def _check_trades(
    records: Any, candidates: Candidates, allocation: Allocation, ledger: Ledger
) -> None:
    """Every trade of ours is one of vectorbt's: slot, rows, shares, prices and profit."""
    trade = ledger.trade
    if len(records) != len(trade):
        raise LedgerError(
            f"vectorbt has {len(records)} trades, the allocation {len(trade)}", where="account"
        )
    records = records[np.lexsort((records["exit_idx"], records["entry_idx"], records["col"]))]
    notional = allocation.shares[trade] * candidates.entry_price[trade]
    exact = {
        "col": allocation.slot[trade],
        "entry_idx": ledger.entry_row,
        "exit_idx": ledger.exit_row,
        "direction": (candidates.side[trade] < 0).astype(np.int64),
        "status": np.ones(len(trade), dtype=np.int64),
    }
    close = {
        "size": (allocation.shares[trade], allocation.shares[trade]),
        "entry_price": (candidates.entry_price[trade], candidates.entry_price[trade]),
        "exit_price": (candidates.exit_price[trade], candidates.exit_price[trade]),
        "pnl": (allocation.pnl[trade], notional + np.abs(allocation.pnl[trade])),
    }
    for name, ours in exact.items():
        _agree(name, records[name] != ours, records[name], ours, candidates.key[trade])
    for name, (expected, scale) in close.items():
        # Written so that a NaN disagrees.
        differ = ~(np.abs(records[name] - expected) <= _AGREE * scale)
        _agree(name, differ, records[name], expected, candidates.key[trade])


def _agree(name: str, differ: Any, theirs: Any, ours: Any, keys: IntArray) -> None:
    if differ.any():
        i = int(np.argmax(differ))
        raise LedgerError(
            f"vectorbt's trade has {name} {theirs[i]!r}, the allocation {ours[i]!r}",
            where=f"event {keys[i]}",
        )


def _check_marks(
    name: str,
    theirs: FloatArray,
    ours: FloatArray,
    marks: Marks,
    settings: AccountSettings,
    ledger: Ledger,
) -> None:
    scale = np.maximum(np.abs(ours), settings.cash)
    differ = ~(np.abs(theirs - ours) <= _AGREE * scale + ledger.slack)
    if differ.any():
        i = int(np.argmax(differ))
        raise LedgerError(
            f"vectorbt's {name} is {theirs[i]!r}, the allocation's {ours[i]!r}",
            where=f"close of {np.datetime64(int(marks.at[i]), 'us')}Z",
        )
