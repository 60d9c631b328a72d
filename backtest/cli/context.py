"""What every command knows: which store, and where options that stand anywhere were put."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from db.store import Store


@dataclass
class Settings:
    """Global options, set once before the command runs."""

    store: str | None = None
    bars: str | None = None

    @property
    def shown(self) -> str:
        """The store as a person would name it; a password in a URL is left out."""
        target = self.store or os.environ.get("BACKTEST_STORE") or "store"
        scheme, separator, rest = target.partition("://")
        if separator and "@" in rest:
            return f"{scheme}://...@{rest.rpartition('@')[2]}"
        return target


settings = Settings()


def open_store(*, create: bool = False) -> Store:
    """The store of ``--store``, $BACKTEST_STORE or ``./store``; StoreError where there is none."""
    from db.store import Store

    return Store.open(settings.store, bars=settings.bars, create=create)
