"""The built wheel, in an environment that holds nothing else."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = [pytest.mark.long, pytest.mark.registry, pytest.mark.timeout(1200)]
PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run in an empty home, with the network as it was before the tests closed it."""
    kept = {k: v for k, v in os.environ.items() if k.lower() not in PROXIES and k != "PYTHONPATH"}
    home = cwd / "home"
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Folder of the programs of a fresh environment with the core installed from a wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
    run(sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", folder, root, cwd=folder)
    (wheel,) = folder.glob("aftershock-*.whl")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    constraints = root / "constraints.txt"
    run(programs / "python", *pip, "install", "--constraint", constraints, wheel, cwd=folder)
    return programs


def test_the_wheel_answers_for_help(installed: Path, tmp_path: Path) -> None:
    assert "reactions" in run(installed / "backtest", "--help", cwd=tmp_path).stdout


def test_the_wheel_lists_its_strategies(installed: Path, tmp_path: Path) -> None:
    assert "gap_reversal" in run(installed / "backtest", "strategies", cwd=tmp_path).stdout


def test_the_wheel_runs_the_demonstration(installed: Path, tmp_path: Path) -> None:
    run(installed / "backtest", "demo", "here", cwd=tmp_path)
    assert list((tmp_path / "here").glob("*.html"))
