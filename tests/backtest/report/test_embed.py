"""Data inside the page: what is chosen, how it is packed, that no text can break out."""

import base64
import json
import math
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtest.report import embed
from backtest.report.embed import (
    chart_rule,
    charted_trades,
    json_text,
    listed_trades,
    pack,
    packed_charts,
    trade_rows,
)
from tests.backtest.report.builder import report_data, six_bar_detail, trades_frame


def returns(*net: float) -> pd.DataFrame:
    """Trades with ids from 1 that returned these."""
    return trades_frame(len(net)).assign(return_net=net)


def test_few_trades_are_all_charted_from_both_ends_inwards() -> None:
    trades = returns(0.01, -0.05, 0.20, -0.01, math.nan)
    assert charted_trades(trades, 5) == [2, 3, 4, 1, 5]


def test_of_many_trades_a_third_are_the_worst_a_third_the_best_and_a_third_drawn() -> None:
    trades = returns(*np.linspace(-0.3, 0.3, 100))
    picked = charted_trades(trades, 9)
    assert picked[0::3] == [1, 2, 3]
    assert picked[1::3] == [100, 99, 98]
    assert len(set(picked)) == 9
    assert all(3 < trade_id < 98 for trade_id in picked[2::3])
    assert charted_trades(trades, 9) == picked


def test_only_trades_with_bars_are_chosen_when_asked_so() -> None:
    trades = returns(0.01, -0.05, 0.20, -0.01)
    assert sorted(charted_trades(trades, 10, of={1, 3, 99})) == [1, 3]


def test_the_page_says_which_trades_carry_a_chart() -> None:
    assert chart_rule(7, 7) == ""
    assert chart_rule(0, 0) == ""
    assert "no charts" in chart_rule(0, 7)
    assert chart_rule(200, 1234).startswith("200 of 1,234 trades")


def test_charts_stop_where_the_room_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    data = replace(report_data(5), details={i: six_bar_detail() for i in range(1, 6)})
    one = len(packed_charts(data, [1])[1])
    monkeypatch.setattr(embed, "CHART_BYTES", 2 * one + 10)
    assert list(packed_charts(data, [4, 2, 5])) == [4, 2]


def test_a_chart_without_details_is_left_out() -> None:
    data = replace(report_data(3), details={2: six_bar_detail()})
    assert list(packed_charts(data, [1, 2, 3])) == [2]


def test_of_very_many_trades_the_table_keeps_the_charted_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embed, "MOST_ROWS", 5)
    listed = listed_trades(report_data(12), charted=[9, 11])
    assert listed["trade_id"].tolist() == [1, 2, 3, 9, 11]


def test_rows_hold_null_for_what_is_unknown() -> None:
    trades = trades_frame(2).assign(return_other=[math.nan, 0.01], fiscal_period=[None, pd.NA])
    rows = trade_rows(trades)
    assert rows["return_other"] == [None, 0.01]
    assert rows["fiscal_period"] == [None, None]
    assert rows["ambiguous"] == [False, False]
    assert rows["trade_id"] == [1, 2]


def test_packed_data_comes_back_as_it_was() -> None:
    value = {"text": "</script> \u2028 ü", "numbers": [1, 2.5, None]}
    packed = pack(value)
    assert set(packed) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    assert json.loads(zlib.decompress(base64.b64decode(packed))) == value


def test_no_text_in_json_can_end_a_script_element() -> None:
    hostile = "</script><!--<script>&amp;\u2028\u2029\ud800"
    text = json_text({hostile: hostile})
    assert not set("<>&\u2028\u2029") & set(text)
    assert text.isascii()
    assert json.loads(text) == {hostile: hostile}


def test_a_number_that_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text([math.nan])
