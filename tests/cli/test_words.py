from datetime import UTC, datetime

import pytest

from backtest.cli.words import count, instant, pairs_of, printable, symbols_of
from db.errors import UsageError


def test_symbols_come_by_comma_or_by_repeating_and_once_each() -> None:
    assert symbols_of(["amd, UBER", "F", "AMD"]) == ["AMD", "UBER", "F"]
    assert symbols_of(None) is None
    assert symbols_of([","]) is None


def test_pairs_keep_everything_after_the_first_equals_sign() -> None:
    assert pairs_of(["drop=0.05", "note=a=b"], option="-p") == {"drop": "0.05", "note": "a=b"}


@pytest.mark.parametrize("values", [["drop"], ["=1"], ["drop=1", "drop=2"]])
def test_pairs_that_say_nothing_or_two_things_are_refused(values: list[str]) -> None:
    with pytest.raises(UsageError):
        pairs_of(values, option="-p")


@pytest.mark.parametrize(
    ("text", "end_of_day", "expected"),
    [
        ("2020-11-05", False, datetime(2020, 11, 5, 5, tzinfo=UTC)),
        ("2020-11-05", True, datetime(2020, 11, 6, 4, 59, 59, 999999, tzinfo=UTC)),
        # The day on which the clocks go back has 25 hours.
        ("2020-11-01", False, datetime(2020, 11, 1, 4, tzinfo=UTC)),
        ("2020-11-01", True, datetime(2020, 11, 2, 4, 59, 59, 999999, tzinfo=UTC)),
        ("2020-11-05T16:05:00-05:00", True, datetime(2020, 11, 5, 21, 5, tzinfo=UTC)),
        ("2020-11-05T21:05:00Z", False, datetime(2020, 11, 5, 21, 5, tzinfo=UTC)),
    ],
)
def test_a_date_is_a_day_in_new_york(text: str, end_of_day: bool, expected: datetime) -> None:
    assert instant(text, option="--since", end_of_day=end_of_day) == expected


@pytest.mark.parametrize("text", ["yesterday", "2020-13-01", "2020-11-05T16:05:00"])
def test_what_is_no_instant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        instant(text, option="--since")
    assert "--since 2020-11-05" in caught.value.hint


def test_control_characters_never_reach_the_terminal() -> None:
    assert printable("\x1b[31mred\x07 ümlaut – ok") == "\ufffd[31mred\ufffd ümlaut – ok"
    assert printable("right\u202eleft") == "right\ufffdleft"


def test_counts_are_words() -> None:
    assert count(1, "row") == "1 row"
    assert count(2000, "row") == "2,000 rows"
    assert count(0, "entry", "entries") == "0 entries"
