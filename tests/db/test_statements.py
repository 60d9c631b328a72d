"""What news items say: figures, moves and outlooks, known with the item and not sooner."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from db.batches import FoundLink, TextFact, TextReaction
from db.errors import UsageError
from tests.db.build import at, event, news, records
from tests.db.test_guidance import guidance

NIGHT = "2026-01-28 21:05"
SENTENCE = "Revenue rose 24% to $59.9 billion."


def fact(**fields: Any) -> TextFact:
    values: dict[str, Any] = {
        "metric": "revenue",
        "kind": "reported",
        "low": 59.9e9,
        "high": 59.9e9,
        "unit": "USD",
        "symbol": "META",
        "period": "2025Q4",
        "sentence": SENTENCE,
    }
    return TextFact(**(values | fields))


OUTLOOK = fact(kind="guidance", low=53.5e9, high=56.5e9, period="2026Q1", sentence="We expect.")


def item(title: str, when: str, *facts: TextFact, **fields: Any) -> Any:
    return news(title, when, *fields.pop("symbols", ("META",)), facts=facts, **fields)


def test_a_fact_is_read_back_as_it_was_stated(store: Any) -> None:
    stated = fact(
        change=0.24,
        basis="yoy",
        consensus=58.4e9,
        direction="above",
        previous=48.4e9,
        qualifier="about",
        company="Meta Platforms",
        begin=10,
        end=44,
    )
    store.ingest(records("n", [item("Meta reports", NIGHT, stated)], source="feed"))
    (row,) = store.text_facts().to_dict("records")
    given = vars(stated)
    assert {name: row[name] for name in given} == given
    assert (row["published_at"], row["source"]) == (at(NIGHT), "feed")
    assert row["instrument_id"] == store.resolve("META")
    assert row["news_id"] == store.news()["news_id"].item()


def test_a_fact_of_a_change_alone_has_no_value(store: Any) -> None:
    store.ingest(records("n", [item("Up", NIGHT, fact(low=None, high=None, change=0.24))]))
    (row,) = store.text_facts().to_dict("records")
    assert pd.isna(row["low"])
    assert pd.isna(row["high"])
    assert row["change"] == 0.24


def test_whose_figure_is_not_told_is_nobody_s(store: Any) -> None:
    store.ingest(records("n", [item("Up", NIGHT, fact(symbol="", company="Mata"))]))
    assert store.text_facts()["instrument_id"].isna().all()
    assert store.text_facts()["company"].tolist() == ["Mata"]


def test_a_symbol_that_nobody_knows_makes_no_instrument(store: Any) -> None:
    store.ingest(records("n", [item("Up", NIGHT, fact(symbol="ZZZZ"))]))
    assert store.instruments()["symbol"].tolist() == ["META"]
    assert store.text_facts()["instrument_id"].isna().all()


def test_facts_come_by_publication_and_can_be_asked_for_by_item_and_as_of(store: Any) -> None:
    late = item("Late", "2026-01-29 12:00", fact(metric="eps", low=8.88, high=8.88))
    store.ingest(records("n", [late, item("Early", NIGHT, fact(), fact(metric="capex"))]))
    assert store.text_facts()["metric"].tolist() == ["revenue", "capex", "eps"]
    number = store.news().set_index("title")["news_id"]
    assert store.text_facts([number["Late"]])["metric"].tolist() == ["eps"]
    assert store.text_facts([]).empty
    assert store.text_facts(list(range(1, 2_000)))["metric"].nunique() == 3

    def known(when: str) -> int:
        return len(store.text_facts(as_of=at(when)))

    assert [known("2026-01-28 21:04"), known(NIGHT), known("2026-01-29 12:00")] == [0, 2, 3]
    with pytest.raises(UsageError):
        store.text_facts(as_of=at(NIGHT).replace(tzinfo=None))


def test_moves_are_text_and_read_back(store: Any) -> None:
    told = [
        TextReaction("fell", 0.05, "post", "Shares fell 5% after hours.", 3, 30),
        TextReaction("rose", None, "", "The stock rose."),
    ]
    store.ingest(records("n", [item("Meta", NIGHT, reactions=told)]))
    found = store.text_reactions()
    assert found["move"].tolist() == ["fell", "rose"]
    assert found["size"].tolist()[0] == 0.05
    assert found["size"].isna().tolist() == [False, True]
    assert found.iloc[0][["session", "sentence", "begin", "end"]].tolist() == [
        *("post", "Shares fell 5% after hours.", 3, 30)
    ]
    assert store.text_reactions([999]).empty
    assert store.text_facts().empty


def test_nothing_said_has_the_same_columns(store: Any) -> None:
    empty = (store.text_facts(), store.text_reactions())
    told = [TextReaction("fell", 0.05, "post", "Fell.", 3, 30)]
    store.ingest(records("n", [item("Meta", NIGHT, fact(), reactions=told)]))
    for before, after in zip(empty, (store.text_facts(), store.text_reactions()), strict=True):
        assert len(after) == 1
        pd.testing.assert_series_equal(before.dtypes, after.dtypes)


def test_an_item_that_comes_again_does_not_say_it_twice(store: Any) -> None:
    first = item("Meta reports", NIGHT, fact(), OUTLOOK, url="https://x.org/a")
    store.ingest(records("n", [first, first]))
    store.ingest(records("o", [item("Meta!", NIGHT, fact(), OUTLOOK, url="https://x.org/a")]))
    assert len(store.text_facts()) == 2
    assert len(store.guidance()) == 1


def test_an_outlook_is_guidance_known_since_its_item_was_published(store: Any) -> None:
    store.ingest(records("e", [event("META", NIGHT)]))
    noon = "2026-01-29 12:00"
    store.ingest(records("n", [item("Meta", noon, fact(), OUTLOOK)], source="feed"))
    (row,) = store.guidance().to_dict("records")
    assert (row["metric"], row["period"], row["low"], row["high"], row["unit"]) == (
        *("revenue", "2026Q1", 53.5e9, 56.5e9, "USD"),
    )
    assert (row["first_known_at"], row["first_known_proven"]) == (at(noon), True)
    assert (row["announced_from"], row["announced_to"]) == (at(noon), at(noon))
    assert (row["event_id"], row["source"]) == (1, "feed")
    assert row["news_id"] == store.news()["news_id"].item()
    assert store.guidance(as_of=at(noon) - timedelta(microseconds=1)).empty


@pytest.mark.parametrize(
    "unusable",
    [
        fact(),  # reported
        fact(kind="guidance", symbol=""),  # whose?
        fact(kind="guidance", period=""),  # for when?
        fact(kind="guidance", low=None, high=None, change=0.1),  # no value
    ],
)
def test_what_is_no_outlook_is_no_guidance(store: Any, unusable: TextFact) -> None:
    store.ingest(records("n", [item("Meta", NIGHT, unusable)]))
    assert store.guidance().empty
    assert len(store.text_facts()) == 1


def test_a_later_item_does_not_take_back_when_the_outlook_was_known(store: Any) -> None:
    """Twenty articles repeat it over the days: it was known with the first of them."""
    store.ingest(records("e", [event("META", NIGHT)]))
    times = ["2026-01-28 21:30", "2026-01-29 12:00", "2026-01-30 12:00"]
    for number, when in enumerate(times):
        one = item(f"Number {number} of the articles", when, OUTLOOK)
        store.ingest(records(when, [one], source="feed"))
    assert store.guidance()["first_known_at"].min() == at(times[0])
    assert len(store.guidance(as_of=at(times[0]))) == 1


def test_an_outlook_in_a_text_does_not_overwrite_what_a_source_of_figures_said(
    store: Any,
) -> None:
    store.ingest(records("e", [event("META", NIGHT)]))
    store.ingest(records("g", [guidance(53.0e9, announced_from=at(NIGHT), announced_to=at(NIGHT))]))
    store.ingest(records("n", [item("Meta", "2026-01-29 12:00", OUTLOOK)]))
    found = store.guidance()
    assert sorted(found["low"]) == [53.0e9, 53.5e9]
    assert found["news_id"].isna().sum() == 1


def test_an_item_of_a_date_is_not_known_before_the_day_is_over(store: Any) -> None:
    over = "2026-01-29 05:00"  # midnight in New York, as importers state it
    store.ingest(records("n", [item("Meta", over, OUTLOOK, published_precision="date")]))
    assert store.guidance()["first_known_at"].tolist() == [at(over)]
    assert store.text_facts(as_of=at("2026-01-29 04:59")).empty


def links(store: Any) -> list[tuple[str, str, float, bool]]:
    """(symbol, how, how sure, whether it is an instrument)."""
    found = store.news()
    rows = zip(
        *(found[name] for name in ("symbol", "link_how", "link_confidence", "instrument_id")),
        strict=True,
    )
    return [(symbol, how, sure, not pd.isna(number)) for symbol, how, sure, number in rows]


NAMED = FoundLink("META", "name", 0.9)


def test_how_an_instrument_was_found_is_kept(store: Any) -> None:
    store.add_instrument("META")
    store.ingest(records("n", [news("Both", NIGHT, "AMD", found=[NAMED])]))
    assert links(store) == [("AMD", "given", 1.0, True), ("META", "name", 0.9, True)]


def test_a_name_in_a_text_makes_no_instrument(store: Any) -> None:
    store.ingest(records("n", [news("Only found", NIGHT, found=[NAMED])]))
    assert links(store) == [("META", "name", 0.9, False)]
    assert store.instruments().empty


def test_what_a_source_names_is_not_doubled_by_what_is_found(store: Any) -> None:
    store.ingest(records("n", [news("Twice", NIGHT, "META", found=[NAMED])]))
    assert links(store) == [("META", "given", 1.0, True)]


def test_a_source_that_names_the_symbol_later_outweighs_a_name_in_the_text(store: Any) -> None:
    store.ingest(records("n", [news("Item", NIGHT, found=[NAMED], url="https://x.org/a")]))
    report = store.ingest(records("o", [news("Item", NIGHT, "META", url="https://x.org/a")]))
    assert report.revised == 1
    assert links(store) == [("META", "given", 1.0, True)]
    again = store.ingest(records("p", [news("Item", NIGHT, "META", url="https://x.org/a")]))
    assert again.unchanged == 1


def test_in_one_batch_too(store: Any) -> None:
    store.ingest(records("n", [news("Item", NIGHT, found=[NAMED]), news("Item", NIGHT, "META")]))
    assert links(store) == [("META", "given", 1.0, True)]


@pytest.mark.parametrize("how", ["events", "added"])
def test_an_item_found_before_its_instrument_was_is_about_it_too(store: Any, how: str) -> None:
    """An article is ingested first, the stock's data after it."""
    told = item("Article", "2026-01-29 12:00", fact(), OUTLOOK, symbols=(), found=[NAMED])
    store.ingest(records("n", [told]))
    if how == "added":
        store.add_instrument("META")
    store.ingest(records("e", [event("META", NIGHT)]))
    assert links(store) == [("META", "name", 0.9, True)]
    assert store.news()["event_id"].tolist() == [1]
    assert set(store.text_facts()["instrument_id"]) == {store.resolve("META")}
    assert store.guidance()["event_id"].tolist() == [1]


def test_an_article_of_days_later_that_tells_figures_is_about_the_release(store: Any) -> None:
    """Dated Sunday about Wednesday's report; known with its publication alone."""
    store.ingest(records("e", [event("META", NIGHT), event("META", "2025-10-29 20:05")]))
    sunday = "2026-02-01 17:00"
    store.ingest(
        records("n", [item("The week", sunday, fact()), news("No figures", sunday, "META")])
    )
    found = store.news().set_index("title")
    latest = store.events()["event_id"].iloc[-1]
    assert found.loc["The week", "event_id"] == latest
    assert pd.isna(found.loc["No figures", "event_id"])
    assert store.news(as_of=at("2026-02-01 16:59")).empty


@pytest.mark.parametrize(
    ("when", "about"),
    [
        ("2026-02-07 21:05", True),  # exactly ten days
        ("2026-02-07 21:06", False),
        ("2026-01-27 21:05", True),  # exactly a day before
        ("2026-01-27 21:04", False),
    ],
)
def test_figures_are_about_a_release_of_the_ten_days_before(
    store: Any, when: str, about: bool
) -> None:
    store.ingest(records("e", [event("META", NIGHT)]))
    store.ingest(records("n", [item("Told", when, fact())]))
    assert store.news()["event_id"].notna().tolist() == [about]


def test_an_item_is_about_what_it_writes_of_rather_than_when_it_appeared(store: Any) -> None:
    store.ingest(records("e", [event("META", NIGHT)]))
    late = news("Looking back", "2026-03-01 12:00", "META", event_at=at(NIGHT))
    store.ingest(records("n", [late]))
    assert store.news()["event_id"].tolist() == [1]
    assert store.news()["published_at"].tolist() == [at("2026-03-01 12:00")]


def test_items_of_a_symbol_that_is_no_instrument_can_be_asked_for(store: Any) -> None:
    found = (FoundLink("META", "name", 0.95),)
    store.ingest(records("n.csv", [news("Meta reports", NIGHT, found=found)]))
    assert store.news(symbols=["META"])["title"].tolist() == ["Meta reports"]
    with pytest.raises(UsageError, match="no instrument is or was called 'NOPE'"):
        store.news(symbols=["META", "NOPE"])
