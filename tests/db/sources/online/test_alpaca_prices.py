"""Bars from Alpaca: what is asked, in which parts, and what is in the store after it."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date, timedelta

import pytest

from db.calendar import Phase, calendar
from db.intervals import Interval
from db.sources.fetching.source import ALL_PHASES, Ask
from db.store import Store
from tests.db.sources.online.alpaca_run import NOW, AlpacaRun, day, utc
from tests.fakes.alpaca import FakeAlpaca, raw_bar
from tests.fakes.market import Stock

META = Stock("META")
A_DAY = 165 + 390 + 120  # minutes that the made-up market trades before, in and after hours


@pytest.fixture
def fake():
    with FakeAlpaca([META], now=lambda: NOW) as server:
        yield server


@pytest.fixture
def run(fake: FakeAlpaca, fresh_store: Store) -> AlpacaRun:
    return AlpacaRun(fake, fresh_store)


def test_minutes_come_raw_and_with_extended_hours(run: AlpacaRun) -> None:
    outcome = run.prices("META", "2026-01-05", "2026-01-07")
    bars = run.stored()
    phases = Counter(calendar().phases(bars.start, Interval.M1).tolist())
    assert (bars.source, bars.adjusted, len(bars.start)) == ("alpaca-sip", "none", 2 * A_DAY)
    assert phases == {Phase.PRE: 330, Phase.REGULAR: 780, Phase.AUCTION: 2, Phase.POST: 238}
    assert run.starts()[0] == "2026-01-05 04:00"
    assert outcome.of("prices").added == 2 * A_DAY
    (query,) = [request.query for request in run.fake.requests]
    assert (query["adjustment"], query["feed"], query["timeframe"]) == ("raw", "sip", "1Min")


def test_values_are_those_of_the_service(run: AlpacaRun) -> None:
    run.prices("META", "2026-01-05", "2026-01-06")
    bars = run.stored()
    traded = list(META.bars(Interval.M1, day("2026-01-05"), day("2026-01-06")))
    assert bars.close.tolist() == [bar.close for bar in traded]
    assert bars.high.tolist() == [bar.high for bar in traded]
    assert bars.volume.tolist() == [bar.volume + 5 for bar in traded]


def test_pages_are_put_together(run: AlpacaRun) -> None:
    run.fake.page = 200
    run.prices("META", "2026-01-05", "2026-01-07")
    assert len(run.stored().start) == 2 * A_DAY
    assert len(run.fake.requests) == 7
    assert run.asked("page_token").count("") == 1


def test_parts_are_months_and_meet_without_a_gap(run: AlpacaRun) -> None:
    ask = Ask("prices", "META", day("2026-01-20"), day("2026-03-05"), "1m", ("regular",))
    parts = [(part.since, part.until) for part in run.source().fetch(ask)]
    february, march = day("2026-02-01"), day("2026-03-01")
    assert parts == [
        (day("2026-01-20"), february),
        (february, march),
        (march, day("2026-03-05")),
    ]


def test_a_second_run_asks_for_what_is_missing_alone(run: AlpacaRun) -> None:
    run.prices("META", "2026-01-05", "2026-01-06")
    run.fake.requests.clear()
    assert run.prices("META", "2026-01-05", "2026-01-06").of("prices").fresh == 1
    assert run.fake.requests == []
    run.prices("META", "2026-01-05", "2026-01-07")
    assert run.asked("start") == ["2026-01-06T05:00:00+00:00"]
    assert len(run.stored().start) == 2 * A_DAY


def test_hours_begin_at_the_open_and_are_made_of_halves(run: AlpacaRun) -> None:
    run.prices("META", "2026-01-05", "2026-01-06", interval="1h")
    assert run.asked("timeframe") == ["30Min"]
    of_day = [start[11:] for start in run.starts("1h")]
    before = [f"{hour:02}:00" for hour in range(4, 10)]
    within = [f"{hour:02}:30" for hour in range(9, 16)]
    after = [f"{hour:02}:00" for hour in range(16, 20)]
    assert of_day == before + within + after
    hours = list(META.bars(Interval.H1, day("2026-01-05"), day("2026-01-06")))
    bars = run.stored("1h")
    for field in ("open", "high", "low", "close"):
        assert getattr(bars, field).tolist() == [getattr(hour, field) for hour in hours]
    assert bars.volume[6] == 6000 + 10  # two halves, each with the five that the fake adds


def test_hours_are_whole_where_parts_meet(run: AlpacaRun) -> None:
    run.prices("META", "2026-01-05", "2026-01-05 17:00", interval="1h")  # noon in New York
    run.prices("META", "2026-01-05", "2026-01-06", interval="1h")
    hours = list(META.bars(Interval.H1, day("2026-01-05"), day("2026-01-06")))
    assert run.stored("1h").high.tolist() == [hour.high for hour in hours]


def test_days_start_at_the_open(run: AlpacaRun) -> None:
    run.prices("META", "2026-01-01", "2026-01-10", interval="1d", phases=("regular",))
    numbers = [2, 5, 6, 7, 8, 9]
    assert run.starts("1d") == [f"2026-01-{number:02} 09:30" for number in numbers]
    traded = META.bars(Interval.D1, day("2026-01-01"), day("2026-01-10"))
    assert run.stored("1d").close.tolist() == [bar.close for bar in traded]


def test_a_clock_change_inside_of_the_range_moves_no_bar(run: AlpacaRun) -> None:
    run.prices("META", "2026-03-06", "2026-03-10")
    starts = run.starts()
    assert len(starts) == 2 * A_DAY
    assert [starts[0], starts[-1]] == ["2026-03-06 04:00", "2026-03-09 19:58"]
    opens = utc("2026-03-06 14:30"), utc("2026-03-09 13:30")
    assert {int(at.timestamp() * 1e6) for at in opens} <= set(run.stored().start.tolist())


def test_a_half_day_ends_early(run: AlpacaRun) -> None:
    late = utc("2025-11-28 22:30")  # 17:30 in New York, half an hour after the evening's end
    run.fake.stray = [raw_bar(late, 100.0)]
    outcome = run.prices("META", "2025-11-28", "2025-11-29")
    starts = run.starts()
    assert len(starts) == 165 + 210 + 120
    assert starts[-1] == "2025-11-28 16:58"
    assert outcome.of("prices").rejected == 1
    assert "04:00 to 17:00" in run.store.rejects()["reason"][0]


def test_bars_that_cannot_be_used_are_rejects_with_their_reasons(run: AlpacaRun) -> None:
    at = utc("2026-01-05 14:30:00")
    saturday = utc("2026-01-10 15:00")
    run.fake.stray = [
        raw_bar(saturday, 100.0),
        raw_bar(at + timedelta(seconds=30), 100.0),
        raw_bar(utc("2026-01-05 09:01"), None),
        raw_bar(utc("2026-01-05 09:03"), 100.0, l=101.0),
        raw_bar(utc("2026-01-05 09:05"), -1.0),
        raw_bar(utc("2026-01-05 09:07"), "1,000"),
        raw_bar(utc("2026-01-05 09:09"), 100.0, v=-5),
    ]
    outcome = run.prices("META", "2026-01-05", "2026-01-11")
    reasons = run.store.rejects().sort_values("row")["reason"].tolist()
    assert outcome.of("prices").rejected == len(run.fake.stray)
    assert [reason.partition(":")[0] for reason in reasons] == [
        "a price is missing",
        "out of order",
        "a price is zero or negative",
        "a comma in a number is not read (thousands separator?)",
        "the volume is negative",
        "no 1m bar starts at 2026-01-05 09",
        "XNYS had no session on 2026-01-10",
    ]
    assert len(run.stored().start) == 5 * A_DAY


def test_what_still_runs_is_neither_stored_nor_covered(run: AlpacaRun) -> None:
    run.now = lambda: NOW + timedelta(seconds=90)
    run.prices("META", "2026-03-12", "2026-03-13")
    assert run.starts()[-1] == "2026-03-12 13:59"  # 14:00 is over, but may still change
    run.now = lambda: NOW + timedelta(minutes=5)
    run.fake.now = run.now
    run.prices("META", "2026-03-12", "2026-03-13")
    assert run.starts()[-1] == "2026-03-12 14:03"
    run.prices("META", "2026-03-11", "2026-03-13", interval="1d")
    assert run.starts("1d") == ["2026-03-11 09:30"]


def test_a_clock_that_goes_on_leaves_no_crumbs(run: AlpacaRun) -> None:
    ticks = itertools.count()
    run.now = run.fake.now = lambda: utc("2026-03-14 12:00") + timedelta(seconds=next(ticks))
    run.prices("META", "2026-03-12", "2026-03-15")  # a Saturday: every instant is after all bars
    assert len(run.fake.requests) == 1


def test_a_free_account_gets_what_is_older_than_a_quarter_of_an_hour(run: AlpacaRun) -> None:
    run.fake.free = True
    run.prices("META", "2026-03-12", "2026-03-13")
    assert run.starts()[-1] == "2026-03-12 13:43"
    assert [note for note in run.notes if "15 minutes" in note] == run.notes
    run.now = run.fake.now = lambda: NOW + timedelta(days=1)
    run.prices("META", "2026-03-12", "2026-03-13")
    assert len(run.stored().start) == A_DAY


def test_a_free_account_is_told_nothing_where_nothing_was_cut(run: AlpacaRun) -> None:
    run.fake.free = True
    run.now = run.fake.now = lambda: utc("2026-03-13 01:00")  # 21:00 in New York
    run.prices("META", "2026-03-12", "2026-03-14")
    assert (len(run.stored().start), run.notes) == (A_DAY, [])


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "30m", "1h", "1d"])
@pytest.mark.parametrize("now", ["2026-03-12 18:07", "2026-03-13 00:05", "2026-03-13 04:10"])
def test_a_free_account_gets_bars_of_every_length_at_any_hour(
    run: AlpacaRun, interval: str, now: str
) -> None:
    run.fake.free = True
    run.now = run.fake.now = lambda: utc(now)
    phases = ("regular",) if interval == "1d" else ALL_PHASES
    outcome = run.prices("META", "2026-03-11", "2026-03-14", interval=interval, phases=phases)
    assert outcome.complete
    assert len(run.fake.requests) <= 2  # refused, and cut
    run.now = run.fake.now = lambda: utc("2026-03-16 12:00")
    run.prices("META", "2026-03-11", "2026-03-14", interval=interval, phases=phases)
    traded = META.bars(Interval.parse(interval), day("2026-03-11"), day("2026-03-14"))
    assert run.stored(interval).close.tolist() == [bar.close for bar in traded]


def test_a_range_within_the_last_minutes_says_why_there_is_nothing(run: AlpacaRun) -> None:
    run.fake.free = True
    run.prices("META", "2026-03-12 17:50", "2026-03-12 18:00")
    assert run.store.bar_sources().empty
    assert len(run.notes) == 1


def test_each_feed_is_a_source_of_its_own(run: AlpacaRun) -> None:
    run.fake.free = True
    run.prices("META", "2026-01-05", "2026-01-06")
    run.options["feed"] = "iex"
    run.prices("META", "2026-01-05", "2026-01-06")
    assert run.store.bar_sources()["source"].tolist() == ["alpaca-iex", "alpaca-sip"]
    assert run.asked("feed") == ["sip", "iex"]


def test_only_the_phases_that_were_asked_for_are_kept(run: AlpacaRun) -> None:
    run.prices("META", "2026-01-05", "2026-01-06", phases=("regular",))
    starts = run.starts()
    assert (len(starts), starts[0], starts[-1]) == (390, "2026-01-05 09:30", "2026-01-05 15:59")


def test_a_renamed_symbol_is_one_instrument_under_the_names_of_its_days(run: AlpacaRun) -> None:
    run.fake.renamed["FB"] = ("META", date(2022, 6, 9))
    run.store.add_instrument("FB")
    run.store.rename("FB", "META", date(2022, 6, 9))
    run.prices("FB", "2022-06-08", "2022-06-10", phases=("regular",))
    assert set(run.asked()) == {"META"}
    bars = run.stored()
    assert len(set(bars.instrument.tolist())) == 1
    assert len(bars.start) == 780
    assert run.store.resolve("FB", date(2022, 6, 8)) == run.store.resolve("META")


def test_an_old_symbol_has_what_was_traded_under_it(run: AlpacaRun) -> None:
    run.fake.renamed["FB"] = ("META", date(2022, 6, 9))
    run.prices("FB", "2022-06-08", "2022-06-10", phases=("regular",))
    assert run.starts()[-1] == "2022-06-08 15:59"


def test_a_symbol_without_bars_is_covered_and_noted(run: AlpacaRun) -> None:
    outcome = run.prices("ZZZZ", "2026-01-05", "2026-02-05")
    assert outcome.complete
    assert (outcome.of("prices").added, run.store.bar_sources().empty) == (0, True)
    assert run.notes == ["Alpaca has no bars of ZZZZ there: not traded, or no such symbol"]
    run.fake.requests.clear()
    run.prices("ZZZZ", "2026-01-05", "2026-02-05")
    assert run.fake.requests == []


def test_what_is_no_symbol_is_unknown_and_the_others_come(run: AlpacaRun) -> None:
    since, until = day("2026-01-05"), day("2026-01-06")
    asks = [Ask("prices", name, since, until, "1m", ("regular",)) for name in ("NO/SUCH", "META")]
    outcome = run.bring(*asks)
    assert list(outcome.unknown) == ["NO/SUCH"]
    assert "invalid symbol" in outcome.unknown["NO/SUCH"]
    assert len(run.stored().start) == 390


def test_nothing_is_asked_from_before_the_archive_begins(run: AlpacaRun) -> None:
    run.prices("META", "2015-12-28", "2016-01-05", interval="1d")
    assert run.asked("start") == ["2016-01-01T00:00:00+00:00"]
    assert "Alpaca has no bars before 2016" in run.notes[0]
