"""Price and volume filters: as traded, known before the event, and refused where untrue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from backtest.filters import dollar_volume, filter_reasons
from backtest.panel.panel import EventPanel
from backtest.settings import RunSettings
from db.errors import UsageError
from db.intervals import Interval
from tests.tiny_store import TinyStore, release, sessions_between

DAYS = sessions_between("2019-01-02", "2019-02-15")
EVENT = DAYS[24]
"""Twenty-five sessions in: twenty-five up to its close."""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def prices(price: float = 20.0, volume: float = 1000.0, days: list[str] = DAYS) -> str:
    return "\n".join(f"{day} {price} {volume}" for day in days)


def reasons(panel: EventPanel, **settings: float) -> list[str]:
    return list(filter_reasons(panel, RunSettings(Interval.D1, **settings)))  # type: ignore[arg-type]


def test_without_a_filter_nothing_is_left_out(tiny: TinyStore) -> None:
    tiny.daily("AMD", prices(), adjusted="all")
    tiny.release("AMD", EVENT, "post")
    assert reasons(tiny.panel("1d")) == [""]


def test_the_price_is_the_reference_close_as_traded(tiny: TinyStore) -> None:
    """A later 4:1 split makes 20.00 look like 5.00; it was 20.00."""
    tiny.daily("AMD", prices())
    tiny.split("AMD", "2019-06-03", 4)
    tiny.release("AMD", EVENT, "post")
    panel = tiny.panel("1d")
    assert reasons(panel, min_price=20.0) == [""]
    assert reasons(panel, min_price=20.01) == ["price below the minimum"]


def test_dollar_volume_is_the_mean_of_the_twenty_sessions_up_to_the_reference(
    tiny: TinyStore,
) -> None:
    """The reaction session's own volume, a hundred times as high, is not known before it."""
    lines = [
        *(f"{day} 20 9000000" for day in DAYS[:5]),  # too long ago to count
        *(f"{day} 20 1000" for day in DAYS[5:24]),
        f"{EVENT} 20 3000",
        *(f"{day} 20 100000" for day in DAYS[25:]),
    ]
    tiny.daily("AMD", "\n".join(lines))
    tiny.release("AMD", EVENT, "post")
    panel = tiny.panel("1d")
    assert dollar_volume(panel).tolist() == [20 * (19 * 1000 + 3000) / 20]
    assert reasons(panel, min_dollar_volume=22_000) == [""]
    assert reasons(panel, min_dollar_volume=22_001) == ["dollar volume below the minimum"]


def test_a_split_in_the_twenty_sessions_changes_no_money(tiny: TinyStore) -> None:
    lines = [f"{day} 20 1000" for day in DAYS[:15]] + [f"{day} 10 2000" for day in DAYS[15:]]
    tiny.daily("AMD", "\n".join(lines))
    tiny.split("AMD", DAYS[15], 2)
    tiny.release("AMD", EVENT, "post")
    assert dollar_volume(tiny.panel("1d")).tolist() == pytest.approx([20_000])


def test_a_session_without_trades_counts_as_nothing(tiny: TinyStore) -> None:
    tiny.daily("AMD", prices(days=[day for day in DAYS if day != DAYS[20]]))
    tiny.release("AMD", EVENT, "post")
    assert dollar_volume(tiny.panel("1d")).tolist() == [20_000 * 19 / 20]


def test_fewer_sessions_than_twenty_are_too_few(tiny: TinyStore) -> None:
    tiny.daily("AMD", prices())
    tiny.take([release("AMD", DAYS[18], "post", fiscal_period="19 sessions")])
    tiny.take([release("AMD", DAYS[19], "post", fiscal_period="20 sessions")])
    panel = tiny.panel("1d")
    assert np.isnan(dollar_volume(panel)).tolist() == [True, False]
    assert reasons(panel, min_dollar_volume=1) == ["dollar volume below the minimum", ""]


def test_only_regular_hours_count_in_minutes(tiny: TinyStore) -> None:
    lines = [f"{day} 10:00 20 600\n15:59 20 400\n16:30 20 90000" for day in DAYS]
    tiny.bars("AMD", "\n".join(lines))
    tiny.release("AMD", EVENT, "post")
    assert dollar_volume(tiny.panel("1m")).tolist() == [20_000]


def test_two_companies_keep_their_own_volume(tiny: TinyStore) -> None:
    tiny.daily("AMD", prices(volume=1000))
    tiny.daily("INTC", prices(volume=5000))
    tiny.take([release("INTC", EVENT, "post"), release("AMD", EVENT, "post")])
    panel = tiny.panel("1d")
    found = dict(zip(panel.events["symbol"], dollar_volume(panel), strict=True))
    assert found == {"AMD": 20_000, "INTC": 100_000}


def test_the_price_is_said_before_the_volume(tiny: TinyStore) -> None:
    tiny.daily("AMD", prices())
    tiny.release("AMD", EVENT, "post")
    found = reasons(tiny.panel("1d"), min_price=1e9, min_dollar_volume=1e9)
    assert found == ["price below the minimum"]


@pytest.mark.parametrize("name", ["min_price", "min_dollar_volume"])
def test_fully_adjusted_prices_are_refused(tiny: TinyStore, name: str) -> None:
    tiny.daily("AMD", prices(), adjusted="all")
    tiny.release("AMD", EVENT, "post")
    with pytest.raises(UsageError, match="--" + name.replace("_", "-")):
        reasons(tiny.panel("1d"), **{name: 1.0})


def test_split_adjusted_prices_serve(tiny: TinyStore) -> None:
    tiny.daily("AMD", prices(price=5.0, volume=4000), adjusted="splits")
    tiny.split("AMD", "2019-06-03", 4)
    tiny.release("AMD", EVENT, "post")
    panel = tiny.panel("1d")
    assert reasons(panel, min_price=20.0) == [""]
    assert dollar_volume(panel).tolist() == [20_000]
