"""Placebo nights by hand: which are eligible, which are chosen, and that no outcome chooses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.studies import Study, study
from backtest.studies.compare import NIGHTS
from tests.backtest.studies.markets import prices, session
from tests.tiny_store import TinyStore, headline

EVENT = "2019-02-06"
"""The reaction session; the release came the evening before."""
LIKE = "2018-10-10"
OTHER = "2018-06-13"
MOVES = {EVENT: (-0.06, 0.12), LIKE: (-0.06, 0.02), OTHER: (-0.066, -0.01)}


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def market(tiny: TinyStore, moves: dict[str, tuple[float, float]] | None = None) -> None:
    tiny.daily("AMD", prices(moves or MOVES))
    tiny.release("AMD", session(EVENT, -1), "post")


def asked(tiny: TinyStore, *conditions: str, **options: Any) -> Study:
    options = {"interval": "1d", "event_study": False} | options
    return study(tiny.store, conditions=conditions or ("drop>=0.05",), **options)


def nights(found: Study) -> list[str]:
    return [str(day.date()) for day in found.matches["reaction_date"]]


def test_two_falls_without_news_are_found_the_nearer_first(tiny: TinyStore) -> None:
    market(tiny)
    found = asked(tiny)
    assert nights(found) == [LIKE, OTHER]
    first, second = found.matches.to_dict("records")
    assert first["event_size"] == pytest.approx(0.06)
    assert second["night_size"] == pytest.approx(0.066)
    assert first["from_first"] == pytest.approx(0.02)
    assert first["from_reference"] == pytest.approx(0.94 * 1.02 - 1)
    assert second["from_first"] == pytest.approx(-0.01)
    # The size is 0.1 of the event's off, 0.4 of the caliper; volatilities are nearly the same.
    assert second["distance"] == pytest.approx(0.4, abs=0.05)
    share = found.placebo.set_index(["outcome", "measure"]).loc[("first price", "share")]
    assert (share["event_value"], share["night_value"], share["events"]) == (1.0, 0.0, 1)
    mean = found.placebo.set_index(["outcome", "measure"]).loc[("first price", "mean move")]
    assert mean["night_value"] == pytest.approx((0.02 - 0.01) / 2)
    assert mean["difference"] == pytest.approx(0.12 - 0.005)
    assert np.isnan(mean["p_value"])  # one event bounds nothing
    row = found.rates[(found.rates["group"] == NIGHTS) & (found.rates["outcome"] == "first price")]
    assert row["mean"].iloc[0] == pytest.approx(0.005)


def test_volatility_is_that_of_the_20_sessions_before(tiny: TinyStore) -> None:
    market(tiny)
    found = asked(tiny)
    bars = prices(MOVES)
    logs = np.diff(np.log(bars["close"].to_numpy()))
    at = [
        i for i, d in enumerate(pd.to_datetime(bars["start"], unit="us").dt.date) if str(d) == LIKE
    ]
    last = at[0] - 1  # the reference close
    assert found.matches["night_volatility"].iloc[0] == pytest.approx(
        logs[last - 20 : last].std(ddof=1), rel=1e-12
    )


@pytest.mark.parametrize(
    ("distances", "hold", "free"),
    [((-3, 3), 0, True), ((-2,), 0, False), ((2,), 0, False), ((3,), 1, False), ((4,), 1, True)],
)
def test_a_release_within_two_sessions_spoils_a_night(
    tiny: TinyStore, distances: tuple[int, ...], hold: int, free: bool
) -> None:
    """Counted from the end of the hold where there is one."""
    market(tiny)
    for distance in distances:
        tiny.release("AMD", session(LIKE, distance - 1), "post", fiscal_period=f"at {distance}")
    found = asked(tiny, hold=hold)
    event = found.events.loc[found.events["reaction_date"] == EVENT, "event_id"].iloc[0]
    mine = found.matches[found.matches["event_id"] == event]
    days = {str(day.date()) for day in mine["reaction_date"]}
    assert (LIKE in days) is free
    assert OTHER in days


def test_releases_outside_the_span_and_of_other_choices_count_too(tiny: TinyStore) -> None:
    market(tiny)
    tiny.release("AMD", LIKE, "pre")
    assert nights(asked(tiny, "drop>=0.05", "session=post")) == [OTHER]


@pytest.mark.parametrize("when", [f"{session(LIKE, -1)} 16:00", f"{LIKE} 16:00"])
def test_an_item_between_the_two_closes_spoils_a_night(tiny: TinyStore, when: str) -> None:
    market(tiny)
    outside = (f"{session(LIKE, -1)} 15:58", f"{LIKE} 16:02")
    tiny.take([headline(f"AMD at {at}", at, "AMD") for at in outside])
    assert LIKE in nights(asked(tiny))
    tiny.take([headline("AMD in the news", when, "AMD")])
    assert LIKE not in nights(asked(tiny))


def test_another_companys_night_is_never_taken(tiny: TinyStore) -> None:
    market(tiny)
    tiny.daily("UBER", prices({LIKE: (-0.06, 0.0), OTHER: (-0.06, 0.0)}, seed=2))
    found = asked(tiny)
    assert set(found.matches["symbol"]) == {"AMD"}
    assert found.matches["instrument_id"].nunique() == 1


def test_without_a_drop_the_overnight_move_matches(tiny: TinyStore) -> None:
    """A rise is never matched with a fall."""
    market(tiny, {EVENT: (0.05, 0.0), LIKE: (-0.05, 0.0), OTHER: (0.051, 0.0)})
    found = asked(tiny, "session=post")
    assert nights(found) == [OTHER]
    assert found.balance["measure"].tolist() == ["overnight move", "volatility"]


def test_a_night_fulfils_the_conditions_on_prices_itself(tiny: TinyStore) -> None:
    market(tiny, MOVES | {LIKE: (-0.049, 0.0), OTHER: (-0.051, 0.0)})
    assert nights(asked(tiny)) == [OTHER]
    assert nights(asked(tiny, "drop>=0.05", "price>=100000")) == []


def test_events_without_a_night_are_counted_with_the_reason(tiny: TinyStore) -> None:
    market(tiny, MOVES | {"2018-01-10": (-0.3, 0.0), "2018-12-12": (-0.2, 0.0)})
    tiny.release("AMD", session("2018-01-10", -1), "post", fiscal_period="early")
    tiny.release("AMD", session("2018-12-12", -1), "post", fiscal_period="deep")
    found = asked(tiny)
    assert found.unmatched["reason"].value_counts().to_dict() == {
        "not 20 daily returns before": 1,
        "no night that moved as far": 1,
    }
    assert len(found.unmatched) + found.matches["event_id"].nunique() == 3


def test_a_company_of_which_no_news_is_known_is_said(tiny: TinyStore) -> None:
    market(tiny)
    assert "no news of 1 of the 1 companies" in asked(tiny).notes[0]
    tiny.take([headline("AMD", f"{LIKE} 12:00", "AMD")])
    assert asked(tiny).notes == ()


@pytest.mark.parametrize("hold", [0, 3])
def test_what_comes_after_the_open_chooses_no_night(
    tiny: TinyStore, hold: int, tmp_path: Path
) -> None:
    """The same falls with other outcomes: the same nights, at the same distances."""
    market(tiny)
    before = asked(tiny, hold=hold)
    # The close goes back to where it was, so that later prices are as before.
    changed = prices(MOVES)
    days = pd.to_datetime(changed["start"], unit="us").dt.date.astype(str)
    for day in MOVES:
        row = changed.index[days == day][0]
        changed.loc[row, ["high", "low", "close"]] = [999.0, 1.0, 500.0]
        later = changed.index[row + 1 : row + 1 + hold]
        changed.loc[later, ["open", "high", "low", "close"]] = 300.0
    with TinyStore(tmp_path, "changed") as other:
        other.daily("AMD", changed)
        other.release("AMD", session(EVENT, -1), "post")
        again = asked(other, hold=hold)
    keys = ["event_id", "reaction_date", "event_size", "night_size", "night_volatility", "distance"]
    pd.testing.assert_frame_equal(before.matches[keys], again.matches[keys])
    assert not np.allclose(before.matches["from_first"], again.matches["from_first"])


EVENING = """
    {eve} 15:59 20.0
          16:10 {low}
          18:00 19.6
    {day} 09:30 {open}
          15:59 {close}
"""


def evening(day: str, low: float, opened: float, close: float) -> str:
    return EVENING.format(eve=session(day, -1), day=day, low=low, open=opened, close=close)


def minutes(tiny: TinyStore, *nights: tuple[str, float, float, float]) -> None:
    """Twenty zigzag sessions before each night; the night itself with an evening."""
    from db.intervals import Interval
    from tests.tiny_store import parse_bars

    frames = []
    for day, low, opened, close in nights:
        quiet = [f"{session(day, -k)} 15:59 {20.0 if k % 2 else 20.2}" for k in range(25, 1, -1)]
        frames.append(parse_bars("\n".join(quiet) + evening(day, low, opened, close), Interval.M1))
    tiny.bars("AMD", pd.concat(frames, ignore_index=True))


def test_an_evenings_fall_is_matched_with_an_evenings_fall(tiny: TinyStore) -> None:
    """The open is back at the close: daily bars would not have seen either fall."""
    minutes(tiny, (LIKE, 18.7, 20.0, 20.4), (OTHER, 19.9, 18.7, 18.0), (EVENT, 18.8, 20.0, 22.0))
    tiny.release("AMD", f"{session(EVENT, -1)} 16:05:00")
    found = asked(tiny, interval="1m")
    assert nights(found) == [LIKE]
    row = found.matches.iloc[0]
    assert row["event_size"] == pytest.approx(0.06)
    assert row["night_size"] == pytest.approx(0.065)
    # Bought at the first price after the bar that closed 5 % down, in the event and in its night.
    assert row["from_first"] == pytest.approx(20.4 / 19.6 - 1)
    assert found.events["from_first"].iloc[0] == pytest.approx(22.0 / 19.6 - 1)


def test_a_night_is_seen_from_its_events_clock_on(tiny: TinyStore) -> None:
    """The fall of 16:10 comes before a release at 17:00, in the event and in its nights."""
    minutes(tiny, (LIKE, 18.7, 20.0, 20.4), (EVENT, 18.8, 20.0, 22.0))
    tiny.release("AMD", f"{session(EVENT, -1)} 17:00:00")
    found = asked(tiny, "drop>=0.01", interval="1m")
    row = found.matches.iloc[0]
    assert (row["event_size"], row["night_size"]) == pytest.approx((0.02, 0.02))


def test_a_night_waits_as_long_as_its_event_did_for_what_was_said(tiny: TinyStore) -> None:
    """Figures of a session's label are known from midnight: the night is bought at its open too."""
    minutes(tiny, (LIKE, 18.7, 19.5, 20.4), (EVENT, 18.8, 19.0, 22.0))
    tiny.release("AMD", session(EVENT, -1), "post", eps_estimate=1.0, eps_actual=0.8)
    found = asked(tiny, "drop>=0.05", "surprise<0", interval="1m")
    assert found.events["from_first"].iloc[0] == pytest.approx(22.0 / 22.0 - 1)
    row = found.matches.iloc[0]
    assert row["from_first"] == pytest.approx(0.0)
