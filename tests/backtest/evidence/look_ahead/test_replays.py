"""Each replay by itself: what it alone finds, what a finding names, what is put back."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from backtest import Check, EventPanel, Exits, Strategy, check, earnings, first, limit_on_open
from backtest.evidence.look_ahead import Memory, sample_of
from backtest.evidence.look_ahead.cut import POISONS, at_instant, whole
from backtest.evidence.look_ahead.evaluate import Decided, evaluate
from backtest.evidence.look_ahead.state import Snapshot
from backtest.panel.build import schedule_known
from db.errors import UsageError
from tests.tiny_store import TinyStore, column, guidance, us

AMD = """
    2019-01-29 15:59  20.00 20.02 19.99 20.00
               16:20  19.60 19.70 19.00 19.10
               16:21  19.10 19.20 18.80 18.90
               16:25  18.90 19.30 18.85 19.25
    2019-01-30 09:30  18.60 18.90 18.50 18.80
               15:59  20.70 20.90 20.60 20.80
    2019-01-31 15:59  21.00 21.00 21.00 21.00
"""
NVDA = AMD.replace("2019-01-29", "2019-02-05").replace("2019-01-30", "2019-02-06")
DECIDED = "2019-01-29 16:21"
"""The end of the bar that starts at 16:20."""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        store.bars("AMD", AMD)
        store.bars("NVDA", NVDA.replace("2019-01-31", "2019-02-07"))
        store.release("AMD", "2019-01-29", "post", known="2019-01-10 12:00")
        store.release("NVDA", "2019-02-05", "post", known="2019-01-10 12:00")
        yield store


def strategy(decide: Callable[[EventPanel], Any], **methods: Any) -> Strategy:
    """A strategy on minute bars that decides by a function."""
    body: dict[str, Any] = {
        "events": earnings(session="post"),
        "phases": ("post", "pre", "regular"),
        "interval": "1m",
        "__module__": __name__,
        "entries": lambda _, p: decide(p),
        **methods,
    }
    return dataclass(frozen=True)(type("Made", (Strategy,), body))()


def falls(p: EventPanel) -> Any:
    return first(p.close <= p.reference * 0.97)


def kinds(found: Check) -> list[str]:
    return list(found.findings["replay"])


# What each replay alone finds


def test_an_honest_strategy_passes_every_replay(tiny: TinyStore) -> None:
    found = check(strategy(falls), tiny.store, instants=None)
    assert not found.found
    assert found.sentences == ["Nothing found.", "Replayed: all 2 events, all 10 instants."]
    done = found.replays.set_index("replay")["replays"]
    assert done["truncated"] == 10
    assert done["poisoned"] == 20


def test_missing_bars_alone_give_away_who_counts_them(tiny: TinyStore) -> None:
    """Wild values change no count: the truncated panel is needed."""
    last = strategy(lambda p: p.real & (np.arange(p.width) == (p.hi - p.lo)[:, None] - 1))
    assert kinds(check(last, tiny.store)) == ["truncated"]


@pytest.mark.parametrize(("bound", "poison"), [(0.5, "cheap"), (2.0, "dear")])
def test_wild_values_alone_give_away_a_veto_that_never_struck(
    bound: float, poison: str, tiny: TinyStore
) -> None:
    """No price here leaves the bounds, and a comparison with nothing is false: both agree."""

    def vetoed(p: EventPanel) -> Any:
        far = p.close < p.reference * bound if bound < 1 else p.close > p.reference * bound
        return falls(p) & ~far.any(axis=1)[:, None]

    assert poison in [one.name for one in POISONS]
    assert kinds(check(strategy(vetoed), tiny.store)) == ["poisoned"]


def test_content_before_its_interval_ends_is_withheld(tiny: TinyStore) -> None:
    """The source proves 16:20, the release's session lasts to midnight."""
    for symbol, day in (("AMD", "2019-01-29"), ("NVDA", "2019-02-05")):
        tiny.take([guidance(symbol, day, "post", middle=120.0, known=f"{day} 16:20")])
    early = strategy(lambda p: first(p.guidance("revenue") > 0))
    found = check(early, tiny.store, instants=None)
    assert kinds(found) == ["content delayed"]
    assert found.findings["bar"][0] == "2019-01-29 16:20-05:00"
    patient = strategy(lambda p: first((p.guidance("revenue") > 0) & (p.minutes > 8 * 60)))
    assert not check(patient, tiny.store, instants=None).found


def test_raw_figures_within_their_interval_are_withheld(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", eps_actual=1.0, known="2019-01-29 16:10")
    early = strategy(lambda p: first(falls(p) & (p.events["eps_actual"] > 0).to_numpy()[:, None]))
    assert kinds(check(early, tiny.store, instants=None)) == ["content delayed"]


def test_a_later_revision_is_not_known_before(tiny: TinyStore) -> None:
    tiny.release("AMD", "2019-01-29", "post", eps_actual=1.0, known="2019-01-29 16:00")
    tiny.release("AMD", "2019-01-29", "post", eps_actual=3.0, known="2019-02-20 16:00")

    def restated(p: EventPanel) -> Any:
        known = p.end >= p.sessions.announced_to[:, None]
        return first(p.real & known & (p.events["eps_actual"] > 2).to_numpy()[:, None])

    found = check(strategy(restated), tiny.store, instants=None)
    assert kinds(found) == ["truncated", "poisoned"]


def test_rank_is_replayed_at_the_decision(tiny: TinyStore) -> None:
    honest = strategy(falls, rank=lambda _, p: -p.close.running_min())
    assert not check(honest, tiny.store, instants=None).found
    wrong = strategy(falls, rank=lambda _, p: p.close[:, -1:])
    assert kinds(check(wrong, tiny.store, instants=None)) == ["truncated", "poisoned"]


def test_statistics_over_whole_windows_are_not_replayed(tiny: TinyStore) -> None:
    methods: dict[str, Any] = {
        "setup": lambda _, p: np.nanmax(p.close, axis=1) > 20,
        "why_not": lambda _, p: {"never": np.nanmax(p.close, axis=1) < 0},
    }
    assert not check(strategy(falls, **methods), tiny.store, instants=None).found


def test_a_strategy_that_needs_the_future_to_work_at_all(tiny: TinyStore) -> None:
    def needs(p: EventPanel) -> Any:
        if np.isnan(p.close[0, 4]):
            raise ValueError("no close")
        return falls(p)

    found = check(strategy(needs), tiny.store, instants=None)
    assert kinds(found)[0] == "truncated"
    assert "raises ValueError: no close" in found.sentences[0]


def test_what_cannot_be_repeated_is_not_blamed_on_the_future(tiny: TinyStore) -> None:
    dice = strategy(lambda p: first(p.real & (np.random.random(p.close.shape) < 0.3)))
    found = check(dice, tiny.store, instants=None)
    assert kinds(found) == ["repeated"]
    assert "cannot be repeated" in found.sentences[0]


def test_an_error_on_the_whole_panel_is_raised(tiny: TinyStore) -> None:
    with pytest.raises(UsageError, match="not bool"):
        check(strategy(lambda p: p.close), tiny.store)


# What a finding names


def test_a_finding_names_event_bar_and_both_decisions(tiny: TinyStore) -> None:
    ends_well = strategy(lambda p: falls(p) & (p.close[:, 4:5] > p.reference))
    found = check(ends_well, tiny.store, instants=None)
    row = found.findings.iloc[0]
    assert (row["symbol"], row["announced"]) == ("AMD", "2019-01-29 16:00-05:00")
    assert row["bar"] == "2019-01-29 16:20-05:00"
    assert row["instant"] == f"{DECIDED}-05:00"
    assert row["whole"] == f"an entry decided {DECIDED}-05:00"
    assert row["without"] == "no entry"
    assert "where everything after 2019-01-29 16:21-05:00 is missing" in row["says"]


def test_the_earliest_instant_is_looked_for(tiny: TinyStore) -> None:
    """However few are replayed at first, and none of them suspected: it reads the table."""

    def next_close(p: EventPanel) -> Any:
        return p.table.close[np.minimum(p.bar + 1, len(p.table) - 1)]

    ahead = strategy(lambda p: first(p.real & (next_close(p) < np.asarray(p.reference))))
    everything = check(ahead, tiny.store, instants=None)
    for seed in range(6):
        found = check(ahead, tiny.store, instants=2, seed=seed)
        assert found.findings["instant"][0] == everything.findings["instant"][0]


def test_the_choice_is_stated_and_repeats(tiny: TinyStore) -> None:
    found = check(strategy(falls), tiny.store, events=1, instants=2, seed=5)
    assert found.sentences[-1] == "Replayed: 1 of 2 events, 2 of 5 instants, chosen by seed 5."
    assert repr(found) == repr(check(strategy(falls), tiny.store, events=1, instants=2, seed=5))
    with pytest.raises(UsageError, match="instants must be 1"):
        check(strategy(falls), tiny.store, instants=0)


# What is remembered


@functools.lru_cache
def squared(number: int) -> int:
    return number * number


SEEN: dict[str, Any] = {}


def test_replays_leave_no_trace(tiny: TinyStore) -> None:
    """What the strategy notes is what its own evaluation noted, and nothing of the replays."""
    SEEN.clear()

    def notes(p: EventPanel) -> Any:
        SEEN[f"{len(p)} events"] = SEEN.get(f"{len(p)} events", 0) + 1
        return falls(p)

    check(strategy(notes), tiny.store)
    assert SEEN == {"2 events": 1}


def test_a_snapshot_puts_back_what_the_code_can_reach() -> None:
    class Helper:
        def __init__(self) -> None:
            self.rows = [1]

    helper, table = Helper(), np.zeros(2)

    def decide(p: EventPanel) -> Any:
        SEEN["x"] = squared(3)
        helper.rows.append(2)
        table[0] = 5
        return p

    made = strategy(decide)
    SEEN.clear()
    squared.cache_clear()
    before = Snapshot.of(made)
    assert before.holds()
    decide(None)  # type: ignore[arg-type]
    type(made).extra = 1  # type: ignore[attr-defined]
    names = " ".join(before.changed())
    for name in ("SEEN", "helper", "table", "squared()", "Made"):
        assert name in names
    before.restore()
    assert not SEEN
    assert helper.rows == [1]
    assert table.tolist() == [0, 0]
    assert not hasattr(made, "extra")
    assert squared.cache_info().currsize == 0
    assert not before.changed()


# The cut panel itself


def test_a_cut_shows_what_had_ended_and_the_open_of_what_runs(tiny: TinyStore) -> None:
    panel = tiny.panel(hold=1)
    known = schedule_known(tiny.store, panel.events, panel.sessions, strict=False)
    sample = sample_of(
        *(panel, known, tiny.store),
        strict=False,
        events=None,
        seed=0,
        decided=np.zeros(2, dtype=bool),
        unseen=panel.events,
    )
    at = us("2019-01-29 16:21") + 30_000_000
    cut = at_instant(sample, at)
    p = cut.panel
    assert list(p.events["symbol"]) == ["AMD"]
    assert column(p.close) == [19.10]
    assert column(p.open) == [19.60, 19.10]
    assert p.width == panel.width
    assert len(p.table) == 3
    assert np.isnan(p.table.close[-1])
    assert p.paths.stop[0] == 3
    at_open = at_instant(sample, us("2019-01-29 16:20"), opens=True).panel
    assert column(at_open.open) == [19.60]
    assert column(at_instant(sample, us("2019-01-29 16:20")).panel.open) == []
    wild = at_instant(sample, at, poison=POISONS[0]).panel
    assert wild.real.tolist() == panel.real.tolist()
    assert column(wild.close)[0] == 19.10
    assert min(column(wild.close)[1:]) > 50
    assert list(wild.events["symbol"]) == ["AMD", "NVDA"]
    same = whole(sample).panel
    for name in ("open", "close", "end", "phase", "before", "reference", "real"):
        assert np.array_equal(getattr(same, name), getattr(panel, name), equal_nan=True), name
    for name in ("key", "start", "close", "session", "dividend"):
        assert np.array_equal(getattr(same.table, name), getattr(panel.table, name)), name


def test_a_split_to_come_is_taken_out_of_no_price_yet(tmp_path: Path) -> None:
    with TinyStore(tmp_path) as tiny:
        tiny.bars("AMD", AMD)
        tiny.release("AMD", "2019-01-29", "post")
        tiny.split("AMD", "2019-01-31", 2)
        panel = tiny.panel(hold=1)
        known = np.zeros(1, dtype=np.int64)
        options: dict[str, Any] = {"strict": False, "events": None, "seed": 0}
        none = np.zeros(1, dtype=bool)
        sample = sample_of(panel, known, tiny.store, **options, decided=none, unseen=panel.events)
        p = at_instant(sample, us(DECIDED)).panel
        assert panel.scale.tolist() == [2]
        assert p.scale.tolist() == [1]
        assert p.table.close.tolist() == [20.00, 19.10]
        assert column(p.close) == column(panel.close)[:1]
        found = evaluate(strategy(falls), at_instant(sample, us(DECIDED)))
        assert isinstance(found, Decided)
        assert found.column.tolist() == [0]


# What hangs on speed


@dataclass(frozen=True)
class Open(Strategy):
    """Buys the open, wherever it is."""

    events: ClassVar = earnings()
    interval: ClassVar = "1m"
    exits: Exits = Exits(hold=0)

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * 2)


def test_one_bar_later_by_hand(tiny: TinyStore) -> None:
    """The evening's entry at 18.90 becomes one at 16:25's; the open's 18.60 one at 15:59."""
    from backtest import Costs

    free = Costs(commission=0, half_spread=0, slippage=0)
    frame = check(strategy(falls), tiny.store, costs=free, limit_offset=0.05).speed
    # Decided at 16:21 on 18.90's bar; a bar later at 16:22, for 18.90 at 16:25 within five minutes.
    assert frame["fills"].tolist() == [2, 2]
    opened = check(Open(), tiny.store, costs=free).speed
    assert opened["fills"].tolist() == [2, 2]
    assert opened["mean_net"].tolist() == pytest.approx([20.80 / 18.60 - 1, 20.80 / 20.70 - 1])
    assert opened["when"].tolist() == ["as decided", "one bar later"]


def test_memory_looks_behind_an_earlier_evaluation(tiny: TinyStore) -> None:
    """A cache filled by an evaluation that nobody checked is not taken for a constant."""
    SEEN.clear()

    def cached(p: EventPanel) -> Any:
        level = SEEN.setdefault("level", float(np.nanmin(p.close) * 1.01))
        return first(p.close < level)

    made = strategy(cached)
    panel = tiny.panel(hold=1)
    memory = Memory.before_asking(made, panel.events)
    made.entries(panel)
    memory.remember()
    assert check(made, tiny.store, instants=None).found
    assert "level" in SEEN
