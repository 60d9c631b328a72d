"""The fact parser's grammar: numbers, ranges, roles, filters, periods, places, hostile text."""

from __future__ import annotations

import time
from datetime import date

import pytest

from db.batches import TextFact
from db.text.facts import read_facts
from db.text.facts.sentences import sentences

WHEN = date(2026, 1, 28)


def only(
    text: str, language: str = "en", *, published: date = WHEN, year_end: int = 12
) -> TextFact:
    found = read_facts(text, language=language, published=published, fiscal_year_end=year_end).facts
    assert len(found) == 1, found
    return found[0]


def none(text: str, language: str = "en") -> bool:
    return read_facts(text, language=language, published=WHEN).facts == ()


@pytest.mark.parametrize(
    ("written", "low", "high", "unit"),
    [
        ("$53.5 billion to $56.5 billion", 53.5e9, 56.5e9, "USD"),
        ("$53.5 to $56.5 billion", 53.5e9, 56.5e9, "USD"),
        ("$115-135 billion", 115e9, 135e9, "USD"),
        ("$151.0B–$155.5B", 151e9, 155.5e9, "USD"),
        ("between 115 and 135 billion dollars", 115e9, 135e9, "USD"),
        ("$65 billion, plus or minus 2%", 63.7e9, 66.3e9, "USD"),
        ("$12.5 billion ± $300 million", 12.2e9, 12.8e9, "USD"),
        ("€900 million to €1.1 billion", 900e6, 1.1e9, "EUR"),
        ("half a billion pounds", 0.5e9, 0.5e9, "GBP"),
        ("two and a half billion dollars", 2.5e9, 2.5e9, "USD"),
        ("HK$54.3 billion", 54.3e9, 54.3e9, "HKD"),
        ("EUR 1,234.5 million", 1234.5e6, 1234.5e6, "EUR"),
        ("Rs 7,364 crore", 73.64e9, 73.64e9, "INR"),
    ],
)
def test_english_amounts_are_read_as_people_write_them(
    written: str, low: float, high: float, unit: str
) -> None:
    fact = only(f"The company expects revenue of {written} for 2026.")
    assert (fact.low, fact.high, fact.unit, fact.kind) == (low, high, unit, "guidance")


@pytest.mark.parametrize(
    ("written", "low", "high", "unit"),
    [
        ("115 bis 135 Milliarden US-Dollar", 115e9, 135e9, "USD"),
        ("1.234,5 Mio. Euro", 1234.5e6, 1234.5e6, "EUR"),
        ("knapp 59,9 Milliarden Dollar", 59.9e9, 59.9e9, "USD"),
        ("anderthalb Milliarden Euro", 1.5e9, 1.5e9, "EUR"),
        ("einer halben Milliarde Euro", 0.5e9, 0.5e9, "EUR"),
        ("2,93 Billionen Yen", 2.93e12, 2.93e12, "JPY"),
        ("CHF 2,1 Mrd", 2.1e9, 2.1e9, "CHF"),
        ("800 Millionen bis 1,1 Milliarden Euro", 800e6, 1.1e9, "EUR"),
    ],
)
def test_german_amounts_are_read_as_people_write_them(
    written: str, low: float, high: float, unit: str
) -> None:
    fact = only(f"Der Konzern rechnet 2026 mit einem Umsatz von {written}.", "de")
    assert (fact.low, fact.high, fact.unit, fact.kind) == (low, high, unit, "guidance")


def test_a_range_that_would_run_downwards_is_left_out() -> None:
    assert none("The company expects revenue of $900 to $1.1 billion this year.")


def test_the_change_and_the_earlier_figure_stand_beside_the_value() -> None:
    fact = only("Revenue rose 24% to $59.9 billion from $48.4 billion a year earlier.")
    assert (fact.low, fact.change, fact.basis, fact.previous) == (59.9e9, 0.24, "yoy", 48.4e9)


def test_the_consensus_gives_the_direction() -> None:
    fact = only("EPS of $6.03 vs. $5.25 expected")
    assert (fact.metric, fact.consensus, fact.direction) == ("eps", 5.25, "above")


def test_a_loss_is_negative_and_per_share_is_a_fact_of_its_own() -> None:
    said = read_facts(
        "Ein Nettoverlust von 12 Millionen Euro fiel an, der Verlust je Aktie betrug 12 Cent.",
        language="de",
        published=WHEN,
    )
    assert [(fact.metric, fact.low) for fact in said.facts] == [
        ("net_income", -12e6),
        ("eps", -0.12),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Did revenue reach $60 billion?",
        "Revenue did not reach $60 billion.",
        "If revenue reached $60 billion, the shares would soar.",
        "Analysts expect revenue of $60 billion.",
        "Revenue reportedly reached $60 billion, people familiar with the matter said.",
        "Advertising revenue rose 24% to $58.1 billion.",
        "Revenue from advertising was $58.1 billion.",
        "Operating income was $24 billion.",
        "The company withdrew its outlook for revenue of $60 billion.",
        "The board declared a dividend of 50 cents a share.",
        "A price target of $800 implies earnings of $30 a share.",
    ],
)
def test_what_is_no_fact_of_the_company_is_left_out(text: str) -> None:
    assert none(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hat der Umsatz 60 Milliarden Euro erreicht?",
        "Der Umsatz erreichte die Marke von 60 Milliarden Euro nicht.",
        "Wenn der Umsatz auf 60 Milliarden Euro stiege, wäre das ein Rekord.",
        "Analysten rechnen mit einem Umsatz von 60 Milliarden Euro.",
        "Medienberichten zufolge lag der Umsatz bei 60 Milliarden Euro.",
        "Die Werbeerlöse stiegen auf 58 Milliarden Euro.",
        "Der Umsatz im Cloud-Geschäft stieg auf 58 Milliarden Euro.",
        "Der operative Gewinn stieg auf 24 Milliarden Euro.",
        "Der Konzern kassierte die Prognose von 60 Milliarden Euro Umsatz.",
        "Vor Steuern verdiente die Bank 960 Millionen Euro.",
    ],
)
def test_german_that_is_no_fact_of_the_company_is_left_out(text: str) -> None:
    assert none(text, "de")


@pytest.mark.parametrize(
    ("text", "published", "year_end", "period"),
    [
        ("Revenue for the fourth quarter was $5 billion.", date(2026, 1, 28), 12, "2025Q4"),
        ("Revenue for the quarter was $5 billion.", date(2026, 1, 28), 12, "2025Q4"),
        ("The company expects revenue of $5 billion in the current quarter.", WHEN, 12, "2026Q1"),
        ("The company expects revenue of $5 billion next quarter.", WHEN, 12, "2026Q2"),
        (
            "The company expects fourth-quarter revenue of $5 billion.",
            date(2025, 11, 19),
            1,
            "2026Q4",
        ),
        ("Revenue for the first half was $5 billion.", date(2025, 8, 7), 12, "2025H1"),
        (
            "Revenue in the nine months to September was $5 billion.",
            date(2025, 11, 7),
            12,
            "2025M9",
        ),
        (
            "Revenue in the six months to 30 September was $5 billion.",
            date(2025, 11, 7),
            3,
            "2026H1",
        ),
        ("The company sees 2025 revenue of $5 billion.", date(2025, 11, 7), 12, "2025FY"),
        ("Revenue was $5 billion.", WHEN, 12, ""),
    ],
)
def test_periods_are_fiscal_and_resolved_from_the_day_of_publication(
    text: str, published: date, year_end: int, period: str
) -> None:
    assert only(text, published=published, year_end=year_end).period == period


def test_german_fiscal_years_end_in_the_second_of_two_years() -> None:
    fact = only("Im Geschäftsjahr 2024/25 setzte Tui 24,2 Milliarden Euro um.", "de")
    assert (fact.metric, fact.low, fact.period, fact.company) == (
        "revenue",
        24.2e9,
        "2025FY",
        "Tui",
    )


def test_places_are_those_of_the_sentence_in_the_text() -> None:
    text = (
        "Die Zahlen kamen um 22.05 Uhr.\nDer Umsatz stieg im 3. Quartal um 24 Prozent auf knapp "
        "59,9 Mrd. Dollar. Die Aktie fiel nachbörslich um drei Prozent."
    )
    said = read_facts(text, language="de", published=date(2025, 10, 30))
    (fact,), (reaction,) = said.facts, said.reactions
    assert text[fact.begin : fact.end] == fact.sentence
    assert fact.sentence.startswith("Der Umsatz")
    assert fact.sentence.endswith("Dollar.")
    assert (fact.low, fact.qualifier, fact.period) == (59.9e9, "under", "2025Q3")
    assert text[reaction.begin : reaction.end] == "Die Aktie fiel nachbörslich um drei Prozent."
    assert (reaction.move, reaction.size, reaction.session) == ("fell", 0.03, "post")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Apple Inc. said U.S. sales rose. It gave no outlook.", 2),
        ("Der Umsatz lag bei 3,4 Mrd. Euro, z.B. im 3. Quartal. Der Gewinn fiel.", 2),
        ("EPS was $1.25. Revenue was $3.5 billion.", 2),
        ("Der Gewinn stieg auf 3 Mrd. Die Aktie fiel.", 2),
    ],
)
def test_abbreviations_do_not_end_a_sentence(text: str, count: int) -> None:
    assert len(list(sentences(text))) == count


def test_the_same_fact_said_twice_is_one_and_another_language_says_nothing() -> None:
    text = "Revenue was $5 billion. Revenue was $5 billion."
    assert len(read_facts(text, language="en", published=WHEN).facts) == 1
    assert read_facts(text, language="fr", published=WHEN).facts == ()


def test_the_given_currency_is_that_of_amounts_without_one() -> None:
    text = "Revenue rose to 5.2 billion."
    assert read_facts(text, language="en", published=WHEN).facts[0].unit == ""
    assert read_facts(text, language="en", published=WHEN, currency="SEK").facts[0].unit == "SEK"


HOSTILE = [
    "1" * 1_000_000,
    "$" * 1_000_000,
    "and " * 250_000,
    "." * 1_000_000,
    ". " * 500_000,
    "1,000," * 160_000,
    "Umsatz von " * 90_000,
    "(" * 500_000 + ")" * 500_000,
    "revenue rose 5% to $5 billion, " * 30_000,
    "der Umsatz stieg um 5 Prozent auf 5 Mrd. Euro. " * 20_000,
    "1. " * 330_000,
    "\n" * 1_000_000,
    "-" * 1_000_000,
    "\u202e\u0000<script>" * 80_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("language", ["en", "de"])
def test_hostile_text_is_read_in_bounded_time(text: str, language: str) -> None:
    begin = time.perf_counter()
    said = read_facts(text, language=language, published=WHEN)
    assert time.perf_counter() - begin < 60
    assert len(said.facts) <= 2


@pytest.mark.parametrize("filler", ["1 ", "$", "and ", "5% ", "to ", "(", ", ", "revenue ", "um "])
@pytest.mark.parametrize("language", ["en", "de"])
def test_one_sentence_of_the_longest_kind_is_read_quickly(filler: str, language: str) -> None:
    text = (filler * 2_000)[:1_990]
    begin = time.perf_counter()
    read_facts(text, language=language, published=WHEN)
    assert time.perf_counter() - begin < 5


def test_reading_is_deterministic() -> None:
    text = "Meta expects revenue of $53.5 billion to $56.5 billion, up from $48.4 billion."
    first = read_facts(text, language="en", published=WHEN)
    assert all(read_facts(text, language="en", published=WHEN) == first for _ in range(3))


@pytest.mark.parametrize(
    "text",
    [
        "Von einem Nettogewinn von 30 Mio. Euro, wie im Mai noch angepeilt, ist keine Rede mehr.",
        "Am Ziel, 2026 mehr als 500 Mio. Euro zu verdienen, hält der Konzern nicht länger fest.",
        "Das Ziel, 2026 einen Umsatz von 3 Mrd. Euro zu erreichen, gab Bayer auf.",
        "Bayer hat das Ziel, einen Umsatz von 3 Mrd. Euro zu erzielen, gestrichen.",
    ],
)
def test_an_outlook_taken_back_in_the_main_clause_is_none(text: str) -> None:
    assert none(text, "de")


def test_an_outlook_confirmed_with_its_content_in_an_infinitive_is_read() -> None:
    fact = only("Bayer bekräftigt sein Ziel, 2026 einen Umsatz von 3 Mrd. Euro zu erreichen.", "de")
    assert (fact.kind, fact.low, fact.period) == ("guidance", 3e9, "2026FY")


def test_a_pluperfect_relative_clause_gives_the_figure_to_compare_with() -> None:
    fact = only(
        "Der Konzern, der im zweiten Quartal 2024 noch 1,9 Mrd. Dollar verdient hatte, wies nun "
        "einen Nettoverlust von 0,4 Mrd. Dollar aus.",
        "de",
    )
    assert (fact.low, fact.previous, fact.period) == (-0.4e9, 1.9e9, "")
    other = only(
        "Last year's second quarter had brought a profit of $310 million; this time the insurer "
        "earned $275 million."
    )
    assert (other.low, other.previous) == (275e6, 310e6)


def test_a_loss_in_brackets_keeps_the_scale_behind_them() -> None:
    fact = only("Net loss: $(22.8)M")
    assert (fact.metric, fact.low, fact.unit) == ("net_income", -22.8e6, "USD")


def test_a_passive_that_tells_what_was_is_no_outlook() -> None:
    fact = only("Für 2025 wird ein Jahresfehlbetrag von 18 Mio. Euro ausgewiesen.", "de")
    assert (fact.kind, fact.low) == ("reported", -18e6)


def test_what_a_company_earns_on_something_is_no_profit() -> None:
    assert none("Net interest income, what it earns on loans, was $14.6bn.")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("For the current quarter the company expects revenue of $5 billion.", "en"),
        ("During the fourth quarter revenue was $5 billion.", "en"),
        ("Despite the tariffs, revenue rose to $5 billion.", "en"),
        ("Für das laufende Quartal erwartet der Konzern einen Umsatz von 5 Mrd. Euro.", "de"),
        ("Trotz der Zölle stieg der Umsatz auf 5 Mrd. Euro.", "de"),
        ("Unterdessen stieg der Umsatz auf 5 Mrd. Euro.", "de"),
    ],
)
def test_a_function_word_at_the_head_of_a_sentence_is_no_company(text: str, language: str) -> None:
    assert only(text, language).company == ""


def test_an_expectation_in_a_clause_of_its_own_is_the_consensus() -> None:
    fact = only(
        "Für das laufende Quartal stellt Meta einen Umsatz von 53,5 bis 56,5 Milliarden Dollar in "
        "Aussicht, Analysten hatten mit 51,3 Milliarden Dollar gerechnet.",
        "de",
    )
    assert (fact.consensus, fact.direction, fact.company) == (51.3e9, "above", "Meta")


def test_companies_listed_without_a_verb_have_their_own_figures() -> None:
    text = "Mastercard earned $4.15 a share, American Express $4.02 and PayPal $1.38."
    found = read_facts(text, language="en", published=WHEN).facts
    assert [(fact.company, fact.low) for fact in found] == [
        ("Mastercard", 4.15),
        ("American Express", 4.02),
        ("PayPal", 1.38),
    ]


@pytest.mark.parametrize("name", ["First Solar", "Under Armour", "On Holding", "Capital One"])
def test_a_name_that_holds_a_function_word_stays_whole(name: str) -> None:
    assert only(f"{name} reported revenue of $5 billion.").company == name
