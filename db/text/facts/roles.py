"""Which role an amount has: value, earlier figure, consensus, difference, or none."""

from __future__ import annotations

from db.text.facts import cues
from db.text.facts.clauses import Clause, Piece
from db.text.facts.ellipsis import name_then_amount
from db.text.facts.items import Amount, Item
from db.text.facts.slots import Slot

_VALUE_CUES = {"of", "to", "at", "verb", "measure", "with", "or", "topped", "for", "changed"}
_COSTING = {"cost", "costs", "costing", "wipe", "wiped", "wiping", "shave", "shaved", "dent",
            "erase", "erased", "add", "adds", "adding", "forgo", "save", "saving"}  # fmt: skip
_ASKING = {"erwartet", "peilt", "plant", "prognostiziert", "stellt", "veranschlagt", "visiert",
           "anpeilt", "sieht", "strebt"}  # fmt: skip
_PASSING = {"topped", "exceeded", "surpassed", "over", "above", "exceeding", "topping", "eclipsed",
            "surpassing", "exceeds", "tops", "übertraf", "overtook", "cleared"}  # fmt: skip


class Roles:
    """Reads the words around amounts in one piece of a clause at a time."""

    def __init__(self, items: list[Item], clauses: list[Clause], language: str) -> None:
        self._items = items
        self._clauses = clauses
        self._language = language
        self._clause = clauses[0]
        self._piece: Piece = clauses[0].pieces[0]

    def _role(self, cur: Slot, at: int, amount: Amount) -> str:
        items, piece = self._items, self._piece
        cue = cues.left_cue(items, at, piece.begin)
        if cues.own_after(items, at, piece.end):
            return "none"
        if self._expected(cur, at) or cue.consensus:
            return "consensus"
        if piece.bracket:
            return self._role_in_bracket(cur, at, cue)
        if cue.name == "von":
            return self._role_of_von(cur, at, cue)
        if cue.name in ("vs", "from", "than"):
            return "previous"
        if cue.name == "by":
            return "difference"
        if cue.name == "compared":
            if items[cue.at].low in _PASSING and cur.open:
                return "none" if cue.own else "value"
            return "none"
        if cue.previous or (not cur.open and cues.previous_after(items, at, piece.end)):
            return "previous"
        if cue.name == "of":
            return self._role_of(cur, cue)
        return self._role_of_rest(cur, at, cue, amount)

    def _expected(self, cur: Slot, at: int) -> bool:
        guidance = cur.mode == "guidance"
        return cues.expected_after(self._items, at, self._piece.end, guidance=guidance)

    def _role_in_bracket(self, cur: Slot, at: int, cue: cues.Cue) -> str:
        words = self._items[self._piece.begin : self._piece.end]
        if any("CONS" in item.tags or "OTHERS" in item.tags for item in words):
            return "consensus"
        if any(item.tags & {"PREV", "VS"} for item in words):
            return "previous"
        amount = self._items[at].amount
        if amount is None or (amount.kind == "plain" and not amount.scale):
            return "none"
        if cue.name == "start":
            if amount.per_share and not cur.open:
                return "value"
            return "value" if cur.open and cur.metric == "eps" else "none"
        return "value" if cur.open else "none"

    def _role_of_von(self, cur: Slot, at: int, cue: cues.Cue) -> str:
        """German ``von``: "Umsatz von A", "von A auf B", "auf B von zuvor A"."""
        items = self._items
        following = items[at + 1 : at + 3]
        leads_on = len(following) == 2 and "TO" in following[0].tags
        if leads_on and (following[1].amount or following[1].tags & {"ADV", "DET"}):
            return "previous"
        if cue.previous:
            return "previous"
        return self._role_of(cur, cue)

    def _role_of(self, cur: Slot, cue: cues.Cue) -> str:
        """``of``/``von``: the noun before it owns the amount."""
        items = self._items
        place = cue.at - 1
        while place > max(cur.at, self._piece.begin - 1):
            item = items[place]
            if "TRANS" in item.tags:
                return self._role_of_level(place)
            if item.amount is not None:
                return "previous" if cue.name == "von" else "none"
            if item.measure is not None:
                return "none"
            if item.tags & {"UP", "DOWN"} and item.kind == "word" and "VERB" not in item.tags:
                return "difference"
            if "GUIDENOUN" in item.tags and not cur.measure.guide:
                return "value" if cur.mode == "guidance" else "none"
            if "CONS" in item.tags or "OTHERS" in item.tags:
                return "consensus"
            if not item.tags and item.kind == "word" and not self._transparent(item, place):
                return "none"
            place -= 1
        return "value"

    def _role_of_level(self, place: int) -> str:
        """``auf den Rekordwert von``, ``compared with a previous range of``."""
        cue = cues.left_cue(self._items, place, self._piece.begin)
        if cue.consensus:
            return "consensus"
        if cue.previous or cue.name in ("vs", "from", "than"):
            return "previous"
        return "none" if cue.name in ("by", "compared") else "value"

    def _transparent(self, item: Item, place: int) -> bool:
        """A name between the metric and its ``of``: "sales at Kestrel of ..."."""
        if item.low in ("'s", "for", ":"):
            return True
        if item.text[0].isupper() and self._language == "en":
            return True
        return self._language == "de"

    def _role_of_rest(self, cur: Slot, at: int, cue: cues.Cue, amount: Amount) -> str:
        """Behind a verb, a preposition that leads to a value, or a word that is not known."""
        if cue.name == "changed":
            return "value" if amount.kind == "percent" else "difference"
        if cue.name in _VALUE_CUES:
            return "value"
        return self._role_of_loose(cur, at, cue)

    def _role_of_loose(self, cur: Slot, at: int, cue: cues.Cue) -> str:
        """Without a word that leads to a value only verbs and coordination make one."""
        items = self._items
        if cue.name in ("unknown", "start", "in", "amount", "changenoun"):
            if cue.name == "start" and self._piece.joined and not cur.open:
                return "value"
            if cue.name == "start" and cur.open and cur.change is not None and self._clause.hard:
                return "value"
            if cue.name == "start" and cur.measure.verb and cur.open:
                return "value"
            if (
                cue.name == "unknown"
                and cur.open
                and cur.company == "?"
                and (name_then_amount(items[self._piece.begin : self._piece.end]))
            ):
                return "value"
            if cue.name == "unknown" and self._language == "de" and self._direct(cur):
                return "value"
            if cue.name in ("unknown", "in") and cur.measure.verb and cur.open:
                return "value"
            if cue.name == "amount" and self._language == "de" and self._verb_later(at):
                return "value"
            if cue.name == "in" and any("TRANS" in one.tags for one in items[at + 1 : at + 2]):
                return "value"
            if cue.name == "changenoun" and items[cue.at].low in ("noch", "zu"):
                return "value"
        return "none"

    def _direct(self, cur: Slot) -> bool:
        """German clauses whose verb takes the amount as its object, wherever it stands."""
        if cur.measure.verb:
            return True
        words = self._items[self._piece.begin : self._piece.end]
        return cur.open and any(
            ("DIRECT" in item.tags and "BE" in item.tags) or item.low in _ASKING for item in words
        )

    def _governed(self, head: int) -> str:
        """The role that the word before a metric's noun phrase gives all its figures."""
        begin = self._piece.begin
        cue = cues.left_cue(self._items, head, begin)
        if self._piece.bracket:
            words = self._items[begin:head]
            if any("PREV" in item.tags for item in words):
                return "previous"
            if any("CONS" in item.tags for item in words):
                return "consensus"
        if self._items[cue.at].low == "ab" and cue.at < head:
            return "none"  # "erst ab einem Umsatz von"
        if cue.name == "compared" and self._items[cue.at + 1].low == "der":
            return "value"  # "übertraf der Umsatz": the subject behind its verb
        if cue.name in ("vs", "from", "than") or (cue.name == "compared" and not cue.consensus):
            return "previous" if cue.name != "compared" else "none"
        if cue.consensus and cue.name in ("compared", "than", "for", "of"):
            return "consensus"
        return "value"

    def _governed_amount(self, at: int) -> bool:
        """Whether the amount before a metric is one to compare with."""
        cue = cues.left_cue(self._items, at, self._piece.begin)
        return cue.consensus or cue.previous or cue.name in ("vs", "from", "by", "than", "compared")

    def _costs(self, at: int) -> bool:
        """``would cost the carmaker $4 billion in profit`` says nothing of the profit itself."""
        return any(item.low in _COSTING for item in self._items[self._piece.begin : at])

    def _spends(self, at: int) -> bool:
        return any(item.low in ("spend", "spending", "spent", "invest", "outlay", "budgeting",
                                "budgeted", "budgets", "earmarked", "earmarks")
                   for item in self._items[max(0, at - 5) : at])  # fmt: skip

    def _is_things(self, at: int, amount: Amount) -> bool:
        """A count of something that is none of the metrics: ``78,865 employees``."""
        if amount.kind != "plain":
            return False
        following = self._items[at + 1] if at + 1 < len(self._items) else None
        if following is None or following.kind != "word":
            return False
        if "THING" in following.tags:
            return True
        known = following.tags or following.low in ("'s", "for")
        if self._language == "de":
            return not known and following.text[0].isupper()
        return not known

    def _verb_later(self, at: int) -> bool:
        return any(item.measure is not None and item.measure.verb
                   for item in self._items[at + 1 : min(self._piece.end, at + 6)])  # fmt: skip

    def _compares_on(self, at: int) -> bool:
        """``compared with A and B``: the amount before "and" was a comparative one."""
        for place in range(self._piece.begin - 1, self._clause.begin - 1, -1):
            if self._items[place].amount is not None:
                cue = cues.left_cue(self._items, place, self._clause.begin)
                return cue.name in ("vs", "from", "than") or cue.consensus
        return False

    def _followed_by_verb(self, at: int) -> bool:
        """``Mit 59,9 Milliarden Dollar lag der Umsatz ...`` or ``At $7.1 billion, revenue``."""
        for item in self._items[at + 1 : at + 4]:
            if item.low == "," or item.tags & {"BE", "VERB", "BEAT", "MISS"}:
                return True
        return False
