import sys

import pytest

from backtest.cli.progress import Meter, progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def meter(clock: Clock, *, visible: bool = True) -> Meter:
    return Meter("prices.csv", 1000, visible=visible, clock=clock)


def test_work_of_less_than_a_second_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    bar = meter(clock)
    clock.now = 0.9
    bar.advance(500)
    bar.stop()
    assert capsys.readouterr() == ("", "")


def test_longer_work_shows_rows_a_second_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    clock = Clock()
    bar = meter(clock)
    clock.now = 2.0
    bar.advance(500)
    bar.stop()
    out, err = capsys.readouterr()
    assert out == ""
    assert "prices.csv" in err
    assert "500 rows, 250/s" in err


def test_nothing_is_shown_where_standard_error_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert not sys.stderr.isatty()
    with progress("prices.csv", 10) as advance:
        advance(10)
    assert capsys.readouterr() == ("", "")
    clock = Clock()
    bar = meter(clock, visible=False)
    clock.now = 100.0
    bar.advance(1)
    assert capsys.readouterr() == ("", "")
