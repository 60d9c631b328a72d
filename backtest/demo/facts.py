"""What the simulated companies report and what is written about them.

All of it is drawn after the prices and from the kind of a release alone, so that without
reversals nothing here says anything about the price after the release.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from backtest.demo.market import SimulatedMarket
from backtest.demo.releases import Kind, generator
from backtest.demo.skeleton import Skeleton
from backtest.paths import FloatArray
from db.batches import ActionRecord, EventRecord, GuidanceRecord, SessionLabel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ANNOUNCED_AHEAD = timedelta(days=14)
_GUIDES = 0.7
"""Share of releases that carry guidance."""
_ABOVE = {Kind.FLAT: 0.5, Kind.CONTINUES: 0.3, Kind.REVERSES: 0.8}
"""Chance that guidance lies above consensus, by kind: after a drop good guidance is a sign of
recovery, as far as there are any."""


@dataclass(frozen=True, eq=False)
class Figures:
    """What N releases say; money in US dollars."""

    eps_estimate: FloatArray
    eps_actual: FloatArray
    revenue_estimate: FloatArray
    revenue_actual: FloatArray
    guidance_low: FloatArray
    """Of next quarter's revenue; NaN where the company gives none."""
    guidance_high: FloatArray
    guidance_consensus: FloatArray


def draw_figures(sk: Skeleton) -> Figures:
    """Earnings, revenue and guidance; surprises lean the way the price jumped."""
    rng = generator(sk.market.seed, 8)
    releases, n = sk.releases, len(sk.releases)
    eps = rng.uniform(0.4, 4.0, sk.market.n_symbols)[releases.instrument]
    revenue = np.exp(rng.normal(np.log(2e9), 1.0, sk.market.n_symbols))[releases.instrument]
    growth = 1.02**releases.quarter
    estimate = np.round(eps * growth * (1 + 0.05 * rng.standard_normal(n)), 2)
    beat = 0.02 + 0.8 * releases.jump + 0.04 * rng.standard_normal(n)
    revenue_estimate = np.round(revenue * growth, -5)
    revenue_beat = 0.005 + 0.25 * releases.jump + 0.01 * rng.standard_normal(n)
    given = rng.random(n) < _GUIDES
    chance = np.array([_ABOVE[Kind(kind)] for kind in releases.kind])
    above = rng.random(n) < chance
    distance = rng.uniform(0.01, 0.05, n) * np.where(above, 1, -1)
    consensus = np.where(given, np.round(revenue_estimate * 1.02, -5), np.nan)
    middle = consensus * (1 + distance)
    return Figures(
        eps_estimate=np.maximum(estimate, 0.05),
        eps_actual=np.round(np.maximum(estimate, 0.05) * (1 + beat), 2),
        revenue_estimate=revenue_estimate,
        revenue_actual=np.round(revenue_estimate * (1 + revenue_beat), -5),
        guidance_low=np.round(middle * 0.985, -5),
        guidance_high=np.round(middle * 1.015, -5),
        guidance_consensus=consensus,
    )


def instant(us: int) -> datetime:
    """Microseconds since the epoch as an aware datetime (UTC)."""
    return _EPOCH + timedelta(microseconds=int(us))


def fiscal_periods(sk: Skeleton) -> list[str]:
    """Name of each quarter reported on, and of the one after the last (``n_quarters`` + 1)."""
    first = _day(sk, sk.market.warmup_sessions + sk.market.evenings // 2)
    number = first.year * 4 + (first.month - 1) // 3 - 1
    return [f"{(number + q) // 4}Q{(number + q) % 4 + 1}" for q in range(sk.market.n_quarters + 1)]


def _day(sk: Skeleton, session: int) -> date:
    day: date = sk.cal.dates[sk.sessions[session]].astype(object)
    return day


def schedule_records(sk: Skeleton, figures: Figures) -> list[EventRecord]:
    """What is known two weeks ahead: the evening or morning, and the estimates."""
    records: list[EventRecord] = []
    symbols, periods = sk.market.symbols, fiscal_periods(sk)
    for i, (stock, session, quarter) in enumerate(_who_when(sk)):
        label: SessionLabel = "pre" if sk.releases.premarket[i] else "post"
        since, until, _ = sk.cal.release_interval(_day(sk, session), label)
        records.append(
            EventRecord(
                symbol=symbols[stock],
                announced_from=instant(since),
                announced_to=instant(until),
                precision="session",
                session=label,
                fiscal_period=periods[quarter],
                eps_estimate=float(figures.eps_estimate[i]),
                revenue_estimate=float(figures.revenue_estimate[i]),
                first_known_at=instant(since) - _ANNOUNCED_AHEAD,
                raw=f"SIMULATED schedule: {symbols[stock]} {periods[quarter]}, {label}",
                row=i + 1,
            )
        )
    return records


def release_records(sk: Skeleton, figures: Figures) -> list[EventRecord]:
    """The releases themselves, to the minute."""
    records: list[EventRecord] = []
    symbols, periods = sk.market.symbols, fiscal_periods(sk)
    for i, (stock, _, quarter) in enumerate(_who_when(sk)):
        at = instant(sk.releases.at[i])
        eps, estimate = float(figures.eps_actual[i]), float(figures.eps_estimate[i])
        records.append(
            EventRecord(
                symbol=symbols[stock],
                announced_from=at,
                announced_to=at,
                precision="exact",
                session="pre" if sk.releases.premarket[i] else "post",
                fiscal_period=periods[quarter],
                eps_estimate=estimate,
                eps_actual=eps,
                revenue_estimate=float(figures.revenue_estimate[i]),
                revenue_actual=float(figures.revenue_actual[i]),
                first_known_at=at,
                raw=f"SIMULATED release: {symbols[stock]} {periods[quarter]} earns {eps:.2f} "
                f"a share, {estimate:.2f} expected",
                row=i + 1,
            )
        )
    return records


def guidance_records(sk: Skeleton, figures: Figures) -> list[GuidanceRecord]:
    """Next quarter's revenue as the companies see it, where they say."""
    records: list[GuidanceRecord] = []
    symbols, periods = sk.market.symbols, fiscal_periods(sk)
    for i, (stock, _, quarter) in enumerate(_who_when(sk)):
        consensus = float(figures.guidance_consensus[i])
        if np.isnan(consensus):
            continue
        at = instant(sk.releases.at[i])
        low, high = float(figures.guidance_low[i]), float(figures.guidance_high[i])
        records.append(
            GuidanceRecord(
                symbol=symbols[stock],
                metric="revenue",
                period=periods[quarter + 1],
                low=low,
                high=high,
                unit="USD",
                consensus=consensus,
                announced_from=at,
                announced_to=at,
                precision="exact",
                session="pre" if sk.releases.premarket[i] else "post",
                first_known_at=at,
                raw=f"SIMULATED outlook: {symbols[stock]} sees {periods[quarter + 1]} revenue of "
                f"{low / 1e6:,.1f} to {high / 1e6:,.1f} million dollars, "
                f"{consensus / 1e6:,.1f} expected",
                row=len(records) + 1,
            )
        )
    return records


def action_records(sk: Skeleton) -> list[ActionRecord]:
    """Splits and dividends in order of their ex-dates."""
    symbols = sk.market.symbols
    actions = sorted(sk.actions, key=lambda action: (action.session, action.instrument))
    return [
        ActionRecord(
            symbol=symbols[action.instrument],
            kind="split" if action.kind == "split" else "dividend",
            ex_date=_day(sk, action.session),
            value=action.value,
            raw=f"SIMULATED {action.kind} of {symbols[action.instrument]}: {action.value:g}",
            row=i + 1,
        )
        for i, action in enumerate(actions)
    ]


def _who_when(sk: Skeleton) -> list[tuple[int, int, int]]:
    """Instrument, session of the release and quarter of each release, as Python integers."""
    releases = sk.releases
    columns = (releases.instrument, releases.session, releases.quarter)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def end_of_market(market: SimulatedMarket, sk: Skeleton) -> datetime:
    """The evening's end of the last session."""
    return instant(sk.cal.post_end[sk.sessions[market.n_sessions - 1]])
