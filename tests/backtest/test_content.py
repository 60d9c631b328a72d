"""Content columns: what a release and the news said, in no column before it was known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest.panel.build import schedule_known
from backtest.panel.content import estimates_in_time
from db.batches import NewsRecord, TextFact
from tests.tiny_store import TinyStore, clock, guidance, headline, ny, padded, release, us

BARS = """
    2019-01-29 15:58  20
               15:59  20
               16:01  19.5
               16:05  19.0
               16:30  19.2
               19:59  19.3
    2019-01-30 04:00  19.4
               09:29  19.5
               09:30  19.6
               12:00  19.8
               15:59  20.4
"""
CLOCKS = ["16:02", "16:06", "16:31", "20:00", "04:01", "09:30", "09:31", "12:01", "16:00"]
"""Ends of the columns of a release after the close of 2019-01-29."""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        store.bars("AMD", BARS)
        yield store


def known_since(values: object, clocks: list[str] = CLOCKS) -> list[tuple[str, float]]:
    """(end of the column, value) wherever the value changes, NaN left out."""
    found: list[tuple[str, float]] = []
    for at, value in zip(clocks, padded(values), strict=True):
        if value is not None and (not found or found[-1][1] != round(value, 10)):
            found.append((at, round(value, 10)))
    return found


def test_content_of_a_session_is_not_traded_that_evening(tiny: TinyStore) -> None:
    """Known at midnight: in the first bar of the morning."""
    tiny.release("AMD", "2019-01-29", "post", eps_estimate=1.0, eps_actual=1.2)
    assert known_since(tiny.panel().surprise) == [("04:01", 0.2)]


def test_content_of_an_exact_release_is_in_the_first_bar_that_ends_at_it(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:06:00", eps_estimate=1.0, eps_actual=1.2)
    assert known_since(tiny.panel().surprise) == [("16:06", 0.2)]


def test_a_second_later_it_is_in_the_next_bar(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:06:01", eps_estimate=1.0, eps_actual=1.2)
    assert known_since(tiny.panel().surprise) == [("16:31", 0.2)]


def test_content_of_a_premarket_session_is_known_at_the_open(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-30", "pre", eps_estimate=1.0, eps_actual=1.2)
    assert known_since(tiny.panel().surprise) == [("09:30", 0.2)]


def test_content_of_a_regular_session_is_known_at_its_close(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-30", "regular", eps_estimate=1.0, eps_actual=1.2)
    assert known_since(tiny.panel().surprise) == [("16:00", 0.2)]


def test_content_of_a_bare_date_is_known_when_it_is_over(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-01-28 15:59 20")
    tiny.release("AMD", "2019-01-29", "", eps_estimate=1.0, eps_actual=1.2)
    clocks = ["15:59", "16:00", *CLOCKS]
    assert known_since(tiny.panel().surprise, clocks) == [("04:01", 0.2)]


def test_a_proven_time_of_knowledge_is_believed(tiny: TinyStore) -> None:
    tiny.release(
        *("AMD", "2019-01-29", "post"),
        eps_estimate=1.0,
        eps_actual=1.2,
        known="2019-01-29 16:05:30",
    )
    assert known_since(tiny.panel().surprise) == [("16:06", 0.2)]
    assert known_since(tiny.panel(strict=True).surprise) == [("16:06", 0.2)]


def test_strict_uses_the_time_of_the_fetch(tiny: TinyStore) -> None:
    """Fetched while it happened, the content is in; fetched years later, it is not."""
    tiny.release(
        *("AMD", "2019-01-29", "post"),
        eps_estimate=1.0,
        eps_actual=1.2,
        fetched=ny("2019-01-29 19:00"),
    )
    assert known_since(tiny.panel(strict=True).surprise) == [("20:00", 0.2)]
    assert known_since(tiny.panel().surprise) == [("04:01", 0.2)]


def test_strict_knows_nothing_of_what_was_back_filled(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", eps_estimate=1.0, eps_actual=1.2)
    assert known_since(tiny.panel(strict=True).surprise) == []


def test_a_correction_counts_from_when_it_was_known(tiny: TinyStore) -> None:
    first = release(
        *("AMD", "2019-01-29 16:05:00"),
        eps_estimate=1.0,
        eps_actual=1.2,
        known="2019-01-29 16:05:00",
    )
    corrected = release(
        *("AMD", "2019-01-29 16:05:00"), eps_actual=0.9, known="2019-01-30 08:00:00"
    )
    tiny.take([first])
    tiny.take([corrected])
    assert known_since(tiny.panel().surprise) == [("16:06", 0.2), ("09:30", -0.1)]


def test_an_estimate_alone_and_an_actual_alone_are_no_surprise(tiny: TinyStore) -> None:
    tiny.take([release("AMD", "2019-01-29 16:05:00", eps_actual=1.2)])
    assert known_since(tiny.panel().surprise) == []
    tiny.take([release("AMD", "2019-01-29 16:05:00", eps_estimate=1.0)], source="analysts")
    assert known_since(tiny.panel().surprise) == [("16:06", 0.2)]


def test_a_loss_smaller_than_feared_is_a_positive_surprise(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00", eps_estimate=-0.5, eps_actual=-0.4)
    assert known_since(tiny.panel().surprise) == [("16:06", 0.2)]


def test_an_estimate_of_zero_gives_no_surprise(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00", eps_estimate=0.0, eps_actual=0.4)
    assert known_since(tiny.panel().surprise) == []


def test_guidance_is_its_midpoint_against_consensus(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([guidance("AMD", "2019-01-29 16:05:00", middle=110.0)])
    panel = tiny.panel()
    assert known_since(panel.guidance("revenue")) == [("16:06", 0.1)]
    assert known_since(panel.guidance("eps")) == []
    assert panel.reads == {"guidance:revenue", "guidance:eps"}


def test_guidance_with_one_bound_is_that_bound(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([guidance("AMD", "2019-01-29 16:05:00", middle=0, low=105.0, high=None)])
    assert known_since(tiny.panel().guidance("revenue")) == [("16:06", 0.05)]


def test_guidance_without_a_consensus_says_nothing(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([guidance("AMD", "2019-01-29 16:05:00", middle=110.0, consensus=None)])
    assert known_since(tiny.panel().guidance("revenue")) == []


def test_guidance_given_after_the_figures_is_not_known_with_them(tiny: TinyStore) -> None:
    """An outlook at next morning's conference belongs to the event, and counts from then on."""
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([guidance("AMD", "2019-01-30 09:00:00", middle=110.0)])
    assert known_since(tiny.panel().guidance("revenue")) == [("09:30", 0.1)]


def test_guidance_of_the_session_is_not_traded_that_evening(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post")
    tiny.take([guidance("AMD", "2019-01-29", "post", middle=110.0)])
    assert known_since(tiny.panel().guidance("revenue")) == [("04:01", 0.1)]
    assert known_since(tiny.panel(strict=True).guidance("revenue")) == []


def told(when: str, middle: float, **fields: Any) -> NewsRecord:
    """An item that states an outlook for revenue, 5 either side of ``middle``."""
    outlook = TextFact(
        *("revenue", "guidance", middle - 5, middle + 5, "USD"),
        **{"period": "next", "symbol": "AMD", **fields},
    )
    return headline(f"Told of {middle} on {when}", when, "AMD", facts=[outlook])


def outlooks(tiny: TinyStore, *, strict: bool = False) -> list[tuple[str, float]]:
    return known_since(tiny.panel(strict=strict).guidance("revenue"))


def test_an_outlook_in_a_text_counts_from_its_publication(tiny: TinyStore) -> None:
    """Proven by the item itself, however late it was fetched."""
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([told("2019-01-29 16:20:00", 110.0, consensus=100.0)])
    assert outlooks(tiny) == outlooks(tiny, strict=True) == [("16:31", 0.1)]


def test_an_outlook_repeated_for_days_counts_from_the_first_time(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    for when in ("2019-01-29 16:20:00", "2019-01-29 19:00:00", "2019-01-30 12:00:00"):
        tiny.take([told(when, 110.0, consensus=100.0)], source="feed")
    assert outlooks(tiny) == [("16:31", 0.1)]


def test_a_later_text_counts_from_its_own_publication(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([told("2019-01-29 16:20:00", 110.0, consensus=100.0)], source="feed")
    tiny.take([told("2019-01-30 09:00:00", 90.0, consensus=100.0)], source="feed")
    assert outlooks(tiny) == [("16:31", 0.1), ("09:30", -0.1)]


def test_a_consensus_given_elsewhere_serves_a_text_without_one(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    estimate = guidance(
        *("AMD", "2019-01-29 16:05:00"), middle=0, low=None, high=None, known="2019-01-29 16:05"
    )
    tiny.take([estimate], source="analysts")
    tiny.take([told("2019-01-29 16:04:00", 110.0)])
    assert outlooks(tiny) == []  # there was none by then
    tiny.take([told("2019-01-30 09:00:00", 120.0)])
    assert outlooks(tiny) == [("09:30", 0.2)]


def test_a_consensus_of_an_earlier_text_serves_a_later_one(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([told("2019-01-29 16:20:00", 110.0, consensus=100.0)])
    tiny.take([told("2019-01-30 09:00:00", 120.0), told("2019-01-30 11:00:00", 90.0)])
    assert outlooks(tiny) == [("16:31", 0.1), ("09:30", 0.2), ("12:01", -0.1)]


def test_a_consensus_of_another_period_serves_nobody(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([told("2019-01-29 16:20:00", 110.0, consensus=100.0, period="2019FY")])
    tiny.take([told("2019-01-30 09:00:00", 60.0, period="2019Q1")])
    assert outlooks(tiny) == [("16:31", 0.1)]


def test_a_consensus_that_came_later_does_not_reach_back(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([told("2019-01-29 16:20:00", 110.0)])
    tiny.take([told("2019-01-30 09:00:00", 110.0, consensus=100.0)])
    assert outlooks(tiny) == [("09:30", 0.1)]


@pytest.mark.parametrize("text_at", ["2019-01-29 16:05:00", "2019-01-29 16:20:00"])
def test_a_text_never_replaces_what_a_source_of_figures_had_said(
    tiny: TinyStore, text_at: str
) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    tiny.take([guidance("AMD", "2019-01-29 16:05:00", middle=110.0)], source="analysts")
    tiny.take([told(text_at, 90.0, consensus=100.0)])
    assert outlooks(tiny) == [("16:06", 0.1)]


def test_a_source_of_figures_replaces_what_a_text_had_said(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:00:30")
    tiny.take([told("2019-01-29 16:04:00", 90.0, consensus=100.0)])
    figures = guidance("AMD", "2019-01-30 09:00:00", middle=110.0)
    tiny.take([figures], source="analysts")
    assert outlooks(tiny) == [("16:06", -0.1), ("09:30", 0.1)]


def in_time(tiny: TinyStore, when: str) -> bool:
    """Whether the one event's estimate is proven to have been known at an instant."""
    events = tiny.store.events()
    at = np.array([us(when)] * len(events), dtype=np.int64)
    (found,) = estimates_in_time(tiny.store.revisions(), events, at)
    return bool(found)


@pytest.mark.parametrize(
    ("when", "expected"),
    [("2019-01-20 11:59:59", False), ("2019-01-20 12:00", True), ("2019-01-29 16:05", True)],
)
def test_an_estimate_is_of_its_time_from_when_it_is_proven(
    tiny: TinyStore, when: str, expected: bool
) -> None:
    tiny.release("AMD", "2019-01-29", "post", known="2019-01-20 12:00", eps_estimate=1.0)
    assert in_time(tiny, when) is expected


def test_an_estimate_that_was_fetched_years_later_is_of_no_time(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", eps_estimate=1.0)
    assert not in_time(tiny, "2019-01-29 16:05")


def test_an_estimate_that_was_fetched_in_time_was_known_then(tiny: TinyStore) -> None:
    """Whoever updates the store every day has proof of his own."""
    fetched = ny("2019-01-28 12:00")
    tiny.release("AMD", "2019-01-29", "post", eps_estimate=1.0, fetched=fetched)
    assert in_time(tiny, "2019-01-29 16:05")
    assert not in_time(tiny, "2019-01-28 11:59")


def test_an_actual_that_is_proven_proves_no_estimate(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", known="2019-01-20 12:00", eps_actual=1.0)
    tiny.release("AMD", "2019-01-29", "post", source="page", eps_estimate=1.0)
    assert not in_time(tiny, "2019-01-29 16:05")


def test_an_estimate_of_another_event_proves_nothing(tiny: TinyStore) -> None:
    tiny.release("INTC", "2019-01-24", "post", known="2019-01-20 12:00", eps_estimate=1.0)
    tiny.release("AMD", "2019-01-29", "post", eps_actual=1.0)
    events = tiny.store.events()
    at = np.full(len(events), us("2019-01-29 16:05"), dtype=np.int64)
    found = estimates_in_time(tiny.store.revisions(), events, at)
    assert dict(zip(events["symbol"], found.tolist(), strict=True)) == {"INTC": True, "AMD": False}


def test_without_revisions_no_estimate_is_of_its_time(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", eps_actual=1.0)
    events = tiny.store.events()
    at = np.array([us("2019-01-29 16:05")], dtype=np.int64)
    assert estimates_in_time(tiny.store.revisions([]), events, at).tolist() == [False]


def test_news_counts_from_its_publication(tiny: TinyStore) -> None:
    """Items up to the reference close are old; one at the close itself is of this evening."""
    tiny.release("AMD", "2019-01-29", "post")
    tiny.take(
        [
            headline("Old", "2019-01-29 15:59:59", "AMD", sentiment=-1.0),
            headline("AMD reports", "2019-01-29 16:00:00", "AMD", sentiment=0.5),
            headline("Analysts cheer", "2019-01-29 16:30:30", "AMD", sentiment=1.0),
            headline("No mood at all", "2019-01-30 08:00:00", "AMD"),
            headline("Another company", "2019-01-29 16:10:00", "INTC", sentiment=-1.0),
            headline("No company", "2019-01-29 16:10:00"),
        ]
    )
    news = tiny.panel().news
    assert known_since(news.count) == [("16:02", 1), ("16:31", 2), ("09:30", 3)]
    assert known_since(news.sentiment) == [("16:02", 0.5), ("16:31", 0.75)]


def test_news_counts_by_when_it_was_known_not_by_what_it_is_about(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post")
    tiny.take(
        [
            headline(
                *("Written up late", "2019-01-30 08:00:00", "AMD"),
                event_at=ny("2019-01-29 16:05"),
            )
        ]
    )
    assert known_since(tiny.panel().news.count) == [("16:02", 0), ("09:30", 1)]


def test_news_of_a_date_is_known_at_the_day_s_end(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post")
    over = "2019-01-30 00:00"  # importers state the end of the day
    tiny.take([headline("A day", over, "AMD", published_precision="date")])
    assert known_since(tiny.panel().news.count) == [("16:02", 0), ("04:01", 1)]


def test_near_duplicates_are_one_item_from_the_first_on(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post")
    tiny.take(
        [
            headline("AMD beats on earnings", "2019-01-29 16:05:00", "AMD", url="http://a/1"),
            headline("AMD Beats On Earnings!", "2019-01-29 16:30:00", "AMD", url="http://b/2"),
        ]
    )
    assert known_since(tiny.panel().news.count) == [("16:02", 0), ("16:06", 1)]


def test_an_item_under_the_old_and_the_new_symbol_counts_once(tiny: TinyStore) -> None:
    tiny.store.rename("AMD", "AMDX", ny("2019-02-01").date())
    tiny.release("AMD", "2019-01-29", "post")
    tiny.take([headline("AMD by two names", "2019-01-29 16:05:00", "AMD")])
    tiny.store.add_instrument("OTHER")
    panel = tiny.panel()
    assert known_since(panel.news.count) == [("16:02", 0), ("16:06", 1)]
    doubled = tiny.store.news()
    doubled = doubled.loc[np.repeat(doubled.index, 2)]
    from backtest.panel.content import news_columns

    ids = panel.events["instrument_id"].to_numpy(dtype=np.int64)
    twice = news_columns(doubled, ids, panel.sessions, panel.end, panel.real)
    assert known_since(twice.count) == [("16:02", 0), ("16:06", 1)]


def test_no_news_at_all_is_a_count_of_zero(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post")
    news = tiny.panel().news
    assert padded(news.count) == [0.0] * 9
    assert padded(news.sentiment) == [None] * 9


def test_two_companies_keep_their_own_content(tiny: TinyStore) -> None:
    tiny.bars("INTC", BARS.replace("16:01  19.5", "").replace("15:58  20\n", "15:59  20\n", 1)
              .replace("               15:59  20\n", "", 1))  # fmt: skip
    tiny.take(
        [
            release("INTC", "2019-01-29 16:05:00", eps_estimate=1.0, eps_actual=0.5),
            release("AMD", "2019-01-29", "post", eps_estimate=1.0, eps_actual=1.2),
        ]
    )
    tiny.take([headline("Of Intel", "2019-01-29 16:05:00", "INTC")])
    panel = tiny.panel()
    rows = {symbol: i for i, symbol in enumerate(panel.events["symbol"])}
    assert {x for x in padded(panel.surprise, rows["INTC"]) if x} == {-0.5}
    assert {round(x, 10) for x in padded(panel.surprise, rows["AMD"]) if x} == {0.2}
    assert max(x for x in padded(panel.news.count, rows["AMD"]) if x is not None) == 0
    assert padded(panel.news.count, rows["INTC"])[-1] is None  # padding: it has a bar less


def known_when(tiny: TinyStore, *, strict: bool = False) -> str:
    panel = tiny.panel(strict=strict)
    known = schedule_known(tiny.store, panel.events, panel.sessions, strict)
    return clock(int(known[0]))


def test_a_proven_schedule_is_known_from_the_reference_close_on(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00", known="2019-01-10 12:00")
    assert known_when(tiny) == known_when(tiny, strict=True) == "2019-01-29 16:00"


def test_a_back_filled_schedule_is_assumed_known_when_its_interval_begins(
    tiny: TinyStore,
) -> None:
    tiny.release("AMD", "2019-01-29 16:05:00")
    assert known_when(tiny) == "2019-01-29 16:05"
    assert known_when(tiny, strict=True) == "2024-01-02 07:00"


def test_a_release_that_was_found_out_late_is_known_late(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", known="2019-01-29 18:00")
    assert known_when(tiny) == "2019-01-29 18:00"


def test_figures_that_come_later_do_not_make_the_schedule_unknown(tiny: TinyStore) -> None:
    """The calendar said so in January, the figures came on the evening, a copy years after."""
    tiny.release("AMD", "2019-01-29", "post", known="2019-01-10 12:00", eps_estimate=1.0)
    tiny.release("AMD", "2019-01-29 16:05:00", known="2019-01-29 16:05", eps_actual=1.2)
    assert known_when(tiny) == "2019-01-29 16:00"
    tiny.release("AMD", "2019-01-29", "post", source="copy", eps_actual=1.21)
    assert known_when(tiny) == known_when(tiny, strict=True) == "2019-01-29 16:00"


def test_a_schedule_for_another_day_says_nothing_about_this_one(tiny: TinyStore) -> None:
    """First it was to be the 28th; that it would be the 29th became known on the day."""
    tiny.release("AMD", "2019-01-28", "post", known="2019-01-10 12:00")
    tiny.release("AMD", "2019-01-29", "post", known="2019-01-29 17:00")
    assert known_when(tiny) == "2019-01-29 17:00"
