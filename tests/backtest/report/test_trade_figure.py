"""One trade's chart: exchange time, phases, windows, marks."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtest.report.data import NewsItem
from backtest.report.figures import trade_figure, trade_spec
from backtest.report.figures.candles import (
    coarsened,
    exchange_candles,
    gaps,
    labels,
    phase_spans,
    with_offset,
)
from backtest.report.figures.candles import (
    stamp as text_of,
)
from tests.backtest.report.builder import (
    SIX_BARS,
    bars,
    daily_detail,
    minute_detail,
    six_bar_detail,
    stamp,
)


def traces(spec: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Traces of that name that are drawn (the legend's own have no data)."""
    return [t for t in spec["data"] if t.get("name", "").startswith(name) and t["x"] != [None]]


def candles_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [t for t in spec["data"] if t["type"] == "candlestick"]


def headings(spec: dict[str, Any]) -> list[str]:
    return [a["text"] for a in spec["layout"]["annotations"]]


def test_six_bars_are_one_panel_of_candles_at_the_middle_of_their_minutes() -> None:
    spec = trade_spec(six_bar_detail())
    (candles,) = candles_of(spec)
    assert candles["x"][3] == "2020-11-05T16:11:30"
    assert (candles["open"][3], candles["high"][3]) == (39.95, 40.80)
    assert (candles["low"][3], candles["close"][3]) == (39.95, 40.75)
    assert candles["hovertext"][3] == (
        "2020-11-05 16:11 -05:00 post<br>O 39.95 H 40.80 L 39.95 C 40.75"
        "<br>close −2.56\u00a0% from reference<br>2,500 shares"
    )
    assert candles["hovertext"][4].endswith("volume unknown")
    assert headings(spec) == ["<b>1-minute candles</b>"]
    title = spec["layout"]["xaxis"]["title"]["text"]
    assert title == "exchange time, America/New_York (UTC-05:00)"


def test_marks_stand_at_their_instants_and_prices() -> None:
    spec = trade_spec(six_bar_detail(limit=40.95))
    (entry,), (leave,) = traces(spec, "entry"), traces(spec, "exit")
    assert (entry["x"], entry["y"]) == (["2020-11-05 16:12:00"], [40.64])
    assert entry["hovertext"] == "entry 40.64, −2.82\u00a0%, 2020-11-05 16:12 -05:00"
    assert (leave["x"], leave["y"]) == (["2020-11-06 09:30:00"], [44.70])
    (decision,) = traces(spec, "decision")
    assert decision["x"] == ["2020-11-05 16:12:00"] * 2
    (reference,) = traces(spec, "reference")
    assert reference["x"] == ["2020-11-05 16:00:00", "2020-11-06 09:31:00"]
    assert reference["y"] == [41.82, 41.82]
    (target,), (limit,) = traces(spec, "target"), traces(spec, "limit")
    assert target["x"] == ["2020-11-05 16:12:00", "2020-11-06 09:30:00"]
    assert limit["y"] == [40.95, 40.95]
    (news,) = traces(spec, "news")
    assert news["hovertext"] == "Results are out<br>2020-11-05 16:03 -05:00"


def test_levels_and_instants_that_are_unknown_are_left_out() -> None:
    nan = float("nan")
    spec = trade_spec(
        six_bar_detail(
            target=nan,
            stop=nan,
            reference=nan,
            news=(),
            decided_at=None,
            exit_at=None,
            reference_at=None,
        )
    )
    names = {t["name"] for t in spec["data"] if "name" in t}
    assert names == {"entry 40.64", "after hours", "closing auction"}
    assert "yaxis21" not in spec["layout"]


def test_the_axis_of_moves_is_the_axis_of_prices_in_other_words() -> None:
    layout = trade_spec(six_bar_detail())["layout"]
    low, high = layout["yaxis"]["range"]
    assert layout["yaxis21"]["range"] == pytest.approx([low / 41.82 - 1, high / 41.82 - 1])
    lowest, highest = 38.20, 44.95  # the stop and the last bar's high
    assert low < lowest
    assert highest < high


def test_a_headlines_markup_is_text_in_the_chart() -> None:
    item = NewsItem(stamp("2020-11-05 16:03"), "<a href='javascript:x'>&lt;b>", "", "")
    (news,) = traces(trade_spec(six_bar_detail(news=[item])), "news")
    assert news["hovertext"].startswith("&lt;a href='javascript:x'&gt;&amp;lt;b&gt;<br>")


def test_news_of_the_night_stands_at_the_next_bar() -> None:
    item = NewsItem(stamp("2020-11-06 02:00"), "at night", "", "")
    (news,) = traces(trade_spec(six_bar_detail(news=[item])), "news")
    assert news["x"] == ["2020-11-06 09:30:00"]
    assert "2020-11-06 02:00 -05:00" in news["hovertext"]


def test_nights_are_skipped_and_minutes_without_trades_are_not() -> None:
    skipped = gaps(exchange_candles(six_bar_detail()))
    assert [(text_of(a), text_of(b)) for a, b in skipped] == [
        ("2020-11-05 16:13:00", "2020-11-06 09:30:00")
    ]


def test_weekends_are_skipped_between_daily_bars_alone() -> None:
    skipped = gaps(exchange_candles(daily_detail()).part(0, 8))
    assert [(text_of(a)[:10], text_of(b)[:10]) for a, b in skipped] == [
        ("2012-10-06", "2012-10-08")
    ]


def test_phases_last_until_the_next_and_the_auction_its_minute() -> None:
    spans = phase_spans(exchange_candles(six_bar_detail()))
    assert [(phase, text_of(a)[11:], text_of(b)[11:]) for phase, a, b in spans] == [
        ("auction", "16:00:00", "16:01:00"),
        ("post", "16:01:00", "16:13:00"),
    ]


def test_a_pre_market_lasts_to_the_open_however_thin() -> None:
    frame = bars(
        [
            ("2020-11-05 04:30", 10, 10, 10, 10, 1, "pre"),
            ("2020-11-05 09:30", 10, 10, 10, 10, 1, "regular"),
            ("2020-11-06 05:00", 10, 10, 10, 10, 1, "pre"),
        ]
    )
    spans = phase_spans(exchange_candles(six_bar_detail(bars=frame)))
    assert [(text_of(a)[5:16], text_of(b)[5:16]) for _, a, b in spans] == [
        ("11-05 04:30", "11-05 09:30"),
        ("11-06 05:00", "11-06 05:01"),
    ]


def test_a_change_of_the_clock_shows_in_the_offsets() -> None:
    frame = bars(
        [
            ("2020-10-30 15:59", 10, 10, 10, 10, 1, "regular"),
            ("2020-11-02 09:30", 10, 10, 10, 10, 1, "regular"),
        ]
    )
    detail = six_bar_detail(bars=frame)
    assert labels(exchange_candles(detail)) == [
        "2020-10-30 15:59 -04:00",
        "2020-11-02 09:30 -05:00",
    ]
    title = trade_spec(detail)["layout"]["xaxis"]["title"]["text"]
    assert title.endswith("(UTC-04:00 then -05:00)")


def test_an_offset_of_half_an_hour_is_kept() -> None:
    assert with_offset(stamp("2020-11-05 16:12:30"), "Asia/Kolkata") == "2020-11-06 02:42:30 +05:30"
    detail = six_bar_detail(tz="Asia/Kolkata")
    assert labels(exchange_candles(detail))[0] == "2020-11-06 02:29 +05:30"


def test_coarser_candles_keep_range_ends_and_volume_and_no_phase_is_crossed() -> None:
    fine = exchange_candles(minute_detail(1, sessions=6))
    coarse = coarsened(fine, most=400)
    assert 200 < len(coarse) <= 400
    assert coarse.minutes == 15
    assert coarse.volume.sum() == fine.volume.sum()
    assert (coarse.high.max(), coarse.low.min()) == (fine.high.max(), fine.low.min())
    assert (coarse.open[0], coarse.close[-1]) == (fine.open[0], fine.close[-1])
    assert (np.diff(coarse.start.astype(np.int64)) > 0).all()
    opening = np.flatnonzero(coarse.phase == "regular")[0]
    assert text_of(coarse.start[opening])[11:] == "09:30:00"
    assert set(coarse.phase) == {"pre", "regular", "post"}
    whole_days = coarsened(fine, most=100)
    assert (whole_days.length, len(whole_days)) == ("daily", 6)


def test_of_very_many_sessions_those_around_the_trade_are_shown() -> None:
    detail = daily_detail(count=900)
    (candles,) = candles_of(trade_spec(detail))
    assert len(candles["x"]) <= 250
    assert candles["x"][0] == "2012-10-01T12:00:00"
    assert candles["x"][-1] > "2012-12"
    assert [len(t["x"]) for t in traces(trade_spec(detail), "exit")] == [1]


def test_few_candles_stay_as_they_are() -> None:
    fine = exchange_candles(six_bar_detail())
    assert coarsened(fine, most=6) is fine


def test_many_minutes_are_shown_whole_and_around_entry_and_exit() -> None:
    detail = minute_detail(1)
    spec = trade_spec(detail)
    assert headings(spec) == [
        "<b>Whole trade, 15-minute candles</b>",
        "<b>Around the entry, 1-minute candles</b>",
        "<b>Around the exit, 1-minute</b>",
    ]
    whole, entry, leave = candles_of(spec)
    assert max(len(t["x"]) for t in (whole, entry, leave)) <= 400
    assert detail.entry_at is not None
    assert entry["x"][0].startswith("2020-11-05T15:30")
    assert (
        entry["x"][0] < f"{detail.entry_at.tz_convert(detail.tz):%Y-%m-%dT%H:%M}" < entry["x"][-1]
    )
    assert [t["xaxis"] for t in traces(spec, "entry")] == ["x", "x2"]
    assert [t["xaxis"] for t in traces(spec, "exit")] == ["x", "x3"]


def test_an_exit_soon_after_the_entry_shares_its_panel() -> None:
    detail = minute_detail(1)
    soon = detail.bars["time"].iloc[int(np.searchsorted(detail.bars["time"], detail.entry_at)) + 60]
    spec = trade_spec(replace(detail, exit_at=soon))
    assert len(headings(spec)) == 2
    assert [t["xaxis"] for t in traces(spec, "exit")] == ["x", "x2"]


def test_a_trailing_stop_is_drawn_where_it_was() -> None:
    trail = [np.nan, np.nan, np.nan, np.nan, 38.5, 41.0]
    spec = trade_spec(six_bar_detail(bars=SIX_BARS.assign(trail=trail)))
    (line,) = traces(spec, "trailing stop")
    assert line["y"] == [None, None, None, None, 38.5, 41.0]


def test_a_bar_without_a_price_is_left_out_and_none_at_all_is_said() -> None:
    hole = SIX_BARS.assign(open=SIX_BARS["open"].where(SIX_BARS.index != 2))
    assert len(candles_of(trade_spec(six_bar_detail(bars=hole)))[0]["x"]) == 5
    nothing = six_bar_detail(bars=SIX_BARS[:0])
    assert trade_spec(nothing) == {}
    assert trade_figure(nothing).layout.annotations[0].text.startswith("No bars")


@pytest.mark.parametrize(
    "detail", [six_bar_detail(), daily_detail(), minute_detail(2), minute_detail(3, sessions=30)]
)
def test_plotly_accepts_every_value_of_the_chart(detail: Any) -> None:
    figure = trade_figure(detail, title="<AMD>")
    assert figure.layout.title.text == "&lt;AMD&gt;"
    assert any(trace.type == "candlestick" for trace in figure.data)
