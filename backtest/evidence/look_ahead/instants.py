"""At which instants the future is cut off: all there are, or a seeded choice, suspects first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from backtest.evidence.look_ahead.evaluate import NEVER, Decided
from backtest.evidence.look_ahead.sample import Sample
from backtest.orders import ON_OPEN_CUTOFF
from backtest.paths import IntArray


def possible_instants(sample: Sample, decided: Decided) -> IntArray:
    """Every instant at which something is known anew, in order: all that tells replays apart.

    Decisions at bars: the ends of bars; at opens: their starts; before the open: its cutoffs.
    """
    panel = sample.panel
    columns = sample.start if decided.form == "open" else panel.end
    bars = np.unique(columns[panel.real])
    if decided.form == "limit":
        orders = np.unique(panel.sessions.reaction_open - ON_OPEN_CUTOFF)
        bars = np.unique(np.concatenate([orders, bars]))
    found: IntArray = bars[bars >= sample.begins.min()]
    return found


def chosen_instants(
    decided: Decided, possible: IntArray, suspects: IntArray, number: int, rng: np.random.Generator
) -> list[int]:
    """At most ``number`` of the possible instants, in order.

    Half of them the first suspects, then decisions, the last before any decision, and others.
    """
    decisions = np.unique(decided.at[decided.at < NEVER])
    chosen = list(suspects[: max(number // 2, 1)])
    rest = np.setdiff1d(decisions, chosen)
    room = max(number * 3 // 4 - len(chosen), 0)
    chosen += list(rng.choice(rest, min(room, len(rest)), replace=False))
    if len(chosen) < number:
        chosen += list(possible[possible < decisions.min(initial=NEVER)][-1:])
    other = np.setdiff1d(possible, chosen)
    room = max(number - len(chosen), 0)
    chosen += list(rng.choice(other, min(room, len(other)), replace=False))
    return sorted({int(one) for one in chosen})


def own_instants(sample: Sample, decided: Decided, rng: np.random.Generator) -> IntArray:
    """For each event the instant of its decision, or that of a drawn bar where it has none (N)."""
    panel = sample.panel
    if decided.form == "limit":
        return np.asarray(panel.sessions.reaction_open - ON_OPEN_CUTOFF)
    columns = sample.start if decided.form == "open" else panel.end
    width = panel.hi - panel.lo
    drawn = (rng.random(len(sample)) * width).astype(np.int64)
    return np.where(decided.at < NEVER, decided.at, columns[np.arange(len(sample)), drawn])


def spread(values: IntArray, number: int) -> Iterator[int]:
    """At most ``number`` of the values, evenly spread, in order."""
    if len(values) > number:
        values = values[np.linspace(0, len(values) - 1, number).round().astype(np.int64)]
    return (int(one) for one in values)
