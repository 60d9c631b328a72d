"""No look-ahead, by construction: what comes after a column changes nothing up to it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtest.panel.panel import EventPanel
from db.batches import EventRecord
from tests.tiny_store import NOW, TinyStore, guidance, headline, ny, release, us

EXAMPLES = settings().max_examples // 4
"""Each makes a store: a quarter of what the profile asks for."""
DAYS = ("2019-01-28", "2019-01-29", "2019-01-30", "2019-01-31")
CLOCKS = (
    *("07:00", "09:29", "09:30", "09:31", "12:00", "15:59"),
    *("16:00", "16:01", "16:05", "16:30", "19:59"),
)
RELEASES: tuple[Callable[[Random], EventRecord], ...] = (
    lambda r: release("AMD", "2019-01-29", "post", eps_estimate=1.0, eps_actual=1.5),
    lambda r: release("AMD", "2019-01-30", "pre", eps_estimate=1.0, eps_actual=1.5),
    lambda r: release("AMD", "2019-01-30", "regular", eps_estimate=1.0, eps_actual=1.5),
    lambda r: release("AMD", "2019-01-29", "", eps_estimate=1.0, eps_actual=1.5),
    lambda r: release(
        "AMD",
        f"{r.choice(DAYS[1:3])} {r.choice(CLOCKS)}:{r.choice(('00', '30'))}",
        eps_estimate=1.0,
        eps_actual=1.5,
    ),
)
PRICES = ("open", "high", "low", "close", "volume")


def seen(panel: EventPanel) -> dict[str, np.ndarray]:
    """Everything that a strategy reads, bars across."""
    arrays = {name: getattr(panel, name) for name in PRICES}
    arrays |= {
        "running_min": panel.low.running_min(),
        "running_max": panel.high.running_max(),
        "running_sum": panel.volume.running_sum(),
        "lag": panel.close.lag(2),
        "before": panel.before,
        "minutes": panel.minutes,
        "phase": panel.phase,
        "in_phase": panel.in_phase("post", "pre"),
        "surprise": panel.surprise,
        "guidance": panel.guidance("revenue"),
        "count": panel.news.count,
        "sentiment": panel.news.sentiment,
        "end": np.where(panel.real, panel.end, -1),
        "reference": np.broadcast_to(panel.reference, panel.real.shape),
    }
    return {name: np.asarray(values, dtype=np.float64) for name, values in arrays.items()}


def random_bars(r: Random) -> pd.DataFrame:
    """Bars at some of the clocks of four days; each day's first and last regular bar trade."""
    rows = []
    for day in DAYS:
        for clock in CLOCKS:
            if clock in ("09:30", "15:59") or r.random() < 0.6:
                opened, closed = r.randint(15, 25), r.randint(15, 25)
                low = min(opened, closed) - r.randint(0, 3)
                high = max(opened, closed) + r.randint(0, 3)
                volume = r.choice((100.0, 5000.0, float("nan")))
                rows.append((us(f"{day} {clock}"), opened, high, low, closed, volume))
    return pd.DataFrame(rows, columns=["start", *PRICES])


def changed_after(bars: pd.DataFrame, instant: int, last: int, r: Random) -> pd.DataFrame:
    """The bars with every one that is still running at ``instant`` or later dropped or altered.

    The reaction session's last regular bar stays, or there would be nothing to measure.
    """
    known = bars[bars["start"] < instant]
    later = random_bars(r)
    later = later[(later["start"] >= instant) & (later["start"] != last)]
    later = later[[r.random() < 0.5 for _ in range(len(later))]]
    end = bars[(bars["start"] == last) & (bars["start"] >= instant)].assign(
        open=31.0, high=33.0, low=30.0, close=32.0, volume=7.0
    )
    return pd.concat([known, later, end]).sort_values("start", ignore_index=True)


@settings(max_examples=EXAMPLES)
@given(r=st.randoms(use_true_random=False))
def test_what_comes_after_a_column_changes_nothing_up_to_it(
    r: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bars = random_bars(r)
    with TinyStore(tmp_path_factory.mktemp("whole")) as tiny:
        tiny.take([r.choice(RELEASES)(r)])
        when = f"{r.choice(DAYS[1:3])} {r.choice(CLOCKS)}"
        tiny.take([headline("Something happens at AMD", when, "AMD", sentiment=0.5)])
        tiny.take([guidance("AMD", when, middle=110.0)])
        tiny.bars("AMD", bars, source="whole")
        whole = tiny.panel(source="whole")
        cut = r.randrange(int(whole.real.sum()))
        known_at = int(whole.end[0, cut])
        last = int(whole.table.start[whole.hi[0] - 1])
        tiny.bars("AMD", changed_after(bars, known_at, last, r), source="changed")
        changed = tiny.panel(source="changed")
        expected = seen(whole)
        assert changed.end[0, cut] == known_at
        for name, values in seen(changed).items():
            assert np.array_equal(
                values[:, : cut + 1], expected[name][:, : cut + 1], equal_nan=True
            ), name


def test_the_comparison_would_notice_a_peek() -> None:
    """The test above must be able to fail: a reversed minimum reads what is to come."""
    ahead = np.array([[3.0, 1.0], [3.0, 2.0]])
    peek = np.minimum.accumulate(ahead[:, ::-1], axis=1)[:, ::-1]
    assert peek[0, 0] != peek[1, 0]


@settings(max_examples=EXAMPLES)
@given(r=st.randoms(use_true_random=False))
def test_what_was_not_known_yet_is_in_no_column(
    r: Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Facts that become known after a column's end leave it as if they had never been written."""
    bars = random_bars(r)
    times = [f"{r.choice(DAYS[1:3])} {r.choice(CLOCKS)}:{r.randint(0, 59):02d}" for _ in range(3)]
    with TinyStore(tmp_path_factory.mktemp("facts")) as tiny:
        tiny.bars("AMD", bars)
        tiny.take([release("AMD", "2019-01-29", "post", known="2019-01-10 12:00")])
        empty = seen(tiny.panel())
        tiny.take(
            [
                release(
                    *("AMD", "2019-01-29", "post"),
                    known=times[0],
                    eps_estimate=1.0,
                    eps_actual=float(r.randint(2, 9)),
                )
            ]
        )
        tiny.take([guidance("AMD", "2019-01-29", "post", middle=120.0, known=times[1])])
        tiny.take([headline("AMD does something", times[2], "AMD", sentiment=-1.0)])
        panel = tiny.panel()
        for names, when in (
            (("surprise",), times[0]),
            (("guidance",), times[1]),
            (("count", "sentiment"), times[2]),
        ):
            known = (np.asarray(panel.end) >= us(when)) & panel.real
            for name in names:
                values, before = seen(panel)[name], empty[name]
                assert np.array_equal(values[~known], before[~known], equal_nan=True), name
                if us(when) >= us("2019-01-29 16:00"):
                    assert not np.array_equal(values[known], before[known], equal_nan=True) or (
                        not known.any()
                    ), name
    assert ny(times[0]) < NOW
