"""Draw the markets, count the rejections, write the page.

    python -m calibration [--markets N] [--few-markets N] [--power-markets N]
                          [--shares S,S,...] [--seed N] [--workers N] [--out DIR] [--resume]
                          [--docs DIR] [--results FILE] [--tables-only]

Each chunk of markets is written to ``--out`` as soon as it is done; ``--resume`` goes on from
there.  The counts go to ``--results``, the tables and the picture to ``evidence.md`` and
``images/power.png`` in ``--docs``.  ``--tables-only`` makes them of the counts that are there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from backtest.cli.progress import progress
from calibration.figure import draw
from calibration.page import fill, tests_outside
from calibration.registry import FOUND
from calibration.running import Chunk, Record, chunks, run
from calibration.tally import Results, results
from db.errors import BacktestError

ROOT = Path(__file__).resolve().parent.parent
NULLS = ("full", "few", "search")
"""Designs without an edge, in the order in which they are drawn."""
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
"""Shares of reversals at which power is counted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 is fine, 1 a test outside its band for no known reason, 2 wrong use."""
    options = _parser().parse_args(arguments)
    try:
        if options.tables_only:
            found = Results.read(options.results)
        else:
            found = calibrate(options)
            found.write(options.results)
        page = options.docs / "evidence.md"
        page.write_text(fill(page.read_text(encoding="utf-8"), found), encoding="utf-8")
        draw(found, options.docs / "images" / "power.png")
    except (BacktestError, FileNotFoundError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    beyond = tests_outside(found)
    for key, count in beyond:
        known = "explained" if key in FOUND else "not explained"
        sys.stdout.write(f"{key}: {count.rate * 100:.1f} % ± {count.error * 100:.1f}, {known}\n")
    sys.stdout.write(f"{len(beyond)} tests outside the band that should be inside\n")
    return int(any(key not in FOUND for key, _ in beyond))


def calibrate(options: argparse.Namespace) -> Results:
    """Draw and judge all markets."""
    many = dict.fromkeys(NULLS, options.markets) | {"few": options.few_markets}
    nulls = {name: chunks(name, options.seed, many[name]) for name in NULLS}
    turned = {
        share: chunks("power", options.seed, options.power_markets, share)
        for share in options.shares
    }
    wanted = [one for made in (*nulls.values(), *turned.values()) for one in made]
    total = sum(one.stop - one.first for one in wanted)
    with progress("judging", total, unit="markets") as advance:
        done = run(
            wanted, options.out, workers=options.workers, resume=options.resume, advance=advance
        )
    return results(
        options.seed,
        {name: _records(made, done) for name, made in nulls.items()},
        {share: _records(made, done) for share, made in turned.items()},
    )


def _records(made: list[Chunk], done: dict[Chunk, list[Record]]) -> list[Record]:
    return [record for chunk in made for record in done[chunk]]


def _parser() -> argparse.ArgumentParser:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m calibration", description=about)
    parser.add_argument("--markets", type=_count, default=2000, help="without an edge, of a kind")
    parser.add_argument("--few-markets", type=_count, default=1000, help="the same, small ones")
    parser.add_argument("--power-markets", type=_count, default=200, help="at each share")
    parser.add_argument("--shares", type=_shares, default=list(SHARES), metavar="S,S,...")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=_count, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "calibration")
    parser.add_argument("--resume", action="store_true", help="read chunks that are in --out")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    parser.add_argument("--results", type=Path, default=ROOT / "calibration" / "results.json")
    parser.add_argument("--tables-only", action="store_true", help="draw no market")
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1, not {number}")
    return number


def _shares(text: str) -> list[float]:
    found = [float(word) for word in text.split(",")]
    if found != sorted(set(found)) or not 0 <= found[0] <= found[-1] <= 1:
        raise argparse.ArgumentTypeError(f"ascending shares from 0 to 1, not {text}")
    return found


if __name__ == "__main__":
    sys.exit(main())
