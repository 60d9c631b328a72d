"""Currencies as they are written: signs, codes, words and their hundredths."""

from __future__ import annotations

from db.text.facts.wordlists import listed

SIGNS = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₩": "KRW", "₹": "INR", "₽": "RUB"}
DOLLARS = {
    "us": "USD",
    "u.s": "USD",
    "hk": "HKD",
    "nt": "TWD",
    "a": "AUD",
    "au": "AUD",
    "c": "CAD",
    "ca": "CAD",
    "s": "SGD",
    "r": "BRL",
    "cad": "CAD",
    "usd": "USD",
    "mx": "MXN",
    "nz": "NZD",
}
CODES = {
    code: code
    for code in listed(
        "USD EUR GBP CHF JPY CNY HKD TWD KRW INR CAD AUD SEK NOK DKK SGD BRL MXN PLN TRY ZAR "
        "ILS CZK HUF NZD THB MYR IDR SAR AED RUB"
    )
} | {
    "RMB": "CNY",
    "NTD": "TWD",
    "Rs": "INR",
    "SFr": "CHF",
    "Fr": "CHF",
    "TEUR": "EUR",
    "MEUR": "EUR",
    "EURO": "EUR",
    "CNH": "CNY",
}
CODE_SCALES = {"TEUR": 1e3, "MEUR": 1e6}

_EN = {
    "USD": "dollar dollars|u.s dollars|us dollars|u.s dollar|us dollar|american dollars",
    "EUR": "euro euros",
    "GBP": "pound pounds|pounds sterling|pound sterling|british pounds|sterling",
    "JPY": "yen|japanese yen",
    "CNY": "yuan renminbi rmb|chinese yuan",
    "KRW": "won|korean won|south korean won",
    "INR": "rupees rupee|indian rupees",
    "CHF": "francs franc|swiss francs|swiss franc",
    "DKK": "danish kr|kroner|danish kroner|danish crowns|danish krone|danish kr",
    "SEK": "swedish crowns|swedish kronor|kronor|swedish krona|krona|swedish kroner",
    "NOK": "norwegian crowns|norwegian kroner|norwegian krone",
    "HKD": "hong kong dollars|hk dollars",
    "TWD": "taiwan dollars|new taiwan dollars|nt dollars",
    "CAD": "canadian dollars",
    "AUD": "australian dollars",
    "SGD": "singapore dollars",
    "BRL": "reais|brazilian reais",
    "MXN": "pesos|mexican pesos",
    "ZAR": "rand",
    "RUB": "rubles roubles",
    "TRY": "lira|turkish lira",
    "PLN": "zloty zlotys|polish zlotys",
    "ILS": "shekels",
    "SAR": "riyals|saudi riyals",
    "AED": "dirhams",
}
_DE = {
    "USD": "dollar|us dollar|us dollars|u.s dollar",
    "EUR": "euro euros eur",
    "GBP": "pfund|britische pfund|pfund sterling",
    "JPY": "yen|japanische yen",
    "CNY": "yuan renminbi|chinesische yuan",
    "KRW": "won|südkoreanische won|koreanische won",
    "INR": "rupien|indische rupien",
    "CHF": "franken|schweizer franken|sfr",
    "DKK": "dänische kronen|dänischer kronen|dänischen kronen",
    "SEK": "schwedische kronen|schwedischer kronen|schwedischen kronen",
    "NOK": "norwegische kronen|norwegischer kronen|norwegischen kronen",
    "HKD": "hongkong dollar",
    "TWD": "taiwan dollar|taiwanische dollar|nt dollar",
    "CAD": "kanadische dollar|kanadischen dollar|kanada dollar",
    "AUD": "australische dollar|australischen dollar",
    "SGD": "singapur dollar",
    "BRL": "real reais|brasilianische real",
    "RUB": "rubel",
    "TRY": "lira|türkische lira",
    "PLN": "zloty",
    "CZK": "tschechische kronen",
    "HUF": "forint",
    "ZAR": "rand",
}


def _phrases(source: dict[str, str]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for code, text in source.items():
        for at, part in enumerate(text.split("|")):
            words = part.split()
            if at:
                found[tuple(words)] = code
            else:
                found.update(
                    {(word,): code for word in words}
                    if not _is_phrase(part)
                    else {tuple(words): code}
                )
    return found


def _is_phrase(part: str) -> bool:
    """Whether the first entry of a currency is one phrase rather than several single words."""
    return part.split(maxsplit=1)[0] in (
        "danish",
        "swedish",
        "norwegian",
        "hong",
        "taiwan",
        "canadian",
        "australian",
        "singapore",
        "dänische",
        "schwedische",
        "norwegische",
        "hongkong",
        "kanadische",
        "australische",
        "singapur",
        "tschechische",
    )


WORDS = {"en": _phrases(_EN), "de": _phrases(_DE)}
HUNDREDTHS: dict[str, dict[str, str]] = {
    "en": {"cents": "USD", "cent": "USD", "pence": "GBP", "p": "GBP", "¢": "USD"},
    "de": {"cent": "EUR", "pence": "GBP", "rappen": "CHF", "cents": "EUR"},
}
