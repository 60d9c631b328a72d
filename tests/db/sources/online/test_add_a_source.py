"""The example of docs/add-a-source.md is a source: its files run as they stand on the page."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.fakes
from backtest.cli import status_of
from db.sources import online
from db.sources.fetching.registry import sources
from db.store import Store

FILE = re.compile(
    r"^`(?P<name>\w+\.py)`:\n\n```python\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
MODULES = ("db.sources.online.papertape", "tests.fakes.papertape")


@pytest.fixture
def page(root: Path) -> dict[str, str]:
    """The files that the page shows, by name."""
    text = (root / "docs" / "add-a-source.md").read_text(encoding="utf-8")
    return {match["name"]: match["text"] for match in FILE.finditer(text)}


@pytest.fixture
def added(page: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The example beside the project's own sources, and its server beside the other fakes."""
    for package, name, shown in (
        (online, "online", "papertape.py"),
        (tests.fakes, "fakes", "fake_papertape.py"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "papertape.py").write_text(page[shown], encoding="utf-8")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    yield
    for name in MODULES:
        sys.modules.pop(name, None)
        parent, _, child = name.rpartition(".")
        vars(sys.modules[parent]).pop(child, None)


def names_of(page: dict[str, str]) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "test_papertape"}
    exec(compile(page["test_papertape.py"], "test_papertape.py", "exec"), names)
    return names


def test_the_page_shows_a_source_a_server_and_tests(page: dict[str, str]) -> None:
    assert sorted(page) == ["fake_papertape.py", "papertape.py", "test_papertape.py"]
    assert len(re.findall(r"^def test_", page["test_papertape.py"], re.MULTILINE)) == 3


def test_one_file_makes_a_source(added: None) -> None:
    assert sources()["papertape"].title == "Daily bars from Papertape, which wants a token."


@pytest.mark.usefixtures("added")
def test_days_that_are_over_come_once(page: dict[str, str], fresh_store: Store) -> None:
    names_of(page)["test_days_that_are_over_come_once"](fresh_store)


@pytest.mark.usefixtures("added")
@pytest.mark.parametrize("kind", ["429", "503", "cut", "malformed"])
def test_a_fault_that_stays_is_made_good(
    page: dict[str, str], fresh_store: Store, kind: str
) -> None:
    names_of(page)["test_a_fault_that_stays_is_made_good_by_the_next_run"](fresh_store, kind)


@pytest.mark.usefixtures("added")
def test_refusals_are_told_apart(page: dict[str, str], fresh_store: Store) -> None:
    name = "test_an_unknown_share_is_said_and_a_wrong_token_ends_the_run"
    names_of(page)[name](fresh_store)


@pytest.mark.usefixtures("added")
def test_it_is_a_command_without_another_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer
    from typer.main import get_command

    from backtest.cli import online as commands
    from tests.fakes.papertape import TOKEN, FakePapertape

    group = typer.Typer()
    commands.add_commands(group)
    monkeypatch.setenv("BACKTEST_STORE", str(tmp_path / "store"))
    Store.open(tmp_path / "store", create=True).close()
    with FakePapertape() as fake:
        monkeypatch.setenv("PAPERTAPE_URL", fake.url)
        monkeypatch.setenv("PAPERTAPE_TOKEN", TOKEN)
        words = ["papertape", "META", "--since", "2026-01-02", "--until", "2026-01-09", "--csv"]
        get_command(group)(words, standalone_mode=False)
    assert "prices" in capsys.readouterr().out
    with Store.open(tmp_path / "store") as store:
        assert store.bar_sources()["source"].tolist() == ["papertape"]
    assert status_of(["data", "fetches"]) == 0
