"""The exchange's day: phases, bar ends and sessions come from the calendar, never from the data."""

from __future__ import annotations

import numpy as np
import pytest

from db.calendar import Phase, calendar
from db.errors import UsageError
from db.intervals import Interval
from tests.tiny_store import clock, us

NYSE = calendar("XNYS")
FRANKFURT = calendar("XETR")

FULL = "2019-01-29"
HALF = "2023-11-24"
"""The day after Thanksgiving: regular hours to 13:00, extended hours to 17:00."""


def phases_of(
    instants: list[str], interval: Interval = Interval.M1, exchange: str = "XNYS"
) -> list[str]:
    cal = calendar(exchange)
    starts = np.array([us(text, cal.tz) for text in instants])
    return [Phase(phase).label for phase in cal.phases(starts, interval)]


def end_of(start: str, interval: Interval, exchange: str = "XNYS") -> str:
    cal = calendar(exchange)
    end = cal.bar_ends(np.array([us(start, cal.tz)]), interval)
    return clock(int(end[0]), cal.tz)[11:]


@pytest.mark.parametrize(
    ("start", "phase"),
    [
        ("03:59", "closed"),
        ("04:00", "pre"),
        ("09:29", "pre"),
        ("09:30", "regular"),
        ("15:59", "regular"),
        ("16:00", "auction"),
        ("16:01", "post"),
        ("19:59", "post"),
        ("20:00", "closed"),
    ],
)
def test_a_minute_belongs_to_the_phase_it_starts_in(start: str, phase: str) -> None:
    assert phases_of([f"{FULL} {start}"]) == [phase]


@pytest.mark.parametrize(
    ("start", "phase"),
    [
        ("12:59", "regular"),
        ("13:00", "auction"),
        ("13:01", "post"),
        ("16:00", "post"),
        ("16:59", "post"),
        ("17:00", "closed"),
    ],
)
def test_a_half_day_ends_at_13_and_its_evening_at_17(start: str, phase: str) -> None:
    assert phases_of([f"{HALF} {start}"]) == [phase]


@pytest.mark.parametrize("interval", [Interval.M2, Interval.M5, Interval.M30, Interval.H1])
def test_in_coarser_bars_the_one_that_starts_at_the_close_is_post(interval: Interval) -> None:
    assert phases_of([f"{FULL} 15:30", f"{FULL} 16:00"], interval) == ["regular", "post"]


def test_an_instant_at_the_close_lies_after_it() -> None:
    at = np.array([us(f"{FULL} 16:00"), us(f"{FULL} 09:30"), us(f"{FULL} 20:00")])
    assert [Phase(p).label for p in NYSE.phases_at(at)] == ["post", "regular", "closed"]


@pytest.mark.parametrize("day", ["2019-01-26", "2019-01-21", "2012-10-29", "2001-09-12"])
def test_a_day_without_a_session_is_closed_all_day(day: str) -> None:
    """A Saturday, Martin Luther King's day, hurricane Sandy, and the days after 9/11."""
    assert phases_of([f"{day} 08:00", f"{day} 12:00", f"{day} 17:00"]) == ["closed"] * 3


def test_phases_follow_new_york_s_clock_through_its_changes() -> None:
    """09:30 in New York was 14:30 UTC on Friday 2024-03-08 and 13:30 UTC on the Monday after."""
    opens = NYSE.opens[NYSE.index_of_dates(np.array(["2024-03-08", "2024-03-11"], "datetime64[D]"))]
    assert [str(np.datetime64(int(at), "us"))[11:16] for at in opens] == ["14:30", "13:30"]
    for day in ("2024-03-08", "2024-03-11", "2024-11-01", "2024-11-04"):
        at = [f"{day} {time}" for time in ("03:59", "04:00", "09:30", "16:01", "20:00")]
        assert phases_of(at) == ["closed", "pre", "regular", "post", "closed"]


def test_any_shape_of_starts_gives_phases_of_that_shape() -> None:
    starts = np.array([[us(f"{FULL} 09:30")], [us(f"{FULL} 16:01")]])
    assert NYSE.phases(starts, Interval.M1).tolist() == [[Phase.REGULAR], [Phase.POST]]
    assert NYSE.phases(np.array([], dtype=np.int64), Interval.M1).shape == (0,)


def test_a_daily_bar_is_regular_and_ends_at_its_session_s_close() -> None:
    starts = NYSE.opens[NYSE.index_of_dates(np.array([FULL, HALF], "datetime64[D]"))]
    assert NYSE.phases(starts, Interval.D1).tolist() == [Phase.REGULAR, Phase.REGULAR]
    ends = NYSE.bar_ends(starts, Interval.D1)
    assert [clock(int(end)) for end in ends] == [f"{FULL} 16:00", f"{HALF} 13:00"]


@pytest.mark.parametrize(
    ("start", "interval", "end"),
    [
        ("15:59", Interval.M1, "16:00"),
        ("09:25", Interval.M5, "09:30"),
        ("09:00", Interval.H1, "09:30"),  # the half-hour stub before the open
        ("09:30", Interval.H1, "10:30"),
        ("15:30", Interval.H1, "16:00"),  # and the one before the close
        ("16:00", Interval.H1, "17:00"),
        ("19:00", Interval.H1, "20:00"),
        ("09:15", Interval.M30, "09:30"),
        ("19:59", Interval.M2, "20:00"),
    ],
)
def test_a_bar_ends_where_its_phase_does(start: str, interval: Interval, end: str) -> None:
    assert end_of(f"{FULL} {start}", interval) == end


def test_a_half_day_s_last_hourly_bar_ends_at_13() -> None:
    assert end_of(f"{HALF} 12:30", Interval.H1) == "13:00"
    assert end_of(f"{HALF} 16:30", Interval.H1) == "17:00"


def test_a_stray_bar_keeps_its_nominal_length() -> None:
    assert end_of(f"{FULL} 21:00", Interval.M5) == "21:05"


def test_an_exchange_without_extended_hours_has_regular_hours_alone() -> None:
    day = "2019-01-29"
    at = [f"{day} {time}" for time in ("08:59", "09:00", "17:29", "17:30", "18:00")]
    expected = ["closed", "regular", "regular", "closed", "closed"]
    assert phases_of(at, exchange="XETR") == expected
    assert not FRANKFURT.has_extended_hours
    assert NYSE.has_extended_hours


def test_a_release_after_frankfurt_s_close_counts_on_the_next_session() -> None:
    at = np.array([us("2019-01-29 17:30", FRANKFURT.tz), us("2019-01-29 17:29", FRANKFURT.tz)])
    reference = FRANKFURT.dates[FRANKFURT.last_close_at_or_before(at)]
    reaction = FRANKFURT.dates[FRANKFURT.first_close_after(at)]
    assert [str(day) for day in reference] == ["2019-01-29", "2019-01-28"]
    assert [str(day) for day in reaction] == ["2019-01-30", "2019-01-29"]


def test_the_same_exchange_by_its_code_and_its_name() -> None:
    for name in ("NYSE", "XNAS", "xnys"):
        assert (calendar(name).closes == NYSE.closes).all()


def test_an_unknown_exchange_is_named() -> None:
    with pytest.raises(UsageError, match="'XXXX'"):
        calendar("XXXX")


def test_sessions_are_found_by_their_date_alone() -> None:
    days = np.array(["2019-01-29", "2019-01-26", "1950-01-03", "2099-01-05"], "datetime64[D]")
    index = NYSE.index_of_dates(days)
    assert str(NYSE.dates[index[0]]) == "2019-01-29"
    assert index[1:].tolist() == [-1, -1, -1]


def test_the_calendar_s_first_session_is_one() -> None:
    at = np.array([NYSE.pre_start[0] - 1, NYSE.pre_start[0], NYSE.opens[0], NYSE.closes[0]])
    phases = [Phase(phase).label for phase in NYSE.phases_at(at)]
    assert phases == ["closed", "pre", "regular", "post"]


def test_instants_beyond_the_calendar_belong_to_no_session() -> None:
    at = np.array([us("1962-01-02 12:00"), us("2099-01-05 12:00")])
    assert NYSE.session_of(at).tolist() == [-1, -1]
    assert NYSE.phases(at, Interval.M1).tolist() == [Phase.CLOSED, Phase.CLOSED]
    assert NYSE.last_close_at_or_before(at[:1]).tolist() == [-1]
    assert NYSE.first_close_after(at[1:]).tolist() == [len(NYSE)]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("pre", ("2019-01-29 00:00", "2019-01-29 09:30", "session")),
        ("regular", ("2019-01-29 09:30", "2019-01-29 15:59", "session")),
        ("post", ("2019-01-29 16:00", "2019-01-30 00:00", "session")),
        ("", ("2019-01-29 00:00", "2019-01-30 00:00", "date")),
    ],
)
def test_a_label_is_an_interval(label: str, expected: tuple[str, str, str]) -> None:
    since, until, precision = NYSE.release_interval(np.datetime64(FULL, "D").item(), label)
    assert (clock(since), clock(until), precision) == expected


def test_a_release_in_regular_hours_ends_just_before_the_close() -> None:
    """Were it to end at the close, its reaction would be the next session."""
    since, until, _ = NYSE.release_interval(np.datetime64(FULL, "D").item(), "regular")
    assert until == us(f"{FULL} 16:00") - 1
    assert str(NYSE.dates[NYSE.first_close_after(np.array([until]))[0]]) == FULL
    assert str(NYSE.dates[NYSE.last_close_at_or_before(np.array([since]))[0]]) == "2019-01-28"


@pytest.mark.parametrize("label", ["pre", "regular", "post", ""])
def test_a_label_on_a_day_without_a_session_is_the_whole_day(label: str) -> None:
    since, until, precision = NYSE.release_interval(np.datetime64("2019-01-26", "D").item(), label)
    assert (clock(since), clock(until)) == ("2019-01-26 00:00", "2019-01-27 00:00")
    assert precision == "date"


def test_a_half_day_s_post_session_begins_at_13() -> None:
    since, until, _ = NYSE.release_interval(np.datetime64(HALF, "D").item(), "post")
    assert (clock(since), clock(until)) == (f"{HALF} 13:00", "2023-11-25 00:00")


def test_a_day_of_23_hours_lasts_from_midnight_to_midnight() -> None:
    since, until, _ = NYSE.release_interval(np.datetime64("2024-03-10", "D").item(), "")
    assert until - since == 23 * 3_600_000_000


def test_an_unknown_label_is_refused() -> None:
    with pytest.raises(UsageError, match="'amc'"):
        NYSE.release_interval(np.datetime64(FULL, "D").item(), "amc")


def test_local_dates_are_the_exchange_s() -> None:
    """01:30 UTC is still the evening before in New York and already that day in Frankfurt."""
    at = np.array([us("2019-01-30 01:30", "UTC")])
    assert str(NYSE.local_dates(at)[0]) == "2019-01-29"
    assert str(FRANKFURT.local_dates(at)[0]) == "2019-01-30"


def test_the_table_of_days_finds_what_a_search_finds() -> None:
    """Every boundary of every session, a microsecond to each side, and random instants."""
    random = np.random.default_rng(0)
    for cal in (NYSE, FRANKFURT, calendar("XTKS"), calendar("XASX")):
        bounds = np.concatenate([cal.pre_start, cal.opens, cal.closes, cal.post_end])
        span = random.integers(bounds.min() - 10**12, bounds.max() + 10**12, 20_000)
        at = np.concatenate([bounds - 1, bounds, bounds + 1, span])
        index = np.searchsorted(cal.pre_start, at, side="right") - 1
        inside = (index >= 0) & (at < cal.post_end[np.maximum(index, 0)])
        assert (cal.session_of(at) == np.where(inside, index, -1)).all()
