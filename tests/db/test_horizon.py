"""Behind a horizon stores show what was known by it; outside of one everything is as ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from db.errors import UsageError
from db.horizon import horizon, known_until
from db.store import Store
from tests.tiny_store import TinyStore, guidance, headline, ny

BEFORE, AFTER = ny("2019-01-29 12:00"), ny("2019-01-31 12:00")
READINGS: dict[str, Callable[[Store], pd.DataFrame]] = {
    "events": lambda s: s.events(),
    "revisions": lambda s: s.revisions(),
    "guidance": lambda s: s.guidance(),
    "news": lambda s: s.news(),
    "actions": lambda s: s.actions(),
    "symbols": lambda s: s.symbols(),
    "runs": lambda s: s.runs(),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with TinyStore(tmp_path) as tiny:
        tiny.daily("AMD", "2019-01-28 20\n2019-01-29 20\n2019-01-30 19")
        tiny.bars("AMD", "2019-01-29 11:58 20\n11:59 21\n12:00 22")
        tiny.release("AMD", "2019-01-29", "post", eps_actual=1.0, known="2019-01-30 08:00")
        tiny.take([guidance("AMD", "2019-01-29", "post", middle=120, known="2019-01-30 08:00")])
        tiny.take([headline("AMD beats", "2019-01-30 09:00", "AMD")])
        tiny.split("AMD", "2019-01-30", 2)
        tiny.store.add_instrument("OLD", valid_from=date(2019, 1, 30), delisted=date(2019, 1, 31))
        tiny.store.save_run({"strategy": "some"})
        yield tiny.store


@pytest.mark.parametrize("name", READINGS)
def test_nothing_is_shown_before_it_was_known(name: str, store: Store) -> None:
    whole = READINGS[name](store)
    with known_until(BEFORE):
        seen = READINGS[name](store)
    assert len(seen) == len(whole) - 1
    assert list(seen.columns) == list(whole.columns)
    assert (seen.dtypes == whole.dtypes).all()


@pytest.mark.parametrize("name", [name for name in READINGS if name != "runs"])
def test_everything_is_shown_once_it_was_known(name: str, store: Store) -> None:
    whole = READINGS[name](store)
    with known_until(AFTER):
        pd.testing.assert_frame_equal(READINGS[name](store), whole)
    pd.testing.assert_frame_equal(READINGS[name](store), whole)


def test_an_earlier_as_of_counts_and_a_later_one_does_not(store: Store) -> None:
    for as_of, until, rows in ((BEFORE, AFTER, 0), (AFTER, BEFORE, 0), (AFTER, AFTER, 1)):
        with known_until(until):
            assert len(store.events(as_of=as_of)) == rows
    with known_until(BEFORE), pytest.raises(UsageError, match="time zone"):
        store.events(as_of=BEFORE.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("interval", "until", "closes"),
    [
        ("1m", "2019-01-29 11:59", [20]),
        ("1m", "2019-01-29 12:00", [20, 21]),
        ("1d", "2019-01-29 15:59", [20]),
        ("1d", "2019-01-29 16:00", [20, 20]),
    ],
)
def test_bars_are_shown_once_they_have_ended(
    interval: str, until: str, closes: list[float], store: Store
) -> None:
    with known_until(ny(until)):
        assert store.bars(interval).close.tolist() == closes
    assert len(store.bars(interval)) == 3


def test_a_delisting_to_come_is_not_shown(store: Store) -> None:
    def delisted() -> Any:
        return store.instruments().set_index("symbol")["delisted"]["OLD"]

    with known_until(BEFORE):
        assert pd.isna(delisted())
    assert delisted() == date(2019, 1, 31)


def test_what_cannot_be_limited_is_refused(store: Store) -> None:
    event = int(store.events()["event_id"].iloc[0])
    with known_until(AFTER):
        with pytest.raises(UsageError, match="must not read"):
            store.explain(event)
        with pytest.raises(UsageError, match="must not read"):
            store.run(1)
    assert store.explain(event)


def test_horizons_nest_and_end(store: Store) -> None:
    with known_until(BEFORE):
        with known_until(None):
            assert len(store.events()) == 1
        assert horizon() == BEFORE
    assert horizon() is None
    with pytest.raises(UsageError, match="no time zone"), known_until(BEFORE.replace(tzinfo=None)):
        pass
