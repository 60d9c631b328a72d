"""One more module of `db.sources.online` while a test lasts: a source behind a key."""

from tests.cli.plugged import Locked

SOURCE = Locked
