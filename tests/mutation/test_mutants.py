"""The mutation tool itself, and the run over the fill rules that it is for."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.mutation import run
from tests.mutation.mutants import mutants

SAMPLE = 40
"""Mutants of each module that `make test-long` tries."""

SOURCE = '''
def reached(price: float, level: float) -> bool:
    """Is price <= level?"""
    if price <= level * (1 + TOLERANCE):
        return True  # a < b
    return max(price, 0.5) == level and not level
'''

TOUCHED = """
def touched(bars, j):
    while bars.low[j] > 1:
        if bars is None:
            continue
        j += 1
    return -j
"""


def changed_lines(source: str) -> set[str]:
    return {mutant.after for mutant in mutants(source)}


def test_comparisons_bounds_constants_and_tolerances_are_changed() -> None:
    expected = {
        "if price < level * (1 + TOLERANCE):",
        "if price >= level * (1 + TOLERANCE):",
        "if price <= level / (1 + TOLERANCE):",
        "if price <= level * (1 - TOLERANCE):",
        "if price <= level * (1 + 0.0):",
        "if price <= level * (2 + TOLERANCE):",
        "if False:",
        "if True:",
        "return False  # a < b",
        "return min(price, 0.5) == level and not level",
        "return max(price, 1.5) == level and not level",
        "return max(price, 0.5) != level and not level",
        "return max(price, 0.5) == level or not level",
        "return max(price, 0.5) == level and level",
    }
    assert changed_lines(SOURCE) == expected


def test_names_loops_and_signs_are_changed() -> None:
    assert changed_lines(TOUCHED) >= {
        "while bars.high[j] > 1:",
        "while False:",
        "if bars is not None:",
        "break",
        "j -= 1",
        "return j",
    }


def test_docstrings_annotations_and_comments_are_left_alone() -> None:
    for mutant in mutants(SOURCE):
        assert '"""Is price <= level?"""' in mutant.source
        assert "(price: float, level: float) -> bool" in mutant.source


@pytest.mark.parametrize("target", run.TARGETS, ids=lambda target: target.module)
def test_every_mutant_is_another_program_and_has_a_name_of_its_own(target: run.Target) -> None:
    source = target.path.read_text()
    found = mutants(source)
    assert len(found) > 100
    assert len({mutant.key for mutant in found}) == len(found)
    original = ast.dump(ast.parse(source))
    for mutant in found[::10]:
        assert ast.dump(ast.parse(mutant.source)) != original


def test_known_equivalents_have_reasons_and_still_exist() -> None:
    present = {m.key for target in run.TARGETS for m in mutants(target.path.read_text())}
    for key, reason in run.known_equivalents().items():
        assert key in present
        assert reason


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("target", run.TARGETS[:1], ids=lambda target: target.module)
def test_no_mutant_of_a_draw_survives_but_the_known_equivalents(target: run.Target) -> None:
    # A process of its own: here the true modules are imported and compiled.  All of the mutants
    # (`python -m tests.mutation.run`) take half an hour; a draw of them takes minutes.  The orders,
    # whose tests build stores, are slower still: they are run by hand.
    command = [sys.executable, "-m", "tests.mutation.run", "--module", target.module]
    command += ["--sample", str(SAMPLE)]
    done = subprocess.run(command, cwd=run.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
