"""First-touch tables and their combination, compiled: the inner loops of a sweep.

Everything compiled is in this file, since Numba notices a change of a function's own file alone.
The rules are those of `backtest.outcomes`, which the tests hold it against trade by trade; the
arithmetic of a return is the same to the last bit.  Plain loops over plain arrays throughout: that
is what Numba compiles in a second, not in ten.

A *touch* is (key, net, gross): the exit that one level alone would make.  Keys order exits in
time, ``bar * 8 + rank``, with the ranks in which one bar decides:

    0 late hold, at the open     1 stop at the open      2 target at the open
    3 stop inside the bar        4 target inside the bar
    5 hold, at the close         6 data ended, at the close

A combination of levels leaves at the smallest of its keys.  Levels of one kind are sorted from
near to far, so their keys ascend, and the combinations that one touch wins are everything beyond
a corner of the grid: a touch is added at its corner, and running sums then spread it.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray
from db.calendar import Phase

TOLERANCE = 1e-9
"""As in `backtest.outcomes`: relative, a level counts as touched when equal."""
NEVER = np.iinfo(np.int64).max
"""Key of a level that nothing touches, and the instant that no exit comes after."""
BIG_GAIN = 0.10 - 1e-9
COUNT, SUM, SQUARES, GROSS, WINS, GAINS, LOSSES, BIG, ENDED, AMBIGUOUS = range(10)
"""What is added up for each combination."""
STATISTICS = 10

_LATE, _STOP_AT_OPEN, _TARGET_AT_OPEN, _STOP, _TARGET, _HOLD, _ENDED = range(7)
AT_OPEN = _TARGET_AT_OPEN
"""Ranks up to this one leave at the bar's open, the others inside it or at its close."""
_PRE, _REGULAR, _POST = int(Phase.PRE), int(Phase.REGULAR), int(Phase.POST)
_DAY = 86_400_000_000.0


@nb.njit(cache=True, error_model="numpy", nogil=True)
def touches(  # noqa: C901, PLR0912, PLR0915 - each function more costs time to compile
    start: IntArray, end: IntArray, opened: FloatArray, high: FloatArray, low: FloatArray,
    close: FloatArray, volume: FloatArray, dividend: FloatArray, phase: ByteArray,
    session: IntArray, f_bar: IntArray, f_stop: IntArray, f_reaction: IntArray,
    f_price: FloatArray, f_mid: FloatArray, f_within: BoolArray, steps: FloatArray,
    holds: IntArray, bounds: IntArray, rules: FloatArray, paying: bool, daily: bool,
    level: FloatArray, mid: FloatArray, cash: FloatArray, keys: IntArray, nets: FloatArray,
    grosses: FloatArray, first_hold: IntArray,
) -> None:  # fmt: skip
    """Fill ``keys``, ``nets``, ``grosses`` (fills x levels) and ``first_hold`` (fills).

    ``steps`` are the distances of stops, trailing stops and targets, each kind ascending and
    infinite for "none"; ``bounds`` is where the trailing stops, the targets and the holds begin
    among the columns.  Holds before ``first_hold`` were over before the fill.  ``rules``: side,
    commission, half-spread, that of extended hours, slippage, borrow rate, notional,
    participation, and 1 where stops are live in extended hours.  ``paying``: some dividend is not
    0; ``daily``: every bar is a regular one and alone in its session.  ``level``, ``mid`` and
    ``cash`` are room to work in, one number a column.
    """
    trails, targets, width = bounds[0], bounds[1], bounds[2]
    n_holds = len(holds)
    side, commission, awake = rules[0], rules[1], rules[8] > 0
    market = 1 - side * (rules[2] + rules[4])
    market_extended = 1 - side * (rules[3] + rules[4])
    bid_extended = 1 - side * rules[3]
    for i in range(len(f_bar)):
        entry, first, beyond, reaction = f_price[i], f_bar[i], f_stop[i], f_reaction[i]
        best = side * entry
        for k in range(width + n_holds):
            keys[i, k] = NEVER
        for k in range(width):
            level[k] = best + abs(best) * (steps[k] if k >= targets else -steps[k])
        s, r, t, h = 0, trails, targets, 0
        # A fill after the session in which the hold ends, or in that session's evening, is none.
        late = session[first] + (1 if phase[first] == _POST else 0)
        while h < n_holds and late > reaction + holds[h]:
            h += 1
        first_hold[i] = h
        dividends = 0.0
        # Daily bars without a gap up to the last hold: their sessions need not be looked at, and
        # what is not read need not come from memory.
        today = session[first]
        to_go = reaction + holds[n_holds - 1] - today
        even = daily and to_go >= 0 and first + to_go < beyond
        even = even and session[first + to_go] == today + to_go
        for j in range(first, beyond):
            if paying and j > first and dividend[j] != 0:
                dividends += dividend[j]
                best -= side * dividend[j]
                for k in range(width):
                    level[k] -= side * dividend[j]
            regular = True
            if even:
                today = session[first] + j - first
            else:
                today = session[j]
                regular = phase[j] == _REGULAR
                if not regular and phase[j] != _PRE and phase[j] != _POST:
                    continue
            at_open = side * opened[j]
            while regular and h < n_holds and today > reaction + holds[h]:
                keys[i, width + h], mid[width + h] = j * 8 + _LATE, opened[j]
                cash[width + h] = dividends
                h += 1
            if h == n_holds:
                break
            top, bottom = side * high[j], side * low[j]
            highest = max(top, bottom, at_open)
            lowest = min(top, bottom, at_open)
            allowed = True
            if not regular and volume[j] > 0:
                room = rules[7] * volume[j] * entry
                allowed = rules[6] <= room + TOLERANCE * abs(room)
            if allowed:
                inside = f_within[i] and j == first
                if regular or awake:
                    for kind in range(2):
                        k, after = (r, targets) if kind == 1 else (s, trails)
                        while k < after:
                            x = best - abs(best) * steps[k] if kind == 1 else level[k]
                            reach = x + TOLERANCE * abs(x)
                            if not lowest <= reach:
                                break
                            gap = not inside and at_open <= reach
                            keys[i, k] = j * 8 + (_STOP_AT_OPEN if gap else _STOP)
                            mid[k] = opened[j] if gap else side * x
                            cash[k] = dividends
                            k += 1
                        if kind == 1:
                            r = k
                        else:
                            s = k
                bid = 1.0 if regular else bid_extended
                # Of a bar that fills within, what came before the fill is unknown.
                reached = -(side * close[j] if inside else highest) * bid
                while t < width:
                    reach = -level[t] + TOLERANCE * abs(level[t])
                    gap = not inside and -at_open * bid <= reach
                    if not gap and not reached <= reach:
                        break
                    keys[i, t] = j * 8 + (_TARGET_AT_OPEN if gap else _TARGET)
                    mid[t] = opened[j] if gap else side * level[t]
                    cash[t] = dividends
                    t += 1
            if regular and today == reaction + holds[h]:
                last = even or j + 1 >= beyond
                if last or phase[j + 1] != _REGULAR or session[j + 1] != today:
                    keys[i, width + h], mid[width + h] = j * 8 + _HOLD, close[j]
                    cash[width + h] = dividends
                    h += 1
            best = max(best, highest)
        while h < n_holds:
            keys[i, width + h], mid[width + h] = (beyond - 1) * 8 + _ENDED, close[beyond - 1]
            cash[width + h] = dividends
            h += 1
        entered_at = end[first] if f_within[i] else start[first]
        for k in range(width + n_holds):
            if keys[i, k] == NEVER:
                continue
            bar, rank = keys[i, k] >> 3, keys[i, k] & 7
            extended = phase[bar] == _PRE or phase[bar] == _POST
            price = mid[k]
            if rank == _TARGET_AT_OPEN:
                price = mid[k] * (bid_extended if extended else 1.0)
            elif rank != _TARGET:
                price = mid[k] * (market_extended if extended else market)
            gain = side * (price + cash[k] - entry) - commission * (entry + price)
            borrow = 0.0
            if side < 0:
                left_at = start[bar] if rank <= AT_OPEN else end[bar]
                borrow = rules[5] * ((left_at - entered_at) / _DAY) / 365
            nets[i, k] = gain / entry - borrow
            grosses[i, k] = side * (mid[k] + cash[k] - f_mid[i]) / f_mid[i]


@nb.njit(cache=True, error_model="numpy", nogil=True)
def corners(  # noqa: C901, PLR0912 - as above
    keys: IntArray, nets: FloatArray, grosses: FloatArray, first_hold: IntArray, month: IntArray,
    sizes: IntArray, start: IntArray, end: IntArray, cutoff: int, totals: FloatArray,
    monthly: FloatArray,
) -> None:  # fmt: skip
    """Add each touch of a block of fills at the corner beyond which it is the exit.

    ``sizes``: stops, trailing stops, targets, holds.  ``totals`` is (4 winners x cells x
    statistics), ``monthly`` (4 x months x cells), with no months for none; cells are numbered
    with holds running fastest.  Exits after ``cutoff`` (us UTC) count for nothing.
    """
    begin = np.zeros(5, dtype=np.int64)
    for kind in range(4):
        begin[kind + 1] = begin[kind] + sizes[kind]
    place = np.zeros(4, dtype=np.int64)
    for i in range(len(keys)):
        for winner in range(4):
            for kind in range(4):
                place[kind] = begin[kind]
            place[3] += first_hold[i]
            for k in range(place[winner], begin[winner + 1]):
                key, net, gross = keys[i, k], nets[i, k], grosses[i, k]
                if key == NEVER:
                    break
                lost = False
                for kind in range(4):
                    if kind == winner:
                        continue
                    p = place[kind]
                    while p < begin[kind + 1]:
                        other = keys[i, p]
                        # Two stops in one bar: the higher level is met first.  At equal levels
                        # either gives the same exit, and the plain stop takes it.
                        if other > key or (other == key and nets[i, p] < net):
                            break
                        if other == key and nets[i, p] == net and winner == 0:
                            break
                        p += 1
                    place[kind] = p
                    lost = lost or p == begin[kind + 1]
                if lost:
                    break
                rank = key & 7
                if cutoff != NEVER:
                    bar = key >> 3
                    if (start[bar] if rank <= AT_OPEN else end[bar]) > cutoff:
                        continue
                place[winner] = k
                cell = 0
                for kind in range(4):
                    cell = cell * sizes[kind] + place[kind] - begin[kind]
                totals[winner, cell, COUNT] += 1
                totals[winner, cell, SUM] += net
                totals[winner, cell, SQUARES] += net * net
                totals[winner, cell, GROSS] += gross
                if net > 0:
                    totals[winner, cell, WINS] += 1
                    totals[winner, cell, GAINS] += net
                else:
                    totals[winner, cell, LOSSES] -= net
                if gross >= BIG_GAIN:
                    totals[winner, cell, BIG] += 1
                if rank == _ENDED:
                    totals[winner, cell, ENDED] += 1
                if monthly.shape[1] > 0:
                    monthly[winner, month[i], cell] += net
                if rank == _STOP and keys[i, place[2]] == key + 1:
                    # Targets of the same bar: from this one on, up to the first of a later bar.
                    totals[winner, cell, AMBIGUOUS] += 1
                    p = place[2]
                    while p < begin[3] and keys[i, p] == key + 1:
                        p += 1
                    if p < begin[3]:
                        totals[winner, cell + (p - place[2]) * sizes[3], AMBIGUOUS] -= 1


@nb.njit(cache=True, error_model="numpy", nogil=True)
def spread(values: FloatArray) -> None:
    """Running sums along the middle axis of (outer x axis x inner), in place."""
    for o in range(values.shape[0]):
        for k in range(1, values.shape[1]):
            for m in range(values.shape[2]):
                values[o, k, m] += values[o, k - 1, m]


@nb.njit(cache=True, error_model="numpy", nogil=True)
def gather(
    keys: IntArray, nets: FloatArray, first_hold: IntArray, columns: IntArray, hold: int,
    which: IntArray, key: IntArray, net: FloatArray,
) -> int:  # fmt: skip
    """One combination's trades: the row, key and net return of each; returns how many there are.

    ``columns`` are its stop, trailing stop, target and hold among the columns of `touches`, and
    ``hold`` is the place of the last among the holds.
    """
    n = 0
    for i in range(len(keys)):
        if first_hold[i] > hold:
            continue
        earliest, best = NEVER, 0.0
        for k in columns:
            # Two stops in one bar: the higher level, which earns more, is met first.
            if keys[i, k] < earliest or (keys[i, k] == earliest != NEVER and nets[i, k] > best):
                earliest, best = keys[i, k], nets[i, k]
        which[n], key[n], net[n] = i, earliest, best
        n += 1
    return n
