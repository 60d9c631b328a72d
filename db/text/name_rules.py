"""What tells a company from the word that its name also is."""

from __future__ import annotations

import re

# Words that speak of companies; beginnings of them, so that German endings do not matter.
_BUSINESS = (
    "share|stock|investor|earning|revenue|sales|profit|quarter|guidance|outlook|forecast|analyst|"
    "ceo|cfo|chief executive|inc|corp|company|results|estimate|expectation|nasdaq|nyse|dividend|"
    "buyback|billion|million|upgrade|downgrade|rating|layoff|lawsuit|acqui|merger|antitrust|"
    "market cap|capex|margin|eps|fiscal|retailer|automaker|carmaker|chipmaker|tech giant|"
    "after hours|after-hours|premarket|beats|misses|tops|unveils|recall|trucks|vehicles|rückruf|"
    "aktie|aktion|anleger|anteilsschein|papier|konzern|unternehmen|umsatz|gewinn|verlust|quartal|"
    "prognose|ausblick|analyst|börse|boerse|boerslich|börslich|milliard|million|dividende|"
    "zahlen|jahresziel|erwartung|vorstand|hersteller|übernahme|kursziel|geschäft|bilanz|"
    "handelskette|einzelhändler|autobauer|techriese|tech-riese|technologiekonzern"
)
BUSINESS = re.compile(rf"(?<!\w)(?:{_BUSINESS})", re.IGNORECASE)
_TIED = (
    "aktie|aktien|aktionär|anleger|papier|chef|ceo|konzern|mutter|tochter|kurs|zahlen|umsatz|"
    "gewinn|quartal|manager|werk|konkurren|rival|gründer|vorstand|bilanz|anteil|prognose|titel|"
    "investor|share|stock|owned|backed|made|led|parent"
)
TIED = re.compile(rf"-(?:{_TIED})", re.IGNORECASE)
"""What a hyphen ties to a company's name: ``Meta-Aktie``, ``Amazon-owned``, unlike Meta-Analyse."""
LIKE = re.compile(r"-(?:like|style|type|free|killer|ähnlich|artig|frei)", re.IGNORECASE)
UNLIKE = re.compile(r"(?:^|[^\w])(?:ex|anti|non|nicht|pro|post|pre|un)-$", re.IGNORECASE)
PARENT = re.compile(
    r"(?:['\u2019]s?)?[ -](?:"
    r"parent(?: company)?|owner|maker|developer|operator|giant|"
    r"mutter(?:konzern|gesellschaft|firma)?|konzern|hersteller|eigner|eigentümer|betreiber|"
    r"entwickler|erfinder|besitzer|macher)(?:n|s|in)?(?!\w)",
    re.IGNORECASE,
)
"""What makes the name of a product that of its company: ``Instagram's parent``, Google-Mutter."""

_TICKER = r"[A-Z]{1,5}(?:[.\-][A-Z])?"
_EXCHANGE = r"(?:NASDAQ(?:GS|GM|CM)?|NYSE(?: ?(?:American|Arca|MKT))?|AMEX|CBOE|OTC(?:MKTS|QX|QB)?)"
LISTED = re.compile(
    rf"(?<!\w)(?i:{_EXCHANGE}) ?: ?(?P<symbols>{_TICKER}(?: ?[,;/] ?{_TICKER})*)(?![\w])"
)
TICKER = re.compile(_TICKER)
BRACKETED = re.compile(rf"\((?P<symbol>{_TICKER})\)")
CASHTAG = re.compile(rf"(?<![\w$])\$(?P<symbol>{_TICKER})(?![\w$])")
TRADED = re.compile(
    r"(?<![\w.$-])(?P<symbol>[A-Z]{3,5})(?= (?:stock|shares|earnings|Q[1-4])\b|-Aktien?\b)"
)
ISIN = re.compile(r"(?<!\w)(?P<isin>[A-Z]{2}[A-Z0-9]{9}\d)(?!\w)")
_WORDS = (
    "A AI ALL AM AN API ARE AT BE BIG BIP BY CAGR CAN CAR CEO CFO CIO COO COST CPI CTO DAX DJ DOW "
    "EBIT EPS ESG ETF EU EUR EV EZB ECB FAST FDA FED FOR FY GAAP GBP GDP GO HAS HE IPO IS IT KEY "
    "KI LIFE LOVE LOW MSCI NEWS NOW NYSE OECD ON OPEC OR PC PCE PLAY PM PMI PR QOQ R RE REAL SAFE "
    "SEC SO TRUE TV UK UN UPS US USA USD WELL WTO YOY"
)
NOT_TICKERS = frozenset(_WORDS.split())
_UNITS = "US USD CAD AUD HK NZ M MM B BN K T TN A C"
MONEY = frozenset(_UNITS.split())
BROKERS = frozenset({"JPM", "GS", "MS", "BAC", "C", "WFC", "SCHW"})
BROKING = re.compile(
    r"\b(?:price target|pt\b|rating|upgrad|downgrad|overweight|underweight|neutral\b|outperform|"
    r"underperform|buy\b|hold\b|sell\b|initiat|reiterat|reinstat|maintain|coverage\b|analyst|"
    r"catalyst|conference\b|says\b|sees\b|comments\b|discuss|calls\b|likes\b|notes\b|expects\b|"
    r"breaks down|vip list|outlook for|kursziel|stuft\b|belässt|einstufung|kaufen\b|verkaufen\b|"
    r"halten\b|empfiehlt|erwartet\b|rechnet\b)",
    re.IGNORECASE,
)
"""Sentences in which a bank judges somebody else's shares."""
LEGAL = re.compile(
    r"[,.]?\s+(?:inc|incorporated|corp|corporation|co|company|ltd|limited|plc|llc|lp|l\.p|ag|se|"
    r"sa|s\.a|nv|n\.v|holdings?|group|trust|class [a-c]|common stocks?|ordinary shares|ads|adr|"
    r"american depositary shares|the|\(the\))\.?$",
    re.IGNORECASE,
)
"""Endings of a registered name that nobody says."""


def spoken(name: str) -> str:
    """A registered name as people say it: ``Meta Platforms, Inc.`` -> ``Meta Platforms``."""
    name = " ".join(name.split())
    while (shorter := LEGAL.sub("", name).strip(" ,")) and shorter != name:
        name = shorter
    return name.removeprefix("The ")
