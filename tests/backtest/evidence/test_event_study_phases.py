"""Event studies by phase: what a phase's return is, and what a phase without a trade does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from backtest.evidence.event_study import event_study_by_phase, overnight_and_day, phase_returns
from db.calendar import calendar
from db.errors import UsageError
from db.intervals import Interval

NYSE = calendar()


def bars(text: str) -> tuple[np.ndarray, np.ndarray]:
    """``2019-01-29 15:59 20`` a line, New York time: starts in microseconds UTC and closes."""
    rows = [line.split() for line in text.strip().splitlines()]
    stamps = pd.DatetimeIndex([f"{day} {clock}" for day, clock, _ in rows])
    utc = stamps.tz_localize("America/New_York").tz_convert("UTC").as_unit("us")
    return utc.asi8, np.array([float(price) for *_, price in rows])


def test_a_session_begins_with_the_evening_before_it() -> None:
    start, close = bars("""
        2019-01-29 15:58 19
        2019-01-29 15:59 20
        2019-01-29 16:00 50
        2019-01-29 16:10 18
        2019-01-29 19:59 19
        2019-01-30 04:00 21
        2019-01-30 09:29 22
        2019-01-30 09:30 23
        2019-01-30 15:59 24
    """)
    found = phase_returns(start, close, NYSE, Interval.M1)
    assert found.index.strftime("%Y-%m-%d").tolist() == ["2019-01-30"]
    assert found.iloc[0].to_dict() == pytest.approx(
        {"post": 19 / 20 - 1, "pre": 22 / 19 - 1, "regular": 24 / 22 - 1}
    )


def test_what_a_phase_without_a_trade_missed_falls_into_the_next() -> None:
    start, close = bars("""
        2019-02-01 15:59 20
        2019-02-04 15:59 22
        2019-02-04 18:00 11
        2019-02-06 15:59 33
    """)
    found = phase_returns(start, close, NYSE, Interval.M1)
    assert found.index.strftime("%d").tolist() == ["04", "05", "06"]
    expected = [[np.nan, np.nan, 0.1], [-0.5, np.nan, np.nan], [np.nan, np.nan, 2.0]]
    np.testing.assert_allclose(found.to_numpy(), expected)


def test_phases_compound_to_the_return_of_the_session() -> None:
    rng = np.random.default_rng(0)
    days = NYSE.dates[
        (NYSE.dates >= np.datetime64("2019-11-20")) & (NYSE.dates < np.datetime64("2019-12-10"))
    ]
    lines = []
    for day in days:
        for clock in ("05:00", "09:31", "12:59", "15:59", "16:45"):
            lines.append(f"{day} {clock} {20 * np.exp(rng.normal(0, 0.1)):.4f}")
    start, close = bars("\n".join(lines))
    found = phase_returns(start, close, NYSE, Interval.M1)
    # 2019-11-29 closed at 13:00: 15:59 is its evening, and 16:45 too.
    minute = pd.Series(close, index=pd.MultiIndex.from_product([days, range(5)]))
    last = [minute[(day, 2 if str(day) == "2019-11-29" else 3)] for day in days]
    whole = (1 + found).prod(axis=1) - 1
    np.testing.assert_allclose(whole.iloc[: len(days) - 1], np.diff(last) / np.array(last[:-1]))
    assert len(found) == len(days)  # the last evening belongs to a session still to come
    assert found.iloc[-1, 1:].isna().all()


def test_bars_without_a_regular_close_have_no_returns() -> None:
    start, close = bars("2019-01-29 08:00 20\n2019-01-29 17:00 21")
    assert phase_returns(start, close, NYSE, Interval.M1).empty
    assert phase_returns(start[:0], close[:0], NYSE, Interval.M1).empty
    with pytest.raises(UsageError, match="overnight_and_day"):
        phase_returns(start, close, NYSE, Interval.D1)


def test_daily_bars_know_the_night_and_the_day() -> None:
    index = pd.bdate_range("2021-01-04", periods=3)
    open_ = pd.DataFrame({"A": [10.0, 12.0, 11.0]}, index=index)
    close = pd.DataFrame({"A": [10.0, 11.0, 22.0]}, index=index)
    found = overnight_and_day(open_, close)
    np.testing.assert_allclose(found["overnight"]["A"], [np.nan, 0.2, 0.0])
    np.testing.assert_allclose(found["regular"]["A"], [0.0, -1 / 12, 1.0])


@pytest.fixture
def phases() -> tuple[dict[str, pd.DataFrame], dict[str, pd.Series], pd.DataFrame]:
    """The evening of day 0 falls by 4 %, the morning does nothing, the day gains 6 %."""
    rng = np.random.default_rng(2)
    index = pd.bdate_range("2021-01-04", periods=300)
    rows = np.arange(60, 290, 10)
    symbols = np.array(["A", "B"])[np.arange(len(rows)) % 2]
    events = pd.DataFrame({"event_id": rows, "symbol": symbols, "day0": index[rows]})
    returns, market = {}, {}
    for phase, spread, effect in (
        ("post", 0.002, -0.04),
        ("pre", 0.003, 0.0),
        ("regular", 0.01, 0.06),
    ):
        m = pd.Series(rng.normal(0, spread, 300), index=index)
        frame = pd.DataFrame({s: m + rng.normal(0, spread, 300) for s in "AB"}, index=index)
        for row, symbol in zip(rows, symbols, strict=True):
            frame.loc[index[row], symbol] += effect
        returns[phase], market[phase] = frame, m
    returns["pre"] = returns["pre"].mask(rng.random((300, 2)) < 0.3)
    return returns, market, events


def test_each_phase_is_tested_by_itself_and_the_path_adds_them_up(phases: tuple) -> None:
    returns, market, events = phases
    study = event_study_by_phase(
        returns, events, market=market, estimation=(-50, -6), window=(0, 0), pairs="event", reps=49
    )
    p = study.tests.set_index(["phase", "test"])["p_value"]
    assert p["post", "kolari_pynnonen"] < 1e-4
    assert p["regular", "kolari_pynnonen"] < 1e-4
    assert p["pre", "kolari_pynnonen"] > 0.01
    path = study.path.set_index("phase")
    assert path["caar"].tolist() == pytest.approx([-0.04, -0.04, 0.02], abs=0.006)
    assert path.loc["regular", "low"] < path.loc["regular", "caar"] < path.loc["regular", "high"]
    assert path["n"]["pre"] < path["n"]["post"]
    assert (study["post"].events["sigma"] < study["regular"].events["sigma"]).all()
    assert path["n"]["post"] == len(events)
    # Events whose morning had no trade are kept in the other phases.
    assert set(study.dropped["phase"]) == {"pre"}


def test_a_phase_study_needs_phases_and_single_ids(phases: tuple) -> None:
    returns, market, events = phases
    with pytest.raises(UsageError, match="no phases"):
        event_study_by_phase({}, events)
    with pytest.raises(UsageError, match="occurs twice"):
        event_study_by_phase(returns, events.assign(event_id=1), market=market)
