"""Bars in an object store that speaks S3, beside a database in a folder or on a server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import fs

from db.store import Store
from tests.db.build import bars
from tests.db.conftest import NOW

pytestmark = pytest.mark.long

DAYS = [f"2020-01-{day:02}" for day in range(2, 8)]
_PATIENCE = 60.0


def _free_port() -> int:
    """A port, and 10,000 above it another, that nothing listens on (weed takes both)."""
    for _ in range(100):
        with socket.socket() as low, socket.socket() as high:
            low.bind(("127.0.0.1", 0))
            port = low.getsockname()[1]
            if port + 10_000 > 65_535:
                continue
            try:
                high.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return int(port)
    raise RuntimeError("no free port")


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A bucket in a SeaweedFS server of its own, with the environment that S3 clients read."""
    program = Path(sys.executable).with_name("weed")
    folder = tmp_path_factory.mktemp("seaweed")
    names = ("master", "volume", "filer", "s3")
    ports = {name: _free_port() for name in names}
    flags = [f"-{name}.port={port}" for name, port in ports.items()]
    command = [
        str(program), "server", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-dir={folder}", "-master.volumeSizeLimitMB=64", *flags,
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{ports['s3']}")
        patch.setenv("AWS_ACCESS_KEY_ID", "any")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "any")
        patch.setenv("AWS_REGION", "us-east-1")
        # The server takes the keys of its own environment as those of its administrator.
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            yield _make_bucket(server, folder)
        finally:
            server.kill()
            server.wait(timeout=30)
    shutil.rmtree(folder)


def _make_bucket(server: subprocess.Popen[bytes], folder: Path) -> str:
    """Ask for a bucket until the server is there to make it."""
    client = fs.S3FileSystem(
        endpoint_override=os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"),
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
        connect_timeout=1,
        request_timeout=2,
    )
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            client.create_dir("bars")
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text(errors="replace")) from None
        else:
            return "s3://bars"


@pytest.fixture(params=["sqlite", "postgres"])
def remote(request, bucket, empty_folder, tmp_path) -> Iterator[Store]:
    """A store whose bars are in the bucket."""
    if request.param == "sqlite":
        shutil.copytree(empty_folder, tmp_path / "store")
        target = str(tmp_path / "store")
    else:
        target = request.getfixturevalue("postgres_place").target
    with Store.open(target, bars=f"{bucket}/{request.param}", now=lambda: NOW) as store:
        yield store


def test_bars_live_in_a_bucket_as_they_do_in_a_folder(remote: Store):
    added = remote.ingest(bars("a.csv", [(s, day, 10) for s in "AB" for day in DAYS]))
    revised = remote.ingest(bars("b.csv", [("A", DAYS[0], 11), ("A", DAYS[1], 10)]))
    again = remote.ingest(bars("a.csv", []))

    assert (added.added, revised.revised, revised.unchanged) == (12, 1, 1)
    assert again.already_imported
    assert remote.bars("1d").close[:2].tolist() == [11, 10]
    assert remote.bars("1d", version=1).close[:2].tolist() == [10, 10]
    remote.ingest(bars("c.csv", [("A", DAYS[2], 12), ("C", DAYS[0], 30)]))
    before = remote.bars("1d").close.tolist()
    remote.compact()
    assert remote.clean().files > 0
    assert remote.bars("1d").close.tolist() == before
    assert remote.bar_sources()["rows"].tolist() == [13]
