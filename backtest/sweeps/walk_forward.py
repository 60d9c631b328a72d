"""Walk forward: choose on the past, judge on what came after, and join what was judged.

For each fold the best combination is chosen by the trades entered in the training window that
were over before the test began: a trade still open then is purged, by its real exit under that
very combination.  The chosen combination's trades entered in the test window are out of sample;
they run to their own exits.  The windows move on by the length of the test.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtest.account.assembly import main_calendar
from backtest.panel.sessions import from_us
from backtest.paths import FloatArray, IntArray
from backtest.sweeps import kernel
from backtest.sweeps.grid import Grid
from backtest.sweeps.measure import columns, entered_at
from backtest.sweeps.ranking import ranked
from backtest.sweeps.result import monthly_sharpe
from backtest.sweeps.tables import left_at
from db.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from backtest.sweeps.engine import Group

_LENGTH = re.compile(r"(\d+)([ymd])")
_PARTS = ("train", "test", "purge", "embargo")
_EXAMPLE = "--walk-forward train=3y,test=1y,purge=hold"


@dataclass(frozen=True)
class Length:
    """A span of the calendar: whole months, or days."""

    months: int = 0
    days: int = 0

    @classmethod
    def parse(cls, name: str, text: str) -> Length:
        """``3y``, ``6m`` or ``10d``."""
        found = _LENGTH.fullmatch(text)
        if not found:
            raise UsageError(f"{name} takes a length such as 3y, 6m or 10d, not {text!r}")
        count, unit = int(found[1]), found[2]
        if unit == "d":
            return cls(days=count)
        return cls(months=count * (12 if unit == "y" else 1))

    def after(self, day: np.datetime64) -> np.datetime64:
        """The day so much later; the last of the month where that has fewer days."""
        if not self.months:
            return day + np.timedelta64(self.days, "D")
        month = day.astype("datetime64[M]")
        inside = day - month.astype("datetime64[D]")
        later = (month + self.months).astype("datetime64[D]")
        last = (month + self.months + 1).astype("datetime64[D]") - np.timedelta64(1, "D")
        return min(later + inside, last)


@dataclass(frozen=True)
class Windows:
    """How long to train and to test, and what is left out between the two."""

    train: Length
    test: Length
    purge: bool = True
    """Leave trades out of the training that were still open when the test began."""
    embargo: Length = Length()
    """The test begins so long after the training ends; trades entered in between are in neither."""

    @classmethod
    def parse(cls, text: str) -> Windows:
        """``train=3y,test=1y,purge=hold,embargo=5d``; the last two may be left out."""
        given: dict[str, str] = {}
        for part in text.split(","):
            name, equals, value = (one.strip() for one in part.partition("="))
            if name not in _PARTS or not equals:
                hint = did_you_mean(name, _PARTS, kind="part") if equals else _EXAMPLE
                raise UsageError(f"walk-forward does not know {part.strip()!r}", hint=hint)
            if name in given:
                raise UsageError(f"walk-forward has {name} twice", hint=_EXAMPLE)
            given[name] = value
        for name in ("train", "test"):
            if name not in given:
                raise UsageError(f"walk-forward needs {name}", hint=_EXAMPLE)
        if given.get("purge", "hold") not in ("hold", "none"):
            raise UsageError(
                f"purge is hold or none, not {given['purge']!r}",
                hint="hold leaves out what was still open when the test began",
            )
        lengths = {name: Length.parse(name, given[name]) for name in given if name != "purge"}
        for name in ("train", "test"):
            if lengths[name] == Length():
                raise UsageError(f"{name} must not be empty", hint=_EXAMPLE)
        return cls(**lengths, purge=given.get("purge", "hold") == "hold")


@dataclass(frozen=True, eq=False)
class WalkForward:
    """What was chosen fold by fold, and the trades that came after each choice."""

    folds: pd.DataFrame
    """One row a fold: ``train_from``, ``train_to``, ``test_from``, ``test_to`` (dates, the last
    day not included), ``combination`` (-1: nothing to choose from) and its parameters, what it
    was chosen by, ``train_trades``, ``purged``, ``train_mean``, ``test_trades``, ``test_mean``,
    and ``beaten``: the share of all combinations with trades that did worse in the test."""
    trades: pd.DataFrame
    """All out-of-sample trades by entry: ``fold``, ``combination``, ``event_id``, ``symbol``,
    ``entry_at``, ``exit_at`` (UTC), ``return_net``."""

    @property
    def sentences(self) -> list[str]:
        """What it amounts to, in words."""
        chosen = self.folds[self.folds["combination"] >= 0]
        if not len(self.trades):
            return [f"Walk-forward: no trade out of sample in {len(self.folds)} folds."]
        weights = chosen["train_trades"].to_numpy(dtype=np.float64)
        inside = float(np.average(chosen["train_mean"], weights=weights)) * 100
        net = self.trades["return_net"]
        said = (
            f"Walk-forward: the combinations chosen in {len(chosen)} folds earned {inside:+.2f} % "
            f"a trade where they were chosen and {net.mean() * 100:+.2f} % in the "
            f"{len(net):,} trades after that; on average they beat "
            f"{chosen['beaten'].mean() * 100:.0f} % of all combinations there (50 % is chance)."
        )
        return [said]


def walk_forward(
    groups: Sequence[Group], grid: Grid, windows: Windows, *, rank: str, min_trades: int
) -> WalkForward:
    """Choose and judge, fold by fold.

    Raises UsageError where the events do not reach beyond the first training window.
    """
    panel = groups[0].combined.market.panel
    cal = main_calendar(panel)
    entered = [entered_at(part.tables) for group in groups for part in group.combined.parts]
    instants = np.concatenate(entered) if entered else np.zeros(0, dtype=np.int64)
    if not len(instants):
        raise UsageError("walk-forward has nothing to choose from: no combination has a trade")
    days = cal.local_dates(np.array([instants.min(), instants.max()]))
    rows, trades = [], []
    for fold, (a, b, c, d) in enumerate(_folds(days[0], days[1], windows)):
        at = [int(one) for one in cal.local_midnights(np.array([a, b, c, d]))]
        row, found = _fold(groups, grid, windows, at, rank, min_trades)
        dates = dict(zip(("train_from", "train_to", "test_from", "test_to"), (a, b, c, d),
                         strict=True))  # fmt: skip
        stamps = {name: pd.Timestamp(day).as_unit("us") for name, day in dates.items()}
        rows.append({"fold": fold + 1, **stamps, **row})
        trades.append(found.assign(fold=fold + 1))
    if not rows:
        raise UsageError(
            f"trades run from {days[0]} to {days[1]}, and the first test would begin "
            f"{windows.train.after(days[0])}",
            hint="a shorter train, or more events",
        )
    joined = pd.concat(trades, ignore_index=True).sort_values("entry_at", kind="stable")
    order = ["fold", *(name for name in joined.columns if name != "fold")]
    return WalkForward(pd.DataFrame(rows), joined[order].reset_index(drop=True))


def _folds(
    first: np.datetime64, last: np.datetime64, windows: Windows
) -> list[tuple[np.datetime64, np.datetime64, np.datetime64, np.datetime64]]:
    """(train from, train to, test from, test to) of each fold; ends are not included."""
    found: list[tuple[np.datetime64, np.datetime64, np.datetime64, np.datetime64]] = []
    begin = first
    while True:
        turn = windows.train.after(begin)
        test, end = windows.embargo.after(turn), windows.test.after(turn)
        if test > last:
            return found
        if test < end:
            found.append((begin, turn, test, end))
        elif not found:
            raise UsageError("the embargo is as long as the test", hint=_EXAMPLE)
        begin = windows.test.after(begin)


def _fold(
    groups: Sequence[Group],
    grid: Grid,
    windows: Windows,
    at: list[int],
    rank: str,
    min_trades: int,
) -> tuple[dict[str, Any], pd.DataFrame]:
    train, test = (at[0], at[1]), (at[2], at[3])
    cutoff = at[1] if windows.purge else kernel.NEVER
    past = _measured(groups, len(grid), train, cutoff, rank)
    later = _measured(groups, len(grid), test, kernel.NEVER, "mean")
    nothing = pd.DataFrame(columns=["combination", *_TRADE])
    if not (past["trades"] > 0).any():
        return {"combination": -1, "train_trades": 0, "test_trades": 0}, nothing
    chosen = int(ranked(past, rank, min_trades)[0])
    whole = _measured(groups, len(grid), train, kernel.NEVER, "mean")
    mean = float(later["mean"].to_numpy()[chosen])
    rivals = later["trades"].to_numpy() > 0
    rivals[chosen] = False
    others = later["mean"].to_numpy()[rivals]
    # Equal ones count half: with nothing to choose from, half are beaten.
    beaten = float((others < mean).mean() + (others <= mean).mean()) / 2 if len(others) else 0.5
    kept = int(past["trades"].to_numpy()[chosen])
    row = {
        "combination": chosen,
        **grid.params(chosen),
        rank: float(past[rank].to_numpy()[chosen]),
        "train_trades": kept,
        "purged": int(whole["trades"].to_numpy()[chosen]) - kept,
        "train_mean": float(past["mean"].to_numpy()[chosen]),
        "test_trades": int(later["trades"].to_numpy()[chosen]),
        "test_mean": mean,
        "beaten": beaten if np.isfinite(mean) else float("nan"),
    }
    return row, _trades(groups, chosen, test)


_TRADE = ("event_id", "symbol", "entry_at", "exit_at", "return_net")


def _measured(
    groups: Sequence[Group], size: int, window: tuple[int, int], cutoff: int, rank: str
) -> pd.DataFrame:
    """The table's columns from the trades of a window alone."""
    whole: dict[str, FloatArray] = {}
    for group in groups:
        combined = group.combined
        totals, monthly = combined.sums(months=rank == "sharpe", chosen=window, cutoff=cutoff)
        found = columns(combined, totals, exact=False)
        if rank == "sharpe":
            # Months outside the window are no part of it.
            first, last = _months_of(group, window)
            found["sharpe"] = monthly_sharpe(monthly[first:last])
        if rank == "median":
            found["median"] = _medians(group, window, cutoff)
        for name, values in found.items():
            whole.setdefault(name, np.zeros(size))[group.where] = values
    return pd.DataFrame(whole)


def _months_of(group: Group, window: tuple[int, int]) -> tuple[int, int]:
    cal = main_calendar(group.combined.market.panel)
    days = cal.local_dates(np.array([window[0], window[1] - 1]))
    months = days.astype("datetime64[M]").astype(np.int64) - group.combined.first_month
    return max(int(months[0]), 0), max(int(months[1]) + 1, 0)


def _inside(
    group: Group, combination: int, window: tuple[int, int]
) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """(event, entered, left, net return) of a combination's trades entered in a window."""
    part, rows, key, net = group.combined.trades(combination)
    at = entered_at(part.tables)[rows]
    mine = (at >= window[0]) & (at < window[1])
    left = left_at(part.tables.paths, key[mine])
    return part.tables.fills.event[rows[mine]], at[mine], left, net[mine]


def _medians(group: Group, window: tuple[int, int], cutoff: int) -> FloatArray:
    out = np.full(len(group.where), np.nan)
    for combination in group.combined.in_turn():
        _, _, left, net = _inside(group, combination, window)
        kept = net[left <= cutoff]
        if len(kept):
            out[combination] = np.median(kept)
    return out


def _trades(groups: Sequence[Group], chosen: int, window: tuple[int, int]) -> pd.DataFrame:
    group = next(one for one in groups if chosen in one.where)
    place = int(np.flatnonzero(group.where == chosen)[0])
    event, entered, left, net = _inside(group, place, window)
    events = group.combined.market.panel.events.iloc[event]
    return pd.DataFrame(
        {
            "combination": chosen,
            "event_id": events["event_id"].to_numpy(),
            "symbol": events["symbol"].to_numpy(),
            "entry_at": from_us(entered),
            "exit_at": from_us(left),
            "return_net": net,
        }
    )
