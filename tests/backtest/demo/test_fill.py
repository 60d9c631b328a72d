"""The demo's store holds both parts, says which is simulated, and is filled once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from backtest.demo.fill import DemoSummary, fill_demo_store
from backtest.demo.real import PRICE_SOURCE
from backtest.demo.simulated import SimulatedMarket, Simulation, simulated
from db.store import Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
MARKET = SimulatedMarket(seed=5, n_symbols=6, n_quarters=2)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, DemoSummary]]:
    with Store.open(tmp_path_factory.mktemp("demo") / "store", create=True) as store:
        yield store, fill_demo_store(store, market=MARKET, now=NOW)


@pytest.fixture(scope="module")
def store(filled: tuple[Store, DemoSummary]) -> Store:
    return filled[0]


@pytest.fixture(scope="module")
def market() -> Simulation:
    return simulated(MARKET, now=NOW)


def test_everything_goes_in_and_nothing_is_refused(
    store: Store, filled: tuple[Store, DemoSummary], market: Simulation
) -> None:
    reports = filled[1].reports
    assert all(report.rejected == 0 for report in reports.values())
    assert store.rejects().empty
    assert reports["prices 1d"].added == 12_154
    assert reports["earnings"].added == 185
    assert reports["actions"].added == 95
    assert reports["SIMULATED prices 1m"].added == len(market.windows)
    assert reports["SIMULATED prices 1d"].added == len(market.daily)
    assert reports["SIMULATED schedule"].added == 12
    assert reports["SIMULATED earnings"].revised == 12
    assert reports["SIMULATED news"].added == len(market.news.records)


def test_filling_it_again_adds_nothing(store: Store) -> None:
    again = fill_demo_store(store, market=MARKET, now=NOW + timedelta(days=1))
    assert all(report.already_imported for report in again.reports.values())
    assert all(report.added == report.revised == 0 for report in again.reports.values())
    assert len(store.instruments()) == 11


def test_every_simulated_instrument_is_named_so(store: Store) -> None:
    names = store.instruments().set_index("symbol")["name"]
    for symbol in MARKET.symbols:
        assert names[symbol].startswith("SIMULATED")
    assert names["FB"] == "Facebook"


def test_the_bars_come_back_as_they_were_made(store: Store, market: Simulation) -> None:
    ids = [store.resolve(symbol) for symbol in MARKET.symbols]
    for interval in ("1m", "1d"):
        stored = store.bars(interval, source="simulated")
        made = market.as_read(interval)
        assert stored.adjusted == "none"
        assert np.array_equal(stored.instrument, np.array(ids)[made.instrument])
        for name in ("start", "open", "high", "low", "close", "volume"):
            assert np.array_equal(getattr(stored, name), getattr(made, name)), name


def test_real_prices_are_kept_under_their_own_source(store: Store) -> None:
    sources = store.bar_sources().set_index(["interval", "source"])
    assert sources.loc[("1d", PRICE_SOURCE), "rows"] == 12_154
    assert sources.loc[("1d", PRICE_SOURCE), "adjusted"] == "none"
    assert set(sources.index) == {("1d", PRICE_SOURCE), ("1d", "simulated"), ("1m", "simulated")}


def test_before_the_release_only_the_schedule_is_known(store: Store, market: Simulation) -> None:
    release = market.events.records[3]
    before = store.events(
        symbols=[release.symbol], as_of=release.announced_from - timedelta(minutes=1)
    ).set_index("fiscal_period")
    after = store.events(symbols=[release.symbol], as_of=release.announced_from).set_index(
        "fiscal_period"
    )
    scheduled, released = before.loc[release.fiscal_period], after.loc[release.fiscal_period]
    assert (scheduled["precision"], released["precision"]) == ("session", "exact")
    assert np.isnan(scheduled["eps_actual"])
    assert scheduled["eps_estimate"] == released["eps_estimate"]
    assert released["eps_actual"] == release.eps_actual


def test_when_it_was_known_is_proven_for_the_simulated_part_alone(store: Store) -> None:
    events = store.events()
    simulated_ones = events["symbol"].str.startswith("SIM")
    assert simulated_ones.sum() == 12
    assert events.loc[simulated_ones, "first_known_proven"].all()
    assert not events.loc[~simulated_ones, "first_known_proven"].any()
    assert (~simulated_ones).sum() == 185


def test_guidance_and_headlines_find_their_release(store: Store, market: Simulation) -> None:
    guidance = store.guidance()
    assert len(guidance) == len(market.guidance.records) > 0
    assert guidance["event_id"].notna().all()
    news = store.news()
    assert len(news) == len(market.news.records)
    hostile = news[news["title"].str.contains("script")]
    assert len(hostile) == 1
    assert "<script>alert(1)</script>" in hostile["title"].iloc[0], "kept as it is, never cleaned"


def test_the_summary_tells_the_truth_loudly(
    filled: tuple[Store, DemoSummary], market: Simulation
) -> None:
    summary, truth = filled[1], market.truth
    drops = (truth["session"] == "post") & (truth["kind"] != "flat")
    assert summary.evening_drops == drops.sum()
    assert summary.reversals == (truth["kind"] == "reverses").sum()
    about_it = [line for line in summary.lines if "SIM001" in line or "reverse" in line]
    assert about_it
    assert all("SIMULATED" in line for line in about_it)
    assert summary.label.startswith("SIMULATED")


def test_reactions_agree_with_the_generators_truth(store: Store, market: Simulation) -> None:
    """Two ways to the same figures: the join over the store, and the process itself."""
    from backtest.reaction_table import reactions

    frame = reactions(store, interval="1m", symbols=MARKET.symbols).frame
    measured = frame.set_index(["symbol", "fiscal_period"])
    truth = market.truth.set_index(["symbol", "fiscal_period"])
    assert len(measured) == len(truth) == 12
    measured = measured.loc[truth.index]
    assert (measured["session"] == truth["session"]).all()
    for name in ("reference_date", "reaction_date"):
        assert measured[name].astype(str).tolist() == truth[name].dt.date.astype(str).tolist()
    assert measured["post_low"].notna().sum() >= (truth["session"] == "post").sum()
    evening = truth["session"] == "post"
    assert measured.loc[evening, "post_low"].to_numpy(float) == pytest.approx(
        truth.loc[evening, "evening_low"].to_numpy(), abs=1e-12
    )
    assert measured["day_close"].to_numpy(float) == pytest.approx(
        truth["reaction"].to_numpy(), abs=0.005
    )


def test_a_market_of_daily_bars_has_no_others(tmp_path_factory: pytest.TempPathFactory) -> None:
    from db.intervals import Interval

    settings = replace(MARKET, interval=Interval.D1, n_symbols=2, n_quarters=1, splits=0)
    with Store.open(tmp_path_factory.mktemp("daily") / "store", create=True) as other:
        summary = fill_demo_store(other, market=settings, now=NOW)
        assert "SIMULATED prices 1m" not in summary.reports
        assert set(other.bar_sources()["interval"]) == {"1d"}


def test_progress_names_what_is_being_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    seen: dict[str, int] = {}

    def tell(what: str, rows: int) -> None:
        seen[what] = seen.get(what, 0) + rows

    settings = replace(MARKET, n_symbols=2, n_quarters=1, splits=0)
    with Store.open(tmp_path_factory.mktemp("progress") / "store", create=True) as other:
        summary = fill_demo_store(other, market=settings, now=NOW, progress=tell)
    assert seen["prices 1d"] == 12_154
    assert seen["SIMULATED prices 1m"] == summary.reports["SIMULATED prices 1m"].added
