"""How often a hypothesis was looked at in this store, and what that makes of a result.

The ledger counts every look.  Here the same setting tried again is no new trial: it could not
have come out any better.  The data may have grown since; a setting is still the same one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backtest.account.portfolio import SESSIONS_A_YEAR
from backtest.account.statistics import daily_returns
from backtest.evidence.overfitting.verdict import Deflation, describe
from db.run_ledger import plain

if TYPE_CHECKING:
    from backtest.result import Result
    from db.store import Store


@dataclass(frozen=True)
class Tried:
    """Settings of one hypothesis."""

    settings: int
    independent: float
    """Settings that would be as wide a search if they were independent of each other."""

    def __add__(self, other: Tried) -> Tried:
        return Tried(self.settings + other.settings, self.independent + other.independent)


NOTHING = Tried(0, 0.0)


@dataclass(frozen=True)
class _Looked:
    """The settings of one row of the ledger: every combination of the values of its parameters."""

    identity: str
    """What two rows must share to hold the same setting: source, interval, other settings."""
    values: Mapping[str, frozenset[str]]
    tried: Tried

    def shared(self, other: _Looked) -> int:
        """Settings that are in both."""
        if self.identity != other.identity or self.values.keys() != other.values.keys():
            return 0
        return math.prod(len(self.values[name] & other.values[name]) for name in self.values)


def tried_before(store: Store, record: Mapping[str, Any]) -> Tried:
    """What the ledger holds of the record's hypothesis, the record's own settings left out.

    ``record`` as from `runs.run_record`.  A sweep counts with all its combinations, and with as
    many independent ones as it found them to be worth.  A setting that several rows hold counts
    once, but where more than two rows overlap in parts it may count more often, never less.
    """
    rows = [_looked(row, row["stats"] or {}) for row in _of_hypothesis(store, record["strategy"])]
    rows.append(_looked(record, {"axes": record.get("axes"), "about": record}))
    before = NOTHING
    for place, row in enumerate(rows[:-1]):
        again = max(row.shared(later) for later in rows[place + 1 :])
        kept = max(row.tried.settings - again, 0)
        before += Tried(kept, row.tried.independent * kept / max(row.tried.settings, 1))
    return before


def _of_hypothesis(store: Store, hypothesis: str) -> Iterator[Mapping[str, Any]]:
    runs = store.runs()
    for _, row in runs[runs["hypothesis"] == hypothesis].iterrows():
        yield {str(name): value for name, value in row.items()}


def _looked(row: Mapping[str, Any], found: Mapping[str, Any]) -> _Looked:
    axes, about = found.get("axes") or (), found.get("about") or {}
    values = {
        name: frozenset(map(_told, str(value).split(",") if name in axes else [value]))
        for name, value in row["params"].items()
    }
    settings = math.prod(map(len, values.values()))
    worth = about.get("independent_trials")
    identity = plain([row[name] for name in ("source_hash", "interval", "settings")])
    return _Looked(
        json.dumps(identity, sort_keys=True),
        values,
        Tried(settings, float(settings) if worth is None else float(worth)),
    )


def _told(value: object) -> str:
    """A parameter's value as the same text, however it was written."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    try:
        return repr(float(str(value)))
    except ValueError:
        return str(value).lower()


def judge(result: Result, before: Tried) -> Deflation:
    """A run's daily Sharpe ratio beside what as wide a search finds in noise.

    The returns are the account's from close to close, days without a position included; the
    Sharpe ratios of the other settings are taken to vary as those of noise do.
    """
    equity = result.equity["equity"].to_numpy(dtype=np.float64)
    cash = float(result.record["settings"]["account.cash"])
    tried = before + Tried(1, 1.0)
    return describe(
        daily_returns(equity, cash),
        trials=tried.settings,
        independent_trials=max(tried.independent, 1.0),
        periods_a_year=SESSIONS_A_YEAR,
    )
