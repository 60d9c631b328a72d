"""What a report refuses to be made of."""

from dataclasses import replace

import pandas as pd
import pytest

from backtest.report.data import COLUMNS, ReportData, empty_frame
from db.errors import DataError
from tests.backtest.report.builder import SIX_BARS, report_data, six_bar_detail


def test_a_report_of_nothing_needs_a_title_alone() -> None:
    data = ReportData(title="nothing")
    assert data.trades.empty
    assert list(data.trades.columns) == list(COLUMNS["trades"])


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "bars"])
def test_a_frame_without_a_column_is_refused_by_its_name(name: str) -> None:
    column = COLUMNS[name][0]
    with pytest.raises(DataError, match=f"{name}: the frame lacks {column}"):
        ReportData(title="t", **{name: empty_frame(name).drop(columns=column)})


def test_a_funnel_that_does_not_add_up_is_refused() -> None:
    data = report_data(events=55)
    short = data.funnel.assign(events=data.funnel["events"] - 1)
    with pytest.raises(DataError, match="the funnel holds 49 events, the summary 55"):
        replace(data, funnel=short)


def test_two_trades_of_one_id_are_refused() -> None:
    data = report_data()
    with pytest.raises(DataError, match="unique"):
        replace(data, trades=pd.concat([data.trades, data.trades[:1]]))


def test_bars_without_a_zone_or_a_column_are_refused() -> None:
    naive = SIX_BARS.assign(time=SIX_BARS["time"].dt.tz_localize(None))
    with pytest.raises(DataError, match="time-zone aware"):
        six_bar_detail(bars=naive)
    with pytest.raises(DataError, match="lacks phase"):
        six_bar_detail(bars=SIX_BARS.drop(columns="phase"))
