"""What a sweep costs beside what one would run instead, on the same trades, checked equal first.

    python -m benchmarks.sweep --data DIR [--quick] [--repeat N] [--json]

Daily bars: every event of DIR/earnings/earnings_2012_2019.csv with prices in DIR/daily_adjusted,
10 drops x 10 stops x 10 targets x 10 holds.  Minute bars: the companies of DIR/intraday_1m with
their extended hours, as many combinations.  No time is printed before the results agree:

  from_signals   vectorbt, Rust engine, one call a combination, on the triggered events alone
  pairs          vectorbt once for each stop-target pair; holds and drops derived from it
  SQL            DuckDB: first touches once for each level, then joined
  alone          the ordinary kernel, each combination by itself (minute bars)
  copy           one copy of the arrays that must be read

vectorbt and the SQL know no late holds and no data that end, so they run on the events whose
bars are complete; the kernel is timed on the same ones, the whole call on all.  ``--quick`` runs
one drop of from_signals and scales the time up, and says so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.sweep_rivals import BARS, FEE, Windows, busy, timed

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
DAILY = {
    "drop": "0.02:0.11:0.01",
    "exits.stop": "0.02:0.20:0.02",
    "exits.target": "0.02:0.20:0.02",
    "exits.hold": "1,2,3,5,8,13,20,25,30,34",
}
MINUTE = {
    "drop": "0.01:0.055:0.005",
    "exits.stop": "0.01:0.10:0.01",
    "exits.target": "0.01:0.10:0.01",
    "exits.hold": "0,1,2,3,4,5,6,8,10,13",
}
SQL_RUNS, FRESH_RUNS = 5, 3
AIMS = (
    "kernel at least 5,000 times from_signals",
    "kernel at least 40 times the SQL",
    "whole call under 0.15 s warm",
    "whole call under 2 s on a fresh machine",
    "peak memory at most twice the panel",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the real files")
    parser.add_argument("--store", type=Path, help="folder for the two stores; kept for next time")
    parser.add_argument("--quick", action="store_true", help="one drop of from_signals alone")
    parser.add_argument("--repeat", type=int, default=15)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--task", choices=["first"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        stores = arguments.store or Path(folder)
        if arguments.task:
            print(json.dumps(first_call(stores / "daily")))
            return
        fill_stores(arguments.data, stores)
        found = daily(stores, arguments) | minutes(stores / "minute", arguments.repeat)
    print(json.dumps(found, indent=1) if arguments.json else as_text(found))


def fill_stores(data: Path, stores: Path) -> None:
    from db.sources.files import events, prices
    from db.store import Store

    def fill(name: str, batches: Any) -> None:
        if (stores / name).exists():
            return
        with Store.open(stores / name, create=True) as store:
            for batch in batches():
                store.ingest(batch)

    def daily_batches() -> Any:
        files = sorted(map(str, (data / "daily_adjusted").glob("*.parquet")))
        yield from prices(files, interval="1d", adjusted="all", source="daily")
        yield events(data / "earnings" / "earnings_2012_2019.csv")

    def minute_batches() -> Any:
        for file in sorted((data / "intraday_1m").glob("*.parquet")):
            yield from prices(
                [str(file)], interval="1m", tz="America/New_York", symbol=file.stem, source="1m"
            )
        yield events(data / "earnings" / "intraday_events_2019_2020.csv")

    fill("daily", daily_batches)
    fill("minute", minute_batches)


def prepared(store_path: Path, strategy: str, spec: dict[str, str], interval: str) -> Any:
    """(grid, market, settings) of a sweep: all that comes before the call that is timed."""
    from backtest.execution import Costs
    from backtest.panel.build import build_panel, schedule_known
    from backtest.registry import find_strategy
    from backtest.selection import chosen_events
    from backtest.settings import RunSettings
    from backtest.sweeps.grid import parse_grid
    from backtest.sweeps.measure import Market
    from db.intervals import Interval
    from db.store import Store

    grid = parse_grid(find_strategy(strategy), spec)
    costs = Costs(commission=FEE, half_spread=0, slippage=0) if interval == "1d" else Costs()
    settings = RunSettings(interval=Interval.parse(interval), costs=costs)
    hold = max(grid.axes[-1].values)
    with Store.open(store_path) as store:
        chosen = chosen_events(store, grid.strategy, settings).events
        panel = build_panel(store, chosen, settings.interval, hold=hold).panel
        known = schedule_known(store, panel.events, panel.sessions, strict=False)
    filtered = np.zeros(len(panel), dtype=np.bool_)
    return grid, Market(panel, known, filtered, costs, settings.rules), settings


def whole_call(grid: Any, market: Any) -> Any:
    """From the panel to the frame with monthly returns; medians apart."""
    from backtest.sweeps.engine import Group, tabulate
    from backtest.sweeps.measure import combine

    combined = combine(grid, market)
    group = Group(combined, np.arange(len(grid)), market.panel.events)
    return combined, tabulate([group], grid, with_medians=False)


def first_call(store: Path) -> dict[str, float]:
    grid, market, _ = prepared(store, "gap_reversal", DAILY, "1d")
    from backtest.sweeps import engine  # noqa: F401 - imports are not what is timed

    seconds, processor = [], []
    for _ in range(3):
        begin, began = time.perf_counter(), time.process_time()
        whole_call(grid, market)
        seconds.append(time.perf_counter() - begin)
        processor.append(time.process_time() - began)
    return {"first": seconds[0], "second": min(seconds[1:]), "busy": processor[0]}


def in_own_process(stores: Path, data: Path, cache: str) -> dict[str, float]:
    done = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "benchmarks.sweep", "--task", "first"),
            *("--data", str(data.resolve()), "--store", str(stores.resolve())),
        ],
        env={**os.environ, "NUMBA_CACHE_DIR": cache},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def daily(stores: Path, arguments: Any) -> dict[str, Any]:
    from backtest.sweeps.measure import medians

    grid, market, settings = prepared(stores / "daily", "gap_reversal", DAILY, "1d")
    combined, table = whole_call(grid, market)
    outcomes = int(table.frame["trades"].sum())
    part = combined.parts[0].tables
    complete = complete_windows(part)
    windows = Windows(part, complete, combined, grid)
    kernel_median, kernel_least, sums = timed(lambda: part.sums(0, rows=complete), arguments.repeat)
    ours = sums.totals[:, 0, :, :3]
    kernel_busy = busy(lambda: part.sums(0, rows=complete), arguments.repeat)
    sql_seconds, sql_busy = windows.sql(ours, min(arguments.repeat, SQL_RUNS))
    pair_seconds = windows.pairs(ours)
    signal_seconds, share = windows.from_signals(ours, quick=arguments.quick)
    # Only now, with all results equal, is anything said about time.
    whole_median, whole_least, _ = timed(lambda: whole_call(grid, market), arguments.repeat)
    whole_busy = busy(lambda: whole_call(grid, market), arguments.repeat)
    kernel_all, kernel_all_least, _ = timed(lambda: part.sums(0), arguments.repeat)
    median_seconds, _, _ = timed(lambda: medians(combined), 1)
    account_seconds = accounts(grid, market, settings, table.frame)
    calls = []
    for _ in range(FRESH_RUNS):
        with tempfile.TemporaryDirectory() as cache:
            calls.append(in_own_process(stores, arguments.data, cache))
            cached = in_own_process(stores, arguments.data, cache)
    fresh = sorted(calls, key=lambda one: one["first"])[FRESH_RUNS // 2]
    copies = windows.copies(arguments.repeat)
    panel_bytes, peak = memory(grid, market)
    return {
        "daily": {
            "events": len(market.panel),
            "combinations": len(grid),
            "outcomes": outcomes,
            "fills": len(part.fills),
            "fills with complete windows": int(complete.sum()),
            "outcomes compared": int(ours[..., 0].sum()),
            "opened beyond the target and fell to the stop": windows.by_intent,
            "kernel s": kernel_median,
            "kernel least s": kernel_least,
            "kernel, all events s": kernel_all,
            "kernel, all events, least s": kernel_all_least,
            "kernel, seconds of a processor": kernel_busy,
            "from_signals s": signal_seconds,
            "from_signals share run": share,
            "pairs s": pair_seconds,
            "SQL s": sql_seconds,
            "copy of the windows s": copies[0],
            "gather of the windows s": copies[1],
            "from_signals / kernel": signal_seconds / kernel_median,
            "pairs / kernel": pair_seconds / kernel_median,
            "SQL / kernel": sql_seconds / kernel_median,
            "SQL / kernel, seconds of a processor": sql_busy / kernel_busy,
            "kernel / copy": kernel_median / copies[0],
            "kernel / gather": kernel_median / copies[1],
            "whole call, warm s": whole_median,
            "whole call, least s": whole_least,
            "whole call, warm, seconds of a processor": whole_busy,
            "whole call, fresh machine s": fresh["first"],
            "of it compiling s": fresh["first"] - fresh["second"],
            "whole call, fresh machine, seconds of a processor": fresh["busy"],
            "whole call, first of a process s": cached["first"],
            "medians s": median_seconds,
            "accounts of the three best s": account_seconds,
            "panel MB": panel_bytes / 1e6,
            "allocated by the call, peak MB": peak / 1e6,
            "peak / panel": 1 + peak / panel_bytes,
            "aims": aims(
                signal_seconds / kernel_median >= 5_000,
                sql_seconds / kernel_median >= 40,
                whole_median < 0.15,
                fresh["first"] < 2,
                1 + peak / panel_bytes <= 2,
            ),
        }
    }


def aims(*held: bool) -> dict[str, str]:
    return {aim: "held" if good else "MISSED" for aim, good in zip(AIMS, held, strict=True)}


def accounts(grid: Any, market: Any, settings: Any, frame: Any) -> float:
    """Seconds of the three best in vectorbt's account, which is loaded before."""
    from backtest.sweeps.account import account_row
    from backtest.sweeps.result import FEW_TRADES, ranked

    best = [int(one) for one in ranked(frame, "sharpe", FEW_TRADES)[:3]]
    account_row(grid.setting(best[0]), market, settings, market.panel.events)
    begin = time.perf_counter()
    for one in best:
        account_row(grid.setting(one), market, settings, market.panel.events)
    return time.perf_counter() - begin


def memory(grid: Any, market: Any) -> tuple[int, int]:
    """Bytes of the panel, and the most that a call allocates beside it."""
    tracemalloc.start()
    whole_call(grid, market)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return bytes_of(market), peak


def bytes_of(market: Any) -> int:
    """The bars and the arrays of events that a panel is made of."""
    paths = vars(market.panel.paths).values()
    table = [one for one in vars(market.panel.table).values() if isinstance(one, np.ndarray)]
    return sum({id(one): one.nbytes for one in (*paths, *table)}.values())


def complete_windows(part: Any) -> np.ndarray:
    """Fills at the reaction session's open with a bar in each of the sessions that follow."""
    paths, fills = part.paths, part.fills
    last = fills.bar + BARS - 1
    inside = last < paths.stop[fills.event]
    session = paths.session[np.where(inside, last, 0)]
    reaction = paths.reaction_session[fills.event]
    return inside & (session == reaction + BARS - 1) & (paths.session[fills.bar] == reaction)


def minutes(store: Path, repeat: int) -> dict[str, Any]:
    """Each combination alone by the ordinary kernel, for the counts and sums to be checked."""
    from backtest.outcomes import simulate

    grid, market, _ = prepared(store, "after_hours_reversal", MINUTE, "1m")
    combined, table = whole_call(grid, market)
    part = combined.parts[0].tables
    evaluations = combined.entered.evaluations
    wanted = np.zeros((len(grid), 3))
    seconds = 0.0
    for number in range(len(grid)):
        orders = evaluations[combined.entered.of_combination[number]].orders
        exits = grid.setting(number).exits
        begin = time.perf_counter()
        found = simulate(market.panel.paths, orders, exits, market.costs, market.rules, 1)
        net = found.net[found.fill == 1]
        wanted[number] = len(net), net.sum(), (net**2).sum()
        if number:  # the first call loads the compiled code
            seconds += time.perf_counter() - begin
    totals, _ = combined.sums(months=False)
    np.testing.assert_array_equal(totals[:, 0], wanted[:, 0])
    np.testing.assert_allclose(totals[:, :3], wanted, rtol=1e-12, atol=1e-12)
    kernel_median, kernel_least, _ = timed(lambda: part.sums(0), repeat)
    whole_median, whole_least, _ = timed(lambda: whole_call(grid, market), repeat)
    bars = np.unique(part.fills.bar[:, None] + np.arange(14 * 900))
    bars = bars[bars < len(part.paths.start)]
    names = ("open", "high", "low", "close", "volume", "session", "phase")
    read = [np.ascontiguousarray(getattr(part.paths, name)[bars]) for name in names]
    copy, _, _ = timed(lambda: [one.copy() for one in read], repeat)
    panel_bytes, peak = memory(grid, market)
    return {
        "minute": {
            "events": len(market.panel),
            "combinations": len(grid),
            "evaluations": len(evaluations),
            "outcomes": int(table.frame["trades"].sum()),
            "fills": len(part.fills),
            "alone s": seconds,
            "kernel s": kernel_median,
            "kernel least s": kernel_least,
            "alone / kernel": seconds / kernel_median,
            "copy of the bars s": copy,
            "kernel / copy": kernel_median / copy,
            "whole call, warm s": whole_median,
            "whole call, least s": whole_least,
            "panel MB": panel_bytes / 1e6,
            "allocated by the call, peak MB": peak / 1e6,
            "peak / panel": 1 + peak / panel_bytes,
        }
    }


def as_text(found: dict[str, Any]) -> str:
    lines = []
    for name, values in found.items():
        lines.append(f"{name} bars")
        for label, value in values.items():
            if isinstance(value, dict):
                lines += [f"  {state:>12}  {aim}" for aim, state in value.items()]
            else:
                shown = f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"
                lines.append(f"  {shown:>12}  {label}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
