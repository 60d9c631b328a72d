"""From the store's prices and events to what an event study reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.evidence.event_study import (
    equal_weighted,
    event_study,
    returns_by_phase,
    session_returns,
    study_events,
)
from db.errors import UsageError
from tests.tiny_store import TinyStore, release


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def names(tiny: TinyStore) -> dict[int, str]:
    known = tiny.store.instruments()
    return dict(zip(known["instrument_id"], known["symbol"], strict=True))


def test_session_returns_know_of_dividends_and_of_sessions_without_a_bar(tiny: TinyStore) -> None:
    tiny.daily("AMD", "2019-01-28 20\n2019-01-29 22\n2019-01-31 30\n2019-02-01 33")
    tiny.daily("INTC", "2019-01-28 50\n2019-01-29 50\n2019-01-30 49\n2019-01-31 49")
    tiny.dividend("INTC", "2019-01-30", 1.0)
    tiny.take([release("AMD", "2019-01-28", "post"), release("INTC", "2019-01-28", "post")])
    found = session_returns(tiny.panel("1d").table, names=names(tiny)).loc[
        "2019-01-28":"2019-02-01"
    ]
    amd, intc = found["AMD"], found["INTC"]
    assert [f"{day:%d}" for day in found.index] == ["28", "29", "30", "31", "01"]
    np.testing.assert_allclose(amd.iloc[1:], [0.1, np.nan, np.nan, 0.1])
    np.testing.assert_allclose(intc.iloc[1:4], [0.0, 0.0, 0.0], atol=1e-12)


def test_minute_bars_close_before_the_auction_and_split_into_phases(tiny: TinyStore) -> None:
    tiny.bars(
        "AMD",
        """
        2019-01-29 15:59 20
                   16:00 30          # the auction is no part of it
                   16:10 18
        2019-01-30 08:00 19
                   15:59 24
        """,
    )
    tiny.release("AMD", "2019-01-29", "post")
    table = tiny.panel("1m").table
    amd = int(table.instruments[0])
    day = session_returns(table)[amd].loc["2019-01-30"]
    assert day == pytest.approx(0.2)
    phases = returns_by_phase(table)
    found = [phases[p][amd].loc["2019-01-30"] for p in ("post", "pre", "regular")]
    assert found == pytest.approx([-0.1, 19 / 18 - 1, 24 / 19 - 1])
    assert (1 + np.array(found)).prod() - 1 == pytest.approx(day)


def test_day0_is_the_reaction_session_and_of_a_bare_date_the_date(tiny: TinyStore) -> None:
    for symbol in "ABC":
        tiny.daily(symbol, "2019-01-29 20")
    given = {"A": ("2019-01-29", "pre"), "B": ("2019-01-29", "post"), "C": ("2019-02-02", "")}
    tiny.take([release(symbol, *when) for symbol, when in given.items()])
    found = study_events(tiny.store.events(), names(tiny)).set_index("symbol")
    assert found["day0"].dt.strftime("%Y-%m-%d").to_dict() == {
        "A": "2019-01-29",
        "B": "2019-01-30",
        "C": "2019-02-04",
    }
    unknown = tiny.store.events().assign(instrument_id=pd.NA)
    assert study_events(unknown)["symbol"].tolist() == [None] * 3


def test_a_study_from_the_store_s_own_arrays() -> None:
    index = pd.bdate_range("2021-01-04", periods=80)
    values = np.random.default_rng(0).normal(0, 0.01, (80, 6))
    returns = pd.DataFrame(
        values, index=index, columns=pd.Index([11, 12, 13, 14, 15, 16], dtype=object)
    )
    returns.iloc[10, :3] = np.nan
    market = equal_weighted(returns)
    assert np.isnan(market.iloc[10])
    assert market.iloc[11] == pytest.approx(returns.iloc[11].mean())
    events = pd.DataFrame({"event_id": [5, 6], "symbol": [12, None], "day0": index[[60, 60]]})
    study = event_study(
        returns, events, market=market, estimation=(-40, -6), window=(-1, 1), reps=9
    )
    assert study.events["symbol"].tolist() == [12]
    assert study.dropped["reason"].tolist() == ["no returns of this symbol"]
    with pytest.raises(UsageError, match="at least 2"):
        equal_weighted(returns, least=1)
