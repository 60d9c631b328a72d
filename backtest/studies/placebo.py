"""Placebo nights: what happens after falls of the same size when nothing was released."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtest.panel.build import take_sessions
from backtest.paths import BoolArray, FloatArray, IntArray
from backtest.studies.conditions import MARKET_NAMES, PRICE_NAMES, Condition
from backtest.studies.knowledge import Judge
from backtest.studies.matching import NO_NIGHT, Calipers, Matches, Traits, match
from backtest.studies.nights import QuietNights, quiet_panel
from backtest.studies.outcomes import from_entry, from_reference, outcome_ends
from backtest.studies.shapes import Shape
from backtest.studies.tape import Nights
from db.calendar import calendar

_AT_ONCE = 200
"""Instruments whose nights are laid out together."""
NOT_LIKE = "no night without news that fulfils the conditions"
MEASURES = {"drop": "drop", "low": "low", "gap": "overnight move"}


def size_measure(conditions: Sequence[Condition]) -> str:
    """What nights are matched by: the first of drop, low and gap that a condition names, else
    the overnight move.
    """
    named = [one.name for one in conditions if one.name in PRICE_NAMES]
    return next((name for name in ("drop", "low") if name in named), "gap")


@dataclass(frozen=True, eq=False)
class Wanted:
    """E events that look for nights, by their rows in the panel."""

    rows: IntArray
    shapes: list[Shape]
    delay: IntArray
    """Instant before which nothing could be done on what was released (us UTC); the release's
    start where the release itself plays no part."""
    hold: int
    side: int


@dataclass(frozen=True, eq=False)
class Drawn:
    """P pairs of an event and a placebo night."""

    event: IntArray
    """Place in `Wanted`."""
    frame: pd.DataFrame
    """P rows: ``instrument_id``, ``reference_close``, ``reaction_close`` (us), ``size``,
    ``volatility``, ``distance``, ``day``, ``last_day``, ``from_reference``, ``from_first``."""
    reason: np.ndarray
    """Why an event has none (E); empty where it has."""


def draw_nights(
    events: Nights,
    wanted: Wanted,
    quiet: QuietNights,
    conditions: Sequence[Condition],
    calipers: Calipers,
) -> Drawn:
    """Find each event's placebo nights and measure them as events are measured.

    A night fulfils the conditions on prices itself; it is chosen by its volatility and by its
    size alone.  Its first price is taken no earlier in it than the event's content was known.
    """
    measure = size_measure(conditions)
    market = [one for one in conditions if one.name in MARKET_NAMES]
    rows = wanted.rows
    reason = events.missing("volatility")[rows]
    reason = np.where(reason == "", events.missing(measure)[rows], reason)
    size, volatility = getattr(events, measure)[rows], events.volatility[rows]
    ready = np.flatnonzero(reason == "")
    rank = events.panel.rank[rows]
    parts, found = [], []
    for mine, ranks, shape in _batches(events, wanted, ready):
        nights = quiet.of(ranks, shape)
        fits = _fulfils(nights, market) & ~np.isnan(getattr(nights, measure))
        usable = np.flatnonzero(fits)
        pairs = match(
            Traits(rank[mine], size[mine], volatility[mine]),
            Traits(
                nights.panel.rank[usable],
                getattr(nights, measure)[usable],
                nights.volatility[usable],
            ),
            calipers,
        )
        quiet_ones = np.isin(rank[mine], nights.panel.rank)
        reason[mine] = np.where((pairs.reason == NO_NIGHT) & quiet_ones, NOT_LIKE, pairs.reason)
        at = mine[pairs.event]
        parts.append(at)
        found.append(_measured(nights, usable[pairs.night], pairs, events, wanted, at, market))
    if not parts:
        return Drawn(np.empty(0, dtype=np.int64), _no_pairs(), reason)
    order = np.argsort(np.concatenate(parts), kind="stable")
    frame = pd.concat(found, ignore_index=True).iloc[order].reset_index(drop=True)
    return Drawn(np.concatenate(parts)[order], frame, reason)


def _batches(
    events: Nights, wanted: Wanted, ready: IntArray
) -> Iterator[tuple[IntArray, IntArray, Shape]]:
    """(places in `Wanted`, their instruments' ranks, shape): of one exchange and shape at once."""
    names = np.array(events.panel.sessions.exchange, dtype=object)[wanted.rows]
    kinds = sorted({(str(names[i]), wanted.shapes[i]) for i in ready})
    of_kind: dict[tuple[str, Shape], list[int]] = {kind: [] for kind in kinds}
    for i in ready:
        of_kind[str(names[i]), wanted.shapes[i]].append(int(i))
    rank = events.panel.rank[wanted.rows]
    for (_, shape), members in of_kind.items():
        places = np.array(members, dtype=np.int64)
        ranks = np.unique(rank[places])
        for lo in range(0, len(ranks), _AT_ONCE):
            part = ranks[lo : lo + _AT_ONCE]
            yield places[np.isin(rank[places], part)], part, shape


def _fulfils(nights: Nights, market: Sequence[Condition]) -> BoolArray:
    mask = np.ones(len(nights), dtype=np.bool_)
    for one in market:
        mask &= one.holds(getattr(nights, one.name))
    return mask


def _measured(
    nights: Nights,
    chosen: IntArray,
    pairs: Matches,
    events: Nights,
    wanted: Wanted,
    at: IntArray,
    market: Sequence[Condition],
) -> pd.DataFrame:
    panel = nights.panel
    mine = Nights(
        nights.tape,
        quiet_panel(
            nights.tape,
            take_sessions(panel.sessions, chosen),
            panel.rank[chosen],
            panel.lo[chosen],
            panel.hi[chosen],
        ),
    )
    ends = outcome_ends(mine, wanted.hold)
    floor = np.maximum(mine.panel.sessions.announced_from, _delayed(mine, events, wanted, at))
    judge = Judge(mine, floor=floor, over=ends.over, side=wanted.side)
    known = judge.together([judge.judge(one) for one in market])
    measure_of = {"size": size_measure(market), "volatility": "volatility"}
    return pd.DataFrame(
        {
            "instrument_id": mine.panel.events["instrument_id"].to_numpy(),
            "reference_close": mine.panel.sessions.reference_close,
            "reaction_close": mine.panel.sessions.reaction_close,
            **{name: getattr(mine, measure) for name, measure in measure_of.items()},
            "distance": pairs.distance,
            "day": ends.day,
            "last_day": ends.last_day,
            "from_reference": from_reference(mine, ends),
            "from_first": np.where(known.mask, from_entry(mine, ends, known.entry), np.nan),
        }
    )


def _delayed(nights: Nights, events: Nights, wanted: Wanted, at: IntArray) -> IntArray:
    """The event's delay moved to its night: as long after the reference close, or, from the
    reaction day's early morning on, as long before its open.
    """
    e, n = events.panel.sessions, nights.panel.sessions
    rows, delay = wanted.rows[at], wanted.delay[at]
    names = np.array(e.exchange, dtype=object)[rows]
    morning = np.zeros(len(rows), dtype=np.int64)
    for name in sorted(set(names)):
        mine = names == name
        morning[mine] = calendar(str(name)).pre_start[e.reaction[rows[mine]]]
    evening = n.reference_close + (delay - e.reference_close[rows])
    before_open = n.reaction_open - (e.reaction_open[rows] - delay)
    return np.where(delay < morning, evening, before_open)


def _no_pairs() -> pd.DataFrame:
    whole = ("instrument_id", "reference_close", "reaction_close", "day", "last_day")
    parts: dict[str, IntArray | FloatArray] = {name: np.empty(0, dtype=np.int64) for name in whole}
    others = ("size", "volatility", "distance", "from_reference", "from_first")
    return pd.DataFrame(parts | {name: np.empty(0) for name in others})
