"""Every test against a second implementation in plain Python, with missing days and clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtest.evidence.event_study import event_study
from tests.backtest.evidence import event_study_slowly as slow

ESTIMATION, WINDOW = (-40, -6), (-3, 3)
TESTED = [(-3, 3), (0, 0), (0, 2), (-1, 1)]


def as_list(values: pd.Series) -> slow.Series:
    return [None if np.isnan(v) else float(v) for v in values]


def market_of_events(
    seed: int, *, missing: float = 0.0, n: int = 14
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns of 6 symbols and a market over 220 days, and events that crowd on some days."""
    rng = np.random.default_rng(seed)
    market = rng.normal(0.0003, 0.011, 220)
    common = rng.normal(0, 0.01, 220)
    frame = {"M": market}
    for k, symbol in enumerate("ABCDEF"):
        own = rng.standard_t(4, 220) * 0.012
        frame[symbol] = 0.0002 + (0.6 + 0.2 * k) * market + common + own
    returns = pd.DataFrame(frame, index=pd.bdate_range("2021-01-04", periods=220))
    gaps = rng.random((220, 6)) < missing
    returns.iloc[:, 1:] = returns.iloc[:, 1:].mask(gaps)
    rows = rng.choice(np.arange(45, 210, 9), n)
    events = pd.DataFrame({"symbol": rng.choice(list("ABCDEF"), n), "day0": returns.index[rows]})
    return returns, events


@pytest.mark.parametrize(("seed", "missing"), [(1, 0.0), (2, 0.0), (3, 0.03), (4, 0.08)])
@pytest.mark.parametrize("pairs", ["estimation", "event"])
def test_all_tests_agree_with_plain_python(seed: int, missing: float, pairs: str) -> None:
    returns, events = market_of_events(seed, missing=missing)
    study = event_study(
        returns,
        events,
        market="M",
        estimation=ESTIMATION,
        window=WINDOW,
        windows=TESTED,
        min_history=20,
        missing="keep",
        pairs=pairs,  # type: ignore[arg-type]
        reps=49,
    )
    assert len(study) == len(events)
    second = [
        slow.Event(
            as_list(returns[row.symbol]),
            as_list(returns["M"]),
            int(returns.index.get_loc(row.day0)),
            range(ESTIMATION[0], ESTIMATION[1] + 1),
            range(WINDOW[0], WINDOW[1] + 1),
        )
        for row in events.itertuples()
    ]
    r, count = slow.r_bar(second, sharing=pairs == "event")
    assert study.correlation.mean == pytest.approx(r, abs=1e-12)
    assert study.correlation.pairs == count
    found = pd.concat([study.tests, study.variants]).set_index(["start", "end", "test"])
    for window in TESTED:
        for name, value in expected_statistics(second, window, r).items():
            mine = found.loc[(*window, name), "statistic"]
            assert mine == pytest.approx(value, rel=1e-9, abs=1e-9), (window, name)
        df = found.loc[(*window, "grank_t"), "df"]
        assert df == slow.grank(second, range(window[0], window[1] + 1))[2]


def expected_statistics(
    events: list[slow.Event], window: tuple[int, int], r: float
) -> dict[str, float]:
    days = range(window[0], window[1] + 1)
    cars = slow.known([event.car(days) for event in events])
    scars = slow.known([event.scar(days) for event in events])
    n = len(cars)
    factor = ((1 - r) / (1 + (n - 1) * r)) ** 0.5
    patell, bmp = slow.patell(events, days), slow.t_ratio(scars)
    grank_t, grank_z, _ = slow.grank(events, days)
    signed = stats.wilcoxon(cars, alternative="greater")
    return {
        "cross_sectional_t": slow.t_ratio(cars),
        "crude_dependence": slow.crude_dependence(events, days),
        "patell": patell,
        "patell_adjusted": patell / (1 + (n - 1) * r) ** 0.5,
        "bmp": bmp,
        "kolari_pynnonen": bmp * factor,
        "corrado_rank": slow.corrado(events, days),
        "corrado_zivney_rank": slow.corrado_zivney(events, days),
        "corrado_zivney_sign": slow.corrado_zivney_sign(events, days),
        "grank_t": grank_t,
        "grank_z": grank_z,
        "sign": (sum(c > 0 for c in cars) - n / 2) / (n / 4) ** 0.5,
        "generalised_sign": slow.generalised_sign(events, days),
        "skewness_hall": slow.skewness_adjusted(cars, "hall"),
        "skewness_johnson": slow.skewness_adjusted(cars, "johnson"),
        "wilcoxon": float(signed.statistic),
    }


def test_p_values_are_of_the_stated_distribution() -> None:
    returns, events = market_of_events(5)
    study = event_study(returns, events, market="M", estimation=ESTIMATION, window=WINDOW, reps=49)
    for row in study.tests.itertuples():
        if "bootstrap" in row.test:
            assert row.p_value * 50 == pytest.approx(round(row.p_value * 50))
        elif row.test == "wilcoxon":
            assert row.p_value == stats.wilcoxon(study.car()["car"]).pvalue
        elif np.isnan(row.df):
            assert row.p_value == pytest.approx(2 * stats.norm.sf(abs(row.statistic)), rel=1e-12)
        else:
            assert row.p_value == pytest.approx(2 * stats.t.sf(abs(row.statistic), row.df))
    degrees = study.tests.set_index("test")["df"]
    n, m = len(study), 35
    assert degrees[["cross_sectional_t", "bmp", "kolari_pynnonen"]].eq(n - 1).all()
    assert degrees["crude_dependence"] == m - 1
    assert degrees["grank_t"] == m - 1
