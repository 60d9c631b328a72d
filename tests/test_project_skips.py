"""The rule that a run in which a test skips unasked is a failed run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """
import pytest

def test_runs():
    pass

def test_skips():
    pytest.skip("no market today")
"""


@pytest.mark.parametrize(
    ("allowed", "status"),
    [("", 1), ("*::test_other # why\n", 1), ("# a comment\n*::test_skips # no market\n", 0)],
)
def test_a_skip_fails_the_run_unless_it_is_listed(
    allowed: str, status: int, tmp_path: Path, root: Path
) -> None:
    (tmp_path / "test_it.py").write_text(SKIPPING)
    (tmp_path / "allowed.txt").write_text(allowed)
    options = f"-c {os.devnull} --rootdir . --allowed-skips allowed.txt"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", *options.split(), "test_it.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert ("NOT ALLOWED TO SKIP test_it.py::test_skips" in done.stdout) == bool(status)
