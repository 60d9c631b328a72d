"""What only neighbouring clauses tell of each other: outlooks taken back, figures of before."""

from __future__ import annotations

from itertools import pairwise

from db.text.facts.clauses import Clause
from db.text.facts.items import Item


def resolve(clauses: list[Clause], items: list[Item], language: str) -> None:
    """Corrects the modes of ``clauses`` by what stands beside them."""
    for clause in clauses:
        words = items[clause.begin : clause.end]
        if clause.mode == "reported" and (
            _still_had(words) if language == "de" else _had_last_year(words)
        ):
            clause.past = True
    if language != "de":
        return
    for first, second in pairwise(clauses):
        if _aims(first, second, items):
            second.mode = "guidance"
    for place, clause in enumerate(clauses):
        if place and _takes_back(clause, items):
            _void_before(clauses, place, items)


def _still_had(words: list[Item]) -> bool:
    """``der im zweiten Quartal 2024 noch 1,9 Milliarden verdient hatte``: a figure of before."""
    low = [item.low for item in words]
    while low and not low[-1].isalpha():
        low.pop()
    if not low or low[-1] not in ("hatte", "hatten") or "noch" not in low:
        return False  # the verb stands last in a relative clause only
    return any(item.amount is not None for item in words[low.index("noch") :])


def _had_last_year(words: list[Item]) -> bool:
    """``Last year's second quarter had brought a profit of ...``."""
    verb = next((at for at, item in enumerate(words) if item.low == "had"), None)
    if verb is None:
        return False
    early = words[:verb]
    return any(item.period is not None and item.period.relative == -1 for item in early) and any(
        item.low == "'s" for item in early
    )


def _takes_back(clause: Clause, items: list[Item]) -> bool:
    """A denial whose object stands before its verb: ``..., ist keine Rede mehr``."""
    words = items[clause.begin : clause.end]
    low = [item.low for item in words if item.kind != "sign"]
    given_up = low[:1] in (["gab"], ["gibt"], ["gaben"], ["geben"]) and low[-1:] == ["auf"]
    given_up = given_up or any("WITHDRAW" in item.tags for item in words)
    if not given_up and (clause.mode != "void" or "VERB" not in words[0].tags):
        return False
    return not any(item.measure is not None or item.amount is not None for item in words)


def _void_before(clauses: list[Clause], place: int, items: list[Item]) -> None:
    """The clauses that are the object of the denial, back to the one it begins with."""
    begin = place
    while begin > 0 and not clauses[begin].hard:
        begin -= 1
    opening = items[clauses[begin].begin : clauses[begin].end]
    noun = next((at for at, item in enumerate(opening) if "GUIDENOUN" in item.tags), None)
    aim = noun is not None and (
        any("WITHDRAW" in item.tags for item in items[clauses[place].begin : clauses[place].end])
        or not any("VERB" in item.tags for item in opening[:noun])
    )
    if not (aim or opening[0].tags & {"IN", "VON", "AT", "FROM", "TO"}):
        return
    for clause in clauses[begin:place]:
        clause.mode = "void"


def _aims(first: Clause, second: Clause, items: list[Item]) -> bool:
    """``bekräftigt sein Ziel, 2025 einen Umsatz von ... zu erreichen``: the outlook's content."""
    if first.mode != "guidance" or first.withdrawn or second.mode != "void" or second.hard:
        return False
    before = [item for item in items[first.begin : first.end] if item.kind != "sign"]
    words = [item for item in items[second.begin : second.end] if item.kind != "sign"]
    if not before or "GUIDENOUN" not in before[-1].tags or len(words) < 3:
        return False
    infinitive = words[-2].low == "zu" and words[-1].low.endswith("en")
    return infinitive and not any(item.tags & {"NEG", "HYP"} for item in words)
