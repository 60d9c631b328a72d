"""What a user would run instead of a sweep, on the same windows: vectorbt in two ways, DuckDB."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BARS = 35
"""Bars of a window: the reaction session and the longest hold after it."""
FEE = 0.0001


def timed(function: Callable[[], Any], repeat: int) -> tuple[float, float, Any]:
    """(median, least) seconds and the last result."""
    seconds, result = [], None
    for _ in range(repeat):
        begin = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), min(seconds), result


def busy(function: Callable[[], Any], repeat: int) -> float:
    """Median seconds of a processor, all threads together: what other load changes least."""
    seconds = []
    for _ in range(repeat):
        begin = time.process_time()
        function()
        seconds.append(time.process_time() - begin)
    return statistics.median(seconds)


class Windows:
    """The same work for others: bars of each fill as a matrix, and its bucket of drops."""

    def __init__(self, part: Any, complete: np.ndarray, combined: Any, grid: Any) -> None:
        self.part = part
        self.combined = combined
        fills, paths = part.fills, part.paths
        rows = np.flatnonzero(complete)
        self.rows = rows
        index = fills.bar[rows][:, None] + np.arange(BARS)
        self.index = index
        self.open, self.high, self.low, self.close = (
            np.ascontiguousarray(getattr(paths, name)[index])
            for name in ("open", "high", "low", "close")
        )
        # The judgement by the open of a bar that contradicts itself is part of the rules.
        self.high = np.maximum(self.high, self.open)
        self.low = np.minimum(self.low, self.open)
        self.entry = fills.price[rows]
        self.member = fills.members[:, fills.owner[rows]]
        self.stops, self.targets, self.holds = (
            [*levels.tolist()] for levels in (part.levels.stops, part.levels.targets,
                                              part.levels.holds)
        )  # fmt: skip
        self.drops = len(self.member)
        self.by_intent = 0
        self.touched = part.tables_of(rows, False)

    def cell(self, s: int, t: int, h: int) -> int:
        return (s * len(self.targets) + t) * len(self.holds) + h

    def _same(self, ours: np.ndarray, theirs: np.ndarray, name: str) -> None:
        np.testing.assert_array_equal(ours[..., 0], theirs[..., 0], err_msg=name)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9, err_msg=name)

    def _judged(self, net: np.ndarray, s: int, t: int, h: int) -> np.ndarray:
        """vectorbt's returns, checked one by one; where the two differ by intent, ours.

        A bar that opens beyond the target and falls to the stop leaves at its open here, and by
        the stop there.
        """
        _, key, mine = self.touched.trades(self.cell(s, t, h))
        different = np.abs(mine - net) > 1e-9
        rows = np.flatnonzero(different)
        bar = (key[rows] >> 3) - self.index[rows, 0]
        opened = self.open[rows, bar] >= self.entry[rows] * (1 + self.targets[t]) * (1 - 1e-9)
        fell = self.low[rows, bar] <= self.entry[rows] * (1 - self.stops[s]) * (1 + 1e-9)
        equal = opened & fell
        # vectorbt has no tolerance: a level that is touched to the last digit but one is not.
        levels = np.stack([self.entry * (1 - self.stops[s]), self.entry * (1 + self.targets[t])])
        reach = np.stack([self.low, self.high])
        near = np.abs(reach / levels[:, :, None] - 1) < 2e-9
        equal |= near.any(axis=(0, 2))[rows]
        assert equal.all(), (s, t, h, rows[~equal][:5])
        self.by_intent += len(rows)
        return np.where(different, mine, net)

    def _signals(self, chosen: np.ndarray, s: int, t: int, hold: int) -> Any:
        import vectorbt as vbt

        width = int(hold) + 2
        prices = [self._with_entry(name, chosen)[:width] for name in ("open", "high", "low",
                                                                      "close")]  # fmt: skip
        entries, leaves = np.zeros((2, *prices[0].shape), dtype=bool)
        entries[0], leaves[-1] = True, True
        begin = time.perf_counter()
        portfolio = vbt.Portfolio.from_signals(
            prices[3], entries, leaves, open=prices[0], high=prices[1], low=prices[2],
            direction="longonly", size=1.0, init_cash=1e9, fees=FEE, slippage=0.0,
            sl_stop=self.stops[s], tp_stop=self.targets[t], stop_entry_price="fillprice",
            stop_exit_price="stopmarket", max_orders=2 * len(chosen), engine="rust",
        )  # fmt: skip
        records = portfolio.trades.values
        seconds = time.perf_counter() - begin
        assert (records["col"] == np.arange(len(chosen))).all()
        return records, seconds

    def _with_entry(self, name: str, chosen: np.ndarray) -> np.ndarray:
        """A matrix with a pseudo-bar in front: vectorbt checks no stop in the bar that enters."""
        cache = self.__dict__.setdefault("_matrices", {})
        key = name, len(chosen), int(chosen.sum())
        if key not in cache:
            values = getattr(self, name)[chosen].T
            cache[key] = np.vstack([self.entry[chosen], values])
        return cache[key]

    def from_signals(self, ours: np.ndarray, *, quick: bool) -> tuple[float, float]:
        """Each combination by itself; (seconds, share of the outcomes that was really run)."""
        done = seconds = 0.0
        totals = np.zeros_like(ours)
        drops = [self.drops // 2] if quick else list(range(self.drops))
        for d in drops:
            chosen = np.flatnonzero(self.member[d])
            for s, t, h in np.ndindex(len(self.stops), len(self.targets), len(self.holds)):
                records, spent = self._signals(chosen, s, t, self.holds[h])
                seconds += spent
                net = np.zeros(len(self.rows))
                net[chosen] = records["return"]
                _, _, mine = self.touched.trades(self.cell(s, t, h))
                net[self.member[d] == 0] = mine[self.member[d] == 0]
                kept = self._judged(net, s, t, h)[chosen]
                totals[d, self.cell(s, t, h)] = len(kept), kept.sum(), (kept**2).sum()
                done += len(chosen)
            self.__dict__.pop("_matrices")
        self._same(ours[drops], totals[drops], "from_signals")
        share = done / float(ours[..., 0].sum())
        return seconds / share, share

    def pairs(self, ours: np.ndarray) -> float:
        """Each stop-target pair once; an exit after the hold is the hold's close instead."""
        chosen = np.arange(len(self.rows))
        totals = np.zeros_like(ours)
        member = self.member.astype(np.float64)
        seconds = 0.0
        for s, t in np.ndindex(len(self.stops), len(self.targets)):
            records, spent = self._signals(chosen, s, t, self.holds[-1])
            seconds += spent
            exit_bar = records["exit_idx"] - 1
            for h, hold in enumerate(self.holds):
                begin = time.perf_counter()
                last = self.close[:, hold]
                at_close = (last - self.entry - FEE * (last + self.entry)) / self.entry
                net = np.where(exit_bar <= hold, records["return"], at_close)
                seconds += time.perf_counter() - begin
                net = self._judged(net, s, t, h)
                begin = time.perf_counter()
                made = member @ np.stack([np.ones(len(net)), net, net * net], axis=1)
                seconds += time.perf_counter() - begin
                totals[:, self.cell(s, t, h)] = made
        self._same(ours, totals, "pairs")
        return seconds

    def sql(self, ours: np.ndarray, repeat: int) -> tuple[float, float]:
        """First touches in SQL, joined to combinations; the drop is a bucket, summed afterwards.

        (seconds, seconds of a processor); DuckDB uses every core, as the kernel does.
        """
        import duckdb
        import pandas as pd

        n = len(self.rows)
        bars = pd.DataFrame(
            {
                "e": np.repeat(np.arange(n), BARS),
                "b": np.tile(np.arange(BARS), n),
                **{
                    name[0]: getattr(self, name).ravel()
                    for name in ("open", "high", "low", "close")
                },
            }
        )
        fills = pd.DataFrame(
            {"e": np.arange(n), "p": self.entry, "d": self.part.fills.owner[self.rows]}
        )
        levels = {
            "stops": pd.DataFrame({"s": range(len(self.stops)), "x": self.stops}),
            "targets": pd.DataFrame({"t": range(len(self.targets)), "x": self.targets}),
            "holds": pd.DataFrame({"k": range(len(self.holds)), "x": self.holds}),
        }
        connection = duckdb.connect()
        for name, frame in {"bars": bars, "fills": fills, **levels}.items():
            connection.from_df(frame).create(name)

        def query() -> Any:
            return connection.execute(SQL, {"fee": FEE}).fetchnumpy()

        seconds, _, found = timed(query, repeat)
        processor = busy(query, repeat)
        by_class = np.zeros((self.part.fills.members.shape[1], ours.shape[1], 3))
        cell = (found["s"] * len(self.targets) + found["t"]) * len(self.holds) + found["k"]
        by_class[found["d"].astype(int), cell.astype(int)] = np.stack(
            [found["n"], found["sum"], found["squares"]], axis=1
        )
        begin = time.perf_counter()
        totals = np.tensordot(self.part.fills.members.astype(float), by_class, axes=1)
        seconds += time.perf_counter() - begin
        self._same(ours, totals, "SQL")
        return seconds, processor

    def copies(self, repeat: int) -> tuple[float, float]:
        """Copying the arrays that must be read: lying together, and gathered from the table."""
        paths = self.part.paths
        names = ("open", "high", "low", "close", "session", "phase")
        together = [np.ascontiguousarray(getattr(paths, name)[self.index]) for name in names]
        target = [np.empty_like(one) for one in together]

        def copy() -> None:
            for there, one in zip(target, together, strict=True):
                np.copyto(there, one)

        def gather() -> None:
            for there, name in zip(target, names, strict=True):
                np.take(getattr(paths, name), self.index, out=there)

        return timed(copy, repeat)[0], timed(gather, repeat)[0]


SQL = """
with touch as (select b.*, f.p from bars b join fills f using (e)),
stopped as (
  select e, s, min(b) b, arg_min(case when o <= p*(1-x)*(1+1e-9) then o else p*(1-x) end, b) r,
         arg_min(o <= p*(1-x)*(1+1e-9), b) gap
  from touch, stops where l <= p*(1-x)*(1+1e-9) group by e, s),
reached as (
  select e, t, min(b) b, arg_min(case when o >= p*(1+x)*(1-1e-9) then o else p*(1+x) end, b) r,
         arg_min(o >= p*(1+x)*(1-1e-9), b) gap
  from touch, targets where h >= p*(1+x)*(1-1e-9) group by e, t),
held as (select e, k, b, c r from touch, holds where b = x),
a as (select f.e, f.d, f.p, s.s, coalesce(x.b, 99) b, x.r, coalesce(x.gap, false) gap
      from fills f cross join stops s left join stopped x on x.e = f.e and x.s = s.s),
z as (select f.e, t.t, coalesce(x.b, 99) b, x.r, coalesce(x.gap, false) gap
      from fills f cross join targets t left join reached x on x.e = f.e and x.t = t.t),
both_ as (
  select a.e, a.d, a.p, a.s, z.t, least(a.b, z.b) b,
         case when a.b < z.b or (a.b = z.b and (a.gap or not z.gap)) then a.r else z.r end r
  from a join z using (e)),
net as (
  select d, s, t, k, p, case when y.b <= held.b then y.r else held.r end r
  from both_ y join held using (e)),
made as (select d, s, t, k, (r - p - $fee * (r + p)) / p x from net)
select d, s, t, k, count(*) n, sum(x) sum, sum(x*x) squares from made group by all
"""
