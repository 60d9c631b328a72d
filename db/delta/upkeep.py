"""Upkeep of bar tables: fewer and sorted files, and no files that nothing refers to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from pyarrow import fs

from db.delta.blocks import blocks, instrument_counts, read_block
from db.delta.files import FILE_ROWS, BarFile
from db.delta.staging import in_key_order
from db.delta.table import BarTable, ConflictError, Snapshot
from db.delta.writing import FileWriter
from db.errors import StoreError

_OF_A_BATCH = re.compile(r"batch-(\d+)-")
_ABANDONED = timedelta(hours=24)
"""A file of an import that is neither done nor this old may belong to one that is running."""


def compact(table: BarTable, now: datetime) -> tuple[int, int]:
    """Rewrite sources whose files are small or overlap, in one commit; files before and after.

    Call it with the writer lock held.  Bars and batches stay as they are, only files change.
    """
    with table.folder.guarded():
        return _compact(table, now)


def _compact(table: BarTable, now: datetime) -> tuple[int, int]:
    base = table.snapshot()
    add: list[BarFile] = []
    remove: list[BarFile] = []
    for source in sorted({file.source for file in base.files}):
        files = base.of_source(source)
        if _worth_it(files):
            remove.extend(files)
            add.extend(_merged(table, base, files, source))
    if remove:
        facts = {"compaction": str(len(remove))}
        try:
            table.commit(base, add=add, remove=remove, facts=facts, now=now, changes_data=False)
        except ConflictError as error:
            raise StoreError(
                "the table was changed meanwhile", where=table.folder.uri, hint="run this again"
            ) from error
    return len(base.files), len(base.files) - len(remove) + len(add)


def _worth_it(files: Sequence[BarFile]) -> bool:
    """Whether there are more files than needed, or instruments spread over several of them."""
    rows = sum(file.rows for file in files)
    in_order = all(a.box.instruments[1] <= b.box.instruments[0] for a, b in pairwise(files))
    return not in_order or len(files) > 2 * -(-rows // FILE_ROWS)


def _merged(
    table: BarTable, base: Snapshot, files: Sequence[BarFile], source: str
) -> list[BarFile]:
    """The same rows in new files, sorted throughout."""
    counts = [instrument_counts(table.folder, file) for file in files]
    instruments = sorted({instrument for file in counts for instrument in file})
    merged = []
    for number, block in enumerate(blocks(instruments, counts)):
        path = f"source={source}/compacted-{base.version + 1:06d}-{number:04d}.parquet"
        with FileWriter(table.folder, path, source) as writer:
            writer.write(in_key_order(read_block(table.folder, files, block).table))
        file = writer.finished()
        merged.extend([file] if file else [])
    return merged


def unused(table: BarTable, keep: set[int], done: set[int], now: datetime) -> list[fs.FileInfo]:
    """Files that neither the current version nor a kept one refers to.

    ``keep`` are versions to keep beside the current one, ``done`` the ids of finished batches:
    files of other batches are left alone for a day, for their import may still be running.
    """
    current = table.snapshot()
    wanted = {file.path for file in current.files}
    for version in keep - {current.version}:
        wanted |= _paths(table, version)
    return [
        info
        for info in table.folder.parquet_paths()
        if info.path not in wanted and _is_garbage(info, done, now)
    ]


def readable_without(table: BarTable, version: int, gone: set[str]) -> bool:
    """Whether a version needs none of the files that go."""
    return not _paths(table, version) & gone


def _paths(table: BarTable, version: int) -> set[str]:
    """The files of a version; of one that does not exist there is nothing to keep."""
    try:
        return {file.path for file in table.snapshot(version).files}
    except StoreError:
        return set()


def _is_garbage(info: fs.FileInfo, done: set[int], now: datetime) -> bool:
    batch = _OF_A_BATCH.search(info.path)
    if batch is None or int(batch.group(1)) in done:
        return True
    return info.mtime is None or now - info.mtime > _ABANDONED
