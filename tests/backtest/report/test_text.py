"""Numbers and foreign texts as the page writes them."""

import math

import numpy as np
import pandas as pd
import pytest

from backtest.report.text import (
    basis_points,
    chart_text,
    clean,
    count,
    numbers,
    percent,
    prose,
    safe_url,
    wrapped,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01234, "+1.23\u00a0%"),
        (-0.01234, "−1.23\u00a0%"),
        (-0.00001, "0.00\u00a0%"),
        (12.5, "+1,250.00\u00a0%"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_a_return_is_shown_in_percent_with_its_sign(value: float, text: str) -> None:
    assert percent(value) == text


def test_costs_and_counts_have_their_units() -> None:
    assert basis_points(-0.00215) == "−21.5 bp"
    assert basis_points(math.nan) == "–"
    assert count(51_007) == "51,007"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ((113, 98), ["113", "98"]),
        ((113.0, 98.0), ["113", "98"]),
        ((-8.4, -21.0), ["−8.40", "−21.00"]),
        ((123_456.78, 1.5), ["123,457", "2"]),
        ((np.float64(0.71), None), ["0.71", "–"]),
        ((math.nan, pd.NaT), ["–", "–"]),
        ((pd.NA, "113 sessions"), ["–", "113 sessions"]),
        ((math.inf, -math.inf), ["∞", "−∞"]),
        ((), []),
    ],
)
def test_numbers_of_one_row_have_as_many_decimals(
    values: tuple[object, ...], texts: list[str]
) -> None:
    assert numbers(*values) == texts


def test_control_characters_direction_marks_and_broken_surrogates_are_left_out() -> None:
    assert clean("a\x00b\x1bc\u202ed\u200fe\u2028f\ud800g") == "abcde f?g"
    assert clean("one\n\ttwo") == "one\n\ttwo"
    assert [clean(v) for v in (None, math.nan, pd.NA, pd.NaT)] == ["", "", "", ""]


def test_a_chart_label_carries_no_markup_and_is_cut_where_asked() -> None:
    assert chart_text("<b>&amp; 5 > 3") == "&lt;b&gt;&amp;amp; 5 &gt; 3"
    assert chart_text("a  long\nheadline", width=8) == "a long…"
    assert wrapped("<i> one two three", width=9) == "&lt;i&gt; one<br>two three"


def test_a_sentence_keeps_its_numbers_with_their_units() -> None:
    assert prose("up 5 % or ``drop``") == "up 5\u00a0% or drop"


@pytest.mark.parametrize("url", ["https://example.com/a?b=1#c", "HTTP://example.com"])
def test_web_addresses_pass(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//example.com/a",
        "https://",
        "https:javascript",
        "https://exa mple.com",
        "http://[::1",
        "",
    ],
)
def test_other_addresses_become_nothing(url: str) -> None:
    assert safe_url(url) == ""
