"""How labelled sentences are scored: a fact is right if metric, kind, unit, low and high agree."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from db.batches import TextFact, TextReaction
from db.text.facts import read_facts

LABELLED = Path(__file__).parent / "labelled"
Label = dict[str, Any]


@dataclass
class Tally:
    """Counts of right, found and labelled facts, with a few fields reported beside them."""

    right: int = 0
    found: int = 0
    labelled: int = 0
    by_metric: dict[str, Counter[str]] = field(default_factory=dict)
    beside: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        return self.right / self.labelled if self.labelled else 1.0


def rows(name: str) -> list[Label]:
    """The lines of a labelled file, empty where there is none."""
    path = LABELLED / f"{name}.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def wilson(right: int, total: int) -> tuple[float, float]:
    """The Wilson interval of a share at 95 %."""
    if not total:
        return 0.0, 1.0
    z = 1.959963984540054
    share = right / total
    middle = share + z * z / (2 * total)
    width = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return (middle - width) / scale, (middle + width) / scale


def same(one: float | None, other: float | None, tolerance: float = 1e-9) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=tolerance, abs_tol=0.0 if one or other else 1e-12)


def agrees(fact: TextFact, label: Label) -> bool:
    """Whether a found fact is that of the label."""
    if (fact.metric, fact.kind, fact.unit) != (label["metric"], label["kind"], label["unit"]):
        return False
    if not (same(fact.low, label["low"]) and same(fact.high, label["high"])):
        return False
    return label["low"] is not None or same(fact.change, label["change"])


def score(name: str) -> Tally:
    """Every text of a labelled file read and compared."""
    tally = Tally()
    for row in rows(name):
        said = read_facts(
            row["text"],
            language=row["language"],
            published=date.fromisoformat(row["published"]),
            fiscal_year_end=row["fiscal_year_end"],
        )
        _compare(tally, row, said.facts)
        _reactions(tally, row, said.reactions)
    return tally


def _compare(tally: Tally, row: Label, facts: tuple[TextFact, ...]) -> None:
    open_labels = list(row["facts"])
    for label in open_labels:
        tally.by_metric.setdefault(label["metric"], Counter())["labelled"] += 1
    tally.labelled += len(open_labels)
    for fact in facts:
        tally.found += 1
        counts = tally.by_metric.setdefault(fact.metric, Counter())
        counts["found"] += 1
        label = next((one for one in open_labels if agrees(fact, one)), None)
        if label is None:
            tally.misses.append(f"{row['id']} WRONG {_brief(fact)}\n      {row['text']}")
            continue
        open_labels.remove(label)
        tally.right += 1
        counts["right"] += 1
        for which in _beside(fact, label):
            tally.beside[which] += 1
            if which.startswith("not "):
                tally.misses.append(f"{row['id']} {which}: {_value(fact, label, which[4:])}")
    for label in open_labels:
        tally.misses.append(
            f"{row['id']} MISSED {label['kind']} {label['metric']} {label['low']} {label['high']} "
            f"{label['unit']} {label['change']}\n      {row['text']}"
        )


_BESIDE = ("period", "change", "basis", "direction", "consensus", "previous", "qualifier",
           "company")  # fmt: skip


def _value(fact: TextFact, label: Label, which: str) -> str:
    return f"{getattr(fact, which)!r} for {label[which]!r}"


def _beside(fact: TextFact, label: Label) -> Iterator[str]:
    for which in _BESIDE:
        mine, theirs = getattr(fact, which), label[which]
        if isinstance(theirs, int | float) or isinstance(mine, float):
            equal = same(mine, theirs, 1e-6)
        else:
            equal = mine == theirs
        yield which if equal else f"not {which}"


def _brief(fact: TextFact) -> str:
    return f"{fact.kind} {fact.metric} {fact.low} {fact.high} {fact.unit} {fact.change}"


def _reactions(tally: Tally, row: Label, found: tuple[TextReaction, ...]) -> None:
    labelled = list(row["reactions"])
    tally.beside["reactions labelled"] += len(labelled)
    tally.beside["reactions found"] += len(found)
    for reaction in found:
        match = next(
            (one for one in labelled if reaction.move == one["move"]
             and same(reaction.size, one["size"]) and reaction.session == one["session"]),
            None,
        )  # fmt: skip
        if match is None:
            tally.misses.append(
                f"{row['id']} REACTION WRONG {reaction.move} {reaction.size} {reaction.session!r}"
                f"\n      {row['text']}"
            )
            continue
        labelled.remove(match)
        tally.beside["reactions right"] += 1
    for one in labelled:
        tally.misses.append(f"{row['id']} REACTION MISSED {one}\n      {row['text']}")


def table(name: str, tally: Tally) -> str:
    """The figures of one set, as printed and stated in the docs."""
    low_p, high_p = wilson(tally.right, tally.found)
    low_r, high_r = wilson(tally.right, tally.labelled)
    lines = [
        f"{name}: {tally.right} right of {tally.found} found and {tally.labelled} labelled",
        (
            f"  precision {tally.precision:.3f} ({low_p:.3f} .. {high_p:.3f}), "
            f"recall {tally.recall:.3f} ({low_r:.3f} .. {high_r:.3f})"
        ),
    ]
    for metric, counts in sorted(tally.by_metric.items()):
        lines.append(
            f"  {metric:<11} right {counts['right']:>3}, found {counts['found']:>3}, "
            f"labelled {counts['labelled']:>3}"
        )
    beside = [f"{which} {tally.beside[which]}/{tally.right}" for which in _BESIDE]
    lines.append("  of the right ones also right: " + ", ".join(beside))
    reacted = (tally.beside[f"reactions {which}"] for which in ("right", "found", "labelled"))
    lines.append("  reactions: {} right of {} found and {} labelled".format(*reacted))
    return "\n".join(lines)
