"""Which events are studied, which are dropped and why, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from backtest.evidence import extras
from backtest.evidence.event_study import event_study
from db.calendar import calendar
from db.errors import DataError, MissingExtraError, UsageError

N = 60
SESSIONS = pd.bdate_range("2021-01-04", periods=N)
OPTIONS: dict = {"market": "M", "estimation": (-20, -6), "window": (-2, 2), "reps": 9}


@pytest.fixture
def returns() -> pd.DataFrame:
    values = np.random.default_rng(0).normal(0, 0.01, (N, 4))
    return pd.DataFrame(values, index=SESSIONS, columns=["A", "B", "STILL", "M"])


def events(*rows: tuple[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["symbol", "day0"])


def reasons(study) -> list[tuple[object, str, str]]:
    frame = study.dropped[["event_id", "reason", "detail"]]
    return [tuple(row) for row in frame.values.tolist()]


def test_every_event_is_studied_or_dropped_with_its_reason(returns: pd.DataFrame) -> None:
    returns["STILL"] = 0.001
    returns.loc[SESSIONS[25], "A"] = np.nan
    returns.loc[SESSIONS[29], "B"] = np.inf
    returns.loc[SESSIONS[52], "M"] = np.nan
    given = events(
        ("A", SESSIONS[22]),  # 0: fine
        ("ZZZ", SESSIONS[22]),  # 1
        ("A", "2020-12-31"),  # 2
        ("A", "2022-01-03"),  # 3
        ("A", SESSIONS[19]),  # 4
        ("A", SESSIONS[58]),  # 5
        ("A", SESSIONS[40]),  # 6: one day missing in the estimation window
        ("B", SESSIONS[30]),  # 7: infinity is no return
        ("B", SESSIONS[51]),  # 8
        ("STILL", SESSIONS[40]),  # 9
        ("A", None),  # 10
    )
    study = event_study(returns, given, **{**OPTIONS, "model": "mean-adjusted"})
    assert study.events["event_id"].tolist() == [0, 8]
    study = event_study(returns, given, **OPTIONS)
    assert study.events["event_id"].tolist() == [0]
    assert reasons(study) == [
        (1, "no returns of this symbol", ""),
        (2, "day 0 outside the sessions of the returns", ""),
        (3, "day 0 outside the sessions of the returns", ""),
        (4, "not enough history", "19 sessions before day 0, 20 needed"),
        (5, "event window ends after the last session", ""),
        (6, "missing days in the estimation window", "14 of 15 returns, 15 needed"),
        (7, "missing days in the event window", "-1"),
        (8, "no market or factor return in the event window", "+1"),
        (10, "day 0 outside the sessions of the returns", ""),
        (9, "returns in the estimation window do not vary", ""),
    ]
    assert study.dropped_counts["day 0 outside the sessions of the returns"] == 3
    assert len(study) + len(study.dropped) == len(given)


def test_missing_days_are_kept_where_asked(returns: pd.DataFrame) -> None:
    returns.loc[SESSIONS[25], "A"] = np.nan
    returns.loc[SESSIONS[30:33], "B"] = np.nan
    given = events(("A", SESSIONS[40]), ("B", SESSIONS[31]), ("B", SESSIONS[8]))
    study = event_study(returns, given, **OPTIONS, min_history=14, missing="keep")
    assert study.events["n_estimation"].tolist() == [14, 15]
    assert study.events["symbol"].tolist() == ["A", "B"]
    assert study.aar["n"].tolist() == [2, 1, 1, 1, 2]
    assert np.isnan(study.car()["car"][1])
    assert study.tests["n"].max() == 2
    assert reasons(study) == [(2, "not enough history", "3 of 15 returns, 14 needed")]


def test_day0_on_a_day_without_a_session_is_the_next_one(returns: pd.DataFrame) -> None:
    saturday = pd.Timestamp("2021-02-27")
    study = event_study(returns, events(("A", saturday), ("A", "2021-03-01")), **OPTIONS)
    assert study.events["day0"].tolist() == [pd.Timestamp("2021-03-01")] * 2


def test_a_stamp_with_a_zone_is_its_own_date(returns: pd.DataFrame) -> None:
    late = pd.Timestamp("2021-03-01 20:00", tz="America/New_York")
    aware = returns.set_axis(returns.index.tz_localize("America/New_York"))
    study = event_study(aware, events(("A", late)), **{**OPTIONS, "market": returns["M"]})
    assert study.events["day0"].dt.strftime("%Y-%m-%d").tolist() == ["2021-03-01"]
    plain = event_study(returns, events(("A", "2021-03-01")), **OPTIONS)
    np.testing.assert_array_equal(study.values.event, plain.values.event)


def test_sessions_of_the_exchange_count_also_without_a_row() -> None:
    """A row that is not there is a missing day, and the days around it keep their distance."""
    dates = calendar().dates
    start = int(np.searchsorted(dates, np.datetime64("2021-01-04")))
    index = pd.DatetimeIndex(dates[start : start + N].astype("datetime64[us]"))
    values = np.random.default_rng(1).normal(0, 0.01, (N, 2))
    full = pd.DataFrame(values, index=index, columns=["A", "M"])
    holed = full.drop(index[39])
    given = events(("A", index[40]))
    rows = event_study(holed, given, **OPTIONS)
    assert rows.abnormal["session"].tolist() == list(index[[37, 38, 40, 41, 42]])
    counted = event_study(holed, given, **OPTIONS, exchange="XNYS")
    assert reasons(counted) == [(0, "no market or factor return in the event window", "-1")]
    kept = event_study(holed, given, **OPTIONS, exchange="XNYS", missing="keep")
    assert np.isnan(kept.abnormal["abnormal"]).tolist() == [False, True, False, False, False]
    holiday = full.rename(index={index[39]: pd.Timestamp("2021-01-18")}).sort_index()
    with pytest.raises(DataError, match="2021-01-18 is no session of XNYS"):
        event_study(holiday, given, **OPTIONS, exchange="XNYS")


def test_factors_that_determine_each_other_drop_the_event(returns: pd.DataFrame) -> None:
    factors = returns[["M"]].assign(twice=2 * returns["M"])
    given = events(("A", SESSIONS[40]))
    options = {**OPTIONS, "model": "factors", "factors": factors}
    study = event_study(returns, given, **options)
    assert reasons(study) == [(0, "factors in the estimation window determine each other", "")]
    assert len(study) == 0


def test_a_study_without_events_is_empty_and_whole(returns: pd.DataFrame) -> None:
    study = event_study(returns, events(("ZZZ", SESSIONS[30])), **OPTIONS)
    assert study.tests["statistic"].isna().all()
    assert study.variants["n"].eq(0).all()
    assert study.aar["n"].tolist() == [0] * 5
    assert study.caar["offset"].tolist() == [-2, -1, 0, 1, 2]
    assert len(study.abnormal) == 0
    assert len(study.plot().data) == 3
    nothing = event_study(returns, events(), **OPTIONS)
    assert (len(nothing), len(nothing.dropped)) == (0, 0)


def test_one_event_has_abnormal_returns_and_few_tests(returns: pd.DataFrame) -> None:
    study = event_study(returns, events(("A", SESSIONS[30])), **OPTIONS)
    statistic = study.tests.set_index("test")["statistic"]
    assert np.isnan(statistic[["cross_sectional_t", "bmp", "grank_t", "date_clustered"]]).all()
    assert np.isfinite(statistic[["patell", "corrado_rank", "crude_dependence"]]).all()
    assert study.correlation.mean == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "markt"}, "unknown model 'markt'"),
        ({"market": "SPY"}, "no returns of the market 'SPY'"),
        ({"market": None}, "the market model needs a market"),
        ({"model": "factors"}, "the factor model needs factors"),
        ({"window": (2, -2)}, "is not inside|ends before it begins"),
        ({"estimation": (-20, -2)}, "share sessions"),
        ({"estimation": (-8, -5)}, "4 returns to estimate from"),
        ({"min_history": 16}, "16 returns to estimate from"),
        ({"windows": [(0, 3)]}, r"window \(0, 3\) is not inside"),
        ({"missing": "ignore"}, "missing is drop or keep"),
    ],
)
def test_wrong_use_is_refused(returns: pd.DataFrame, change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        event_study(returns, events(("A", SESSIONS[30])), **{**OPTIONS, **change})


def test_returns_out_of_order_are_refused(returns: pd.DataFrame) -> None:
    given = events(("A", SESSIONS[30]))
    for bad in (returns.iloc[::-1], pd.concat([returns, returns.iloc[-1:]])):
        with pytest.raises(DataError, match="in order and each but once"):
            event_study(bad, given, **OPTIONS)
    with pytest.raises(DataError, match="two columns"):
        event_study(returns[["A", "A", "M"]], given, **OPTIONS)
    with pytest.raises(UsageError, match="no column 'day0'"):
        event_study(returns, given.drop(columns="day0"), **OPTIONS)


def test_without_the_extra_the_error_says_what_to_install(
    returns: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(MissingExtraError, match=r"aftershock\[evidence\]"):
        event_study(returns, events(("A", SESSIONS[30])), **OPTIONS)


def test_a_broken_installation_is_not_called_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> object:
        raise ModuleNotFoundError("No module named 'numexpr'", name="numexpr")

    monkeypatch.setattr(extras, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="numexpr"):
        extras.evidence_module("statsmodels.api", "a test")
