"""Do the sources agree on what was released, and when?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from backtest.data_check.prices import Finding
from db.periods import canonical_period

if TYPE_CHECKING:
    from db.store import Store

CENT = 0.0051
"""EPS that differ by no more than rounding to a cent agree."""
SHARE = 0.005
"""Revenue may differ by this fraction: sources round."""
_QUARTER = re.compile(r"\d{4}Q[1-4]")
_NEW_YORK = "America/New_York"
_FIGURES = {
    "eps_actual": "EPS",
    "eps_estimate": "EPS estimate",
    "revenue_actual": "revenue",
    "revenue_estimate": "revenue estimate",
}


def agreement_findings(store: Store, symbols: list[str] | None) -> Iterator[Finding]:
    """Pairs of sources whose newest words on one release contradict each other."""
    said = store.revisions()
    several = said.groupby("event_id")["source"].nunique()
    said = said[said["event_id"].isin(several.index[several > 1])]
    if said.empty:
        return
    releases = _releases(store, symbols)
    said = said[said["event_id"].isin(list(releases))]
    years = _fiscal_year_ends(store)
    order = ["first_known_at", "revision_id"]
    for event_id, words in said.sort_values(order, kind="stable").groupby("event_id"):
        symbol, day = releases[cast(int, event_id)]
        newest = [_newest(mine, years.get(symbol)) for _, mine in words.groupby("source")]
        for one, other in combinations(newest, 2):
            for text in _differences(one, other):
                yield ("sources", symbol, day, text)


def _newest(mine: pd.DataFrame, year_end: int | None) -> dict[str, Any]:
    """What a source says in the end: its newest interval, and each figure it last gave.

    ``quarter`` is the fiscal period where it is understood as one, else empty.
    """
    last: dict[str, Any] = {str(name): value for name, value in mine.iloc[-1].items()}
    for name in _FIGURES:
        given = mine[name].dropna()
        last[name] = float(given.iloc[-1]) if len(given) else np.nan
    labels = mine["fiscal_period"][mine["fiscal_period"] != ""]
    last["fiscal_period"] = str(labels.iloc[-1]) if len(labels) else ""
    quarter = canonical_period(last["fiscal_period"], year_end)
    last["quarter"] = quarter if _QUARTER.fullmatch(quarter) else ""
    return last


def _differences(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    def pair(first: object, second: object) -> str:
        return f"{first} ({one['source']}), {second} ({other['source']})"

    if _apart(one, other):
        yield f"released {pair(_when(one), _when(other))}"
    quarters = {said["quarter"] for said in (one, other)}
    if len(quarters - {""}) > 1:
        yield f"fiscal period {pair(one['fiscal_period'], other['fiscal_period'])}"
    for name, words in _FIGURES.items():
        a, b = one[name], other[name]
        if np.isnan(a) or np.isnan(b):
            continue
        tolerance = CENT if name.startswith("eps") else SHARE * max(abs(a), abs(b))
        if abs(a - b) > tolerance:
            yield f"{words} {pair(f'{a:,.10g}', f'{b:,.10g}')}"


def _apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether no release can be meant by both; an evening and the next morning share midnight."""
    first = max(one["announced_from"], other["announced_from"])
    last = min(one["announced_to"], other["announced_to"])
    if "exact" in (one["precision"], other["precision"]):
        return bool(first > last)
    return bool(first >= last)


def _when(said: dict[str, Any]) -> str:
    begin = said["announced_from"].tz_convert(_NEW_YORK)
    if said["precision"] == "exact":
        return f"{begin:%Y-%m-%d %H:%M:%S}"
    return f"{begin:%Y-%m-%d} {said['session']}".rstrip()


def guidance_findings(store: Store, symbols: list[str] | None) -> Iterator[Finding]:
    """Outlooks of different sources for one metric and period of one event that differ."""
    table = store.guidance()
    table = table[table["event_id"].notna()]
    if table.empty:
        return
    releases = _releases(store, symbols)
    table = table[table["event_id"].isin(list(releases))]
    for (event_id, metric, period), group in table.groupby(["event_id", "metric", "period"]):
        symbol, day = releases[cast(int, event_id)]
        texts: dict[str, str] = {}
        for _, row in group.iterrows():
            texts.setdefault(_range(row), f"{_range(row)} ({_told_by(row)})")
        if len(texts) > 1:
            text = f"{metric} {period}: {', '.join(texts.values())}"
            yield ("guidance", symbol, day, text)


def _releases(store: Store, symbols: list[str] | None) -> dict[int, tuple[str, str]]:
    """Symbol and New York date of each event."""
    events = store.events(symbols=symbols)
    days = events["announced_from"].dt.tz_convert(_NEW_YORK).dt.strftime("%Y-%m-%d")
    return {
        int(number): (str(symbol), str(day))
        for number, symbol, day in zip(events["event_id"], events["symbol"], days, strict=True)
    }


def _fiscal_year_ends(store: Store) -> dict[str, int]:
    table = store.instruments().dropna(subset=["fiscal_year_end"])
    return dict(zip(table["symbol"], table["fiscal_year_end"].astype(int), strict=True))


def _range(row: pd.Series[Any]) -> str:
    low, high = (f"{row[side]:,.15g}" for side in ("low", "high"))
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        amount = f"at most {high}" if pd.isna(row["low"]) else f"at least {low}"
    else:
        amount = low if low == high else f"{low} to {high}"
    return f"{amount} {row['unit']}"


def _told_by(row: pd.Series[Any]) -> str:
    source, item = str(row["source"]), row["news_id"]
    return source if pd.isna(item) else f"{source}, item {item}"
