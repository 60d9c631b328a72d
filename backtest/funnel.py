"""The funnel: where every event ended, so that the counts always add up."""

from __future__ import annotations

import pandas as pd

TRADE = "trade"

ORDER = (
    "other kind of event",
    "no instrument",
    "no bars",
    "outside the price history",
    "no reference close",
    "no reaction session",
    "price below the minimum",
    "dollar volume below the minimum",
    "no bars in phase",
    "event not known in time",
    "content unknown at decision",
    "not triggered",
    "too late",
    "missed fill: no bar",
    "missed fill: price",
    "missed fill: volume",
    "short sale restricted",
    "hold over before entry",
    "already held",
    "no slot",
    "no cash",
)


def funnel_frame(counts: pd.Series, *, outcome: str) -> pd.DataFrame:
    """Reasons in the order in which they strike, the ``outcome`` last.

    Columns: ``reason``, ``events``, ``share`` (of all events) and ``left`` (events that got past
    this reason).  The ``events`` column sums to all events.
    """

    def place(reason: str) -> tuple[int, str]:
        if reason == outcome:
            return len(ORDER) + 1, ""
        for index, known in enumerate(ORDER):
            if reason == known or reason.startswith(known + ":"):
                return index, reason
        return len(ORDER), reason

    total = int(counts.sum())
    rows, left = [], total
    by_reason = {str(reason): int(n) for reason, n in counts.items() if n or reason == outcome}
    for reason, n in sorted(by_reason.items(), key=lambda item: place(item[0])):
        if reason != outcome:
            left -= n
        share = n / total if total else float("nan")
        rows.append({"reason": reason, "events": n, "share": share, "left": left})
    return pd.DataFrame(rows, columns=["reason", "events", "share", "left"])
