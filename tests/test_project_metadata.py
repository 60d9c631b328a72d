"""The declared dependencies: their bounds, the tested versions, and what the code imports."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PACKAGES = ("backtest", "db", "strategies")
TESTED = (*PACKAGES, "tests", "benchmarks", "calibration")


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    with (root / "pyproject.toml").open("rb") as file:
        loaded: dict[str, Any] = tomllib.load(file)["project"]
    return loaded


@pytest.fixture(scope="module")
def tested(root: Path) -> dict[str, Version]:
    lines = (root / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    strange = [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)]
    assert strange == [], "constraints are name==version and nothing else"
    return {
        canonicalize_name(name): Version(version) for name, version in (p.split("==") for p in pins)
    }


def requirements(project: dict[str, Any]) -> list[Requirement]:
    texts = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        texts += extra
    return [Requirement(text) for text in texts if not text.startswith("aftershock")]


def test_every_dependency_was_tested_in_a_version_within_its_bounds(
    project: dict[str, Any], tested: dict[str, Version]
) -> None:
    outside = [
        str(requirement)
        for requirement in requirements(project)
        if not requirement.specifier.contains(tested[canonicalize_name(requirement.name)])
    ]
    assert outside == []


def test_every_core_dependency_has_a_lower_bound(project: dict[str, Any]) -> None:
    loose = [
        text for text in project["dependencies"] if ">=" not in str(Requirement(text).specifier)
    ]
    assert loose == []


def test_all_brings_every_extra(project: dict[str, Any]) -> None:
    extras = dict(project["optional-dependencies"])
    (everything,) = extras.pop("all")
    del extras["test"]
    assert Requirement(everything).extras == set(extras)


def test_what_the_code_imports_is_declared(project: dict[str, Any], root: Path) -> None:
    """An undeclared package that another one happens to bring breaks with that other one."""
    providers = packages_distributions()
    declared = {canonicalize_name(requirement.name) for requirement in requirements(project)}
    undeclared = set()
    for package in TESTED:
        for path in (root / package).rglob("*.py"):
            for name in imported_names(ast.parse(path.read_text(encoding="utf-8"))):
                owners = {canonicalize_name(owner) for owner in providers.get(name, [name])}
                if not owners & declared:
                    undeclared.add(f"{path.relative_to(root)}: {name}")
    assert sorted(undeclared) == []


def imported_names(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - set(TESTED)
