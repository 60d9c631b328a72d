"""One more module of `db.sources.online` while a test lasts, as a new source's file would be."""

from tests.db.sources.fetching.scripted import Scripted

SOURCE = Scripted
