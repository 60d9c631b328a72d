"""Facts and reactions of a text: the one function the rest of the program calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from db.batches import TextFact, TextReaction
from db.text.facts.assembly import facts_of
from db.text.facts.context import Context, worth_reading
from db.text.facts.items import Item, plain
from db.text.facts.lexing import lex
from db.text.facts.reactions import reactions_of
from db.text.facts.sentences import sentences


@dataclass(frozen=True)
class Statements:
    """What a text says: facts, and how it says the stock moved."""

    facts: tuple[TextFact, ...]
    reactions: tuple[TextReaction, ...]


def read_facts(
    text: str,
    *,
    language: str,
    published: date,
    fiscal_year_end: int = 12,
    currency: str = "",
) -> Statements:
    """The facts and reactions stated in ``text``, a sentence or a whole article.

    ``language`` is ``en`` or ``de``; of any other nothing is read.  ``published`` and
    ``fiscal_year_end`` (month, 1 to 12) resolve periods such as "the fourth quarter"; ``currency``
    is that of amounts for which the sentence names none.  Places are characters of ``text``.
    Sentences of more than 2,000 characters are passed over.  The same fact said twice in a text is
    reported once.
    """
    code = language[:2].lower()
    if code not in ("en", "de"):
        return Statements((), ())
    facts: list[TextFact] = []
    reactions: list[TextReaction] = []
    known: set[tuple[object, ...]] = set()
    cleaned = plain(text)
    stated = currency  # what the text itself has last named
    for begin, end in sentences(text):
        sentence = cleaned[begin:end]
        if not worth_reading(sentence):
            continue
        items = lex(sentence, code)
        shown = text[begin:end]
        context = Context(items, code, published, fiscal_year_end, stated, shown, begin, end)
        stated = _currency_of(items) or stated
        for fact in facts_of(context):
            key = (fact.metric, fact.kind, fact.low, fact.high, fact.unit, fact.company,
                   fact.change if fact.low is None else None)  # fmt: skip
            if key not in known:
                known.add(key)
                facts.append(fact)
        reactions.extend(reactions_of(context))
    return Statements(tuple(facts), tuple(reactions))


def _currency_of(items: list[Item]) -> str:
    """The currency that a sentence named last."""
    for item in reversed(items):
        if item.amount is not None and item.amount.unit:
            return item.amount.unit
    return ""
