"""Whose figure a mention is: the company's own, or that of a part of it.

The words around a metric decide.  "Total revenue" and "fourth-quarter revenue" are the company's;
"advertising revenue", "sales in China" and "Erlöse aus Werbung" are a part's.  A modifier that is
not known counts as a part, since a missing fact costs less than a wrong one.
"""

from __future__ import annotations

import re

from db.text.facts.items import Item

_PART = {"SEG", "PRODUCT", "REGION"}
_STOPS = {
    "OF",
    "TO",
    "AT",
    "FROM",
    "BY",
    "IN",
    "WITH",
    "OR",
    "VS",
    "THAN",
    "BEAT",
    "MISS",
    "INLINE",
    "CONS",
    "OTHERS",
    "BE",
    "VERB",
    "SAY",
    "GUIDE",
    "GUIDENOUN",
    "MAYBE_GUIDE",
    "CONJ",
    "REL",
    "PREV",
    "UP",
    "DOWN",
    "FLAT",
    "NEG",
    "HYP",
    "VON",
    "TOPPED",
    "REPORT",
    "CAUSE",
    "WITHDRAW",
    "PRONOUN",
    "TRANS",
    "DIRECT",
    "PRE",
    "POST",
    "REG",
    "NEGOK",
}
_GERMAN_PART = re.compile(
    r"(?:inländ|ausländ|organ|digital|vergleichbar|flächenbereinig|europä|chines|amerikan|deutsch|"
    r"asiat|japan|russ|britisch|französ|international|regional|stationär|heimisch|online|"
    r"wiederkehrend|ausserbörs|außerbörs|industriell|gewerblich)\w*"
)
# Names such as "Imperial Brands" hold such a word.
_IN_NAMES = {"brands", "stores", "products", "services", "markets", "parks", "devices", "games"}
_ENGLISH_PREPOSITIONS = {
    "from",
    "in",
    "at",
    "of",
    "within",
    "for",
    "across",
    "outside",
    "per",
    "by",
    "on",
}
_GERMAN_PREPOSITIONS = {
    "mit",
    "aus",
    "in",
    "im",
    "von",
    "vom",
    "der",
    "des",
    "bei",
    "für",
    "am",
    "auf",
    "beim",
    "pro",
    "je",
    "durch",
    "an",
    "außerhalb",
}


def settle(items: list[Item], language: str) -> None:
    """Marks the measures of ``items`` that are a part's, an outlook's or an expectation's."""
    for at, item in enumerate(items):
        measure = item.measure
        if measure is None or measure.verb:
            continue
        if measure.metric != "other":
            _left(items, at, language)
            if not measure.part:
                _right(items, at, language)
        _nouns_after(items, at)


def _left(items: list[Item], at: int, language: str) -> None:
    """Modifiers before the metric, from right to left."""
    measure = items[at].measure
    assert measure is not None
    head = at
    place = at - 1
    while place >= 0:
        item = items[place]
        if item.low == "'s":
            measure.part = _possessor_is_part(items, place)
            break
        if item.low == "underlying" and measure.metric == "revenue":
            measure.part = True
            break
        if item.tags & {"VERB", "GUIDE", "MAYBE_GUIDE"} and "MOD" in item.tags and not (
            place and (items[place - 1].tags & {"DET", "OF"} or items[place - 1].low == "'s")
        ):  # fmt: skip
            break
        if item.low.startswith("operativ") and measure.metric == "net_income":
            measure.metric = "other"
        if item.kind == "period" or (
            item.tags & {"DET", "MOD", "ADV"} and not is_part(items, place)
        ):
            head = place
            if "DET" in item.tags:
                break
            place -= 1
            continue
        if item.kind != "word" or (item.tags & _STOPS and not item.tags & _PART):
            break
        if measure.metric == "users" and "REGION" not in item.tags:
            break
        if item.low in {"for", "für"}:
            break
        if _unknown_modifier(items, place, at, language):
            measure.part = True
        break
    measure.head = head


def is_part(items: list[Item], at: int) -> bool:
    """A word for a part of a company, unless it describes one ("cloud software provider")."""
    if not items[at].tags & _PART:
        return False
    if "TRANS" in items[at].tags and at + 1 < len(items) and items[at + 1].tags & {"OF", "VON"}:
        return False  # "die Marke von vier Milliarden"
    if at and items[at].low in _IN_NAMES and items[at].text[0].isupper():
        after = items[at + 1] if at + 1 < len(items) else None
        return after is None or not (after.low == "'s" or after.tags & {"VERB", "SAY"})
    if at > 1 and items[at - 1].low == "of" and "COMPANYWORD" in items[at - 2].tags:
        return False
    return not describes(items, at)


def describes(items: list[Item], at: int) -> bool:
    """The word belongs to what a company is: "cloud software provider", "the iPhone maker"."""
    for item in items[at + 1 : at + 4]:
        if "COMPANYWORD" in item.tags:
            return True
        if item.kind != "word" or item.tags & _STOPS or "DET" in item.tags:
            return False
    return False


def _possessor_is_part(items: list[Item], at: int) -> bool:
    owner = items[at - 1] if at else None
    return owner is not None and bool(owner.tags & _PART) and is_part(items, at - 1)


def _unknown_modifier(items: list[Item], at: int, measure_at: int, language: str) -> bool:
    """Whether the word before the metric makes it a part's."""
    item = items[at]
    if item.tags & {"COMPANYWORD", "SEG", "PRODUCT", "REGION"}:
        return not (language == "de" and "COMPANYWORD" in item.tags) and is_part(items, at)
    if "COMPANYWORD" in item.tags:
        return False
    if language == "de":
        if items[measure_at].glued and at == measure_at - 1:
            return not (item.text.isupper() and not item.tags and item.low not in _NO_COMPANIES)
        return bool(_GERMAN_PART.fullmatch(item.low)) and item.text[0].islower()
    if not item.text[0].isupper():
        return True
    first = at
    while first and items[first - 1].kind == "word" and items[first - 1].text[:1].isupper():
        if items[first - 1].tags & _STOPS:
            break
        first -= 1
    if any(is_part(items, place) for place in range(first, at + 1)):
        return True
    opening = first == 0 or items[first - 1].kind == "sign" or "CONJ" in items[first - 1].tags
    named = at + 1 < measure_at or first == 0
    return not (opening and named)


_NO_COMPANIES = {"us", "eu", "ki", "ai", "it", "pc", "tv", "b", "dvd", "pkw", "lkw", "ev", "app"}


def _right(items: list[Item], at: int, language: str) -> None:
    """What follows the metric: "from advertising", "in China", "im Cloud-Geschäft"."""
    measure = items[at].measure
    assert measure is not None
    place = at + 1
    while place < len(items) and items[place].kind == "period":
        place += 1
    if place >= len(items):
        return
    word = items[place]
    if word.low in ("dort", "there"):
        measure.part = True
        return
    if word.low in ("per", "pro", "je") and measure.metric != "other":
        measure.metric = "other"
        return
    known = _GERMAN_PREPOSITIONS if language == "de" else _ENGLISH_PREPOSITIONS
    if word.low not in known or word.kind != "word":
        return
    reach = _phrase_after(items, place)
    if reach is None:
        return
    if measure.metric == "users":
        measure.part = any("REGION" in item.tags for item in reach)
        return
    measure.part = _phrase_is_part(reach, word.low, language)


_NO_PARTS = {
    "total",
    "line",
    "constant",
    "local",
    "cash",
    "danish",
    "swedish",
    "norwegian",
    "euros",
    "dollars",
    "swiss",
    "u.s",
    "pounds",
    "yen",
    "rupees",
}


def _phrase_after(items: list[Item], at: int) -> list[Item] | None:
    """The noun phrase after a preposition; None if an amount or a period follows."""
    reach: list[Item] = []
    for place in range(at + 1, min(at + 8, len(items))):
        item = items[place]
        if item.kind == "amount":
            if not reach or all(one.tags & {"DET", "ADV", "TRANS", "MOD"} for one in reach):
                return None
            break
        if item.kind == "period":
            return None if not any(not one.tags & {"DET", "IN", "MOD"} for one in reach) else reach
        if item.kind in ("sign", "measure") or item.tags & {
            "VERB", "BE", "UP", "DOWN", "SAY", "TO", "CONJ", "BEAT", "MISS", "GUIDE"
        }:  # fmt: skip
            break
        reach.append(item)
    return reach


def _phrase_is_part(reach: list[Item], word: str, language: str) -> bool:
    """Whether "revenue <word> <reach>" is a part of the company's revenue."""
    content = [item for item in reach if not item.tags & {"DET", "ADV", "MOD", "IN"}]
    if not content:
        return False
    parts = any(is_part(reach, place) for place in range(len(reach)))
    first = content[0]
    if first.tags & {"TRANS", "PREV", "CONS", "OTHERS", "QOQ", "GUIDENOUN", "INLINE"}:
        return False
    if language == "en":
        if word == "at" and not any(item.text[0].isupper() or "COMPANYWORD" in item.tags
                                    for item in reach):  # fmt: skip
            return True
        if word in ("at", "for", "by", "on"):
            return parts
        if word == "of":
            return not any("COMPANYWORD" in item.tags for item in content)
        if word == "from" and first.low in ("continuing", "recurring"):
            return False
        return not (word == "in" and first.low in _NO_PARTS)
    if word in ("der", "des", "von", "vom", "bei", "für", "beim", "an", "auf"):
        return parts
    if first.low.startswith(("fortgef", "fortzu")):
        return False
    if word == "mit" and first.text[0].islower():
        return False
    if word in ("im", "in", "am"):
        return first.low not in ("konzern", "einklang", "rahmen", "vergleich", "summe", "schnitt",
                                 "jahresvergleich", "vorjahresvergleich")  # fmt: skip
    return True


def _nouns_after(items: list[Item], at: int) -> None:
    """``revenue forecast`` is an outlook, ``earnings estimate`` an expectation."""
    measure = items[at].measure
    assert measure is not None
    place = at + 1
    while place < len(items) and items[place].kind == "word" and items[place].tags & {"UP", "DOWN"}:
        if "VERB" in items[place].tags or place > at + 1:
            break
        place += 1
    if place >= len(items):
        return
    tags = items[place].tags
    if "EXPECTNOUN" in tags or items[place].low == "estimated":
        measure.expected = True
    elif (
        "GUIDENOUN" in tags
        or (at and "GUIDENOUN" in items[at - 1].tags)
        or (
            measure.head > 1
            and items[measure.head - 1].low in ("for", "für", "of", "on", "zum")
            and "GUIDENOUN" in items[measure.head - 2].tags
        )
    ):
        measure.guide = True
