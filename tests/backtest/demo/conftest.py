"""Simulated markets that several tests look at; each is made once."""

from __future__ import annotations

import pytest

from backtest.demo.simulated import SimulatedMarket, Simulation, simulated


@pytest.fixture(scope="package")
def default_market() -> Simulation:
    return simulated()


@pytest.fixture(scope="package")
def small() -> SimulatedMarket:
    return SimulatedMarket(seed=3, n_symbols=12, n_quarters=4)
