"""The ledger of runs: what was found comes back as it was, and can be found again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest import Costs, EventPanel, Result, Strategy, limit_on_open, param, run
from backtest.cli import status_of
from backtest.result import FRAMES
from backtest.runs import diff_runs, load_result
from db.errors import UsageError
from tests.backtest.test_runner import AFTER, DAYS, GAPS, market
from tests.tiny_store import TinyStore, guidance, headline, ny, release


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def assert_same(stored: Result, found: Result) -> None:
    """Frames to the last digit and type, numbers, sentences, settings."""
    for name in FRAMES:
        pd.testing.assert_frame_equal(
            getattr(stored, name), getattr(found, name), check_exact=True, obj=name
        )
    assert stored.summary == pytest.approx(found.summary, abs=0, rel=0, nan_ok=True)
    np.testing.assert_array_equal(stored.other_seeds, found.other_seeds)
    assert (stored.reads, stored.orders) == (found.reads, found.orders)
    assert stored.sentences == found.sentences
    late = ("created_at", "id", "seconds", "repeatable")
    records = [{k: v for k, v in r.record.items() if k not in late} for r in (stored, found)]
    assert records[0] == records[1]


def stored_and_read(tiny: TinyStore, *arguments: Any, **options: Any) -> Result:
    found = run(*arguments, tiny.store, **options)
    stored = load_result(tiny.store, found.record["id"])
    assert_same(stored, found)
    assert stored.portfolio is None
    assert stored.record["repeatable"] is True
    return stored


def test_a_run_reads_back_as_it_was(tiny: TinyStore) -> None:
    market(tiny, GAPS)
    tiny.take([release("NOBARS", "2019-01-29", "post"), release("A", "2031-01-29", "post")])
    stored = stored_and_read(tiny, "gap_reversal", slots=2)
    assert len(stored.trades) == 2
    assert len(stored.other_seeds) == 20


@pytest.mark.parametrize("strategy", ["gap_reversal", "earnings_drift"])
def test_a_run_without_trades_reads_back_as_it_was(tiny: TinyStore, strategy: str) -> None:
    market(tiny, {"C": GAPS["C"]})
    assert len(stored_and_read(tiny, strategy).trades) == 0


def test_a_run_without_a_measurable_event_reads_back_as_it_was(tiny: TinyStore) -> None:
    market(tiny, {"C": GAPS["C"]})
    assert len(stored_and_read(tiny, "gap_reversal", since=ny("2019-01-01")).events) == 1
    tiny.release("NOBARS", "2019-01-29", "post")
    stored = stored_and_read(tiny, "gap_reversal", symbols=["NOBARS"])
    assert stored.events["status"].tolist() == ["no bars"]


def test_runs_with_content_and_news_read_back_as_they_were(tiny: TinyStore) -> None:
    tiny.bars(
        "AMD",
        """
        2019-01-29 15:59 20
                   16:10 19
                   16:11 19.02
        2019-01-30 09:30 20
                   15:59 22
        2019-01-31 15:59 22
        """,
    )
    tiny.take([release("AMD", "2019-01-29 16:05:00", eps_estimate=1.0, eps_actual=1.2)])
    tiny.take([guidance("AMD", "2019-01-29 16:05:00", middle=110.0)])
    tiny.take([headline("AMD <b>reports</b> & falls", "2019-01-29 16:05:00", "AMD")])
    for name in ("guidance_reversal", "news_fade", "earnings_drift"):
        assert stored_and_read(tiny, name).trades.shape[0] <= 1
    assert stored_and_read(tiny, "guidance_reversal").reads == ("guidance:revenue",)


def test_the_newest_run_is_read_unless_one_is_named(tiny: TinyStore) -> None:
    with pytest.raises(UsageError, match=r"no run yet(.|\n)*backtest run"):
        load_result(tiny.store)
    market(tiny, {"A": GAPS["A"]})
    first = run("gap_reversal", tiny.store)
    second = run("gap_reversal", tiny.store, params={"drop": 0.02})
    assert load_result(tiny.store).record["id"] == second.record["id"]
    assert load_result(tiny.store, first.record["id"]).record["params"]["drop"] == 0.05
    with pytest.raises(UsageError, match=r"there is no run 99(.|\n)*the newest are 2, 1"):
        load_result(tiny.store, 99)


def test_a_run_that_is_not_to_be_recorded_leaves_no_trace(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    result = run("gap_reversal", tiny.store, record=False)
    assert "id" not in result.record
    assert tiny.store.runs().empty
    assert tiny.store.count_trials("gap_reversal") == 0


def test_every_look_is_counted(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    for drop in (0.02, 0.05, 0.05):
        run("gap_reversal", tiny.store, params={"drop": drop})
    run("earnings_drift", tiny.store)
    assert tiny.store.count_trials("gap_reversal") == 3
    assert tiny.store.count_trials("earnings_drift") == 1


def test_a_run_records_what_would_repeat_it(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    record = run("gap_reversal", tiny.store, params={"drop": 0.02}, seed=7, slots=3).record
    assert record["strategy"] == "gap_reversal"
    assert record["params"]["drop"] == 0.02
    assert record["params"]["exits.stop"] == 0.06
    assert record["seed"] == record["settings"]["account.seed"] == 7
    assert record["settings"]["account.slots"] == 3
    assert record["store_versions"] == tiny.store.versions()
    assert (record["source"], record["adjusted"], record["interval"]) == ("file", "none", "1d")
    assert len(record["source_hash"]) == 64
    assert record["program_version"]


def rerun(
    tiny: TinyStore, command: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> Result:
    """What the recorded command line gives when it is typed."""
    words = shlex.split(command)
    assert words[:2] == ["backtest", "run"]
    assert status_of(["--store", str(folder / "store"), *words[1:]]) == 0, capsys.readouterr().err
    capsys.readouterr()
    return load_result(tiny.store)


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        ("gap_reversal", {}),
        (
            "gap_reversal",
            {
                "params": {"drop": 0.02, "exits.target": None, "exits.hold": 1},
                "since": ny("2019-01-02 00:00"),
                "until": ny("2019-06-01 12:30"),
                "symbols": ["A", "B"],
                "source": "file",
                "cash": 50_000.0,
                "slots": 1,
                "seed": 3,
                "costs": Costs(commission=0.001, half_spread=0.002, slippage=0.0),
                "min_price": 1.5,
                "benchmark": "C",
                "strict_as_of": True,
            },
        ),
        ("earnings_drift", {"params": {"exits.hold": 2}, "min_dollar_volume": 1.0}),
    ],
)
def test_the_recorded_command_repeats_the_run(
    tiny: TinyStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    strategy: str,
    options: dict[str, Any],
) -> None:
    market(tiny, GAPS)
    tiny.release(
        "A", "2019-01-29", "post", known="2019-01-20 12:00", eps_estimate=1.0, eps_actual=1.5
    )
    first = run(strategy, tiny.store, **options)
    again = rerun(tiny, first.record["command"], capsys, tmp_path)
    assert diff_runs(load_result(tiny.store, first.record["id"]), again).empty
    assert again.record["id"] == first.record["id"] + 1
    pd.testing.assert_frame_equal(first.trades, again.trades)


OWN = '''
from dataclasses import dataclass
from backtest import Exits, Strategy, limit_on_open, param


@dataclass(frozen=True)
class OwnIdea(Strategy):
    """Any open."""

    above: float = param(1.0)
    exits: Exits = Exits(hold=0)

    def entries(self, p):
        return limit_on_open(p.reference * (1 + self.above))
'''


def test_the_command_of_a_strategy_in_a_file_names_the_file(
    tiny: TinyStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a folder" / "own.py"
    file.parent.mkdir()
    file.write_text(OWN)
    market(tiny, {"A": GAPS["A"]})
    first = run(f"{file}:OwnIdea", tiny.store, params={"above": 0.5})
    assert len(first.trades) == 1
    again = rerun(tiny, first.record["command"], capsys, tmp_path)
    assert diff_runs(load_result(tiny.store, first.record["id"]), again).empty


@dataclass(frozen=True)
class NoDefault(Strategy):
    """Leaves a parameter to whoever uses it."""

    above: float
    level: float = param(1.0)

    def entries(self, p: EventPanel) -> Any:
        return limit_on_open(p.reference * (1 + self.above))


def test_a_strategy_without_all_defaults_can_be_run_as_an_object(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    result = run(NoDefault(above=0.25), tiny.store)
    assert "-p above=0.25" in result.record["command"]
    assert "level" not in result.record["command"]


def test_a_difference_is_named_and_nothing_else(tiny: TinyStore) -> None:
    market(tiny, GAPS)
    first = run("gap_reversal", tiny.store)
    same = run("gap_reversal", tiny.store)
    assert diff_runs(first, same).empty
    assert list(diff_runs(first, same).columns) == ["part", "what", "first", "second"]
    other = run("gap_reversal", tiny.store, params={"exits.stop": None})
    found = diff_runs(first, other)
    by_name = found.set_index("what")[["first", "second"]].to_numpy().tolist()
    assert found["what"].tolist()[:2] == ["params.exits.stop", "command"]
    assert by_name[0] == [0.06, None]
    assert "Mean net return [%]" in set(found["what"])
    assert "trade" not in set(found["what"])


def test_a_new_import_is_a_difference_between_runs(tiny: TinyStore) -> None:
    market(tiny, {"A": GAPS["A"]})
    first = run("gap_reversal", tiny.store)
    tiny.daily("B", f"{DAYS}\n2019-01-30 18\n{AFTER}")
    found = diff_runs(first, run("gap_reversal", tiny.store))
    assert set(found["what"]) == {"store_versions.bars_1d", "store_versions.sql"}
