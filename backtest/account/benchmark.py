"""Buy and hold: what the same symbols earned without any idea about events."""

from __future__ import annotations

import numpy as np

from backtest.paths import FloatArray
from db.errors import DataError


def buy_and_hold(
    closes: FloatArray, *, dividends: FloatArray | None = None, cash: float = 100_000.0
) -> FloatArray:
    """Equity at each mark (M) of equal parts in each of K instruments, without costs.

    ``closes`` (M x K): regular closes in one frame an instrument (splits removed), NaN before
    the listing and wherever it did not trade.  ``dividends`` (M x K): cash a share that went ex
    after the mark before, up to this one; they are reinvested in their instrument at that close.
    Closes that already include dividends need none.

    Nothing is known ahead.  At the first close at which an instrument has a price it gets the
    same part of the equity as each of the k seen so far, 1 / (k + 1), paid for by all of them in
    proportion; nothing is rebalanced in between.  An instrument without a close keeps its last
    price: for one that was delisted that is cash, since that it will never trade again is not
    known then.  Before the first price the equity is ``cash``.

    Raises DataError for another shape, or a close that is not positive.
    """
    paid = np.zeros_like(closes) if dividends is None else np.nan_to_num(dividends)
    if closes.ndim != 2 or paid.shape != closes.shape:
        raise DataError(
            f"closes {closes.shape} and dividends {paid.shape} must be marks x instruments",
            where="benchmark",
        )
    if np.isinf(closes).any() or (closes <= 0).any() or not (paid >= 0).all():
        raise DataError("a close is not positive, or a dividend is negative", where="benchmark")
    seen = np.zeros(closes.shape[1], dtype=np.bool_)
    last = np.ones(closes.shape[1])
    pending = np.zeros(closes.shape[1])
    parts = np.zeros(closes.shape[1])
    equity = np.full(len(closes), float(cash))
    for m in range(len(closes)):
        traded = ~np.isnan(closes[m])
        # A dividend without a close waits for the next one: the last price still holds it.
        pending += paid[m]
        price = np.where(traded, closes[m], last)
        parts *= np.where(traded & seen, (price + pending) / last, 1.0)
        pending[traded] = 0.0
        last = price
        new = traded & ~seen
        if new.any():
            held, added = int(seen.sum()), int(new.sum())
            total = parts.sum() if held else float(cash)
            parts *= held / (held + added)
            parts[new] = total / (held + added)
            seen |= new
        if seen.any():
            equity[m] = parts.sum()
    return equity
