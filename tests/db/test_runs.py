"""Runs are kept with what would repeat them, and every look is counted."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pandas as pd
import pytest

from db.errors import UsageError
from db.intervals import Interval
from tests.db.build import at, bars
from tests.db.conftest import NOW

RUN = {
    "strategy": "after_hours_reversal",
    "source_hash": "abc",
    "params": {"drop": 0.05, "phases": ("post", "pre")},
    "interval": Interval.M1,
    "store_versions": {"bars_1m": 3, "sql": 7},
    "program_version": "0.1.0",
    "seed": 11,
    "hypothesis": "reversal",
    "trials": 1,
    "settings": {"since": date(2019, 1, 1), "until": at("2020-12-31 21:00")},
    "stats": {"sharpe": float("nan"), "trades": np.int64(4), "mean": np.float64(0.5)},
    "funnel": [{"reason": "no slot", "events": 2}],
    "seconds": 1.5,
}


def test_a_run_is_read_back_whole(store):
    trades = pd.DataFrame(
        {"event_id": [1, 2], "entered": pd.to_datetime(["2020-01-02", None], utc=True)}
    )
    run_id = store.save_run({**RUN, "frames": {"trades": trades, "none": trades[:0]}})

    found = store.run(run_id)

    assert found["id"] == run_id
    assert found["created_at"] == NOW
    assert found["params"] == {"drop": 0.05, "phases": ["post", "pre"]}
    assert found["interval"] == "1m"
    assert found["store_versions"] == {"bars_1m": 3, "sql": 7}
    assert (found["strategy"], found["source_hash"], found["seed"], found["seconds"]) == (
        "after_hours_reversal", "abc", 11, 1.5
    )  # fmt: skip
    assert found["settings"] == {"since": "2019-01-01", "until": "2020-12-31T21:00:00+00:00"}
    assert found["stats"] == {"sharpe": None, "trades": 4, "mean": 0.5}
    assert found["funnel"] == [{"reason": "no slot", "events": 2}]
    assert found["repeatable"]
    pd.testing.assert_frame_equal(found["frames"]["trades"], trades)
    pd.testing.assert_frame_equal(found["frames"]["none"], trades[:0])


def test_a_frame_can_come_as_the_bytes_of_a_parquet_file(store):
    buffer = io.BytesIO()
    pd.DataFrame({"a": [1, 2]}).to_parquet(buffer)
    run_id = store.save_run({"strategy": "a", "frames": {"equity": buffer.getvalue()}})

    assert store.run(np.int64(run_id))["frames"]["equity"]["a"].tolist() == [1, 2]


def test_runs_are_listed_without_their_frames(store):
    assert store.runs().empty
    first = store.save_run(RUN)
    second = store.save_run({"strategy": "gap_reversal"})

    found = store.runs()

    assert found["id"].tolist() == [first, second]
    assert found["strategy"].tolist() == ["after_hours_reversal", "gap_reversal"]
    assert found["trials"].tolist() == [1, 1]
    assert str(found["created_at"].dtype) == "datetime64[us, UTC]"
    assert found.columns.tolist()[:3] == ["id", "created_at", "strategy"]


def test_every_look_is_counted_under_its_hypothesis(store):
    store.save_run({"strategy": "a", "hypothesis": "reversal"})
    store.save_run({"strategy": "a", "hypothesis": "reversal", "trials": 10_000})
    store.save_run({"strategy": "a", "hypothesis": "drift", "trials": 3})

    assert store.count_trials("reversal") == 10_001
    assert store.count_trials("drift") == 3
    assert store.count_trials("nobody looked") == 0


def test_a_run_changes_no_version(store):
    store.ingest(bars("a.csv", [("AAA", "2020-01-02", 10)]))
    before = store.versions()
    store.save_run(RUN)

    assert store.versions() == before


def test_wrong_runs_are_refused(store):
    with pytest.raises(UsageError, match="did you mean 'params'"):
        store.save_run({"strategy": "a", "parms": {}})
    with pytest.raises(UsageError, match="name of its strategy"):
        store.save_run({"params": {}})
    with pytest.raises(UsageError, match="-1 trials"):
        store.save_run({"strategy": "a", "trials": -1})
    assert store.runs().empty
    with pytest.raises(UsageError, match="there is no run 7"):
        store.run(7)
