"""Fill a store with the demo's two parts: five real companies and a SIMULATED market."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backtest.demo import real
from backtest.demo.market import SOURCE, SimulatedMarket
from backtest.demo.releases import Kind
from backtest.demo.simulated import Simulation, simulated
from db.batches import BarBatch, IngestReport, RecordBatch

if TYPE_CHECKING:
    from db.store import Store

_NAMES = {
    "AAPL": "Apple",
    "FB": "Facebook",
    "GOOG": "Google",
    "IBM": "International Business Machines",
    "MSFT": "Microsoft",
}


@dataclass(frozen=True)
class DemoSummary:
    """What the demo's store holds, and the truth about its simulated part."""

    label: str
    """Says SIMULATED, the seed and the dial."""
    reports: Mapping[str, IngestReport]
    """By what was imported, in that order."""
    real_symbols: tuple[str, ...]
    simulated_symbols: tuple[str, ...]
    real_source: str
    simulated_source: str
    evening_drops: int
    """Simulated releases after the close that fell."""
    reversals: int
    """Those of them that were made to turn and recover."""

    @property
    def lines(self) -> list[str]:
        """For a person, one line a part."""
        rows = sum(report.added for report in self.reports.values())
        companies = ", ".join(self.real_symbols)
        stocks = f"{self.simulated_symbols[0]} to {self.simulated_symbols[-1]}"
        turned = f"{self.reversals} of {self.evening_drops}"
        return [
            f"Real: daily prices and releases of {companies} (source {self.real_source})",
            f"{self.label}: {stocks}, bars and releases (source {self.simulated_source})",
            f"SIMULATED truth: {turned} evening drops were made to reverse",
            f"{rows:,} rows added",
        ]


def fill_demo_store(
    store: Store,
    *,
    market: SimulatedMarket | None = None,
    now: datetime | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> DemoSummary:
    """Import both parts; doing it again adds nothing.

    ``now`` is when the data count as fetched (the clock without it); ``progress`` is called with
    what is being imported and the rows so far.  Errors are those of `Store.ingest`.
    """
    at = now or datetime.now(UTC)
    simulation = simulated(market, now=at)
    _name_instruments(store, simulation)
    reports: dict[str, IngestReport] = {}
    for what, batch in _batches(simulation, at):
        tell = None if progress is None else _teller(progress, what)
        reports[what] = store.ingest(batch, progress=tell)
    releases = simulation.skeleton.releases
    evening = ~releases.premarket
    return DemoSummary(
        label=simulation.market.label,
        reports=reports,
        real_symbols=real.SYMBOLS,
        simulated_symbols=tuple(simulation.market.symbols),
        real_source=real.PRICE_SOURCE,
        simulated_source=SOURCE,
        evening_drops=int((evening & (releases.kind != Kind.FLAT)).sum()),
        reversals=int((releases.kind == Kind.REVERSES).sum()),
    )


def _batches(
    simulation: Simulation, now: datetime
) -> Iterator[tuple[str, BarBatch | RecordBatch[Any]]]:
    """Actions before the prices that they explain, schedules before releases."""
    yield "actions", real.actions(now=now)
    yield "prices 1d", real.daily_bars(now=now)
    yield "earnings", real.earnings(now=now)
    yield "SIMULATED actions", simulation.actions
    yield "SIMULATED prices 1d", simulation.bars("1d")
    interval = simulation.market.interval
    if not interval.is_daily:
        yield f"SIMULATED prices {interval.value}", simulation.bars(interval)
    yield "SIMULATED schedule", simulation.schedule
    yield "SIMULATED earnings", simulation.events
    yield "SIMULATED guidance", simulation.guidance
    yield "SIMULATED news", simulation.news


def _name_instruments(store: Store, simulation: Simulation) -> None:
    """Give each company a name before its first row does without one."""
    known = set(store.instruments()["symbol"])
    names = _NAMES | {symbol: f"SIMULATED {symbol}" for symbol in simulation.market.symbols}
    for symbol, name in names.items():
        if symbol not in known:
            store.add_instrument(symbol, name=name)


def _teller(progress: Callable[[str, int], None], what: str) -> Callable[[int], None]:
    return lambda rows: progress(what, rows)
