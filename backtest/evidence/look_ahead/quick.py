"""The quick form of the check, which every run does: few events, few instants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backtest.evidence.look_ahead.findings import Finding
from backtest.evidence.look_ahead.replays import replay
from backtest.evidence.look_ahead.sample import sample_of
from backtest.evidence.look_ahead.state import Memory
from backtest.execution import OrderKind
from backtest.orders import Decisions
from backtest.panel.panel import EventPanel
from backtest.paths import IntArray
from backtest.registry import spoken_name
from backtest.settings import RunSettings
from backtest.strategy import Strategy

if TYPE_CHECKING:
    from db.store import Store

EVENTS = 200
INSTANTS = 8


def quick_check(
    strategy: Strategy,
    store: Store,
    panel: EventPanel,
    known: IntArray,
    decisions: Decisions,
    memory: Memory,
    settings: RunSettings,
) -> dict[str, Any]:
    """Replay some of a run's events at a few instants; the outcome as plain values.

    Keys: ``found``, ``sentence``, ``events``, ``instants`` and ``findings`` (a list of records).
    """
    decided = decisions.orders.kind != OrderKind.NONE
    sample = sample_of(
        panel,
        known,
        store,
        strict=settings.strict_as_of,
        events=EVENTS,
        seed=settings.account.seed,
        decided=decided,
        unseen=memory.events,
    )
    seed = settings.account.seed
    told = replay(strategy, sample, memory, instants=INSTANTS, seed=seed, first_alone=True)
    name = spoken_name(type(strategy))
    return {
        "found": bool(told.findings),
        "sentence": _sentence(told.findings, told.instants, name, int(decided.sum())),
        "events": told.events,
        "instants": told.instants,
        "findings": [one.to_record() for one in told.findings],
    }


def _sentence(found: Sequence[Finding], instants: int, name: str, decided: int) -> str:
    if found:
        return f"LOOKS AHEAD: {found[0].says}"
    if not instants:
        return "Quick look-ahead check: there was no event to replay."
    if not decided:
        return "Quick look-ahead check: nothing was decided, so little could be found."
    shown = f"{instants} instant" + ("" if instants == 1 else "s")
    return f"Quick look-ahead check: {shown}, nothing found; backtest check {name} does more."
