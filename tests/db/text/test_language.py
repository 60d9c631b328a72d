"""Languages are told apart, or left open."""

from __future__ import annotations

import csv

import pyarrow.parquet as pq
import pytest

from db.text.language import detect


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Der Umsatz des Konzerns stieg im vierten Quartal um 24 Prozent.", "de"),
        ("Revenue of the company rose 24 percent in the fourth quarter.", "en"),
        ("META PLATFORMS BEATS ESTIMATES AND RAISES ITS GUIDANCE FOR THE YEAR", "en"),
        ("Les ventes ont augmenté de 5 % au troisième trimestre.", "fr"),
        ("Deutsche Bank raises its price target on Agilent Technologies", "en"),
        ("", ""),
        ("12345 67 %", ""),
        ("AMD", ""),
    ],
)
def test_the_language_of_a_text(text, code):
    assert detect(text) == code


def test_what_the_source_states_decides_where_the_text_is_too_short():
    assert detect("Apple falls") == ""
    assert detect("Apple falls", "en-US") == "en"
    assert detect("Apple falls", "de") == "", "it does not look like that at all"


@pytest.mark.parametrize(("language", "fewest"), [("en", 0.7), ("de", 0.98)])
def test_real_headlines_get_the_right_language_or_none(language, fewest, real_data):
    folder = real_data / "news"
    if language == "en":
        titles = pq.read_table(folder / "headlines_en.parquet")["title"].to_pylist()[:1500]
    else:
        with (folder / "headlines_de.csv").open(encoding="utf-8") as file:
            titles = [row["headline"] for row in csv.DictReader(file)]
    codes = [detect(title) for title in titles]
    assert codes.count(language) >= fewest * len(codes)
    wrong = sum(code not in (language, "") for code in codes)
    assert wrong <= 0.01 * len(codes)
