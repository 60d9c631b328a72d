"""The average path and its band: what is known at each point, clustered by date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.evidence.average_path import average_path, clustered_mean
from backtest.evidence.outcomes import base_rates
from tests.tiny_store import TinyStore, flat_days, release


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def path(tiny: TinyStore, interval: str) -> pd.DataFrame:
    panel = tiny.panel(interval)
    frame = average_path(panel, {"all": np.ones(len(panel), dtype=bool)})
    return frame.set_index("label")


def test_a_clustered_mean_by_hand() -> None:
    """Values 1, 3 | 2, 6: mean 3, sums of deviations -2 and +2, G = 2.

    Variance 2/1 x (4 + 4) / 16 = 1, and Student's t of one degree is 12.706.
    """
    found = clustered_mean(np.array([1.0, 3.0, 2.0, 6.0]), np.array([7, 7, 9, 9]))
    assert found == pytest.approx((3.0, 3 - 12.7062, 3 + 12.7062, 4), abs=1e-4)


def test_clusters_of_one_are_the_usual_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=30)
    mean, low, high, n = clustered_mean(values, np.arange(30))
    error = values.std(ddof=1) / np.sqrt(30)
    assert (mean, n) == (pytest.approx(values.mean()), 30)
    assert (high - low) / 2 == pytest.approx(2.04523 * error, rel=1e-5)


def test_a_mean_of_one_date_has_no_interval_and_of_nothing_no_value() -> None:
    mean, low, high, n = clustered_mean(np.array([1.0, np.nan, 3.0]), np.array([4, 4, 4]))
    assert (mean, n) == (2.0, 2)
    assert np.isnan([low, high]).all()
    nothing = clustered_mean(np.array([np.nan]), np.array([4]))
    assert np.isnan(nothing[:3]).all()
    assert nothing[3] == 0


def test_the_daily_path_runs_by_sessions_around_the_reaction(tiny: TinyStore) -> None:
    tiny.daily(
        "AMD",
        """
        2019-01-28 22
        2019-01-29 20
        2019-01-30 19 24 18 22
        2019-01-31 21
        """,
    )
    tiny.dividend("AMD", "2019-01-31", 1.0)
    tiny.release("AMD", "2019-01-29", "post")
    frame = path(tiny, "1d")
    known = frame[frame["n"] > 0]
    assert known["mean"].to_dict() == pytest.approx(
        {"-2": 0.1, "-1": 0.0, "reaction": 0.1, "+1": 0.1}
    )
    assert frame.loc["-5":, "offset"].tolist() == list(range(-5, 21))


def test_the_intraday_path_carries_the_last_price_known(tiny: TinyStore) -> None:
    tiny.bars(
        "AMD",
        """
        2019-01-29 15:59 20
                   16:00 30          # the auction is no part of it
                   16:07 19
        2019-01-30 08:00 18
                   09:30 22
                   15:59 24
        """,
    )
    tiny.release("AMD", "2019-01-29", "post")
    mean = path(tiny, "1m")["mean"]
    assert mean["post +0:00"] == 0
    assert mean["post +0:05"] == 0  # the bar of 16:07 is still to come
    assert mean["post +0:10"] == pytest.approx(-0.05)
    assert mean["pre +4:00"] == pytest.approx(-0.05)  # that of 08:00 ends at 08:01
    assert mean["pre +4:15"] == pytest.approx(-0.10)
    assert mean["regular +0:10"] == pytest.approx(0.10)
    assert mean["regular +6:20"] == pytest.approx(0.10)
    assert mean["regular +6:30"] == pytest.approx(0.20)


def test_groups_are_means_over_their_own_events(tiny: TinyStore) -> None:
    for symbol, price in (("A", 22), ("B", 18), ("C", 21)):
        tiny.daily(symbol, f"2019-01-29 20\n2019-01-30 {price}")
    tiny.take([release(symbol, "2019-01-29", "post") for symbol in "ABC"])
    panel = tiny.panel("1d")
    symbols = panel.events["symbol"].to_numpy()
    frame = average_path(panel, {"all": symbols != "", "A": symbols == "A", "none": symbols == "Z"})
    reaction = frame[frame["label"] == "reaction"].set_index("group")
    assert reaction["mean"].drop("none").to_dict() == pytest.approx({"all": 1 / 60, "A": 0.1})
    assert reaction["n"].to_dict() == {"all": 3, "A": 1, "none": 0}


def test_an_empty_panel_has_an_empty_path(tiny: TinyStore) -> None:
    tiny.daily("AMD", "2019-01-29 20")
    tiny.release("INTC", "2019-01-29", "post")
    panel = tiny.join("1d").panel
    groups = {"all": np.ones(0, dtype=bool)}
    assert (average_path(panel, groups)["n"] == 0).all()
    assert (base_rates(panel, groups)["events"] == 0).all()


def test_one_date_on_two_exchanges_is_one_cluster(tiny: TinyStore) -> None:
    """Sessions are numbered by exchange; the evenings they share are not."""
    tiny.store.add_instrument("SAP", exchange="XETR", currency="EUR")
    tiny.daily("SAP", flat_days("2019-01-21", "2019-02-08", 90.0, "XETR"), exchange="XETR")
    tiny.daily("AMD", flat_days("2019-01-22", "2019-02-08", 20.0))
    tiny.take([release("AMD", "2019-01-29", "post")])
    tiny.take([release("SAP", "2019-01-29 18:00:00", exchange="XETR")])
    panel = tiny.panel("1d")
    assert len(set(panel.sessions.reaction)) == 2
    groups = {"all": np.ones(2, dtype=bool)}
    assert base_rates(panel, groups)["dates"].tolist() == [1, 1]
    path = average_path(panel, groups).set_index("label")
    assert path.loc["reaction", "n"] == 2
    assert np.isnan(path.loc["reaction", "low"])


def test_base_rates_count_from_the_close_and_from_the_first_price(tiny: TinyStore) -> None:
    """A gap of -5 % and a close at +5 %: a tenth from the open, not from the close before."""
    tiny.daily("A", "2019-01-29 20\n2019-01-30 19 22 19 21")
    tiny.daily("B", "2019-01-29 20\n2019-01-30 21 22.5 21 22")
    tiny.take([release("A", "2019-01-29", "post"), release("B", "2019-01-29", "post")])
    panel = tiny.panel("1d")
    frame = base_rates(panel, {"all": np.ones(2, dtype=bool)})
    assert frame["outcome"].tolist() == [
        "closes 10 % or more above the reference close",
        "closes 10 % or more above the first price after the release",
    ]
    assert frame["with_outcome"].tolist() == [1, 1]
    assert frame["events"].tolist() == [2, 2]


def test_base_rates_of_a_short_are_of_falls(tiny: TinyStore) -> None:
    tiny.daily("A", "2019-01-29 20\n2019-01-30 19 19 17 18")
    tiny.release("A", "2019-01-29", "post")
    frame = base_rates(tiny.panel("1d"), {"all": np.ones(1, dtype=bool)}, side=-1)
    assert frame["outcome"][0] == "closes 10 % or more below the reference close"
    assert frame["with_outcome"].tolist() == [1, 0]


def test_base_rates_add_dividends_back(tiny: TinyStore) -> None:
    tiny.daily("A", "2019-01-29 20\n2019-01-30 20 21 20 21")
    tiny.dividend("A", "2019-01-30", 1.0)
    tiny.release("A", "2019-01-29", "post")
    frame = base_rates(tiny.panel("1d"), {"all": np.ones(1, dtype=bool)})
    # Whoever buys at the first price of the ex-date buys without it.
    assert frame["with_outcome"].tolist() == [1, 0]
