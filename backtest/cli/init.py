"""``backtest init``: make an empty store."""

from __future__ import annotations

from backtest.cli import context
from backtest.cli.errors import say

EXAMPLE = "backtest --store my-store init"


def init() -> None:
    """Make an empty store; one that is there is left alone."""
    with context.open_store(create=True):
        say(f"the store is ready: {context.settings.shown}")
