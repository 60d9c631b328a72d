"""Let finer bars decide trades in which one bar touched both the stop and the target."""

from __future__ import annotations

import dataclasses

import numpy as np

from backtest.execution import ExitReason
from backtest.outcomes import TOLERANCE
from backtest.panel.prices import PriceTable
from backtest.paths import IntArray, Outcomes, Paths
from db.calendar import Phase


def resolve_ambiguous(
    outcomes: Outcomes,
    paths: Paths,
    fine: PriceTable,
    rank: IntArray,
    side: int,
    extended_half_spread: float,
) -> tuple[Outcomes, int]:
    """Outcomes with those ambiguous trades settled that ``fine`` bars can settle, and how many.

    ``rank`` (N) is each event's rank in ``fine``, whose bars are of the same source.  Where the
    first fine bar that touches a level touches both without opening beyond one, or none does,
    the stop stays first and the trade stays ambiguous; so does one that was filled within its
    exit bar, since what came before the fill is unknown.  ``extended_half_spread`` is what the
    bid lies below the print before the open and after the close, as for the fills.
    """
    changed = {
        name: getattr(outcomes, name).copy()
        for name in ("exit_price", "exit_mid", "reason", "ambiguous", "gross", "net", "other_price")
    }
    net_other = outcomes.net_other.copy()
    settled = 0
    for i in np.flatnonzero(outcomes.ambiguous):
        if rank[i] < 0 or outcomes.entry_at[i] == outcomes.exit_at[i]:
            continue
        regular = paths.phase[outcomes.exit_bar[i]] == Phase.REGULAR
        spread = 1.0 if regular else 1 - side * extended_half_spread
        first = _first_touch(outcomes, paths, fine, int(rank[i]), int(i), side, spread)
        if first == ExitReason.NONE:
            continue
        settled += 1
        changed["ambiguous"][i] = False
        if first == ExitReason.TARGET:
            price = outcomes.other_price[i]
            gain = price + outcomes.dividends[i] - outcomes.entry_mid[i]
            changed["exit_price"][i] = changed["exit_mid"][i] = price
            changed["reason"][i] = ExitReason.TARGET
            changed["gross"][i] = side * gain / outcomes.entry_mid[i]
            changed["net"][i] = outcomes.net_other[i]
        else:
            changed["other_price"][i] = outcomes.exit_price[i]
            net_other[i] = outcomes.net[i]
    return dataclasses.replace(outcomes, net_other=net_other, **changed), settled


def _first_touch(
    outcomes: Outcomes,
    paths: Paths,
    fine: PriceTable,
    rank: int,
    i: int,
    side: int,
    spread: float,
) -> ExitReason:
    """Which level the first touching fine bar of the exit bar touched; NONE: cannot be told."""
    bar = outcomes.exit_bar[i]
    since = max(int(paths.start[bar]), int(outcomes.entry_at[i]))
    ranks = np.array([rank])
    lo = int(fine.at_or_after(ranks, np.array([since]))[0])
    hi = int(fine.at_or_after(ranks, np.array([paths.end[bar]]))[0])
    live = fine.phase[lo:hi] == Phase.REGULAR if paths.phase[bar] == Phase.REGULAR else slice(None)
    stop, target = side * outcomes.exit_mid[i], side * outcomes.other_price[i]
    prices = side * np.array([getattr(fine, name)[lo:hi][live] for name in ("open", "high", "low")])
    floor, ceiling = stop + TOLERANCE * abs(stop), target - TOLERANCE * abs(target)
    # A bar that contradicts itself is judged by its open too.
    stopped, reached = prices.min(axis=0) <= floor, prices.max(axis=0) * spread >= ceiling
    touched = np.flatnonzero(stopped | reached)
    if not len(touched):
        return ExitReason.NONE
    j = touched[0]
    if stopped[j] and reached[j]:
        at_open = prices[0, j]
        if floor < at_open and at_open * spread < ceiling:
            return ExitReason.NONE
        return ExitReason.STOP if at_open <= floor else ExitReason.TARGET
    return ExitReason.STOP if stopped[j] else ExitReason.TARGET
