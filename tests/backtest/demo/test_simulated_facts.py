"""Releases, guidance and headlines of the simulated market: labelled, timed, consistent."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from backtest.demo.releases import Kind
from backtest.demo.simulated import SimulatedMarket, Simulation, simulated
from db.intervals import Interval


@pytest.fixture(scope="module")
def large() -> Simulation:
    """Many releases, no minutes: enough to see what figures depend on."""
    return simulated(
        SimulatedMarket(n_symbols=500, interval=Interval.D1, reversal_share=0.5, premarket_share=0)
    )


def test_every_batch_says_simulated(default_market: Simulation) -> None:
    market = default_market
    batches = [market.schedule, market.events, market.guidance, market.news, market.actions]
    for batch in batches:
        assert batch.provenance.source == "simulated"
        assert batch.provenance.origin.startswith("SIMULATED")
        assert all(record.raw.startswith("SIMULATED") for record in batch.records)
        assert [record.row for record in batch.records] == list(range(1, len(batch.records) + 1))
    assert market.bars("1d").provenance.origin.startswith("SIMULATED")
    assert all(symbol.startswith("SIM") for symbol in market.market.symbols)
    assert all(item.title.startswith("SIMULATED") for item in market.news.records)
    assert "SIMULATED" in repr(market)


def test_batches_differ_in_their_hash_and_repeat_it(default_market: Simulation) -> None:
    market = default_market
    batches = [
        market.schedule,
        market.events,
        market.guidance,
        market.news,
        market.actions,
        market.bars("1d"),
        market.bars("1m"),
    ]
    hashes = [batch.provenance.content_hash for batch in batches]
    assert len(set(hashes)) == len(hashes)
    assert simulated(market.market).events.provenance.content_hash == hashes[1]


def test_each_release_was_on_the_schedule_two_weeks_before(default_market: Simulation) -> None:
    schedule, events = default_market.schedule.records, default_market.events.records
    assert len(schedule) == len(events) == 320
    for ahead, release in zip(schedule, events, strict=True):
        assert (ahead.symbol, ahead.fiscal_period) == (release.symbol, release.fiscal_period)
        assert ahead.announced_from <= release.announced_from <= ahead.announced_to
        assert (ahead.precision, release.precision) == ("session", "exact")
        assert release.announced_from == release.announced_to == release.first_known_at
        assert ahead.first_known_at is not None
        assert release.announced_from - ahead.first_known_at >= timedelta(days=14)
        assert ahead.eps_actual is None
        assert ahead.eps_estimate == release.eps_estimate
        assert release.eps_actual is not None


def test_a_company_reports_each_period_once_in_order(default_market: Simulation) -> None:
    seen: dict[str, list[str]] = {}
    for record in default_market.events.records:
        seen.setdefault(record.symbol, []).append(record.fiscal_period)
    expected = ["2022Q1", "2022Q2", "2022Q3", "2022Q4", "2023Q1", "2023Q2", "2023Q3", "2023Q4"]
    assert all(periods == expected for periods in seen.values())
    assert (
        default_market.guidance.records[0].period > default_market.events.records[0].fiscal_period
    )


def test_surprises_lean_the_way_the_price_jumped(large: Simulation) -> None:
    figures, jump = large.figures, large.skeleton.releases.jump
    surprise = figures.eps_actual / figures.eps_estimate - 1
    assert np.corrcoef(surprise, jump)[0, 1] > 0.5
    assert surprise[jump < -0.05].mean() < 0 < surprise[jump > 0.05].mean()


def test_guidance_tells_reversals_from_other_drops_and_nothing_else(large: Simulation) -> None:
    figures, kind = large.figures, large.skeleton.releases.kind
    given = ~np.isnan(figures.guidance_consensus)
    assert 0.6 < given.mean() < 0.8
    middle = (figures.guidance_low + figures.guidance_high) / 2
    above = middle > figures.guidance_consensus
    share = {k: above[given & (kind == k)].mean() for k in Kind}
    assert share[Kind.REVERSES] > 0.7
    assert share[Kind.CONTINUES] < 0.4


def test_guidance_is_known_at_the_release_and_in_single_dollars(
    default_market: Simulation,
) -> None:
    releases = {(r.symbol, r.announced_from) for r in default_market.events.records}
    for record in default_market.guidance.records:
        assert (record.symbol, record.announced_from) in releases
        assert record.first_known_at == record.announced_from
        assert record.low is not None
        assert record.high is not None
        assert 1e6 < record.low < record.high
        assert (record.metric, record.unit) == ("revenue", "USD")


def test_headlines_follow_drops_and_carry_one_that_must_not_run(
    default_market: Simulation,
) -> None:
    news = default_market.news.records
    assert sum("<script>alert(1)</script>" in item.title for item in news) == 1
    assert 20 < len(news) < 120
    assert [item.published_at for item in news] == sorted(item.published_at for item in news)
    assert len({item.url for item in news}) == len(news)
    truth = default_market.truth
    drops = truth[truth["kind"] != "flat"]
    reported = 0
    for item in (item for item in news if (item.sentiment or 0) < 0):
        mine = drops[drops["symbol"] == item.symbols[0]]
        delay = item.published_at - mine["announced_at"]
        reported += ((delay >= timedelta(minutes=2)) & (delay < timedelta(minutes=9))).sum()
    assert reported == sum((item.sentiment or 0) < 0 for item in news)


def test_every_headline_lies_where_there_are_bars(default_market: Simulation) -> None:
    bars, symbols = default_market.windows, default_market.market.symbols
    sk = default_market.skeleton
    windows = set(zip(bars.instrument.tolist(), bars.session.tolist(), strict=True))
    for item in default_market.news.records:
        at = np.array([int(item.published_at.timestamp() * 1e6)])
        session = int(sk.cal.session_of(at)[0] - sk.sessions[0])
        assert (symbols.index(item.symbols[0]), session) in windows


def test_nothing_is_fetched_before_it_happened(default_market: Simulation) -> None:
    last = max(item.published_at for item in default_market.news.records)
    assert default_market.events.provenance.fetched_at > last
