"""Fills and exits: what became of every order, bar by bar, as pure functions of arrays.

The rules are DESIGN's "Orders and fills"; `docs/execution.md` states them with examples.  A short
position runs through the same code as a long one: prices are multiplied by the side (+1, -1), in
which a short's highs become lows and "at the limit or better" keeps its direction.

Compiled by Numba and cached beside this file; `tests/simulator.py` is the second opinion that it
must match trade by trade.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from backtest.execution import Costs, ExitReason, Exits, Fill, FillRules, OrderKind
from backtest.kernel_types import Bars, Entry, Exit, Rules, as_numbers, plain
from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray, Orders, Outcomes, Paths
from db.calendar import Phase
from db.intervals import DAY

TOLERANCE = 1e-9
"""Relative: a level counts as touched when equal, whatever doubles make of 20.00 x 0.95."""
_SHORT_RESTRICTION = 0.90
"""Rule 201 of Regulation SHO: no short sale after a fall of 10 % (here: on that day)."""

_REGULAR = int(Phase.REGULAR)
_PRE, _POST = int(Phase.PRE), int(Phase.POST)
_MARKET, _LIMIT = int(OrderKind.MARKET), int(OrderKind.LIMIT)
_ON_OPEN, _SAME_PRINT = int(OrderKind.LIMIT_ON_OPEN), int(OrderKind.SAME_PRINT)
_NO_ORDER, _FILLED, _NO_BAR = int(Fill.NO_ORDER), int(Fill.FILLED), int(Fill.NO_BAR)
_PRICE, _VOLUME = int(Fill.PRICE), int(Fill.VOLUME)
_RESTRICTED, _AFTER_HOLD = int(Fill.SHORT_RESTRICTED), int(Fill.AFTER_HOLD)
_TARGET, _STOP, _TRAIL = int(ExitReason.TARGET), int(ExitReason.STOP), int(ExitReason.TRAIL)
_HOLD, _HOLD_LATE = int(ExitReason.HOLD), int(ExitReason.HOLD_LATE)
_ENDED = int(ExitReason.DATA_ENDED)


@nb.njit(cache=True)
def _at_most(value: float, level: float) -> bool:
    return bool(value <= level + TOLERANCE * abs(level))


@nb.njit(cache=True)
def _extended(phase: int) -> bool:
    return phase in (_PRE, _POST)


@nb.njit(cache=True)
def _best_and_worst(bars: Bars, j: int, side: float) -> tuple[float, float]:
    """Highest and lowest signed price of a bar; one that contradicts itself includes its open."""
    at_open = side * bars.open[j]
    a, b = side * bars.high[j], side * bars.low[j]
    return max(a, b, at_open), min(a, b, at_open)


@nb.njit(cache=True)
def _volume_known(bars: Bars, j: int) -> bool:
    return bool(bars.volume[j] > 0)  # NaN compares false


@nb.njit(cache=True)
def _unknown_volume(bars: Bars, j: int) -> bool:
    """A fill in this bar could not be held against its volume, where that matters."""
    return _extended(bars.phase[j]) and not _volume_known(bars, j)


@nb.njit(cache=True)
def _volume_allows(bars: Bars, j: int, price: float, rules: Rules) -> bool:
    if not _volume_known(bars, j):
        return True
    return _at_most(rules.notional, rules.participation * bars.volume[j] * price)


@nb.njit(cache=True)
def _spread(bars: Bars, j: int, rules: Rules) -> float:
    return rules.extended_half_spread if _extended(bars.phase[j]) else rules.half_spread


@nb.njit(cache=True)
def _short_restricted(bars: Bars, entry: int, lead: int, side: float) -> bool:
    """Whether the stock had fallen 10 % below the last close of an earlier session that day."""
    if side > 0:
        return False
    today = bars.session[entry]
    lowest = bars.open[entry]
    j = entry - 1
    while j >= lead and bars.session[j] == today:
        lowest = min(lowest, bars.low[j], bars.open[j])
        j -= 1
    while j >= lead and bars.phase[j] != _REGULAR:
        j -= 1
    return j >= lead and _at_most(lowest, bars.close[j] * _SHORT_RESTRICTION)


@nb.njit(cache=True)
def _after_hold(bars: Bars, j: int, hold_session: int) -> bool:
    late = bars.session[j] > hold_session
    return bool(late or (bars.session[j] == hold_session and bars.phase[j] == _POST))


@nb.njit(cache=True)
def _no_fill(code: int) -> Entry:
    return Entry(code, -1, np.nan, np.nan, False, False)


@nb.njit(cache=True)
def _market_entry(bars: Bars, first: int, stop: int, since: int, until: int, rules: Rules) -> Entry:
    j = first if first >= 0 else stop
    while j < stop and bars.start[j] < until:
        if bars.phase[j] == _REGULAR and bars.start[j] >= since:
            mid = bars.open[j]
            price = mid * (1 + rules.side * (rules.half_spread + rules.slippage))
            return Entry(_FILLED, j, price, mid, False, False)
        j += 1
    return _no_fill(_NO_BAR)


@nb.njit(cache=True)
def _limit_entry(
    bars: Bars, first: int, stop: int, since: int, until: int, close: float, rules: Rules
) -> Entry:
    side = rules.side
    limit = side * close * (1 + side * rules.limit_offset)
    spread = 1 + side * rules.extended_half_spread
    outcome = _NO_BAR
    j = first if first >= 0 else stop
    while j < stop and bars.start[j] < until:
        if _extended(bars.phase[j]) and bars.start[j] >= since:
            _, lowest = _best_and_worst(bars, j, side)
            if not _at_most(lowest * spread, limit):
                outcome = max(outcome, _PRICE)
            else:
                at_open = side * bars.open[j] * spread
                signed = min(limit, at_open)
                price = side * signed
                if _volume_allows(bars, j, price, rules):
                    within = not _at_most(at_open, limit)
                    unknown = _unknown_volume(bars, j)
                    return Entry(_FILLED, j, price, price / spread, within, unknown)
                outcome = _VOLUME
        j += 1
    return _no_fill(outcome)


@nb.njit(cache=True)
def _open_entry(bars: Bars, j: int, kind: int, limit: float, rules: Rules) -> Entry:
    if j < 0:
        return _no_fill(_NO_BAR)
    mid = bars.open[j]
    if kind == _ON_OPEN:
        if not _at_most(rules.side * mid, rules.side * limit):
            return _no_fill(_PRICE)
        return Entry(_FILLED, j, mid, mid, False, False)
    price = mid * (1 + rules.side * (_spread(bars, j, rules) + rules.slippage))
    return Entry(_FILLED, j, price, mid, False, _unknown_volume(bars, j))


@nb.njit(cache=True)
def _market_exit(bars: Bars, j: int, mid: float, rules: Rules) -> float:
    return float(mid * (1 - rules.side * (_spread(bars, j, rules) + rules.slippage)))


@nb.njit(cache=True)
def _exit_in_bar(
    bars: Bars,
    j: int,
    fill: Entry,
    stop_level: float,
    target_level: float,
    rules: Rules,
) -> tuple[int, float, float, bool, bool, float]:
    """(what touched, price, mid, within, ambiguous, other price) of one bar.

    Levels are signed and NaN where there is none or it is asleep.  What touched is `_STOP`,
    `_TARGET` or 0; a trailing stop is named by the caller.
    """
    side = rules.side
    extended = _extended(bars.phase[j])
    spread = 1 - side * rules.extended_half_spread if extended else 1.0
    fill_inside = fill.within and j == fill.bar
    at_open = side * bars.open[j]
    if not fill_inside:
        if _at_most(at_open, stop_level):
            mid = bars.open[j]
            price = _market_exit(bars, j, mid, rules)
            return _STOP, price, mid, False, False, price
        if _at_most(-at_open * spread, -target_level):
            price = bars.open[j] * spread
            return _TARGET, price, bars.open[j], False, False, price
    highest, lowest = _best_and_worst(bars, j, side)
    if fill_inside:
        # Whether the bar's best came before or after the fill is unknown: only its close counts.
        highest = side * bars.close[j]
    target_hit = _at_most(-highest * spread, -target_level)
    target_price = side * target_level
    if _at_most(lowest, stop_level):
        mid = side * stop_level
        price = _market_exit(bars, j, mid, rules)
        return _STOP, price, mid, True, target_hit, target_price if target_hit else price
    if target_hit:
        return _TARGET, target_price, target_price, True, False, target_price
    return 0, np.nan, np.nan, False, False, np.nan


@nb.njit(cache=True)
def _walk(bars: Bars, fill: Entry, stop: int, hold_session: int, rules: Rules) -> Exit:
    """Follow a position from its fill to its exit."""
    side = rules.side
    best = side * fill.price
    target = best + abs(best) * rules.target
    stop_level = best - abs(best) * rules.stop
    dividends = 0.0
    for j in range(fill.bar, stop):
        if j > fill.bar and bars.dividend[j] != 0:
            cash = bars.dividend[j]
            dividends += cash
            target -= side * cash
            stop_level -= side * cash
            best -= side * cash
        phase = bars.phase[j]
        extended = _extended(phase)
        if not extended and phase != _REGULAR:
            continue  # outside every phase nothing trades, so no level moves
        if not extended and bars.session[j] > hold_session:
            mid = bars.open[j]
            price = _market_exit(bars, j, mid, rules)
            return Exit(j, price, mid, _HOLD_LATE, False, dividends, False, price, False)
        highest, _ = _best_and_worst(bars, j, side)
        if not extended or _volume_allows(bars, j, fill.price, rules):
            trail_level = best - abs(best) * rules.trail
            trailing = not (stop_level >= trail_level) and not np.isnan(trail_level)
            level = trail_level if trailing else stop_level
            if extended and not rules.stops_in_extended:
                level = np.nan
            touched, price, mid, within, ambiguous, other = _exit_in_bar(
                bars, j, fill, level, target, rules
            )
            if touched != 0:
                reason = _TRAIL if touched == _STOP and trailing else touched
                unknown = _unknown_volume(bars, j)
                return Exit(j, price, mid, reason, within, dividends, ambiguous, other, unknown)
        if phase == _REGULAR and bars.session[j] == hold_session:
            last = j + 1 >= stop or bars.phase[j + 1] != _REGULAR
            if last or bars.session[j + 1] != hold_session:
                mid = bars.close[j]
                price = _market_exit(bars, j, mid, rules)
                return Exit(j, price, mid, _HOLD, True, dividends, False, price, False)
        best = max(best, highest)
    j = stop - 1
    mid = bars.close[j]
    price = _market_exit(bars, j, mid, rules)
    unknown = _unknown_volume(bars, j)
    return Exit(j, price, mid, _ENDED, True, dividends, False, price, unknown)


@nb.njit(cache=True)
def _net_return(price: float, held: float, entry: float, days: float, rules: Rules) -> float:
    gain = rules.side * (price + held - entry) - rules.commission * (entry + price)
    borrow = rules.borrow_rate * days / 365 if rules.side < 0 else 0.0
    return float(gain / entry - borrow)


@nb.njit(cache=True)
def _simulate(
    bars: Bars,
    event: tuple[IntArray, IntArray, IntArray],
    order: tuple[ByteArray, IntArray, IntArray, IntArray, FloatArray],
    rules: Rules,
    ints: IntArray,
    floats: FloatArray,
    flags: BoolArray,
) -> None:
    """Fill the columns of ``ints`` (6, N), ``floats`` (9, N) and ``flags`` (2, N)."""
    lead, stop, reaction = event
    kind, decided_at, expires_at, from_bar, limit = order
    for i in range(len(kind)):
        hold_session = reaction[i] + rules.hold
        if kind[i] == _MARKET:
            fill = _market_entry(bars, from_bar[i], stop[i], decided_at[i], expires_at[i], rules)
        elif kind[i] == _LIMIT:
            fill = _limit_entry(
                bars, from_bar[i], stop[i], decided_at[i], expires_at[i], limit[i], rules
            )
        elif kind[i] in (_ON_OPEN, _SAME_PRINT):
            fill = _open_entry(bars, from_bar[i], kind[i], limit[i], rules)
        else:
            fill = _no_fill(_NO_ORDER)
        code = fill.fill
        if code == _FILLED and _after_hold(bars, fill.bar, hold_session):
            code = _AFTER_HOLD
        elif code == _FILLED and _short_restricted(bars, fill.bar, lead[i], rules.side):
            code = _RESTRICTED
        ints[0, i] = code
        if code != _FILLED:
            continue
        end = _walk(bars, fill, stop[i], hold_session, rules)
        entry_at = bars.end[fill.bar] if fill.within else bars.start[fill.bar]
        exit_at = bars.end[end.bar] if end.within else bars.start[end.bar]
        days = (exit_at - entry_at) / DAY
        ints[1, i], ints[2, i] = fill.bar, entry_at
        ints[3, i], ints[4, i] = end.bar, exit_at
        floats[0, i], floats[1, i] = fill.price, fill.mid
        floats[2, i], floats[3, i] = end.price, end.mid
        floats[4, i], floats[5, i] = end.dividends, end.other_price
        floats[6, i] = rules.side * (end.mid + end.dividends - fill.mid) / fill.mid
        floats[7, i] = _net_return(end.price, end.dividends, fill.price, days, rules)
        floats[8, i] = _net_return(end.other_price, end.dividends, fill.price, days, rules)
        flags[0, i] = end.ambiguous
        flags[1, i] = fill.unknown_volume or end.unknown_volume
        ints[5, i] = end.reason


def simulate(
    paths: Paths, orders: Orders, exits: Exits, costs: Costs, rules: FillRules, side: int
) -> Outcomes:
    """Decide every order's fill and exit by itself, for a fixed notional.

    Parameters are arrays over N events (`Orders`, the second half of `Paths`) and M bars;
    ``side`` is +1 (long) or -1 (short).  A fill never depends on the account: see
    `backtest.account.allocation` for which of them the account could afford.
    """
    n = len(orders.kind)
    ints = np.full((6, n), -1, dtype=np.int64)
    ints[5] = 0
    floats = np.full((9, n), np.nan)
    flags = np.zeros((2, n), dtype=np.bool_)
    bars = Bars(*(plain(getattr(paths, name)) for name in Bars._fields))
    event = (plain(paths.lead), plain(paths.stop), plain(paths.reaction_session))
    order = (
        plain(orders.kind),
        plain(orders.decided_at),
        plain(orders.expires_at),
        plain(orders.from_bar),
        plain(orders.limit),
    )
    _simulate(bars, event, order, as_numbers(exits, costs, rules, side), ints, floats, flags)
    return Outcomes(
        fill=ints[0].astype(np.int8),
        entry_bar=ints[1],
        entry_at=ints[2],
        entry_price=floats[0],
        entry_mid=floats[1],
        exit_bar=ints[3],
        exit_at=ints[4],
        exit_price=floats[2],
        exit_mid=floats[3],
        reason=ints[5].astype(np.int8),
        dividends=floats[4],
        ambiguous=flags[0],
        other_price=floats[5],
        unknown_volume=flags[1],
        gross=floats[6],
        net=floats[7],
        net_other=floats[8],
    )
