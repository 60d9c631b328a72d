"""Which of the measurable events a study is about, since when that was known, and the others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backtest.panel.panel import EventPanel
from backtest.paths import BoolArray, IntArray
from backtest.settings import RunSettings
from backtest.strategy import Strategy
from backtest.studies.conditions import CONTENT_NAMES
from backtest.studies.knowledge import AT_ONCE, Judge, Judged, Known
from backtest.studies.strategies import fills, situation

EVERYTHING = "all measurable events"
ALL = "all conditions"
SETUP, FILLED = "with the setup", "filled"


@dataclass(frozen=True, eq=False)
class Part:
    """A group of events (masks over the panel) and the first bar at which one could act."""

    name: str
    mask: BoolArray
    known: Known


@dataclass(frozen=True, eq=False)
class Choice:
    """The groups of a study, in the order in which they are printed; one of them is chosen."""

    parts: list[Part]
    chosen: Part
    words: str
    """What the chosen events are."""
    judged: list[Judged]
    status: np.ndarray
    """Why an event is not chosen (N); empty where it is."""
    delay: IntArray
    """Instant before which nothing could be done on what was released, or decided (N)."""


def by_conditions(judge: Judge, judged: list[Judged]) -> Choice:
    """All events, those of each condition, and those of all of them."""
    nothing = judge.together([])
    together = judge.together(judged)
    texts = [str(one.condition) for one in judged]
    single = []
    for text, one in zip(texts, judged, strict=True):
        alone = judge.together([one])
        single.append(Part(text, alone.mask, alone))
    everything = Part(EVERYTHING, np.ones(len(nothing.mask), dtype=np.bool_), nothing)
    several = [Part(ALL, together.mask, together)] if len(judged) > 1 else []
    parts = [everything, *single, *several]
    return Choice(
        parts=parts,
        chosen=parts[-1],
        words=", ".join(texts),
        judged=judged,
        status=_status(judged, together),
        delay=_content_delay(judge, judged),
    )


def by_strategy(
    judge: Judge,
    judged: list[Judged],
    strategy: Strategy,
    panel: EventPanel,
    known: IntArray,
    settings: RunSettings,
) -> Choice:
    """All events that fulfil the conditions, of those the strategy's situations, and its fills.

    The situations are chosen where the strategy names them (`Strategy.setup`), else the fills.
    """
    base = judge.together(judged)
    within = base.mask
    base_name = f"all with {', '.join(map(str, (one.condition for one in judged)))}"
    parts = [Part(base_name if judged else EVERYTHING, within, base)]
    delay = _content_delay(judge, judged)
    status = _status(judged, base)
    words = [str(one.condition) for one in judged]
    shown = situation(strategy, panel)
    if shown is not None:
        later = _floored(judge, np.maximum(judge.floor, shown.known_at)).together(judged)
        parts.append(Part(SETUP, shown.mask & within, later))
    made = fills(strategy, panel, known, settings)
    decided = np.maximum(judge.floor, made.decided_at)
    after = _floored(judge, decided).together(judged)
    first = replace(after, entry=np.maximum(after.entry, made.from_bar))
    parts.append(Part(FILLED, made.mask & within, first))
    chosen = parts[1]
    since = shown.known_at if shown is not None else made.decided_at
    status[(status == "") & ~chosen.mask] = (
        "without the setup" if shown is not None else "not filled"
    )
    name = "the setup" if shown is not None else "the fills"
    return Choice(
        parts=parts,
        chosen=chosen,
        words=", ".join([f"{name} of {type(strategy).__name__}", *words]),
        judged=judged,
        status=status,
        delay=np.maximum(delay, since),
    )


def _floored(judge: Judge, floor: IntArray) -> Judge:
    return Judge(
        judge.nights,
        floor=floor,
        over=judge.over,
        side=judge.side,
        labels=judge.labels,
        content=judge.content,
    )


def _content_delay(judge: Judge, judged: list[Judged]) -> IntArray:
    """When the content conditions were first shown to hold; the release's start without any."""
    start = judge.nights.panel.sessions.announced_from
    content = [one for one in judged if one.condition.name in CONTENT_NAMES]
    if not content:
        return start
    known = judge.together(content)
    return np.where(known.mask, np.maximum(known.at, start), start)


def _status(judged: list[Judged], together: Known) -> np.ndarray:
    """The first condition that keeps each event out; unknown is not the same as not fulfilled."""
    status = np.full(len(together.mask), "", dtype=object)
    for one in judged:
        unknown = one.unknown & (status == "")
        status[unknown] = [f"{one.condition} unknown: {why}" for why in one.reason[unknown]]
        status[(status == "") & ~one.holds] = f"not {one.condition}"
    status[(status == "") & ~together.mask] = AT_ONCE
    return status
