"""An event study from returns and events to tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from backtest.evidence.event_study.abnormal import AbnormalReturns, estimate
from backtest.evidence.event_study.battery import Settings, clustered, results_frame
from backtest.evidence.event_study.correlation import CrossCorrelation, residual_correlation
from backtest.evidence.event_study.models import Model, normal_returns
from backtest.evidence.event_study.windows import Window, cut_windows, on_sessions, plain_dates
from backtest.evidence.inference import clustered_test
from db.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ESTIMATION: Window = (-130, -11)
WINDOW: Window = (-10, 10)


@dataclass(frozen=True)
class EventStudy:
    """Abnormal returns of N events and what they amount to.  Returns are fractions.

    Frames are computed when they are first asked for.  Intervals are at ``confidence`` and
    clustered by date; where windows of events overlap they count as one (`overlapping_test`).
    """

    model: Model
    estimation: Window
    window: Window
    windows: tuple[Window, ...]
    """Windows that `tests` and `variants` test."""
    events: pd.DataFrame
    """N rows: ``event_id``, ``symbol``, ``day0``, ``n_estimation``, a column a coefficient
    (``alpha``, ``beta`` ...), ``sigma``, ``r_squared``, ``autocorrelation`` of the residuals
    (sum of e_t e_t-1 over sum of e_t^2)."""
    dropped: pd.DataFrame
    """Events left out: ``event_id``, ``symbol``, ``day0``, ``reason``, ``detail``."""
    values: AbnormalReturns
    """The arrays behind the frames."""
    sessions: pd.Index
    """Row labels of the returns."""
    correlation: CrossCorrelation
    """Of residuals, as used by the Kolari-Pynnonen tests."""
    reps: int
    seed: int
    confidence: float

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        first, last = self.window
        return (
            f"EventStudy({self.model.value} model, {len(self)} events of {self.dates} dates, "
            f"window {first:+d} to {last:+d}, {len(self.dropped)} events dropped)"
        )

    @property
    def dates(self) -> int:
        """Distinct sessions that are some event's day 0."""
        return len(np.unique(self.values.day0))

    @property
    def settings(self) -> Settings:
        """Of the tests."""
        return Settings(self.correlation.mean, self.reps, self.seed, self.confidence)

    @cached_property
    def abnormal(self) -> pd.DataFrame:
        """A row an event and day: ``event_id``, ``symbol``, ``offset`` (sessions from day 0),
        ``session``, ``return``, ``expected``, ``abnormal``, ``forecast_error`` (its standard
        deviation), ``standardised`` (abnormal / forecast_error).
        """
        ar = self.values
        offsets = np.arange(ar.first, ar.last + 1)
        rows = (ar.day0[:, None] + offsets).ravel()
        return pd.DataFrame(
            {
                "event_id": np.repeat(self.events["event_id"].to_numpy(), len(offsets)),
                "symbol": np.repeat(self.events["symbol"].to_numpy(), len(offsets)),
                "offset": np.tile(offsets, len(ar)),
                "session": self.sessions[rows],
                "return": ar.returns.ravel(),
                "expected": ar.expected.ravel(),
                "abnormal": ar.event.ravel(),
                "forecast_error": ar.day_error.ravel(),
                "standardised": ar.standardised.ravel(),
            }
        )

    @cached_property
    def aar(self) -> pd.DataFrame:
        """A row a day: ``offset``, ``n`` events with a return, ``aar`` (mean abnormal return),
        ``low``, ``high``, ``positive`` (events above 0), ``caar`` (running sum of ``aar``).
        """
        ar, rows = self.values, []
        for column, offset in enumerate(range(ar.first, ar.last + 1)):
            day = ar.event[:, column]
            found = clustered_test(day, ar.day0, confidence=self.confidence)
            positive = int((day > 0).sum())
            rows.append((offset, found.n, found.mean, found.low, found.high, positive))
        frame = pd.DataFrame(rows, columns=["offset", "n", "aar", "low", "high", "positive"])
        frame["caar"] = frame["aar"].cumsum()
        return frame

    @cached_property
    def caar(self) -> pd.DataFrame:
        """A row a day: ``offset``, ``n`` events without a missing day so far, ``caar`` (mean CAR
        from the window's first day to this one), ``low``, ``high``, ``p_value``.
        """
        rows = []
        for last in range(self.window[0], self.window[1] + 1):
            window = (self.window[0], last)
            car = self.values.car(window)
            found = clustered(self.values, window, car, self.confidence)
            rows.append((last, found.n, found.mean, found.low, found.high, found.p_value))
        return pd.DataFrame(rows, columns=["offset", "n", "caar", "low", "high", "p_value"])

    def car(self, window: Window | None = None) -> pd.DataFrame:
        """A row an event: ``event_id``, ``symbol``, ``car``, ``forecast_error``, ``scar``,
        ``csar``, ``bhar_market``, ``bhar_model``, over ``window`` (None: the whole).
        """
        window, ar = window or self.window, self.values
        return pd.DataFrame(
            {
                "event_id": self.events["event_id"],
                "symbol": self.events["symbol"],
                "car": ar.car(window),
                "forecast_error": ar.car_error(window),
                "scar": ar.scar(window),
                "csar": ar.csar(window),
                "bhar_market": ar.bhar(window),
                "bhar_model": ar.bhar(window, against="model"),
            }
        )

    @cached_property
    def tests(self) -> pd.DataFrame:
        """A row a window and test (`battery.TESTS`): ``start``, ``end``, ``test``,
        ``statistic``, ``p_value`` (two-sided), ``df`` (NaN: normal, exact or bootstrap), ``n``.
        """
        return results_frame(self.values, list(self.windows), self.settings, variants=False)

    @cached_property
    def variants(self) -> pd.DataFrame:
        """As `tests`: other published definitions and buy-and-hold (`battery.VARIANTS`)."""
        return results_frame(self.values, list(self.windows), self.settings, variants=True)

    @cached_property
    def day_tests(self) -> pd.DataFrame:
        """As `tests`, of every single day of the window."""
        days = [(day, day) for day in range(self.window[0], self.window[1] + 1)]
        return results_frame(self.values, days, self.settings, variants=False)

    @property
    def dropped_counts(self) -> dict[str, int]:
        """Reason -> events dropped for it."""
        return {str(k): int(v) for k, v in self.dropped["reason"].value_counts().items()}

    def plot(self) -> Figure:
        """The CAAR with its date-clustered band (plotly)."""
        from backtest.evidence.event_study.figure import caar_figure

        return caar_figure(self)


def event_study(
    returns: pd.DataFrame,
    events: pd.DataFrame,
    *,
    model: str | Model = Model.MARKET,
    market: pd.Series | str | None = None,
    factors: pd.DataFrame | None = None,
    estimation: Window = ESTIMATION,
    window: Window = WINDOW,
    windows: Iterable[Window] | None = None,
    min_history: int | None = None,
    missing: Literal["drop", "keep"] = "drop",
    exchange: str | None = None,
    pairs: Literal["estimation", "event"] = "estimation",
    reps: int = 1999,
    seed: int = 0,
    confidence: float = 0.95,
) -> EventStudy:
    """Abnormal returns of ``events`` and the tests that the literature uses.

    Parameters
    ----------
    returns
        Simple returns as fractions, a row a session, a column a symbol; NaN is no return.
    events
        A row an event: ``symbol`` (a column of ``returns``), ``day0`` (its session; on a day
        without one the next counts), optionally ``event_id``.
    model
        ``market``, ``market-adjusted``, ``mean-adjusted`` or ``factors`` (see `Model`).
    market
        The market's returns by session, or the column of ``returns`` that has them.
    factors
        Factor returns by session as fractions (see `read_factors`); a column ``rf`` is the
        risk-free return, in excess of which stocks are then regressed.
    estimation, window
        First and last offset in sessions from day 0, both included.
    windows
        Windows to test, inside ``window``; the whole by default.
    min_history
        Returns needed in the estimation window.  By default all of it: a missing day drops the
        event.
    missing
        What a missing day in the event window does: ``drop`` the event, or ``keep`` it on the
        days that it has; CARs over a missing day are NaN either way.
    exchange
        Count sessions of this exchange (``XNYS``), with those absent from ``returns`` as missing
        days; without it the rows of ``returns`` are the sessions.
    pairs
        Pairs of events that can be correlated in the Kolari-Pynnonen tests: ``estimation``, all
        that share estimation days; ``event``, only those whose event windows share a session,
        which is better where companies repeat (see `residual_correlation`).
    reps, seed, confidence
        Of the bootstraps and intervals.

    Raises UsageError for windows, models or columns that do not fit, DataError for returns out of
    order and factors in percent, MissingExtraError without the extra ``evidence``.
    """
    model = model if isinstance(model, Model) else Model.parse(model)
    tested = tuple((int(a), int(b)) for a, b in windows) if windows is not None else (window,)
    for a, b in tested:
        if not window[0] <= a <= b <= window[1]:
            raise UsageError(f"window {(a, b)} is not inside {window}", where="windows")
    if missing not in ("drop", "keep") or pairs not in ("estimation", "event"):
        raise UsageError(
            f"missing={missing!r}, pairs={pairs!r}",
            hint="missing is drop or keep, pairs is estimation or event",
        )
    table = on_sessions(returns, exchange)
    normal = normal_returns(
        model, table.index, _market(table, market), _aligned(table.index, factors)
    )
    cut = cut_windows(
        table,
        events,
        normal,
        estimation=estimation,
        window=window,
        min_history=min_history,
        keep_missing=missing == "keep",
    )
    ar, reasons = estimate(cut, normal)
    failed = np.array([bool(reason) for reason in reasons], dtype=bool)
    late = cut.events[failed].assign(reason=[r for r in reasons if r], detail="")
    dropped = pd.concat([cut.dropped, late], ignore_index=True) if failed.any() else cut.dropped
    ar = ar.take(~failed)
    span = (ar.day0 + window[0], ar.day0 + window[1]) if pairs == "event" else None
    return EventStudy(
        model=model,
        estimation=estimation,
        window=window,
        windows=tested,
        events=_described(cut.events[~failed], cut.estimation[~failed], ar, normal.names),
        dropped=dropped,
        values=ar,
        sessions=table.index,
        correlation=residual_correlation(ar.estimation, ar.estimation_rows, event_span=span),
        reps=reps,
        seed=seed,
        confidence=confidence,
    )


def _market(returns: pd.DataFrame, market: pd.Series | str | None) -> pd.Series | None:
    if not isinstance(market, str):
        return None if market is None else _aligned_series(returns.index, market)
    if market not in returns:
        hint = did_you_mean(market, map(str, returns.columns), kind="column")
        raise UsageError(f"no returns of the market {market!r}", hint=hint)
    return returns[market]


def _aligned(index: pd.Index, table: pd.DataFrame | None) -> pd.DataFrame | None:
    """``table`` with index labels like those of the returns, whatever their clock or unit."""
    if table is None or not isinstance(index, pd.DatetimeIndex):
        return table
    by_date = table.set_axis(plain_dates(table.index))
    return by_date.reindex(plain_dates(index)).set_axis(index)


def _aligned_series(index: pd.Index, series: pd.Series) -> pd.Series:
    if not isinstance(index, pd.DatetimeIndex):
        return series
    by_date = series.set_axis(plain_dates(series.index))
    return by_date.reindex(plain_dates(index)).set_axis(index)


def _described(
    events: pd.DataFrame, past: np.ndarray, ar: AbnormalReturns, names: tuple[str, ...]
) -> pd.DataFrame:
    e = np.nan_to_num(ar.estimation)
    squares = (e**2).sum(axis=1)
    about_mean = np.nansum((past - np.nanmean(past, axis=1, keepdims=True)) ** 2, axis=1)
    frame = events.reset_index(drop=True)
    frame["n_estimation"] = ar.n_estimation
    for j, name in enumerate(names):
        frame[name] = ar.coefficients[:, j]
    frame["sigma"] = ar.sigma
    frame["r_squared"] = 1 - squares / about_mean
    frame["autocorrelation"] = (e[:, 1:] * e[:, :-1]).sum(axis=1) / squares
    return frame
