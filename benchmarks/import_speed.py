"""How long an import takes beside a plain ``write_deltalake`` of the same rows, and its memory.

    python benchmarks/import_speed.py [--data DIR] [--rows N] [--repeat N] [--json]

Three ways for each set of rows, each in a process of its own, interleaved:
  plain    pyarrow reads the Parquet files, write_deltalake writes them: no symbol table, no check
  checked  the importer's reading and checking alone, nothing written
  import   the importer and Store.ingest into a new store: all that ``ingest prices`` does

``--data`` is a folder with daily_adjusted/*.parquet and intraday_1m/AAPL.parquet; without it rows
of the same shape are generated.  Memory is the process's peak resident set; ``base`` is what the
imports alone take.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WAYS = ("base", "plain", "checked", "import")


@dataclass(frozen=True)
class Case:
    """One set of files and how to read it."""

    name: str
    files: list[str]
    options: dict[str, str]


@dataclass(frozen=True)
class Measured:
    """One way of one case: medians."""

    case: str
    way: str
    rows: int
    seconds: float
    peak_mb: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with the real files")
    parser.add_argument("--rows", type=int, default=3_640_000, help="rows to generate")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.task:
        print(json.dumps(run_task(**json.loads(arguments.task))))
        return
    with tempfile.TemporaryDirectory(prefix="import-speed-") as folder:
        data = arguments.data or Path(folder) / "data"
        if arguments.data is None:
            in_own_process("generate", Case("", [str(data)], {"rows": str(arguments.rows)}), folder)
        measured = [
            found for case in cases(data) for found in compare(case, folder, arguments.repeat)
        ]
    if arguments.json:
        print(json.dumps([asdict(found) for found in measured], indent=1))
    else:
        report(measured)


def cases(data: Path) -> list[Case]:
    daily = sorted(str(file) for file in (data / "daily_adjusted").glob("*.parquet"))
    minutes = {"interval": "1m", "tz": "America/New_York", "symbol": "AAPL"}
    return [
        Case("daily bars", daily, {"interval": "1d", "adjusted": "all"}),
        Case("minute bars", [str(data / "intraday_1m" / "AAPL.parquet")], minutes),
    ]


def compare(case: Case, folder: str, repeat: int) -> list[Measured]:
    """Interleaved, so that a busy moment of the machine meets all ways alike."""
    runs = [[in_own_process(way, case, folder) for way in WAYS] for _ in range(repeat)]
    found = []
    for index, way in enumerate(WAYS):
        results = [run[index] for run in runs]
        found.append(
            Measured(
                case.name,
                way,
                int(results[0]["rows"]),
                statistics.median(result["seconds"] for result in results),
                statistics.median(result["peak_mb"] for result in results),
            )
        )
    return found


def in_own_process(way: str, case: Case, folder: str) -> dict[str, float]:
    """Peak memory is a process's own, so each measurement gets a process."""
    with tempfile.TemporaryDirectory(dir=folder) as target:
        task = {"way": way, "files": case.files, "options": case.options, "target": target}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, "--task", json.dumps(task)],
            check=True, capture_output=True, text=True, cwd=ROOT,
        )  # fmt: skip
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def run_task(way: str, files: list[str], options: dict[str, str], target: str) -> dict[str, float]:
    sys.path.insert(0, str(ROOT))
    if way == "generate":
        return {"rows": generate(Path(files[0]), int(options["rows"]))}
    # What a process pays once, whatever the number of rows, is paid by all ways before the clock
    # starts: the packages, the calendar, an empty store.
    import deltalake  # noqa: F401

    from db.calendar import calendar
    from db.sources.files import prices  # noqa: F401
    from db.store import Store

    calendar("XNYS")
    Store.open(Path(target) / "store", create=True).close()
    ways = {"base": nothing, "plain": plain, "checked": checked, "import": imported}
    begin = time.perf_counter()
    rows = ways[way](files, options, target)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rows": rows, "seconds": seconds, "peak_mb": peak}


def nothing(_files: list[str], _options: dict[str, str], _target: str) -> int:
    return 0


def plain(files: list[str], _options: dict[str, str], target: str) -> int:
    import pyarrow.dataset as ds
    from deltalake import write_deltalake

    source = ds.dataset(files)
    write_deltalake(f"{target}/plain", source.scanner().to_reader())
    return source.count_rows()


def checked(files: list[str], options: dict[str, str], _target: str) -> int:
    from db.sources.files import prices

    return sum(
        len(chunk.bars) + len(chunk.rejects)
        for batch in prices(files, **options)  # type: ignore[arg-type]
        for chunk in batch.chunks
    )


def imported(files: list[str], options: dict[str, str], target: str) -> int:
    from db.sources.files import prices
    from db.store import Store

    rows = 0
    with Store.open(Path(target) / "store") as store:
        for batch in prices(files, **options):  # type: ignore[arg-type]
            report = store.ingest(batch)
            rows += report.added + report.revised + report.unchanged + report.rejected
    return rows


def generate(folder: Path, rows: int) -> int:
    """Random walks on real sessions: two files of daily bars, one of minutes."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from db.calendar import calendar

    random = np.random.default_rng(1)
    market = calendar("XNYS")
    sessions = np.flatnonzero(market.dates >= np.datetime64("2013-07-01"))[:1100]

    def bars(count: int, decimals: int) -> dict[str, np.ndarray]:
        close = np.round(50 * np.exp(np.cumsum(random.normal(0, 1e-4, count))), decimals)
        opened = np.round(close * np.exp(random.normal(0, 1e-3, count)), decimals)
        return {
            "open": opened,
            "high": np.maximum(opened, close) + 0.01,
            "low": np.minimum(opened, close) - 0.01,
            "close": close,
            "volume": random.integers(100, 10_000_000, count),
        }

    for half, days in enumerate(np.array_split(sessions, 2)):
        symbols = max(rows // len(sessions), 1)
        count = symbols * len(days)
        table = {
            "ticker": np.repeat([f"S{number:05d}" for number in range(symbols)], len(days)),
            "date": np.tile(market.dates[days].astype("datetime64[us]"), symbols),
            **{
                name: values if name == "volume" else values.astype(np.float32)
                for name, values in bars(count, 3).items()
            },
        }
        write(pq, pa.table(table), folder / "daily_adjusted" / f"part_{half}.parquet")
    minutes = np.concatenate(
        [np.arange(market.opens[s], market.closes[s], 60_000_000) for s in sessions]
    )[: max(rows // 10, 1)]
    stamps = pa.array(minutes).cast(pa.timestamp("us", "UTC"))
    table = {"ts": stamps, **bars(len(minutes), 2)}
    write(pq, pa.table(table), folder / "intraday_1m" / "AAPL.parquet")
    return rows


def write(pq: object, table: object, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)  # type: ignore[attr-defined]


def report(measured: list[Measured]) -> None:
    plain_of = {found.case: found for found in measured if found.way == "plain"}
    base_of = {found.case: found.peak_mb for found in measured if found.way == "base"}
    print(f"{'case':12} {'way':8} {'rows':>10} {'s':>7} {'rows/s':>11} {'x plain':>8} "
          f"{'peak MB':>8} {'- base':>7}")  # fmt: skip
    for found in measured:
        if found.way == "base":
            continue
        beside = plain_of[found.case]
        print(
            f"{found.case:12} {found.way:8} {found.rows:10,} {found.seconds:7.2f} "
            f"{found.rows / found.seconds:11,.0f} {found.seconds / beside.seconds:8.2f} "
            f"{found.peak_mb:8.0f} {found.peak_mb - base_of[found.case]:7.0f}"
        )


if __name__ == "__main__":
    main()
