"""Where a store is: a folder, or a database URL with a place for its bars."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from db.errors import UsageError

DEFAULT_FOLDER = "store"
_POSTGRES = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True)
class Location:
    """``folder`` is None for a database URL; ``bars`` is a folder or an object-store URL."""

    url: URL
    bars: str
    folder: Path | None

    @property
    def shown(self) -> str:
        """What a person gave, without the password."""
        return str(self.folder) if self.folder else self.url.render_as_string(hide_password=True)

    @property
    def is_postgres(self) -> bool:
        return self.folder is None


def locate(target: str | Path | None, bars: str | None) -> Location:
    """Resolve what was asked for, then ``BACKTEST_STORE`` and ``BACKTEST_BARS``, then ./store."""
    chosen = target if target is not None else os.environ.get("BACKTEST_STORE") or DEFAULT_FOLDER
    place = bars or os.environ.get("BACKTEST_BARS") or None
    if isinstance(chosen, str) and "://" in chosen:
        return _by_url(chosen, place)
    folder = Path(chosen).expanduser().absolute()
    url = URL.create("sqlite+pysqlite", database=str(folder / "store.db"))
    return Location(url=url, bars=_bars_place(place or str(folder / "bars")), folder=folder)


def _by_url(text: str, bars: str | None) -> Location:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise UsageError(
            "the store's URL cannot be read",
            hint="postgresql+psycopg://user:password@host/database",
        ) from error
    if url.drivername not in _POSTGRES:
        raise UsageError(
            f"a store cannot be kept in {url.drivername!r}",
            hint="give a folder (kept in SQLite), or a postgresql+psycopg:// URL",
        )
    if bars is None:
        raise UsageError(
            "a store in PostgreSQL needs a place for its bars",
            hint="--bars FOLDER or s3://bucket/prefix, or set BACKTEST_BARS",
        )
    return Location(
        url=url.set(drivername="postgresql+psycopg"), bars=_bars_place(bars), folder=None
    )


def _bars_place(place: str) -> str:
    return place.rstrip("/") if "://" in place else str(Path(place).expanduser().absolute())
