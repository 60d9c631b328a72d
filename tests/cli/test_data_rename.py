"""``data rename``, ``data describe``, ``data fetches``: names over time, and what was asked."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from db.fetch_ledger import Answer, Stream
from db.store import Store
from tests.cli.conftest import Cli
from tests.db.build import at


@pytest.fixture
def store_of(tmp_path: Path) -> Path:
    return tmp_path / "store"


def spans(folder: Path, symbol: str) -> list[tuple[str, str | None, str | None]]:
    with Store.open(folder) as store:
        return store.spans(symbol)


def test_a_rename_closes_one_name_and_opens_another(tiny_cli: Cli, store_of: Path) -> None:
    outcome = tiny_cli("data", "rename", "amd", "amdx", "--on", "2019-02-01")
    assert (outcome.status, outcome.out) == (0, "")
    assert "AMD is called AMDX from 2019-02-01 on" in outcome.err
    expected = [("AMD", None, "2019-01-31"), ("AMDX", "2019-02-01", None)]
    assert spans(store_of, "AMDX") == spans(store_of, "AMD") == expected
    by_both = [
        json.loads(tiny_cli("events", "--symbol", name, "--json").out) for name in ("AMD", "AMDX")
    ]
    assert by_both[0] == by_both[1]
    assert len(by_both[0]) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("AMDD", "AMDX", "--on", "2019-02-01"), "did you mean 'AMD'?"),
        (("AMD", "AMD", "--on", "2019-02-01"), "cannot become 'AMD'"),
        (("AMD", "UBER", "--on", "2019-02-01"), "'UBER' already names"),
        (("AMD", "AMDX", "--on", "1.2.2019"), "--on takes a date, not '1.2.2019'"),
        (("AMD", "AMDX", "--on", "2019-02-30"), "--on takes a date"),
        (("AMD", "AMDX"), "--on"),
        (("AMD", "--on", "2019-02-01"), "NEW"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    tiny_cli: Cli, store_of: Path, words: tuple[str, ...], said: str
) -> None:
    outcome = tiny_cli("data", "rename", *words)
    assert outcome.status == 2
    assert said in outcome.err
    assert spans(store_of, "AMD") == [("AMD", None, None)]


def test_a_second_rename_on_the_same_day_is_refused(tiny_cli: Cli, store_of: Path) -> None:
    line = ("data", "rename", "AMD", "AMDX", "--on", "2019-02-01")
    assert tiny_cli(*line).status == 0
    again = tiny_cli(*line)
    assert again.status == 2
    assert "'AMD' ends on 2019-01-31 already" in again.err
    assert len(spans(store_of, "AMD")) == 2


def described(folder: Path, symbol: str) -> tuple[str, int | None]:
    with Store.open(folder) as store:
        row = store.instruments().set_index("symbol").loc[symbol]
    month = row["fiscal_year_end"]
    return row["name"], None if pd.isna(month) else int(month)


def test_a_name_and_a_fiscal_year_are_kept_each_by_itself(tiny_cli: Cli, store_of: Path) -> None:
    assert described(store_of, "AMD") == ("", None)
    first = tiny_cli("data", "describe", "amd", "--name", "Advanced Micro Devices")
    assert first.status == 0
    assert "AMD: name 'Advanced Micro Devices'" in first.err
    assert described(store_of, "AMD") == ("Advanced Micro Devices", None)
    assert tiny_cli("data", "describe", "AMD", "--fiscal-year-end", "12").status == 0
    assert described(store_of, "AMD") == ("Advanced Micro Devices", 12)
    assert described(store_of, "UBER") == ("", None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("AMD",), "nothing to set"),
        (("AMD", "--fiscal-year-end", "13"), "less than or equal to 12"),
        (("AMD", "--fiscal-year-end", "0"), "greater than or equal to 1"),
        (("AMDD", "--name", "x"), "did you mean 'AMD'?"),
    ],
)
def test_a_description_that_cannot_be_is_refused(
    tiny_cli: Cli, store_of: Path, words: tuple[str, ...], said: str
) -> None:
    outcome = tiny_cli("data", "describe", *words)
    assert outcome.status == 2
    assert said in outcome.err
    assert described(store_of, "AMD") == ("", None)


def note(folder: Path, subject: str, status: str, rows: int, note: str = "") -> None:
    with Store.open(folder) as store:
        stream = Stream("yahoo", "prices", subject, "1m", ("pre", "regular"))
        answer = Answer(
            *(at("2019-01-29 05:00"), at("2019-01-30 05:00"), status),  # type: ignore[arg-type]
            rows=rows,
            note=note,
        )
        store.note_fetch(stream, answer)


def test_nothing_asked_is_said_with_what_to_do(tiny_cli: Cli) -> None:
    outcome = tiny_cli("data", "fetches")
    assert (outcome.status, outcome.out) == (0, "")
    assert "backtest ingest yahoo AMD" in outcome.err
    assert tiny_cli("data", "fetches", "--json").out == "[]\n"


def test_what_was_asked_and_what_came_is_listed(tiny_cli: Cli, store_of: Path) -> None:
    note(store_of, "AMD", "done", 1234)
    note(store_of, "https://example.com/a/very/long/address", "failed", 0, "503")
    table = tiny_cli("data", "fetches")
    assert "1,234" in table.out
    assert "2019-01-29" in table.out
    assert "failed" in table.out
    assert max(map(len, table.out.splitlines())) <= 80
    first, second = json.loads(tiny_cli("data", "fetches", "--json").out)
    assert (first["subject"], first["rows"], first["phases"]) == ("AMD", 1234, "pre,regular")
    assert first["since"] == "2019-01-29T00:00:00-05:00"
    assert (second["status"], second["note"]) == ("failed", "503")
    assert len(tiny_cli("data", "fetches", "--csv").out.splitlines()) == 3


def test_many_answers_are_cut_on_screen_alone(tiny_cli: Cli, store_of: Path) -> None:
    for number in range(3):
        note(store_of, f"S{number}", "done", number)
    outcome = tiny_cli("data", "fetches", "--limit", "2")
    assert "1 more rows" in outcome.err
    assert "S2" not in outcome.out
