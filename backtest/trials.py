"""How often a hypothesis was looked at in this store, and what that makes of a result.

The ledger counts every look.  Here the same setting tried again is no new trial: it could not
have come out any better.  The data may have grown since; a setting is still the same one.
"""

from __future__ import annotations

import json
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


def tried_before(store: Store, record: Mapping[str, Any]) -> Tried:
    """What the ledger holds of the record's hypothesis, the same setting left out.

    ``record`` as from `runs.run_record`.  A sweep counts with all its combinations, and with as
    many independent ones as it found them to be worth.
    """
    seen: dict[str, Tried] = {}
    for row in _of_hypothesis(store, str(record["strategy"])):
        found = row["stats"] or {}
        about = found.get("about") or {}
        count = int(row["trials"])
        worth = about.get("independent_trials")
        independent = float(count) if worth is None else float(worth)
        seen[_setting(row, found.get("kind"))] = Tried(count, independent)
    seen.pop(_setting(record, record.get("kind")), None)
    return sum(seen.values(), NOTHING)


def _of_hypothesis(store: Store, hypothesis: str) -> Iterator[Mapping[str, Any]]:
    runs = store.runs()
    for _, row in runs[runs["hypothesis"] == hypothesis].iterrows():
        yield {str(name): value for name, value in row.items()}


def _setting(row: Mapping[str, Any], kind: object) -> str:
    """What tells one setting from another."""
    names = ("source_hash", "params", "interval", "settings")
    told = plain([kind or "run", *(row[name] for name in names)])
    return json.dumps(told, sort_keys=True)


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
