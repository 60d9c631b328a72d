"""Values and changes given to slots, and amounts linked to the metric behind them."""

from __future__ import annotations

from dataclasses import replace

from db.text.facts import cues
from db.text.facts.clauses import Clause, Mode
from db.text.facts.directions import direction
from db.text.facts.items import Amount, Item, Measure
from db.text.facts.roles import Roles
from db.text.facts.slots import Slot, small_earnings


class Figures(Roles):
    """Holds the slots of a sentence and fills them."""

    def __init__(self, items: list[Item], clauses: list[Clause], language: str) -> None:
        super().__init__(items, clauses, language)
        self.slots: list[Slot] = []
        self._cur: Slot | None = None
        self._taken: set[int] = set()  # measures already linked to an amount before them

    @staticmethod
    def _mode(clause: Clause, measure: Measure) -> Mode:
        if clause.mode in ("void", "expected"):
            return clause.mode
        if measure.expected:
            return "expected"
        return "guidance" if measure.guide or clause.mode == "guidance" else "reported"

    def _attached_right(self, at: int, amount: Amount) -> Slot | None:
        """``$3 billion in revenue``, ``13,3 Milliarden Dollar Umsatz``, ``24% rise in sales``."""
        place = at + 1
        changed = 0
        linked = False
        while place < min(self._piece.end, at + 7):
            item = self._items[place]
            if item.measure is not None:
                break
            if amount.kind == "percent" and item.tags & {"UP", "DOWN"} and not changed:
                changed = 1 if "UP" in item.tags else -1
            elif item.low in ("in", "of", "an", "on", "for", "into") and not linked:
                if item.low in ("on", "for") and not self._spends(at):
                    return None
                linked = True
            elif (
                ("DET" in item.tags and not linked)
                or not (item.kind == "period" or item.tags & {"MOD", "DET", "ADV"})
                or ("VERB" in item.tags and "MOD" not in item.tags)
            ):
                return None
            place += 1
        if place >= min(self._piece.end, at + 7):
            return None
        measure = self._items[place].measure
        if measure is None or measure.verb:
            return None
        return self._right_slot(at, amount, place, measure, changed, linked)

    def _right_slot(
        self, at: int, amount: Amount, place: int, measure: Measure, changed: int, linked: bool
    ) -> Slot | None:
        if amount.kind == "percent":
            if measure.metric == "margin" and not changed and not linked:
                pass
            elif changed or measure.move:
                slot = self._new_right(place, measure)
                sign = changed or measure.move
                if slot.change is None and not measure.loss:
                    slot.change, slot.change_at = sign * amount.low, at
                    slot.change = sign * (amount.low + amount.high) / 2
                    slot.change_word = amount.qualifier
                return slot
            elif linked and self._change_before(at):
                slot = self._new_right(place, measure)
                if not measure.loss:
                    slot.change = self._change_before(at) * (amount.low + amount.high) / 2
                    slot.change_at, slot.change_word = at, amount.qualifier
                return slot
            elif linked and measure.metric != "margin":
                return Slot(Measure("other"), "reported", at, self._clause)
            else:
                return None
        elif measure.move or changed or measure.metric == "margin":
            return None
        if self._governed_amount(at):
            return None
        if self._language == "en" and self._costs(at):
            return Slot(Measure("other"), "reported", at, self._clause)
        slot = self._new_right(place, measure)
        if slot.metric == "users" and amount.kind == "money":
            return slot
        self._value(slot, at, amount)
        return slot

    def _change_before(self, at: int) -> int:
        """``a decline of 11% to 15% in adjusted EPS``."""
        if at < 2 or "OF" not in self._items[at - 1].tags:
            return 0
        tags = self._items[at - 2].tags
        return 1 if "UP" in tags else -1 if "DOWN" in tags else 0

    def _new_right(self, place: int, measure: Measure) -> Slot:
        slot = Slot(measure, self._mode(self._clause, measure), place, self._clause)
        self.slots.append(slot)
        self._cur = slot
        self._taken.add(place)
        return slot

    def _value(self, slot: Slot, at: int, amount: Amount) -> None:
        if self._fits(slot, amount):
            if (amount.per_share and slot.metric == "net_income") or small_earnings(slot, amount):
                slot.measure = replace(slot.measure, metric="eps")
            if slot.metric == "margin" and amount.sign < 0 <= amount.low:
                amount = replace(amount, low=-amount.high, high=-amount.low)
            slot.value, slot.value_at = amount, at

    @staticmethod
    def _fits(slot: Slot, amount: Amount) -> bool:
        """Whether an amount can be of that metric at all."""
        metric = slot.metric
        if metric == "other":
            return True
        if metric == "margin":
            return amount.kind == "percent" and not amount.fraction
        if amount.kind in ("percent", "points"):
            return False
        if metric == "users":
            return amount.kind in ("plain", "users") and not amount.small
        if metric == "eps":
            return amount.scale <= 1 and abs(amount.high) < 100_000
        if amount.per_share:
            return metric == "net_income"
        return not amount.small or metric == "net_income"

    def _percent(self, cur: Slot, at: int, amount: Amount) -> None:
        """A change of the metric before it, if a direction is said."""
        if cur.metric == "other" or cur.role != "value" or cur.change is not None:
            return
        items, piece = self._items, self._piece
        cue = cues.left_cue(items, at, piece.begin)
        if cue.name in ("to", "at", "vs", "compared", "than", "from", "in") or cue.consensus:
            growth = cur.measure.move or items[cur.at + 1].low in ("growth", "wachstum")
            if not (cue.name == "at" and items[cue.at].low == "mit") and not (
                growth and cue.name in ("to", "at")
            ):
                return
        if at > 1 and items[at - 1].low == "up" and items[at - 2].low == "to":
            return
        following = items[at + 1] if at + 1 < piece.end else None
        if following is not None and (
            following.low in ("of", "der", "des", "vom", "stake") and cue.name != "changed"
        ):
            return
        grows = 1 if items[cur.at + 1].low == "growth" else 0
        sign = amount.sign or cur.measure.move or grows
        sign = sign or direction(items, at, piece.begin, piece.end, self._language)
        if not sign and not self._clause.has_verb and cue.name == "by":
            sign = self._sign_before(cur)
        if not sign or cur.measure.loss:
            return
        size = (abs(amount.low) + abs(amount.high)) / 2
        cur.change = sign * float(f"{size:.12g}") if not amount.fraction else sign * size
        cur.change_at, cur.change_word = at, amount.qualifier
        cur.sequential = any(
            "QOQ" in item.tags for item in items[self._clause.begin : self._clause.end]
        )

    def _sign_before(self, cur: Slot) -> int:
        """``stieg um 30 Prozent, die Umsätze um 14 Prozent``: the verb is left out."""
        for slot in reversed(self.slots):
            if slot is not cur and slot.change is not None:
                return 1 if slot.change > 0 else -1
        return 0

    @staticmethod
    def _middle(amount: Amount) -> float:
        return amount.low if amount.low == amount.high else (amount.low + amount.high) / 2
