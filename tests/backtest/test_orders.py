"""From decisions to orders: which bar decides, which phase the order is for, how long it lives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtest import EventPanel, FillRules, Strategy, ever, limit_on_open, on_open
from backtest.execution import OrderKind
from backtest.orders import Decisions, decide, rank_values
from backtest.panel.build import schedule_known
from db.errors import UsageError
from tests.tiny_store import TinyStore, clock, flat_days, ny, release, us

DAY1, DAY2, DAY3 = "2019-01-29", "2019-01-30", "2019-01-31"
BARS = """
    2019-01-29 15:59  20
               16:05  19
               16:06  18
               19:58  17
               19:59  16
    2019-01-30 04:00  15
               09:25  14
               09:29  13
               09:30  12
               12:00  11
               15:58  10
               15:59  9
    2019-01-31 09:30  8
               15:59  7
"""
Marks = Callable[[EventPanel], Any]


@dataclass(frozen=True)
class Anything(Strategy):
    """Enters wherever ``marks`` says."""

    marks: Marks = field(default=lambda p: np.zeros(p.real.shape, dtype=bool))
    ranks: Marks = field(default=lambda p: None)
    reasons: Marks = field(default=lambda p: {})

    def entries(self, p: EventPanel) -> Any:
        return self.marks(p)

    def rank(self, p: EventPanel) -> Any:
        return self.ranks(p)

    def why_not(self, p: EventPanel) -> Any:
        return self.reasons(p)


def strategy(*phases: str, same: bool = False, **fields: Any) -> Anything:
    """A strategy that enters in these phases."""
    attributes = {"phases": phases or ("regular",), "same_print": same}
    return type("Named", (Anything,), attributes)(**fields)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[TinyStore]:
    with TinyStore(tmp_path) as store:
        yield store


@pytest.fixture(scope="module")
def whole_panel(tmp_path_factory: pytest.TempPathFactory) -> EventPanel:
    with TinyStore(tmp_path_factory.mktemp("orders")) as store:
        store.bars("AMD", BARS)
        store.release("AMD", DAY1, "post")
        panel = store.panel()
        # Read while the store is open: what a release said is asked for only when needed.
        assert not (panel.surprise > 0).any()
        assert not (panel.guidance("revenue") > 0).any()
        return panel


@pytest.fixture
def panel(whole_panel: EventPanel) -> EventPanel:
    """The same panel of which nothing has been read yet."""
    return dataclasses.replace(whole_panel, reads=set())


def decided(panel: EventPanel, chosen: Strategy, known: str | None = None, **rules: float) -> Any:
    """`decide`, with the schedule known from the reference close on or from ``known``."""
    since = panel.sessions.reference_close
    if known is not None:
        since = np.full(len(panel), us(known))
    return decide(chosen, panel, since, FillRules(**rules))


def at_end(*ends: str) -> Marks:
    """Marks the bars that end at these times."""
    wanted = [us(end) for end in ends]
    return lambda p: np.isin(p.end, wanted)


def order(decisions: Decisions, row: int = 0) -> tuple[str, str, str]:
    """(kind, decided at, expires at), or the reason instead of a kind."""
    orders = decisions.orders
    kind = OrderKind(orders.kind[row]).name.lower()
    if kind == "none":
        return str(decisions.reason[row]), "", ""
    assert decisions.reason[row] == ""
    return kind, clock(int(orders.decided_at[row])), clock(int(orders.expires_at[row]))


ALL = ("pre", "regular", "post")


@pytest.mark.parametrize(
    ("end", "phases", "expected"),
    [
        # in the evening
        (f"{DAY1} 16:06", ("post",), ("limit", f"{DAY1} 16:06", f"{DAY1} 16:11")),
        (f"{DAY1} 16:06", ALL, ("limit", f"{DAY1} 16:06", f"{DAY1} 16:11")),
        (f"{DAY1} 16:06", ("regular",), ("market", f"{DAY1} 16:06", f"{DAY2} 16:00")),
        (f"{DAY1} 16:06", ("pre",), ("too late", "", "")),
        (f"{DAY1} 16:06", ("pre", "regular"), ("too late", "", "")),
        # the life of a limit order ends with the phase
        (f"{DAY1} 19:59", ("post",), ("limit", f"{DAY1} 19:59", f"{DAY1} 20:00")),
        # at 20:00 the evening is over, and the morning is hours away
        (f"{DAY1} 20:00", ("post",), ("too late", "", "")),
        (f"{DAY1} 20:00", ("post", "pre"), ("too late", "", "")),
        (f"{DAY1} 20:00", ("post", "regular"), ("market", f"{DAY1} 20:00", f"{DAY2} 16:00")),
        # in the morning
        (f"{DAY2} 04:01", ("pre",), ("limit", f"{DAY2} 04:01", f"{DAY2} 04:06")),
        (f"{DAY2} 09:26", ("pre", "post"), ("limit", f"{DAY2} 09:26", f"{DAY2} 09:30")),
        (f"{DAY2} 09:26", ALL, ("limit", f"{DAY2} 09:26", f"{DAY2} 09:30")),
        # at 09:30 the morning is over
        (f"{DAY2} 09:30", ("pre",), ("too late", "", "")),
        (f"{DAY2} 09:30", ("post", "pre"), ("too late", "", "")),
        (f"{DAY2} 09:30", ALL, ("market", f"{DAY2} 09:30", f"{DAY2} 16:00")),
        (f"{DAY2} 09:30", ("regular",), ("market", f"{DAY2} 09:30", f"{DAY2} 16:00")),
        # in the session
        (f"{DAY2} 12:01", ("regular",), ("market", f"{DAY2} 12:01", f"{DAY2} 16:00")),
        (f"{DAY2} 12:01", ("post",), ("too late", "", "")),
        (f"{DAY2} 15:59", ("regular",), ("market", f"{DAY2} 15:59", f"{DAY2} 16:00")),
        (f"{DAY2} 15:59", ("post",), ("limit", f"{DAY2} 15:59", f"{DAY2} 16:04")),
        # at the close
        (f"{DAY2} 16:00", ("post",), ("limit", f"{DAY2} 16:00", f"{DAY2} 16:05")),
        (f"{DAY2} 16:00", ("regular",), ("market", f"{DAY2} 16:00", f"{DAY3} 16:00")),
        (f"{DAY2} 16:00", ("pre",), ("too late", "", "")),
    ],
)
def test_an_order_is_for_the_phase_open_now_or_next(
    panel: EventPanel, end: str, phases: tuple[str, ...], expected: tuple[str, str, str]
) -> None:
    assert order(decided(panel, strategy(*phases, marks=at_end(end)))) == expected


def test_on_a_half_day_the_evening_ends_at_17(tiny: TinyStore) -> None:
    tiny.bars(
        "AMD",
        """
        2023-11-22 15:59  20
        2023-11-24 09:30  20
                   12:58  20
                   12:59  19
                   16:58  18
        2023-11-27 15:59  18
        """,
    )
    tiny.take(
        [
            release("AMD", "2023-11-22", "post", fiscal_period="a"),
            release("AMD", "2023-11-24", "post", fiscal_period="b"),
        ]
    )
    panel = tiny.panel()
    marks = at_end("2023-11-24 12:59", "2023-11-24 16:59")
    regular = decided(panel, strategy("regular", marks=marks))
    evening = decided(panel, strategy("post", marks=marks))
    assert order(regular, 0)[2] == "2023-11-24 13:00"
    assert order(evening, 0)[2] == "2023-11-24 13:04"
    assert order(evening, 1)[2] == "2023-11-24 17:00"
    assert order(regular, 1)[2] == "2023-11-27 16:00"


def test_without_extended_hours_every_order_is_for_the_session(tiny: TinyStore) -> None:
    tiny.store.add_instrument("SAP", exchange="XETR")
    tiny.bars("SAP", "2019-01-29 17:29 90\n2019-01-30 09:00 95\n17:29 96", exchange="XETR")
    tiny.take([release("SAP", "2019-01-29 18:00:00", exchange="XETR")])
    panel = tiny.panel()
    first_minute = lambda p: np.arange(p.width) == np.zeros((len(p), 1))  # noqa: E731
    decisions = decided(panel, strategy(*ALL, marks=first_minute))
    assert order(decisions) == ("market", "2019-01-30 03:01", "2019-01-30 11:30")
    evening = decided(panel, strategy("post", marks=first_minute))
    assert order(evening)[0] == "no bars in phase" or order(evening)[0] == "too late"


def test_a_limit_order_lives_as_long_as_the_rules_say(panel: EventPanel) -> None:
    chosen = strategy("post", "pre", marks=at_end(f"{DAY1} 16:06"))
    assert order(decided(panel, chosen, limit_life=30))[2] == f"{DAY1} 16:36"
    assert order(decided(panel, chosen, limit_life=0.5))[2] == f"{DAY1} 16:06"
    # Twelve hours reach into the next morning, but no further than the evening's end.
    assert order(decided(panel, chosen, limit_life=720))[2] == f"{DAY1} 20:00"


def test_an_order_is_dead_when_its_life_ends_as_the_phase_begins(panel: EventPanel) -> None:
    chosen = strategy("post", marks=at_end(f"{DAY2} 15:59"))
    assert order(decided(panel, chosen, limit_life=1))[0] == "too late"
    assert order(decided(panel, chosen, limit_life=2))[2] == f"{DAY2} 16:01"


def test_the_limit_is_the_deciding_close_and_the_next_bar_may_fill(panel: EventPanel) -> None:
    orders = decided(panel, strategy("post", marks=at_end(f"{DAY1} 16:06"))).orders
    assert orders.limit[0] == 19
    assert clock(int(panel.table.start[orders.from_bar[0]])) == f"{DAY1} 16:06"


def test_the_first_mark_counts(panel: EventPanel) -> None:
    marks = at_end(f"{DAY1} 16:07", f"{DAY2} 12:01", f"{DAY1} 19:59")
    assert order(decided(panel, strategy("post", marks=marks)))[1] == f"{DAY1} 16:07"


def test_a_mark_before_the_event_is_known_does_not_count(panel: EventPanel) -> None:
    marks = at_end(f"{DAY1} 16:06", f"{DAY2} 12:01")
    late = decided(panel, strategy(marks=marks), known=f"{DAY1} 18:00")
    assert order(late)[1] == f"{DAY2} 12:01"
    never = decided(panel, strategy(marks=marks), known=f"{DAY2} 12:02")
    assert order(never)[0] == "event not known in time"
    just = decided(panel, strategy(marks=marks), known=f"{DAY2} 12:01")
    assert order(just)[1] == f"{DAY2} 12:01"


def test_marks_in_padding_do_not_count(panel: EventPanel) -> None:
    padding = lambda p: ~p.real | np.zeros(p.real.shape, dtype=bool)  # noqa: E731
    assert order(decided(panel, strategy(marks=padding)))[0] == "not triggered"


def test_no_mark_is_not_triggered(panel: EventPanel) -> None:
    assert order(decided(panel, strategy()))[0] == "not triggered"


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda p: p.close, "returned float64, not bool"),
        (lambda p: None, "returned object, not bool"),
        (lambda p: np.zeros(len(p), dtype=bool), r"the shape \(1,\), not events x bars \(1, 11\)"),
        (lambda p: np.zeros((11, 1), dtype=bool), "the shape"),
        (lambda p: limit_on_open(np.zeros(7)), r"\(7,\) prices for 1 events"),
        (lambda p: limit_on_open(p.close), r"\(1, 11\) prices for 1 events"),
    ],
)
def test_a_result_of_the_wrong_kind_is_refused(
    panel: EventPanel, result: Marks, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        decided(panel, strategy(marks=result))


def test_a_strategy_without_entries_is_refused(panel: EventPanel) -> None:
    @dataclass(frozen=True)
    class Undecided(Strategy):
        pass

    with pytest.raises(UsageError, match="Undecided does not say when it enters"):
        decided(panel, Undecided())


# limit on open


def below(fraction: float) -> Marks:
    return lambda p: limit_on_open(p.reference * (1 - fraction))


def test_a_limit_on_open_is_placed_two_minutes_before_the_open(panel: EventPanel) -> None:
    decisions = decided(panel, strategy(marks=below(0.05)))
    assert order(decisions) == ("limit_on_open", f"{DAY2} 09:28", f"{DAY2} 09:30")
    assert decisions.orders.limit[0] == pytest.approx(19)
    assert clock(int(panel.table.start[decisions.orders.from_bar[0]])) == f"{DAY2} 09:30"


def test_an_event_known_after_the_cutoff_cannot_be_bought_at_the_open(panel: EventPanel) -> None:
    at_cutoff = decided(panel, strategy(marks=below(0.05)), known=f"{DAY2} 09:28")
    assert order(at_cutoff)[0] == "limit_on_open"
    after = decided(panel, strategy(marks=below(0.05)), known=f"{DAY2} 09:29")
    assert order(after)[0] == "event not known in time"


def test_no_limit_is_no_order(panel: EventPanel) -> None:
    nothing = lambda p: limit_on_open(np.full(len(p), np.nan))  # noqa: E731
    assert order(decided(panel, strategy(marks=nothing)))[0] == "not triggered"


def test_a_release_during_the_session_cannot_be_bought_at_its_open(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days(DAY1, DAY3, 20.0))
    tiny.release("AMD", f"{DAY2} 12:00:00")
    panel = tiny.panel("1d")
    known = schedule_known(tiny.store, panel.events, panel.sessions, strict=False)
    decisions = decide(strategy(marks=below(-0.5)), panel, known, FillRules())
    assert order(decisions)[0] == "event not known in time"


def test_a_limit_in_shares_of_the_reference_close_survives_a_split(tiny: TinyStore) -> None:
    """475 is 95 after the 5:1 split that lies between the close and the open."""
    tiny.daily("TSLA", "2020-08-28 500\n2020-08-31 94\n2020-09-01 94")
    tiny.split("TSLA", "2020-08-31", 5)
    tiny.release("TSLA", "2020-08-28", "post")
    panel = tiny.panel("1d")
    decisions = decided(panel, strategy(marks=below(0.05)))
    assert decisions.orders.limit[0] == pytest.approx(95)
    assert panel.table.open[decisions.orders.from_bar[0]] == 94


# reading the open


def opens_below(level: float) -> Marks:
    return lambda p: on_open(p.open <= level)


def test_a_decision_at_an_open_fills_on_the_bar_after(panel: EventPanel) -> None:
    decisions = decided(panel, strategy(marks=opens_below(12)))
    assert order(decisions) == ("market", f"{DAY2} 09:30", f"{DAY2} 16:00")
    assert clock(int(panel.table.start[decisions.orders.from_bar[0]])) == f"{DAY2} 12:00"
    assert not decisions.same_print.any()


def test_a_limit_order_decided_at_an_open_knows_the_open_alone(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS.replace("16:05  19", "16:05  19 21 18 20.5"))
    tiny.release("AMD", DAY1, "post")
    panel = tiny.panel()
    orders = decided(panel, strategy("post", marks=opens_below(19))).orders
    assert orders.limit[0] == 19  # not the close of 20.50, which is a minute away
    assert clock(int(orders.decided_at[0])) == f"{DAY1} 16:05"


def test_daily_bars_cannot_fill_what_read_their_open(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days(DAY1, DAY3, 20.0))
    tiny.release("AMD", DAY1, "post")
    panel = tiny.panel("1d")
    with pytest.raises(UsageError, match=r"that same price(.|\n)*limit_on_open"):
        decided(panel, strategy(marks=opens_below(99)))
    decisions = decided(panel, strategy(same=True, marks=opens_below(99)))
    assert order(decisions) == ("same_print", f"{DAY2} 09:30", f"{DAY2} 09:31")
    assert decisions.same_print.all()
    assert clock(int(panel.table.start[decisions.orders.from_bar[0]])) == f"{DAY2} 09:30"


def test_the_same_print_of_a_finer_bar_is_marked_too(panel: EventPanel) -> None:
    decisions = decided(panel, strategy(same=True, marks=opens_below(12)))
    assert order(decisions)[0] == "same_print"
    assert clock(int(panel.table.start[decisions.orders.from_bar[0]])) == f"{DAY2} 09:30"


def test_on_daily_bars_a_decision_at_the_close_fills_the_day_after(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days(DAY1, DAY3, 20.0))
    tiny.release("AMD", DAY1, "post")
    decisions = decided(tiny.panel("1d"), strategy(marks=lambda p: p.close > 0))
    assert order(decisions) == ("market", f"{DAY2} 16:00", f"{DAY3} 16:00")


# reasons


def test_no_bar_in_the_phases_is_said(tiny: TinyStore) -> None:
    tiny.bars("AMD", "2019-01-29 15:59 20\n2019-01-30 09:30 18\n15:59 18")
    tiny.release("AMD", DAY1, "post")
    chosen = strategy("post", "pre", marks=lambda p: p.in_phase("post"))
    assert order(decided(tiny.panel(), chosen))[0] == "no bars in phase"


def test_the_strategy_s_first_reason_that_holds_is_said(panel: EventPanel) -> None:
    reasons = lambda p: {  # noqa: E731
        "never so": np.zeros(len(p), dtype=bool),
        "fell too little": ever(p.close > 0)[:, None],
        "and this too": np.ones(len(p), dtype=bool),
    }
    decisions = decided(panel, strategy(reasons=reasons))
    assert order(decisions)[0] == "not triggered: fell too little"


def test_content_that_was_never_known_is_said(panel: EventPanel) -> None:
    chosen = strategy(marks=lambda p: p.surprise > 0.1)
    assert order(decided(panel, chosen))[0] == "content unknown at decision"
    other = strategy(marks=lambda p: p.guidance("revenue") > 0.1)
    assert order(decided(panel, other))[0] == "content unknown at decision"


def test_content_that_was_known_and_too_small_is_not_triggered(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS)
    tiny.release("AMD", DAY1, "post", eps_estimate=1.0, eps_actual=1.01)
    chosen = strategy(marks=lambda p: p.surprise > 0.1)
    assert order(decided(tiny.panel(), chosen))[0] == "not triggered"


# rank


def ranked(panel: EventPanel, chosen: Anything) -> list[float]:
    return [float(x) for x in rank_values(chosen, panel, decided(panel, chosen))]


def test_the_rank_is_read_at_the_decision(panel: EventPanel) -> None:
    marks = at_end(f"{DAY1} 16:07", f"{DAY2} 12:01")
    assert ranked(panel, strategy("post", marks=marks, ranks=lambda p: p.close)) == [18]


def test_without_a_rank_or_a_decision_there_is_none(panel: EventPanel) -> None:
    marks = at_end(f"{DAY1} 16:07")
    assert np.isnan(ranked(panel, strategy("post", marks=marks))).all()
    assert np.isnan(ranked(panel, strategy("post", ranks=lambda p: p.close))).all()


def test_a_limit_on_open_is_ranked_by_what_was_known_when_it_was_placed(
    panel: EventPanel,
) -> None:
    """The bar of 09:25 had ended by 09:28; that of 09:29 had not begun."""
    chosen = strategy(marks=below(0.05), ranks=lambda p: p.close)
    assert ranked(panel, chosen) == [14]


def test_a_decision_at_an_open_is_ranked_by_the_bar_before(panel: EventPanel) -> None:
    chosen = strategy(marks=opens_below(12), ranks=lambda p: p.close)
    assert ranked(panel, chosen) == [13]


def test_daily_bars_know_nothing_before_the_open_to_rank_by(tiny: TinyStore) -> None:
    tiny.daily("AMD", flat_days(DAY1, DAY3, 20.0))
    tiny.release("AMD", DAY1, "post")
    panel = tiny.panel("1d")
    for values in (lambda p: p.close, lambda p: p.open / p.reference, lambda p: p.low):
        assert np.isnan(ranked(panel, strategy(marks=below(-0.5), ranks=values))).all()


def test_one_bar_an_event_is_no_price_an_event(tiny: TinyStore) -> None:
    """With a single bar a window the low of the day would pass for a limit known before it."""
    tiny.daily("AMD", flat_days(DAY1, DAY3, 20.0))
    tiny.release("AMD", DAY1, "post")
    with pytest.raises(UsageError, match="prices for 1 events"):
        decided(tiny.panel("1d"), strategy(marks=lambda p: limit_on_open(p.low)))


def test_one_value_an_event_is_a_rank_too(panel: EventPanel) -> None:
    chosen = strategy(marks=below(0.05), ranks=lambda p: p.reference)
    assert ranked(panel, chosen) == [20]


def test_a_rank_of_another_shape_is_refused(panel: EventPanel) -> None:
    chosen = strategy(marks=below(0.05), ranks=lambda p: np.zeros(5))
    with pytest.raises(UsageError, match=r"rank returned the shape \(5,\)"):
        ranked(panel, chosen)


def test_an_empty_panel_decides_nothing(tiny: TinyStore) -> None:
    tiny.bars("AMD", BARS)
    tiny.release("INTC", DAY1, "post")
    empty = tiny.join().panel
    for marks in (below(0.05), lambda p: p.close <= p.reference, opens_below(1)):
        decisions = decided(empty, strategy(marks=marks, ranks=lambda p: p.close))
        assert len(decisions.reason) == 0
        assert len(rank_values(strategy(ranks=lambda p: p.close), empty, decisions)) == 0
    assert ny(f"{DAY1} 16:00")
