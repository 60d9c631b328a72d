"""What asks for a place in the account: one order an event, filled or missed.

Times are int64 microseconds since the epoch, UTC.  Prices of one order are in one frame (splits
removed), so shares are of that frame too, and whole shares would mean nothing in it: positions
are fractional.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray
from db.errors import DataError


@dataclass(frozen=True, eq=False)
class Candidates:
    """Orders in any row order (N), and the dividends that went ex while they were held (D).

    What belongs to a fill (entry, exit, fee) is ignored where `filled` is False.
    Raises DataError naming the event where a row contradicts itself.
    """

    key: IntArray
    """Event id; no two rows share one."""
    instrument: IntArray
    side: ByteArray
    """+1 buys, -1 sells short."""
    decided_at: IntArray
    released_at: IntArray
    """From this instant on decisions may use the slot again: a missed order's expiry, or the
    end of the bar that closed the trade."""
    filled: BoolArray
    entry_at: IntArray
    entry_price: FloatArray
    """As traded: half-spread and slippage included, commission not."""
    entry_commission: FloatArray
    """Fraction of the notional."""
    exit_at: IntArray
    exit_price: FloatArray
    exit_commission: FloatArray
    borrow_fee: FloatArray
    """Fraction of the entry's notional, charged at the exit."""
    rank: FloatArray
    """Higher goes first; NaN (no rank) after all ranked ones."""
    dividend_row: IntArray
    """Row (of N) that the dividend belongs to."""
    dividend_at: IntArray
    """Start of the first bar of the ex-date."""
    dividend_cash: FloatArray
    """Cash a share, in the frame of the prices."""

    def __post_init__(self) -> None:
        n, d = len(self.key), len(self.dividend_row)
        for name in (field.name for field in fields(self)):
            expected = (d,) if name.startswith("dividend_") else (n,)
            if getattr(self, name).shape != expected:
                raise DataError(
                    f"{name} has the shape {getattr(self, name).shape}, not {expected}",
                    where="account candidates",
                )
        _check_orders(self)
        _check_dividends(self)

    def __len__(self) -> int:
        return len(self.key)

    @property
    def dividends_a_share(self) -> FloatArray:
        """Cash a share over the life of each order (N)."""
        # Summed in the order of the ex-dates, so that the rows' layout changes no digit.
        order = np.lexsort((self.dividend_cash, self.dividend_at))
        total = np.zeros(len(self))
        np.add.at(total, self.dividend_row[order], self.dividend_cash[order])
        return total


def _check_orders(c: Candidates) -> None:
    values, counts = np.unique(c.key, return_counts=True)
    if (counts > 1).any():
        raise DataError(
            "an event has more than one order", where=f"event {values[np.argmax(counts > 1)]}"
        )
    fill = c.filled
    wrong: tuple[tuple[str, BoolArray], ...] = (
        ("its side is neither +1 nor -1", np.abs(c.side) != 1),
        ("its slot is released before the decision", c.released_at < c.decided_at),
        ("it fills before the decision", fill & (c.entry_at < c.decided_at)),
        ("it leaves before it enters", fill & (c.exit_at < c.entry_at)),
        ("it leaves at the instant of its decision", fill & (c.exit_at <= c.decided_at)),
        ("its slot is released before the exit", fill & (c.released_at < c.exit_at)),
        ("its entry price is not positive", fill & ~_positive(c.entry_price)),
        ("its exit price is not positive", fill & ~_positive(c.exit_price)),
        ("its entry commission is not a fraction", fill & ~_fraction(c.entry_commission)),
        ("its exit commission is not a fraction", fill & ~_fraction(c.exit_commission)),
        ("its borrow fee is negative or unknown", fill & ~_not_negative(c.borrow_fee)),
    )
    for what, bad in wrong:
        if bad.any():
            raise DataError(what, where=f"order of event {c.key[np.argmax(bad)]}")


def _check_dividends(c: Candidates) -> None:
    row = c.dividend_row
    outside = (row < 0) | (row >= len(c))
    if outside.any():
        raise DataError(
            f"a dividend belongs to row {row[np.argmax(outside)]} of {len(c)}",
            where="account candidates",
        )
    wrong: tuple[tuple[str, BoolArray], ...] = (
        ("a dividend belongs to an order that never filled", ~c.filled[row]),
        # Whoever buys at the first print of the ex-date buys without the dividend.
        (
            "a dividend goes ex while it is not held",
            (c.dividend_at <= c.entry_at[row]) | (c.dividend_at > c.exit_at[row]),
        ),
        ("a dividend is negative or unknown", ~_not_negative(c.dividend_cash)),
    )
    for what, bad in wrong:
        if bad.any():
            raise DataError(what, where=f"order of event {c.key[row[np.argmax(bad)]]}")


def _positive(values: FloatArray) -> BoolArray:
    return np.isfinite(values) & (values > 0)


def _not_negative(values: FloatArray) -> BoolArray:
    return np.isfinite(values) & (values >= 0)


def _fraction(values: FloatArray) -> BoolArray:
    return (values >= 0) & (values < 1)
