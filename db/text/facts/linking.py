"""Links amounts to metrics within clauses: value, change, previous figure, consensus.

An amount belongs to the metric before it in its clause unless its own words say otherwise; it is a
value only behind a word known to lead to one.  What is not understood is linked to nothing.
"""

from __future__ import annotations

from dataclasses import replace

from db.text.facts import cues, ellipsis
from db.text.facts.clauses import Clause
from db.text.facts.figures import Figures
from db.text.facts.items import Amount, Item, Measure
from db.text.facts.slots import Slot, comparing

_MULTIPLES = (("DOUBLE", 1.0), ("TRIPLE", 2.0), ("QUADRUPLE", 3.0), ("HALVE", -0.5))
_COORDINATING = {
    "",
    "and",
    "und",
    "sowie",
    "as well as",
    "with",
    "but",
    "der",
    "die",
    "das",
    "den",
    "dem",
    "including",
}
_PERSONS = {
    "executive",
    "ceo",
    "cfo",
    "chairman",
    "chairwoman",
    "boss",
    "vorstandschef",
    "manager",
    "vorstandschefin",
    "konzernchef",
    "finanzchef",
    "chef",
    "chefin",
    "aufsichtsratschef",
    "fund",
    "funds",
    "investor",
    "fonds",
    "vorstände",
    "anleger",
    "founder",
    "gründer",
    "banker",
    "employee",
}
_RESPECTIVELY = {"respectively", "jeweils", "beziehungsweise", "bzw"}
_CHANGE_NOUNS = {
    "decline",
    "increase",
    "rise",
    "drop",
    "rückgang",
    "anstieg",
    "plus",
    "minus",
    "zuwachs",
    "gain",
    "jump",
    "fall",
    "einbruch",
}


class Linker(Figures):
    """Goes through the clauses of one sentence and fills the slots."""

    def __init__(self, items: list[Item], clauses: list[Clause], language: str) -> None:
        super().__init__(items, clauses, language)
        self._pending: list[tuple[int, Amount]] = []

    def link(self) -> list[Slot]:
        """All slots in order of mention."""
        before: Clause | None = None
        for clause in self._clauses:
            self._enter(clause, before)
            for piece in clause.pieces:
                self._piece = piece
                bracketed_from = self._cur if piece.bracket else None
                for at in range(piece.begin, piece.end):
                    self._item(at)
                if piece.bracket and bracketed_from is not None:
                    self._cur = bracketed_from
            before = clause
        return self.slots

    def _enter(self, clause: Clause, before: Clause | None) -> None:
        """A clause without a verb stands under the mode of the one before it."""
        if before is not None and clause.mode in ("reported", "guidance"):
            bare = not clause.has_verb and clause.opener in _COORDINATING
            bare = bare and (not clause.hard or self._headline(clause, before))
            follows = clause.relative and before.withdrawn
            that = self._items[clause.begin].low in ("dass", "that", "ob", "wonach")
            told = self._items[before.end - 1].low in ellipsis.HEARSAY
            if that and told:
                clause.mode = "void"
            follows = follows or (that and before.mode in ("void", "expected"))
            mode = before.mode
            last = self._last()
            if mode == "reported" and last is not None and last.clause is before:
                mode = last.mode
            if (bare and mode != "reported" and clause.mode == "reported") or follows:
                clause.mode = mode
                clause.withdrawn = before.withdrawn
            if bare and before.past:
                clause.past = True
        last = self._last()
        self._clause = clause
        self._pending = []
        self._cur = None
        if before is None or last is None:
            return
        self._cur = self._inherited(clause, last)

    def _headline(self, clause: Clause, before: Clause) -> bool:
        """``Sees Q4 EPS ...; Sales ...`` goes on with the outlook."""
        words = self._items[clause.begin : clause.end]
        last = self._last()
        if last is None or last.clause is not before:
            header = not any(
                item.amount is not None for item in self._items[before.begin : before.end]
            )
            return header and before.mode == "guidance"
        return last.mode == "guidance" and len(words) > 1

    def _last(self) -> Slot | None:
        for slot in reversed(self.slots):
            if slot.metric != "other" and slot.role == "value":
                return slot
        return None

    def _inherited(self, clause: Clause, last: Slot) -> Slot | None:
        """A clause that leaves its metric out: "Meta's climbed 26%", "it was", "now expects"."""
        words = self._items[clause.begin : clause.pieces[0].end]
        for at, item in enumerate(words[:4]):
            if item.low == ",":
                words = words[at + 1 :]
                break
        if not words or any(item.measure is not None or "STOCK" in item.tags for item in words):
            return None
        if not any(item.amount is not None for item in self._items[clause.begin : clause.end]):
            return None
        moving = [
            item for item in words if item.tags & {"BE", "UP", "DOWN"} and "VERB" in item.tags
        ]
        if (
            clause.hard
            and last.open
            and all(item.amount is not None or item.kind == "sign" for item in words)
        ):
            return last  # "... weniger Gewinn: 1,2 Milliarden Euro"
        if clause.mode == "expected" and last.mode in ("reported", "guidance"):
            return comparing(last, clause, "consensus") if last.consensus is None else None
        if ellipsis.possessive(words):
            return self._copy(last, clause, company=True)
        if ellipsis.pronoun(words) and moving and clause.mode == "reported":
            return self._copy(last, clause)
        if words[0].tags & {"BE", "UP", "DOWN"} and "VERB" in words[0].tags:
            same = self._resumed(clause, last)
            if same is not None:
                return same
        return self._inherited_outlook(clause, last, words)

    def _resumed(self, clause: Clause, last: Slot) -> Slot | None:
        """A second verb with the same subject: "..., and topped $3 billion"."""
        if last.open and self._only_asides(last.clause, clause):
            return last
        if last.clause is self._clauses[self._clauses.index(clause) - 1]:
            return last if last.mode == clause.mode or not clause.has_verb else None
        return None

    def _inherited_outlook(self, clause: Clause, last: Slot, words: list[Item]) -> Slot | None:
        """Outlooks and comparisons that leave the metric out."""
        if clause.mode == "guidance" and not clause.old_outlook:
            money = [item.amount for item in words if item.amount is not None]
            if (last.measure.guide or last.clause.old_outlook) and any(
                one.kind in ("money", "plain") for one in money
            ):
                return self._copy(last, clause)
            if last.metric == "users" and all(one.kind == "plain" and one.scale for one in money):
                return self._copy(last, clause)
        if clause.old_outlook:
            return comparing(last, clause) if last.mode == "guidance" else None
        if clause.opener in ("while", "whereas", "but", "während", "wohingegen", "aber", "and", ""):
            changed = [item for item in words if item.low in _CHANGE_NOUNS]
            if changed and clause.mode == last.mode:
                return self._copy(last, clause, company=True)
        if clause.mode == last.mode and not clause.has_verb and ellipsis.name_and_amount(words):
            return self._copy(last, clause, company=True) if last.value is not None else None
        if clause.mode == last.mode and last.value is not None and ellipsis.name_then_amount(words):
            alike = (
                last.value.scale
                == next(one.amount.scale for one in words if one.amount is not None)
                and last.value.kind == "money"
            )
            return self._copy(last, clause, company=True) if alike else None
        if clause.mode == last.mode and ellipsis.comes_to(words):
            return self._copy(last, clause, company=True)
        return None

    def _only_asides(self, first: Clause, clause: Clause) -> bool:
        """Only an inserted remark without figures stands between two clauses."""
        places = [self._clauses.index(one) for one in (first, clause)]
        between = self._clauses[places[0] + 1 : places[1]]
        return len(between) <= 3 and not any(
            not one.relative and item.amount is not None
            for one in between
            for item in self._items[one.begin : one.end]
        )

    def _copy(self, last: Slot, clause: Clause, *, company: bool = False) -> Slot:
        measure = replace(last.measure, verb=False, move=0)
        if any(
            item.low in ("insgesamt", "overall", "total", "altogether")
            for item in self._items[clause.begin : clause.end]
        ):
            measure.part = False
        slot = Slot(measure, self._mode(clause, measure), clause.begin, clause)
        if last.clause.old_outlook and slot.mode == "reported":
            slot.mode = "guidance"
        if last.clause.old_outlook and last.value is not None:
            slot.previous = self._middle(last.value)
        if company:
            slot.company = "?"
        self.slots.append(slot)
        return slot

    def _item(self, at: int) -> None:
        item = self._items[at]
        if item.measure is not None:
            if at not in self._taken:
                self._mention(at, item.measure)
        elif item.amount is not None:
            self._amount(at, item.amount)
        elif "STOCK" in item.tags or "INDEX" in item.tags:
            self._cur = Slot(Measure("other"), "reported", at, self._clause)
        elif "VERB" in item.tags:
            self._multiple(item)

    def _multiple(self, item: Item) -> None:
        """``doubled``, ``halbierte sich``."""
        cur = self._cur
        if cur is None or cur.change is not None or cur.measure.loss or cur.role != "value":
            return
        for tag, change in _MULTIPLES:
            if tag in item.tags:
                cur.change = change

    def _mention(self, at: int, measure: Measure) -> None:
        role = self._governed(measure.head)
        if role != "value":
            target = self._same(measure.metric)
            self._cur = Slot(measure, "reported", at, self._clause, role, target)
            if target is None:
                self._cur.measure = Measure("other")
            return
        if measure.verb and any(item.low in _PERSONS for item in self._items[max(0, at - 6) : at]):
            measure = Measure("other")
        if self._shared(at) or (measure.verb and ellipsis.explains(self._items, at)):
            measure = Measure("other")
        slot = Slot(measure, self._mode(self._clause, measure), at, self._clause)
        self.slots.append(slot)
        self._cur = slot
        self._take_pending(slot)

    def _same(self, metric: str) -> Slot | None:
        for slot in reversed(self.slots):
            if slot.metric == metric and slot.role == "value":
                return slot
        return None

    def _shared(self, at: int) -> bool:
        """``Revenue and profit rose to A and B respectively``: whose is whose is not told apart."""
        words = self._items[self._clause.begin : self._clause.end]
        paired = any(
            piece.joined and self._items[piece.begin].amount is not None
            for piece in self._clause.pieces
        )
        if not paired and not any(item.low in _RESPECTIVELY for item in words):
            return False
        before = self._items[max(0, self._clause.begin - 3) : self._clause.begin]
        return any(item.measure is not None for item in before)

    def _take_pending(self, slot: Slot) -> None:
        """Amounts before a verb that is a metric, or at the head of the clause."""
        pending, self._pending = self._pending, []
        for at, amount in pending:
            cue = cues.left_cue(self._items, at, self._piece.begin).name
            if not slot.measure.verb:
                if cue not in ("at", "with", "to", "by") or at > self._piece.begin + 5:
                    continue
                if cue == "at" and not self._followed_by_verb(at):
                    continue
            elif cue in ("of", "von", "from", "vs", "than", "compared"):
                continue
            if amount.kind == "percent" and slot.metric != "margin":
                self._percent(slot, at, amount)
            elif slot.open:
                self._value(slot, at, amount)

    def _amount(self, at: int, amount: Amount) -> None:
        adjacent = at > 0 and self._items[at - 1].measure is not None
        cur = self._cur
        margin = cur is not None and cur.metric == "margin" and amount.kind == "percent"
        if not ((adjacent or margin) and cur is not None and cur.open):
            target = self._attached_right(at, amount)
            if target is not None:
                return
        if amount.kind in ("things", "points") or self._is_things(at, amount):
            return
        if amount.kind == "percent" and (cur is None or cur.metric != "margin"):
            if cur is not None:
                self._percent(cur, at, amount)
            else:
                self._pending.append((at, amount))
            return
        if cur is None:
            self._pending.append((at, amount))
            return
        self._figure(cur, at, amount)

    def _figure(self, cur: Slot, at: int, amount: Amount) -> None:
        """An amount behind a metric of its clause."""
        role = self._role(cur, at, amount)
        target = cur
        if cur.role in ("previous", "consensus") and role in ("value", cur.role):
            role, target = cur.role, cur.target or cur
        if role == "value":
            if cur.role == "value":
                self._give(cur, at, amount)
            return
        number = cur.signed(self._middle(amount))
        if amount.per_share and target.metric == "net_income" and target.share is not None:
            target = target.share
        if not self._fits(target, amount):
            return
        if role == "previous" and target.previous is None:
            target.previous = number
        elif role == "consensus" and target.consensus is None:
            target.consensus = number

    def _give(self, cur: Slot, at: int, amount: Amount) -> None:
        """The value of a slot, of its sibling per share, or of a second period."""
        if amount.per_share and cur.metric == "net_income" and not cur.open:
            if cur.share is None:
                measure = replace(cur.measure, metric="eps")
                cur.share = Slot(measure, cur.mode, at, cur.clause)
                self.slots.append(cur.share)
                cur.share.value, cur.share.value_at = amount, at
            return
        if cur.open:
            self._value(cur, at, amount)
            return
        verb = self._open_verb(cur, at)
        if verb is not None:
            self._value(verb, at, amount)
            self._cur = verb
            return
        if self._language == "de" and self._verb_later(at):
            self._pending.append((at, amount))
            return
        if self._piece.joined and self._another_period(cur, at) and not self._compares_on(at):
            slot = Slot(cur.measure, cur.mode, cur.at, cur.clause)
            self.slots.append(slot)
            self._value(slot, at, amount)
            self._cur = slot

    def _open_verb(self, cur: Slot, at: int) -> Slot | None:
        for slot in reversed(self.slots):
            if slot.clause is cur.clause and slot.measure.verb and slot.open and slot is not cur:
                return slot
        return None

    def _another_period(self, cur: Slot, at: int) -> bool:
        first = any(
            item.kind == "period" for item in self._items[cur.clause.begin : self._piece.begin]
        )
        near = self._items[self._piece.begin : self._piece.end]
        return first and any(item.kind == "period" for item in near)
