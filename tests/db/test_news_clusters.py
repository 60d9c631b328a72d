"""Reprints: one body under several headlines is one item, within 24 hours, in one language."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from db.models import News
from db.records import news_clusters
from db.records.news_clusters import recluster
from db.records.news_texts import Body, Title, words_of
from tests.db.build import news, records
from tests.fakes.web import ARTICLE_DE, ARTICLE_EN

TEXT = " ".join(ARTICLE_EN)
NIGHT, LATER = "2026-01-29 21:10", "2026-01-29 23:00"


def clusters(store) -> dict[str, str]:
    """Title of the first item for each title."""
    found = store.news().drop_duplicates("news_id").set_index("news_id")
    return {row.title: found.loc[row.cluster_id, "title"] for row in found.itertuples()}


def one(title: str, when: str, *symbols: str, body: str = TEXT, language: str = "en"):
    return news(title, when, *symbols, body=body, language=language)


FIRST = one("Meta to spend up to 135 billion dollars", NIGHT, "META")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (one("Why Zuckerberg opens the purse", LATER, "META"), True),
        (one("Why Zuckerberg opens the purse", LATER), True),  # about nothing in particular
        (one("Reprint", LATER, "META", body=TEXT.upper().replace(",", " ,")), True),
        (one("Reprint", LATER, "META", body=f"NEW YORK, Jan 29 (Wire) - {TEXT}"), True),
        (one("Reprint", LATER, "META", body=f"{TEXT} First printed by The Paper."), True),
        (one("Reprint", "2026-01-30 21:10", "META"), True),
        (one("Too late", "2026-01-30 21:11", "META"), False),
        (one("Another company", LATER, "GOOGL"), False),
        (one("Other figures", LATER, "META", body=TEXT.replace("59.9", "51.2")), False),
        (one("Half of it", LATER, "META", body=TEXT[: len(TEXT) // 2]), False),
        (one("A teaser", LATER, "META", body=TEXT[:120]), False),
        (one("Auf Deutsch", LATER, "META", body=" ".join(ARTICLE_DE), language="de"), False),
        (one("Said to be French", LATER, "META", language="fr"), False),
        (one(FIRST.title, LATER, "META", body="", language="de"), False),
        (one(FIRST.title, LATER, "META", body="", language=""), True),
    ],
    ids=lambda value: value.title if hasattr(value, "title") else str(value),
)
def test_what_says_the_same_is_one_item(store, other, same):
    other = replace(other, title=other.title, row=2)
    store.ingest(records("a.csv", [FIRST, other]))
    found = store.news().drop_duplicates("news_id").sort_values("news_id")
    assert (found["cluster_id"].nunique() == 1) is same
    assert found["cluster_id"].iloc[0] == found["news_id"].iloc[0], "the first counts"


def test_the_first_publication_counts_whatever_order_they_come_in(store):
    late = one("Why Zuckerberg opens the purse", LATER, "META")
    store.ingest(records("late.csv", [late]))
    store.ingest(records("early.csv", [FIRST]))
    assert set(clusters(store).values()) == {FIRST.title}


def test_a_teaser_that_is_alike_is_no_reprint(store):
    teaser = "Read the full story of the day on our pages, with all figures and charts."
    store.ingest(
        records("a.csv", [one("First story of the evening", NIGHT, "META", body=teaser),
                          one("Quite another story", LATER, "META", body=teaser)])
    )  # fmt: skip
    assert len(set(clusters(store).values())) == 2


def test_titles_and_bodies_meet_at_a_key_whenever_they_are_alike():
    dice = np.random.default_rng(7)
    vocabulary = [f"word{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]
    frequency = Counter(vocabulary)
    met = 0
    for _ in range(400):
        words = list(dice.choice(vocabulary, size=10, replace=False))
        changed = [*words[: 10 - int(dice.integers(0, 3))], "extra"]
        a, b = Title(" ".join(words)), Title(" ".join(changed))
        if a.is_like(b):
            met += 1
            assert set(a.keys(frequency)) & set(b.keys(frequency))
    assert met > 100
    for _ in range(50):
        words = list(dice.choice(vocabulary, size=300))
        note = list(dice.choice(vocabulary, size=40))
        a, b = Body.of(" ".join(words)), Body.of(" ".join(words + note))
        assert a.is_like(b)
        assert set(a.keys()) & set(b.keys())


def test_a_body_is_compared_as_the_plain_definition_says():
    def runs(text: str) -> set[tuple[str, ...]]:
        words = words_of(text)
        return set(zip(words, words[1:], words[2:], strict=False))

    texts = [TEXT, TEXT + " " + TEXT[:150], TEXT[:300], " ".join(ARTICLE_DE), TEXT[40:]]
    for one_text in texts:
        for other in texts:
            a, b = runs(one_text), runs(other)
            alike = len(a & b) >= 0.75 * len(a | b)
            assert Body.of(one_text).is_like(Body.of(other)) == alike


def _many(count: int):
    """A day's news about one company: texts of 120 words, a fifth of them reprints."""
    dice = np.random.default_rng(3)
    words = np.array([f"w{chr(97 + i // 676)}{chr(97 + i // 26 % 26)}{chr(97 + i % 26)}"
                      for i in range(6000)])  # fmt: skip
    weights = 1 / np.arange(1, 6001)
    drawn = dice.choice(words, size=(count, 130), p=weights / weights.sum())
    begin = datetime(2026, 1, 29, tzinfo=UTC)
    bodies: list[str] = []
    for number, row in enumerate(drawn):
        bodies.append(bodies[-1] if number % 5 == 4 else " ".join(row[:120]))
        when = begin + timedelta(seconds=number * 86_000 / count)
        item = news(" ".join(row[120:]), "2026-01-29 00:00", "META", body=bodies[-1])
        yield replace(item, published_at=when, row=number + 1)


def test_ten_thousand_items_about_one_company_on_one_day_are_clustered_in_seconds(fresh_store):
    began = time.process_time()
    fresh_store.ingest(records("many.csv", list(_many(10_000))))
    seconds = time.process_time() - began
    with fresh_store._database.read() as connection:
        firsts = len(set(connection.scalars(select(News.cluster_id))))
    assert 7_900 <= firsts <= 8_000
    assert seconds < 30


def test_only_what_can_be_different_is_read_again(fresh_store, monkeypatch):
    days = [f"2026-01-{day:02} 12:00" for day in range(1, 29)]
    items = [one(f"Story number {chr(96 + n)}", day, "META") for n, day in enumerate(days, start=1)]
    fresh_store.ingest(records("a.csv", items))
    read = []
    of = news_clusters._Heads.of
    monkeypatch.setattr(
        news_clusters._Heads, "of", lambda heads, item: read.append(item.id) or of(heads, item)
    )
    at = datetime(2026, 1, 10, 12, tzinfo=UTC)
    with fresh_store._database.write("clusters") as connection:
        recluster(connection, at, at)
        assert len(read) == 2, "the tenth, and the one 24 hours later"
        read.clear()
        recluster(connection, at)
        assert len(read) == 19
