"""The join: which bars an event gets, in which frame, and why others get none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtest.panel.arrays import as_panel_array, ever, first
from backtest.panel.build import build_panel, load_panel, require_interval
from db.batches import ActionRecord
from db.calendar import Phase
from db.errors import DataError, UsageError
from db.intervals import Interval
from tests.tiny_store import TinyStore, clock, column, flat_days, padded, release, us

EVENING = """
    2019-01-28 15:59  19.80
    2019-01-29 09:30  19.90
               15:59  20.00 20.02 19.99 20.00
               16:00  20.10 25.00 10.00 20.10   # the closing auction
               16:20  19.60 19.60 19.00 19.00
               19:59  19.20
    2019-01-30 04:00  19.10
               09:29  19.00
               09:30  18.60 18.90 18.50 18.80
               15:59  20.70 20.90 20.60 20.80
               16:00  20.80
               16:05  21.00
    2019-01-31 09:30  21.10
               15:59  21.20
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


def ends(panel: object, row: int = 0) -> list[str]:
    p = panel  # columns that hold a bar
    return [clock(int(end))[5:] for end in p.end[row][p.real[row]]]  # type: ignore[attr-defined]


def test_the_window_runs_from_the_reference_close_through_the_reaction_session(
    tiny: TinyStore,
) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29", "post")
    panel = tiny.panel()
    expected = ["01-29 16:21", "01-29 20:00", "01-30 04:01", "01-30 09:30", "01-30 09:31"]
    assert ends(panel) == [*expected, "01-30 16:00"]
    assert column(panel.close) == [19.00, 19.20, 19.10, 19.00, 18.80, 20.80]
    assert column(panel.low)[0] == 19.00
    assert panel.reference[0, 0] == 20.00
    phases = [Phase(p).label for p in panel.phase[0]]
    assert phases == ["post", "post", "pre", "pre", "regular", "regular"]
    assert panel.in_phase("post", "pre").sum() == 4


def test_the_auction_s_bar_is_nowhere(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29", "post")
    table = tiny.panel().table
    assert us("2019-01-29 16:00") not in table.start
    assert 25.00 not in table.high
    assert (table.phase != Phase.AUCTION).all()


@pytest.mark.parametrize(
    ("when", "session", "first_bar"),
    [
        ("2019-01-29 16:00:00", None, "01-29 16:21"),
        ("2019-01-29 18:00:00", None, "01-29 16:21"),  # the window opens at the close all the same
        ("2019-01-30", "pre", "01-29 16:21"),
        ("2019-01-30 09:30:00", None, "01-29 16:21"),
        ("2019-01-30 15:59:59", None, "01-29 16:21"),
        ("2019-01-29 15:59:59", None, "01-29 09:31"),
        ("2019-01-29", "regular", "01-29 09:31"),
    ],
)
def test_the_window_opens_at_the_last_close_before_the_release(
    tiny: TinyStore, when: str, session: str | None, first_bar: str
) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", when, session)
    assert ends(tiny.panel())[0] == first_bar


def test_a_bare_date_spans_two_sessions(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29", "")
    panel = tiny.panel()
    assert panel.reference[0, 0] == 19.80
    assert ends(panel)[0] == "01-29 09:31"
    assert ends(panel)[-1] == "01-30 16:00"


def test_the_last_price_before_a_release_is_of_a_bar_that_had_ended(tiny: TinyStore) -> None:
    """At 16:20:30 the bar of 16:20 was still running: the reference close is the last price."""
    tiny.bars("AMD", EVENING)
    tiny.take(
        [
            release("AMD", "2019-01-29 16:20:30", fiscal_period="a"),
            release("AMD", "2019-01-29 16:21:00", fiscal_period="b"),
            release("AMD", "2019-01-30 12:00:00", fiscal_period="c"),
        ]
    )
    panel = tiny.panel()
    assert np.asarray(panel.before)[:, -1].tolist() == [20.00, 19.00, 18.80]
    assert padded(panel.before, 2)[:5] == [None] * 5  # not known before the release
    assert column(panel.minutes)[0] == 0.5


def test_a_half_day_ends_its_window_at_13(tiny: TinyStore) -> None:
    tiny.bars(
        "AMD",
        """
        2023-11-22 15:59  20
        2023-11-24 09:30  21
                   12:59  22
                   13:00  30
                   13:01  23
                   16:00  24
        """,
    )
    tiny.release("AMD", "2023-11-22", "post")
    assert column(tiny.panel().close) == [21, 22]


def test_hourly_bars_have_stubs_at_the_open_and_the_close(tiny: TinyStore) -> None:
    """The bar that starts at the close is the evening's first, and no auction."""
    tiny.bars(
        "AMD",
        """
        2019-01-29 15:30  20
                   16:00  19
        2019-01-30 09:00  18
                   09:30  18.5
                   15:30  21
        """,
        interval="1h",
    )
    tiny.release("AMD", "2019-01-29", "post")
    panel = tiny.panel("1h")
    assert panel.reference[0, 0] == 20
    assert ends(panel) == ["01-29 17:00", "01-30 09:30", "01-30 10:30", "01-30 16:00"]


def reasons(tiny: TinyStore, interval: str = "1m", **options: object) -> list[str]:
    return list(tiny.join(interval, **options).left_out["reason"])


def without(clocks: str) -> str:
    """`EVENING` without the lines of a day and clock."""
    day = ""
    kept = []
    for line in EVENING.strip().split("\n"):
        words = line.split()
        day = words[0] if words[0].startswith("2019") else day
        at = words[1] if words[0].startswith("2019") else words[0]
        if not f"{day} {at}".startswith(clocks):
            kept.append(f"{day} {line.strip().removeprefix(day)}")
    return "\n".join(kept)


def test_an_event_without_bars_says_so(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("INTC", "2019-01-29", "post")
    assert reasons(tiny) == ["no bars"]


def test_a_symbol_that_named_nothing_then_is_no_instrument(tiny: TinyStore) -> None:
    tiny.store.add_instrument("META", valid_from=pd.Timestamp("2022-06-09").date())
    tiny.bars("AMD", EVENING)
    tiny.release("META", "2019-01-29", "post")
    assert reasons(tiny) == ["no instrument"]


@pytest.mark.parametrize("when", ["2018-12-03", "2019-01-28", "2019-01-31", "2035-12-30"])
def test_events_before_and_after_the_bars_are_outside_the_price_history(
    tiny: TinyStore, when: str
) -> None:
    """On the first day there is no close before, on the last none after."""
    tiny.daily("AMD", flat_days("2019-01-28", "2019-01-31", 20.0))
    tiny.release("AMD", when, "pre" if when == "2019-01-28" else "post")
    assert reasons(tiny, "1d") == ["outside the price history"]


@pytest.mark.parametrize("when", ["1975-06-02 17:00", "1989-12-29 17:00", "2050-06-01 17:00"])
def test_events_beyond_the_calendar_are_outside_the_price_history(
    tiny: TinyStore, when: str
) -> None:
    tiny.daily("AMD", flat_days("2019-01-28", "2019-01-31", 20.0))
    tiny.release("AMD", when)
    assert reasons(tiny, "1d") == ["outside the price history"]


def test_a_halt_at_the_reference_close_leaves_none(tiny: TinyStore) -> None:
    """The close of the day before is not the last regular close at the release."""
    tiny.bars("AMD", without("2019-01-29 15:59").replace("2019-01-29   09:30  19.90", ""))
    tiny.release("AMD", "2019-01-29", "post")
    join = tiny.join()
    assert list(join.left_out["reason"]) == []  # it traded at 09:30: that is its last regular bar
    assert join.panel.reference[0, 0] == 19.90


def test_a_session_without_a_regular_bar_leaves_no_reference_close(tiny: TinyStore) -> None:
    halted = "\n".join(
        line for line in without("2019-01-29 15:59").split("\n") if "09:30  19.90" not in line
    )
    tiny.bars("AMD", halted)
    tiny.release("AMD", "2019-01-29", "post")
    assert reasons(tiny) == ["no reference close"]


def test_a_reaction_session_of_extended_hours_alone_is_none(tiny: TinyStore) -> None:
    tiny.bars("AMD", without("2019-01-30 09:30").replace("15:59  20.70", "16:10  20.70"))
    tiny.release("AMD", "2019-01-29", "post")
    assert reasons(tiny) == ["no reaction session"]


def test_a_single_bar_measures_nothing(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-01-29 15:59 20")
    tiny.take(
        [
            release("AMD", "2019-01-29", "post", fiscal_period="a"),
            release("AMD", "2019-01-29", "pre", fiscal_period="b"),
        ]
    )
    assert reasons(tiny) == ["outside the price history"] * 2


def test_the_neighbour_s_bars_are_never_borrowed(tiny: TinyStore) -> None:
    """A's last bar is followed in the table by B's first, and B's first is preceded by A's last."""
    tiny.bars("A", "2019-01-29 15:59 20")
    tiny.bars("B", "2019-01-30 09:30 30\n2019-01-30 15:59 31")
    tiny.take([release("A", "2019-01-29", "post"), release("B", "2019-01-29", "post")])
    assert reasons(tiny) == ["outside the price history"] * 2


def test_an_empty_table_of_bars_leaves_every_event_out(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days("2019-01-28", "2019-01-31", 20.0))
    tiny.release("INTC", "2019-01-29", "post")
    events = tiny.store.events()
    join = build_panel(tiny.store, events, Interval.D1)
    assert len(join.panel) == 0
    assert join.panel.close.shape == (0, 2)
    assert list(join.left_out["reason"]) == ["no bars"]


def test_no_event_at_all_is_an_empty_panel(tiny: TinyStore) -> None:
    tiny.daily("AMD", "2019-01-29 20")
    join = build_panel(tiny.store, tiny.store.events(), Interval.D1)
    assert (len(join.panel), len(join.left_out)) == (0, 0)


SPLIT_DAYS = """
    2020-08-27  500 510 490 500
    2020-08-28  500 510 490 500   # reference close, as traded
    2020-08-31  100 112 98 110    # 5:1: opens flat, closes +10 %
    2020-09-01  110 111 109 110
"""


def test_a_split_between_reference_and_reaction_is_no_reaction(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT_DAYS)
    tiny.release("TSLA", "2020-08-28", "post")
    raw = tiny.panel("1d")
    assert (raw.open[0, 0] / raw.reference[0, 0]) == pytest.approx(0.2)  # the trap
    tiny.split("TSLA", "2020-08-31", 5)
    panel = tiny.panel("1d")
    assert panel.open[0, 0] / panel.reference[0, 0] == pytest.approx(1.0)
    assert panel.close[0, 0] / panel.reference[0, 0] == pytest.approx(1.1)
    assert panel.reference[0, 0] == pytest.approx(500)  # as traded
    assert panel.table.volume.tolist() == [5e6, 5e6, 1e6, 1e6]


def test_a_later_split_changes_nothing_that_a_strategy_sees(tiny: TinyStore) -> None:
    """A rule on the price itself (no stock below 5) must not know how often it was to split."""
    tiny.daily(
        "TSLA", SPLIT_DAYS.split("2020-08-31", maxsplit=1)[0] + "2020-08-31 520\n2020-09-01 110"
    )
    tiny.release("TSLA", "2020-08-28", "post")
    before = tiny.panel("1d")
    names = ("open", "low", "close", "volume")
    seen = [column(getattr(before, name))[0] for name in names]
    tiny.split("TSLA", "2020-09-01", 5)
    tiny.split("TSLA", "2023-08-25", 3)
    after = tiny.panel("1d")
    assert [column(getattr(after, name))[0] for name in names] == pytest.approx(seen)
    assert after.reference[0, 0] == pytest.approx(500)


def test_a_split_before_the_bars_changes_no_factor(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT_DAYS)
    tiny.split("TSLA", "2020-08-03", 2)
    tiny.release("TSLA", "2020-08-31", "post")
    panel = tiny.panel("1d")
    assert panel.scale.tolist() == [1.0]
    assert panel.reference[0, 0] == 110


def test_a_split_that_two_sources_report_is_applied_once(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT_DAYS)
    tiny.split("TSLA", "2020-08-31", 5, source="vendor")
    tiny.split("TSLA", "2020-08-31", 5, source="exchange")
    tiny.dividend("TSLA", "2020-08-31", 1.0, source="vendor")
    tiny.dividend("TSLA", "2020-08-31", 1.0, source="exchange")
    tiny.release("TSLA", "2020-08-28", "post")
    panel = tiny.panel("1d")
    assert panel.open[0, 0] / panel.reference[0, 0] == pytest.approx(1.0)
    assert panel.table.dividend.sum() == pytest.approx(1.0)


def test_the_bars_own_source_speaks_of_its_splits(tiny: TinyStore) -> None:
    tiny.split("TSLA", "2020-08-31", 4, source="rumour")
    tiny.split("TSLA", "2020-08-31", 5, source="file")
    tiny.daily("TSLA", SPLIT_DAYS, source="file")
    tiny.release("TSLA", "2020-08-28", "post")
    panel = tiny.panel("1d")
    assert panel.open[0, 0] / panel.reference[0, 0] == pytest.approx(1.0)


def test_two_payments_of_one_source_on_one_date_both_count(tiny: TinyStore) -> None:
    """A regular and a special dividend."""
    tiny.daily("TSLA", SPLIT_DAYS)
    day = pd.Timestamp("2020-09-01").date()
    tiny.take([ActionRecord("TSLA", "dividend", day, cash) for cash in (1.0, 2.5)])
    tiny.release("TSLA", "2020-08-28", "post")
    assert tiny.panel("1d").table.dividend.tolist() == [0, 0, 0, 3.5]


def test_split_adjusted_bars_are_left_alone_and_give_traded_prices_back(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT_DAYS.replace("500 510 490 500", "100 102 98 100"), adjusted="splits")
    tiny.split("TSLA", "2020-08-31", 5)
    tiny.dividend("TSLA", "2020-08-28", 1.0)
    tiny.release("TSLA", "2020-08-28", "post")
    panel = tiny.panel("1d")
    assert panel.table.close.tolist() == [100, 100, 110, 110]
    assert panel.reference[0, 0] == 500
    assert panel.scale.tolist() == [5.0]
    assert panel.table.dividend.tolist() == [0, 0.2, 0, 0]  # 1.00 of a share that was split


def test_fully_adjusted_bars_get_no_action_and_no_volume_for_fills(tiny: TinyStore) -> None:
    tiny.daily("TSLA", SPLIT_DAYS.replace("500 510 490 500", "99 101 97 99"), adjusted="all")
    tiny.split("TSLA", "2020-08-31", 5)
    tiny.dividend("TSLA", "2020-08-31", 1.0)
    tiny.release("TSLA", "2020-08-28", "post")
    panel = tiny.panel("1d")
    assert panel.reference[0, 0] == 99
    assert panel.scale.tolist() == [1.0]
    assert not panel.table.dividend.any()
    # Prices less dividends times traded volumes is no money: nothing may be capped by it.
    assert np.isnan(panel.paths.volume).all()
    assert panel.volume[0, 0] == 1_000_000


def test_an_event_keeps_its_instrument_through_a_rename(tiny: TinyStore) -> None:
    tiny.daily("FB", flat_days("2022-06-06", "2022-06-08", 200.0))
    tiny.store.rename("FB", "META", pd.Timestamp("2022-06-09").date())
    tiny.daily("META", flat_days("2022-06-09", "2022-06-13", 190.0))
    tiny.take([release("FB", "2022-06-08", "post")])
    panel = tiny.panel("1d")
    assert panel.reference[0, 0] == 200
    assert panel.close[0, 0] == 190  # the reaction session is called META


def test_two_exchanges_in_one_panel_keep_their_own_hours(tiny: TinyStore) -> None:
    tiny.store.add_instrument("SAP", exchange="XETR", currency="EUR")
    tiny.bars(
        "SAP",
        """
        2019-01-29 17:29  90
        2019-01-30 09:00  95
                   17:29  96
        """,
        exchange="XETR",
    )
    tiny.bars("AMD", EVENING)
    tiny.take([release("AMD", "2019-01-29", "post")])
    tiny.take([release("SAP", "2019-01-29 17:30:00", exchange="XETR")])
    panel = tiny.panel()
    rows = {symbol: i for i, symbol in enumerate(panel.events["symbol"])}
    sap, amd = rows["SAP"], rows["AMD"]
    assert panel.reference[sap, 0] == 90
    assert column(panel.close, sap) == [95, 96]
    assert panel.reference[amd, 0] == 20
    assert clock(int(panel.end[sap, 0]), "Europe/Berlin") == "2019-01-30 09:01"


def test_bars_that_no_session_holds_are_left_out(tiny: TinyStore) -> None:
    """A daily bar before 1990 or on a holiday has no place in the order of sessions."""
    days = """
        2019-01-28 20
        2019-01-29 20
        2019-01-30 21
    """
    from tests.tiny_store import parse_bars

    frame = parse_bars(days, Interval.D1)
    stray = frame.iloc[:2].assign(start=[us("1962-01-02 09:30"), us("2019-01-21 09:30")])
    for symbol in ("AMD", "INTC"):
        tiny.daily(symbol, pd.concat([stray, frame]).sort_values("start"))
    tiny.take([release("AMD", "2019-01-29", "post"), release("INTC", "2019-01-29", "post")])
    panel = tiny.panel("1d")
    assert len(panel.table) == 6
    assert panel.close[:, 0].tolist() == [21, 21]
    assert (panel.paths.lead == [0, 3]).all()


def test_only_bars_near_events_are_kept_of_minutes(tiny: TinyStore) -> None:
    far = "\n".join(f"2019-06-{day:02d} 10:00 30" for day in (3, 4, 5))
    tiny.bars("AMD", EVENING + far)
    tiny.release("AMD", "2019-01-29", "post")
    table = tiny.panel().table
    assert clock(int(table.start[-1])) == "2019-01-31 15:59"


def test_a_source_and_a_version_are_read_as_asked(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days("2019-01-28", "2019-01-31", 20.0))
    version = tiny.store.versions()["bars_1d"]
    tiny.daily("AMD", flat_days("2019-01-28", "2019-01-31", 25.0))
    tiny.daily("AMD", flat_days("2019-01-28", "2019-01-31", 30.0), source="other")
    tiny.release("AMD", "2019-01-29", "post")
    assert tiny.panel("1d", source="other").reference[0, 0] == 30
    assert tiny.panel("1d", source="file").reference[0, 0] == 25
    assert tiny.panel("1d", source="file", version=version).reference[0, 0] == 20
    with pytest.raises(UsageError, match="--source"):
        tiny.panel("1d")


def test_load_panel_is_the_panel_of_the_measurable(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.take([release("AMD", "2019-01-29", "post"), release("INTC", "2019-01-29", "post")])
    assert list(load_panel(tiny.store).events["symbol"]) == ["AMD"]


def test_the_interval_is_the_one_asked_for_or_the_usual_or_the_only_one(tiny: TinyStore) -> None:
    with pytest.raises(DataError, match="no bars"):
        require_interval(tiny.store, None)
    tiny.bars("AMD", EVENING)
    assert require_interval(tiny.store, None, "1d") is Interval.M1
    with pytest.raises(UsageError, match=r"no 1d bars(.|\n)*--interval 1m"):
        require_interval(tiny.store, "1d")
    tiny.bars("AMD", EVENING.replace("16:20", "16:05"), interval="5m")
    with pytest.raises(UsageError, match="several intervals"):
        require_interval(tiny.store, None)
    assert require_interval(tiny.store, None, "5m") is Interval.M5
    tiny.daily("AMD", "2019-01-29 20")
    assert require_interval(tiny.store, None) is Interval.D1
    assert require_interval(tiny.store, "1m", "1d") is Interval.M1


def test_an_unknown_phase_is_answered_with_the_nearest(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29", "post")
    with pytest.raises(UsageError, match=r"'posst'(.|\n)*'post'"):
        tiny.panel().in_phase("posst")


def test_panel_arrays_look_back_and_never_ahead() -> None:
    values = as_panel_array([[3.0, np.nan, 1.0, 2.0]])
    assert values.running_min()[0].tolist() == [3, 3, 1, 1]
    assert values.running_max()[0].tolist() == [3, 3, 3, 3]
    assert values.running_sum()[0].tolist() == [3, 3, 4, 6]
    assert values.lag(0)[0, 0] == 3
    assert np.isnan(values.lag()[0, 0])
    assert values.lag(2)[0, 2:].tolist()[0] == 3
    assert np.isnan(np.asarray(values.lag(4))).all()
    assert np.isnan(np.asarray(values.lag(9))).all()
    with pytest.raises(UsageError, match=r"lag\(-1\) would look ahead"):
        values.lag(-1)


def test_a_strategy_cannot_write_into_the_panel(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.release("AMD", "2019-01-29", "post")
    panel = tiny.panel()
    with pytest.raises(ValueError, match="read-only"):
        panel.close[0, 0] = 1.0


def test_padding_triggers_nothing(tiny: TinyStore) -> None:
    tiny.bars("AMD", EVENING)
    tiny.bars("INTC", without("2019-01-30 04:00").replace("2019-01-30   09:29  19.00", ""))
    tiny.take([release("AMD", "2019-01-29", "post"), release("INTC", "2019-01-29", "post")])
    panel = tiny.panel()
    short = int(panel.real.sum(axis=1).argmin())
    assert not panel.real[short].all()
    assert not (panel.close > 0)[short, -1]
    assert not (panel.close <= 1e9)[short, -1]
    assert panel.end[short, -1] == np.iinfo(np.int64).max


def test_first_and_ever() -> None:
    mask = np.array([[False, True, True], [False, False, False]])
    assert first(mask).tolist() == [[False, True, False], [False, False, False]]
    assert ever(mask).tolist() == [True, False]
    assert first(np.zeros((0, 0), dtype=bool)).shape == (0, 0)
