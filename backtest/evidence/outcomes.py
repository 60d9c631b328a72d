"""How often the outcome that the program is about happens at all: base rates of a run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtest.evidence.base_rates import base_rate_table
from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, FloatArray
from db.intervals import DAY

GAIN = 0.10


def base_rates(panel: EventPanel, groups: Mapping[str, BoolArray], side: int = 1) -> pd.DataFrame:
    """Share of events whose reaction session closed 10 % or more in our favour, by group.

    Two outcomes: against the reference close, and against the first price at which one could
    have traded after the release began.  Untriggered events are in the groups they belong to;
    an event without that price is left out of that outcome.  Columns as in
    `base_rates.base_rate_table`, with ``outcome`` and ``group`` in front.
    """
    # Dates, not session numbers, which differ between exchanges.
    dates = panel.sessions.reaction_close // DAY
    frames = []
    word = "above" if side > 0 else "below"
    for outcome, moves in (
        (f"closes 10 % or more {word} the reference close", _from_reference(panel)),
        (f"closes 10 % or more {word} the first price after the release", _from_first(panel)),
    ):
        known = ~np.isnan(moves)
        hit = side * moves >= GAIN - 1e-9
        rows = {name: (hit[mask & known], dates[mask & known]) for name, mask in groups.items()}
        frame = base_rate_table(rows)
        frame.insert(0, "outcome", outcome)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _from_reference(panel: EventPanel) -> FloatArray:
    t = panel.table
    cash = t.paid[panel.hi - 1] - t.paid[panel.reference_bar]
    return (t.close[panel.hi - 1] + cash) / t.close[panel.reference_bar] - 1


def _from_first(panel: EventPanel) -> FloatArray:
    """Return from the first open after the release began to the reaction close."""
    t, s = panel.table, panel.sessions
    first = np.maximum(t.at_or_after(panel.rank, s.announced_from), panel.lo)
    there = first < panel.hi
    price = t.open[np.minimum(first, len(t) - 1)]
    last = panel.hi - 1
    cash = t.paid[last] - t.paid[np.minimum(first, last)]
    return np.where(there, (t.close[last] + cash) / price - 1, np.nan)
