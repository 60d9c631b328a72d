"""Which orders fill, where and at what price: all of a sweep's at once, before any exit.

The rules are those of `backtest.outcomes`; here they run over arrays of orders, so that nothing
has to be compiled, and the tests hold them against it order by order.  What depends on the exits
(a hold that is over before the fill) is left to `backtest.sweeps.kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backtest.execution import Costs, Fill, FillRules, OrderKind
from backtest.outcomes import TOLERANCE
from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray, Orders, Paths
from db.calendar import Phase

_SHORT_RESTRICTION = 0.90


@dataclass(frozen=True, eq=False)
class Fills:
    """One entry an order that was placed (F); prices are NaN where it did not fill."""

    event: IntArray
    """Row of the panel."""
    code: ByteArray
    """`execution.Fill`; `AFTER_HOLD` is not known here."""
    bar: IntArray
    price: FloatArray
    mid: FloatArray
    within: BoolArray
    """Filled inside the bar, not at its open."""

    def __len__(self) -> int:
        return len(self.event)

    def take(self, rows: IntArray | BoolArray) -> Fills:
        """Some of the rows."""
        names = ("event", "code", "bar", "price", "mid", "within")
        return Fills(*(getattr(self, name)[rows] for name in names))


def find_fills(paths: Paths, orders: Orders, costs: Costs, rules: FillRules, side: int) -> Fills:
    """The fill of every order that is not `OrderKind.NONE`, for the fixed notional of ``rules``."""
    event = np.flatnonzero(orders.kind != OrderKind.NONE)
    n = len(event)
    found = Fills(
        event=event,
        code=np.full(n, Fill.NO_BAR, dtype=np.int8),
        bar=np.full(n, -1, dtype=np.int64),
        price=np.full(n, np.nan),
        mid=np.full(n, np.nan),
        within=np.zeros(n, dtype=np.bool_),
    )
    kind = orders.kind[event]
    work = _Fill(paths, orders, costs, rules, float(side), found)
    work.at_open(np.flatnonzero(kind == OrderKind.LIMIT_ON_OPEN), limited=True)
    work.at_open(np.flatnonzero(kind == OrderKind.SAME_PRINT), limited=False)
    work.market(np.flatnonzero(kind == OrderKind.MARKET))
    work.limit(np.flatnonzero(kind == OrderKind.LIMIT))
    if side < 0:
        work.restrict(np.flatnonzero(found.code == Fill.FILLED))
    return found


@dataclass(frozen=True, eq=False)
class _Fill:
    paths: Paths
    orders: Orders
    costs: Costs
    rules: FillRules
    side: float
    found: Fills

    def _extended(self, bar: IntArray) -> BoolArray:
        phase = self.paths.phase[bar]
        extended: BoolArray = (phase == Phase.PRE) | (phase == Phase.POST)
        return extended

    def _put(
        self, rows: IntArray, bar: IntArray, price: FloatArray, mid: FloatArray, within: BoolArray
    ) -> None:
        found = self.found
        found.code[rows] = Fill.FILLED
        found.bar[rows], found.price[rows], found.mid[rows] = bar, price, mid
        found.within[rows] = within

    def at_open(self, rows: IntArray, *, limited: bool) -> None:
        """Limit-on-open orders, or (not ``limited``) fills at the very print that was read."""
        bar = self.orders.from_bar[self.found.event[rows]]
        rows, bar = rows[bar >= 0], bar[bar >= 0]
        mid = self.paths.open[bar]
        price = mid
        if limited:
            limit = self.orders.limit[self.found.event[rows]]
            good = at_most(self.side * mid, self.side * limit)
            self.found.code[rows[~good]] = Fill.PRICE
            rows, bar, mid, price = rows[good], bar[good], mid[good], mid[good]
        else:
            half = np.where(
                self._extended(bar), self.costs.extended_half_spread, self.costs.half_spread
            )
            price = mid * (1 + self.side * (half + self.costs.slippage))
        self._put(rows, bar, price, mid, np.zeros(len(rows), dtype=np.bool_))

    def _alive(self, rows: IntArray, bar: IntArray) -> BoolArray:
        """Orders whose bar exists and starts before they die."""
        event = self.found.event[rows]
        inside = bar < self.paths.stop[event]
        start = self.paths.start[np.where(inside, bar, 0)] if len(self.paths.start) else bar
        return inside & (start < self.orders.expires_at[event])

    def _first_bars(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        bar = self.orders.from_bar[self.found.event[rows]]
        return rows[bar >= 0], bar[bar >= 0]

    def market(self, rows: IntArray) -> None:
        """The open of the first regular bar in the order's life."""
        rows, bar = self._first_bars(rows)
        while len(rows):
            alive = self._alive(rows, bar)
            rows, bar = rows[alive], bar[alive]
            since = self.orders.decided_at[self.found.event[rows]]
            fills = (self.paths.phase[bar] == Phase.REGULAR) & (self.paths.start[bar] >= since)
            mid = self.paths.open[bar[fills]]
            price = mid * (1 + self.side * (self.costs.half_spread + self.costs.slippage))
            self._put(rows[fills], bar[fills], price, mid, np.zeros(len(mid), dtype=np.bool_))
            rows, bar = rows[~fills], bar[~fills] + 1

    def limit(self, rows: IntArray) -> None:
        """The first extended-hours bar that reaches the limit and is not too thin."""
        rows, bar = self._first_bars(rows)
        side, paths = self.side, self.paths
        spread = 1 + side * self.costs.extended_half_spread
        while len(rows):
            alive = self._alive(rows, bar)
            rows, bar = rows[alive], bar[alive]
            event = self.found.event[rows]
            tried = self._extended(bar) & (paths.start[bar] >= self.orders.decided_at[event])
            limit = side * self.orders.limit[event] * (1 + side * self.rules.limit_offset)
            opened = side * paths.open[bar]
            lowest = np.minimum(np.minimum(side * paths.high[bar], side * paths.low[bar]), opened)
            reached = tried & at_most(lowest * spread, limit)
            at_open = opened * spread
            price = side * np.minimum(limit, at_open)
            fills = reached & volume_allows(paths.volume[bar], price, self.rules)
            code = np.where(reached, Fill.VOLUME, np.where(tried, Fill.PRICE, Fill.NO_BAR))
            self.found.code[rows] = np.maximum(self.found.code[rows], code)
            within = ~at_most(at_open, limit)
            self._put(rows[fills], bar[fills], price[fills], price[fills] / spread, within[fills])
            rows, bar = rows[~fills], bar[~fills] + 1

    def restrict(self, rows: IntArray) -> None:
        """Take back short sales after a fall of 10 % that day."""
        paths, entry = self.paths, self.found.bar[rows]
        lead = paths.lead[self.found.event[rows]]
        today, lowest, j = paths.session[entry], paths.open[entry].copy(), entry - 1
        back = np.arange(len(rows))
        while len(back := back[(j[back] >= lead[back])]):
            back = back[paths.session[j[back]] == today[back]]
            seen = np.minimum(paths.low[j[back]], paths.open[j[back]])
            lowest[back] = np.minimum(lowest[back], seen)
            j[back] -= 1
        back = np.arange(len(rows))
        while len(back := back[(j[back] >= lead[back])]):
            back = back[paths.phase[j[back]] != Phase.REGULAR]
            j[back] -= 1
        close = paths.close[np.maximum(j, 0)]
        fell = (j >= lead) & at_most(lowest, close * _SHORT_RESTRICTION)
        self.found.code[rows[fell]] = Fill.SHORT_RESTRICTED


def at_most(value: FloatArray, level: FloatArray) -> BoolArray:
    """``value <= level``, within the relative tolerance of every comparison of prices."""
    held: BoolArray = value <= level + TOLERANCE * np.abs(level)
    return held


def volume_allows(volume: FloatArray, price: FloatArray, rules: FillRules) -> BoolArray:
    """Whether the notional is no larger a share of the bar than ``rules`` let it be."""
    room = rules.participation * volume * price
    return ~(volume > 0) | (rules.notional <= room + TOLERANCE * np.abs(room))


@dataclass(frozen=True, eq=False)
class Shared:
    """Fills of several evaluations, each different one once (U), and who has which.

    Rows are sorted by class: fills of one class belong to the same evaluations.
    """

    event: IntArray
    bar: IntArray
    price: FloatArray
    mid: FloatArray
    within: BoolArray
    owner: IntArray
    """Class of each row, ascending (U)."""
    members: BoolArray
    """Evaluations x classes: whether the evaluation has the fills of the class."""

    def __len__(self) -> int:
        return len(self.event)

    def rows_of(self, evaluation: int) -> IntArray:
        """Rows that an evaluation has, by event."""
        rows = np.flatnonzero(self.members[evaluation, self.owner])
        return rows[np.argsort(self.event[rows], kind="stable")]


def shared_fills(fills: list[Fills]) -> Shared:
    """Merge the fills of evaluations of one side (rows that did not fill are left out).

    A threshold's settings mostly share their fills: the deepest drops are among the shallower
    ones.  A fill that many evaluations have is followed once and counted for all of them.
    """
    filled = [one.take(one.code == Fill.FILLED) for one in fills]
    whose = np.repeat(np.arange(len(filled)), [len(one) for one in filled])
    event, bar, price, mid, within = (
        np.concatenate([getattr(one, name) for one in filled])
        for name in ("event", "bar", "price", "mid", "within")
    )
    order = np.lexsort((within, price, bar, event))
    event, bar, price, mid, within = (a[order] for a in (event, bar, price, mid, within))
    new = np.ones(len(event), dtype=np.bool_)
    new[1:] = (np.diff(event) != 0) | (np.diff(bar) != 0) | (np.diff(price) != 0)
    new[1:] |= (np.diff(mid) != 0) | (within[1:] != within[:-1])
    which = np.cumsum(new) - 1
    has = np.zeros((int(new.sum()), len(filled)), dtype=np.bool_)
    has[which, whose[order]] = True
    packed = np.packbits(has, axis=1)
    _, first, owner = np.unique(
        packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1),
        return_index=True,
        return_inverse=True,
    )
    # By bar within a class: the tables then read the bars in the order in which they lie.
    rows = np.lexsort((bar[new], owner))
    kept = np.flatnonzero(new)[rows]
    return Shared(
        event=event[kept],
        bar=bar[kept],
        price=price[kept],
        mid=mid[kept],
        within=within[kept],
        owner=owner[rows].astype(np.int64),
        members=np.ascontiguousarray(has[first].T),
    )
