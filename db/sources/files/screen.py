"""The first fault of each row, and the rejects that come of them.

Rows are screened a chunk at a time by masks over whole columns; Python touches single rows only
where they are refused.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from db.batches import Reject
from db.sources.files.arrow import BoolArray, Cells
from db.sources.files.columns import ColumnMap
from db.sources.files.reader import RowChunk
from db.sources.files.texts import shown, to_texts

Reason = str | Callable[[int, str], str]
"""Why a row is refused: fixed text, or a function of the row's index in the chunk and the cell."""


class Screen:
    """Collects faults of one chunk; of several faults of a row the first one found counts."""

    def __init__(self, origin: str, chunk: RowChunk, columns: ColumnMap) -> None:
        self.columns = columns
        self._origin = origin
        self._chunk = chunk
        self._faults: list[tuple[str, Reason]] = []
        self._fault_of = np.zeros(len(chunk.rows), dtype=np.int16)

    def __len__(self) -> int:
        return len(self._chunk.rows)

    def __contains__(self, field: str) -> bool:
        return field in self.columns

    def cells(self, field: str) -> Cells:
        """The column of a field, as read, (rows,)."""
        return self._chunk.column(self.columns.index(field))

    @property
    def passed(self) -> BoolArray:
        """Rows without a fault so far, (rows,)."""
        return np.asarray(self._fault_of == 0)

    def refuse(self, faulty: BoolArray, field: str, reason: Reason) -> None:
        """Refuse the ``faulty`` rows; the reject shows the row's cell of ``field``."""
        new = faulty & (self._fault_of == 0)
        if new.any():
            self._faults.append((field, reason))
            self._fault_of[new] = len(self._faults)

    def rejects(self) -> list[Reject]:
        """The refused rows, and those that could not be split into cells, as in the file."""
        found = list(self._chunk.rejects)
        for number, (field, reason) in enumerate(self._faults, start=1):
            where = np.flatnonzero(self._fault_of == number)
            texts = to_texts(self.cells(field).take(pa.array(where)))
            column = self.columns.name(field)
            for index, cell in zip(where.tolist(), texts, strict=True):
                text = cell or ""
                why = reason if isinstance(reason, str) else reason(index, text)
                row = int(self._chunk.rows[index])
                found.append(Reject(self._origin, row, column, shown(text), why))
        return sorted(found, key=lambda reject: reject.row)
