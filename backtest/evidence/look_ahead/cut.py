"""Panels as they would have been: what had not happened by an instant is missing, or wild.

At instant C a bar is known if it had ended by C; of one still running the open alone is known.
A strategy that decides at the end of bars may not know a bar that opens at that very instant; one
that decides at opens may (``opens``).  Cells that stay are the whole panel's own, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtest.evidence.look_ahead.content import SampleContent, cut_facts, raw_columns
from backtest.evidence.look_ahead.sample import WINDOW, Sample, take_sessions
from backtest.panel.arrays import as_panel_array
from backtest.panel.content import NewsColumns
from backtest.panel.panel import ContentSource, EventPanel
from backtest.panel.prices import PriceTable
from backtest.paths import BoolArray, FloatArray, IntArray

_RANK_BITS = 32
_GOLDEN = 0.6180339887498949
"""Multiples of it, less their whole part, are spread evenly between 0 and 1."""
FOREVER = np.iinfo(np.int64).max
_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Poison:
    """What stands where the future was: every price times a factor between the two bounds.

    Two that point in opposite directions are needed, between bars and within each: one alone could
    agree with a comparison.  A bar keeps its high above and its low below the rest.
    """

    name: str
    low: float
    high: float
    content: float
    """Stands for every figure not known yet."""
    shape: tuple[float, float, float, float]
    """Further factors of a bar's open, high, low and close."""

    def factor(self, bars: IntArray, name: str) -> FloatArray:
        """The factor of a column in each bar of the whole table, the same in every replay."""
        drawn: FloatArray = np.mod(bars * _GOLDEN, 1.0)
        further = self.shape[_PRICES.index(name)] if name in _PRICES else 1.0
        return (self.low + (self.high - self.low) * drawn) * further


POISONS = (
    Poison("dear", 3.0, 30.0, 1e3, shape=(1.0, 1.5, 0.9, 1.4)),
    Poison("cheap", 0.02, 0.3, -1e3, shape=(1.0, 1.1, 0.5, 0.6)),
)


@dataclass(frozen=True, eq=False)
class Cut:
    """A panel to give to a strategy, and which of the sample's events its rows are."""

    panel: EventPanel
    known: IntArray
    rows: IntArray
    values: dict[str, np.ndarray]
    """Arrays that were put into the panel: a strategy must leave them as they are."""


def whole(sample: Sample, *, delayed: bool = False) -> Cut:
    """The sample as it is; ``delayed`` withholds content until its interval's end."""
    return _cut(sample, np.full(len(sample), FOREVER), None, False, True, delayed)


def at_instant(
    sample: Sample,
    at: int,
    *,
    opens: bool = False,
    poison: Poison | None = None,
    delayed: bool = False,
) -> Cut:
    """What the world was at one instant: events, bars of every instrument, content, splits."""
    return _cut(sample, np.full(len(sample), at), poison, opens, True, delayed)


def at_own_instants(
    sample: Sample, at: IntArray, *, opens: bool = False, poison: Poison | None = None
) -> Cut:
    """Every event cut at an instant of its own (N), all at once.

    No state of the world, since one event may know what another does not yet: a difference is a
    hint where to look, never a finding.
    """
    return _cut(sample, at, poison, opens, False, False)


def _cut(
    sample: Sample,
    at: IntArray,
    poison: Poison | None,
    opens: bool,
    calendar: bool,
    delayed: bool,
) -> Cut:
    base = sample.panel
    begun = sample.begins <= at
    rows = np.flatnonzero(begun) if poison is None and calendar else np.arange(len(sample))
    here = at[:, None]
    ended = base.real & (base.end <= here)
    opened = base.real & ((sample.start <= here) if opens else (sample.start < here))
    values = _window(sample, ended, opened, poison)
    if poison is None:
        values["real"] = opened
        values["phase"] = np.where(opened, base.phase, 0).astype(np.int8)
        values["end"] = np.where(opened, base.end, FOREVER)
    else:
        values |= {"real": base.real.copy(), "phase": base.phase.copy(), "end": base.end.copy()}
    reference = np.asarray(base.reference)[:, 0].copy()
    if poison is not None:
        reference[~begun] *= poison.factor(base.reference_bar[~begun], "close")
    values["reference"] = reference[:, None]
    values = {name: array[rows] for name, array in values.items()}
    instant = int(at[0]) if calendar else FOREVER
    table, place = _table(sample, instant, opens, poison)
    stop = base.lo + (opened.sum(axis=1) if poison is None else base.hi - base.lo)
    content = sample.delayed if delayed else sample.content
    wild = None if poison is None else poison.content
    everything = calendar and instant == FOREVER
    events = base.events if everything else raw_columns(content, base.events, at, wild)
    panel = EventPanel(
        events=events.iloc[rows].reset_index(drop=True),
        sessions=take_sessions(base.sessions, rows),
        table=table,
        rank=np.searchsorted(sample.ranks, base.rank[rows]),
        lo=place(base.lo, base.rank)[rows],
        hi=place(stop, base.rank)[rows],
        reference_bar=place(base.reference_bar, base.rank)[rows],
        content=_content(sample, content, at, rows, ended, wild),
    )
    for name, array in values.items():
        floats = array.dtype == np.float64
        vars(panel)[name] = as_panel_array(array) if floats else array
    vars(panel)["width"] = base.width
    return Cut(panel, sample.known[rows], rows, values)


def _window(
    sample: Sample, ended: BoolArray, opened: BoolArray, poison: Poison | None
) -> dict[str, np.ndarray]:
    """Prices of the windows (N x T each), NaN or wild where they were not known."""
    base = sample.panel
    found = {}
    for name in (*WINDOW, "before"):
        true = np.asarray(getattr(base, name))
        shown = opened if name == "open" else ended
        price = "close" if name == "before" else name
        other = np.nan if poison is None else true * poison.factor(base.bar, price)
        found[name] = np.where(shown, true, other)
    return found


Place = Callable[[IntArray, IntArray], IntArray]


def _table(sample: Sample, at: int, opens: bool, poison: Poison | None) -> tuple[PriceTable, Place]:
    """Bars of the sampled instruments, and where an index of the whole table is in them.

    Bars that had not begun are left out, or with a ``poison`` kept with wild prices.
    """
    full, ranks = sample.panel.table, sample.ranks
    first, last = full.first_bar(ranks), full.last_bar_end(ranks)
    count = last - first
    if poison is None and at != FOREVER:
        count = np.array(
            [
                np.searchsorted(full.start[lo:hi], at, side="right" if opens else "left")
                for lo, hi in zip(first, last, strict=True)
            ],
            dtype=np.int64,
        )
    offset = np.concatenate([[0], np.cumsum(count)])

    def place(index: IntArray, rank: IntArray) -> IntArray:
        mine = np.searchsorted(ranks, rank)
        there: IntArray = offset[mine] + np.minimum(index - first[mine], count[mine])
        return there

    def picked() -> IntArray:
        return np.repeat(first - offset[:-1], count) + np.arange(offset[-1])

    splits = full.splits[full.splits["rank"].isin(ranks)]
    later = splits[splits["at"] > at]
    columns = _Columns(full, picked, ranks, at, opens, poison, later)
    kept = splits[splits["at"] <= at] if at != FOREVER else splits
    kept = kept.assign(rank=np.searchsorted(ranks, kept["rank"])).reset_index(drop=True)
    light: dict[str, Any] = {
        "interval": full.interval,
        "source": full.source,
        "adjusted": full.adjusted,
        "version": full.version,
        "instruments": full.instruments[ranks],
        "splits": kept,
    }
    return _LazyTable.of(light, columns, int(offset[-1])), place


class _LazyTable(PriceTable):
    """A table whose columns are made when they are first read: most strategies read none."""

    @classmethod
    def of(cls, light: dict[str, Any], columns: _Columns, rows: int) -> _LazyTable:
        table = object.__new__(cls)
        vars(table).update(light, _columns=columns, _rows=rows)
        return table

    def __len__(self) -> int:
        return int(vars(self)["_rows"]) if "_rows" in vars(self) else len(self.start)

    def __getattr__(self, name: str) -> np.ndarray:
        columns = vars(self).get("_columns")
        if columns is None or name not in _COLUMNS:
            raise AttributeError(name)
        value: np.ndarray = columns.column(name)
        # Shared by replays: a strategy that writes into it must not change the next one.
        value.flags.writeable = False
        vars(self)[name] = value
        return value


_COLUMNS = ("key", "start", "end", *_PRICES, "volume", "phase", "session", "dividend")


class _Columns:
    """The columns of one cut of the bars."""

    def __init__(
        self,
        full: PriceTable,
        picked: Callable[[], IntArray],
        ranks: IntArray,
        at: int,
        opens: bool,
        poison: Poison | None,
        later: Any,
    ) -> None:
        self._full, self._ranks, self._at, self._opens = full, ranks, at, opens
        self._poison, self._later, self._picked = poison, later, picked
        self._rows: IntArray | None = None

    @property
    def rows(self) -> IntArray:
        """The whole table's rows."""
        if self._rows is None:
            self._rows = self._picked()
        return self._rows

    def column(self, name: str) -> np.ndarray:
        """One column, in an array of its own."""
        rows, full = self.rows, self._full
        values: np.ndarray = getattr(full, name)[rows]
        if name == "key":
            rank = np.searchsorted(self._ranks, values >> _RANK_BITS)
            return (rank << _RANK_BITS) + (values & ((1 << _RANK_BITS) - 1))
        if name in (*_PRICES, "volume", "dividend") and self._at != FOREVER:
            values = self._unsplit(name, values, rows)
            hidden = self._hidden(name, rows)
            if self._poison is None:
                values[hidden] = 0.0 if name == "dividend" else np.nan
            else:
                values[hidden] *= self._poison.factor(rows[hidden], name)
        return values

    def _hidden(self, name: str, rows: IntArray) -> BoolArray:
        if name not in ("open", "dividend"):
            return np.asarray(self._full.end[rows] > self._at)
        start = self._full.start[rows]
        return np.asarray(start > self._at if self._opens else start >= self._at)

    def _unsplit(self, name: str, values: FloatArray, rows: IntArray) -> FloatArray:
        """Splits that came later were not taken out of prices yet."""
        for rank, at, ratio in self._later.itertuples(index=False):
            before = (self._full.key[rows] >> _RANK_BITS == rank) & (self._full.start[rows] < at)
            values[before] *= 1 / ratio if name == "volume" else ratio
        return values


def _content(
    sample: Sample,
    content: SampleContent,
    at: IntArray,
    rows: IntArray,
    ended: BoolArray,
    wild: float | None,
) -> ContentSource:
    row_of = np.full(len(sample), -1, dtype=np.int64)
    row_of[rows] = np.arange(len(rows))
    # One microsecond is added to poisoned facts: forever must not wrap around.
    instants = np.minimum(at, FOREVER - 1)

    def news(_: EventPanel) -> NewsColumns:
        columns = (np.asarray(sample.news.count), np.asarray(sample.news.sentiment))
        other = np.nan if wild is None else wild
        shown = [np.where(ended | ~sample.panel.real, one, other)[rows] for one in columns]
        return NewsColumns(as_panel_array(shown[0]), as_panel_array(shown[1]))

    return ContentSource(
        surprise=lambda: cut_facts(content.surprise, instants, row_of, wild),
        guidance=lambda metric: cut_facts(content.guidance(metric), instants, row_of, wild),
        news=news,
    )
