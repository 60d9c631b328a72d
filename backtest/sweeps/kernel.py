"""First-touch tables and their combination, compiled: the inner loops of a sweep.

Everything compiled is in this file, since Numba notices a change of a function's own file alone.
The rules are those of `backtest.outcomes`, which the tests hold it against trade by trade; the
arithmetic of a return is the same to the last bit.  The first call of a fresh machine pays for
compiling, statement by statement: hence flat arrays, few functions, and neither ``min`` nor
``max``, each of which Numba compiles as a function of its own.

A *touch* is (key, net, gross): the exit that one level alone would make.  Keys order exits in
time, ``bar * 8 + rank``, with the ranks in which one bar decides:

    0 late hold, at the open     1 stop at the open      2 target at the open
    3 stop inside the bar        4 target inside the bar
    5 hold, at the close         6 data ended, at the close

A combination of levels leaves at the smallest of its keys.  Levels of one kind are sorted from
near to far, so their keys ascend, and the combinations that one touch wins are everything beyond
a corner of the grid: a touch is added at its corner, and running sums then spread it.

The levels are the columns of a table: stops, trailing stops, targets, holds, each kind ascending
and "none" (infinite) last.  ``begin`` (5) is where each kind's columns begin, and how many
columns there are; tables are flat, one row a fill.
"""
# ruff: noqa: PLR1730

from __future__ import annotations

import numpy as np

from backtest.paths import BoolArray, ByteArray, FloatArray, IntArray
from backtest.sweeps.compiled import Compiled
from db.calendar import Phase

TOLERANCE = 1e-9
"""As in `backtest.outcomes`: relative, a level counts as touched when equal."""
NEVER = np.iinfo(np.int64).max
"""Key of a level that nothing touches, and the instant that no exit comes after."""
BIG_GAIN = 0.10 - 1e-9
COUNT, SUM, SQUARES, GROSS, WINS, GAINS, LOSSES, BIG, ENDED, AMBIGUOUS = range(10)
"""What is added up for each combination."""
STATISTICS = 10

_LATE, _STOP_AT_OPEN, TARGET_AT_OPEN, _STOP, TARGET, _HOLD, _ENDED = range(7)
AT_OPEN = TARGET_AT_OPEN
"""Ranks up to this one leave at the bar's open, the others inside it or at its close."""
LIVE, PHASE_COLUMNS = 7, 8
"""A phase's row: for each rank what a price is multiplied by to give what is paid, then `LIVE`:
1 where every level can be touched, 0 where stops sleep, -1 where nothing is traded."""
_REGULAR, _POST = int(Phase.REGULAR), int(Phase.POST)
_DAY = 86_400_000_000.0


@Compiled
def touches(  # noqa: C901, PLR0912, PLR0915 - each function more costs time to compile
    start: IntArray, end: IntArray, opened: FloatArray, high: FloatArray, low: FloatArray,
    close: FloatArray, volume: FloatArray, dividend: FloatArray, phase: ByteArray,
    session: IntArray, rows: IntArray, f_bar: IntArray, f_stop: IntArray, f_reaction: IntArray,
    f_price: FloatArray, f_mid: FloatArray, f_within: BoolArray, steps: FloatArray,
    holds: IntArray, begin: IntArray, finite: IntArray, rules: FloatArray, by_phase: FloatArray,
    level: FloatArray, at: IntArray, keys: IntArray, nets: FloatArray, grosses: FloatArray,
    first_hold: IntArray, paying: int, ahead: int, lo: int, hi: int,
) -> None:  # fmt: skip
    """Fill ``keys``, ``nets``, ``grosses`` (fills x columns) and ``first_hold`` (fills).

    The fills are those of ``rows[lo:hi]``.  ``steps`` are the distances of stops and trailing
    stops, negative, and of targets; ``finite`` (3) is one past the last column of each kind that
    is not "none".  Holds before ``first_hold`` were over before the fill.  Where one kind has no
    level left untouched, every combination has left, and later stops and targets are not looked
    for.  ``rules``: side, commission, borrow rate, notional, participation.  ``by_phase``: a row
    of `PHASE_COLUMNS` for each phase.  ``paying``: some dividend is not 0.  ``ahead``: bars of a
    fill that are asked of the memory early.  ``level`` (columns), ``at`` (4): room to work in.
    """
    targets = begin[2]
    width = begin[3]
    columns = begin[4]
    side = rules[0]
    for i in range(lo, hi):
        if (i - lo) % 32 == 0:
            # Bars of different fills lie far apart.  A loop without branches waits for many of
            # them at once, the one below for each in turn; the sum is there to be read alone.
            asked = 0.0
            last = i + 32
            if last > hi:
                last = hi
            for n in range(i, last):
                j = f_bar[rows[n]]
                after = j + ahead
                if after > f_stop[rows[n]]:
                    after = f_stop[rows[n]]
                while j < after:
                    asked += opened[j] + high[j] + low[j] + close[j] + session[j] + phase[j]
                    j += 8
            level[0] = asked
        row = rows[i]
        first = f_bar[row]
        beyond = f_stop[row]
        entry = f_price[row]
        best = side * entry
        # A fill after the session in which the hold ends, or in that session's evening, is none.
        late = session[first]
        if phase[first] == _POST:
            late += 1
        hold = 0
        after = first
        last = first
        out = (i - lo) * columns
        for k in range(columns):
            c = out + k
            keys[c] = NEVER
            grosses[c] = 0.0
            if k < width:
                # A target is a stop of the mirrored price.
                x = best + abs(best) * steps[k]
                level[k] = x if k < targets else -x
                continue
            due = f_reaction[row] + holds[k - width]
            if late > due:
                hold += 1
                continue
            while after < beyond and session[after] <= due:
                after += 1
            j = after - 1
            # Bars outside a session's hours have session -1: back to the last regular one.
            while j > first and phase[j] != _REGULAR:
                j -= 1
            if phase[j] == _REGULAR and session[j] == due:
                keys[c] = j * 8 + _HOLD
                nets[c] = close[j]
            else:
                j = after
                while j < beyond and phase[j] != _REGULAR:
                    j += 1
                if j < beyond:
                    keys[c] = j * 8 + _LATE
                    nets[c] = opened[j]
                else:
                    j -= 1
                    keys[c] = j * 8 + _ENDED
                    nets[c] = close[j]
            last = j + 1
        first_hold[i - lo] = hold
        for kind in range(3):
            at[kind] = begin[kind]
        # The nearest level of each kind, tolerance included: bars that stay within are passed by.
        near_stop = np.inf
        near_trail = np.inf
        near_target = np.inf
        dividends = 0.0
        for j in range(first, last):
            if paying and j > first and dividend[j] != 0:
                x = side * dividend[j]
                dividends += dividend[j]
                best -= x
                near_stop = np.inf
                for k in range(columns):
                    if k < width:
                        level[k] -= x if k < targets else -x
                    if keys[out + k] >= j * 8:
                        grosses[out + k] = dividends
            at_open = side * opened[j]
            lowest = side * low[j]
            highest = side * high[j]
            if highest < lowest:
                x = lowest
                lowest = highest
                highest = x
            if at_open < lowest:
                lowest = at_open
            if at_open > highest:
                highest = at_open
            regular = phase[j] == _REGULAR
            if regular and lowest > near_stop and lowest > near_trail and -highest > near_target:
                continue
            where = phase[j] * PHASE_COLUMNS
            if by_phase[where + LIVE] < 0:
                continue
            if not regular and volume[j] > 0:
                x = rules[4] * volume[j] * entry
                if not rules[3] <= x + TOLERANCE * abs(x):
                    if highest > best:
                        best = highest
                    continue
            inside = f_within[row] > 0 and j == first
            done = False
            for kind in range(3):
                k = at[kind]
                sign = side
                rank = _STOP
                if kind == 2:
                    sign = -side
                    rank = TARGET
                    lowest = -highest
                    if inside:
                        # Of a bar that fills within, what came before the fill is unknown.
                        lowest = -(side * close[j])
                    lowest *= by_phase[where + TARGET_AT_OPEN]
                    at_open *= -by_phase[where + TARGET_AT_OPEN]
                elif by_phase[where + LIVE] == 0:
                    continue
                reach = -np.inf
                while k < finite[kind]:
                    x = level[k]
                    if kind == 1:
                        x = best + abs(best) * steps[k]
                    reach = x + TOLERANCE * abs(x)
                    if not lowest <= reach:
                        break
                    keys[out + k] = j * 8 + rank
                    nets[out + k] = sign * x
                    if not inside and at_open <= reach:
                        keys[out + k] -= 2
                        nets[out + k] = opened[j]
                    reach = -np.inf
                    k += 1
                at[kind] = k
                if k == begin[kind + 1]:
                    done = True
                if kind == 0:
                    near_stop = reach
                elif kind == 2:
                    near_target = reach
                elif k == finite[1]:
                    # Until then every bar may move the trailing stops.
                    near_trail = reach
            if done:
                break
            if highest > best:
                best = highest
        mid = f_mid[row]
        for c in range(out, out + columns):
            key = keys[c]
            if key == NEVER:
                continue
            j = key >> 3
            rank = key & 7
            # Until here a touch's price before costs and its dividends stood for its returns.
            price = nets[c] * by_phase[phase[j] * PHASE_COLUMNS + rank]
            gain = side * (price + grosses[c] - entry) - rules[1] * (entry + price)
            gross = side * (nets[c] + grosses[c] - mid) / mid
            borrow = 0.0
            if side < 0:
                held = start[j] if rank <= AT_OPEN else end[j]
                held -= end[first] if f_within[row] > 0 else start[first]
                borrow = rules[2] * (held / _DAY) / 365
            nets[c] = gain / entry - borrow
            grosses[c] = gross


@Compiled
def corners(  # noqa: C901, PLR0912 - as above
    keys: IntArray, nets: FloatArray, grosses: FloatArray, first_hold: IntArray, rows: IntArray,
    month: IntArray, begin: IntArray, strides: IntArray, start: IntArray, end: IntArray,
    at: IntArray, totals: FloatArray, monthly: FloatArray, cells: int, months: int, cutoff: int,
    lo: int, hi: int,
) -> None:  # fmt: skip
    """Add each touch of the fills ``rows[lo:hi]`` at the corner beyond which it is the exit.

    ``totals`` is (4 winners x ``cells`` x statistics), ``monthly`` (4 x ``months`` x cells),
    with no months for none; cells are numbered with holds running fastest, and ``strides`` (4)
    are the steps between the cells of neighbouring levels.  Exits after ``cutoff`` (us UTC)
    count for nothing.  ``at`` (4) is room to work in.
    """
    columns = begin[4]
    for i in range(lo, hi):
        out = (i - lo) * columns
        for kind in range(4):
            at[kind] = out + begin[kind]
        cell = first_hold[i - lo]
        at[3] += cell
        going = cell < columns - begin[3]
        # The touches in the order of their keys.  When all levels of one kind are behind, every
        # combination has left.
        while going:
            winner = 0
            place = at[0]
            key = keys[place]
            for kind in range(1, 4):
                c = at[kind]
                # Two stops in one bar: the higher level is met first.  At equal levels either
                # gives the same exit, and the plain stop takes it.
                if keys[c] < key or (keys[c] == key and nets[c] > nets[place]):
                    winner = kind
                    place = c
                    key = keys[c]
            if key == NEVER:
                break
            rank = key & 7
            counted = True
            if cutoff != NEVER:
                left_at = start[key >> 3] if rank <= AT_OPEN else end[key >> 3]
                counted = left_at <= cutoff
            if counted:
                o = (winner * cells + cell) * STATISTICS
                net = nets[place]
                totals[o + COUNT] += 1
                totals[o + SUM] += net
                totals[o + SQUARES] += net * net
                totals[o + GROSS] += grosses[place]
                if net > 0:
                    totals[o + WINS] += 1
                    totals[o + GAINS] += net
                else:
                    totals[o + LOSSES] -= net
                if grosses[place] >= BIG_GAIN:
                    totals[o + BIG] += 1
                if rank == _ENDED:
                    totals[o + ENDED] += 1
                if months > 0:
                    monthly[(winner * months + month[rows[i]]) * cells + cell] += net
                c = at[2]
                if rank == _STOP and keys[c] == key + 1:
                    # Targets of the same bar: from this one on, up to the first of a later bar.
                    totals[o + AMBIGUOUS] += 1
                    while c < out + begin[3] and keys[c] == key + 1:
                        c += 1
                        o += strides[2] * STATISTICS
                    if c < out + begin[3]:
                        totals[o + AMBIGUOUS] -= 1
            at[winner] = place + 1
            cell += strides[winner]
            going = place + 1 < out + begin[winner + 1]


@Compiled
def gather(
    keys: IntArray, nets: FloatArray, first_hold: IntArray, places: IntArray, which: IntArray,
    key: IntArray, net: FloatArray, columns: int, hold: int, rows: int,
) -> int:  # fmt: skip
    """One combination's trades: the row, key and net return of each; returns how many there are.

    ``places`` are its stop, trailing stop, target and hold among the columns, and ``hold`` is the
    place of the last among the holds.
    """
    n = 0
    for i in range(rows):
        if first_hold[i] > hold:
            continue
        place = i * columns + places[0]
        for kind in range(1, 4):
            c = i * columns + places[kind]
            # Two stops in one bar: the higher level, which earns more, is met first.
            if keys[c] < keys[place] or (keys[c] == keys[place] and nets[c] > nets[place]):
                place = c
        which[n] = i
        key[n] = keys[place]
        net[n] = nets[place]
        n += 1
    return n
