"""From an article to a trade: figures are read out of a text and traded from its publication on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest import Result, run
from backtest.data_check import check
from db.batches import NewsRecord, Provenance, RecordBatch
from db.text.annotate import Annotator
from tests.tiny_store import FETCHED, TinyStore, clock, guidance, ny

DAY = "2019-01-29"
BARS = """
    2019-01-29 15:59 20.00
               16:06 19.60
               16:10 19.30        # -3.5 %
               16:11 19.32
               16:20 19.31
               16:21 19.30
    2019-01-30 04:00 19.20
               04:01 19.25
               09:30 20.00
               15:59 22.00
"""
ENGLISH = (
    "Meta Platforms beat expectations. For the current quarter the company expects revenue of "
    "$53.5 billion to $56.5 billion, above the $51.3 billion that analysts had expected. The "
    "shares fell 3.5% in after-hours trading."
)
GERMAN = (
    "Für das laufende Quartal stellt Meta einen Umsatz von 53,5 bis 56,5 Milliarden Dollar in "
    "Aussicht, Analysten hatten mit 51,3 Milliarden Dollar gerechnet. Die Aktie fiel nachbörslich."
)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        store.store.add_instrument("META", name="Meta Platforms")
        store.bars("META", BARS)
        store.release("META", DAY, "post")
        yield store


def publish(tiny: TinyStore, when: str, body: str, *, title: str = "Meta reports") -> None:
    """An article about META, annotated as the importers do."""
    item = NewsRecord(title=title, published_at=ny(when), body=body, symbols=("META",))
    source = Provenance("article", title, f"{title} {when}", FETCHED)
    batch = Annotator(tiny.store).batch(RecordBatch(source, [item]))
    tiny.store.ingest(batch)


def traded(tiny: TinyStore, **params: object) -> Result:
    return run("guidance_reversal", tiny.store, params=params, record=False)


@pytest.mark.parametrize("body", [ENGLISH, GERMAN], ids=["english", "german"])
def test_guidance_in_an_article_is_traded_from_its_publication_on(
    tiny: TinyStore, body: str
) -> None:
    publish(tiny, f"{DAY} 16:10:30", body)
    trade = traded(tiny).trades.iloc[0]
    # Known at the end of the 16:10 bar: the 16:11 bar fills.
    assert clock(trade["decided_at"]) == f"{DAY} 16:11"
    assert trade["guidance_revenue"] == pytest.approx(55e9 / 51.3e9 - 1)


def test_the_same_article_an_hour_later_is_traded_an_hour_later(tiny: TinyStore) -> None:
    publish(tiny, f"{DAY} 16:20:30", ENGLISH)
    assert clock(traded(tiny).trades.iloc[0]["decided_at"]) == f"{DAY} 16:21"


def test_a_sunday_article_belongs_to_the_release_and_is_known_on_sunday(tiny: TinyStore) -> None:
    sunday = "2019-02-03 10:00:00"
    publish(tiny, sunday, ENGLISH)
    (event,) = tiny.store.events()["event_id"]
    item = tiny.store.news().iloc[0]
    assert item["event_id"] == event
    told = tiny.store.guidance([event]).iloc[0]
    assert (told["period"], told["low"], told["high"]) == ("2019Q1", 53.5e9, 56.5e9)
    assert told["news_id"] == item["news_id"]
    assert told["first_known_at"] == ny(sunday)
    result = traded(tiny)
    assert result.trades.empty
    assert result.events["status"].tolist() == ["content unknown at decision"]
    assert tiny.store.guidance([event], as_of=ny("2019-02-02 10:00")).empty


def test_guidance_of_a_text_neither_overwrites_nor_hides_that_of_a_source_of_figures(
    tiny: TinyStore,
) -> None:
    tiny.take([guidance("META", f"{DAY} 16:05:00", metric="revenue", middle=96.0, period="2019Q1")])
    publish(tiny, f"{DAY} 16:10:30", ENGLISH)
    # The figures said 4 % below consensus, and go on counting.
    assert traded(tiny).trades.empty
    (event,) = tiny.store.events()["event_id"]
    assert len(tiny.store.guidance([event])) == 2
    found = check(tiny.store)
    (text,) = found.loc[found["check"] == "guidance", "finding"]
    assert "53,500,000,000 to 56,500,000,000 USD (article, item 1)" in text


def test_the_move_that_a_text_tells_is_text_and_no_price(tiny: TinyStore) -> None:
    publish(tiny, f"{DAY} 16:10:30", ENGLISH)
    told = tiny.store.text_reactions().iloc[0]
    assert (told["move"], told["size"], told["session"]) == ("fell", 0.035, "post")
    assert ENGLISH[told["begin"] : told["end"]] == told["sentence"]


def test_an_article_published_in_the_evening_can_be_faded(tiny: TinyStore) -> None:
    publish(tiny, f"{DAY} 16:06:30", "Meta is sued by a competitor.", title="Meta is sued")
    result = run("news_fade", tiny.store, params={"drop": 0.01}, record=False)
    assert clock(result.trades.iloc[0]["decided_at"]) == f"{DAY} 16:07"
