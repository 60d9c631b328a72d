"""What a strategy may remember between two calls, kept and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pandas as pd

from backtest.evidence.look_ahead.reach import Kept, Walk
from backtest.panel.panel import EventPanel
from backtest.strategy import Strategy

_PARAMETER = "self."
_REMEMBERED = 64
"""Classes whose traces are remembered: classes of a notebook that were replaced should go."""


@dataclass(eq=False)
class Snapshot:
    """Everything a strategy may remember, as it was when this was taken."""

    kept: list[Kept] = field(default_factory=list)

    @classmethod
    def of(cls, strategy: Strategy) -> Snapshot:
        """Taken now."""
        walk = Walk(type(strategy))
        for owner in type(strategy).__mro__:
            if owner is Strategy or walk.is_own(getattr(owner, "__module__", "")):
                walk.visit(owner, owner.__name__)
        walk.namespace(EventPanel, "EventPanel")
        for name, value in vars(strategy).items():
            walk.visit(value, f"{_PARAMETER}{name}")
        return cls(walk.kept)

    def restore(self) -> None:
        """Put everything back."""
        for one in self.kept:
            one.restore()

    def changed(self) -> list[str]:
        """Names of what is not as it was."""
        return [one.name for one in self.kept if one.changed()]

    def holds(self) -> bool:
        """Whether all is as it was; caches of functions, which cannot be put back, aside."""
        return not any(one.changed() for one in self.kept if not one.cache)


@dataclass(eq=False)
class Memory:
    """A strategy's state before anybody asked it, so that every replay begins there.

    Where an earlier run in this process left its traces and nothing else has changed since, the
    state before that run counts: a cache that it filled would hide what it was filled from.
    """

    strategy: Strategy
    before: Snapshot
    events: pd.DataFrame
    """The panel's events, as the strategy had not seen them yet."""

    @classmethod
    def before_asking(cls, strategy: Strategy, events: pd.DataFrame) -> Memory:
        """To be called before the first evaluation on a panel with these events."""
        now = Snapshot.of(strategy)
        known = _LEFT_BEHIND.get(type(strategy))
        if known is not None and known[1].holds():
            own = [one for one in now.kept if one.name.startswith(_PARAMETER)]
            now = Snapshot([*known[0].kept, *own])
        # Nothing is copied before somebody writes (pandas' copy on write).
        return cls(strategy, now, events.copy(deep=False))

    def remember(self) -> Snapshot:
        """Note what the evaluations left behind, so that a later check looks behind it."""
        after = Snapshot.of(self.strategy)
        _LEFT_BEHIND.pop(type(self.strategy), None)
        _LEFT_BEHIND[type(self.strategy)] = (self.before, after)
        while len(_LEFT_BEHIND) > _REMEMBERED:
            del _LEFT_BEHIND[next(iter(_LEFT_BEHIND))]
        return after

    @contextmanager
    def replaying(self) -> Iterator[None]:
        """Everything within is put back afterwards: replays leave no trace."""
        after = self.remember()
        try:
            yield
        finally:
            after.restore()


_LEFT_BEHIND: dict[type, tuple[Snapshot, Snapshot]] = {}
