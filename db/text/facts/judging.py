"""Judges a clause: what was, a company's outlook, others' expectation, or none of these."""

from __future__ import annotations

import re

from db.text.facts.clauses import Clause
from db.text.facts.items import Item

_COMPARING = {"BEAT", "MISS", "INLINE"}


def judge(clause: Clause, items: list[Item], language: str, *, told: bool = True) -> None:
    """Sets the clause's mode from the words of its pieces."""
    first = clause.pieces[0]
    words = items[first.begin : first.end]
    every = items[clause.begin : clause.end]
    clause.has_verb = any(
        "VERB" in item.tags or (item.measure is not None and item.measure.verb) for item in every
    )
    noun = any(
        "GUIDENOUN" in item.tags or (item.measure is not None and item.measure.guide)
        for item in every
    )
    if noun and _withdrawn(words, every):
        clause.withdrawn = True
        clause.mode = "void"
    elif _unreal(clause, words, every, language, told=told):
        clause.mode = "void"
    elif _of_others(words):
        clause.mode = "expected"
    elif _of_industry(words, english=language == "en"):
        clause.mode = "void"
    elif _outlook(words, language):
        clause.mode = "guidance"
        clause.old_outlook = clause.opener not in ("nachdem", "after") and _of_before(words)
    elif _outlook_noun(words):
        clause.mode = "guidance"
    if clause.mode in ("reported", "guidance") and (
        _year_ago(words) or _long_ago(words) or _only_compares(words)
    ):
        clause.past = True


_TOLD = {"told", "vor", "to", "with", "for", "gegenüber", "disappointed", "mit"}


def _withdrawn(words: list[Item], every: list[Item]) -> bool:
    """An outlook is taken back."""
    if any("WITHDRAW" in item.tags for item in every) or _given_up(words):
        return True
    low = {item.low for item in every}
    return "zurück" in low and bool(low & {"zog", "zieht", "nahm", "nimmt"})


def _unreal(
    clause: Clause, words: list[Item], every: list[Item], language: str, *, told: bool
) -> bool:
    """Denied, conditional, wished for or of several companies: no fact of one company."""
    if language == "de" and _verb_first(words):
        return True
    if not told and any(item.low.startswith("would") for item in words):
        return True  # a condition, unless it is reported speech
    if clause.opener == "when" or _purpose(words) or _denied(words) or _inverted(words):
        return True
    return any(_hypothetical(item) for item in every) or _valuation(every)


def _given_up(words: list[Item]) -> bool:
    """``Das Ziel ... gab der Vorstand auf``."""
    gave = any(item.low in ("gab", "gibt", "geben", "gaben") for item in words)
    return gave and any(item.low == "auf" for item in words[-2:])


_OF_SEVERAL = {"together", "zusammen", "zusammengenommen", "times", "fache", "fachen", "vielfache",
               "vielfachen"}  # fmt: skip


def _valuation(words: list[Item]) -> bool:
    """``30 times earnings of $6.50`` and figures of several companies added up."""
    return any(item.low in _OF_SEVERAL for item in words[:-2])


def _of_before(words: list[Item]) -> bool:
    """An outlook given earlier: "had guided for", "bislang waren ... angepeilt"."""
    low = [item.low for item in words]
    had = any(one in ("had", "hatte", "hatten", "having") for one in low)
    early = any(item.low in _EARLIER for item in words)
    return had or (early and any(one in ("was", "were", "war", "waren", "hatte") for one in low))


_EARLIER = {
    "previously",
    "earlier",
    "zuvor",
    "bisher",
    "bislang",
    "ursprünglich",
    "originally",
    "vorher",
    "zunächst",
    "initially",
    "anfangs",
}


_LAST_YEAR = re.compile(
    r"(?:a |the )?year (?:earlier|ago|before)|the year before|.*vorjahr.*|ein jahr (?:zuvor|davor|"
    r"früher)|prior year.*|year ago.*|previous year.*|same (?:quarter|period|qtr).*|"
    r"corresponding .*|comparable .*|vor jahresfrist|vor einem jahr|im jahr (?:zuvor|davor)|"
    r"jahr (?:zuvor|davor)"
)


def _long_ago(words: list[Item]) -> bool:
    """``ten years ago``, ``vor fünf Jahren``."""
    low = [item.low for item in words]
    return any(
        (one == "years" and low[at + 1 : at + 2] == ["ago"])
        or (one == "jahren" and "vor" in low[max(0, at - 2) : at])
        for at, one in enumerate(low)
    )


def _year_ago(words: list[Item]) -> bool:
    """The clause is about the year before, not in comparison with it."""
    for at, item in enumerate(words):
        if item.amount is not None:
            return False
        if "PREV" in item.tags and _LAST_YEAR.fullmatch(item.low):
            before = [
                one
                for one in words[max(0, at - 2) : at]
                if "DET" not in one.tags or "IN" in one.tags
            ]
            if not any(
                one.tags & {"VS", "THAN", "FROM", "BEAT", "MISS", "TO"}
                or one.low.endswith(("than", "als", "zum"))
                for one in before
            ):
                return True
    return False


def _only_compares(words: list[Item]) -> bool:
    """Figures of before alone: ``This compares with revenue of ...``."""
    for item in words:
        if item.measure is not None or item.amount is not None:
            return False
        if item.low.startswith("compare") and "VS" in item.tags:
            return True
    return False


def _outlook_noun(words: list[Item]) -> bool:
    """A forecast is the subject or object: "Die Prognose für den Umsatz liegt bei"."""
    for item in words:
        if item.tags & _COMPARING or item.measure is not None or item.amount is not None:
            return False
        if item.low in _OUTLOOKS:
            return True
    return False


_OUTLOOKS = {
    "forecast",
    "outlook",
    "guidance",
    "prognose",
    "ausblick",
    "jahresprognose",
    "ziel",
    "jahresziel",
    "target",
    "zielspanne",
    "projection",
    "umsatzprognose",
}


def _denied(words: list[Item]) -> bool:
    return any("NEG" in item.tags for item in words)


def _inverted(words: list[Item]) -> bool:
    """``Were capex to reach``, ``Had revenue fallen``, ``Should sales slip``."""
    return (
        words[0].low in ("were", "had", "should")
        and len(words) > 1
        and (words[1].measure is not None or "DET" in words[1].tags)
    )


_IF_VERBS = {
    "sinkt",
    "steigt",
    "fällt",
    "wächst",
    "erreicht",
    "liegt",
    "bleibt",
    "legt",
    "geht",
    "muss",
    "schrumpft",
    "klettert",
    "kommt",
    "verfehlt",
    "übertrifft",
    "gelingt",
    "rutscht",
    "verdient",
    "bricht",
    "gibt",
    "investiert",
    "bliebe",
    "käme",
    "gelänge",
    "ginge",
    "wüchse",
    "stünde",
}


def _verb_first(words: list[Item]) -> bool:
    """``Sinkt der Umsatz unter ...``: German conditions put the verb first."""
    if words[0].low not in _IF_VERBS or not words[0].text[0].isupper() or len(words) < 3:
        return False
    return bool(words[1].tags & {"DET", "PRONOUN"}) or words[1].measure is not None


def _purpose(words: list[Item]) -> bool:
    """``To reach $100 billion in sales, ...``, ``Um ... zu erreichen``, ``..., ... zu machen``."""
    first = words[0]
    if first.low == "to" and first.text[0] == "T":
        return True
    infinitive = any(
        item.low == "zu"
        and at + 1 < len(words)
        and words[at + 1].low.endswith("en")
        and words[at + 1].low.islower()
        and words[at + 1].text[0].islower()
        and at + 2 >= len(words) - 1
        for at, item in enumerate(words)
    )
    guided = any(item.tags & {"GUIDE", "GUIDENOUN"} for item in words)
    return infinitive and not guided


def _hypothetical(item: Item) -> bool:
    if "HYP" not in item.tags:
        return False
    return not (item.low == "may" and item.text[0] == "M")


def _of_others(words: list[Item]) -> bool:
    """Analysts (or a market) hold the view that the clause states."""
    if _expected_to_report(words):
        return True
    for at, item in enumerate(words):
        if item.tags & _COMPARING or "THAN" in item.tags:
            return False
        if item.amount is not None and item.amount.kind != "percent":
            return False
        if at <= 1 and item.low.startswith(("konsens", "markterwart", "analystensch", "consensus")):
            return True
        if "OTHERS" in item.tags:
            return at == 0 or words[at - 1].low not in _TOLD
        if (
            item.low in ("expected", "expectations", "erwartet", "konsens")
            and at == 0
            and not any(
                one.low in ("vorstand", "konzern", "management", "unternehmen") for one in words
            )
        ):
            return any(one.measure is not None for one in words) and "GUIDE" not in words[-1].tags
    return False


def _expected_to_report(words: list[Item]) -> bool:
    """``The company is expected to post``: by others; it would say "we expect"."""
    low = [item.low for item in words]
    return any(
        one in ("is expected to", "are expected to", "was expected to", "expected to")
        and at + 1 < len(low)
        and low[at + 1] in ("report", "post", "show", "announce", "earn")
        for at, one in enumerate(low)
    )


def _of_industry(words: list[Item], *, english: bool) -> bool:
    """The subject is an industry or a state."""
    for at, item in enumerate(words):
        if item.measure is not None and not item.measure.verb:
            return False
        if item.amount is not None or item.tags & {"CAUSE", "AT", "IN"}:
            return False
        following = words[at + 1] if at + 1 < len(words) else None
        numbered = following is not None and following.kind in ("number", "amount")
        if "INDEX" in item.tags and (numbered or (following and following.low == "'s")):
            return True
        if "INDUSTRY" in item.tags and not (english and at and item.text[0].isupper()):
            return not any(
                "COMPANYWORD" in one.tags or one.low == "'s" for one in words[at + 1 : at + 3]
            )
    return False


_STATED = {"ausgewiesen", "gemeldet", "verbucht", "angegeben", "beziffert", "berichtet"}
"""Participles of a passive that tells what was: "wird ein Fehlbetrag ausgewiesen"."""


def _outlook(words: list[Item], language: str) -> bool:
    for at, item in enumerate(words):
        if "GUIDE" in item.tags:
            if item.low in ("wird", "werden") and any(one.low in _STATED for one in words[at:]):
                continue
            if item.low == "will" and language == "en" and item.text[0] == "W" and at:
                continue
            return True
        if "MAYBE_GUIDE" in item.tags and _is_verb(words, at):
            return True
    return False


def _is_verb(words: list[Item], at: int) -> bool:
    """``Walmart forecast adjusted earnings``: a name before, a noun phrase after."""
    if at == 0:
        return False
    before = words[at - 1]
    if before.amount is not None or before.measure is not None or before.kind != "word":
        return False
    named = not before.tags or before.tags & {"COMPANYWORD", "PRONOUN", "ADV", "REPORT", "SAY"}
    if not named and before.low != "'s":
        return False
    return before.low != "'s" and not any(
        "DET" in item.tags or item.tags & _COMPARING or "OTHERS" in item.tags
        for item in words[max(0, at - 3) : at]
        if "COMPANYWORD" not in before.tags
    )
