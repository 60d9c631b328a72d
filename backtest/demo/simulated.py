"""A SIMULATED stock market with extended hours, in which the truth about reversals is known.

``simulated(SimulatedMarket(reversal_share=s))`` makes companies that report after the close or
before the open, fall or rise at once, and then go their way minute by minute.  A known share
``s`` of the evening drops turns and recovers by the next close; nothing else can be predicted.

**Without reversals there is no edge.**  With ``reversal_share=0`` and ``annual_drift=0`` the
mid-price S, splits undone and dividends reinvested, is a martingale: for any two stopping times
t <= u of the information that anyone could have (every bar, release, figure and headline so
far; even the volatilities, past and future) E[S(u) | t] = S(t), across releases too.  Bars
print S with noise of at most half a spread and half a tick that is independent of everything
else, so an order that fills at the open of a later bar and leaves at the open or close of
another earns nothing before costs, up to the square of the half-spread; an order that fills at a
level inside a bar can differ by the half-spread itself.  With ``half_spread=0`` and ``tick=0``
the print is the mid-price.

The process, its parameters and what is not realistic about it: ``docs/simulated-market.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from backtest.demo.bars import SimulatedBars
from backtest.demo.daily import daily_bars
from backtest.demo.facts import (
    Figures,
    action_records,
    draw_figures,
    end_of_market,
    guidance_records,
    release_records,
    schedule_records,
)
from backtest.demo.headlines import news_records
from backtest.demo.market import SOURCE, SimulatedMarket
from backtest.demo.releases import Releases
from backtest.demo.skeleton import Skeleton, draw_skeleton
from backtest.demo.windows import window_bars
from backtest.paths import FloatArray, IntArray
from db.bars import Bars
from db.batches import (
    BAR_SCHEMA,
    ActionRecord,
    BarBatch,
    BarChunk,
    EventRecord,
    GuidanceRecord,
    NewsRecord,
    Provenance,
    Record,
    RecordBatch,
)
from db.errors import UsageError
from db.intervals import Interval

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MarketArrays", "SimulatedMarket", "Simulation", "simulated"]

_PROCESS = "1"
"""Version of the price process: part of every content hash."""
_CHUNK = 250_000


@dataclass(frozen=True, eq=False)
class MarketArrays:
    """A market as arrays, for studies that need no store.

    T sessions of n stocks.  ``bars`` is empty for a market of daily bars.
    """

    symbols: list[str]
    sessions: IntArray
    """T: indices into the XNYS calendar."""
    bars: SimulatedBars
    daily: SimulatedBars
    """n x T bars, sorted by stock and session."""
    releases: Releases
    figures: Figures
    market_return: FloatArray
    """T: simple close-to-close return of the market factor."""


class Simulation:
    """One SIMULATED market; every part is drawn when first asked for, and always the same."""

    def __init__(self, market: SimulatedMarket, *, now: datetime | None = None) -> None:
        self.market = market
        self.skeleton: Skeleton = draw_skeleton(market)
        self.now = now or end_of_market(market, self.skeleton)

    def __repr__(self) -> str:
        return f"<{self.market.label}>"

    @cached_property
    def windows(self) -> SimulatedBars:
        """Bars of the market's interval around the releases; none if that is daily."""
        if self.market.interval.is_daily:
            return self.daily.take(slice(0, 0))
        return window_bars(self.skeleton)

    @cached_property
    def daily(self) -> SimulatedBars:
        """Daily bars of every stock and session."""
        around = None if self.market.interval.is_daily else self.windows
        return daily_bars(self.skeleton, around)

    @cached_property
    def figures(self) -> Figures:
        """What the releases said, as numbers."""
        return draw_figures(self.skeleton)

    def arrays(self) -> MarketArrays:
        """Everything as arrays."""
        sk = self.skeleton
        moves = sk.shocks.market - 0.5 * sk.shocks.market_variance
        return MarketArrays(
            symbols=self.market.symbols,
            sessions=sk.sessions,
            bars=self.windows,
            daily=self.daily,
            releases=sk.releases,
            figures=self.figures,
            market_return=np.expm1(moves[:, :3].sum(axis=1) + np.append(0.0, moves[:-1, 3])),
        )

    def bars(self, interval: Interval | str) -> BarBatch:
        """Bars of one interval, raw as traded; UsageError if the market has none of it."""
        wanted, bars = self._bars_of(interval)
        return BarBatch(
            provenance=self._provenance(f"bars {wanted.value}"),
            interval=wanted,
            adjusted="none",
            chunks=_chunks(bars, self.market.symbols),
            rows_expected=len(bars),
        )

    def as_read(self, interval: Interval | str) -> Bars:
        """The same as a store would return them, instruments numbered from 0; no store needed."""
        wanted, bars = self._bars_of(interval)
        return Bars(
            instrument=bars.instrument,
            start=bars.start,
            open=bars.open,
            high=bars.high,
            low=bars.low,
            close=bars.close,
            volume=bars.volume,
            interval=wanted,
            source=SOURCE,
            adjusted="none",
            version=0,
        )

    def _bars_of(self, interval: Interval | str) -> tuple[Interval, SimulatedBars]:
        wanted = Interval.parse(interval)
        if not wanted.is_daily and wanted is not self.market.interval:
            raise UsageError(
                f"this simulated market has no {wanted.value} bars",
                hint=f"ask for 1d or {self.market.interval.value}, "
                f"or make one with interval={wanted}",
            )
        return wanted, self.daily if wanted.is_daily else self.windows

    @property
    def schedule(self) -> RecordBatch[EventRecord]:
        """What was known two weeks before each release: the session and the estimates."""
        return self._batch("schedule", schedule_records(self.skeleton, self.figures))

    @property
    def events(self) -> RecordBatch[EventRecord]:
        """The releases, to the minute."""
        return self._batch("events", release_records(self.skeleton, self.figures))

    @property
    def guidance(self) -> RecordBatch[GuidanceRecord]:
        """Outlooks given with the releases."""
        return self._batch("guidance", guidance_records(self.skeleton, self.figures))

    @property
    def news(self) -> RecordBatch[NewsRecord]:
        """Headlines."""
        return self._batch("news", news_records(self.skeleton))

    @property
    def actions(self) -> RecordBatch[ActionRecord]:
        """Splits and dividends."""
        return self._batch("actions", action_records(self.skeleton))

    @property
    def truth(self) -> pd.DataFrame:
        """What the generator meant, one row a release (see `backtest.demo.truth`)."""
        from backtest.demo.truth import truth_frame

        return truth_frame(self.skeleton, self.windows)

    def _batch(self, kind: str, records: list[Record]) -> RecordBatch[Record]:
        return RecordBatch(provenance=self._provenance(kind), records=records)

    def _provenance(self, kind: str) -> Provenance:
        text = f"{_PROCESS}|{kind}|{self.market!r}"
        return Provenance(
            source=SOURCE,
            origin=f"{self.market.label}: {kind}",
            content_hash=hashlib.sha256(text.encode()).hexdigest(),
            fetched_at=self.now,
            options={"seed": str(self.market.seed), "process": _PROCESS},
        )


def simulated(market: SimulatedMarket | None = None, *, now: datetime | None = None) -> Simulation:
    """The SIMULATED market with these settings (the defaults are the demo's).

    ``now`` is when its batches count as fetched; without it the evening of the last session.
    """
    return Simulation(market or SimulatedMarket(), now=now)


def _chunks(bars: SimulatedBars, symbols: list[str]) -> Iterator[BarChunk]:
    names = pa.array(symbols, type=pa.string())
    for lo in range(0, len(bars), _CHUNK):
        part = bars.take(slice(lo, lo + _CHUNK))
        code = part.instrument.astype(np.int32)
        columns = [
            pa.DictionaryArray.from_arrays(code, names).cast(pa.string()),
            pa.array(part.start).cast(BAR_SCHEMA.field("start").type),
            *(pa.array(getattr(part, name)) for name in ("open", "high", "low", "close", "volume")),
        ]
        yield BarChunk(pa.Table.from_arrays(columns, schema=BAR_SCHEMA))
