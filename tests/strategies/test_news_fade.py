"""A fall after a headline: the window starts with the publication, in any phase."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backtest import Result, run
from db.errors import DataError
from tests.tiny_store import TinyStore, clock, headline, release

DAY = "2019-01-29"
BARS = """
    2019-01-28 15:59 20.00
    2019-01-29 09:30 19.00
               11:00 20.00        # the last price before the item
               11:05 19.30        # -3.5 %
               11:06 19.32
               15:59 20.40
               16:30 20.40
               16:40 19.60        # -3.9 % in the evening
               16:41 19.62
    2019-01-30 09:30 20.50
               15:59 21.00
    2019-01-31 15:59 21.00
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        store.bars("AMD", BARS)
        yield store


def fade(tiny: TinyStore, *items: object, **params: object) -> Result:
    tiny.take(list(items))
    return run("news_fade", tiny.store, params=params, record=False)


def test_it_buys_the_fall_after_an_item_in_the_session(tiny: TinyStore) -> None:
    result = fade(tiny, headline("AMD loses a customer", f"{DAY} 11:02:30", "AMD"))
    trade = result.trades.iloc[0]
    assert (clock(trade["decided_at"]), trade["order"]) == (f"{DAY} 11:06", "market")
    assert trade["entry_mid"] == 19.32
    assert trade["reference_close"] == 20.0
    assert not trade["assumed"]
    assert result.events["title"].tolist() == ["AMD loses a customer"]
    assert result.record["events"] == "news"


def test_it_buys_the_fall_after_an_item_in_the_evening(tiny: TinyStore) -> None:
    result = fade(tiny, headline("AMD is sued", f"{DAY} 16:35", "AMD"))
    trade = result.trades.iloc[0]
    assert (clock(trade["decided_at"]), trade["order"]) == (f"{DAY} 16:41", "limit")
    assert trade["entry_mid"] == 19.62


def test_a_fall_before_the_item_is_not_its_doing(tiny: TinyStore) -> None:
    """Published at 11:30, after the fall: measured from 19.32."""
    result = fade(tiny, headline("AMD fell", f"{DAY} 11:30", "AMD"), window=1440.0)
    assert result.funnel["reason"].tolist() == ["not triggered"]


def test_a_fall_after_the_window_is_too_late(tiny: TinyStore) -> None:
    item = headline("AMD is sued", f"{DAY} 16:05", "AMD")
    assert len(fade(tiny, item, window=30.0).trades) == 0
    assert len(run("news_fade", tiny.store, params={"window": 60}, record=False).trades) == 1


def test_an_item_about_two_companies_is_an_event_of_each(tiny: TinyStore) -> None:
    tiny.bars("INTC", BARS)
    result = fade(
        tiny,
        headline("Chips fall", f"{DAY} 11:02", "AMD", "INTC"),
        headline("The weather", f"{DAY} 11:02"),
        headline("Of a stranger", f"{DAY} 11:02", "NOBODY"),
    )
    assert sorted(result.trades["symbol"]) == ["AMD", "INTC"]
    assert result.funnel.set_index("reason")["events"].to_dict() == {"no bars": 1, "trade": 2}
    assert result.trades["event_id"].is_unique


def test_an_item_of_a_date_cannot_be_traded_that_day(tiny: TinyStore) -> None:
    item = headline("One day", "2019-01-30 00:00", "AMD", published_precision="date")
    result = fade(tiny, item, window=1440.0)
    event = result.events.iloc[0]
    assert clock(event["announced_from"]) == "2019-01-29 00:00"
    assert clock(event["announced_to"]) == "2019-01-30 00:00"
    assert event["status"] == "event not known in time"


def test_news_carries_no_figures_of_an_earnings_event_with_its_number(tiny: TinyStore) -> None:
    """Event ids of the two kinds must not meet: the first of each is not the same event."""
    tiny.release("AMD", DAY, "post", eps_estimate=1.0, eps_actual=2.0)
    fade(tiny, headline("AMD is sued", f"{DAY} 16:35", "AMD"))
    from backtest.panel.build import load_panel

    panel = load_panel(tiny.store, kind="news")
    assert (panel.events["event_id"] < 0).all()
    assert not (panel.surprise > -9).any()


def test_a_store_without_news_says_so(tiny: TinyStore) -> None:
    tiny.take([release("AMD", DAY, "post")])
    with pytest.raises(DataError, match=r"no news events(.|\n)*backtest ingest news"):
        run("news_fade", tiny.store)
