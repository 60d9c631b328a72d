"""The second opinion on fills and exits: one event, one bar at a time, in plain Python.

It shares the settings and the array layout with `backtest.outcomes` and not one line of code.
It is written to be checked by reading and pays for that in speed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from backtest.execution import Costs, ExitReason, Exits, Fill, FillRules, OrderKind
from backtest.paths import Orders, Paths
from db.calendar import Phase
from tests.simulator_words import NAN, TOLERANCE, Bar, Entry, Exit, Order, Setting, Trade

DAY_US = 24 * 60 * 60 * 1_000_000


def simulate(
    paths: Paths, orders: Orders, exits: Exits, costs: Costs, rules: FillRules, side: int
) -> list[Trade]:
    """One `Trade` an event, in the order of the events; ``side`` is +1 long or -1 short."""
    setting = Setting(exits, costs, rules, side)
    trades = []
    for event in range(len(paths.stop)):
        bars = [_bar(paths, j) for j in range(int(paths.lead[event]), int(paths.stop[event]))]
        order = Order(
            int(orders.kind[event]),
            int(orders.decided_at[event]),
            int(orders.expires_at[event]),
            int(orders.from_bar[event]),
            float(orders.limit[event]),
        )
        hold_session = int(paths.reaction_session[event]) + exits.hold
        trades.append(_trade(setting, bars, order, hold_session))
    return trades


def _bar(paths: Paths, j: int) -> Bar:
    return Bar(
        j,
        int(paths.start[j]),
        int(paths.end[j]),
        float(paths.open[j]),
        float(paths.high[j]),
        float(paths.low[j]),
        float(paths.close[j]),
        float(paths.volume[j]),
        int(paths.phase[j]),
        int(paths.session[j]),
        float(paths.dividend[j]),
    )


def _trade(setting: Setting, bars: Sequence[Bar], order: Order, hold_session: int) -> Trade:
    entry = _first_fill(setting, bars, order)
    if isinstance(entry, Fill):
        return Trade(entry)
    bar = entry.bar
    too_late = bar.session > hold_session
    too_late |= bar.session == hold_session and bar.phase == Phase.POST
    if too_late:
        return Trade(Fill.AFTER_HOLD)
    if setting.side < 0 and _short_restricted(bars, bar):
        return Trade(Fill.SHORT_RESTRICTED)
    return _settled(setting, entry, _ride(setting, bars, entry, hold_session))


def _first_fill(setting: Setting, bars: Sequence[Bar], order: Order) -> Entry | Fill:
    if order.kind == OrderKind.NONE:
        return Fill.NO_ORDER
    if order.from_bar < 0:
        return Fill.NO_BAR
    later = [bar for bar in bars if bar.index >= order.from_bar]
    alive = [bar for bar in later if order.decided_at <= bar.start < order.expires_at]
    if order.kind == OrderKind.MARKET:
        for bar in alive:
            if bar.regular:
                return _at_open(setting, bar)
        return Fill.NO_BAR
    if order.kind == OrderKind.LIMIT:
        return _limit_fill(setting, [bar for bar in alive if bar.extended], order.limit)
    if not later:
        return Fill.NO_BAR
    bar = later[0]
    if order.kind == OrderKind.SAME_PRINT:
        return _at_open(setting, bar)
    if setting.behind(bar.open, order.limit):
        return Entry(bar, price=bar.open, mid=bar.open, within=False)
    return Fill.PRICE


def _at_open(setting: Setting, bar: Bar) -> Entry:
    price = setting.entered(bar.open, setting.market_cost(bar))
    return Entry(bar, price=price, mid=bar.open, within=False)


def _limit_fill(setting: Setting, bars: Sequence[Bar], decided: float) -> Entry | Fill:
    spread = setting.costs.extended_half_spread
    limit = setting.entered(decided, setting.rules.limit_offset)
    missed = Fill.NO_BAR
    for bar in bars:
        if not setting.behind(setting.entered(setting.worst_of(bar), spread), limit):
            if missed == Fill.NO_BAR:
                missed = Fill.PRICE
            continue
        opening = setting.entered(bar.open, spread)
        price = setting.hindmost(limit, opening)
        if not setting.fits(bar, price):
            missed = Fill.VOLUME
            continue
        mid = price / (1 + spread) if setting.side > 0 else price / (1 - spread)
        return Entry(bar, price=price, mid=mid, within=not setting.behind(opening, limit))
    return missed


def _short_restricted(bars: Sequence[Bar], entry: Bar) -> bool:
    """Had the stock fallen by a tenth from the last regular close of an earlier session?"""
    before = [bar for bar in bars if bar.index < entry.index]
    closes = [bar.close for bar in before if bar.regular and bar.session < entry.session]
    if not closes:
        return False
    lows = [bar.lowest for bar in before if bar.session == entry.session]
    return min([*lows, entry.open]) <= closes[-1] * 0.9 * (1 + TOLERANCE)


def _ride(setting: Setting, bars: Sequence[Bar], entry: Entry, hold_session: int) -> Exit:
    """Carry the position from bar to bar until something closes it."""
    exits = setting.exits
    target = None if exits.target is None else setting.moved(entry.price, exits.target)
    stop = None if exits.stop is None else setting.moved(entry.price, -exits.stop)
    best = entry.price
    dividends = 0.0
    closing = [bar.index for bar in bars if bar.regular and bar.session == hold_session]

    for bar in bars:
        if bar.index < entry.bar.index:
            continue
        if bar.index > entry.bar.index:
            # Cash that left the price: credited, and every level falls by it, long or short.
            dividends += bar.dividend
            target = None if target is None else target - bar.dividend
            stop = None if stop is None else stop - bar.dividend
            best -= bar.dividend
        if bar.phase == Phase.CLOSED:
            continue
        if bar.regular and bar.session > hold_session:
            return _market_exit(setting, bar, bar.open, bar.start, ExitReason.HOLD_LATE, dividends)
        trail = None if exits.trail is None else setting.moved(best, -exits.trail)
        found = _bracket(setting, bar, entry, target, stop, trail)
        if found is not None:
            return found._replace(dividends=dividends)
        if bar.index in closing and bar.index == closing[-1]:
            return _market_exit(setting, bar, bar.close, bar.end, ExitReason.HOLD, dividends)
        best = setting.foremost(best, setting.best_of(bar))

    last = bars[-1]
    return _market_exit(setting, last, last.close, last.end, ExitReason.DATA_ENDED, dividends)


def _market_exit(
    setting: Setting, bar: Bar, mid: float, at: int, reason: ExitReason, dividends: float = 0.0
) -> Exit:
    """Leave at what the market pays: half-spread and slippage behind the mid."""
    price = setting.left(mid, setting.market_cost(bar))
    return Exit(bar, at, price, mid, reason, dividends, NAN)


def _bracket(
    setting: Setting,
    bar: Bar,
    entry: Entry,
    target: float | None,
    stop: float | None,
    trail: float | None,
) -> Exit | None:
    """The exit that stop, trailing stop or target make in this bar, if any."""
    reason = ExitReason.STOP
    if trail is not None and (stop is None or (trail - stop) * setting.side > 0):
        stop, reason = trail, ExitReason.TRAIL
    if bar.extended and not setting.exits.stops_in_extended_hours:
        stop = None
    if not setting.fits(bar, entry.price):
        return None

    # A target is a limit order: before the open and after the close it must be reached by the
    # price that is left after half the wide spread.  In regular hours it is filled at its level.
    spread = setting.costs.extended_half_spread if bar.extended else 0.0
    filled_within = entry.within and bar.index == entry.bar.index
    if not filled_within:
        if stop is not None and setting.behind(bar.open, stop):
            return _market_exit(setting, bar, bar.open, bar.start, reason)
        if target is not None and setting.ahead(setting.left(bar.open, spread), target):
            price = setting.left(bar.open, spread)
            return Exit(bar, bar.start, price, bar.open, ExitReason.TARGET, 0.0, NAN)

    # What came before a fill within the bar cannot be told from what came after: of that bar,
    # only its close is surely later.
    reached = bar.close if filled_within else setting.best_of(bar)
    touched = target is not None and setting.ahead(setting.left(reached, spread), target)
    at_target = target if target is not None and touched else NAN
    if stop is not None and setting.behind(setting.worst_of(bar), stop):
        found = _market_exit(setting, bar, stop, bar.end, reason)
        return found._replace(other_price=at_target)
    if touched:
        return Exit(bar, bar.end, at_target, at_target, ExitReason.TARGET, 0.0, NAN)
    return None


def _settled(setting: Setting, entry: Entry, leave: Exit) -> Trade:
    side, fee = setting.side, setting.costs.commission
    paid, cash = entry.price, leave.dividends

    def net(exit_price: float) -> float:
        earned = side * (exit_price + cash - paid) - fee * (paid + exit_price)
        borrowed = setting.costs.borrow_rate * (leave.at - entry_at) / DAY_US / 365
        return earned / paid - (borrowed if side < 0 else 0.0)

    entry_at = entry.bar.end if entry.within else entry.bar.start
    ambiguous = not math.isnan(leave.other_price)
    other_price = leave.other_price if ambiguous else leave.price
    return Trade(
        fill=Fill.FILLED,
        entry_bar=entry.bar.index,
        entry_at=entry_at,
        entry_price=paid,
        entry_mid=entry.mid,
        exit_bar=leave.bar.index,
        exit_at=leave.at,
        exit_price=leave.price,
        exit_mid=leave.mid,
        reason=leave.reason,
        dividends=cash,
        ambiguous=ambiguous,
        other_price=other_price,
        unknown_volume=any(b.extended and b.volume_unknown for b in (entry.bar, leave.bar)),
        gross=side * (leave.mid + cash - entry.mid) / entry.mid,
        net=net(leave.price),
        net_other=net(other_price),
    )
