"""The demonstration: a store of both parts, two strategies, a report of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from backtest.demo.fill import DemoSummary, fill_demo_store
from backtest.demo.market import SimulatedMarket
from backtest.report.build import report_data
from backtest.report.page import write_report
from backtest.result import Result
from backtest.runner import run
from db.store import Store

DAILY, EVENING = "gap_reversal", "after_hours_reversal"


@dataclass(frozen=True, eq=False)
class Demonstration:
    """What the demonstration made: where the store is, what is in it, what came out."""

    folder: Path
    summary: DemoSummary
    results: Mapping[str, Result]
    reports: Mapping[str, Path]

    @property
    def store(self) -> Path:
        """The store's folder, to go on with."""
        return self.folder / "store"


def run_demo(
    folder: str | Path | None = None,
    *,
    on_step: Callable[[str], None] = lambda _: None,
    market: SimulatedMarket | None = None,
    now: datetime | None = None,
) -> Demonstration:
    """Make the demo's store in ``folder`` (a temporary one without), run both strategies on it.

    The daily form runs on the real companies, the evening form on the SIMULATED market.  Doing
    it again in the same folder adds nothing to the store but two more runs.
    """
    at = Path(mkdtemp(prefix="backtest-demo-")) if folder is None else Path(folder)
    at.mkdir(parents=True, exist_ok=True)
    on_step("making the store")
    results: dict[str, Result] = {}
    reports: dict[str, Path] = {}
    with Store.open(at / "store", create=True) as store:
        summary = fill_demo_store(
            store,
            market=market,
            now=now or datetime.now(UTC),
            progress=lambda what, _: on_step(f"importing {what}"),
        )
        wanted = (
            (DAILY, "1d", summary.real_source, summary.real_symbols),
            (EVENING, "1m", summary.simulated_source, summary.simulated_symbols),
        )
        for name, interval, source, symbols in wanted:
            result = run(
                name, store, interval=interval, source=source, symbols=symbols, on_step=on_step
            )
            on_step("writing the report")
            path = at / f"{name}.html"
            reports[name] = Path(write_report(report_data(result, store), path))
            results[name] = result
    return Demonstration(at, summary, results, reports)
