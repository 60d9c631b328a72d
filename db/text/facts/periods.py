"""Stretches of time: how they are written, and which fiscal period is meant.

A mention is relative to the day of publication: "the fourth quarter" is the last completed one of
that name for a figure that is reported, and the next one that is not over for an outlook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date

from db.text.facts.items import PeriodMention

_EN_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "final": 4, "opening": 1,
    "1st": 1, "2nd": 2, "3rd": 3, "4th": 4,
}  # fmt: skip
_EN_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_EN_SHORT = "jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec"
_DE_MONTHS = "januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember"
_MONTHS = {
    name: at % 12 + 1
    for names in (_EN_MONTHS, _DE_MONTHS)
    for at, name in enumerate(names.split("|"))
} | {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sept": 9, "sep": 9,
     "oct": 10, "nov": 11, "dec": 12}  # fmt: skip
_COUNTS = {
    "three": 3, "six": 6, "nine": 9, "twelve": 12, "drei": 3, "sechs": 6, "neun": 9, "zwölf": 12,
    "13": 3, "26": 6, "39": 9, "52": 12, "3": 3, "6": 6, "9": 9, "12": 12, "53": 12, "12-": 3,
    "14": 3, "27": 6,
}  # fmt: skip

_EM = f"(?P<month>{_EN_MONTHS}|(?:{_EN_SHORT})\\b\\.?)"
_DM = f"(?P<month>{_DE_MONTHS})"
_YEAR = r"(?:20\d\d(?:[/-]\d\d)?)"
_EN_YEAR = (
    r"(?:,? (?:of |in |for )?(?:the )?(?:fiscal |full |calendar )?(?:year )?"
    rf"(?P<year>{_YEAR})(?![\d.,]\d))?"
)
_DE_YEAR = (
    rf"(?:(?: des| im)?(?: laufenden)?(?: geschäftsjahr(?:e?s)?| fiskaljahr(?:e?s)?| jahres)?"
    rf" (?P<year>{_YEAR})(?![\d.,]\d))?"
)

Reader = Callable[[re.Match[str]], PeriodMention]


def _year(found: re.Match[str]) -> int:
    """The fiscal year written in a match: 2024/25 ends in 2025; 0 where none is."""
    text = found.groupdict().get("year") or ""
    if not text:
        return 0
    if len(text) <= 3:
        return 2000 + int(text.lstrip("'"))
    first = int(text[:4])
    return first + 1 if len(text) == 7 and int(text[5:]) == (first + 1) % 100 else first


def _quarter(found: re.Match[str]) -> PeriodMention:
    text = found.group("n")
    number = _EN_ORDINALS.get(text) or _DE_NUMBERS.get(text[:5]) or int(text[0])
    return PeriodMention("Q", number, _year(found))


def _half(found: re.Match[str]) -> PeriodMention:
    text = found.group("n")
    number = _EN_ORDINALS.get(text) or _DE_NUMBERS.get(text[:5]) or int(text[0])
    return PeriodMention("H", number, _year(found))


def _months(found: re.Match[str]) -> PeriodMention:
    """``six months to 30 September``: months passed, by the calendar month they end in."""
    count = _COUNTS.get(found.group("n"), 3)
    end = _MONTHS.get(found.group("month").rstrip("."), 12)
    return PeriodMention("month", end, _year(found), relative=count, calendar=True)


def _span(found: re.Match[str]) -> PeriodMention:
    """``July-September``."""
    first, last = (_MONTHS[found.group(one).rstrip(".")] for one in ("from", "month"))
    return PeriodMention(
        "month", last, _year(found), relative=(last - first) % 12 + 1, calendar=True
    )


def _first_months(found: re.Match[str]) -> PeriodMention:
    count = _COUNTS.get(found.group("n"), 9)
    if count == 6:
        return PeriodMention("H", 1, _year(found))
    if count == 3:
        return PeriodMention("Q", 1, _year(found))
    return PeriodMention("M" if count == 9 else "FY", count, _year(found))


def _fixed(unit: str, number: int = 0, relative: int | None = None) -> Reader:
    def read(found: re.Match[str]) -> PeriodMention:
        return PeriodMention(unit, number, _year(found), relative)  # type: ignore[arg-type]

    return read


def _calendar_quarter(found: re.Match[str]) -> PeriodMention:
    month = _MONTHS.get((found.groupdict().get("month") or "december").rstrip("."), 12)
    return PeriodMention("month", month, _year(found), relative=3, calendar=True)


_DE_NUMBERS = {"erste": 1, "zweit": 2, "dritt": 3, "viert": 4}
_END_OF = r"(?:\d{1,2}\.? |ende |end of |end-)?"
_EN_RULES: tuple[tuple[str, Reader | None], ...] = (
    # what is only compared with is no period of the fact
    ((r"(?:year[- ]ago|year[- ]earlier|prior[- ]year|previous|preceding|prior|comparable|"
     r"corresponding|same) (?:[a-z]+[- ])?(?:quarter|period|half|year|months)(?: last year)?"
     rf"(?: (?:of|in) {_YEAR})?|"
     r"(?:quarter|period) a year (?:ago|earlier|before)|quarter (?:earlier|before)"), None),
    ((rf"(?P<n>three|six|nine|twelve|13|26|39|52|14|27|12|[369])[- ](?:months?|weeks?)"
     rf"(?: period)?,? (?:to|ended|ending|through|until|up to)(?: on)?(?: the)? {_END_OF}{_EM}"
     rf"(?: \d{{1,2}}(?!\d))?(?:,? (?P<year>{_YEAR}))?"), _months),
    ((r"(?:year|quarter|half|period) (?:to|ended|ending|through)(?: on)?(?: the)? "
     rf"{_END_OF}{_EM}(?: \d{{1,2}}(?!\d))?(?:,? (?P<year>{_YEAR}))?"),
     lambda found: PeriodMention(
         "month", _MONTHS[found.group("month").rstrip(".")], _year(found),
         relative={"y": 12, "q": 3, "h": 6, "p": 3}[found.group()[0]], calendar=True)),
    ((r"(?:fiscal |financial )?(?P<n>first|second|third|fourth|final|opening|[1-4](?:st|nd|rd|th))"
     rf"[- ](?:fiscal )?quarter(?! (?:ago|before))(?:'s)?{_EN_YEAR}"), _quarter),
    (rf"\bf?q(?P<n>[1-4])(?!\d)(?:[ -]?(?:fy|fiscal )?'?(?P<year>{_YEAR}|2\d(?!\d)))?", _quarter),
    (r"(?<![\d.,$])(?P<n>[1-4])q(?:[ -]?'?(?P<year>20\d\d|2\d))?(?!\w)", _quarter),
    ((rf"(?P<from>{_EN_MONTHS}|(?:{_EN_SHORT})\b\.?)(?:-|–| to | through | and ){_EM}"
     rf"(?: (?:quarter|period|half|months))?(?: (?P<year>{_YEAR}))?"), _span),
    (rf"{_EM} quarter(?: of)?(?: (?P<year>{_YEAR}))?", _calendar_quarter),
    (rf"(?:holiday|christmas)[- ](?:shopping )?(?:quarter|period)(?: of)?(?: (?P<year>{_YEAR}))?",
     _calendar_quarter),
    (rf"(?:fiscal )?(?P<n>first|second)[- ]half(?! of the (?:decade|month)){_EN_YEAR}", _half),
    (rf"\bh(?P<n>[12])(?!\d)(?:[ -]?'?(?P<year>{_YEAR}|2\d(?!\d)))?", _half),
    (r"(?<![\d.,$])(?P<n>[12])h(?:[ -]?'?(?P<year>20\d\d|2\d))?(?!\w)", _half),
    (r"half[- ]year(?:ly)?", _fixed("H", 0, -1)),
    ((rf"(?:first )?(?P<n>nine|six|three|9|6)[- ]months?(?: period)?(?: of)?"
     rf"(?: (?:the )?(?:fiscal )?(?:year )?(?P<year>{_YEAR}))?"), _first_months),
    (r"(?:the )?(?:current|present|ongoing|this)(?: fiscal)? quarter", _fixed("Q", 0, 0)),
    (r"(?:the )?(?:next|coming|upcoming)(?: fiscal)? quarter", _fixed("Q", 0, 1)),
    (r"(?:the )?(?:last|latest|most recent|past|just[- ]ended|just ended)(?: fiscal)? quarter",
     _fixed("Q", 0, -1)),
    (r"\b(?:the|its|their) (?:fiscal )?quarter\b", _fixed("Q", 0)),
    (r"quarterly", _fixed("Q", 0, -1)),
    (r"\bfy[- ]?'?(?P<year>20\d\d|\d\d)(?!\d)", _fixed("FY")),
    (rf"(?:full[- ]|fiscal |financial |calendar )+(?:year )?(?P<year>{_YEAR})(?![\d.,]\d)",
     _fixed("FY")),
    ((r"(?:this|current|the current|ongoing|new|its new|the new) (?:full |fiscal |financial |"
     r"calendar |business )?year"), _fixed("FY", 0, 0)),
    (r"(?:next|coming|upcoming|the following) (?:full |fiscal |financial |calendar )?year",
     _fixed("FY", 0, 1)),
    (r"(?:last|past|just[- ]ended|latest) (?:full |fiscal |financial |calendar )?year",
     _fixed("FY", 0, -1)),
    ((r"(?:in|than|from|than in|over|on) the year[- ](?:before|earlier|ago)|the year[- ]before|"
     r"a year (?:ago|earlier|before|prior)|year[- ](?:over|on)[- ]year|year[- ]to[- ]date"), None),
    ((r"full[- ](?:fiscal[- ]|financial[- ])?year|whole[- ]year|\bannual\b|"
     r"(?:\b(?:the|its|their) )(?:full |fiscal |financial |whole )?year\b(?!['-])"
            r"(?! (?:ago|earlier))"),
     _fixed("FY", 0)),
    (rf"(?:at |by |as of )?(?:the )?(?:end of |late |end-)(?P<month>{_EN_MONTHS})",
     _calendar_quarter),
    ((r"(?<![\d.,$€£/-])(?P<year>20[0-4]\d(?:[/-]\d\d)?)(?![\d%]|[.,]\d|[- ](?:billion|million|"
     r"trillion|percent|employees|people|users|euros|dollars))"), _fixed("FY")),
    (r"(?<=\bthe )(?P<n>first|second|third|fourth)(?=,| and\b|;|\.|$| when| as | while)", _quarter),
)  # fmt: skip
_DE_RULES: tuple[tuple[str, Reader | None], ...] = (
    ((r"vorjahres?(?:quartal|zeitraum|periode|wert|monat|halbjahr)?\w*|vorquartal\w*|"
     r"(?:quartal|zeitraum|periode|halbjahr) (?:des vorjahres|ein jahr zuvor|zuvor)|"
     rf"gleiche[nrs]? (?:quartal|zeitraum|periode)(?: {_YEAR})?"), None),
    ((rf"(?P<n>drei|sechs|neun|zwölf|[369]|12) monaten?,? (?:bis|per|zum)(?: zum)? {_END_OF}{_DM}"
     rf"(?: (?P<year>{_YEAR}))?"), _months),
    ((rf"(?:geschäfts|wirtschafts|fiskal)?jahr(?:es)? (?:bis|per|zum|das (?:im|ende))(?: zum)? "
     rf"{_END_OF}{_DM}(?: (?P<year>{_YEAR}))?"),
     lambda found: PeriodMention("month", _MONTHS[found.group("month")], _year(found),
                                 relative=12, calendar=True)),
    (rf"quartal(?:s)? (?:bis|per|zum)(?: zum)? {_END_OF}{_DM}(?: (?P<year>{_YEAR}))?",
     _calendar_quarter),
    ((rf"(?:laufenden? |abgelaufenen? |vergangenen? )?(?P<n>erste|zweite|dritte|vierte|"
            r"[1-4]\.)[nrs]?"
     rf"[- ](?:geschäfts|fiskal|finanz)?quartals?{_DE_YEAR}"), _quarter),
    (rf"\bq(?P<n>[1-4])(?!\d)(?:[ /-]?(?P<year>{_YEAR}|2\d(?!\d)))?", _quarter),
    (rf"auftaktquartals?{_DE_YEAR}", _fixed("Q", 1)),
    (rf"(?:schluss|jahresend|end)quartals?{_DE_YEAR}", _fixed("Q", 4)),
    (rf"weihnachts(?:quartals?|geschäfts?)(?: (?P<year>{_YEAR}))?", _calendar_quarter),
    (rf"(?P<from>{_DE_MONTHS})(?:-|–| bis(?: ende)? | und ){_DM}(?: (?P<year>{_YEAR}))?", _span),
    (rf"(?P<n>erste|zweite|[12]\.)[nrs]? (?:geschäfts)?halbjahr(?:e?s)?{_DE_YEAR}", _half),
    (rf"\bh(?P<n>[12])(?!\d)(?: (?P<year>{_YEAR}))?", _half),
    (rf"(?:zur jahresmitte|zum halbjahr|halbjahr){_DE_YEAR}", _fixed("H", 0, -1)),
    ((rf"(?:ersten |zurückliegenden |vergangenen )?(?P<n>neun|sechs|drei|9|6|3) monaten?"
     rf"{_DE_YEAR}(?! (?:zuvor|früher|später))"), _first_months),
    (rf"neunmonatszeitraum{_DE_YEAR}", _fixed("M", 9)),
    (r"(?:laufende|aktuelle|dieses|diesem|gegenwärtige|angelaufene)[nrsm]? (?:geschäfts)?quartals?",
     _fixed("Q", 0, 0)),
    (r"(?:kommende|nächste|folgende)[nrs]? (?:geschäfts)?quartals?", _fixed("Q", 0, 1)),
    ((r"(?:abgelaufene|vergangene|letzte|zurückliegende|abgeschlossene|jüngste|beendete)[nrs]? "
     r"(?:geschäfts)?quartals?"), _fixed("Q", 0, -1)),
    (r"(?:berichtsquartal|im quartal|des quartals|quartalszeitraum|das quartal)s?\b(?! zuvor)",
     _fixed("Q", 0)),
    ((rf"(?:laufende|aktuelle|angelaufene|gerade begonnene|begonnene|neue)[nrsm]? "
     rf"(?:geschäfts|gesamt|fiskal|kalender)?jahr(?:e?s)?(?: (?P<year>{_YEAR}))?"),
     _fixed("FY", 0, 0)),
    (r"(?:dieses|diesem) (?:geschäfts|fiskal)?jahr|heuer", _fixed("FY", 0, 0)),
    (r"(?:kommende|nächste|folgende)[nrsm]? (?:geschäfts|kalender|fiskal)?jahr(?:e?s)?",
     _fixed("FY", 0, 1)),
    ((rf"(?:abgelaufene|vergangene|letzte|zurückliegende|abgeschlossene|vorige|beendete)[nrsm]? "
     rf"(?:geschäfts|fiskal|kalender)?jahr(?:e?s)?{_DE_YEAR}"), _fixed("FY", 0, -1)),
    ((rf"(?:geschäfts|gesamt|fiskal|wirtschafts|berichts)jahr(?:e?s)?(?: (?P<year>{_YEAR}))?"
     r"(?! (?:zuvor|davor))"), _fixed("FY", 0)),
    (rf"\bjahr(?:es)? (?P<year>{_YEAR})", _fixed("FY")),
    ((r"(?:auf|im|übers|zum) (?:ganze[ns] )?jahr(?:esende)?(?: gesehen| gerechnet)?"
     r"(?! (?:zuvor|davor|20))"), _fixed("FY", 0)),
    (rf"(?:ende|per ende|zum ende)(?: des)? {_DM}(?: (?P<year>{_YEAR}))?", _calendar_quarter),
    ((r"(?<![\d.,$€/-])(?P<year>20[0-4]\d(?:[/-]\d\d)?)(?![\d%]|[.,]\d|[- ](?:milli|billi|euro|"
     r"mitarbeiter|beschäftigte|prozent|stellen|mio|mrd|dollar|nutzer|kunden|franken))"),
     _fixed("FY")),
    ((r"(?<=\bim )(?P<n>ersten|zweiten|dritten|vierten)(?=,| bei| auf| und|;|\.|$| noch| dann| mit"
     r"| \d)"), _quarter),
)  # fmt: skip


_GATE = re.compile(
    r"\d|quart|year|jahr|half|month|monat|first|second|third|fourth|annual|end of|ende |zweite|"
    r"dritte|vierte|erste|heuer|period|weihnacht"
)
"""Says quickly whether any rule can match."""

Rules = tuple[tuple[re.Pattern[str], Reader | None], ...]


def _compiled(rules: tuple[tuple[str, Reader | None], ...]) -> Rules:
    """The rules as whole words."""
    return tuple((re.compile(_whole(pattern)), reader) for pattern, reader in rules)


def _whole(pattern: str) -> str:
    if pattern.startswith((r"\b", "(?<")):
        return pattern
    return rf"\b(?:{pattern})(?![a-zäöüß])"


_RULES = {"en": _compiled(_EN_RULES), "de": _compiled(_DE_RULES)}


def mentions(lowered: str, language: str) -> Iterator[tuple[int, int, PeriodMention]]:
    """Begin, end and meaning of the periods in a cleaned, lower-cased sentence, in no order.

    Earlier rules take precedence; what a rule without a meaning covers is no period.
    """
    if not _GATE.search(lowered):
        return
    taken: list[tuple[int, int]] = []
    for pattern, reader in _RULES[language]:
        for found in pattern.finditer(lowered):
            begin, end = found.span()
            if any(begin < other_end and other < end for other, other_end in taken):
                continue
            taken.append((begin, end))
            if reader is not None:
                yield begin, end, reader(found)


def _fiscal(year: int, month: int, fiscal_year_end: int) -> tuple[int, int]:
    """The fiscal year and the month within it (1 .. 12) of a calendar month."""
    passed = (month - fiscal_year_end - 1) % 12 + 1
    return (year if month <= fiscal_year_end else year + 1), passed


def resolve(
    mention: PeriodMention, *, published: date, fiscal_year_end: int, guidance: bool
) -> str:
    """The fiscal period that is meant, such as ``2025Q4``; empty where it cannot be told."""
    year, passed = _fiscal(published.year, published.month, fiscal_year_end)
    quarter = (passed - 1) // 3 + 1
    if mention.unit == "month":
        return _by_month(mention, published, fiscal_year_end, guidance)
    if mention.unit == "FY":
        return _fiscal_year(mention, year, guidance)
    if mention.unit == "Q" and not mention.number:
        return _relative_quarter(mention, year, quarter, guidance)
    if mention.unit == "Q":
        return f"{mention.year or _named(mention.number, quarter, year, guidance)}Q{mention.number}"
    half = (quarter - 1) // 2 + 1
    if mention.unit == "H":
        if not mention.number:
            number, of = (2, year - 1) if half == 1 else (1, year)
            return f"{mention.year or of}H{1 if mention.year else number}"
        return f"{mention.year or _named(mention.number, half, year, guidance)}H{mention.number}"
    return f"{mention.year or (year if quarter == 4 or guidance else year - 1)}M9"


def _named(number: int, current: int, year: int, guidance: bool) -> int:
    """The fiscal year of the n-th quarter or half: the last one over, or the next not over."""
    if guidance:
        return year if number >= current else year + 1
    return year if number < current else year - 1


def _fiscal_year(mention: PeriodMention, year: int, guidance: bool) -> str:
    if mention.year:
        return f"{mention.year}FY"
    if mention.relative is not None:
        return f"{year + mention.relative}FY"
    return f"{year if guidance else year - 1}FY"


def _relative_quarter(mention: PeriodMention, year: int, quarter: int, guidance: bool) -> str:
    shift = mention.relative if mention.relative is not None else (0 if guidance else -1)
    if guidance and shift < 0:
        shift = 0
    place = year * 4 + quarter - 1 + shift
    return f"{place // 4}Q{place % 4 + 1}"


def _by_month(mention: PeriodMention, published: date, fiscal_year_end: int, guidance: bool) -> str:
    """A stretch that ends with a calendar month: the last such one, or the next for an outlook."""
    month, count = mention.number, mention.relative or 3
    year = mention.year
    if not year:
        over = (published.month, published.day) > (month, 24)
        year = published.year + (1 if over else 0) if guidance else published.year - (not over)
    fiscal_year, passed = _fiscal(year, month, fiscal_year_end)
    if count >= 11:
        return f"{fiscal_year}FY" if passed == 12 else ""
    if count == 3 and passed % 3 == 0:
        return f"{fiscal_year}Q{passed // 3}"
    if count == 6 and passed % 6 == 0:
        return f"{fiscal_year}H{passed // 6}"
    return f"{fiscal_year}M9" if count == 9 and passed == 9 else ""
