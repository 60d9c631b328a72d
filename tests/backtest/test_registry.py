"""Strategies by name: where they are looked for, and what is refused rather than guessed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backtest import Strategy
from backtest.registry import (
    BUILT_IN,
    find_strategy,
    list_strategies,
    snake_case,
    source_hash,
    spoken_name,
)
from db.errors import UsageError

MINE = '''
from dataclasses import dataclass
from backtest import Strategy, param


@dataclass(frozen=True)
class MyIdea(Strategy):
    """Buy at random."""

    drop: float = param(0.1)


@dataclass(frozen=True)
class _Hidden(Strategy):
    pass
'''
BUILT_INS = [
    "after_hours_reversal",
    "earnings_drift",
    "gap_reversal",
    "guidance_reversal",
    "news_fade",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ``./strategies``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "strategies").mkdir()
    return tmp_path / "strategies"


def names() -> list[str]:
    return [found.name for found in list_strategies()]


def test_the_built_in_ones_are_found_anywhere(folder: Path) -> None:
    assert names() == BUILT_INS
    folder.rmdir()
    assert names() == BUILT_INS
    for found in list_strategies():
        assert found.summary
        assert isinstance(found.cls(), Strategy)
        assert snake_case(type(find_strategy(found.name)).__name__) == found.name


@pytest.mark.parametrize("name", ["gap_reversal", "GapReversal", "gap-reversal"])
def test_a_name_may_be_spelled_as_the_class(folder: Path, name: str) -> None:
    assert type(find_strategy(name)).__name__ == "GapReversal"


def test_a_file_of_one_s_own_is_found_by_the_class_s_name(folder: Path) -> None:
    (folder / "anything.py").write_text(MINE)
    (folder / "_helper.py").write_text("raise SystemError('not a strategy, never run')")
    (folder / "notes.txt").write_text("no Python")
    assert names() == sorted([*BUILT_INS, "my_idea"])
    assert type(find_strategy("my_idea")).__name__ == "MyIdea"
    assert find_strategy("my_idea").with_params({"drop": "0.3"}).params["drop"] == 0.3


def test_an_unknown_name_is_answered_with_the_nearest(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown strategy 'gap_revresal'(.|\n)*'gap_reversal'"):
        find_strategy("gap_revresal")


def test_the_same_name_twice_is_an_error_that_names_both(folder: Path) -> None:
    text = (BUILT_IN / "gap_reversal.py").read_text()
    (folder / "gap_reversal.py").write_text(text.replace("0.05", "0.06"))
    with pytest.raises(UsageError, match="two strategies are called 'gap_reversal'") as caught:
        find_strategy("earnings_drift")
    assert str(folder.name) in str(caught.value)
    assert str(BUILT_IN) in str(caught.value)


def test_a_copy_of_a_built_in_one_is_no_clash(folder: Path) -> None:
    shutil.copy(BUILT_IN / "gap_reversal.py", folder / "renamed_file.py")
    assert names() == BUILT_INS


def test_two_classes_of_one_file_and_name_parts_are_apart(folder: Path) -> None:
    other = MINE.replace("MyIdea", "OtherIdea")
    (folder / "a.py").write_text(MINE)
    (folder / "b.py").write_text(other)
    assert {"my_idea", "other_idea"} <= set(names())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def broken(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_file_that_does_not_run_is_named(folder: Path, text: str, message: str) -> None:
    file = folder / "bad.py"
    file.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        find_strategy("gap_reversal")
    assert "bad.py" in str(caught.value)
    file.write_text(MINE)  # and once it is mended it is read again
    assert "my_idea" in names()


def test_by_path(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.py"
    file.write_text(MINE)
    assert type(find_strategy(f"{file}:MyIdea")).__name__ == "MyIdea"
    assert type(find_strategy(str(file))).__name__ == "MyIdea"
    file.write_text(MINE + MINE.replace("MyIdea", "Second"))
    assert type(find_strategy(f"{file}:Second")).__name__ == "Second"
    with pytest.raises(UsageError, match=r"which class\?"):
        find_strategy(str(file))
    with pytest.raises(UsageError, match=r"'MyIdae'(.|\n)*'MyIdea'"):
        find_strategy(f"{file}:MyIdae")
    with pytest.raises(UsageError, match="no such strategy file"):
        find_strategy(f"{tmp_path / 'none.py'}:MyIdea")


def test_a_class_or_an_object_is_taken_as_it_is(folder: Path) -> None:
    (folder / "mine.py").write_text(MINE)
    object_ = find_strategy("my_idea")
    assert find_strategy(object_) is object_
    assert find_strategy(type(object_)) == object_


def test_a_class_that_is_no_strategy_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="int is not a strategy"):
        find_strategy(int)  # type: ignore[arg-type]

    class Bare(Strategy):
        pass

    assert find_strategy(Bare) == Bare()

    class Undecorated(Strategy):
        drop: float = 0.05

    with pytest.raises(UsageError, match=r"Undecorated is not(.|\n)*@dataclass\(frozen=True\)"):
        find_strategy(Undecorated)


def test_the_hash_is_of_the_file(folder: Path) -> None:
    (folder / "mine.py").write_text(MINE)
    first = source_hash(type(find_strategy("my_idea")))
    (folder / "mine.py").write_text(MINE + "\n# another thought\n")
    second = source_hash(type(find_strategy("my_idea")))
    assert first != second
    assert len(first) == 64


NOTEBOOK = """
import sys
sys.path.insert(0, {root!r})
del __file__
cell = '''
from dataclasses import dataclass
from backtest import Strategy, ever, first, param

@dataclass(frozen=True)
class InACell(Strategy):
    drop: float = param(0.05)
    def entries(self, p):
        pick = lambda x: x in {{"a", "b", "c", "d"}}
        return first(p.close <= p.reference * {factor})
    def setup(self, p):
        return ever(p.close > {level})
'''
exec(compile(cell, "<ipython-input-1>", "exec"), globals())
from backtest.registry import find_strategy, source_hash, spoken_name
print(find_strategy(InACell).params["drop"], spoken_name(InACell), source_hash(InACell))
"""


def in_a_notebook(tmp_path: Path, root: Path, factor: float = 0.95, level: float = 1) -> list[str]:
    """What a process prints that defines a strategy in a cell, as a kernel does: no file."""
    script = tmp_path / "kernel.py"
    script.write_text(NOTEBOOK.format(root=str(root), factor=factor, level=level))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    return done.stdout.split()


def test_a_strategy_of_a_notebook_has_a_hash_that_is_the_same_tomorrow(
    tmp_path: Path, root: Path
) -> None:
    """Python's own hashes of strings and addresses of code differ from process to process."""
    first, again = in_a_notebook(tmp_path, root), in_a_notebook(tmp_path, root)
    assert first == again
    assert first[:2] == ["0.05", "in_a_cell"]
    assert in_a_notebook(tmp_path, root, factor=0.94)[2] != first[2]
    assert in_a_notebook(tmp_path, root, level=2)[2] != first[2]


def test_a_strategy_is_called_as_the_command_line_would_find_it(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "mine.py").write_text(MINE)
    assert spoken_name(type(find_strategy("my_idea"))) == "my_idea"
    assert spoken_name(type(find_strategy("gap_reversal"))) == "gap_reversal"
    file = tmp_path / "away.py"
    file.write_text(MINE.replace("MyIdea", "FarIdea"))
    spoken = spoken_name(type(find_strategy(f"{file}:FarIdea")))
    assert spoken == f"{file}:FarIdea"
    assert type(find_strategy(spoken)).__name__ == "FarIdea"


def plug_in(folder: Path, value: str) -> None:
    """An installed package that brings one strategy."""
    info = folder / "someones_ideas-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: someones-ideas\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[aftershock.strategies]\nidea = {value}\n")


def test_a_plug_in_is_found_by_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "someones_idea.py").write_text(MINE.replace("MyIdea", "PluggedIdea"))
    plug_in(site, "someones_idea:PluggedIdea")
    monkeypatch.syspath_prepend(site)
    assert type(find_strategy("plugged_idea")).__name__ == "PluggedIdea"


def test_a_plug_in_that_does_not_load_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    plug_in(site, "nowhere.to_be_found:Idea")
    monkeypatch.syspath_prepend(site)
    with pytest.raises(UsageError, match="the plug-in 'idea' does not load: ModuleNotFound"):
        find_strategy("gap_reversal")
