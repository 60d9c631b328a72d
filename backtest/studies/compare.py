"""Events beside the placebo nights that they were matched with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.evidence.paired import Span, matched_test
from backtest.paths import FloatArray, IntArray
from backtest.studies.outcomes import gained
from backtest.studies.placebo import Drawn
from backtest.studies.rates import FIRST, OUTCOMES, REFERENCE, Group, Target, holm

MATCHED, NIGHTS = "matched with nights", "their nights, weighted"
SHARE, MEAN = "share", "mean move"


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs, each move beside the other; NaN in both where one of them is not known."""

    event: IntArray
    moves: dict[str, tuple[FloatArray, FloatArray]]
    """By outcome: the event's and the night's."""
    event_span: Span
    night_span: Span


def pair_up(drawn: Drawn, base: Group) -> Pairs:
    """Pairs of ``base`` (the E events that looked for nights, in that order) and their nights."""
    frame, at = drawn.frame, drawn.event
    moves = {}
    for outcome, column in ((REFERENCE, "from_reference"), (FIRST, "from_first")):
        own, night = base.moves[outcome][at], frame[column].to_numpy(dtype=np.float64)
        both = ~np.isnan(own) & ~np.isnan(night)
        moves[outcome] = (np.where(both, own, np.nan), np.where(both, night, np.nan))
    return Pairs(
        event=at,
        moves=moves,
        event_span=Span(base.span.first[at], base.span.last[at]),
        night_span=Span(
            frame["day"].to_numpy(dtype=np.int64), frame["last_day"].to_numpy(dtype=np.int64)
        ),
    )


def matched_groups(pairs: Pairs) -> list[Group]:
    """The matched events, each once, and their nights, together weighing as much as their event."""
    _, first = np.unique(pairs.event, return_index=True)
    events: dict[str, FloatArray] = {}
    for outcome, (own, _) in pairs.moves.items():
        known = pd.Series(own).groupby(pairs.event).max()
        events[outcome] = np.asarray(known.reindex(pairs.event[first]), dtype=np.float64)
    span = Span(pairs.event_span.first[first], pairs.event_span.last[first])
    nights = {outcome: night for outcome, (_, night) in pairs.moves.items()}
    return [
        Group(MATCHED, events, span),
        Group(NIGHTS, nights, pairs.night_span, owner=pairs.event),
    ]


def comparison(pairs: Pairs, target: Target) -> pd.DataFrame:
    """One row an outcome and measure (`SHARE` of gains, `MEAN`).

    ``events`` matched, ``nights`` different pairs; ``event_value``, ``night_value`` (means over
    events, nights of one event averaged first), ``difference`` with ``low``, ``high``,
    ``statistic``, ``df``, ``p_value`` (`matched_test`), ``p_adjusted`` (Holm over the rows).
    """
    rows = []
    for outcome in OUTCOMES:
        own, night = pairs.moves[outcome]
        known = ~np.isnan(own)
        hits = [np.where(known, gained(x, target.gain, target.side), np.nan) for x in (own, night)]
        for measure, (a, b) in ((SHARE, hits), (MEAN, (own, night))):
            found = matched_test(
                a - b,
                pairs.event,
                pairs.event_span,
                pairs.night_span,
                confidence=target.confidence,
            )
            rows.append(
                {
                    "outcome": outcome,
                    "measure": measure,
                    "events": found.n,
                    "nights": int(known.sum()),
                    "event_value": _by_event(a, pairs.event),
                    "night_value": _by_event(b, pairs.event),
                    "difference": found.mean,
                    "low": found.low,
                    "high": found.high,
                    "statistic": found.statistic,
                    "df": found.df,
                    "p_value": found.p_value,
                }
            )
    frame = pd.DataFrame(rows)
    return frame.assign(p_adjusted=holm(frame["p_value"].to_numpy(np.float64)))


def _by_event(values: FloatArray, event: IntArray) -> float:
    return float(pd.Series(values).groupby(event).mean().mean())


def balance(drawn: Drawn, size: FloatArray, volatility: FloatArray, name: str) -> pd.DataFrame:
    """Means of what was matched by: ``measure``, ``events``, ``nights``, ``difference`` in
    standard deviations of the matched events (Austin 2011, Multivar. Behav. Res. 46).

    ``size`` and ``volatility`` are of the E events, ``name`` says what the size is.
    """
    at = drawn.event
    rows = []
    for measure, own, column in ((name, size, "size"), ("volatility", volatility, "volatility")):
        matched = own[np.unique(at)]
        night = _by_event(drawn.frame[column].to_numpy(dtype=np.float64), at)
        mean = float(matched.mean()) if len(matched) else np.nan
        spread = float(matched.std(ddof=1)) if len(matched) > 1 else np.nan
        apart = (mean - night) / spread if spread > 0 else np.nan
        rows.append({"measure": measure, "events": mean, "nights": night, "difference": apart})
    return pd.DataFrame(rows)
