"""From a cleaned sentence to its items: periods, amounts, phrases with their tags."""

from __future__ import annotations

import re

from db.text.facts.amounts import Quantities
from db.text.facts.items import Amount, Item, Measure, scan
from db.text.facts.lexicon import Entry, Lexicon, lexicon
from db.text.facts.periods import mentions
from db.text.facts.ranges import join_ranges

_VERB_MEASURES = {
    "en": {"earned": "net_income", "earn": "net_income", "earns": "net_income",
           "earning": "net_income", "netted": "net_income"},
    "de": {
        **dict.fromkeys(("verdiente", "verdienten", "verdient", "verdienen"), "net_income"),
        **dict.fromkeys(("umgesetzt", "umsetzen", "umsetzte", "umsetzten", "erlöste", "erlösten",
                         "erlöst", "eingenommen", "einnahm", "einnehmen", "umsetzt"), "revenue"),
        **dict.fromkeys(("investieren", "investiert", "investierte", "investierten"), "capex"),
    },
}  # fmt: skip
_PARTICLE_VERBS = {
    **dict.fromkeys(("setzte", "setzt", "setzten"), ("um", "revenue")),
    **dict.fromkeys(("nahm", "nahmen", "nimmt"), ("ein", "revenue")),
    **dict.fromkeys(("geht", "ging", "gehen", "gingen"), ("aus", "")),
}
_COMPOUND = re.compile(
    r"(?P<first>.{2,40}?)(?P<last>umsatz|umsatzes|umsätze|umsätzen|umsatzerlöse|erlöse|erlösen|"
    r"einnahmen|gewinn|gewinne|verlust|verluste|ergebnis|überschuss|marge|investitionen|nutzer|"
    r"kunden|abonnenten|ausgaben|kosten)"
)
_GERMAN_ENDINGS = (
    (re.compile(r".{3,}(?:branche|industrie|handel|wirtschaft)$"), "INDUSTRY"),
    (re.compile(r".{2,}(?:sparte|geschäft|geschäfts|segment|bereich|tochter|division)$"), "SEG"),
    (re.compile(r".{3,}(?:prognose|ausblick)$"), "GUIDENOUN"),
    (re.compile(r".{2,}(?:aktie|aktien|papiere|titel)$"), "STOCK"),
    (re.compile(r".{3,}(?:konzern|konzerns|hersteller|herstellers|bauer|riese|anbieter|kette|"
                r"betreiber|unternehmen|unternehmens|ausrüster|spezialist|entwickler|händler|"
                r"versicherer|firma|bank|dienstleister|verleiher|dienst|lieferant|brauer|"
                r"gesellschaft|produzent|fertiger|schmiede|gruppe|lieferer)$"), "COMPANYWORD"),
)  # fmt: skip


def lex(sentence: str, language: str) -> list[Item]:
    """The items of a cleaned sentence."""
    items = _contractions(scan(sentence))
    items = _with_periods(items, sentence.lower(), language)
    items = _without_hyphens(items)
    items = Quantities(items, language).read()
    words = lexicon(language)
    items = _phrases(items, words)
    items = join_ranges(items)
    items = _attached(items, words)
    if language == "de":
        _particle_verbs(items)
    _lost(items, language)
    _per_share_before(items)
    for at, item in enumerate(items):
        if item.measure is not None:
            item.measure.at = item.measure.head = at
    return items


def _contractions(items: list[Item]) -> list[Item]:
    """``'s`` and ``n't`` as one word each; a full stop inside a sentence is an abbreviation's."""
    out: list[Item] = []
    at = 0
    while at < len(items):
        item = items[at]
        following = items[at + 1] if at + 1 < len(items) else None
        if item.low == "." and following is not None:
            at += 1
            continue
        if item.low == "'" and item.glued and following is not None and following.glued:
            if following.low == "t" and out and out[-1].low.endswith("n"):
                out.append(Item("word", "n't", "n't", item.begin, following.end, True))
                at += 2
                continue
            if following.low in ("s", "re", "ve", "ll"):
                low = "'s" if following.low == "s" else following.low
                out.append(Item("word", "'s", low, item.begin, following.end, True))
                at += 2
                continue
        if item.low == "'" and item.glued and out and out[-1].low.endswith("s"):
            item = Item("word", "'s", "'s", item.begin, item.end, True)
        out.append(item)
        at += 1
    return out


def _with_periods(items: list[Item], lowered: str, language: str) -> list[Item]:
    """The items with every stretch of time made one."""
    found = sorted(mentions(lowered, language), key=lambda one: one[0])
    if not found:
        return items
    out: list[Item] = []
    at = 0
    for begin, end, mention in found:
        while at < len(items) and items[at].end <= begin:
            out.append(items[at])
            at += 1
        first = at
        while at < len(items) and items[at].begin < end:
            at += 1
        if at > first:
            text = " ".join(item.text for item in items[first:at])
            out.append(
                Item("period", text, text.lower(), items[first].begin, items[at - 1].end,
                     items[first].glued, period=mention)
            )  # fmt: skip
    out.extend(items[at:])
    return out


def _without_hyphens(items: list[Item]) -> list[Item]:
    """Hyphens inside compounds dropped; what stood behind one is marked as glued."""
    out: list[Item] = []
    for at, item in enumerate(items):
        following = items[at + 1] if at + 1 < len(items) else None
        if item.low == "-" and item.glued and following is not None and following.glued and out:
            before = out[-1].kind
            scale = out[-1].glued and len(out) > 1 and out[-2].kind == "number"
            if following.kind in ("word", "period") and not (scale and following.low == "us"):
                continue
            if before == "word" and following.kind == "number" and not scale:
                following.glued = True
                continue
        out.append(item)
    return out


def _phrases(items: list[Item], words: Lexicon) -> list[Item]:
    """Known phrases made one item with their tags; unknown words keep none."""
    out: list[Item] = []
    lows = [item.low for item in items]
    verbs = _VERB_MEASURES[words.language]
    at = 0
    while at < len(items):
        item = items[at]
        if item.kind not in ("word", "sign") and item.kind != "number":
            out.append(item)
            at += 1
            continue
        metric = verbs.get(item.low) if item.kind == "word" else None
        if metric:
            item.kind = "measure"
            item.measure = Measure(metric, verb=True)
            out.append(item)
            at += 1
            continue
        entry = words.longest(lows, at)
        if entry is None:
            out.append(_unknown(item, words.language))
            at += 1
            continue
        size = len(entry.words)
        if size > 1 and any(one.kind not in ("word", "sign") for one in items[at : at + size]):
            entry, size = _single(words, item.low), 1
        out.append(_merged(items[at : at + size], entry))
        at += size
    return out


def _single(words: Lexicon, low: str) -> Entry:
    for entry in words.phrases.get(low, ()):
        if len(entry.words) == 1:
            return entry
    return Entry((low,), frozenset())


def _merged(items: list[Item], entry: Entry) -> Item:
    first, last = items[0], items[-1]
    text = first.text if len(items) == 1 else " ".join(item.text for item in items)
    merged = Item(first.kind, text, " ".join(entry.words), first.begin, last.end, first.glued,
                  entry.tags)  # fmt: skip
    if entry.metric:
        merged.kind = "measure"
        merged.measure = _measure(entry.metric, merged.low)
    return merged


def _measure(flags: str, low: str) -> Measure:
    metric, *more = flags.split()
    hint = ""
    if "quartal" in low or "quarterly" in low:
        hint = "quarter"
    elif low.startswith("jahres"):
        hint = "year"
    elif low.startswith("halbjahres"):
        hint = "half"
    elif low.startswith("neunmonats"):
        hint = "nine"
    return Measure(
        metric,
        loss="loss" in more,
        move=1 if "up" in more else -1 if "down" in more else 0,
        guide="guide" in more,
        weak="weak" in more,
        earnings="earnings" in more,
        period_hint=hint,
    )


def _unknown(item: Item, language: str) -> Item:
    """Words that no list holds: German compounds tell by their last part what they are."""
    if language != "de" or item.kind != "word" or len(item.low) < 5:
        return item
    if not item.text[0].isupper():
        return item
    known = _known_compound(item.low)
    if known is not None:
        item.kind, item.measure = "measure", known
        return item
    compound = _COMPOUND.fullmatch(item.low)
    if compound is not None:
        item.kind = "measure"
        item.measure = Measure("other", part=True)
        return item
    for pattern, tag in _GERMAN_ENDINGS:
        if pattern.fullmatch(item.low):
            item.tags = frozenset({tag})
            break
    return item


_GERMAN_FIRST = re.compile(
    r"(konzern|netto|quartals|jahres|gesamt|halbjahres|rekord|neunmonats|gruppen|milliarden|"
    r"millionen|unternehmens|vorjahres)(.{4,30})"
)
_GERMAN_LAST = re.compile(
    r"(.{4,30}?)s?(ziel|ziels|prognose|ausblick|vorhersage|vorgabe|spanne|planung|erwartung|plus|"
    r"wachstum|anstieg|zuwachs|sprung|steigerung|rückgang|minus|einbruch)"
)
_FALLS = ("rückgang", "minus", "einbruch")


def _known_compound(low: str) -> Measure | None:
    """``Nettogewinnziel``, ``Konzernumsatzerlöse``: known parts, put together anew."""
    words = lexicon("de")
    first = _GERMAN_FIRST.fullmatch(low)
    if first is not None and not low.startswith("vorjahres"):
        entry = words.longest([first.group(2)], 0)
        if entry is not None and entry.metric and not entry.metric.startswith("other"):
            return _measure(entry.metric, low)
    last = _GERMAN_LAST.fullmatch(low)
    if last is None:
        return None
    entry = words.longest([last.group(1)], 0)
    if entry is None or not entry.metric:
        known = _known_compound(last.group(1))
        if known is None:
            return None
    else:
        known = _measure(entry.metric, low)
    ending = last.group(2)
    if ending in ("plus", "wachstum", "anstieg", "zuwachs", "sprung", "steigerung", *_FALLS):
        known.move = -1 if ending in _FALLS else 1
    else:
        known.guide = True
    return known


_QUALIFIERS = {"ABOUT", "OVER", "UNDER"}


def _attached(items: list[Item], words: Lexicon) -> list[Item]:
    """Amounts with the qualifier before and ``a share`` behind them taken in."""
    out: list[Item] = []
    at = 0
    while at < len(items):
        item = items[at]
        at += 1
        if item.amount is None:
            out.append(item)
            continue
        amount = item.amount
        while out and _qualifies(out[-1], out, words.language):
            _qualify(amount, out[-1].tags)
            item.begin = out[-1].begin
            out.pop()
        two = [one.low for one in items[at : at + 2]]
        if len(two) == 2 and two[0] in ("or", "oder") and two[1] in ("more", "mehr", "above"):
            amount.qualifier = "over"
            at += 2
        if at < len(items) and "PERSHARE" in items[at].tags:
            amount.per_share = True
            item.end = items[at].end
            at += 1
        out.append(item)
    return out


def _qualifies(item: Item, out: list[Item], language: str) -> bool:
    """Whether the item right before an amount only says how exact it is."""
    if not item.tags & _QUALIFIERS:
        return False
    if item.low in ("over", "under", "unter", "über", "exceeding") and len(out) > 1:
        before = out[-2]
        if before.amount is not None or before.tags & {"BE", "VERB", "FLAT"}:
            return not (language == "en" and before.amount is not None)
    return True


def _qualify(amount: Amount, tags: frozenset[str]) -> None:
    for tag, name in (("OVER", "over"), ("UNDER", "under"), ("ABOUT", "about")):
        if tag in tags and not amount.qualifier:
            amount.qualifier = name  # type: ignore[assignment]


def _lost(items: list[Item], language: str) -> None:
    """``lost $10 million`` and ``1,07 Milliarden Euro verlor`` are net losses of a company."""
    words = ("lost", "loses") if language == "en" else ("verlor", "verloren", "verliert")
    for at, item in enumerate(items):
        if item.low not in words or item.kind != "word":
            continue
        following = (
            one
            for one in items[at + 1 : at + 5]
            if one.kind != "period" and not one.tags & {"IN", "DET"}
        )
        beside = [one for one in (next(following, None),) if one is not None]
        if language == "de" and at:
            beside.append(items[at - 1])
        if not any(one.amount is not None and one.amount.kind == "money" for one in beside):
            continue
        if any(
            "STOCK" in one.tags or one.low in ("value", "börsenwert", "marktwert") for one in items
        ):
            continue
        item.kind = "measure"
        item.measure = Measure("net_income", loss=True, verb=True)


def _particle_verbs(items: list[Item]) -> None:
    """``setzte ... um`` and ``nahm ... ein`` are revenue; the particle ends its clause."""
    for at, item in enumerate(items):
        particle = _PARTICLE_VERBS.get(item.low)
        if particle is None or item.kind == "measure":
            continue
        for later in range(at + 1, min(at + 30, len(items))):
            if items[later].low == ";":
                break
            if items[later].low == particle[0] and _ends_clause(items, later):
                if not particle[1]:
                    item.tags = frozenset({"GUIDE", "VERB"})
                    break
                item.kind = "measure"
                item.measure = Measure(particle[1], verb=True)
                items[later].tags = frozenset({"PARTICLE"})
                break


def _per_share_before(items: list[Item]) -> None:
    """``verdiente je Aktie 1,32 Euro``."""
    for at, item in enumerate(items):
        if "PERSHARE" not in item.tags:
            continue
        for later in items[at + 1 : at + 6]:
            if later.low in (",", ";"):
                break
            if later.amount is not None:
                later.amount.per_share = later.amount.kind == "money"
                break


def _ends_clause(items: list[Item], at: int) -> bool:
    if at + 1 >= len(items):
        return True
    following = items[at + 1]
    return following.kind == "sign" or bool(following.tags & {"CONJ", "VS"})
