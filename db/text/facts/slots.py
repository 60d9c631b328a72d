"""A slot: one metric mentioned in one clause, with the figures linked to it."""

from __future__ import annotations

from dataclasses import dataclass

from db.text.facts.clauses import Clause, Mode
from db.text.facts.items import Amount, Measure, PeriodMention


@dataclass(slots=True)
class Slot:
    """One metric mentioned in one clause, with the figures linked to it."""

    measure: Measure
    mode: Mode
    at: int
    clause: Clause
    role: str = "value"  # or previous/consensus: a mention that only compares with `target`
    target: Slot | None = None
    value: Amount | None = None
    value_at: int = -1
    change: float | None = None
    change_word: str = ""  # qualifier of a change that stands alone
    change_at: int = -1
    previous: float | None = None
    consensus: float | None = None
    words: str = ""  # above, below, in line
    sequential: bool = False
    company: str = ""
    period: PeriodMention | None = None
    share: Slot | None = None  # the same result per share

    @property
    def metric(self) -> str:
        return self.measure.metric

    @property
    def open(self) -> bool:
        return self.value is None

    def signed(self, number: float) -> float:
        """A loss is negative."""
        return -abs(number) if self.measure.loss else number


def comparing(last: Slot, clause: Clause, role: str = "previous") -> Slot:
    """A slot whose figures are those that ``last`` is compared with."""
    return Slot(last.measure, last.mode, clause.begin, clause, role, last)


def small_earnings(slot: Slot, amount: Amount) -> bool:
    """``earnings of $1.20`` without "a share" are per share all the same."""
    return (
        slot.metric == "net_income"
        and not amount.scale
        and amount.kind == "money"
        and abs(amount.high) < 1000
    )
