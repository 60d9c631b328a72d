"""The company a figure is about, as the sentence writes it."""

from __future__ import annotations

import re

from db.text.facts.clauses import Clause
from db.text.facts.items import Item
from db.text.facts.wordlists import listed

_NO_NAMES = frozenset(
    listed(
        "citing monday tuesday wednesday thursday friday saturday sunday january february "
        "march april may june july august september october november december chief executive "
        "officer ceo cfo german french chinese american swiss british japanese dutch danish "
        "korean indian italian swedish european gaap q1 q2 q3 q4 street excluding "
        "sequentially frankfurt milan zurich london paris tokyo xetra montag dienstag "
        "mittwoch donnerstag freitag januar februar märz mai juni juli oktober dezember "
        "finanzchef finanzchefin vorstandschef vorstandschefin vorstand chef konzernchef "
        "prozent experten europe europe's mr ms dr shares updated adjusted diluted chair "
        "finance director fiscal we our however meanwhile overall quarterly annual worldwide "
        "täglich wegen insgesamt unterm aufgrund kopenhagen dublin zürich paris mailand "
        "papiere besser nettoumsatz weihnachtsgeschäft börse handel quartal umsätze reports "
        "posts"
    )
)
_LEGAL = frozenset(
    listed("inc corp co ltd plc ag se sa nv gmbh kgaa group holdings holding & bank")
)
_ARTICLES = frozenset(listed("der die das dem den des ein eine einem einer"))
_DESCRIBES = re.compile(
    r".*(?:konzerns?|hersteller|bauer|anbieter|versicherer|spezialist|betreiber|ausrüster|riesen?|"
    r"händler|kette|dienst|zulieferer|bank|firma|unternehmen|entwickler|verleiher|lieferant|"
    r"brauer|produzent|verlag|vermieter|gesellschaft|gruppe|tochter|fluglinie|airline|reederei|"
    r"börsenbetreiber|sportwagenbauer|iker|ler|entin|macher|holding)"
)
_FUNCTION_WORDS = frozenset(
    listed(
        "for in on at by of to from with without after before since until till during as about "
        "over under above below between among against amid across around despite excluding "
        "including per through throughout toward towards within upon versus via like unlike "
        "beyond behind the a an this that these those its his her their our my your it they he "
        "she we i you what which who whose where when while why how if unless because although "
        "though whereas and or but nor yet so both either neither each every all any some most "
        "many much more less fewer few several such no not only just even still also again "
        "already almost nearly roughly approximately now then today yesterday tomorrow here "
        "there thus hence therefore however instead meanwhile moreover furthermore additionally "
        "separately earlier later previously currently recently lately finally first second "
        "third fourth last next once twice otherwise overall altogether together compared based "
        "according thanks given due driven helped boosted hurt looking going one two three four "
        "five six seven eight nine ten half another other others same is are was were be been "
        "being has have had do does did will would can could may might shall should must für im "
        "am auf aus bei beim bis durch gegen gegenüber mit nach ohne seit statt trotz über um "
        "unter vom von vor während wegen zu zum zur zwischen hinter neben binnen innerhalb "
        "außerhalb laut gemäß dank angesichts anhand aufgrund mangels je pro ab ins ans aufs "
        "der die das den dem des ein eine einen einem einer eines dieser diese dieses diesen "
        "diesem jener jene jenes jeder jede jedes alle allen aller beide beiden sein seine "
        "seinen seinem seiner ihr ihre ihren ihrem ihrer unser unsere er sie es wir ich man wer "
        "wie wo wann warum wenn weil dass ob obwohl nachdem bevor sobald solange und oder aber "
        "sondern denn doch jedoch auch noch nur schon sogar erst bereits dann danach davor "
        "dabei damit dazu daher deshalb darum dagegen dennoch trotzdem hingegen allerdings "
        "außerdem zudem ferner zugleich gleichzeitig indes indessen inzwischen mittlerweile "
        "derzeit aktuell jetzt nun heute gestern morgen zuletzt zuvor zunächst später früher "
        "bislang bisher künftig insgesamt somit hier dort da nicht kein keine keinen mehr "
        "weniger rund etwa knapp gut ungefähr fast nahezu mindestens höchstens zwei drei vier "
        "fünf sechs sieben acht neun zehn ist sind war waren wird werden wurde wurden hat haben "
        "hatte hatten soll sollen kann können anstatt anders unterdessen stattdessen obgleich "
        "wobei davon darunter nahe"
    )
)
"""Prepositions, determiners, pronouns, conjunctions, adverbs and auxiliaries: never a company."""
_NAMED = frozenset(
    (nation, name)
    for nation, named in {
        "american": "express airlines eagle tower",
        "british": "airways american",
        "swiss": "re life",
        "dutch": "bros",
        "capital": "one",
        "on": "holding",
        "first": "solar citizens republic horizon quantum",
        "under": "armour",
        "beyond": "meat",
        "five": "below guys",
        "seven": "&",
    }.items()
    for name in named.split()
)
Name = tuple[int, int]


def names(items: list[Item], language: str) -> list[Name]:
    """Runs of capitalised words that may be names, as begin and end among the items."""
    found: list[Name] = []
    at = 0
    while at < len(items):
        if not _may_name(items, at, language):
            at += 1
            continue
        end = at + 1
        while end < len(items) and (_may_name(items, end, language) or _joins(items, end)):
            end += 1
        begin = _without_description(items, at, end, language)
        if begin < end:
            found.append((begin, end))
        at = end
    return found


def _may_name(items: list[Item], at: int, language: str) -> bool:
    item = items[at]
    if item.kind == "amount" and item.text == "3 M":
        return True
    if item.kind != "word" or not item.text[:1].isupper():
        return False
    following = items[at + 1].low if at + 1 < len(items) else ""
    before = items[at - 1].low if at else ""
    if (item.low, following) in _NAMED or (before, item.low) in _NAMED:
        return True
    if item.low in _NO_NAMES:
        return False
    if item.low in _FUNCTION_WORDS and not _named_so(items, at):
        return False
    if item.low in _LEGAL and at and items[at - 1].text[:1].isupper():
        return True
    return not item.tags or (item.tags <= {"COMPANYWORD", "MOD"} and language == "en" and at > 0)


def _named_so(items: list[Item], at: int) -> bool:
    """``On Holding``, ``IBM and Next plc``: a legal form makes even such a word a name."""
    if items[at].text.isupper() and len(items[at].text) > 1:
        return True
    before = items[at - 1] if at else None
    if before is not None and _capital(before) and before.low not in _FUNCTION_WORDS:
        return True  # "Capital One"
    following = items[at + 1] if at + 1 < len(items) else None
    if following is None:
        return False
    inside = before is not None and before.kind != "sign" and _capital(following)
    legal = following.low in _LEGAL and following.low not in ("se", "bank")
    return inside or legal


def _capital(item: Item) -> bool:
    return item.kind == "word" and not item.tags and item.text[:1].isupper()


def _joins(items: list[Item], at: int) -> bool:
    """``&`` and ``.`` inside a name."""
    return items[at].low in ("&", "+") and at + 1 < len(items) and items[at + 1].text[:1].isupper()


def _without_description(items: list[Item], begin: int, end: int, language: str) -> int:
    """``Technologiekonzern Siemens`` is Siemens; a single noun with its article is no name."""
    if language == "en":
        return begin
    while end - begin > 1 and _DESCRIBES.fullmatch(items[begin].low):
        begin += 1
    before = items[begin - 1].low if begin else ""
    single = end - begin == 1
    word = items[begin].text
    if single and (_DESCRIBES.fullmatch(items[begin].low) or items[begin].low.endswith("ung")):
        return begin if word.endswith("bank") and word != "Bank" else end
    if single and before in _ARTICLES and not word.isupper() and before not in ("die", "der"):
        return end
    if single and before in ("der", "das") and not word.isupper():
        return end
    return begin


def written(text: str, items: list[Item], name: Name) -> str:
    """The name as the sentence has it."""
    last = items[name[1] - 1]
    found = text[items[name[0]].begin : last.end]
    if last.low in ("inc", "co", "corp", "ltd") and text[last.end : last.end + 1] == ".":
        found += "."
    return found


def company_of(
    items: list[Item], clauses: list[Clause], clause: Clause, at: int, known: list[Name]
) -> Name | None:
    """The name that the measure at ``at`` in ``clause`` belongs to."""
    inside = [name for name in known if clause.begin <= name[0] < clause.end]
    owners = [name for name in inside if name[1] < len(items) and items[name[1]].low == "'s"
              and name[1] <= at]  # fmt: skip
    if owners:
        return owners[-1]
    subjects = [name for name in inside if name[0] < at and _is_subject(items, name)]
    if subjects:
        return subjects[0]
    for name in inside:
        before = items[name[0] - 1]
        if name[0] > at and (before.low in _OWNING or _is_verb(before)):
            return name
    return _elsewhere(items, clauses, clauses.index(clause), known)


_OWNING = {"at", "von", "bei", "der", "des", "die", "of", "hat", "vom"}


def _elsewhere(
    items: list[Item], clauses: list[Clause], place: int, known: list[Name]
) -> Name | None:
    """A name in another clause: a subject before, or the one who says so behind."""
    for other in reversed(clauses[:place]):
        for name in known:
            if other.begin <= name[0] < other.end and (_is_subject(items, name) or not place):
                return name
    for other in clauses[place:]:
        for name in known:
            following = items[name[1]] if name[1] < len(items) else None
            if other.begin <= name[0] < other.end:
                if following is not None and "SAY" in following.tags:
                    return name
                if items[name[0] - 1].low in ("mit", "said") and name[0] >= len(items) - 3:
                    return name
    return None


def _is_verb(item: Item) -> bool:
    return "VERB" in item.tags or (item.measure is not None and item.measure.verb)


def _is_subject(items: list[Item], name: Name) -> bool:
    before = items[name[0] - 1] if name[0] else None
    if before is None:
        return True
    return not before.tags & {"IN", "FROM", "TO", "THAN", "VS"}
