"""Filters on what an instrument cost and traded before the event: known, true, and not later."""

from __future__ import annotations

import numpy as np

from backtest.panel.panel import EventPanel
from backtest.paths import FloatArray
from backtest.settings import RunSettings
from db.calendar import Phase
from db.errors import UsageError

SESSIONS = 20
PRICE_TOO_LOW = "price below the minimum"
VOLUME_TOO_LOW = "dollar volume below the minimum"


def filter_reasons(panel: EventPanel, settings: RunSettings) -> np.ndarray:
    """The reason that each event of the panel is filtered out for (N); empty where it stays.

    Raises UsageError where the bars are fully adjusted: dividends have been taken out of their
    prices, so neither price nor dollar volume is what was traded.
    """
    reason = np.full(len(panel), "", dtype=object)
    asked = settings.needs_true_prices
    if not asked:
        return reason
    if panel.table.adjusted == "all":
        options = ", ".join("--" + name.replace("_", "-") for name in asked)
        raise UsageError(
            f"{options} needs prices as traded, and {panel.table.source!r} is fully adjusted",
            hint="import raw prices (--adjusted none) with the corporate actions",
        )
    reference = np.asarray(panel.reference)[:, 0]
    if settings.min_price is not None:
        reason[reference < settings.min_price] = PRICE_TOO_LOW
    if settings.min_dollar_volume is not None:
        enough = dollar_volume(panel) >= settings.min_dollar_volume
        reason[(reason == "") & ~enough] = VOLUME_TOO_LOW
    return reason


def dollar_volume(panel: EventPanel) -> FloatArray:
    """Mean dollar volume a session over the 20 up to the reference close, in regular hours (N).

    NaN where the instrument has fewer sessions of bars before the event.
    """
    t = panel.table
    money = np.where(t.phase == Phase.REGULAR, t.close * np.nan_to_num(t.volume), 0.0)
    total = np.concatenate([[0.0], np.cumsum(money)])
    end = panel.reference_bar + 1
    # Bars are sorted by session within an instrument: its own key finds the window's start.
    first = t.first_bar(panel.rank)
    since = np.empty(len(panel), dtype=np.int64)
    for i, (lo, hi) in enumerate(zip(first, end, strict=True)):
        oldest = panel.sessions.reference[i] - SESSIONS + 1
        since[i] = lo + np.searchsorted(t.session[lo:hi], oldest)
    known = t.session[np.minimum(first, len(t) - 1)] <= panel.sessions.reference - SESSIONS + 1
    return np.where(known, (total[end] - total[since]) / SESSIONS, np.nan)
