"""The event study of a group of a study's events, on the study's own bars."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.evidence.event_study import (
    CLUSTERED,
    EventStudy,
    Model,
    PhaseStudy,
    equal_weighted,
    event_study,
    event_study_by_phase,
    read_factors,
    returns_by_phase,
    session_returns,
    study_events,
)
from backtest.evidence.event_study.battery import clustered
from backtest.evidence.event_study.windows import Window
from backtest.evidence.inference import clustered_test, overlapping_test
from backtest.panel.prices import RANK_BITS, PriceTable
from backtest.paths import BoolArray
from backtest.studies.rates import holm
from db.calendar import calendar
from db.errors import UsageError

if TYPE_CHECKING:
    from db.store import Store

EQUAL = "equal"
LEAST = 5
"""Companies whose mean return is taken for a market's; fewer are too much like each one."""
ESTIMATION: Window = (-130, -11)
DAILY_WINDOW: Window = (-5, 20)
DAILY_WINDOWS: tuple[Window, ...] = ((0, 0), (1, 5))
OTHER_EXCHANGE = "an exchange with other sessions"


@dataclass(frozen=True)
class StudyOptions:
    """How abnormal returns are measured; None is what fits the bars."""

    model: str | None = None
    market: str | None = None
    """A symbol, ``equal`` for the mean of all companies, or None: equal where there are enough."""
    factors: str | Path | pd.DataFrame | None = None
    """A file in the form of the French library's, or a frame of fractions."""
    factor_unit: str = "percent"
    """Of the file."""
    estimation: Window = ESTIMATION
    window: Window | None = None
    windows: Sequence[Window] | None = None
    seed: int = 0
    reps: int = 1999
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if self.model is not None:
            Model.parse(self.model)
        if self.factor_unit not in ("percent", "fraction"):
            raise UsageError(
                f"factors are in percent or fraction, not {self.factor_unit!r}",
                where="--factor-unit",
            )
        if isinstance(self.factors, str | Path) and not Path(self.factors).is_file():
            raise UsageError(f"there is no file {self.factors}", where="--factors")
        for first, last in self.windows or ():
            if self.window is not None and not self.window[0] <= first <= last <= self.window[1]:
                raise UsageError(
                    f"{first}:{last} is not inside {self.window[0]}:{self.window[1]}",
                    where="--windows",
                    hint="--window says which sessions are studied",
                )
        for name in ("estimation", "window"):
            span = getattr(self, name)
            if span is not None and span[1] < span[0]:
                raise UsageError(f"{name} ends before it begins: {span[0]}:{span[1]}")

    def spans(self, *, daily: bool) -> tuple[Window, tuple[Window, ...]]:
        """Event window, and the windows to test inside it."""
        window = self.window or (DAILY_WINDOW if daily else (0, 0))
        if self.windows is not None:
            return window, tuple(self.windows)
        usual = [w for w in DAILY_WINDOWS if window[0] <= w[0] and w[1] <= window[1]]
        return window, tuple(usual) if usual else (window,)


@dataclass(frozen=True, eq=False)
class Abnormal:
    """What came of it."""

    study: EventStudy | PhaseStudy
    said: str
    """Which model, against which market."""
    caar: pd.DataFrame
    """A row a window (and phase): ``start``, ``end``, ``n``, ``caar``, ``low``, ``high``,
    ``p_value``, ``p_adjusted``, ``bhar`` (mean buy-and-hold less the market's)."""
    tests: pd.DataFrame
    """The tests, those that hold where events share evenings (``holds``) first, with
    ``p_adjusted``: Holm over the windows (and phases) of one test."""
    dropped: pd.DataFrame
    """Events left out, with ``reason`` and ``detail``."""


def abnormal_returns(
    store: Store, table: PriceTable, events: pd.DataFrame, options: StudyOptions
) -> Abnormal:
    """Study ``events`` (rows as from `Store.events`): daily bars by session, others by phase.

    Raises UsageError for a market that has no bars and for a model that lacks what it needs,
    MissingExtraError without the extra ``evidence``.
    """
    names = instrument_names(store)
    exchange, same = _main_exchange(store, table, events)
    table = table if same.all() else _only(table, same)
    ids = events["instrument_id"].to_numpy(dtype=np.int64)
    others = ~np.isin(ids, table.instruments)
    mine = study_events(events[~others].reset_index(drop=True), names)
    columns = [names[int(one)] for one in table.instruments]
    factors = _factors(options)
    window, windows = options.spans(daily=table.interval.is_daily)
    shared: dict[str, Any] = {
        "factors": factors,
        "estimation": options.estimation,
        "window": window,
        "windows": windows,
        "exchange": exchange,
        "pairs": "event",
        "seed": options.seed,
        "reps": options.reps,
        "confidence": options.confidence,
    }
    symbol = _market_column(store, options, names, columns)
    found: EventStudy | PhaseStudy
    if table.interval.is_daily:
        returns = session_returns(table, exchange, names)[columns]
        model, market, said = _chosen(options, symbol, {"": returns})
        found = event_study(
            returns, mine, model=model, market=market.get("") if market else None, **shared
        )
        caar, tests, dropped = _caar(found, options), found.tests, found.dropped
    else:
        by_phase = {
            phase: frame[[c for c in columns if c in frame]]
            for phase, frame in returns_by_phase(table, exchange, names).items()
        }
        by_phase = {
            phase: frame for phase, frame in by_phase.items() if frame.notna().any(axis=None)
        }
        model, market, said = _chosen(options, symbol, by_phase)
        found = event_study_by_phase(by_phase, mine, model=model, market=market, **shared)
        parts = [_caar(study, options).assign(phase=phase) for phase, study in found.phases.items()]
        caar = pd.concat(parts, ignore_index=True)
        caar.insert(0, "phase", caar.pop("phase"))
        tests, dropped = found.tests, found.dropped
    left = events.loc[others, ["event_id", "symbol"]].assign(reason=OTHER_EXCHANGE, detail="")
    dropped = pd.concat([dropped, left], ignore_index=True) if len(left) else dropped
    caar["p_adjusted"] = holm(caar["p_value"].to_numpy(np.float64))
    return Abnormal(found, said, caar, _ordered(tests), dropped)


def instrument_names(store: Store) -> dict[int, str]:
    """A name for each instrument that no other has: its symbol, with its number where needed."""
    known = store.instruments()
    twice = known["symbol"].duplicated(keep=False)
    return {
        int(i): f"{symbol} #{i}" if double else str(symbol)
        for i, symbol, double in zip(known["instrument_id"], known["symbol"], twice, strict=True)
    }


def _main_exchange(store: Store, table: PriceTable, events: pd.DataFrame) -> tuple[str, BoolArray]:
    """The exchange of most events, and which instruments of the table share its sessions."""
    known = store.instruments()
    exchange_of = dict(zip(known["instrument_id"], known["exchange"], strict=True))
    main = str(events["exchange"].mode().iloc[0])
    days = calendar(main).dates
    alike = {
        name: np.array_equal(calendar(str(name)).dates, days)
        for name in sorted({exchange_of[int(one)] for one in table.instruments})
    }
    return main, np.array([alike[exchange_of[int(one)]] for one in table.instruments], dtype=bool)


def _only(table: PriceTable, kept: BoolArray) -> PriceTable:
    """The bars of some instruments; prices need no splits any more."""
    place = np.cumsum(kept) - 1
    rank = table.key >> RANK_BITS
    mine = kept[rank]
    arrays = ("start", "end", "open", "high", "low", "close", "volume", "phase", "session")
    minutes = table.key[mine] & ((1 << RANK_BITS) - 1)
    return dataclasses.replace(
        table,
        instruments=table.instruments[kept],
        key=(place[rank[mine]] << RANK_BITS) + minutes,
        dividend=table.dividend[mine],
        splits=table.splits.iloc[0:0],
        **{name: getattr(table, name)[mine] for name in arrays},
    )


def _factors(options: StudyOptions) -> pd.DataFrame | None:
    if options.factors is None or isinstance(options.factors, pd.DataFrame):
        return options.factors
    path = Path(options.factors)
    return read_factors(path, unit="percent" if options.factor_unit == "percent" else "fraction")


def _market_column(
    store: Store, options: StudyOptions, names: dict[int, str], columns: list[str]
) -> str | None:
    """The market's column; None where it is a mean."""
    if options.market is None or options.market.lower() == EQUAL:
        return None
    found = store.resolve(options.market, None)
    if found is None or names[found] not in columns:
        raise UsageError(
            f"the market {options.market!r} has no bars of this source",
            where="--market",
            hint="import its prices, or --market equal",
        )
    return names[found]


def _chosen(
    options: StudyOptions, symbol: str | None, returns: dict[str, pd.DataFrame]
) -> tuple[Model, dict[str, pd.Series] | None, str]:
    """Model, market by phase, and a sentence that says both."""
    companies = min((frame.shape[1] for frame in returns.values()), default=0)
    named = options.model or ("factors" if options.factors is not None else None)
    if symbol is not None:
        market = {phase: frame[symbol] for phase, frame in returns.items()}
        model = Model.parse(named) if named else Model.MARKET
        return model, market, f"{model.value} model, market {symbol}"
    if companies >= LEAST or options.market is not None:
        # Asked for, the mean of two will do; by itself it should be something like a market.
        least = 2 if options.market is not None else LEAST
        market = {phase: equal_weighted(frame, least=least) for phase, frame in returns.items()}
        model = Model.parse(named) if named else Model.MARKET
        return model, market, f"{model.value} model, market the mean of {companies:,} companies"
    model = Model.parse(named) if named else Model.MEAN_ADJUSTED
    if model in (Model.MARKET, Model.MARKET_ADJUSTED):
        raise UsageError(
            f"the {model.value} model needs a market: {companies} companies are too few",
            where="--model",
            hint="--market SYMBOL, --market equal, or --model mean-adjusted",
        )
    return model, None, f"{model.value} model ({companies} companies are too few for a market)"


def _caar(study: EventStudy, options: StudyOptions) -> pd.DataFrame:
    rows = []
    for window in study.windows:
        values = study.values
        found = clustered(values, window, values.car(window), options.confidence)
        held = values.bhar(window)
        first, last = values.day0 + window[0], values.day0 + window[1]
        if window[0] == window[1]:
            bhar = clustered_test(held, values.day0).mean
        else:
            bhar = overlapping_test(held, first, last).mean
        rows.append((*window, found.n, found.mean, found.low, found.high, found.p_value, bhar))
    columns = ["start", "end", "n", "caar", "low", "high", "p_value", "bhar"]
    return pd.DataFrame(rows, columns=columns)


def _ordered(tests: pd.DataFrame) -> pd.DataFrame:
    """Those that hold first; p values adjusted for the windows that each was made on."""
    frame = tests.assign(holds=tests["test"].isin(CLUSTERED), p_adjusted=np.nan)
    for _, rows in frame.groupby("test").indices.items():
        frame.loc[rows, "p_adjusted"] = holm(frame["p_value"].to_numpy(np.float64)[rows])
    order = np.argsort(~frame["holds"].to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)
