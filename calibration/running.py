"""Markets drawn and judged in chunks, by several processes, so that a run can be taken up again."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from calibration.markets import design
from calibration.registry import POWER, VALUES, entries
from calibration.sample import REPS, Sample
from calibration.views import Interval

CHUNK = 10
"""Markets that are judged and written together."""
Record = dict[str, Any]
"""One market: ``p`` key -> [p value, direction], ``intervals`` key -> [low, high, k, n],
``values`` name -> number, ``sizes`` name -> number; None where undefined."""
_TELLING = ("__main__", "figure", "page", "registry", "tally")
"""Modules that change no market's record; the registry's keys count by themselves."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Chunk:
    """Markets ``first`` to ``stop`` (excluded) of a design."""

    design: str
    seed: int
    first: int
    stop: int
    reversal_share: float = 0.0

    @property
    def name(self) -> str:
        """Of its file."""
        share = f"{self.reversal_share:.2f}"
        return f"{self.design}-{share}-{self.first:06d}-{self.stop:06d}.json"

    @property
    def key(self) -> str:
        """Hash of all that decides what is in it; a file with another is not used again."""
        made = design(self.design)
        told = [key for key, *_ in entries(made.name)] or [key for key, _ in POWER]
        decides = (asdict(self), made.settings, REPS, told, sorted(VALUES), program())
        return hashlib.sha256(repr(decides).encode()).hexdigest()


@cache
def program() -> str:
    """Hash of the sources that judge a market: a chunk of another program is not read again."""
    root = Path(__file__).resolve().parent.parent
    found = hashlib.sha256()
    for folder in ("backtest", "db", "strategies", "calibration"):
        for path in sorted((root / folder).rglob("*.py")):
            if folder != "calibration" or path.stem not in _TELLING:
                found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


def chunks(
    name: str, seed: int, markets: int, reversal_share: float = 0.0, *, size: int = CHUNK
) -> list[Chunk]:
    """All chunks of a design."""
    starts = range(0, markets, size)
    return [Chunk(name, seed, a, min(a + size, markets), reversal_share) for a in starts]


def judge(chunk: Chunk) -> list[Record]:
    """Draw and judge the markets of a chunk."""
    made = design(chunk.design)
    numbers = range(chunk.first, chunk.stop)
    return [
        judge_market(Sample(made.market(chunk.seed, number, chunk.reversal_share)), chunk.design)
        for number in numbers
    ]


def judge_market(sample: Sample, name: str) -> Record:
    """Every test on one market of the design ``name``."""
    record: Record = {"p": {}, "intervals": {}, "values": {}, "sizes": {}}
    counted = list(entries("full" if name == "power" else name))
    if name == "power":
        wanted = {key for key, _ in POWER}
        counted = [entry for entry in counted if entry[0] in wanted]
    views: dict[tuple[str, str], Any] = {}
    for key, group, view, test in counted:
        if (group.name, view) not in views:
            views[group.name, view] = group.views[view][1](sample)
        found = test.judge(views[group.name, view], sample.seed)
        if isinstance(found, Interval):
            record["intervals"][key] = [found.low, found.high, found.k, found.n]
        else:
            record["p"][key] = [_known(found.p_value), _known(found.direction)]
    for value, (where, of) in VALUES.items():
        if where == name:
            record["values"][value] = _known(of(sample))
    if name != "search":
        trades = sample.evening_0
        record["values"]["edge"] = _known(float(trades.gross.mean())) if len(trades.gross) else None
    record["sizes"] = sizes(sample, name)
    return record


def sizes(sample: Sample, name: str) -> dict[str, int]:
    """How much there is in a market: what a reader has to know of its size."""
    import numpy as np

    found = {
        "releases": len(sample.daily),
        "dates": len(np.unique(sample.daily.sessions.reaction)),
    }
    if name != "search":
        for view in ("evening_0", "gap_0"):
            trades = getattr(sample, view)
            found[f"{view}_trades"] = len(trades.gross)
            found[f"{view}_dates"] = len(np.unique(trades.reaction))
    return found


def run(
    wanted: Iterable[Chunk],
    folder: Path,
    *,
    workers: int,
    resume: bool,
    advance: Callable[[int], None],
) -> dict[Chunk, list[Record]]:
    """Judge every chunk; each is written to ``folder`` as soon as it is done.

    With ``resume`` chunks that are there already are read.  The answer does not depend on
    ``workers``: chunks know nothing of each other, and are returned in the order of ``wanted``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    order = list(wanted)
    done = {}
    for chunk in order:
        kept = _read(folder, chunk) if resume else None
        if kept is not None:
            done[chunk] = kept
            advance(len(kept))
    left = [chunk for chunk in order if chunk not in done]
    if workers == 1:
        for chunk in left:
            done[chunk] = _write(folder, chunk, judge(chunk))
            advance(len(done[chunk]))
    elif left:
        _in_processes(left, folder, workers, advance, done)
    return {chunk: done[chunk] for chunk in order}


def _in_processes(
    left: list[Chunk],
    folder: Path,
    workers: int,
    advance: Callable[[int], None],
    done: dict[Chunk, list[Record]],
) -> None:
    # One thread a process: they would fight for the same cores.
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        futures = {pool.submit(judge, chunk): chunk for chunk in left}
        for future in as_completed(futures):
            chunk = futures[future]
            done[chunk] = _write(folder, chunk, future.result())
            advance(len(done[chunk]))
    finally:
        # Where something failed, or a person has seen enough, the rest is not waited for.
        pool.shutdown(cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _read(folder: Path, chunk: Chunk) -> list[Record] | None:
    path = folder / chunk.name
    if not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    return list(kept["markets"]) if kept["key"] == chunk.key else None


def _write(folder: Path, chunk: Chunk, records: list[Record]) -> list[Record]:
    text = json.dumps({"key": chunk.key, "markets": records}, allow_nan=False)
    # Written aside and moved, so that a killed run leaves no half of a chunk.
    aside = folder / f"{chunk.name}.part"
    aside.write_text(text, encoding="utf-8")
    aside.replace(folder / chunk.name)
    return list(json.loads(text)["markets"])


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
