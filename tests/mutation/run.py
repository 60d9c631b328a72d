"""Do the tests notice when a rule changes?  ``python -m tests.mutation.run``

Each mutant of a target is imported in place of the true module in a process of its own, without
compiling, and the quick tests that protect the module run on it until one fails.  A mutant that
no test notices survives.  Survivors that change nothing a caller could see are named, with the
reason, in ``equivalent.txt``; any other makes the exit status 1.

mutmut cannot do this: it leaves decorated functions alone, and every compiled one is decorated.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tests.mutation.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent.parent
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
TIMEOUT = 60
"""Seconds after which a mutant that runs in circles counts as noticed."""


@dataclass(frozen=True)
class Target:
    """A module and the tests that protect it, the quickest first."""

    module: str
    stages: tuple[str, ...]

    @property
    def path(self) -> Path:
        return ROOT / (self.module.replace(".", "/") + ".py")

    def tests(self) -> list[list[str]]:
        """Test files of each stage, stages without any left out."""
        found = [sorted(str(path) for path in ROOT.glob(stage)) for stage in self.stages]
        return [files for files in found if files]


TARGETS = (
    Target(
        "backtest.outcomes",
        ("tests/backtest/test_outcomes_by_hand*.py", "tests/backtest/test_outcomes_agree.py"),
    ),
    Target("backtest.orders", ("tests/backtest/test_orders*.py",)),
)


class _Replace(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Imports one module from another source than its file."""

    def __init__(self, target: Target, source: str) -> None:
        self.target = target
        self.source = source

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.target.module:
            return None
        return importlib.util.spec_from_file_location(fullname, self.target.path, loader=self)

    def get_filename(self, fullname: str) -> str:
        return str(self.target.path)

    def get_data(self, path: str) -> bytes:
        if Path(path) != self.target.path:  # a byte-code cache of the true module
            raise OSError(path)
        return self.source.encode()


def _preload() -> None:
    """Import once what every child needs, and nothing that is mutated."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    for name in ("pytest", "numpy", "pandas", "numba", "hypothesis", "pandas_market_calendars"):
        importlib.import_module(name)
    for target in TARGETS:
        if target.module in sys.modules:
            raise RuntimeError(f"{target.module} is imported already: no mutant could replace it")


def _pytest_in_child(target: Target, source: str, files: Sequence[str], scratch: Path) -> int:
    """Run the tests on one source in a child process; returns its process id."""
    child = os.fork()
    if child:
        return child
    status = 2
    try:
        import pytest

        signal.alarm(TIMEOUT)
        quiet = os.open(scratch / f"{os.getpid()}.txt", os.O_WRONLY | os.O_CREAT)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(scratch)
        sys.dont_write_bytecode = True
        sys.meta_path.insert(0, _Replace(target, source))
        # What the parent imported already, pytest cannot rewrite, and says so.
        options = ["-x", "-q", "--hypothesis-seed=0", "--timeout=0"]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        selection = ["-k", "not slow]", "-m", "not long", "-o", f"cache_dir={scratch}"]
        status = int(pytest.main([*options, *selection, *files]))
    except Exception:  # noqa: BLE001 - a child must not go on as a second parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # not the parent's clean-up


@dataclass
class _Job:
    mutant: Mutant
    stage: int = 0


def survivors(
    target: Target, candidates: Sequence[Mutant], *, workers: int, scratch: Path
) -> Iterator[Mutant]:
    """Yield each mutant that passes every stage of the target's tests."""
    waiting = [_Job(mutant) for mutant in reversed(candidates)]
    running: dict[int, _Job] = {}
    stages = target.tests()
    while waiting or running:
        while waiting and len(running) < workers:
            job = waiting.pop()
            child = _pytest_in_child(target, job.mutant.source, stages[job.stage], scratch)
            running[child] = job
        child, status = os.wait()
        job = running.pop(child)
        # Ended by a signal (the alarm) or with a failed test: noticed.
        if os.waitstatus_to_exitcode(status) != 0:
            continue
        if job.stage + 1 < len(stages):
            waiting.append(_Job(job.mutant, job.stage + 1))
        else:
            yield job.mutant


def _passes_unchanged(target: Target, scratch: Path) -> bool:
    source = target.path.read_text()
    for files in target.tests():
        child = _pytest_in_child(target, source, files, scratch)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            print((scratch / f"{child}.txt").read_text())
            return False
    return True


def known_equivalents() -> dict[str, str]:
    """Key of each mutant known to change nothing -> why; comments and blank lines are skipped."""
    lines = [line.strip() for line in EQUIVALENT.read_text().splitlines()]
    entries = [line.partition("  ## ") for line in lines if line and not line.startswith("#")]
    return {key.strip(): reason.strip() for key, _, reason in entries}


def _draw(mutant: Mutant) -> str:
    """Where a mutant comes in the draw: by its own text alone, so that nobody picks."""
    return hashlib.sha256(mutant.key.encode()).hexdigest()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.run", description=__doc__)
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--module", help="one target alone")
    parser.add_argument("--only", default="", metavar="REGEX", help="mutants whose key matches")
    parser.add_argument(
        "--sample",
        type=int,
        default=0,
        metavar="N",
        help="N mutants, drawn by the hash of their key",
    )
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """0: no mutant survives but the known ones; 1: another does; 2: the tests fail as they are."""
    options = _options(arguments)
    _preload()
    known = known_equivalents()
    unexpected = 0
    for target in TARGETS:
        if options.module not in (None, target.module):
            continue
        every = mutants(target.path.read_text())
        chosen = [m for m in every if re.search(options.only, m.key)]
        if options.sample:
            chosen = sorted(chosen, key=_draw)[: options.sample]
        if options.list:
            print(*(f"{target.module}:{m.line} {m.key}" for m in chosen), sep="\n")
            continue
        if not target.tests():
            print(f"{target.module}: no tests protect it ({', '.join(target.stages)})")
            unexpected += 1
            continue
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(ROOT):
            status = _examine(target, chosen, known, options.workers, Path(folder))
        if status == 2:
            return 2
        unexpected += status
    return 1 if unexpected else 0


def _examine(
    target: Target, chosen: Sequence[Mutant], known: dict[str, str], workers: int, scratch: Path
) -> int:
    if not _passes_unchanged(target, scratch):
        print(f"{target.module}: its tests fail without any mutation")
        return 2
    began = time.monotonic()
    alive = sorted(
        survivors(target, chosen, workers=workers, scratch=scratch), key=lambda m: m.line
    )
    names = {mutant.key for mutant in alive}
    for mutant in alive:
        if mutant.key not in known:
            print(f"SURVIVED {target.module}:{mutant.line} {mutant.key}")
    unexpected = [mutant for mutant in alive if mutant.key not in known]
    for key in sorted(known):
        if key in {mutant.key for mutant in chosen} - names:
            print(f"no longer equivalent, take it from the list: {key}")
    print(
        f"{target.module}: {len(chosen)} mutants, {len(chosen) - len(alive)} noticed,"
        f" {len(alive) - len(unexpected)} known to be equivalent, {len(unexpected)} survived"
        f" ({time.monotonic() - began:.0f} s)"
    )
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
