"""The command line with scripted sources among the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from backtest.cli import ingest
from backtest.cli import online as commands
from db.sources import online
from db.sources.fetching.source import Key
from tests.db.sources.fetching import scripted
from tests.db.sources.fetching.scripted import Scripted, World

FOLDER = Path(scripted.__file__).parent / "plugged"


class Locked(Scripted):
    """The same behind a key."""

    name = "locked"
    example = "backtest ingest locked AMD"
    keys = (Key("secret", ("SCRIPTED_KEY",), "from the dashboard"),)
    world: ClassVar[World] = World()


@contextmanager
def plugged(patch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world of ``ingest scripted`` (and of ``ingest locked``) while the block lasts."""
    world = World()
    for source in (Scripted, Locked):
        patch.setattr(source, "world", world)
    patch.setattr(online, "__path__", [*online.__path__, str(FOLDER)])
    before = list(ingest.group.registered_commands)
    commands.add_commands(ingest.group)
    try:
        yield world
    finally:
        ingest.group.registered_commands[:] = before


def rows(outcome: Any) -> dict[str, dict[str, Any]]:
    """What ``--json`` printed, by kind."""
    return {row["kind"]: row for row in json.loads(outcome.out)}


Asked = Callable[[], list[str]]
