"""Which instruments a text names, and which words only look like it."""

from __future__ import annotations

import csv
from importlib import resources
from time import process_time

import pytest

from db.text.names import NameTable, _packaged, fiscal_year_end

TABLE = NameTable({"ACME": "Acme Rockets, Inc. Class A", "ZORP": "Zorp Corp.", "META": ""})


def found(title: str, body: str = "") -> dict[str, str]:
    return {link.symbol: link.how for link in TABLE.find(title, body)}


@pytest.mark.parametrize(
    ("text", "symbol", "how"),
    [
        ("Meta Platforms beats expectations", "META", "name"),
        ("META PLATFORMS BEATS EXPECTATIONS", "META", "name"),
        ("Facebook adds users", "META", "alias"),
        ("Meta raises its capex outlook", "META", "alias"),
        ("Meta-Aktie bricht nachbörslich ein", "META", "alias"),
        ("Metas Umsatz steigt", "META", "alias"),
        ("Instagram's parent beats estimates", "META", "parent"),
        ("Instagram\u2019s owner in court", "META", "parent"),
        ("Instagram-Mutter übertrifft Erwartungen", "META", "parent"),
        ("Facebook-Konzern legt zu", "META", "parent"),
        ("Google-Mutter Alphabet enttäuscht", "GOOGL", "parent"),
        ("iPhone-Konzern steigert Umsatz", "AAPL", "parent"),
        ("iPhone maker slips", "AAPL", "parent"),
        ("Nothing Inc. (NASDAQ: XYZW) reports", "XYZW", "ticker"),
        ("Merger (NYSE: F) agreed", "F", "ticker"),
        ("Meta Platforms (META) falls", "META", "ticker"),
        ("$TSLA to the moon", "TSLA", "ticker"),
        ("TSLA shares jump", "TSLA", "ticker"),
        ("ISIN US0378331005", "AAPL", "isin"),
        ("Teslas Umsatz sinkt", "TSLA", "name"),
        ("Acme Rockets launches", "ACME", "name"),
        ("Zorp shares gain", "ZORP", "name"),
        ("Apple shares slip 3%", "AAPL", "name"),
        ("Target cuts its profit forecast", "TGT", "name"),
        ("Gap Inc. beats", "GPS", "alias"),
        ("Ford recalls 100,000 trucks", "F", "alias"),
        ("AT&T adds subscribers", "T", "name"),
        ("McDonald's sales fall", "MCD", "name"),
        ("Apple", "AAPL", "name"),
    ],
)
def test_companies_are_found_by_what_they_are_called(text, symbol, how):
    assert found(text) == {symbol: how}


@pytest.mark.parametrize(
    "text",
    [
        "Meta-Analyse: Umsätze steigen mit der Temperatur",
        "A meta-analysis of earnings forecasts",
        "Apple prices rise as the harvest fails, growers' profits fall",
        "An apple a day",
        "Analysts raise price target",
        "Baird Lowers Target To $40, shares fall",
        "Mind the gap between earnings and sales",
        "Harrison Ford sells his company shares",
        "Visa applications rise, revenue from tourism too",
        "Amazon rainforest fires hit soy stocks",
        "Oracle of Omaha buys shares",
        "Delta variant weighs on stocks",
        "Snap election: stocks fall",
        "Amazon-like growth in revenue",
        "Ex-Google-Manager gründet Firma",
        "Morgan Stanley raises its rating, analysts say",
        "Sold 1.3M Shares of its stock",
        "The CEO (NOW) said revenue (ALL) rose",
        "Buybacks of $5 B and $US",
        "Unternehmen im Ziel",
        "target: meta, gap, visa and apple shares",
    ],
)
def test_words_that_are_also_names_are_left_alone(text):
    assert found(text) == {}


def test_a_common_word_counts_where_the_company_is_named_beyond_doubt_elsewhere():
    assert found("Wer hat Angst vor Meta?") == {}
    assert found("Wer hat Angst vor Meta?", "Meta Platforms (NASDAQ: META) wächst.") == {
        "META": "ticker"
    }


def test_companies_of_the_title_are_surer_than_those_mentioned_below():
    title, body = "Meta Platforms beats", "Rivals such as Nvidia and Microsoft did not."
    links = {link.symbol: link.confidence for link in TABLE.find(title, body)}
    assert links["META"] >= 0.8 > links["NVDA"]
    assert next(iter(links)) == "META"


def test_the_lead_names_the_subject_where_the_title_does_not():
    links = TABLE.find("Big night after the close", "Nvidia reported. " + "x " * 400 + "Microsoft.")
    assert [(link.symbol, link.confidence >= 0.8) for link in links] == [
        ("NVDA", True),
        ("MSFT", False),
    ]


def test_the_stores_own_symbol_of_a_company_is_used():
    assert [link.symbol for link in NameTable({"GOOG": ""}).find("Google beats")] == ["GOOG"]
    assert [link.symbol for link in NameTable({"FB": ""}).find("Facebook beats")] == ["FB"]
    both = NameTable({"GOOG": "", "GOOGL": ""})
    assert [link.symbol for link in both.find("Google beats")] == ["GOOGL"]


def test_confidence_is_a_share_and_links_are_one_an_instrument():
    links = TABLE.find("Meta Platforms (NASDAQ: META), Facebook's parent", "$META " * 50)
    assert [link.symbol for link in links] == ["META"]
    assert all(0 < link.confidence <= 1 for link in links)


def test_long_and_hostile_texts_are_read_in_bounded_time():
    began = process_time()
    for text in ("Meta " * 400_000, "(" * 400_000, "$A" * 200_000, "a" * 1_000_000):
        assert len(TABLE.find(text[:500], text)) <= 1
    assert process_time() - began < 60


def test_the_packaged_table_is_sound():
    text = resources.files("db.text").joinpath("data/companies.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len({row["symbol"] for row in rows}) == len(rows) >= 150
    assert all(None not in row and None not in row.values() for row in rows)
    assert all(_check_digit(isin) for isin in _packaged().isins)
    names = [word for row in rows for word in f"{row['name']}|{row['aliases']}".split("|") if word]
    assert len(names) == len(set(names)), "one spelling, one company"


def _check_digit(isin: str) -> bool:
    digits = "".join(str(int(character, 36)) for character in isin)
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(digits[::-1]))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


@pytest.mark.parametrize(
    ("symbol", "month"), [("AAPL", 9), ("NVDA", 1), ("MSFT", 6), ("META", 12), ("NONE", 12)]
)
def test_the_fiscal_year_of_well_known_companies_is_known(symbol: str, month: int) -> None:
    assert fiscal_year_end(symbol) == month
