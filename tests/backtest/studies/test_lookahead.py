"""Nothing after the instant at which a condition is said to be known has any say in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backtest.panel.panel import EventPanel
from backtest.paths import IntArray
from backtest.studies import parse_condition
from backtest.studies.content import Content
from backtest.studies.knowledge import Judge, Judged, Known
from backtest.studies.outcomes import outcome_ends
from backtest.studies.tape import Nights, Tape
from tests.backtest.sweeps.markets import daily_market, minute_market
from tests.tiny_store import TinyStore

TEXTS = ("drop>=0.02", "low>=0.03", "drop<0.05", "gap<=-0.01", "gap>=0.01")
CASES = [*((text, bars) for text in TEXTS for bars in ("1m", "1d")), ("volatility>=0.01", "1d")]


@pytest.fixture(scope="module")
def panels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, EventPanel]]:
    folder: Path = tmp_path_factory.mktemp("markets")
    with TinyStore(folder, "minute") as minute, TinyStore(folder, "daily") as daily:
        minute_market(minute, symbols=8)
        daily_market(daily)
        yield {"1m": minute.panel("1m"), "1d": daily.panel("1d")}


def judged(panel: EventPanel, text: str) -> tuple[Judged, Known]:
    nights = Nights(Tape(panel.table), panel)
    judge = Judge(
        nights,
        floor=panel.sessions.announced_from,
        over=outcome_ends(nights, 1).over,
        content=Content(panel, panel.events.iloc[:0]),
    )
    one = judge.judge(parse_condition(text))
    return one, judge.together([one])


def poisoned(panel: EventPanel, since: IntArray, keep_open: bool) -> EventPanel:
    """The same bars, but for those of each window that end after ``since``: all nonsense.

    ``keep_open`` leaves the opening print that was read.
    """
    table = panel.table
    arrays = {name: getattr(table, name).copy() for name in ("open", "high", "low", "close")}
    rng = np.random.default_rng(3)
    for row in range(len(panel)):
        bars = np.arange(panel.lo[row], panel.hi[row])
        bars = bars[table.end[bars] > since[row]]
        for name, values in arrays.items():
            mine = bars
            if keep_open and name == "open":
                mine = bars[table.start[bars] >= since[row]]
            values[mine] = rng.uniform(1, 500, len(mine))
    return dataclasses.replace(panel, table=dataclasses.replace(table, **arrays))


@pytest.mark.parametrize(("text", "interval"), CASES)
def test_poison_after_the_knowledge_changes_nothing(
    panels: dict[str, EventPanel], interval: str, text: str
) -> None:
    panel = panels[interval]
    before, known = judged(panel, text)
    assert before.holds.any()
    since = np.where(before.holds, before.known_at, panel.sessions.reaction_close)
    reads_the_open = "gap" in text or interval == "1d"
    after, again = judged(poisoned(panel, since, reads_the_open), text)
    mine = before.holds
    assert after.known_at[mine].tolist() == before.known_at[mine].tolist()
    assert again.entry[mine].tolist() == known.entry[mine].tolist()


@pytest.mark.parametrize(("text", "interval"), CASES)
def test_no_price_is_had_before_its_knowledge(
    panels: dict[str, EventPanel], interval: str, text: str
) -> None:
    """But for the opening print, which an order placed before it buys."""
    panel = panels[interval]
    one, known = judged(panel, text)
    mine = np.flatnonzero(known.mask & (known.entry < len(panel.table)))
    start = panel.table.start[known.entry[mine]]
    if one.on_open:
        assert (start >= panel.sessions.reaction_open[mine]).all()
    else:
        assert (start >= one.known_at[mine]).all()
