"""What of a staged batch is new, what is known already, and what corrects older bars.

Both sides are sorted files.  They are compared a block of instruments at a time, and only where
their bounds meet, so that memory depends on the block and not on the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from db.batches import Reject
from db.delta.blocks import Counts, Rows, blocks, instrument_counts, read_block
from db.delta.files import VALUES, BarFile, BoolArray, Folder, IntArray
from db.delta.staging import Staged

_DUPLICATE = "an earlier bar of the same file has the same start and other values"


@dataclass
class Comparison:
    """Rows to drop, a flag a row for each file that has any, and how many of what kind."""

    staged: dict[str, BoolArray] = field(default_factory=dict)
    existing: dict[str, BoolArray] = field(default_factory=dict)
    revised: int = 0
    unchanged: int = 0
    refused: list[tuple[int, int]] = field(default_factory=list)
    """(instrument, start) of bars that contradict another one of their own batch."""

    @property
    def dropped(self) -> int:
        return sum(int(drop.sum()) for drop in self.staged.values())

    def rejects(self, origin: str, names: dict[int, str]) -> list[Reject]:
        shown = [
            f"{names.get(who, who)} {np.datetime64(at // 1_000_000, 's')}Z"
            for who, at in self.refused
        ]
        return [Reject(origin, 0, "start", bar, _DUPLICATE) for bar in shown]


def compare(
    staged_in: Folder, batch: Staged, table_in: Folder, existing: Sequence[BarFile]
) -> Comparison:
    """Compare staged bars with each other and with the table's; reads only what may coincide."""
    result = Comparison()
    staged = batch.files
    rivals = _meeting(staged, existing) | batch.repeating
    if not rivals:
        return result
    staged_counts = [instrument_counts(staged_in, file) for file in staged]
    rival_counts = [instrument_counts(table_in, file) for file in existing if file.path in rivals]
    # A file that repeats itself counts twice, so that all its instruments are looked at.
    twice = [
        counts
        for file, counts in zip(staged, staged_counts, strict=True)
        if file.path in batch.repeating
    ]
    for block in blocks(_shared([*staged_counts, *twice], rival_counts), staged_counts):
        ours = read_block(staged_in, staged, block)
        starts = ours.table.column("start").cast(pa.int64()).to_numpy()
        span = (int(starts.min()), int(starts.max()))
        theirs = read_block(table_in, existing, block, span)
        _compare_block(result, ours, theirs, staged, existing)
    return result


def _meeting(staged: Sequence[BarFile], existing: Sequence[BarFile]) -> set[str]:
    """Paths of the files whose bounds meet those of another staged file."""
    found: set[str] = set()
    for number, file in enumerate(staged):
        for other in (*staged[number + 1 :], *existing):
            if file.box.meets(other.box):
                found.update((file.path, other.path))
    return found


def _shared(staged: Sequence[Counts], existing: Sequence[Counts]) -> list[int]:
    """Instruments in two staged files, or in a staged and an existing one."""
    times = Counter(instrument for file in staged for instrument in file)
    known = {instrument for file in existing for instrument in file}
    return sorted(who for who, count in times.items() if count > 1 or who in known)


def _compare_block(
    result: Comparison,
    ours: Rows,
    theirs: Rows,
    staged: Sequence[BarFile],
    existing: Sequence[BarFile],
) -> None:
    """Put equal keys beside each other, the table's row first, and judge each staged row."""
    both = pa.concat_tables([theirs.table, ours.table]).combine_chunks()
    instruments = both.column("instrument").to_numpy()
    starts = both.column("start").cast(pa.int64()).to_numpy()
    new = np.arange(both.num_rows) >= theirs.table.num_rows
    order = np.lexsort((new, starts, instruments))  # stable: first come, first kept
    instruments, starts, new = instruments[order], starts[order], new[order]
    again = np.concatenate([[False], (np.diff(instruments) == 0) & (np.diff(starts) == 0)])
    head = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
    in_table = ~new[head]
    statement = head + in_table  # the batch's first word on this key, as far as there is one
    first = new & (np.arange(len(new)) == statement)
    repeat = new & ~first

    rows = both.take(order)
    against = np.where(repeat, statement, head)
    equal = _same_values(rows, rows.take(against))
    known = first & in_table
    drop = repeat | (known & equal)
    outdated = np.zeros(len(new), dtype=bool)
    outdated[head[known & ~equal]] = True

    result.revised += int((known & ~equal).sum())
    result.unchanged += int((drop & equal).sum())
    refused = repeat & ~equal
    pairs = zip(instruments[refused].tolist(), starts[refused].tolist(), strict=True)
    result.refused.extend(pairs)
    _mark(result.staged, staged, ours, order[drop] - theirs.table.num_rows)
    _mark(result.existing, existing, theirs, order[outdated])


def _mark(
    marks: dict[str, BoolArray], files: Sequence[BarFile], rows: Rows, picked: IntArray
) -> None:
    """Flag the picked rows in the files they came from."""
    for number in np.unique(rows.file[picked]).tolist():
        file = files[number]
        drop = marks.setdefault(file.path, np.zeros(file.rows, dtype=bool))
        drop[rows.position[picked[rows.file[picked] == number]]] = True


def _same_values(one: pa.Table, other: pa.Table) -> BoolArray:
    """Row by row: the same prices and volume, an unknown volume being equal to itself."""
    equal = np.ones(one.num_rows, dtype=bool)
    for name in VALUES:
        a, b = (table.column(name).to_numpy() for table in (one, other))
        equal &= (a == b) | (np.isnan(a) & np.isnan(b))
    return equal
