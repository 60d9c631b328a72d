"""Reactions: each column by hand, and a reason for every event without a row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest import reactions
from backtest.reaction_table import slice_reduce
from backtest.selection import session_labels
from db.batches import ActionRecord
from db.errors import UsageError
from db.intervals import Interval
from tests.tiny_store import (
    TinyStore,
    clock,
    daily_from_minutes,
    flat_days,
    headline,
    ny,
    parse_bars,
    release,
)

BARS = """
    2019-01-29 15:59  20.0                     # reference close
               16:00  20.0 30.0 10.0 20.0      # the closing auction
               16:10  19.6 19.8 19.0 19.2
               16:20  19.2 19.4 18.0 18.4      # the evening's low
               19:00  18.5 18.8 18.0 18.6      # touched again
    2019-01-30 08:00  18.8 19.6 18.6 19.4
               09:30  19.0 19.2 18.8 19.0      # a gap of -5 %
               15:59  21.0 22.4 20.8 22.0
               16:05  22.0 40.0  5.0 22.0      # the next evening is no part of it
    2019-01-31 15:59  23.0
    2019-02-06 15:59  19.0 24.0 17.0 21.0      # five sessions on
    2019-02-28 15:59  16.0                     # twenty
"""
MOVES = [
    *("post_low", "post_high", "post_last", "pre_low", "pre_high", "pre_last"),
    *("gap", "day_low", "day_high", "day_close", "ret_1", "ret_5", "ret_20", "mae_5", "mfe_5"),
]


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def moves(row: Any) -> dict[str, float]:
    """The moves of a row in percent, without the empty ones."""
    return {name: round(row[name] * 100, 6) for name in MOVES if not np.isnan(row[name])}


def only(tiny: TinyStore, interval: str = "1m", **options: Any) -> pd.Series:
    frame = reactions(tiny.store, interval=interval, **options).frame
    assert len(frame) == 1
    return frame.iloc[0]


def test_every_column_by_hand(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS)
    tiny.release("AMD", "2019-01-29", "post", fiscal_period="2018Q4")
    row = only(tiny)
    assert list(row.index) == [
        *("event_id", "symbol", "fiscal_period", "announced_from", "announced_to", "session"),
        *("reference_date", "reference_close", "last_before", "reaction_date"),
        *("post_low", "post_low_at", "post_high", "post_last"),
        *("pre_low", "pre_high", "pre_last"),
        *("gap", "day_low", "day_high", "day_close"),
        *("ret_1", "ret_5", "ret_20", "mae_5", "mfe_5"),
    ]
    assert (row["symbol"], row["fiscal_period"], row["session"]) == ("AMD", "2018Q4", "post")
    assert clock(row["announced_from"]) == "2019-01-29 16:00"
    assert clock(row["announced_to"]) == "2019-01-30 00:00"
    assert str(row["reference_date"].date()) == "2019-01-29"
    assert str(row["reaction_date"].date()) == "2019-01-30"
    assert row["reference_close"] == 20.0
    assert np.isnan(row["last_before"])
    assert clock(row["post_low_at"]) == "2019-01-29 16:20"  # the first of two equal lows
    assert moves(row) == {
        "post_low": -10.0,
        "post_high": -1.0,
        "post_last": -7.0,
        "pre_low": -7.0,
        "pre_high": -2.0,
        "pre_last": -3.0,
        "gap": -5.0,
        "day_low": -6.0,
        "day_high": 12.0,
        "day_close": 10.0,
        "ret_1": 15.0,
        "ret_5": 5.0,
        "ret_20": -20.0,
        "mae_5": -15.0,
        "mfe_5": 20.0,
    }


def test_what_had_no_bars_is_empty(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-01-29 15:59 20\n2019-01-30 09:30 19\n15:59 22")
    tiny.release("AMD", "2019-01-29", "post")
    row = only(tiny)
    assert moves(row) == {"gap": -5.0, "day_low": -5.0, "day_high": 10.0, "day_close": 10.0}
    assert row["post_low_at"] is pd.NaT


def test_a_session_without_a_regular_bar_has_no_return(tiny: TinyStore) -> None:
    """The close of another session is not the close of this one."""
    tiny.bars("AMD", BARS.replace("2019-01-31 15:59  23.0", "2019-02-01 15:59  23.0"))
    tiny.release("AMD", "2019-01-29", "post")
    row = only(tiny)
    assert np.isnan(row["ret_1"])
    assert row["ret_5"] == pytest.approx(0.05)


def test_excursions_need_the_whole_span(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS[: BARS.index("2019-02-06")])
    tiny.release("AMD", "2019-01-29", "post")
    row = only(tiny)
    assert row["ret_1"] == pytest.approx(0.15)
    assert np.isnan(row["mae_5"])
    assert np.isnan(row["mfe_5"])


def test_bars_that_had_ended_before_the_release_are_no_reaction(tiny: TinyStore) -> None:
    """At 16:20:30 the bar of 16:20 was running, that of 16:10 was over."""
    tiny.bars("AMD", BARS)
    tiny.take(
        [
            release("AMD", "2019-01-29 16:20:30", fiscal_period="a"),
            release("AMD", "2019-01-29 16:21:00", fiscal_period="b"),
            release("AMD", "2019-01-30 07:00:00", fiscal_period="c"),
        ]
    )
    frame = reactions(tiny.store, interval="1m").frame
    assert (frame["post_high"] * 100).round(6).tolist()[:2] == [-3.0, -6.0]
    assert np.isnan(frame["post_high"][2])
    assert frame["post_low_at"].map(clock).tolist() == ["2019-01-29 16:20", "2019-01-29 19:00", ""]
    assert (frame["pre_low"] * 100).round(6).tolist() == [-7.0] * 3


def test_a_release_in_the_session_has_a_last_price_before(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS)
    tiny.take(
        [
            release("AMD", "2019-01-30 09:30:00", fiscal_period="at the open"),
            release("AMD", "2019-01-30 12:00:00", fiscal_period="noon"),
            release("AMD", "2019-01-30 15:59:30", fiscal_period="in the last minute"),
            release("AMD", "2019-01-30", "regular", fiscal_period="session"),
            release("AMD", "2019-01-30", "pre", fiscal_period="before"),
        ]
    )
    frame = reactions(tiny.store, interval="1m").frame.set_index("fiscal_period")
    assert (frame["reference_close"] == 20).all()
    assert frame["last_before"].dropna().to_dict() == {
        "at the open": 19.4,
        "noon": 19.0,
        "in the last minute": 19.0,
        "session": 19.4,
    }
    assert frame["session"].to_dict() == {
        "at the open": "regular",
        "noon": "regular",
        "in the last minute": "regular",
        "session": "regular",
        "before": "pre",
    }


@pytest.mark.parametrize(
    ("when", "session"),
    [
        ("2019-02-12 00:00:00", "pre"),  # from midnight on, as the label of a source says
        ("2019-02-12 03:59:00", "pre"),
        ("2019-02-12 09:29:59", "pre"),
        ("2019-02-12 09:30:00", "regular"),
        ("2019-02-12 15:59:59", "regular"),
        ("2019-02-12 16:00:00", "post"),
        ("2019-02-12 20:00:00", "post"),
        ("2019-02-12 23:59:59", "post"),
        ("2019-02-16 12:00:00", "closed"),  # a Saturday
        ("2019-02-18 17:00:00", "closed"),  # Presidents' Day
    ],
)
def test_an_exact_release_is_labelled_as_its_session_would_be(when: str, session: str) -> None:
    events = pd.DataFrame(
        {
            "exchange": ["XNYS"],
            "announced_from": pd.DatetimeIndex([ny(when)]).as_unit("us"),
            "announced_to": pd.DatetimeIndex([ny(when)]).as_unit("us"),
            "precision": ["exact"],
            "session": [""],
        }
    )
    assert list(session_labels(events)) == [session]


def test_an_exchange_without_extended_hours_has_mornings_and_evenings(tiny: TinyStore) -> None:
    tiny.store.add_instrument("SAP", exchange="XETR", currency="EUR")
    tiny.daily("SAP", flat_days("2019-01-28", "2019-02-08", 90.0, "XETR"), exchange="XETR")
    times = ("07:00:00", "10:00:00", "18:00:00")
    tiny.take(
        [
            release("SAP", f"2019-01-30 {time}", exchange="XETR", fiscal_period=time)
            for time in times
        ]
    )
    assert reactions(tiny.store).frame["session"].tolist() == ["pre", "regular", "post"]


def test_a_bare_date_has_no_session_and_reacts_the_day_after(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-01-28 15:59 16\n" + BARS)
    tiny.release("AMD", "2019-01-29", "")
    row = only(tiny)
    assert row["session"] == ""
    assert (str(row["reference_date"].date()), row["reference_close"]) == ("2019-01-28", 16.0)
    assert str(row["reaction_date"].date()) == "2019-01-30"
    assert row["gap"] == pytest.approx(19 / 16 - 1)


def test_dividends_that_go_ex_after_the_reference_close_are_added_back(tiny: TinyStore) -> None:
    """On the reaction day its first bar, in the morning, trades without the dividend."""
    tiny.bars("AMD", BARS)
    tiny.take(
        [
            ActionRecord("AMD", "dividend", ny(day).date(), cash)
            for day, cash in (("2019-01-29 12:00", 9.0), ("2019-01-30 12:00", 1.0),
                              ("2019-01-31 12:00", 0.5))
        ]
    )  # fmt: skip
    tiny.release("AMD", "2019-01-29", "post")
    expected = {
        "post_low": -10.0,
        "post_high": -1.0,
        "post_last": -7.0,
        "pre_low": -2.0,
        "pre_high": 3.0,
        "pre_last": 2.0,
        "gap": 0.0,
        "day_low": -1.0,
        "day_high": 17.0,
        "day_close": 15.0,
        "ret_1": 22.5,
        "ret_5": 12.5,
        "ret_20": -12.5,
        "mae_5": -7.5,
        "mfe_5": 27.5,
    }
    assert moves(only(tiny)) == expected


def test_splits_inside_the_window_are_no_reaction(tiny: TinyStore) -> None:
    """2:1 on the reaction day: later prices halve, volumes double, nothing happened."""
    whole = parse_bars(BARS, Interval.M1)
    after = whole["start"] >= int(ny("2019-01-30 00:00").timestamp() * 1_000_000)
    for name in ("open", "high", "low", "close"):
        whole.loc[after, name] /= 2
    tiny.bars("AMD", BARS, source="whole")
    tiny.bars("AMD", whole, source="split")
    tiny.release("AMD", "2019-01-29", "post")
    expected = moves(only(tiny, source="whole"))
    tiny.split("AMD", "2019-01-30", 2)
    row = only(tiny, source="split")
    assert moves(row) == expected
    assert row["reference_close"] == 20.0


def test_the_last_price_before_is_as_traded(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS)
    tiny.split("AMD", "2019-06-03", 4)
    tiny.release("AMD", "2019-01-30 12:00:00")
    assert only(tiny)["last_before"] == pytest.approx(19.0)


def test_the_reference_close_is_as_traded(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days("2019-01-28", "2019-01-31", 20.0))
    tiny.split("AMD", "2019-06-03", 4)
    tiny.release("AMD", "2019-01-29", "post")
    assert only(tiny, "1d")["reference_close"] == 20.0


def test_a_bar_that_contradicts_itself_is_judged_by_its_open_too(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS.replace("19.2 19.4 18.0 18.4", "17.0 19.4 18.0 18.4"))
    tiny.release("AMD", "2019-01-29", "post")
    assert only(tiny)["post_low"] == pytest.approx(-0.15)


def test_the_funnel_adds_up(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS)
    tiny.store.add_instrument("LATE", valid_from=ny("2024-01-01").date())
    tiny.take(
        [
            release("AMD", "2019-01-29", "post", fiscal_period="a"),
            release("AMD", "2019-02-28", "post", fiscal_period="b"),
            release("AMD", "2019-02-14", "post", fiscal_period="c"),
            release("INTC", "2019-01-29", "post"),
            release("LATE", "2019-01-29", "post"),
        ]
    )
    found = reactions(tiny.store, interval="1m")
    assert found.funnel.to_dict("records") == [
        {"reason": "no instrument", "events": 1, "share": 0.2, "left": 4},
        {"reason": "no bars", "events": 1, "share": 0.2, "left": 3},
        {"reason": "outside the price history", "events": 1, "share": 0.2, "left": 2},
        {"reason": "no reference close", "events": 1, "share": 0.2, "left": 1},
        {"reason": "measured", "events": 1, "share": 0.2, "left": 1},
    ]
    assert sorted(found.left_out["symbol"]) == ["AMD", "AMD", "INTC", "LATE"]
    assert found.funnel["events"].sum() == len(tiny.store.events())


def test_nothing_measurable_is_an_empty_frame_with_all_columns(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS)
    tiny.release("INTC", "2019-01-29", "post")
    found = reactions(tiny.store)
    assert len(found.frame) == 0
    assert "mfe_5" in found.frame.columns
    assert found.funnel["events"].tolist() == [1, 0]


def test_no_event_at_all_is_an_empty_frame(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS)
    found = reactions(tiny.store)
    assert len(found.frame) == 0
    assert found.funnel.to_dict("list")["events"] == [0]


def test_only_the_chosen_events_are_measured(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days("2019-01-02", "2019-06-28", 20.0))
    tiny.daily("INTC", flat_days("2019-01-02", "2019-06-28", 20.0))
    for symbol in ("AMD", "INTC"):
        tiny.take(
            [
                release(symbol, day, "post", fiscal_period=day)
                for day in ("2019-01-29", "2019-04-30")
            ]
        )
    assert len(reactions(tiny.store).frame) == 4
    assert set(reactions(tiny.store, symbols=["AMD"]).frame["symbol"]) == {"AMD"}
    late = reactions(tiny.store, since=ny("2019-03-01"))
    assert late.frame["fiscal_period"].tolist() == ["2019-04-30"] * 2
    early = reactions(tiny.store, until=ny("2019-03-01"))
    assert early.frame["fiscal_period"].tolist() == ["2019-01-29"] * 2
    with pytest.raises(UsageError, match=r"'AMDD'(.|\n)*'AMD'"):
        reactions(tiny.store, symbols=["AMDD"])


def test_news_is_measured_from_its_publication(tiny: TinyStore) -> None:
    """One row an item and company; an item without a company is no event."""
    tiny.bars("AMD", BARS)
    tiny.take(
        [
            headline("AMD falls", "2019-01-29 16:20:30", "AMD", "INTC"),
            headline("AMD falls!", "2019-01-29 16:45:00", "AMD"),
            headline("The weather", "2019-01-29 17:00:00"),
            headline("AMD in the morning", "2019-01-30 07:00:00", "AMD"),
        ]
    )
    found = reactions(tiny.store, kind="news")
    assert found.frame["announced_from"].map(clock).tolist() == [
        "2019-01-29 16:20",
        "2019-01-30 07:00",
    ]
    assert (found.frame["post_high"][0] * 100).round(6) == -3.0
    assert found.left_out["reason"].tolist() == ["no bars"]
    assert found.funnel["events"].sum() == 3
    assert found.frame["event_id"].is_unique


def test_two_exchanges_have_their_own_dates(tiny: TinyStore) -> None:
    tiny.store.add_instrument("SAP", exchange="XETR", currency="EUR")
    tiny.daily("SAP", "2019-04-18 90\n2019-04-23 99\n2019-04-24 99", exchange="XETR")
    tiny.daily("AMD", "2019-04-18 20\n2019-04-22 22\n2019-04-23 24")
    tiny.take([release("SAP", "2019-04-18 18:00:00", exchange="XETR")])
    tiny.take([release("AMD", "2019-04-18", "post")])
    frame = reactions(tiny.store).frame.set_index("symbol")
    # Easter Monday is a holiday in Frankfurt and none in New York.
    assert frame["reaction_date"].map(str).str[:10].to_dict() == {
        "SAP": "2019-04-23",
        "AMD": "2019-04-22",
    }
    assert frame["ret_1"].to_dict() == pytest.approx({"SAP": 0.1, "AMD": 0.2})


def test_a_renamed_company_is_one_instrument(tiny: TinyStore) -> None:
    tiny.daily("FB", flat_days("2022-06-06", "2022-06-08", 200.0))
    tiny.store.rename("FB", "META", ny("2022-06-09").date())
    tiny.daily("META", flat_days("2022-06-09", "2022-06-13", 190.0))
    tiny.release("FB", "2022-06-08", "post")
    for name in ("FB", "META"):
        row = only(tiny, "1d", symbols=[name])
        assert row["day_close"] == pytest.approx(-0.05)


def test_slices_in_any_order_reduce_alike() -> None:
    values = np.array([5.0, 3.0, 8.0, 1.0, 9.0])
    lo = np.array([3, 0, 1, 2, 0, 4])
    hi = np.array([5, 2, 1, 5, 5, 5])
    assert slice_reduce(np.minimum, values, lo, hi, np.inf).tolist() == [1, 3, np.inf, 1, 1, 9]
    assert slice_reduce(np.maximum, values, lo, hi, -np.inf).tolist() == [9, 5, -np.inf, 9, 9, 9]
    empty = np.array([], dtype=np.int64)
    assert slice_reduce(np.minimum, values, empty, empty, np.inf).tolist() == []


# Real bars


def minutes_of(real_data: Path, symbol: str, first: str, last: str) -> pd.DataFrame:
    """Minute bars as `parse_bars` gives them, from the first date to the last."""
    ts = pd.Timestamp(first), pd.Timestamp(last) + pd.Timedelta(days=1)
    frame = pd.read_parquet(
        real_data / "intraday_1m" / f"{symbol}.parquet",
        filters=[("ts", ">=", ts[0]), ("ts", "<", ts[1])],
    )
    start = frame["ts"].dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    frame.insert(0, "start", start.astype("datetime64[us, UTC]").astype("int64"))
    return frame.drop(columns="ts").sort_values("start", ignore_index=True)


def test_amd_of_january_2019(tiny: TinyStore, real_data: Path) -> None:
    """The case of the data's own description."""
    tiny.bars("AMD", minutes_of(real_data, "AMD", "2019-01-28", "2019-02-01"))
    tiny.release("AMD", "2019-01-29", "post")
    row = only(tiny)
    assert row["reference_close"] == 19.24
    assert clock(row["post_low_at"]) == "2019-01-29 16:15"
    assert row["post_low"] == pytest.approx(18.01 / 19.24 - 1)
    assert round(row["post_low"], 3) == -0.064
    assert round(row["day_close"], 3) == 0.202


def test_daily_bars_agree_with_the_minutes_they_are_made_of(
    tiny: TinyStore, real_data: Path
) -> None:
    minutes = minutes_of(real_data, "UBER", "2020-07-20", "2020-12-10")
    tiny.bars("UBER", minutes)
    tiny.daily("UBER", daily_from_minutes(minutes))
    tiny.take([release("UBER", "2020-08-06", "post"), release("UBER", "2020-11-05", "post")])
    fine, coarse = (reactions(tiny.store, interval=i).frame for i in ("1m", "1d"))
    shared = ["reference_close", "gap", "day_low", "day_high", "day_close"]
    shared += ["ret_1", "ret_5", "ret_20", "mae_5", "mfe_5"]
    assert len(fine) == 2
    np.testing.assert_allclose(fine[shared], coarse[shared], rtol=1e-12)
    assert fine["post_low"].notna().all()
    assert coarse["post_low"].isna().all()
    assert fine["reference_close"].tolist()[1] == 41.82


def test_tesla_s_split_is_no_reaction_once_it_is_known(tiny: TinyStore, real_data: Path) -> None:
    tiny.bars("TSLA", minutes_of(real_data, "TSLA", "2020-08-27", "2020-09-02"))
    tiny.release("TSLA", "2020-08-28", "post")
    assert only(tiny)["gap"] == pytest.approx(-0.8, abs=0.01)
    tiny.split("TSLA", "2020-08-31", 5)
    row = only(tiny)
    assert abs(row["gap"]) < 0.05
    assert row["reference_close"] > 2000
    assert abs(row["post_low"]) < 0.05
