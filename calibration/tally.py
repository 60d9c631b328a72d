"""From markets to counts: what is committed, and what the tables and the picture are made of."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from calibration.registry import LEVEL, POWER, entries
from calibration.running import Record
from calibration.sample import REPS

_EQUAL = 1e-12
"""(1 + 19) / 400 is five percent, whatever doubles make of it."""


@dataclass(frozen=True)
class Count:
    """How often a test rejected at `LEVEL`."""

    defined: int
    """Markets in which it was defined."""
    rejected: int
    above: int
    """Of those, with an effect above the null."""

    @property
    def rate(self) -> float:
        """Share of the markets in which it was defined; NaN without any."""
        return self.rejected / self.defined if self.defined else math.nan

    @property
    def error(self) -> float:
        """Monte-Carlo standard error of `rate`."""
        return share_error(self.rate, self.defined)


@dataclass(frozen=True)
class Mean:
    """Mean of a number over markets, and its standard error."""

    n: int
    mean: float
    error: float


@dataclass(frozen=True)
class Tally:
    """One design's markets, counted."""

    markets: int
    tests: dict[str, Count]
    truths: dict[str, float]
    """Key of an interval -> share of all markets' events together, which it should cover."""
    means: dict[str, Mean]
    """Sizes and values."""


@dataclass(frozen=True)
class Results:
    """Everything that the page is made of."""

    seed: int
    reps: int
    designs: dict[str, Tally]
    power: dict[str, Tally]
    """Dial (as text) -> counts; rejections are those with an effect above the null."""

    def write(self, path: Path) -> None:
        """As JSON."""
        text = json.dumps(asdict(self), indent=1, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """What `write` wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        parts = {
            name: {key: _tally(one) for key, one in found[name].items()}
            for name in ("designs", "power")
        }
        return cls(seed=found["seed"], reps=found["reps"], **parts)


def results(
    seed: int, designs: dict[str, list[Record]], power: dict[float, list[Record]]
) -> Results:
    """Count the markets of each design, and those of each position of the dial."""
    return Results(
        seed=seed,
        reps=REPS,
        designs={
            name: count(records, [key for key, *_ in entries(name)])
            for name, records in designs.items()
        },
        power={
            f"{share:.2f}": count(records, [key for key, _ in POWER])
            for share, records in power.items()
        },
    )


def count(records: Sequence[Record], keys: Iterable[str]) -> Tally:
    """Count the rejections of each test, and average sizes and values."""
    tests, truths = {}, {}
    for key in keys:
        if key in records[0]["intervals"]:
            tests[key], truths[key] = _covered([one["intervals"][key] for one in records])
        else:
            tests[key] = _rejected([one["p"][key] for one in records])
    names = [(part, name) for part in ("sizes", "values") for name in records[0][part]]
    means = {name: _mean([one[part][name] for one in records]) for part, name in names}
    return Tally(len(records), tests, truths, means)


def _rejected(found: list[list[float | None]]) -> Count:
    known = [(p, direction) for p, direction in found if p is not None]
    beyond = [direction for p, direction in known if p <= LEVEL + _EQUAL]
    above = sum(direction is not None and direction > 0 for direction in beyond)
    return Count(len(known), len(beyond), above)


def _covered(found: list[list[float]]) -> tuple[Count, float]:
    """Intervals that leave out the share of all events together."""
    low, high, k, n = np.array(found).T
    truth = float(k.sum() / n.sum()) if n.sum() else math.nan
    there = n > 0
    above = int((there & (low > truth)).sum())
    return Count(int(there.sum()), above + int((there & (high < truth)).sum()), above), truth


def _mean(values: list[float | None]) -> Mean:
    known = np.array([one for one in values if one is not None], dtype=np.float64)
    if len(known) < 2:
        return Mean(len(known), float(known.sum()), 0.0)
    error = float(known.std(ddof=1) / math.sqrt(len(known)))
    return Mean(len(known), float(known.mean()), error)


def share_error(share: float, n: int) -> float:
    """Standard error of a share of ``n`` markets."""
    return math.sqrt(share * (1 - share) / n) if n else math.nan


def _tally(found: dict[str, Any]) -> Tally:
    return Tally(
        markets=found["markets"],
        tests={key: Count(**one) for key, one in found["tests"].items()},
        truths=found["truths"],
        means={name: Mean(**one) for name, one in found["means"].items()},
    )
