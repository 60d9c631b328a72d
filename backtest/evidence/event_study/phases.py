"""Event studies by the phases of the exchange's day: evening, morning, regular hours.

A session's day begins with the close before it: ``post`` is that evening, ``pre`` the morning,
``regular`` the session itself, so that the three compound to the close-to-close return of the
session.  With day 0 the reaction session, its ``post`` is the evening after the reference close.
Phases differ in variance by an order of magnitude: each has a model and tests of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from backtest.evidence.event_study.study import ESTIMATION, EventStudy, event_study
from backtest.evidence.event_study.windows import MISSING_EVENT, Window
from backtest.evidence.inference import clustered_test
from backtest.paths import FloatArray, IntArray
from db.calendar import Calendar, Phase
from db.errors import UsageError
from db.intervals import Interval

PHASES = (Phase.POST, Phase.PRE, Phase.REGULAR)


def phase_returns(
    start: IntArray, close: FloatArray, cal: Calendar, interval: Interval
) -> pd.DataFrame:
    """Returns of one instrument by session (rows: dates) and phase (columns ``post``, ``pre``,
    ``regular``), as fractions, from its bars.

    ``start`` (n): start of each bar, int64 microseconds UTC, rising; ``close`` (n): its close,
    adjusted for splits and dividends.  Each phase's price is the close of the last bar that
    starts in it (the closing auction's minute is no part of any), its return is against the
    last price known before, so that what happened in a phase without a trade falls into the next
    one with a trade; the phase itself is NaN, since no bar is no information.  Rows run from the
    first session with a regular close before it to the last session with a bar.
    """
    if interval.is_daily:
        raise UsageError("daily bars have no phases", hint="overnight_and_day(open, close)")
    good = np.isfinite(close) & (close > 0)
    start, close = start[good], close[good]
    phase = cal.phases(start, interval)
    session = cal.session_of(start)
    inside = np.isin(phase, PHASES) & (session >= 0)
    # An evening belongs to the session that closes after it.
    day = session[inside] + (phase[inside] == Phase.POST)
    order = np.select([phase[inside] == p for p in PHASES], range(len(PHASES)))
    slot = day * len(PHASES) + order
    names = [p.label for p in PHASES]
    if not len(slot):
        return pd.DataFrame(columns=names, index=pd.DatetimeIndex([]), dtype="float64")
    last = np.flatnonzero(np.append(slot[1:] != slot[:-1], True))
    at, price = slot[last], close[inside][last]
    regular = np.flatnonzero(at % len(PHASES) == len(PHASES) - 1)
    if not len(regular):
        return pd.DataFrame(columns=names, index=pd.DatetimeIndex([]), dtype="float64")
    # The first return is against a regular close.
    at, price = at[regular[0] :], price[regular[0] :]
    first, final = int(at[0] // len(PHASES)) + 1, int(min(at[-1] // len(PHASES), len(cal) - 1))
    out = np.full((max(final - first + 1, 0), len(PHASES)), np.nan)
    steps = price[1:] / price[:-1] - 1
    position = at[1:] - first * len(PHASES)
    kept = (position >= 0) & (position < out.size)
    out.ravel()[position[kept]] = steps[kept]
    index = pd.DatetimeIndex(cal.dates[first : final + 1].astype("datetime64[us]"), name="session")
    return pd.DataFrame(out, index=index, columns=names)


def overnight_and_day(open_: pd.DataFrame, close: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The two phases that daily bars know, sessions x symbols: ``overnight`` (close to open) and
    ``regular`` (open to close), which compound to the close-to-close return.

    Prices adjusted for splits and dividends, rows the exchange's sessions.
    """
    before = close.shift(1)
    return {"overnight": open_ / before - 1, "regular": close / open_ - 1}


@dataclass(frozen=True)
class PhaseStudy:
    """One `EventStudy` a phase, in the order of the day."""

    phases: dict[str, EventStudy]

    def __getitem__(self, phase: str) -> EventStudy:
        return self.phases[phase]

    @cached_property
    def tests(self) -> pd.DataFrame:
        """`EventStudy.tests` of each phase, with the column ``phase`` in front."""
        return self._joined("tests")

    @cached_property
    def dropped(self) -> pd.DataFrame:
        """`EventStudy.dropped` of each phase, with the column ``phase`` in front."""
        return self._joined("dropped")

    @cached_property
    def path(self) -> pd.DataFrame:
        """Mean abnormal return cumulated over offsets and the phases of each day: ``offset``,
        ``phase``, ``n`` events that traded in it, ``aar``, ``caar``, ``low``, ``high``
        (date-clustered, of the CAAR).

        Over the events that every phase has a model for; a phase without a trade adds nothing to
        an event's sum, since its move falls into the next phase.
        """
        studies = list(self.phases.items())
        modelled = [set(s.events["event_id"]) | _traded_elsewhere(s) for _, s in studies]
        shared = set.intersection(*modelled)
        # Each event's day 0 is the same session in every phase.
        day0: dict[object, int] = {}
        for _, study in studies:
            ids = study.events["event_id"]
            day0 |= {e: int(d) for e, d in zip(ids, study.values.day0, strict=True) if e in shared}
        order = list(day0)
        dates, total = np.array(list(day0.values()), dtype=np.int64), np.zeros(len(order))
        first, last = studies[0][1].window
        matrices = {
            name: pd.DataFrame(study.values.event, index=study.events["event_id"])
            .reindex(order)
            .to_numpy()
            for name, study in studies
        }
        rows = []
        for column, offset in enumerate(range(first, last + 1)):
            for name, study in studies:
                abnormal = matrices[name][:, column]
                total = total + np.nan_to_num(abnormal)
                found = clustered_test(total, dates, confidence=study.confidence)
                known = abnormal[np.isfinite(abnormal)]
                mean = float(known.mean()) if len(known) else float("nan")
                rows.append((offset, name, len(known), mean, found.mean, found.low, found.high))
        columns = ["offset", "phase", "n", "aar", "caar", "low", "high"]
        return pd.DataFrame(rows, columns=columns)

    def _joined(self, name: str) -> pd.DataFrame:
        frames = []
        for phase, study in self.phases.items():
            frame: pd.DataFrame = getattr(study, name).copy()
            frame.insert(0, "phase", phase)
            frames.append(frame)
        joined: pd.DataFrame = pd.concat(frames, ignore_index=True)
        return joined


def _traded_elsewhere(study: EventStudy) -> set[object]:
    """Events that this phase could model, had it traded in the event window."""
    return set(study.dropped.loc[study.dropped["reason"] == MISSING_EVENT, "event_id"])


def event_study_by_phase(
    returns: Mapping[str, pd.DataFrame],
    events: pd.DataFrame,
    *,
    market: Mapping[str, pd.Series] | str | None = None,
    estimation: Window = ESTIMATION,
    window: Window = (0, 0),
    min_history: int | None = None,
    **options: Any,
) -> PhaseStudy:
    """An event study of each phase, on its own returns and its own market.

    ``returns``: phase -> sessions x symbols, in the order of the day (see `phase_returns` and
    `overnight_and_day`); ``market``: phase -> Series, or a column of every frame.  The rest is
    `event_study`'s.  Extended hours have sessions without a trade, so by default half of the
    estimation window must be there and events are kept on the phases that they have.
    """
    if not returns:
        raise UsageError("no phases", hint="returns={'post': ..., 'pre': ..., 'regular': ...}")
    if "event_id" in events and events["event_id"].duplicated().any():
        raise UsageError("an event_id occurs twice", where="events")
    if min_history is None:
        min_history = (estimation[1] - estimation[0] + 1) // 2
    options.setdefault("missing", "keep")
    studies = {
        phase: event_study(
            frame,
            events,
            market=market.get(phase) if isinstance(market, Mapping) else market,
            estimation=estimation,
            window=window,
            min_history=min_history,
            **options,
        )
        for phase, frame in returns.items()
    }
    return PhaseStudy(studies)
