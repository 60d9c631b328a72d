"""Simulated markets with everything in them: bars, releases, figures, guidance, news, splits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backtest.demo.market import SimulatedMarket
from backtest.demo.simulated import simulated
from db.store import Store
from tests.backtest.evidence.look_ahead import right, wrong


@contextmanager
def filled(folder: Path, seed: int) -> Iterator[Store]:
    """A store with daily and minute bars of a small market; strategies that read one read it."""
    made = simulated(
        SimulatedMarket(
            seed=seed,
            n_symbols=6,
            n_quarters=2,
            warmup_sessions=20,
            tail_sessions=12,
            evenings=2,
            sessions_after=2,
            splits=3,
        ),
        now=datetime(2024, 1, 2, tzinfo=UTC),
    )
    with Store.open(folder, create=True) as store:
        for batch in (made.actions, made.bars("1d"), made.bars("1m")):
            store.ingest(batch)
        for records in (made.schedule, made.events, made.guidance, made.news):
            store.ingest(records)
        wrong.STORE = right.STORE = store
        yield store
        wrong.STORE = right.STORE = None


@pytest.fixture(scope="package")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with filled(tmp_path_factory.mktemp("market") / "store", seed=3) as store:
        yield store


@pytest.fixture(scope="package", params=(11, 23), ids=lambda seed: f"market {seed}")
def any_market(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    with filled(tmp_path_factory.mktemp("market") / "store", seed=request.param) as store:
        yield store
