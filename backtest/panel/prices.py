"""Bars of the instruments that have events, in one frame, ready to be sliced.

Splits are taken out once, here: every price is divided by the splits that came after its bar, so
that all bars of an instrument speak of the same share.  `PriceTable.scale_at` gives the factor
back to the price as traded.  Dividends never change a price; they stand beside the bar that
first trades without them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtest.paths import ByteArray, FloatArray, IntArray
from db.calendar import Phase, calendar
from db.intervals import MINUTE, Interval

if TYPE_CHECKING:
    from db.bars import Bars

RANK_BITS = 32
"""Instrument rank above, minute since the epoch below: one sortable key a bar."""


@dataclass(frozen=True, eq=False)
class PriceTable:
    """M bars sorted by instrument and start; auction bars and bars outside all phases left out."""

    interval: Interval
    source: str
    adjusted: str
    version: int
    instruments: IntArray
    """Sorted instrument ids; a bar's rank is its place in it."""
    key: IntArray
    start: IntArray
    end: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    phase: ByteArray
    session: IntArray
    dividend: FloatArray
    splits: pd.DataFrame
    """Applied splits: rank, at (us), ratio, sorted by rank and instant."""

    def __len__(self) -> int:
        return len(self.start)

    @cached_property
    def paid(self) -> FloatArray:
        """Running sum of `dividend`: the difference between two bars of an instrument is the
        cash a share that went ex in between.
        """
        return np.cumsum(self.dividend)

    def ranks(self, instrument_ids: IntArray) -> IntArray:
        """Rank of each instrument, -1 where it has no bars."""
        place = np.searchsorted(self.instruments, instrument_ids)
        inside = np.minimum(place, max(len(self.instruments) - 1, 0))
        if not len(self.instruments):
            return np.full(len(instrument_ids), -1, dtype=np.int64)
        return np.where(self.instruments[inside] == instrument_ids, inside, -1)

    def at_or_after(self, ranks: IntArray, instants: IntArray) -> IntArray:
        """Index of each instrument's first bar that starts at or after the instant.

        Where there is none it is the index one past the instrument's last bar.  Rank -1 gives 0.
        """
        minutes = -(-instants // MINUTE)
        keys = (np.maximum(ranks, 0) << RANK_BITS) + np.maximum(minutes, 0)
        found = np.searchsorted(self.key, keys)
        return np.where(ranks >= 0, np.minimum(found, self.last_bar_end(ranks)), 0)

    def first_bar(self, ranks: IntArray) -> IntArray:
        """Index of each instrument's first bar."""
        first: IntArray = self._bounds[np.maximum(ranks, 0)]
        return first

    def last_bar_end(self, ranks: IntArray) -> IntArray:
        """One past each instrument's last bar."""
        end: IntArray = self._bounds[np.maximum(ranks, 0) + 1]
        return end

    @cached_property
    def _bounds(self) -> IntArray:
        """Where each rank's bars begin; the last entry is the table's length."""
        ranks = np.arange(max(len(self.instruments), 1) + 1, dtype=np.int64)
        return np.searchsorted(self.key, ranks << RANK_BITS)

    def scale_at(self, ranks: IntArray, instants: IntArray) -> FloatArray:
        """Factor from the frame's prices to prices as traded at each instant."""
        scale = np.ones(len(ranks))
        for rank, at, ratio in self.splits.itertuples(index=False):
            scale[(ranks == rank) & (instants < at)] *= ratio
        return scale


def price_table(
    bars: Bars, actions: pd.DataFrame, exchange_of: dict[int, str], wanted: WantedSpans | None
) -> PriceTable:
    """Put bars into one frame.

    ``actions`` as from `Store.actions`; ``exchange_of`` maps instrument ids to exchanges;
    ``wanted`` keeps only the bars that some event can use (minute data), None keeps all.
    """
    rank = np.searchsorted(np.unique(bars.instrument), bars.instrument).astype(np.int64)
    instruments = np.unique(bars.instrument)
    phase = np.zeros(len(bars.start), dtype=np.int8)
    end = np.empty(len(bars.start), dtype=np.int64)
    session = np.empty(len(bars.start), dtype=np.int64)
    exchanges = np.array([exchange_of[int(i)] for i in instruments], dtype=object)
    for name in sorted(set(exchanges)):
        cal = calendar(name)
        mine = slice(None) if len(set(exchanges)) == 1 else exchanges[rank] == name
        starts = bars.start[mine]
        phase[mine] = cal.phases(starts, bars.interval)
        end[mine] = cal.bar_ends(starts, bars.interval)
        session[mine] = cal.session_of(starts)
    # A daily bar of a day without a session, or outside the calendar, has no place in time either.
    keep = (phase != Phase.AUCTION) & (phase != Phase.CLOSED) & (session >= 0)
    if wanted is not None:
        keep &= wanted.mask(rank, bars.start, instruments)
    picked: slice | IntArray = slice(None) if keep.all() else np.flatnonzero(keep)
    rank, start = rank[picked], bars.start[picked]
    splits, dividends = _actions_by_rank(actions, instruments, exchange_of, bars)
    key = (rank << RANK_BITS) + start // MINUTE
    prices = {name: getattr(bars, name)[picked] for name in ("open", "high", "low", "close")}
    volume = bars.volume[picked]
    if bars.adjusted == "none" and len(splits):
        prices, volume = _without_splits(prices, volume, key, splits)
    return PriceTable(
        interval=bars.interval,
        source=bars.source,
        adjusted=bars.adjusted,
        version=bars.version,
        instruments=instruments,
        key=key,
        start=start,
        end=end[picked],
        volume=volume,
        phase=phase[picked],
        session=session[picked],
        dividend=_dividend_per_bar(dividends, splits, key),
        splits=splits,
        **prices,
    )


@dataclass(frozen=True, eq=False)
class WantedSpans:
    """Spans of time, one an event, outside which no bar is needed."""

    instrument: IntArray
    since: IntArray
    until: IntArray

    def mask(self, rank: IntArray, start: IntArray, instruments: IntArray) -> np.ndarray:
        """True for the bars (sorted by rank and start) that lie in some span."""
        key = (rank << RANK_BITS) + start // MINUTE
        place = np.searchsorted(instruments, self.instrument)
        known = place < len(instruments)
        known[known] = instruments[place[known]] == self.instrument[known]
        ranks = place[known] << RANK_BITS
        lo = np.searchsorted(key, ranks + self.since[known] // MINUTE)
        hi = np.searchsorted(key, ranks + self.until[known] // MINUTE)
        change = np.zeros(len(key) + 1, dtype=np.int64)
        np.add.at(change, lo, 1)
        np.add.at(change, np.maximum(hi, lo), -1)
        return np.cumsum(change[:-1]) > 0


def _actions_by_rank(
    actions: pd.DataFrame, instruments: IntArray, exchange_of: dict[int, str], bars: Bars
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Splits (rank, at, ratio) and dividends (rank, at, cash) of the instruments with bars.

    Fully adjusted prices hold both already: nothing is applied and no cash is credited.
    """
    known = actions[actions["instrument_id"].isin(instruments)].reset_index(drop=True)
    if bars.adjusted == "all":
        known = known.iloc[0:0]
    known = _of_one_source(known, bars.source)
    rank = np.searchsorted(instruments, known["instrument_id"].to_numpy(dtype=np.int64))
    at = np.zeros(len(known), dtype=np.int64)
    names = known["instrument_id"].map(exchange_of).to_numpy(dtype=object)
    dates = pd.to_datetime(known["ex_date"]).to_numpy().astype("datetime64[D]")
    for name in sorted(set(names)):
        mine = names == name
        at[mine] = calendar(name).local_midnights(dates[mine])
    frame = pd.DataFrame(
        {"rank": rank, "at": at, "value": known["value"].to_numpy(float), "kind": known["kind"]}
    ).sort_values(["rank", "at"], kind="stable")
    parts = []
    for kind, column in (("split", "ratio"), ("dividend", "cash")):
        part = frame[frame["kind"] == kind].rename(columns={"value": column})
        parts.append(part[["rank", "at", column]].reset_index(drop=True))
    return parts[0], parts[1]


def _of_one_source(actions: pd.DataFrame, preferred: str) -> pd.DataFrame:
    """What one source says of each ex-date: the bars' own if it says anything, else the first.

    Two sources that report the same split must not divide prices twice.
    """
    key = ["instrument_id", "kind", "ex_date"]
    order = np.lexsort((actions["action_id"], actions["source"] != preferred))
    chosen = actions.iloc[order].drop_duplicates(key)[[*key, "source"]]
    return actions.merge(chosen, on=[*key, "source"], how="inner")


def _without_splits(
    prices: dict[str, FloatArray], volume: FloatArray, key: IntArray, splits: pd.DataFrame
) -> tuple[dict[str, FloatArray], FloatArray]:
    factor = np.ones(len(key))
    for rank, at, ratio in splits.itertuples(index=False):
        lo = np.searchsorted(key, int(rank) << RANK_BITS)
        hi = np.searchsorted(key, (int(rank) << RANK_BITS) + int(at) // MINUTE)
        factor[lo:hi] *= ratio
    return {name: values / factor for name, values in prices.items()}, volume * factor


def _dividend_per_bar(dividends: pd.DataFrame, splits: pd.DataFrame, key: IntArray) -> FloatArray:
    """Cash that goes ex at each bar: on the first bar at or after the ex-date's midnight."""
    cash = np.zeros(len(key))
    for rank, at, value in dividends.itertuples(index=False):
        later = splits[(splits["rank"] == rank) & (splits["at"] > at)]
        bar = np.searchsorted(key, (int(rank) << RANK_BITS) + int(at) // MINUTE)
        if bar < len(key) and key[bar] >> RANK_BITS == int(rank):
            cash[bar] += value / later["ratio"].prod()
    return cash
