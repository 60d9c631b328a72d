"""`study`: from a store and conditions, or a strategy, to base rates and what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from backtest.panel.build import require_interval
from backtest.registry import find_strategy, snake_case
from backtest.strategy import Strategy
from backtest.studies.abnormal import ESTIMATION, StudyOptions
from backtest.studies.conditions import Condition, parse_condition
from backtest.studies.matching import Calipers
from backtest.studies.options import Options
from backtest.studies.result import Study
from backtest.studies.work import Work
from db.errors import UsageError
from db.intervals import Interval

if TYPE_CHECKING:
    from db.store import Store

Step = Callable[[str], None]


def study(
    store: Store,
    strategy: str | Strategy | type[Strategy] | None = None,
    *,
    conditions: Sequence[str | Condition] = (),
    params: Mapping[str, Any] | None = None,
    interval: str | Interval | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    symbols: Sequence[str] | None = None,
    source: str | None = None,
    gain: float = 0.10,
    hold: int = 0,
    by: str | None = None,
    strict_as_of: bool = False,
    confidence: float = 0.95,
    placebo: bool = True,
    nights: int = Calipers.nights,
    size_caliper: float = Calipers.size,
    volatility_caliper: float = Calipers.volatility,
    event_study: bool = True,
    model: str | None = None,
    market: str | None = None,
    factors: str | Path | pd.DataFrame | None = None,
    factor_unit: str = "percent",
    estimation: tuple[int, int] = ESTIMATION,
    window: tuple[int, int] | None = None,
    windows: Sequence[tuple[int, int]] | None = None,
    seed: int = 0,
    reps: int = 1999,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_step: Step = lambda _: None,
) -> Study:
    """How often events end in a gain, and how that compares with nights without news.

    - ``strategy``: a name, ``FILE.py:Class``, a class or an object; its events, those with its
      setup, and those that it fills are the groups.  ``params`` changes its fields.
    - ``conditions``: texts such as ``"drop>=0.05"`` or ``"session=post"`` (see `NAMES` of
      `backtest.studies`); all must hold.  With a strategy they restrict every group.
    - ``gain``, ``hold``: the outcome, a close ``hold`` sessions after the reaction session that
      is at least ``gain`` above the reference close, and above the first price that could be had.
    - ``by``: also split the chosen events by ``year``, ``quarter``, ``session`` or ``surprise``.
    - ``placebo``, ``nights``, ``size_caliper``, ``volatility_caliper``: match each chosen event
      with up to so many nights of its company without news, whose move differs by at most so
      large a part of the event's, and the log of whose volatility by at most so much.
    - ``event_study``, ``model``, ``market``, ``factors``, ``factor_unit``, ``estimation``,
      ``window``, ``windows``: abnormal returns of the chosen events, by session for daily bars, by
      phase for others.  ``market`` is a symbol or ``equal``; ``factors`` a file or a frame.
      ``seed`` and ``reps`` are its bootstraps'.
    - ``strict_as_of`` assumes nothing about when back-filled facts were known.

    The rest is as in `backtest.run`.

    Raises UsageError for options that cannot be and for conditions on outcomes, DataError for a
    store without events or bars.  Without the extra ``evidence`` everything but the event study
    and adjusted p values is there, and `Study.notes` says what to install.
    """
    parsed = tuple(parse_condition(one) for one in conditions)
    chosen = None
    if strategy is not None:
        chosen = find_strategy(strategy).with_params(params or {})
    elif params:
        raise UsageError("parameters need a strategy", where="-p", hint="backtest study STRATEGY")
    elif not parsed:
        raise UsageError(
            "a study of which events?",
            hint='backtest study STRATEGY, or --condition "drop>=0.05"',
        )
    options = Options(
        interval=require_interval(store, interval, chosen.interval if chosen else ""),
        conditions=parsed,
        params=dict(params or {}),
        since=since,
        until=until,
        symbols=tuple(symbols) if symbols is not None else None,
        source=source,
        gain=gain,
        hold=hold,
        strict_as_of=strict_as_of,
        by=by,
        confidence=confidence,
        placebo=placebo,
        calipers=Calipers(nights, size_caliper, volatility_caliper),
        event_study=event_study,
        abnormal=StudyOptions(
            model=model,
            market=market,
            factors=factors,
            factor_unit=factor_unit,
            estimation=estimation,
            window=window,
            windows=windows,
            seed=seed,
            reps=reps,
            confidence=confidence,
        ),
    )
    called = strategy if isinstance(strategy, str) else snake_case(type(chosen).__name__)
    return Work(store, chosen, options, called if chosen else "", on_step).result(now())
