"""Fixtures shared by all tests, and the two rules that hold in each: no network, no silent skip."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from db.store import Store

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(ROOT / ".cache" / "hypothesis"))

from hypothesis import HealthCheck, settings  # noqa: E402 - reads the variable when imported

settings.register_profile(
    "quick", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", parent=settings.get_profile("quick"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

_LOOPBACK = ("127.", "localhost", "::1")
_OWN_NAMES = {None, "", "localhost", socket.gethostname()}
_CLOSED_PROXY = "http://127.0.0.1:9"


class NetworkRefusedError(RuntimeError):
    """A test tried to reach something other than this machine."""


def _refuse_beyond_loopback(address: Any) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(_LOOPBACK):
        raise NetworkRefusedError(f"tests reach this machine alone, not {address[0]}:{address[1]}")


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuse connections but to loopback; clients outside Python's sockets meet a closed proxy."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    lookup = socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_beyond_loopback(address)
        connect(self, address)

    def guarded_lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in _OWN_NAMES and not _is_number(name):
            raise NetworkRefusedError(f"tests look up no names, not {name!r} either")
        return lookup(host, *args, **kwargs)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_beyond_loopback(address)
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_lookup)
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            patch.setenv(name, _CLOSED_PROXY)
            patch.setenv(name.upper(), _CLOSED_PROXY)
        patch.setenv("no_proxy", "127.0.0.1,localhost,::1")
        patch.setenv("NO_PROXY", "127.0.0.1,localhost,::1")
        yield


@pytest.fixture(scope="session", autouse=True)
def no_inherited_settings() -> Iterator[None]:
    """A developer's own store must neither be read nor written by a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("BACKTEST_")]:
            if name != "BACKTEST_REAL_DATA":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real market data, which is not part of the project; skips where it is absent."""
    folder = Path(os.environ.get("BACKTEST_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        pytest.skip("no real data beside the checkout (../shared/data or $BACKTEST_REAL_DATA)")
    return folder


@pytest.fixture
def fresh_store(tmp_path: Path) -> Iterator[Store]:
    """A new, empty store in a folder of its own."""
    from db.store import Store

    with Store.open(tmp_path / "store", create=True) as store:
        yield store


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--allowed-skips",
        metavar="FILE",
        help="fail when a test skips that matches no pattern of this file",
    )


def pytest_configure(config: pytest.Config) -> None:
    # Workers report their skips to the process that started them; it alone judges.
    if config.getoption("--allowed-skips") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipJudge(config), "skip-judge")


class SkipJudge:
    """Turns a skip that nobody allowed into a failed run."""

    def __init__(self, config: pytest.Config) -> None:
        lines = (config.rootpath / config.getoption("--allowed-skips")).read_text().splitlines()
        self.allowed = [line.split(" # ")[0].strip() for line in lines]
        self.allowed = [pattern for pattern in self.allowed if pattern and pattern[0] != "#"]
        self.refused: list[str] = []

    def judge(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        skipped = report.skipped and not hasattr(report, "wasxfail")
        if skipped and not any(fnmatch(report.nodeid, pattern) for pattern in self.allowed):
            self.refused.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.judge(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.judge(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for nodeid in self.refused:
            terminalreporter.write_line(f"NOT ALLOWED TO SKIP {nodeid}", red=True)
