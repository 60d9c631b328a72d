"""Cuts a sentence's items into clauses and judges each: reported, outlook, others' view or void.

A comma, a bracket or a conjunction begins a new clause unless what follows is known to go on with
the old one ("up 24 percent", "nach 4,8 Milliarden im Vorjahr").  In doubt a clause is new: its
figures are then linked to nothing.
"""

from __future__ import annotations

from db.text.facts.clauses import Clause, Piece
from db.text.facts.items import Item
from db.text.facts.judging import judge

_COMPARING = {"BEAT", "MISS", "INLINE"}


_NUMBER_FOLLOWS = {"VS", "FROM", "OR", "VON", "AT", "TO", "BY"}


_BEATING = {
    "beat",
    "topped",
    "missed",
    "crushed",
    "exceeded",
    "surpassed",
    "trounced",
    "smashed",
    "fell short of",
    "matched",
    "met",
    "eclipsed",
}


_LEADING = {
    "IN",
    "AT",
    "BY",
    "FROM",
    "VS",
    "CAUSE",
    "QOQ",
    "ADV",
    "TO",
    "WITH",
    "UP",
    "DOWN",
    "VON",
    "PRE",
    "POST",
    "REG",
}


_LEADS = {
    "for",
    "für",
    "during",
    "excluding",
    "including",
    "vor",
    "während",
    "ohne",
    "unter",
    "across",
    "under",
    "citing",
    "despite",
    "ende",
    "wegen",
    "seit",
    "since",
}


_STRONG = {
    "as",
    "while",
    "whereas",
    "but",
    "although",
    "though",
    "because",
    "even as",
    "even though",
    "when",
    "despite",
    "even if",
    "so",
    "since",
    "yet",
    "with",
    "as well as",
    "before",
    "once",
    "until",
    "after it",
    "after posting",
    "after the company",
    "partly because",
}


class Splitter:
    """Finds the clauses of one sentence."""

    def __init__(self, items: list[Item], language: str) -> None:
        self._items = items
        self._language = language
        self._clauses: list[Clause] = []
        self._begin = 0
        self._joined = False
        self._bracket = False

    def split(self) -> list[Clause]:
        """The clauses in order; every item but the marks is in one."""
        items = self._items
        self._clauses.append(Clause(hard=True))
        at = 0
        while at < len(items):
            step = self._mark(at)
            at += max(1, step)
        self._close(len(items))
        found = [clause for clause in self._clauses if clause.pieces]
        told = False
        for clause in found:
            told = told or any("SAY" in item.tags for item in items[clause.begin : clause.end])
            judge(clause, items, self._language, told=told)
        return found

    def _close(self, end: int) -> None:
        if end > self._begin:
            piece = Piece(self._begin, end, self._bracket, self._joined)
            self._clauses[-1].pieces.append(piece)
        self._joined = False

    def _new(
        self, at: int, opener: str = "", *, hard: bool = False, relative: bool = False
    ) -> None:
        self._clauses.append(Clause(opener=opener, hard=hard, relative=relative))
        self._begin = at

    def _mark(self, at: int) -> int:
        """Handles the item at ``at``; the number of items passed, 0 or 1 for one."""
        item = self._items[at]
        low = item.low
        if low in (";", "!", "?", "|"):
            self._close(at)
            self._new(at + 1, hard=True)
        elif low == ":":
            return self._colon(at)
        elif low == "(":
            self._close(at)
            self._begin, self._bracket = at + 1, True
        elif low == ")":
            self._close(at)
            self._begin, self._bracket = at + 1, False
        elif self._bracket:
            return 1
        elif low in ("–", "-", "—") and item.kind == "sign":
            self._close(at)
            self._comma(at)
        elif low == ",":
            return self._at_comma(at)
        elif item.kind == "word" and at > self._begin:
            return self._word(at)
        return 1

    def _colon(self, at: int) -> int:
        following = self._get(at + 1)
        if self._bracket or (
            following is not None and following.amount is not None and self._labels(at)
        ):
            return 1
        self._close(at)
        self._new(at + 1, hard=True)
        return 1

    def _labels(self, at: int) -> bool:
        """``Sales for the first nine months: 3,412 million``."""
        piece = self._items[self._begin : at]
        return any(item.measure is not None for item in piece) and not any(
            "VERB" in item.tags for item in piece
        )

    def _get(self, at: int) -> Item | None:
        return self._items[at] if 0 <= at < len(self._items) else None

    def _at_comma(self, at: int) -> int:
        if self._fronted(at):
            return 1
        following = self._get(at + 1)
        self._close(at)
        if following is not None and "CONJ" in following.tags and following.amount is None:
            if "SOFT" in following.tags:
                self._joined_at(at + 2, following.low)
            else:
                self._new(at + 2, following.low)
            return 2
        self._comma(at)
        return 1

    def _fronted(self, at: int) -> bool:
        """A phrase before the subject ("In the second quarter, ...") is no clause of its own."""
        piece = self._items[self._begin : at]
        first_word = piece[0].low if piece else ""
        if first_word == "by" and len(piece) <= 3 and self._items[at].low == ",":
            return not self._clauses[-1].pieces
        if self._clauses[-1].relative or self._clauses[-1].pieces or not piece or len(piece) > 14:
            return False
        if any(item.measure is not None or item.tags & {"VERB", "HYP"} for item in piece):
            return False
        following = self._get(at + 1)
        if following is not None and following.low in ("wonach", "dass", "that", "ob"):
            return False
        if any("OTHERS" in item.tags for item in piece):
            return len(piece) <= 4 and self._items[at].low == ","
        first = piece[0]
        if first.kind in ("period", "amount") or first.tags & _LEADING or first.low in _LEADS:
            return True
        return self._items[at].low == "," and len(piece) <= 4 and first.text[:1].isupper()

    def _comma(self, at: int) -> None:
        """A comma: the clause goes on, perhaps with another period, or a new one begins."""
        if self._clauses[-1].pieces and self._period_then_amount(at + 1):
            self._begin, self._joined = at + 1, True
            return
        if self._goes_on(at + 1):
            self._begin = at + 1
            return
        following = self._get(at + 1)
        opener, relative = "", False
        if following is not None and "REL" in following.tags:
            opener, relative = following.low, True
        self._new(at + 1, opener, relative=relative)

    def _goes_on(self, at: int) -> bool:
        """Whether the piece from ``at`` on continues the clause before it."""
        item = self._get(at)
        if item is None or not self._clauses[-1].pieces:
            return False
        if item.amount is not None:
            return not self._verb_soon(at + 1, 2)
        tags = item.tags
        if tags & _COMPARING:
            return True
        if "REL" in tags and "CONT" not in tags:
            return False
        if "DET" in tags or item.low in ("some", "representing", "marking", "was", "das sind"):
            return "CONT" in tags and self._change_soon(at + 1)
        if tags & _NUMBER_FOLLOWS and "CONT" in tags | {"CONT"}:
            return self._number_soon(at + 1)
        return "CONT" in tags and not self._new_subject(at)

    def _new_subject(self, at: int) -> bool:
        """A measure soon after a would-be continuation makes it a clause of its own."""
        for place in range(at, min(at + 4, len(self._items))):
            item = self._items[place]
            if item.low in (",", ";"):
                return False
            if item.amount is not None or item.tags & _COMPARING or item.tags & {"CONS", "VS"}:
                return False
            if item.measure is not None or "STOCK" in item.tags:
                return True
        return False

    def _change_soon(self, at: int) -> bool:
        for place in range(at, min(at + 5, len(self._items))):
            item = self._items[place]
            if item.measure is not None:
                return item.measure.loss and item.low == "minus"
            if item.tags & {"VERB"} or item.low in (",", ";"):
                return False
            if item.amount is not None or item.tags & {"UP", "DOWN"}:
                return True
        return False

    def _number_soon(self, at: int) -> bool:
        for place in range(at, min(at + 10, len(self._items))):
            item = self._items[place]
            if item.amount is not None:
                return True
            if "PREV" in item.tags and place <= at + 2:
                return True
            if "VERB" in item.tags or item.low in (",", ";"):
                return False
        return False

    def _verb_follows(self, at: int) -> bool:
        """Whether a verb stands before the next mark."""
        for item in self._items[at:]:
            if item.low in (",", ";", "(", ":"):
                return False
            if item.low in ("disappointed", "sparked", "spooked", "sent", "failed"):
                return True
            if item.low in _BEATING:
                return True
            if "VERB" in item.tags and not item.tags & {"MOD", "PREV"}:
                return True
        return False

    def _verb_soon(self, at: int, reach: int) -> bool:
        items = self._items[at : at + reach]
        return any("VERB" in item.tags for item in items) and self._items[at - 1].low != ","

    def _word(self, at: int) -> int:
        """Conjunctions without a comma, and relative words."""
        item = self._items[at]
        if "SOFT" in item.tags:
            if self._fronted(at):
                return 1
            self._close(at)
            self._joined_at(at + 1, item.low)
        elif item.low in ("after", "following", "nach") and "VS" in item.tags:
            if self._language == "de":
                return 1
            if self._number_soon(at + 1) and not self._verb_follows(at + 1):
                return 1
            self._close(at)
            self._new(at + 1, item.low)
        elif self._opens(item, at):
            if self._fronted(at) and item.low not in ("with",):
                return 1
            self._close(at)
            self._new(at + 1, item.low, relative="REL" in item.tags)
        return 1

    def _opens(self, item: Item, at: int) -> bool:
        if self._language == "en":
            if item.low == "with":
                return self._figure_before_verb(at + 1)
            if item.low in _STRONG:
                return True
            return item.low in (
                "which",
                "who",
                "whose",
                "where",
                "including",
                "of which",
                "excluding",
            )
        return item.low in (
            "wobei",
            "wohingegen",
            "obwohl",
            "nachdem",
            "während",
            "sondern",
            "weil",
        )

    def _figure_before_verb(self, at: int) -> bool:
        """``with a gross margin of 59%``, but not ``its venture with SAIC posted a profit``."""
        for item in self._items[at : at + 8]:
            if item.amount is not None or item.measure is not None:
                return True
            if "VERB" in item.tags or item.low in (",", ";"):
                return False
        return False

    def _joined_at(self, at: int, word: str) -> None:
        """After "and": on with the clause, or a new one."""
        item = self._get(at)
        self._begin = at
        if item is None or not self._clauses[-1].pieces:
            return
        if item.amount is not None or item.tags & _COMPARING or self._period_then_amount(at):
            self._joined = True
            return
        if item.low in ("damit", "thus", "so") or (
            item.low in ("lag", "liegt", "lagen", "blieb", "was", "came in")
            and any(
                self._items[place].tags & _COMPARING
                for place in range(at, min(at + 5, len(self._items)))
            )
        ):
            self._joined = True
            return
        self._new(at, word)

    def _period_then_amount(self, at: int) -> bool:
        """``und im vierten bei 42,3``."""
        seen = False
        for place in range(at, min(at + 6, len(self._items))):
            item = self._items[place]
            if item.kind == "period":
                seen = True
            elif item.amount is not None:
                return seen
            elif not item.tags & {"IN", "DET", "AT", "TO"} and item.low not in ("for", "für"):
                return False
        return False
