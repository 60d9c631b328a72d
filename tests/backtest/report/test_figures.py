"""The figures about all events and trades.  Building one also has plotly check every value."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtest.report.figures import (
    average_path_figure,
    base_rate_figure,
    equity_figure,
    exit_reasons_figure,
    funnel_figure,
    returns_figure,
    seeds_figure,
)
from tests.backtest.report.builder import equity_frame, path_frame, report_data


def funnel(*rows: tuple[str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["reason", "events"])


def rates(*rows: tuple[Any, ...]) -> pd.DataFrame:
    columns = ["group", "events", "dates", "share", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "low_independent", "high_independent"])


def note(figure: Any) -> str:
    return str(figure.layout.annotations[0].text)


def test_the_funnels_bars_begin_where_the_one_before_ended_and_end_in_the_trades() -> None:
    figure = funnel_figure(funnel(("trade", 2), ("no bars", 5), ("not triggered", 3)))
    bars, texts = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["all events", "no bars", "not triggered", "trade"]
    assert list(zip(bars.base, bars.x, strict=True)) == [(0, 10), (5, 5), (2, 3), (0, 2)]
    assert [text.strip() for text in texts.text] == [
        "10 (100.0\u00a0%)",
        "5 (50.0\u00a0%)",
        "3 (30.0\u00a0%)",
        "2 (20.0\u00a0%)",
    ]


def test_a_funnels_numbers_stay_inside_the_chart() -> None:
    figure = funnel_figure(funnel(("a", 4), ("b", 50), ("c", 20), ("trade", 26)))
    texts = figure.data[1]
    # Beside the bar on the side with room, or in one that is long enough.
    assert list(zip(texts.x, texts.textposition, strict=True)) == [
        (0, "middle right"),
        (96, "middle left"),
        (46, "middle right"),
        (46, "middle right"),
        (26, "middle right"),
    ]


def test_a_long_reason_breaks_into_lines_that_have_room() -> None:
    short = funnel_figure(funnel(("no bars", 1), ("trade", 1)))
    long = funnel_figure(funnel(("not triggered: fell, but did not turn <up>", 1), ("trade", 1)))
    assert long.layout.yaxis.ticktext[1] == "not triggered: fell, but did<br>not turn &lt;up&gt;"
    assert long.layout.height > short.layout.height


def test_an_average_path_has_its_band_and_the_count_behind_it() -> None:
    path = path_frame().assign(group=lambda frame: frame["group"] + " <b>")
    figure = average_path_figure(path, unit="a unit", interval="an interval")
    named = [trace.name for trace in figure.data if trace.showlegend is not False]
    assert named == ["an interval", "fall of 5 % or more &lt;b&gt;", "fall of 3 to 5 % &lt;b&gt;"]
    band, mean, events = figure.data[1:4]
    rows = path[path["group"].str.startswith("fall of 5")]
    assert list(mean.y) == rows["mean"].tolist()
    assert list(band.y) == [*rows["high"], *rows["low"][::-1]]
    assert list(events.y) == rows["n"].tolist()
    assert figure.layout.yaxis.zeroline
    assert figure.layout.yaxis2.rangemode == "tozero"
    assert list(figure.layout.xaxis.ticktext) == ["16:00", "18:00", "20:00", "22:00", "24:00"]


def test_a_path_without_an_interval_is_a_line_alone() -> None:
    path = path_frame().query("group == 'fall of 3 to 5 %'").assign(low=math.nan, high=math.nan)
    kinds = [trace.fill for trace in average_path_figure(path).data]
    assert "toself" not in kinds


def test_base_rates_show_both_intervals_from_zero_and_never_beyond_all() -> None:
    figure = base_rate_figure(
        rates(
            ("all", 52, 45, 0.10, 0.03, 0.17, 0.04, 0.21),
            ("one", 1, 1, 1.0, math.nan, math.nan, 0.2, 1.0),
            ("none", 0, 0, math.nan, math.nan, math.nan, math.nan, math.nan),
        ),
        outcome="up",
    )
    clustered, independent, share = figure.data
    assert list(clustered.x) == [0.03, 0.17, None]
    assert list(independent.x) == [0.04, 0.21, None, 0.2, 1.0, None]
    assert list(share.x) == [0.10, 1.0]
    assert list(figure.layout.xaxis.range) == [0, 1.02]
    assert figure.layout.title.text == "Base rate: up"
    assert "52 events on 45 dates" in figure.layout.yaxis.ticktext[0]


def test_equity_is_dated_by_the_exchange_and_the_drawdown_is_from_the_highest_close() -> None:
    # The close of 16:00 in New York is the next day in Tokyo, and the same in UTC.
    index = pd.DatetimeIndex(["2020-01-02 21:00", "2020-01-03 21:00", "2020-01-06 21:00"], tz="UTC")
    frame = pd.DataFrame({"equity": [100.0, 80.0, 120.0], "benchmark": np.nan}, index=index)
    figure = equity_figure(frame)
    equity, drawdown = figure.data
    assert list(equity.x) == ["2020-01-02", "2020-01-03", "2020-01-06"]
    assert list(equity.y) == [100.0, 80.0, 120.0]
    assert list(drawdown.y) == [0.0, -0.2, 0.0]
    assert equity_figure(frame, tz="Asia/Tokyo").data[0].x[0] == "2020-01-03"


def test_an_axis_is_logarithmic_only_where_values_span_a_factor_of_four() -> None:
    frame = equity_frame(10)
    assert equity_figure(frame).layout.yaxis.type == "linear"
    wide = equity_figure(frame.assign(equity=np.geomspace(100, 500, 10), benchmark=np.nan))
    assert wide.layout.yaxis.type == "log"
    assert "log scale" in wide.layout.yaxis.title.text
    ruined = equity_figure(frame.assign(equity=np.linspace(100, 0, 10), benchmark=np.nan))
    assert ruined.layout.yaxis.type == "linear"


def test_a_benchmark_with_holes_is_drawn_with_holes() -> None:
    frame = equity_frame(4)
    frame.iloc[0, 1] = math.nan
    benchmark = equity_figure(frame, benchmark="<i>SPY").data[2]
    assert benchmark.y[0] is None
    assert benchmark.name == "&lt;i&gt;SPY"


def test_exit_reasons_show_what_they_returned_by_sign() -> None:
    exits = pd.DataFrame(
        {"reason": ["target", "stop", "never"], "trades": [3, 2, 0], "mean_return": [0.1, -0.06, 0]}
    )
    figure = exit_reasons_figure(exits)
    count, mean = figure.data
    assert list(figure.layout.yaxis.ticktext) == ["target", "stop"]
    assert list(count.x) == [3, 2]
    assert list(mean.text) == ["+10.00\u00a0%", "−6.00\u00a0%"]
    assert len(set(mean.marker.color)) == 2
    assert figure.layout.xaxis2.range[0] < -0.06 < 0.1 < figure.layout.xaxis2.range[1]


def test_no_bin_of_returns_straddles_zero_and_none_is_lost() -> None:
    values = pd.Series([-0.05, -0.0499, -0.001, 0.0, 0.001, 0.05, 0.1, math.nan])
    bars = returns_figure(values).data[0]
    edges = np.asarray(bars.customdata)
    assert sum(bars.y) == 7
    assert not ((edges[:, 0] < 0) & (edges[:, 1] > 0)).any()
    losses = sum(n for n, (_, high) in zip(bars.y, edges, strict=True) if high <= 0)
    assert losses == 3


def test_few_trades_are_more_than_two_bars_and_many_are_no_comb() -> None:
    few = returns_figure(pd.Series([-0.06] * 7 + [0.01] * 19 + [0.10] * 12)).data[0]
    assert len(few.x) > 8
    wide = pd.Series(np.append(np.linspace(-0.01, 0.01, 5000), 5.0))
    assert len(returns_figure(wide).data[0].x) <= 82


@pytest.mark.parametrize("value", [0.0123, -0.0123, 0.0, 45.0])
def test_a_single_return_is_one_bar_beside_zero(value: float) -> None:
    figure = returns_figure(pd.Series([value]))
    assert sum(figure.data[0].y) == 1
    low, high = figure.layout.xaxis.range
    assert low < min(value, 0) <= max(value, 0) < high


def test_the_means_interval_is_shaded() -> None:
    values = pd.Series([-0.1, 0.1, 0.2])
    shade = returns_figure(values, low=-0.02, high=0.15).layout.shapes[0]
    assert (shade.x0, shade.x1) == (-0.02, 0.15)
    assert not returns_figure(values).layout.shapes


def test_other_seeds_stand_beside_this_one() -> None:
    figure = seeds_figure(np.array([0.1, math.nan, 0.3, 0.2]), own=0.25)
    seeds, middle, own = figure.data
    assert list(seeds.x) == [0.1, 0.2, 0.3]
    assert seeds.name == "3 other seeds"
    assert list(middle.x) == pytest.approx([0.11, 0.29])
    assert list(own.x) == [0.25]
    assert len(seeds_figure(np.array([0.1])).data) == 2


def test_figures_of_nothing_say_so() -> None:
    empty = report_data(trades=0, events=0)
    assert note(funnel_figure(empty.funnel)) == "No events"
    assert note(average_path_figure(path_frame().assign(mean=math.nan))) == "No path to average"
    assert note(base_rate_figure(rates())) == "No measurable events"
    assert note(exit_reasons_figure(empty.exit_reasons)) == "No trades"
    assert note(returns_figure(empty.trades["return_net"])) == "No trades"
    assert note(equity_figure(equity_frame(0))) == "The account was never marked"
    assert note(seeds_figure(np.empty(0))) == "No other seed was tried"
