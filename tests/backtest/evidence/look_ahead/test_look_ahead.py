"""Every wrong strategy is found, and no right one is: by the check, and by the form runs use."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from backtest import EventPanel, Strategy, check, run
from backtest.evidence.look_ahead import Memory, quick_check
from backtest.orders import decide
from backtest.panel.build import build_panel, schedule_known
from backtest.paths import IntArray
from backtest.runs import load_result
from backtest.selection import chosen_events
from backtest.settings import RunSettings
from db.intervals import Interval
from db.store import Store
from tests.backtest.evidence.look_ahead.right import RIGHT
from tests.backtest.evidence.look_ahead.wrong import WRONG

SOME_WRONG = [one for one in WRONG if one.__name__ in ("OwnHigh", "GlobalCache")]


_JOINED: dict[tuple[Store, str, str], tuple[EventPanel, IntArray]] = {}


def joined(store: Store, strategy: Strategy, settings: RunSettings) -> tuple[EventPanel, IntArray]:
    """A panel of the strategy's events that nobody has read or written into yet."""
    key = (store, str(strategy.events), settings.interval.value)
    if key not in _JOINED:
        events = chosen_events(store, strategy, settings).events
        panel = build_panel(store, events, settings.interval, hold=1).panel
        known = schedule_known(store, panel.events, panel.sessions, strict=False)
        _JOINED[key] = panel, known
    panel, known = _JOINED[key]
    bars = {spec.name: getattr(panel.table, spec.name) for spec in dataclasses.fields(panel.table)}
    bars = {name: one.copy() for name, one in bars.items() if isinstance(one, np.ndarray)}
    table = dataclasses.replace(panel.table, **bars)
    return dataclasses.replace(panel, events=panel.events.copy(), table=table, reads=set()), known


def as_a_run_asks(strategy: Strategy, store: Store) -> dict[str, object]:
    """The check of a run, without the account and what else a run does."""
    settings = RunSettings(interval=Interval.parse(strategy.interval or "1m"))
    panel, known = joined(store, strategy, settings)
    memory = Memory.before_asking(strategy, panel.events)
    decisions = decide(strategy, panel, known, settings.rules)
    return quick_check(strategy, store, panel, known, decisions, memory, settings)


@pytest.mark.parametrize("strategy", WRONG, ids=lambda one: one.__name__)
def test_the_quick_form_finds_every_wrong_strategy(strategy: type[Strategy], market: Store) -> None:
    found = as_a_run_asks(strategy(), market)
    assert found["found"], found


@pytest.mark.parametrize("strategy", RIGHT, ids=lambda one: type(one).__name__)
def test_the_quick_form_passes_every_right_strategy(strategy: Strategy, market: Store) -> None:
    found = as_a_run_asks(strategy, market)
    assert not found["found"], found


@pytest.mark.parametrize("strategy", SOME_WRONG, ids=lambda one: one.__name__)
def test_check_and_run_find_them_whichever_comes_first(
    strategy: type[Strategy], market: Store
) -> None:
    """What an earlier run of the process left in a cache hides nothing."""
    assert not run(strategy, market, record=False, look_ahead=False).look_ahead
    found = run(strategy, market, record=False)
    assert found.looks_ahead
    assert found.sentences[0].startswith("LOOKS AHEAD: ")
    assert check(strategy, market, instants=4).found


@pytest.mark.long
@pytest.mark.parametrize("strategy", WRONG, ids=lambda one: one.__name__)
def test_the_check_finds_every_wrong_strategy(strategy: type[Strategy], any_market: Store) -> None:
    assert run(strategy, any_market, record=False).looks_ahead
    found = check(strategy, any_market, instants=30)
    assert found.found, found


@pytest.mark.long
@pytest.mark.parametrize("strategy", RIGHT, ids=lambda one: type(one).__name__)
def test_the_check_passes_every_right_strategy(strategy: Strategy, any_market: Store) -> None:
    assert not run(strategy, any_market, record=False).looks_ahead
    found = check(strategy, any_market, instants=30)
    assert not found.found, found


def test_a_stored_run_keeps_what_was_found_and_older_ones_have_none(
    market: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wrong,) = (one for one in WRONG if one.__name__ == "CloseAtTheOpen")
    found = run(wrong, market)
    stored = load_result(market, found.record["id"])
    assert stored.look_ahead == found.look_ahead
    assert stored.sentences == found.sentences
    whole = market.run(found.record["id"])
    del whole["stats"]["look_ahead"]
    monkeypatch.setattr(Store, "run", lambda *_: whole)
    older = load_result(market, found.record["id"])
    assert not older.looks_ahead
    assert older.sentences == found.sentences[1:]


def test_a_check_can_be_looked_at_in_a_notebook(market: Store) -> None:
    (wrong,) = (one for one in WRONG if one.__name__ == "CloseAtTheOpen")
    found = check(wrong, market, instants=4)
    page = found._repr_html_()
    assert "truncated" in page
    assert "<h3>close_at_the_open</h3>" in page
    assert repr(found).splitlines()[1].strip() == found.sentences[0]
