"""The event study against a worked reference: 16 additions to the S&P 500, to 1e-8."""

from __future__ import annotations

import json
from ast import literal_eval
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.evidence.event_study import EventStudy, event_study

CLOSE = {"rtol": 0, "atol": 1e-8}
DAYS = {
    "t_cross": "cross_sectional_t",
    "t_bw1985": "crude_dependence",
    "z_indep": "independent",
    "z_patell": "patell",
    "z_patell_adj": "patell_adjusted",
    "t_bmp": "bmp",
    "t_bmp_nofe": "bmp_uncorrected",
    "t_kp": "kolari_pynnonen",
    "t_kp_nofe": "kolari_pynnonen_uncorrected",
    "z_sign": "sign",
    "z_gsign": "generalised_sign",
    "z_gsign_pooled": "generalised_sign_pooled",
    "t_rank_corrado": "corrado_rank",
    "t_rank_cz": "corrado_zivney_rank",
    "t_sign_cz": "corrado_zivney_sign",
    "w_plus": "wilcoxon",
    "t_skew_hall": "skewness_hall",
    "t_skew_johnson": "skewness_johnson",
}
WINDOWS = {
    "t_cross": "cross_sectional_t",
    "t_bw1985": "crude_dependence",
    "z_indep": "independent",
    "z_patell_csar": "patell",
    "z_patell_scar": "patell_scar",
    "z_patell_adj": "patell_adjusted",
    "t_bmp_scar": "bmp",
    "t_bmp_csar": "bmp_csar",
    "t_bmp_nofe": "bmp_uncorrected",
    "t_kp_scar": "kolari_pynnonen",
    "z_sign": "sign",
    "z_gsign": "generalised_sign",
    "t_rank_cowan": "corrado_rank",
    "t_rank_cz": "corrado_zivney_rank",
    "grank_t": "grank_t",
    "grank_z": "grank_z",
    "t_skew_hall": "skewness_hall",
    "t_skew_johnson": "skewness_johnson",
    "t_abhar_mkt": "bhar_market_t",
    "t_skew_hall_abhar": "bhar_market_hall",
    "t_skew_johnson_abhar": "bhar_market_johnson",
    "t_abhar_exp": "bhar_model_t",
}


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    return real_data / "reference" / "c1_sp500_additions"


@pytest.fixture(scope="module")
def prices(folder: Path) -> pd.DataFrame:
    spec = json.loads((folder / "spec.json").read_text())
    return pd.read_csv(folder / spec["price_file"], index_col="date", parse_dates=["date"])


def study(
    folder: Path, prices: pd.DataFrame, window: tuple[int, int], **options: object
) -> EventStudy:
    spec = json.loads((folder / "spec.json").read_text())
    end = spec["estimation_end"]
    events = pd.read_csv(folder / "events.csv")
    events = events.rename(columns={"firm": "symbol", "event_date": "day0"})
    return event_study(
        prices.pct_change(fill_method=None),
        events,
        model=spec["model"],
        market=spec["market"],
        estimation=(end - spec["estimation_length"] + 1, end),
        window=window,
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def found(folder: Path, prices: pd.DataFrame) -> EventStudy:
    windows = pd.read_csv(folder / "expected_caar.csv")["window"].map(literal_eval)
    return study(folder, prices, (-2, 2), windows=[tuple(w) for w in windows], reps=199)


def both(study: EventStudy) -> pd.DataFrame:
    frame = pd.concat([study.tests, study.variants])
    return frame.set_index(["start", "end", "test"])["statistic"]


def test_models_by_event(found: EventStudy, folder: Path) -> None:
    expected = pd.read_csv(folder / "expected_model.csv")
    mine = found.events
    assert mine["symbol"].tolist() == expected["firm"].tolist()
    assert mine["day0"].dt.strftime("%Y-%m-%d").tolist() == expected["day0"].tolist()
    names = {"r2": "r_squared", "rho1": "autocorrelation", "n_est": "n_estimation"}
    for name in ("alpha", "beta", "sigma", "r2", "rho1", "n_est"):
        np.testing.assert_allclose(mine[names.get(name, name)], expected[name], **CLOSE)
    for edge, name in ((0, "est_first"), (-1, "est_last")):
        days = found.sessions[found.values.estimation_rows[:, edge]]
        assert days.strftime("%Y-%m-%d").tolist() == expected[name].tolist()


def test_abnormal_returns_by_event_and_day(found: EventStudy, folder: Path) -> None:
    expected = pd.read_csv(folder / "expected_ar.csv")
    mine = found.abnormal
    names = {"ret": "return", "ar": "abnormal", "se_fe": "forecast_error", "sar": "standardised"}
    assert mine["session"].dt.strftime("%Y-%m-%d").tolist() == expected["date"].tolist()
    for name in ("event_id", "rel_day", "ret", "expected", "ar", "se_fe", "sar"):
        column = {"rel_day": "offset", **names}.get(name, name)
        np.testing.assert_allclose(mine[column], expected[name], **CLOSE)
    sigma = np.repeat(found.values.sigma, 5)
    np.testing.assert_allclose(mine["abnormal"] / sigma, expected["t_simple"], **CLOSE)


def test_cumulative_returns_by_event_and_window(found: EventStudy, folder: Path) -> None:
    expected = pd.read_csv(folder / "expected_car.csv")
    names = {"se_fe": "forecast_error", "bhar_mkt": "bhar_market", "bhar_exp": "bhar_model"}
    for text, rows in expected.groupby("window"):
        window = tuple(literal_eval(str(text)))
        mine = found.car(window)
        for name in ("car", "se_fe", "scar", "csar", "bhar_mkt", "bhar_exp"):
            np.testing.assert_allclose(mine[names.get(name, name)], rows[name], **CLOSE)
        length = window[1] - window[0] + 1
        simple = mine["car"] / (found.values.sigma * np.sqrt(length))
        np.testing.assert_allclose(simple, rows["t_simple"], **CLOSE)


def test_every_test_of_every_day(found: EventStudy, folder: Path, prices: pd.DataFrame) -> None:
    expected = pd.read_csv(folder / "expected_aar.csv").set_index("rel_day")
    days = [(day, day) for day in expected.index]
    statistics = both(study(folder, prices, (-2, 2), windows=days, reps=99))
    for name, test in DAYS.items():
        mine = [statistics[(day, day, test)] for day in expected.index]
        np.testing.assert_allclose(mine, expected[name], err_msg=name, **CLOSE)
    exact = found.day_tests.query("test == 'wilcoxon'")["p_value"]
    np.testing.assert_allclose(exact, expected["p_wilcoxon_exact"], **CLOSE)
    for name, column in (("aar", "aar"), ("caar", "caar"), ("n", "n"), ("n_pos", "positive")):
        np.testing.assert_allclose(found.aar[column], expected[name], **CLOSE)


def test_every_test_of_every_window(found: EventStudy, folder: Path) -> None:
    expected = pd.read_csv(folder / "expected_caar.csv")
    statistics = both(found)
    for row in expected.to_dict("records"):
        window = tuple(literal_eval(row["window"]))
        for name, test in WINDOWS.items():
            mine = statistics[(*window, test)]
            assert mine == pytest.approx(row[name], rel=0, abs=1e-8), (window, name)
        cars = found.car(window)
        assert cars["car"].mean() == pytest.approx(row["caar"], abs=1e-8)
        assert cars["bhar_market"].mean() == pytest.approx(row["abhar_mkt"], abs=1e-8)
        assert cars["bhar_model"].mean() == pytest.approx(row["abhar_exp"], abs=1e-8)
        assert found.correlation.mean == pytest.approx(row["rbar"], abs=1e-8)
        assert found.correlation.pairs == row["n_pairs"]
        share = (found.values.estimation > 0).mean()
        assert share == pytest.approx(row["phat"], abs=1e-8)


def test_a_delisting_drops_the_event_or_its_days(folder: Path, prices: pd.DataFrame) -> None:
    """Travelers leaves on the fifth day: dropped with its missing days, or kept without them."""
    dropped = study(folder, prices, (-2, 10)).dropped
    assert dropped[["symbol", "reason", "detail"]].values.tolist() == [
        ["Travelers Group", "missing days in the event window", "+5, +6, +7, +8, +9, +10"]
    ]
    kept = study(folder, prices, (-2, 10), missing="keep", reps=99)
    expected = pd.read_csv(folder / "expected_aar_delisting_window.csv")
    np.testing.assert_allclose(kept.aar["aar"], expected["aar"], **CLOSE)
    assert kept.aar["n"].tolist() == expected["n"].tolist()
    t = kept.day_tests.query("test == 'cross_sectional_t'")["statistic"]
    np.testing.assert_allclose(t, expected["t_cross"], **CLOSE)
    travelers = kept.abnormal.query("symbol == 'Travelers Group'")["abnormal"]
    alone = pd.read_csv(folder / "expected_travelers_delisting.csv")["ar"]
    np.testing.assert_allclose(travelers, alone, **CLOSE)
    assert kept.caar["n"].tolist() == [16] * 7 + [15] * 6


def test_the_raw_file_with_negative_prices_gives_other_numbers(
    folder: Path, prices: pd.DataFrame, found: EventStudy
) -> None:
    """Two prices are bid-ask midpoints marked by a minus; outside all windows they change none."""
    raw = pd.read_csv(folder / "prices_raw.csv", index_col="date", parse_dates=["date"])
    assert int((raw < 0).sum().sum()) == 2
    again = study(folder, raw, (-2, 2), reps=99)
    pd.testing.assert_frame_equal(again.abnormal, found.abnormal)
