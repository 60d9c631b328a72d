"""What is committed: no machine's paths, no registry's address, no file too long to read."""

import os
import re
import subprocess
from pathlib import Path

import pytest

MACHINE_PATH = re.compile(r"(?<![\w.$}/])/(?:work|root|opt|home/\w+|Users/\w+)/\w")
REGISTRY = re.compile(
    "|".join(
        re.escape(first + second)
        for first, second in [
            ("pypi", ".org"),
            ("pythonhosted", ".org"),
            ("deb.debian", ".org"),
            ("registry.npm", "js"),
            ("index", "-url"),
        ]
    )
)


@pytest.fixture(scope="module")
def committed(root: Path) -> list[Path]:
    """Files that are committed or would be by `git add .`."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    paths = (root / name for name in listing.split("\0") if name)
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="ignore")


def test_no_committed_file_names_a_path_of_one_machine(committed: list[Path], root: Path) -> None:
    found = [
        f"{path.relative_to(root)}: {match.group()}"
        for path in committed
        for match in MACHINE_PATH.finditer(text_of(path))
    ]
    assert found == []


def test_no_committed_file_names_a_registry(committed: list[Path], root: Path) -> None:
    found = [
        f"{path.relative_to(root)}: {match.group()}"
        for path in committed
        for match in REGISTRY.finditer(text_of(path))
    ]
    assert found == []


def test_no_module_is_too_long_to_read(committed: list[Path], root: Path) -> None:
    lengths = {
        path.relative_to(root): text_of(path).count("\n")
        for path in committed
        if path.suffix == ".py" and "migrations" not in path.parts
    }
    assert lengths, "there are modules"
    # A test file is a list of cases, read one at a time.
    limit = {name: 550 if name.parts[0] == "tests" else 400 for name in lengths}
    assert {str(n): lines for n, lines in lengths.items() if lines > limit[n]} == {}


def test_every_folder_of_tests_is_a_package(root: Path) -> None:
    """Two files of one name in different folders would otherwise shadow each other."""
    folders = {path.parent for path in (root / "tests").rglob("test_*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_ci_is_executable(root: Path) -> None:
    assert os.access(root / ".ci" / "run", os.X_OK)


def test_make_help_lists_every_target_that_is_meant_to_be_called(root: Path) -> None:
    makefile = (root / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    # Under `make test` this make is a child of another, which it would announce.
    command = ["make", "--no-print-directory", "help"]
    shown = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    assert {line.split()[1] for line in shown.splitlines()} == set(phony.group(1).split())
