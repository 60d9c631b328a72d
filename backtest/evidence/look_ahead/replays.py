"""The replays of one strategy, and what they found.

A strategy that does not look ahead decides up to any instant the same, whatever came after: a
decision that differs between the whole panel and a replay used something that nobody could have
known.  The replays differ in what they put in the future's place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from backtest.evidence.look_ahead import findings as say
from backtest.evidence.look_ahead.cut import (
    POISONS,
    Cut,
    Poison,
    at_instant,
    at_own_instants,
    whole,
)
from backtest.evidence.look_ahead.evaluate import (
    NEVER,
    Decided,
    Raised,
    Tampered,
    again,
    evaluate,
)
from backtest.evidence.look_ahead.findings import Finding
from backtest.evidence.look_ahead.instants import (
    chosen_instants,
    own_instants,
    possible_instants,
    spread,
)
from backtest.evidence.look_ahead.sample import Sample
from backtest.evidence.look_ahead.state import Memory
from backtest.paths import IntArray
from backtest.strategy import Strategy

NARROWING = 48
"""Instants tried, at most, between the last one that showed nothing and the first that did."""
STATE_INSTANTS = 3
"""Instants at which a strategy that has seen the whole panel is asked again."""


@dataclass
class Replays:
    """What was replayed: one row a kind of replay, and the findings."""

    instants: int = 0
    possible: int = 0
    """Instants at which anything is decided, or could be."""
    events: int = 0
    total: int = 0
    """Events of the whole panel, of which ``events`` were replayed."""
    counts: dict[str, int] = field(default_factory=dict)
    """Replays by kind."""
    found: dict[str, int] = field(default_factory=dict)
    """Replays by kind that decided otherwise."""
    findings: list[Finding] = field(default_factory=list)

    def count(self, replay: str) -> None:
        self.counts[replay] = self.counts.get(replay, 0) + 1

    def add(self, finding: Finding) -> None:
        """Keep the first finding of a kind, and count the others."""
        self.found[finding.replay] = self.found.get(finding.replay, 0) + 1
        if self.found[finding.replay] == 1:
            self.findings.append(finding)


def replay(
    strategy: Strategy,
    sample: Sample,
    memory: Memory,
    *,
    instants: int | None,
    seed: int,
    first_alone: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Replays:
    """Replay a strategy on a sample at ``instants`` instants (None: all of them).

    ``first_alone`` stops at the first finding.  The strategy must have been evaluated on the whole
    panel before without an error.
    """
    run = _Run(strategy, sample, memory, instants, seed, first_alone, on_step)
    with memory.replaying():
        run.all()
    return run.told


@dataclass
class _Run:
    strategy: Strategy
    sample: Sample
    memory: Memory
    instants: int | None
    seed: int
    first_alone: bool
    on_step: Callable[[str], None]
    told: Replays = field(default_factory=Replays)
    reads: set[str] = field(default_factory=set)
    """Content columns that the strategy read of the whole sample."""

    @property
    def enough(self) -> bool:
        """Whether what was found settles it."""
        return self.first_alone and bool(self.told.findings)

    def all(self) -> None:
        self.told.events, self.told.total = len(self.sample), self.sample.total
        if not len(self.sample):
            return
        decided = self._seen_whole()
        if decided is None:
            return
        if decided.form == "open" and self.strategy.same_print:
            self.told.add(_SAME_PRINT)
        for step, text in (
            (self._cuts, "cutting the future off"),
            (self._withheld, "withholding content"),
            (self._remembered, "looking for what it remembers"),
        ):
            if not self.enough:
                self.on_step(text)
                step(decided)

    def _ask(self, cut: Cut, *, until: int | None = None) -> Decided | Raised:
        """Ask the strategy as if nobody had asked it before."""
        self.memory.before.restore()
        return evaluate(self.strategy, cut, until=until, anew=True)

    def _seen_whole(self) -> Decided | None:
        """What it decides on the whole sample, twice; None where that settles it."""
        cut = whole(self.sample)
        first, second = self._ask(cut), self._ask(whole(self.sample))
        self.reads = set(cut.panel.reads)
        self.told.count(say.REPEATED)
        for one in (first, second):
            if isinstance(one, Tampered):
                self.told.add(
                    Finding(
                        say.TAMPERED,
                        f"It writes into {one.what}, which later steps read: what it was given "
                        "is no longer what was measured.",
                    )
                )
                return None
            if isinstance(one, Raised):
                self.told.add(
                    Finding(
                        say.REPEATED,
                        f"It raises {one.text} when it is asked about some of the events alone.",
                        without=one.text,
                    )
                )
                return None
        assert isinstance(first, Decided)
        assert isinstance(second, Decided)
        rows = np.arange(len(self.sample))
        if first.form != second.form or say.differing(first, second, rows, NEVER - 1).any():
            how = "when it is asked the same again: its decisions cannot be repeated"
            finding = say.look_ahead(self.sample, say.REPEATED, how, first, second, rows, NEVER - 1)
            self.told.add(finding)
            return None
        return first

    # The future missing, and wild

    def _cuts(self, decided: Decided) -> None:
        possible = possible_instants(self.sample, decided)
        self.told.possible = len(possible)
        chosen = self._chosen(decided, possible)
        self.told.instants = len(chosen)
        passed = {say.TRUNCATED: -1, say.POISONED: -1}
        for number, at in enumerate(chosen):
            self.on_step(f"replaying instant {number + 1} of {len(chosen)}")
            for kind, poison in _KINDS:
                finding = self._at(decided, at, kind, poison)
                if finding is None:
                    continue
                if kind not in self.told.found:
                    between = possible[(possible > passed[kind]) & (possible < at)]
                    finding = self._earlier(decided, between, kind, poison) or finding
                self.told.add(finding)
                if self.enough:
                    return
            for kind in passed:
                if kind not in self.told.found:
                    passed[kind] = at

    def _at(self, decided: Decided, at: int, kind: str, poison: Poison | None) -> Finding | None:
        """What a cut at one instant shows."""
        sample = self.sample
        cut = at_instant(sample, at, opens=decided.form == "open", poison=poison)
        if not len(cut.rows):
            return None
        self.told.count(kind)
        other = self._ask(cut, until=at)
        # Honest code may refuse wild values; what needs the future raises where it is missing.
        if poison is not None and isinstance(other, Raised):
            return None
        return self._compared(decided, other, cut, at, kind, _HOW[kind])

    def _compared(
        self, decided: Decided, other: Decided | Raised, cut: Cut, at: int, kind: str, how: str
    ) -> Finding | None:
        if isinstance(other, Raised):
            return say.raised(self.sample, kind, how, other.text, at)
        if other.form != decided.form:
            text = f"decides on {other.form} instead of {decided.form}"
            return say.raised(self.sample, kind, how, text, at)
        if not say.differing(decided, other, cut.rows, at).any():
            return None
        return say.look_ahead(self.sample, kind, how, decided, other, cut.rows, at)

    def _earlier(
        self, decided: Decided, between: IntArray, kind: str, poison: Poison | None
    ) -> Finding | None:
        """The finding at the earliest instant in between that shows one."""
        tried = (self.instants or NARROWING) if self.first_alone else NARROWING
        for at in spread(between, tried):
            finding = self._at(decided, int(at), kind, poison)
            if finding is not None:
                return finding
        return None

    def _chosen(self, decided: Decided, possible: IntArray) -> list[int]:
        if self.instants is None or len(possible) <= self.instants:
            return [int(one) for one in possible]
        rng = np.random.default_rng(self.seed)
        suspects = self._suspects(decided, rng)
        return chosen_instants(decided, possible, suspects, self.instants, rng)

    def _suspects(self, decided: Decided, rng: np.random.Generator) -> IntArray:
        """Instants at which events, each cut by itself, are decided otherwise; in order.

        Two evaluations look at every event of the sample at once.
        """
        sample = self.sample
        own = own_instants(sample, decided, rng)
        rows = np.arange(len(sample))
        suspicious = np.zeros(len(sample), dtype=np.bool_)
        for poison in (None, POISONS[0]):
            cut = at_own_instants(sample, own, opens=decided.form == "open", poison=poison)
            other = self._ask(cut)
            if isinstance(other, Decided) and other.form == decided.form:
                suspicious |= say.differing(decided, other, rows, own)
        return np.unique(own[suspicious])

    # Content withheld until its interval ends

    def _withheld(self, decided: Decided) -> None:
        self.told.count(say.DELAYED)
        sample = self.sample
        guided = any(name.startswith("guidance:") for name in self.reads)
        if not sample.content.differs_when_delayed(guidance=guided):
            return
        rows = np.arange(len(sample))
        cut = whole(sample, delayed=True)
        other = self._ask(cut)
        if isinstance(other, Raised) or say.differing(decided, other, rows, NEVER - 1).any():
            finding = self._compared(decided, other, cut, NEVER - 1, say.DELAYED, _WITHHELD)
            if finding is not None:
                self.told.add(finding)
            return
        # Raw columns have one value an event: hidden in a world cut inside the interval.
        inside = (decided.at < sample.panel.sessions.announced_to) & (decided.at < NEVER)
        for at in spread(np.unique(decided.at[inside]), self.instants or NARROWING):
            cut = at_instant(sample, int(at), opens=decided.form == "open", delayed=True)
            if not len(cut.rows):
                continue
            self.told.count(say.DELAYED)
            other = self._ask(cut, until=int(at))
            finding = self._compared(decided, other, cut, int(at), say.DELAYED, _WITHHELD)
            if finding is not None and say.TRUNCATED not in self.told.found:
                self.told.add(finding)
                return

    # What is remembered between calls

    def _remembered(self, decided: Decided) -> None:
        sample = self.sample
        self.memory.before.restore()
        strategy = again(self.strategy)
        evaluate(strategy, whole(sample))
        names = self.memory.before.changed()
        self.told.count(say.STATE)
        twice = evaluate(strategy, whole(sample))
        how = "when it is asked a second time" + _named(names)
        finding = self._compared(decided, twice, whole(sample), NEVER - 1, say.STATE, how)
        if finding is not None:
            self.told.add(finding)
            return
        for at in self._state_instants(decided):
            cut = at_instant(sample, at, opens=decided.form == "open")
            if not len(cut.rows):
                continue
            fresh = self._ask(cut, until=at)
            self.memory.before.restore()
            strategy = again(self.strategy)
            evaluate(strategy, whole(sample))
            names = self.memory.before.changed()
            cut = at_instant(sample, at, opens=decided.form == "open")
            after = evaluate(strategy, cut, until=at)
            self.told.count(say.STATE)
            if _same(fresh, after, at):
                continue
            self.told.add(
                Finding(
                    say.STATE,
                    "It decides otherwise on the past once it has seen the whole panel"
                    f"{_named(names)}.",
                    instant=say.local(sample, 0, at),
                )
            )
            return

    def _state_instants(self, decided: Decided) -> list[int]:
        instants = np.unique(decided.at[decided.at < NEVER])
        if not len(instants):
            instants = possible_instants(self.sample, decided)
        return [int(one) for one in spread(instants, STATE_INSTANTS)]


def _same(a: Decided | Raised, b: Decided | Raised, at: int) -> bool:
    if isinstance(a, Raised) or isinstance(b, Raised):
        return isinstance(a, Raised) and isinstance(b, Raised)
    rows = np.arange(len(a.at))
    return a.form == b.form and not say.differing(a, b, rows, at).any()


def _named(names: list[str]) -> str:
    shown = list(dict.fromkeys(names))[:3]
    return f"; it remembers in {', '.join(shown)}" if shown else ""


_KINDS: tuple[tuple[str, Poison | None], ...] = (
    (say.TRUNCATED, None),
    *((say.POISONED, poison) for poison in POISONS),
)
_HOW = {
    say.TRUNCATED: "where everything after {instant} is missing",
    say.POISONED: "where everything after {instant} is replaced by wild values",
}
_WITHHELD = "where what a release said is known from the end of its interval alone"
_SAME_PRINT = Finding(
    say.SAME_PRINT,
    "It fills at the very print that it reads (same_print): nobody could have had that price.",
)
