"""Guidance: found with its event, and counted from when it was known."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from db.batches import GuidanceRecord
from db.errors import UsageError
from tests.db.build import FETCHED, at, event, records


def guidance(low: float = 1.0, **fields) -> GuidanceRecord:
    values = {
        "symbol": "META",
        "metric": "revenue",
        "period": "2026Q1",
        "low": low,
        "high": 2.0,
        "unit": "USD",
        "consensus": 1.2,
        "announced_from": at("2026-01-28 21:05"),
        "announced_to": at("2026-01-28 21:05"),
        "precision": "exact",
        "session": "post",
    }
    return GuidanceRecord(**{**values, **fields})


@pytest.mark.parametrize("events_first", [True, False])
def test_guidance_belongs_to_the_nearest_event_whichever_came_first(store, events_first):
    batches = [
        records("e.csv", [event("META", "2026-01-28 21:00", "2026-01-29 05:00")]),
        records("g.csv", [guidance(), guidance(symbol="AMD")]),
    ]
    for batch in batches if events_first else reversed(batches):
        store.ingest(batch)

    found = store.guidance()

    assert found["event_id"].isna().tolist() == [False, True]
    row = store.guidance([1]).iloc[0]
    assert (row.metric, row.period, row.low, row.high, row.unit, row.consensus) == (
        "revenue", "2026Q1", 1.0, 2.0, "USD", 1.2
    )  # fmt: skip
    assert not row.first_known_proven


def test_corrected_guidance_counts_from_when_it_was_known(store):
    later = FETCHED + timedelta(days=3)
    store.ingest(records("e.csv", [event("META", "2026-01-28 21:05")]))
    store.ingest(records("g.csv", [guidance()]))
    assert store.ingest(records("h.csv", [guidance()])).unchanged == 1

    report = store.ingest(records("i.csv", [guidance(1.5)], fetched_at=later))

    assert report.revised == 1
    assert store.guidance()["low"].tolist() == [1.5]
    assert store.guidance(as_of=later - timedelta(seconds=1))["low"].tolist() == [1.0]


def test_no_guidance_has_the_same_columns(store):
    empty = store.guidance()
    store.ingest(records("g.csv", [guidance()]))

    pd.testing.assert_series_equal(empty.dtypes, store.guidance().dtypes)


def test_a_mixed_batch_is_refused(store):
    with pytest.raises(UsageError, match="records of one kind"):
        store.ingest(records("a.csv", [event("AMD", "2020-01-29 21:05"), guidance()]))
