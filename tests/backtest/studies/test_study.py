"""Whole studies: markets whose truth is known, strategies, holds, event studies and figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

import backtest
from backtest import BoolArray, EventPanel, Strategy, earnings, ever, limit_on_open
from backtest.evidence import extras
from backtest.evidence.event_study import EventStudy, PhaseStudy
from backtest.evidence.overfitting import adjust
from backtest.studies import Study, study
from backtest.studies.chosen import FILLED, SETUP
from backtest.studies.figures import page
from backtest.studies.rates import holm
from db.errors import DataError, MissingExtraError, UsageError
from strategies.after_hours_reversal import AfterHoursReversal
from tests.backtest.studies.markets import phases, prices, reversing, session
from tests.backtest.sweeps.markets import daily_market, minute_market
from tests.tiny_store import TinyStore, clock


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


@pytest.fixture(scope="module")
def daily(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyStore]:
    with TinyStore(tmp_path_factory.mktemp("daily")) as store:
        daily_market(store)
        yield store


@pytest.fixture(scope="module")
def turning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyStore]:
    with TinyStore(tmp_path_factory.mktemp("turning")) as store:
        reversing(store, 0.9)
        yield store


def asked(tiny: TinyStore, strategy: Any = None, *conditions: str, **options: Any) -> Study:
    options = {"interval": "1d", "event_study": False, "reps": 99} | options
    return study(tiny.store, strategy, conditions=conditions, **options)


def against_nights(found: Study, measure: str) -> pd.Series:
    rows = found.placebo.set_index(["outcome", "measure"])
    return rows.loc[("first price", measure)]


def test_reversals_that_are_there_are_found(turning: TinyStore) -> None:
    found = asked(turning, None, "drop>=0.02")
    share, mean = against_nights(found, "share"), against_nights(found, "mean move")
    assert share["difference"] > 0.4
    assert share["p_adjusted"] < 0.001
    assert mean["low"] > 0.05
    assert abs(found.balance["difference"]).max() < 0.25


def test_reversals_that_are_not_there_are_not(tiny: TinyStore) -> None:
    reversing(tiny, 0.0)
    found = asked(tiny, None, "drop>=0.02")
    share, mean = against_nights(found, "share"), against_nights(found, "mean move")
    assert share["low"] < 0 < share["high"]
    assert mean["low"] < 0 < mean["high"]
    assert share["events"] > 80


@pytest.mark.long
@pytest.mark.timeout(900)
def test_five_percent_of_true_nulls_are_rejected(tmp_path: Path) -> None:
    """100 markets without reversals: a rate of 5 % has a standard error of 2.2 points."""
    rejected = []
    for seed in range(100):
        with TinyStore(tmp_path, f"store-{seed}") as one:
            reversing(one, 0.0, seed)
            rejected.append(against_nights(asked(one, None, "drop>=0.02"), "mean move")["p_value"])
    rate = float((np.array(rejected) <= 0.05).mean())
    print(f"rejected: {rate:.0%}")
    assert 0.0 < rate <= 0.11


@dataclass(frozen=True)
class Deep(Strategy):
    """Buys opens that are low; the situation is a day that trades lower still."""

    events: ClassVar = earnings()
    interval: ClassVar = "1d"

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * 0.97)


@dataclass(frozen=True)
class WithSetup(Deep):
    def setup(self, p: EventPanel) -> BoolArray:
        return ever(p.low <= p.reference * 0.95)


def test_without_a_setup_the_fills_are_chosen(daily: TinyStore) -> None:
    found = asked(daily, Deep)
    assert found.record["group"] == FILLED
    run = backtest.run(Deep, daily.store, record=False)
    assert set(found.events.loc[found.events["chosen"], "event_id"]) == set(run.signals["event_id"])
    bought = found.events.set_index("event_id").loc[run.signals["event_id"], "from_first"]
    assert bought.notna().all()
    assert found.rates["group"].drop_duplicates().tolist()[:2] == ["all measurable events", FILLED]


def test_the_groups_of_a_strategy_are_those_of_its_run(daily: TinyStore) -> None:
    found = asked(daily, WithSetup)
    rates = backtest.run(WithSetup, daily.store, record=False).base_rates
    mine = found.rates[found.rates["outcome"] == "reference"].set_index("group")
    theirs = rates[rates["outcome"].str.contains("reference")].set_index("group")
    for group in ("all measurable events", SETUP, FILLED):
        assert mine.loc[group, "share"] == theirs.loc[group, "share"]
        assert mine.loc[group, "low"] == theirs.loc[group, "low"]


def test_a_setup_that_needs_the_day_is_known_when_the_day_is_over(daily: TinyStore) -> None:
    events = asked(daily, WithSetup, hold=1).events
    chosen = events[events["chosen"]]
    assert {clock(at)[-5:] for at in chosen["known_at"]} == {"16:00"}
    assert chosen["from_first"].notna().all()
    assert asked(daily, WithSetup).events["from_first"].isna().all()


def test_a_setup_of_the_evening_is_known_with_the_bar_that_makes_it(tiny: TinyStore) -> None:
    minute_market(tiny)
    found = asked(tiny, AfterHoursReversal(drop=0.02), interval="1m")
    panel = backtest.load_panel(tiny.store, interval="1m")
    deep = np.asarray(panel.close.running_min() <= panel.reference * 0.98) & panel.in_phase(
        "post", "pre"
    )
    first = np.where(deep.any(axis=1), panel.end[np.arange(len(panel)), deep.argmax(axis=1)], -1)
    chosen = found.events[found.events["chosen"]]
    assert len(chosen) > 3
    row_of = {int(e): i for i, e in enumerate(panel.events["event_id"])}
    for event, at in zip(chosen["event_id"], chosen["known_at"], strict=True):
        assert at.value // 1000 == first[row_of[int(event)]]


def test_conditions_restrict_every_group_of_a_strategy(daily: TinyStore) -> None:
    whole, some = asked(daily, WithSetup), asked(daily, WithSetup, "drop<0.02")
    counts = [f.rates.set_index("group")["events"].groupby(level=0).first() for f in (whole, some)]
    for group in (SETUP, FILLED):
        assert counts[1][group] < counts[0][group]
    # What the condition keeps out is not among "all measurable events": the name says so.
    assert counts[1]["all with drop<0.02"] < counts[0]["all measurable events"]
    assert "of all with drop<0.02" in " ".join(some.sentences)
    assert "not drop<0.02" in some.funnel["reason"].tolist()


def test_holds_that_overlap_do_not_count_as_independent(daily: TinyStore) -> None:
    """Six companies report in the same four weeks: a hold of 80 sessions leaves two of them."""
    at_once = asked(daily, None, "session=post").rates.iloc[0]
    held = asked(daily, None, "session=post", hold=80).rates.iloc[0]
    assert (at_once["events"], at_once["dates"]) == (24, 4)
    assert (held["events"], held["dates"]) == (18, 2)
    assert held["high"] - held["low"] > held["high_independent"] - held["low_independent"]


def test_splits_add_up_to_the_chosen_events(turning: TinyStore) -> None:
    whole = asked(turning, None, "drop>=0.02", placebo=False).rates
    chosen = whole[whole["group"] == "drop>=0.02"]["events"].tolist()
    for by in ("year", "quarter", "session", "surprise"):
        splits = asked(turning, None, "drop>=0.02", by=by, placebo=False).splits
        assert splits.groupby("outcome", sort=False)["events"].sum().tolist() == chosen
    assert set(splits["group"]) <= {"positive", "negative", "none", "unknown"}


def test_the_event_study_is_that_of_the_chosen_events(turning: TinyStore) -> None:
    found = asked(turning, None, "drop>=0.02", event_study=True, placebo=False)
    assert isinstance(found.event_study, EventStudy)
    assert found.abnormal is not None
    assert "40 companies" in found.abnormal.said
    ids = set(found.events.loc[found.events["chosen"], "event_id"])
    assert (
        set(found.event_study.events["event_id"]) | set(found.abnormal.dropped["event_id"]) == ids
    )
    caar = found.abnormal.caar
    assert caar[["start", "end"]].to_numpy().tolist() == [[0, 0], [1, 5]]
    assert caar["caar"].iloc[0] > 0.03
    tests = found.abnormal.tests
    assert tests["holds"].tolist() == sorted(tests["holds"], reverse=True)
    one = tests[tests["test"] == "date_clustered"]
    assert one["p_adjusted"].tolist() == pytest.approx(adjust(one["p_value"].to_numpy()).tolist())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "mean-adjusted"}, "mean-adjusted model, market the mean of 40"),
        ({"market": "SIM001"}, "market model, market SIM001"),
        ({"model": "market-adjusted", "market": "equal"}, "market-adjusted model"),
    ],
)
def test_models_and_markets(turning: TinyStore, options: dict[str, str], said: str) -> None:
    found = asked(
        turning, None, "drop>=0.02", event_study=True, placebo=False, window=(0, 0), **options
    )
    assert found.abnormal is not None
    assert found.abnormal.said.startswith(said)


def test_factors_from_a_file(turning: TinyStore, tmp_path: Path) -> None:
    days = pd.bdate_range("2021-01-01", "2026-01-01")
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"date": days.strftime("%Y%m%d"), "mkt_rf": rng.normal(0, 1, len(days))})
    table.assign(rf=0.01).to_csv(tmp_path / "factors.csv", index=False)
    found = asked(
        turning,
        None,
        "drop>=0.02",
        event_study=True,
        placebo=False,
        factors=tmp_path / "factors.csv",
    )
    assert found.abnormal is not None
    assert found.abnormal.said.startswith("factors model")
    assert isinstance(found.event_study, EventStudy)
    assert "mkt_rf" in found.event_study.events.columns


def test_too_few_companies_are_no_market(tiny: TinyStore) -> None:
    tiny.daily("AMD", prices({"2019-02-06": (-0.06, 0.12)}))
    tiny.release("AMD", session("2019-02-06", -1), "post")
    found = asked(tiny, None, "session=post", event_study=True, placebo=False)
    assert found.abnormal is not None
    assert found.abnormal.said == "mean-adjusted model (1 companies are too few for a market)"
    assert found.abnormal.caar["caar"].iloc[0] == pytest.approx(0.94 * 1.12 - 1, abs=0.002)
    with pytest.raises(UsageError, match="needs a market"):
        asked(tiny, None, "session=post", event_study=True, model="market")
    with pytest.raises(UsageError, match="no bars of this source"):
        asked(tiny, None, "session=post", event_study=True, market="SPY")


def test_minute_bars_are_studied_by_phase(tiny: TinyStore) -> None:
    for number in range(3):
        tiny.bars(f"S{number}", phases(number))
        for day in ("2019-03-06", "2019-03-20"):
            tiny.release(f"S{number}", day, "post")
    found = asked(
        tiny,
        None,
        "session=post",
        interval="1m",
        event_study=True,
        placebo=False,
        market="equal",
        estimation=(-30, -1),
    )
    assert isinstance(found.event_study, PhaseStudy)
    assert found.abnormal is not None
    assert found.abnormal.caar["phase"].tolist() == ["post", "pre", "regular"]
    assert found.abnormal.caar["n"].tolist() == [6, 6, 6]
    assert found.abnormal.said == "market model, market the mean of 3 companies"
    assert found.plot("caar").data


def test_without_the_extra_everything_else_is_there(
    turning: TinyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(name=name.partition(".")[0])

    monkeypatch.setattr(extras, "import_module", absent)
    found = asked(turning, None, "drop>=0.02", event_study=True)
    assert found.abnormal is None
    assert found.event_study is None
    assert any('pip install "aftershock[evidence]"' in note for note in found.notes)
    assert found.placebo["p_adjusted"].notna().any()
    with pytest.raises(MissingExtraError):
        extras.evidence_module("statsmodels.api", "this")


def test_a_study_says_what_it_found_and_escapes_what_it_shows(turning: TinyStore) -> None:
    found = asked(turning, None, "drop>=0.02", "session=post", event_study=True)
    assert repr(found).startswith("Study (backtest study --condition 'drop>=0.02'")
    assert "drop&gt;=0.02" in found._repr_html_()
    assert "<td>drop>=0.02" not in found._repr_html_()
    assert found.plot().data
    assert found.plot("rates", outcome="first price").data
    assert found.plot("caar").data
    text = page(found)
    assert text.count("<h1>") == 1
    assert "drop&gt;=0.02" in text
    with pytest.raises(UsageError, match="did you mean 'caar'"):
        found.plot("car")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no outcome"):
        found.plot(outcome="last")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"conditions": ["drop>=0.05", "drop>=0.05"]},
        {"conditions": ["drop>=0.05"], "gain": 0},
        {"conditions": ["drop>=0.05"], "hold": -1},
        {"conditions": ["drop>=0.05"], "by": "moon"},
        {"conditions": ["drop>=0.05"], "nights": 0},
        {"conditions": ["drop>=0.05"], "model": "magic"},
        {"conditions": ["drop>=0.05"], "factor_unit": "bp"},
        {"conditions": ["drop>=0.05"], "params": {"drop": 1}},
        {"conditions": ["drop>=0.05"], "estimation": (5, -5)},
        {"conditions": ["drop>=0.05"], "confidence": 1.5},
        {"conditions": ["drop>=0.05"], "factors": "nowhere.csv"},
    ],
)
def test_options_that_cannot_be(daily: TinyStore, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        study(daily.store, interval="1d", **options)


def test_a_store_in_which_nothing_can_be_measured(tiny: TinyStore) -> None:
    tiny.daily("AMD", "2019-01-29 20")
    tiny.release("AMD", "2019-02-05", "post")
    with pytest.raises(DataError, match="no event can be measured"):
        asked(tiny, None, "drop>=0.05")


def test_holms_correction_is_that_of_statsmodels() -> None:
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.005, 0.9, 0.04])
    np.testing.assert_allclose(holm(p), adjust(p))
    assert holm(np.array([np.nan])).size == 1
