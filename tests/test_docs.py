"""Every command and snippet of README and docs runs as it stands, in the order it stands in."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from backtest.cli import status_of
from backtest.registry import snake_case
from tests.conftest import ROOT
from tests.fakes.services import services

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"(?:<!-- (?P<note>[^>]+) -->\n+)?(?:`(?P<file>[\w./-]+)`:\n+)?"
    r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SET_UP = ("make", "pip")
"""Commands that install things; `make` targets are checked for existence, the wheel elsewhere."""


@dataclass(frozen=True)
class Block:
    page: str
    kind: str
    text: str
    file: str
    note: str


def blocks(page: Path) -> list[Block]:
    return [
        Block(page.name, m["kind"], m["text"], m["file"] or "", m["note"] or "")
        for m in BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


@pytest.fixture(scope="module")
def demo_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's store, on which snippets run that have not made one of their own."""
    from backtest.demo.fill import fill_demo_store
    from db.store import Store

    folder = tmp_path_factory.mktemp("demo") / "store"
    with Store.open(folder, create=True) as store:
        fill_demo_store(store)
    return folder


@pytest.fixture
def workplace(tmp_path: Path, demo_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the files that the pages show, and a copy of the demo's store."""
    shutil.copytree(demo_store, tmp_path / "demo-store")
    for page in PAGES:
        for block in blocks(page):
            if block.file:
                (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The services that the pages' commands ask."""
    with services() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield


def run_shell(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words or words[0] in SET_UP:
            continue
        assert words[0] == "backtest", f"nothing here knows how to run: {line}"
        status = status_of(words[1:])
        said = capsys.readouterr()
        # 1 is a finding (`data check`), which a page may well show.
        assert status in (0, 1), f"{line}\n{said.err}"
        assert status == 0 or "data check" in line, f"{line}\n{said.err}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_snippets_of_a_page_run_in_order(
    page: Path,
    workplace: Path,
    asked: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BACKTEST_STORE", str(workplace / "demo-store"))
    # Strategies of a page are real files: their names and sources are looked up like a user's.
    module = types.ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for number, block in enumerate(blocks(page)):
        if block.note.startswith("run by"):
            continue  # another test takes it off the page and runs it
        if block.note == "the demo's store":
            monkeypatch.setenv("BACKTEST_STORE", str(workplace / "demo-store"))
        if block.kind == "sh":
            if re.search(r"^backtest init$", block.text, re.MULTILINE):
                monkeypatch.setenv("BACKTEST_STORE", str(workplace / f"store-{number}"))
            run_shell(block.text, capsys)
        elif block.kind == "python":
            code = compile(block.text, f"{page.name}:{number}", "exec", dont_inherit=True)
            exec(code, vars(module))
            for found in re.findall(r"^class (\w+)\(Strategy\)", block.text, re.MULTILINE):
                (workplace / "strategies").mkdir(exist_ok=True)
                file = workplace / "strategies" / f"{snake_case(found)}.py"
                file.write_text(block.text.split("\n\n\nstore =")[0] + "\n", encoding="utf-8")
        else:
            assert block.kind in ("csv", "text"), f"a block of kind {block.kind} is not run"


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"^make ([a-z-]+)$|", text, re.MULTILINE))
    named |= set(re.findall(r"`make ([a-z-]+)`", text))
    named.discard("")
    assert named, "the README names make's targets"
    assert named <= targets


def test_every_link_of_a_page_leads_to_a_file() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_defaults_that_the_pages_state_are_those_of_the_code() -> None:
    from backtest.execution import Costs, FillRules
    from backtest.settings import AccountSettings

    text = (ROOT / "docs" / "execution.md").read_text(encoding="utf-8")
    costs, rules, account = Costs(), FillRules(), AccountSettings()
    assert f"--commission {costs.commission:g}" in text
    assert f"--half-spread {costs.half_spread:g}" in text
    assert f"--slippage {costs.slippage:g}" in text
    assert f"times {costs.extended_spread_factor:g} in extended hours" in text
    assert f"limit, {rules.limit_offset * 100:g} % beyond" in text
    assert f"{rules.limit_life:g} clock minutes" in text
    assert f"at most {rules.participation * 100:g} % of a bar's volume" in text
    assert f"({account.slots} of {account.cash:,.0f})" in text
    assert f"fee of {costs.borrow_rate * 100:g} % a year" in text
